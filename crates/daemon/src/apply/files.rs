//! The files of an apply: that of settings, and those that are made of templates. All of them change, or none.

use std::sync::Arc;

use linchpin_boot::settings::{Draft, LOCK_PATIENCE, Store, StoreError, Trial};
use linchpin_boot::templates::{self, Outcome, Report, Scope, prepare};
use linchpin_config::TemplateConfig;

/// What is to be written.
pub(super) struct Files {
    pub(super) store: Store,
    pub(super) draft: Draft,
    pub(super) templates: Vec<TemplateConfig>,
    pub(super) scope: Arc<Scope>,
}

impl Files {
    /// Writes all of them. What is made of templates is looked at by whoever reads it before anything changes; `begin` is
    /// called between the two. Waits for the disk and for these commands.
    pub(super) fn write(
        &self,
        writes: bool,
        begin: impl FnOnce(),
    ) -> Result<Option<Trial>, String> {
        let prepared = prepare(&self.templates, &self.scope, false);
        if prepared.is_failure() {
            return Err(failures(prepared.reports()));
        }
        begin();
        let trial = if writes { Some(self.settings()?) } else { None };
        let reports = prepared.commit();
        if reports.iter().any(Report::is_failure) {
            let mut text = failures(reports.iter());
            // The templates have put back what was there themselves.
            if let Err(error) = put_back(&self.store, trial.as_ref(), &[]) {
                text = format!("{text}; {error}");
            }
            return Err(text);
        }
        Ok(trial)
    }

    fn settings(&self) -> Result<Trial, String> {
        let draft = &self.draft;
        let locked = self.store.lock(LOCK_PATIENCE);
        locked
            .and_then(|locked| locked.write_on_trial(draft.read.as_ref(), &draft.file))
            .map_err(|error| error.to_string())
    }
}

/// Puts back what was there before.
pub(super) fn put_back(
    store: &Store,
    trial: Option<&Trial>,
    templates: &[TemplateConfig],
) -> Result<(), String> {
    let settings = trial.map_or(Ok(()), |trial| {
        let locked = store.lock(LOCK_PATIENCE);
        locked.and_then(|locked| locked.take_back(trial))
    });
    let settings = settings
        .map_err(|error: StoreError| format!("the settings file was not put back: {error}"));
    let made = templates::restore(templates)
        .map_err(|error| format!("what is made of templates was not put back: {error}"));
    match (settings, made) {
        (Ok(()), Ok(_)) => Ok(()),
        (Err(text), Ok(_)) | (Ok(()), Err(text)) => Err(text),
        (Err(settings), Err(made)) => Err(format!("{settings}; {made}")),
    }
}

fn failures<'a>(reports: impl Iterator<Item = &'a Report>) -> String {
    let mut texts = Vec::new();
    for report in reports {
        if let Outcome::Failed(problems) = &report.outcome {
            let said = report.said.iter().map(|line| format!("\n  | {line}"));
            let said: String = said.collect();
            texts.push(format!(
                "[template:{}]: {}{said}",
                report.name,
                problems.join("; ")
            ));
        }
    }
    texts.join("; ")
}

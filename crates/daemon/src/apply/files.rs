//! The files of an apply: that of settings, those of trusted authorities, certificates, and those that are made of
//! templates. All of them change, or none.

use std::sync::Arc;

use linchpin_boot::sequence::look_after;
use linchpin_boot::settings::{Draft, LOCK_PATIENCE, Store, StoreError, Trial};
use linchpin_boot::templates::{self, Outcome, Report, Scope, prepare};
use linchpin_config::{CertificateConfig, TemplateConfig};

use crate::boot::seconds;
use crate::settings::RootsChange;

/// What is to be written.
pub(super) struct Files {
    pub(super) store: Store,
    pub(super) draft: Draft,
    /// None if they stay as they are.
    pub(super) roots: Option<RootsChange>,
    /// Those that the settings make other ones, and what they were.
    pub(super) certificates: (Vec<CertificateConfig>, Vec<CertificateConfig>),
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
        let (certificates, before) = &self.certificates;
        let roots = self.roots.as_ref().map_or(Ok(()), RootsChange::make);
        let mut text = match roots {
            Ok(()) => look_after_all(certificates),
            Err(text) => text,
        };
        if text.is_empty() {
            let reports = prepared.commit();
            if !reports.iter().any(Report::is_failure) {
                return Ok(trial);
            }
            text = failures(reports.iter());
        }
        // The templates have put back what was there themselves.
        let roots = self.roots.as_ref();
        if let Err(error) = put_back(&self.store, trial.as_ref(), roots, before, &[]) {
            text = format!("{text}; {error}");
        }
        Err(text)
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
    roots: Option<&RootsChange>,
    certificates: &[CertificateConfig],
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
    let roots = roots.map_or(Ok(()), RootsChange::put_back);
    let looked_after = look_after_all(certificates);
    let all = [settings.err(), made.err(), roots.err()];
    let mut texts: Vec<String> = all.into_iter().flatten().collect();
    if !looked_after.is_empty() {
        texts.push(looked_after);
    }
    if texts.is_empty() {
        Ok(())
    } else {
        Err(texts.join("; "))
    }
}

/// Sees to it that there are these certificates; what is wrong, or nothing.
fn look_after_all(certificates: &[CertificateConfig]) -> String {
    let states = certificates
        .iter()
        .map(|config| look_after(config, seconds()));
    let texts: Vec<String> = states
        .filter_map(|state| Some(format!("[certificate:{}]: {}", state.name, state.problem?)))
        .collect();
    texts.join("; ")
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

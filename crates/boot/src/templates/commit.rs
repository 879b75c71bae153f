//! The second half of a change: everything takes its place.

use std::path::Path;

use linchpin_config::TemplateConfig;

use super::difference;
use super::kept::{self, RestoreError};
use super::made_list;
use super::prepare::{Item, Prepared, Ready};
use super::report::{Outcome, Report};
use crate::writing::{Access, Mode, Writing, remove, swap, write};

impl Prepared<'_> {
    /// Puts everything in place, each file at once, after what is there has been kept; or nothing if a template failed,
    /// or if something cannot be put in place.
    #[must_use]
    pub fn commit(mut self) -> Vec<Report> {
        if self.is_dry {
            return self.take_reports();
        }
        if self.is_failure() {
            self.hold_back();
            return self.take_reports();
        }
        // All of it is kept before any of it changes.
        let mut failure = None;
        for (index, item) in self.items.iter().enumerate() {
            if let Err(problem) = keep(item) {
                failure.get_or_insert((index, problem));
            }
        }
        let is_kept = failure.is_none();
        if is_kept {
            for (index, item) in self.items.iter().enumerate() {
                if let Err(problem) = put(item) {
                    failure = Some((index, problem));
                    break;
                }
            }
        }
        if let Some((index, problem)) = failure {
            let mut problems = vec![problem];
            // Else nothing has changed, and what could not be kept still has the record of an earlier change.
            if is_kept && let Err(error) = self.restore() {
                problems.push(format!(
                    "what was there before could not be put back: {error}"
                ));
            }
            self.items[index].report.outcome = Outcome::Failed(problems);
            self.hold_back();
        } else {
            self.items.iter().for_each(note_shown);
        }
        self.take_reports()
    }

    fn restore(&self) -> Result<(), RestoreError> {
        let configs: Vec<TemplateConfig> =
            self.items.iter().map(|item| item.config.clone()).collect();
        kept::restore_locked(&configs).map(|_| ())
    }

    /// Says of those that are good that they were not put in place.
    fn hold_back(&mut self) {
        for item in &mut self.items {
            item.report.services.clear();
            if item.report.is_change() {
                item.report.outcome = Outcome::Held;
            }
        }
    }

    fn take_reports(&mut self) -> Vec<Report> {
        for item in &self.items {
            if let Some(ready) = &item.ready {
                ready.forget();
            }
        }
        self.lock = None;
        self.items.drain(..).map(|item| item.report).collect()
    }
}

/// Keeps what is about to change.
fn keep(item: &Item<'_>) -> Result<(), String> {
    let kept = Path::new(&item.config.kept);
    let Some(ready) = item.ready.as_ref().filter(|ready| ready.is_change()) else {
        return kept::keep_nothing(kept).map_err(|error| error.to_string());
    };
    let list = made_list::name_of(&item.config.name);
    let changed = ready
        .files
        .iter()
        .filter(|file| file.writing != Writing::Unchanged);
    let names: Vec<&str> = changed
        .map(|file| file.name.as_str())
        .chain(ready.obsolete.iter().map(String::as_str))
        .chain(ready.list.is_some().then_some(list.as_str()))
        .collect();
    kept::keep(kept, &ready.directory, &names)
        .map_err(|error| format!("what is there cannot be kept: {error}"))
}

fn put(item: &Item<'_>) -> Result<(), String> {
    let Some(ready) = &item.ready else {
        return Ok(());
    };
    put_files(item.config, ready).map_err(|error| error.to_string())
}

fn put_files(config: &TemplateConfig, ready: &Ready) -> Result<(), crate::writing::WriteError> {
    let list = ready.directory.join(made_list::name_of(&config.name));
    let note = |text: &str| write(&list, text.as_bytes(), Access::PUBLIC, Mode::Real);
    if let Some((both, _)) = &ready.list {
        // Before they are there, so that no file of ours is ever taken for somebody else's.
        note(both)?;
    }
    for file in &ready.files {
        if let (Some(staged), true) = (&file.staged, file.writing != Writing::Unchanged) {
            swap(staged, &ready.directory.join(&file.name))?;
        }
    }
    for name in &ready.obsolete {
        remove(&ready.directory.join(name), Mode::Real)?;
    }
    if let Some((_, names)) = &ready.list {
        note(names)?;
    }
    Ok(())
}

/// Keeps what people may see of the results. That a later dry run shows less is all that comes of a failure.
fn note_shown(item: &Item<'_>) {
    let Some(ready) = &item.ready else {
        return;
    };
    for file in &ready.files {
        let _ = difference::note(
            Path::new(&item.config.kept),
            &file.name,
            file.shown.as_deref(),
        );
    }
}

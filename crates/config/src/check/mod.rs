//! `linchpin check`: likely mistakes in a configuration that Supervisor loads without a word.
//!
//! A rule speaks only where something will most likely not do what was meant; good files stay silent.
//! Each warning has a place and a remedy.

mod combinations;
mod commands;
mod dependencies;
mod environment_lists;
mod log_files;
mod names;
mod services;
mod settings;
mod text;
mod wiring;

use std::collections::BTreeMap;

use crate::control::{ControlRequest, load_supervisorctl};
use crate::diagnostic::{Diagnostic, Severity};
use crate::document::{Document, Entry, Section};
use crate::findings::Statement;
use crate::load::{LoadRequest, Loaded, load};
use crate::model::{Config, GroupConfig, ProcessConfig};
use crate::options::SectionKind;
use crate::source::Span;
use crate::world::World;

/// Outcome of a check.
#[derive(Debug)]
pub struct CheckReport {
    /// Problems that stop the configuration from being used, the original's first one first.
    pub problems: Vec<Diagnostic>,
    /// Likely mistakes, in the order of their places.
    pub warnings: Vec<Diagnostic>,
    /// The configuration, if it can be used.
    pub config: Option<Config>,
}

/// Loads a configuration without using it and judges it.
#[must_use]
pub fn check(world: &dyn World, request: &LoadRequest) -> CheckReport {
    let (problems, mut warnings, config) = match load(world, request) {
        Ok(loaded) => {
            let mut warnings = judge_text(&loaded.reading.document);
            warnings.extend(judge_config(world, request, &loaded));
            let Loaded {
                config,
                doubts,
                remarks,
                ..
            } = loaded;
            warnings.extend(doubts);
            warnings.extend(remarks);
            (Vec::new(), warnings, Some(config))
        }
        Err(failure) => {
            let warnings = judge_text(&failure.reading.document);
            (failure.problems, warnings, None)
        }
    };
    warnings.sort_by_key(|warning| {
        warning
            .place
            .as_ref()
            .map(|place| (place.file.clone(), place.line, place.column))
    });
    warnings.dedup();
    CheckReport {
        problems,
        warnings,
        config,
    }
}

/// Rules that need only the text.
fn judge_text(document: &Document) -> Vec<Diagnostic> {
    let mut judge = Judge::new(document);
    names::judge(&mut judge);
    text::judge(&mut judge);
    judge.into_warnings()
}

/// Rules that need a configuration that can be used.
fn judge_config(world: &dyn World, request: &LoadRequest, loaded: &Loaded) -> Vec<Diagnostic> {
    let document = &loaded.reading.document;
    let mut judge = Judge::new(document);
    let control = load_supervisorctl(
        world,
        &request.program,
        &ControlRequest {
            file: request.file.clone(),
            ..ControlRequest::default()
        },
    );
    wiring::judge(&mut judge, &loaded.config, control.as_ref().ok());
    combinations::judge(&mut judge, &loaded.config);
    commands::judge(&mut judge, world, &loaded.config);
    services::judge(&mut judge, world, &loaded.config);
    settings::judge(&mut judge, &loaded.config);
    log_files::judge(&mut judge, &loaded.config);
    environment_lists::judge(&mut judge, &loaded.config);
    // What stops supervisorctl does not stop the daemon. A file without its section is fine.
    if let Err(failure) = control
        && document.section("supervisorctl").is_some()
    {
        judge
            .warnings
            .extend(failure.problems.into_iter().map(|problem| Diagnostic {
                severity: Severity::Warning,
                message: format!("supervisorctl cannot read this: {}", problem.message),
                ..problem
            }));
    }
    judge.into_warnings()
}

/// Most warnings of one pass; the first ones are told.
const MOST_WARNINGS: usize = 500;

/// Collects warnings about a document.
pub(crate) struct Judge<'a> {
    document: &'a Document,
    warnings: Vec<Diagnostic>,
    /// Warnings that stand for all of their kind: position, and how many more there are.
    repeated: BTreeMap<String, (usize, usize)>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(document: &'a Document) -> Self {
        Self {
            document,
            warnings: Vec::new(),
            repeated: BTreeMap::new(),
        }
    }

    /// Whether further warnings are dropped, so that looking for them is in vain.
    fn is_full(&self) -> bool {
        self.warnings.len() >= MOST_WARNINGS
    }

    /// As [`Judge::warn`], but only the first of a kind is told, with the number of the others.
    fn warn_of_kind(
        &mut self,
        kind: String,
        span: Option<Span>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if let Some((_, more)) = self.repeated.get_mut(&kind) {
            *more += 1;
            return;
        }
        let position = self.warnings.len();
        self.warn(span, message, help);
        if self.warnings.len() > position {
            self.repeated.insert(kind, (position, 0));
        }
    }

    pub(crate) fn into_warnings(mut self) -> Vec<Diagnostic> {
        for (position, more) in self.repeated.into_values() {
            let times = if more == 1 { "time" } else { "times" };
            if more > 0 {
                let message = &mut self.warnings[position].message;
                *message = format!("{message} (and {more} more {times} below)");
            }
        }
        self.warnings
    }

    fn warn(&mut self, span: Option<Span>, message: impl Into<String>, help: impl Into<String>) {
        self.say(Severity::Warning, span, message, help);
    }

    pub(crate) fn say(
        &mut self,
        severity: Severity,
        span: Option<Span>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if self.is_full() {
            return;
        }
        let statement = Statement::ours(message).help(help);
        self.warnings
            .push(statement.at(severity, self.document, span));
    }

    /// What is written for a key in a section, by names.
    pub(crate) fn written(&self, section: &str, key: &str) -> Option<&'a Entry> {
        let section = self.document.section(section)?;
        self.document.entry(section, key)
    }

    /// Where a key stands, or else the section.
    pub(crate) fn span(&self, section: &str, key: &str) -> Option<Span> {
        self.written(section, key)
            .map(Entry::value_span)
            .or_else(|| {
                let section = self.document.section(section)?;
                section.headers.first().copied()
            })
    }

    /// Sections with their kinds, `[DEFAULT]` last.
    fn sections(&self) -> impl Iterator<Item = (&'a Section, Option<SectionKind>)> + use<'a> {
        self.document
            .sections()
            .iter()
            .chain([self.document.defaults()])
            .filter(|section| !section.headers.is_empty())
            .map(|section| (section, SectionKind::of(&section.name)))
    }
}

/// The first process of each section, because all of a section have the same options.
pub(crate) fn one_process_of_each_section(
    config: &Config,
) -> impl Iterator<Item = (&GroupConfig, &ProcessConfig)> {
    let mut seen = std::collections::HashSet::new();
    config
        .groups
        .iter()
        .flat_map(|group| group.processes.iter().map(move |process| (group, process)))
        .filter(move |(_, process)| seen.insert(process.section.as_str()))
        .map(|(group, process)| (group.as_ref(), process.as_ref()))
}

#[cfg(test)]
mod service_tests;
#[cfg(test)]
mod setting_tests;
#[cfg(test)]
mod tests;

//! The first half of a change: everything is made beside its place, and looked at.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use linchpin_config::{OnChange, TemplateConfig};

use super::difference;
use super::kept;
use super::made_list;
use super::report::{FileChange, FileReport, Outcome, Report};
use super::scope::Scope;
use super::sources::{Source, Sources, read_all};
use super::validate;
use crate::writing::{
    Access, Mode, Writing, compared, make_directory, remove, remove_directory, stage,
};

/// Folder in a target folder in which new files wait.
const WAITING: &str = ".linchpin-new";

/// Most problems of one section that are told.
const MOST_PROBLEMS: usize = 20;

/// Templates that have been made and looked at, and are not in place yet. Dropping it forgets them.
#[derive(Debug)]
pub struct Prepared<'c> {
    pub(super) items: Vec<Item<'c>>,
    pub(super) is_dry: bool,
    /// So that nobody else changes anything between the two halves.
    pub(super) lock: Option<fs::File>,
}

/// A section.
#[derive(Debug)]
pub(super) struct Item<'c> {
    pub(super) config: &'c TemplateConfig,
    pub(super) report: Report,
    /// None if it failed.
    pub(super) ready: Option<Ready>,
}

/// What is to be put in place.
#[derive(Debug)]
pub(super) struct Ready {
    /// Directory of the files.
    pub(super) directory: PathBuf,
    pub(super) files: Vec<New>,
    /// Files of ours without a template.
    pub(super) obsolete: Vec<String>,
    /// What the list of a folder says before and after; none for a file.
    pub(super) list: Option<(String, String)>,
    /// Where new files wait, of a folder.
    waiting: Option<PathBuf>,
    pub(super) access: Access,
}

/// A file that is to be put in place.
pub(super) struct New {
    pub(super) name: String,
    /// Where it waits; none if it is there already.
    pub(super) staged: Option<PathBuf>,
    content: String,
    /// Its content without secrets, and what tells the content.
    pub(super) shown: Option<String>,
    pub(super) writing: Writing,
}

impl fmt::Debug for New {
    /// Without its content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("New")
            .field("name", &self.name)
            .field("staged", &self.staged)
            .field("writing", &self.writing)
            .finish_non_exhaustive()
    }
}

impl Ready {
    pub(super) fn is_change(&self) -> bool {
        !self.obsolete.is_empty()
            || self
                .files
                .iter()
                .any(|file| file.writing != Writing::Unchanged)
    }

    /// Whether nothing of it was there.
    pub(super) fn is_new(&self) -> bool {
        self.obsolete.is_empty() && self.files.iter().all(|file| file.writing == Writing::Made)
    }

    /// Takes away what waits.
    pub(super) fn forget(&self) {
        for file in &self.files {
            if let Some(staged) = &file.staged {
                let _ = remove(staged, Mode::Real);
            }
        }
        if let Some(waiting) = &self.waiting {
            let _ = remove_directory(waiting);
        }
    }
}

impl Drop for Prepared<'_> {
    fn drop(&mut self) {
        for item in &self.items {
            if let Some(ready) = &item.ready {
                ready.forget();
            }
        }
    }
}

impl Prepared<'_> {
    /// Whether any of them cannot be made; then none is put in place.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.items.iter().any(|item| item.report.is_failure())
    }

    /// What will become of each if they are put in place, or why not.
    pub fn reports(&self) -> impl Iterator<Item = &Report> {
        self.items.iter().map(|item| &item.report)
    }
}

/// Makes templates beside their places and has them looked at. In a dry run nothing is written, and nobody is asked.
#[must_use]
pub fn prepare<'c>(templates: &'c [TemplateConfig], scope: &Scope, is_dry: bool) -> Prepared<'c> {
    let mut prepared = Prepared {
        items: Vec::new(),
        is_dry,
        lock: None,
    };
    let mut problem = None;
    if let (Some(first), false) = (templates.first(), is_dry) {
        match kept::hold(first) {
            Ok(lock) => prepared.lock = lock,
            Err(error) => problem = Some(error.to_string()),
        }
    }
    for config in templates {
        let mut report = Report {
            name: config.name.clone(),
            target: PathBuf::from(&config.target),
            outcome: Outcome::Unchanged,
            files: Vec::new(),
            services: Vec::new(),
            on_change: config.on_change,
            validated_by: None,
            said: Vec::new(),
            is_dry,
        };
        let ready = match &problem {
            Some(problem) => Err(vec![problem.clone()]),
            None => prepare_one(config, scope, is_dry, &mut report),
        };
        let ready = match ready {
            Ok(ready) => {
                finish_report(config, &ready, &mut report);
                Some(ready)
            }
            Err(mut problems) => {
                problems.truncate(MOST_PROBLEMS);
                report.outcome = Outcome::Failed(problems);
                None
            }
        };
        prepared.items.push(Item {
            config,
            report,
            ready,
        });
    }
    prepared
}

fn finish_report(config: &TemplateConfig, ready: &Ready, report: &mut Report) {
    if !ready.is_change() {
        return;
    }
    report.outcome = if ready.is_new() {
        Outcome::Made
    } else {
        Outcome::Changed
    };
    if config.on_change != OnChange::Nothing {
        report.services.clone_from(&config.policy.services);
    }
}

fn prepare_one(
    config: &TemplateConfig,
    scope: &Scope,
    is_dry: bool,
    report: &mut Report,
) -> Result<Ready, Vec<String>> {
    let sources = read_all(config)?;
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    let access = Access {
        mode: config.mode,
        owner: config.owner,
    };
    for source in &sources.templates {
        match rendered(source, scope, &sources.directory, access) {
            Ok(file) => files.push(file),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut ready = Ready {
        obsolete: Vec::new(),
        list: None,
        waiting: None,
        directory: sources.directory.clone(),
        files,
        access,
    };
    if sources.is_folder {
        look_for_obsolete(config, &sources, &mut ready)?;
    }
    let mode = if is_dry { Mode::Dry } else { Mode::Real };
    make_directory(&ready.directory, mode).map_err(|error| vec![error.to_string()])?;
    if is_dry {
        report.validated_by = config.validate.clone().filter(|_| ready.is_change());
    } else if ready.is_change()
        && let Err(problem) = put_beside(config, &sources, &mut ready)
            .and_then(|file| ask(config, scope, &file, report))
    {
        ready.forget();
        return Err(vec![problem]);
    }
    report.files = file_reports(config, &ready, is_dry);
    Ok(ready)
}

fn rendered(
    source: &Source,
    scope: &Scope,
    directory: &Path,
    access: Access,
) -> Result<New, String> {
    let content = scope.render(&source.text).map_err(|problem| {
        let line = problem
            .line
            .map_or_else(String::new, |line| format!(":{line}"));
        format!("{}{line}: {}", source.path.display(), problem.message)
    })?;
    let writing = compared(&directory.join(&source.name), content.as_bytes(), access);
    let shown = scope.render_masked(&source.text);
    Ok(New {
        name: source.name.clone(),
        staged: None,
        shown: shown.map(|text| difference::noted(&content, &text)),
        content,
        writing,
    })
}

/// Files of ours in a folder whose templates are gone.
fn look_for_obsolete(
    config: &TemplateConfig,
    sources: &Sources,
    ready: &mut Ready,
) -> Result<(), Vec<String>> {
    let list = made_list::name_of(&config.name);
    if sources.templates.iter().any(|source| source.name == list) {
        return Err(vec![format!(
            "{list} cannot be the name of a template: rename it"
        )]);
    }
    let known = made_list::read_list(&sources.directory, &config.name);
    let names = || sources.templates.iter().map(|source| source.name.as_str());
    ready.obsolete = known
        .iter()
        .filter(|name| !names().any(|kept| kept == *name))
        .filter(|name| {
            fs::symlink_metadata(sources.directory.join(name)).is_ok_and(|it| !it.is_dir())
        })
        .cloned()
        .collect();
    let both = made_list::text_of(names().chain(known.iter().map(String::as_str)));
    ready.list = Some((both, made_list::text_of(names())));
    Ok(())
}

/// Writes new files beside their places: the path that their command is to look at.
fn put_beside(
    config: &TemplateConfig,
    sources: &Sources,
    ready: &mut Ready,
) -> Result<PathBuf, String> {
    let directory = ready.directory.clone();
    let waiting = if sources.is_folder {
        let waiting = directory.join(WAITING);
        if fs::symlink_metadata(&waiting).is_ok() {
            // Left over from somebody who was killed.
            remove_directory(&waiting).map_err(|error| error.to_string())?;
        }
        make_directory(&waiting, Mode::Real).map_err(|error| error.to_string())?;
        ready.waiting = Some(waiting.clone());
        waiting
    } else {
        directory
    };
    let mut last = waiting.clone();
    for file in &mut ready.files {
        // Whoever looks at a folder is to find all of it.
        let is_needed = sources.is_folder && config.validate.is_some();
        if file.writing == Writing::Unchanged && !is_needed {
            continue;
        }
        last = if sources.is_folder {
            waiting.join(&file.name)
        } else {
            waiting.join(format!(".new.{}", file.name))
        };
        file.staged = Some(last.clone());
        stage(&last, file.content.as_bytes(), ready.access).map_err(|error| error.to_string())?;
    }
    Ok(if sources.is_folder { waiting } else { last })
}

/// Has the new file looked at.
fn ask(
    config: &TemplateConfig,
    scope: &Scope,
    file: &Path,
    report: &mut Report,
) -> Result<(), String> {
    let Some(command) = &config.validate else {
        return Ok(());
    };
    let verdict = validate::ask(command, file, config, scope);
    report.validated_by = Some(command.clone());
    report.said = verdict.said;
    verdict.refusal.map_or(Ok(()), Err)
}

fn file_reports(config: &TemplateConfig, ready: &Ready, is_dry: bool) -> Vec<FileReport> {
    let made = ready.files.iter().map(|file| {
        let path = ready.directory.join(&file.name);
        let difference = (is_dry && file.writing != Writing::Unchanged)
            .then(|| {
                let shown = file.shown.as_deref()?;
                difference::between(&path, Path::new(&config.kept), &file.name, shown)
            })
            .flatten();
        let change = match file.writing {
            Writing::Made => FileChange::Made,
            Writing::Changed => FileChange::Changed,
            Writing::Unchanged => FileChange::Unchanged,
        };
        FileReport {
            path,
            change,
            difference,
        }
    });
    let removed = ready.obsolete.iter().map(|name| FileReport {
        path: ready.directory.join(name),
        change: FileChange::Removed,
        difference: None,
    });
    made.chain(removed).collect()
}

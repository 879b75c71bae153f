//! Changes of the settings file: thought out, judged as a whole, then written.

use std::time::Duration;

use linchpin_config::SettingsConfig;

use super::env_file::{EnvFile, ProblemKind};
use super::first_boot::beginning;
use super::layers::{Layer, Resolved, resolve};
use super::store::{Store, StoreError};
use super::validation::{Invalid, ask_command, judge};

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The configuration names no file.
    #[error("there is no settings file: set `settings_file` in [linchpin]")]
    NoFile,
    /// Nobody declares this name.
    #[error("there is no setting {0}{hint}", hint = .1.as_ref().map(|meant| format!("; did you mean {meant}?")).unwrap_or_default())]
    Unknown(String, Option<String>),
    /// A value that cannot be written.
    #[error("{0} cannot have this value: {words}", words = .1.words())]
    Unwritable(String, ProblemKind),
    /// The settings would not be good.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Invalid(Vec<Invalid>),
    /// The file cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// The settings of which the file says something else now.
    pub names: Vec<String>,
    /// The services that must be restarted for it.
    pub services: Vec<String>,
    /// What a person should know; without values.
    pub warnings: Vec<String>,
}

/// What is to be done with a setting.
#[derive(Clone)]
pub enum Edit {
    /// It gets a value.
    Set(String, String),
    /// It is removed from the file.
    Unset(String),
}

impl std::fmt::Debug for Edit {
    /// Without the value.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Set(name, _) => f.debug_tuple("Set").field(name).finish_non_exhaustive(),
            Self::Unset(name) => f.debug_tuple("Unset").field(name).finish(),
        }
    }
}

/// Changes some settings at once.
///
/// # Errors
/// If the settings would be worse than before, or the file cannot be written; then nothing has changed.
pub fn change(
    config: &SettingsConfig,
    environment: &[(String, String)],
    edits: &[Edit],
    patience: Duration,
) -> Result<Changed, ChangeError> {
    // Before anything is locked.
    for edit in edits {
        let (Edit::Set(name, _) | Edit::Unset(name)) = edit;
        if config.named(name).is_none() {
            return Err(unknown(config, name));
        }
    }
    rewrite(config, environment, patience, |file| {
        for edit in edits {
            edit_one(config, file, edit)?;
        }
        Ok(())
    })
}

/// A change that has been thought out and judged, and is not written.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What the file holds now.
    pub read: Option<EnvFile>,
    /// What it would hold.
    pub file: EnvFile,
    /// What that changes.
    pub changed: Changed,
}

impl Draft {
    /// Whether there is anything to write.
    #[must_use]
    pub fn is_new(&self) -> bool {
        match &self.read {
            Some(read) => *read != self.file,
            None => !self.changed.names.is_empty(),
        }
    }
}

/// Thinks a change out: what the file would hold, and all that would be wrong with it. Asks commands that judge values.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn draft(
    config: &SettingsConfig,
    environment: &[(String, String)],
    edits: &[Edit],
    read: Option<EnvFile>,
) -> Result<Draft, Vec<ChangeError>> {
    if config.file.is_none() {
        return Err(vec![ChangeError::NoFile]);
    }
    let mut wrong = Vec::new();
    let mut file = read.clone().unwrap_or_else(beginning);
    for edit in edits {
        let (Edit::Set(name, _) | Edit::Unset(name)) = edit;
        if config.named(name).is_none() {
            wrong.push(unknown(config, name));
        } else if let Err(error) = edit_one(config, &mut file, edit) {
            wrong.push(error);
        }
    }
    match judged(config, environment, read.as_ref(), &file) {
        Ok(changed) if wrong.is_empty() => Ok(Draft {
            read,
            file,
            changed,
        }),
        Ok(_) => Err(wrong),
        Err(problems) => {
            wrong.push(ChangeError::Invalid(problems));
            Err(wrong)
        }
    }
}

/// Puts a previous version in the place of the file.
///
/// # Errors
/// If the settings would be worse than now, or the file cannot be written; then nothing has changed.
pub fn restore(
    config: &SettingsConfig,
    environment: &[(String, String)],
    version: &EnvFile,
    patience: Duration,
) -> Result<Changed, ChangeError> {
    rewrite(config, environment, patience, |file| {
        *file = version.clone();
        Ok(())
    })
}

fn edit_one(config: &SettingsConfig, file: &mut EnvFile, edit: &Edit) -> Result<(), ChangeError> {
    let (Edit::Set(name, _) | Edit::Unset(name)) = edit;
    let Some(setting) = config.named(name) else {
        return Ok(());
    };
    // Under its own name from now on: a value that does not count any more should not stay in the file.
    for former in &setting.former_names {
        file.unset(former);
    }
    match edit {
        Edit::Set(_, value) => file
            .set(&setting.name, value)
            .map_err(|kind| ChangeError::Unwritable(setting.name.clone(), kind)),
        Edit::Unset(_) => {
            file.unset(&setting.name);
            Ok(())
        }
    }
}

fn rewrite(
    config: &SettingsConfig,
    environment: &[(String, String)],
    patience: Duration,
    edit: impl FnOnce(&mut EnvFile) -> Result<(), ChangeError>,
) -> Result<Changed, ChangeError> {
    let path = config.file.as_ref().ok_or(ChangeError::NoFile)?;
    let store = Store::new(path, config.history);
    let locked = store.lock(patience)?;
    let read = locked.read()?;
    let mut file = read.clone().unwrap_or_else(beginning);
    edit(&mut file)?;
    let mut changed =
        judged(config, environment, read.as_ref(), &file).map_err(ChangeError::Invalid)?;
    changed.warnings.splice(0..0, locked.warning());
    if read.as_ref() != Some(&file) {
        locked.write(read.as_ref(), &file)?;
    }
    Ok(changed)
}

/// What a new text of the file changes.
fn judged(
    config: &SettingsConfig,
    environment: &[(String, String)],
    read: Option<&EnvFile>,
    file: &EnvFile,
) -> Result<Changed, Vec<Invalid>> {
    let before = resolve(config, read, environment);
    let after = resolve(config, Some(file), environment);
    let names = changed_names(&before, &after);
    let problems = new_problems(&before, &after, &names);
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut changed = Changed {
        services: services(&after, &names),
        warnings: Vec::new(),
        names,
    };
    for name in &changed.names {
        let is_beaten = after
            .named(name)
            .and_then(|effective| effective.found())
            .is_some_and(|found| found.layer == Layer::Environment);
        if is_beaten {
            changed.warnings.push(format!(
                "{name} is set by the environment, which beats the settings file: it stays as it is until that is removed"
            ));
        }
    }
    Ok(changed)
}

/// The settings that the file gives another value, or none any more.
fn changed_names(before: &Resolved<'_>, after: &Resolved<'_>) -> Vec<String> {
    let in_file = |resolved: &Resolved<'_>, name: &str| {
        let effective = resolved.named(name)?;
        let mut layers = effective.layers.iter();
        layers
            .find(|found| matches!(found.layer, Layer::File { .. }))
            .map(|found| found.value.clone())
    };
    after
        .settings
        .iter()
        .map(|effective| effective.setting.name.as_str())
        .filter(|name| in_file(before, name) != in_file(after, name))
        .map(str::to_owned)
        .collect()
}

/// What is wrong with the new settings that was not wrong with the old ones, so that one mistake can be mended while
/// there are others.
fn new_problems(before: &Resolved<'_>, after: &Resolved<'_>, names: &[String]) -> Vec<Invalid> {
    let old = judge(before);
    let is_old = |problem: &Invalid| {
        !names.contains(&problem.name)
            && old
                .iter()
                .any(|known| known.name == problem.name && known.message == problem.message)
    };
    let mut problems = judge(after);
    // A value in the file that the environment beats must be good, too.
    for effective in &after.settings {
        if let Some(beaten) = effective.layers.get(1)
            && matches!(beaten.layer, Layer::File { .. })
            && let Err(message) = effective.setting.check_value(&beaten.value)
        {
            problems.push(Invalid {
                name: effective.setting.name.clone(),
                layer: Some(beaten.layer),
                message,
            });
        }
    }
    problems.retain(|problem| !is_old(problem));
    if problems.is_empty() {
        let asked = after
            .settings
            .iter()
            .filter(|effective| names.contains(&effective.setting.name));
        problems.extend(asked.filter_map(|effective| ask_command(effective, after)));
    }
    for problem in &mut problems {
        // What somebody wants to write has no line yet.
        if names.contains(&problem.name) && matches!(problem.layer, Some(Layer::File { .. })) {
            problem.layer = None;
        }
    }
    problems
}

fn services(after: &Resolved<'_>, names: &[String]) -> Vec<String> {
    let mut services: Vec<String> = after
        .settings
        .iter()
        .filter(|effective| names.contains(&effective.setting.name))
        .flat_map(|effective| effective.setting.services.iter().cloned())
        .collect();
    services.sort();
    services.dedup();
    services
}

fn unknown(config: &SettingsConfig, name: &str) -> ChangeError {
    ChangeError::Unknown(name.to_owned(), closest(config, name))
}

/// The setting that was meant by a name that is none.
fn closest(config: &SettingsConfig, name: &str) -> Option<String> {
    linchpin_config::closest(
        name,
        config.declared.iter().map(|setting| setting.name.as_str()),
    )
    .map(str::to_owned)
}

//! Judging all settings at once. What is said never contains a value.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::os::fd::OwnedFd;

use linchpin_config::{SettingConfig, Validation};
use linchpin_sys::reap::ExitStatus;
use rustix::fs::{MemfdFlags, memfd_create};

use super::layers::{Effective, Layer, Resolved};
use super::show::without_values;
use crate::asking::{self, Hears, Question, environment_with, last_line};

/// What is wrong with a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The setting.
    pub name: String,
    /// Where its value comes from; none if there is none, or if somebody only wants to write it.
    pub layer: Option<Layer>,
    /// What is wrong, behind the name.
    pub message: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match self.layer {
            Some(Layer::File { line }) => write!(f, " (settings file, line {line})")?,
            Some(Layer::Environment) => f.write_str(" (environment)")?,
            Some(Layer::Default) | None => {}
        }
        write!(f, " {}", self.message)
    }
}

/// What is wrong with the values of settings, apart from what only their commands can tell.
#[must_use]
pub fn judge(resolved: &Resolved<'_>) -> Vec<Invalid> {
    resolved.settings.iter().filter_map(judge_one).collect()
}

fn judge_one(effective: &Effective<'_>) -> Option<Invalid> {
    let found = effective.found();
    let value = found.map_or("", |found| found.value.as_str());
    let message = match effective.setting.check_value(value) {
        Ok(()) if value.is_empty() && effective.setting.is_required => {
            let remedy = if effective.setting.is_secret {
                format!("linchpin settings set {} -", effective.setting.name)
            } else {
                format!("linchpin settings set {} VALUE", effective.setting.name)
            };
            match found.map(|found| found.layer) {
                Some(Layer::Environment) => {
                    "is required, and the environment sets it to nothing: give it a value there, or remove it there"
                        .to_owned()
                }
                _ => format!("is required and has no value: {remedy}"),
            }
        }
        Ok(()) => return None,
        Err(message) => message,
    };
    Some(Invalid {
        name: effective.setting.name.clone(),
        layer: found.map(|found| found.layer),
        message,
    })
}

/// Asks the command of a setting about its new value in the file; none if it has no command or no value, or the value
/// is good.
pub(super) fn ask_command(effective: &Effective<'_>, all: &Resolved<'_>) -> Option<Invalid> {
    let validation = effective.setting.validation.as_ref()?;
    let mut layers = effective.layers.iter();
    let found = layers.find(|found| matches!(found.layer, Layer::File { .. }))?;
    if found.value.is_empty() {
        return None;
    }
    let secrets = all.settings.iter().filter(|other| other.setting.is_secret);
    let secrets = secrets.flat_map(|other| &other.layers);
    let values: Vec<&str> = secrets
        .map(|found| found.value.as_str())
        // Shorter ones are everywhere, and no secrets.
        .filter(|value| value.len() >= 4)
        .chain([found.value.as_str()])
        .collect();
    let said = run(effective.setting, validation, &found.value, all);
    let message = match said {
        Ok(()) => return None,
        Err(Answer::Cannot(message)) => message,
        Err(Answer::Refused(line)) => {
            let line = without_values(&line, &values);
            format!("is refused by `{}`: {line}", validation.command)
        }
    };
    Some(Invalid {
        name: effective.setting.name.clone(),
        layer: Some(found.layer),
        message,
    })
}

/// Why a value is not accepted.
enum Answer {
    /// The command could not say.
    Cannot(String),
    /// In the words of the command.
    Refused(String),
}

/// Most bytes that a command may say.
const MOST_OUTPUT: usize = 64 * 1024;

fn run(
    setting: &SettingConfig,
    validation: &Validation,
    value: &str,
    all: &Resolved<'_>,
) -> Result<(), Answer> {
    let cannot = |error: &dyn fmt::Display| {
        let command = &validation.command;
        Answer::Cannot(format!("cannot be judged by `{command}`: {error}"))
    };
    let words = asking::words(&validation.command).map_err(|error| cannot(&error))?;
    let question = Question {
        words,
        environment: environment(setting, value, all),
        standard_input: Some(holding(value).map_err(|error| cannot(&error))?),
        hears: Hears::StandardError,
        time_limit: validation.timeout,
        most_output: MOST_OUTPUT,
    };
    let helped = question.ask().map_err(|why| {
        let command = &validation.command;
        Answer::Cannot(format!("cannot be judged: `{command}` {why}"))
    })?;
    let said = String::from_utf8_lossy(&helped.output);
    let last = last_line(&said);
    Err(match (helped.status, last) {
        (ExitStatus::Exited(0), _) => return Ok(()),
        (_, Some(line)) => Answer::Refused(line.to_owned()),
        (ExitStatus::Exited(code), None) => Answer::Refused(format!("exit status {code}")),
        (ExitStatus::Signaled { signal, .. }, None) => Answer::Cannot(format!(
            "cannot be judged: `{}` was ended by signal {signal}",
            validation.command
        )),
    })
}

/// That of this process, with the settings as they are to be.
fn environment(
    setting: &SettingConfig,
    value: &str,
    all: &Resolved<'_>,
) -> Vec<(OsString, OsString)> {
    let mut variables = environment_with(all.variables());
    variables.insert("LINCHPIN_SETTING".into(), setting.name.clone().into());
    variables.insert(setting.name.clone().into(), value.into());
    variables.into_iter().collect()
}

/// A descriptor that a value can be read from, in memory, so that nobody has to write it while the command runs.
fn holding(value: &str) -> io::Result<OwnedFd> {
    let memory = memfd_create("setting", MemfdFlags::CLOEXEC)?;
    let mut file = File::from(memory);
    file.write_all(value.as_bytes())?;
    file.rewind()?;
    Ok(file.into())
}

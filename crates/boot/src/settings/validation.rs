//! Judging all settings at once. What is said never contains a value.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use linchpin_config::{SettingConfig, Validation};
use rustix::process::{Pid, Signal, kill_process_group};

use super::layers::{Effective, Layer, Resolved};
use super::show::without_values;

/// What is wrong with a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The setting.
    pub name: String,
    /// Where its value comes from; none if there is none.
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

/// Most bytes of what a command says that are looked at.
const MOST_OUTPUT: u64 = 64 * 1024;

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
    let words =
        linchpin_python::shlex::split(&validation.command).map_err(|error| cannot(&error))?;
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| cannot(&"there is no command"))?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("LINCHPIN_SETTING", &setting.name)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // So that nothing of it is left when its time is over.
        .process_group(0);
    for (name, value) in all.variables() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env(&setting.name, value);
    let child = command.spawn().map_err(|error| cannot(&error))?;
    finish(child, value, validation)
}

/// Gives a command its value, and waits until it ends or its time is over.
fn finish(mut child: Child, value: &str, validation: &Validation) -> Result<(), Answer> {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let mut input = child.stdin.take();
    let value = value.to_owned();
    // Whoever does not read it does not need it.
    std::thread::spawn(move || {
        let _ = input
            .as_mut()
            .map(|input| input.write_all(value.as_bytes()));
    });
    let output = child.stderr.take();
    let (sender, ended) = mpsc::channel();
    std::thread::spawn(move || {
        let said = output.map_or_else(String::new, |output| {
            let mut said = Vec::new();
            let _ = output.take(MOST_OUTPUT).read_to_end(&mut said);
            String::from_utf8_lossy(&said).into_owned()
        });
        let _ = sender.send((child.wait(), said));
    });
    let ended = ended.recv_timeout(validation.timeout).ok();
    // The command itself, if its time is over, and whatever it has left behind.
    if let (Some(group), true) = (group, ended.is_none()) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let Some((status, said)) = ended else {
        return Err(Answer::Cannot(format!(
            "cannot be judged: `{}` took longer than {}",
            validation.command,
            seconds(validation.timeout)
        )));
    };
    let status = status.map_err(|error: io::Error| Answer::Cannot(error.to_string()))?;
    if status.success() {
        return Ok(());
    }
    let last = said
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty());
    Err(match (last, status.code(), status.signal()) {
        (Some(line), ..) => Answer::Refused(line.to_owned()),
        (None, Some(code), _) => Answer::Refused(format!("exit status {code}")),
        (None, None, signal) => Answer::Cannot(format!(
            "cannot be judged: `{}` was ended by signal {}",
            validation.command,
            signal.unwrap_or_default()
        )),
    })
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

//! Asks the command of a template what it thinks of the new file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use linchpin_config::TemplateConfig;
use linchpin_sys::command_path::{SearchPath, find};
use linchpin_sys::helper::{HelperError, HelperOutput, run_helper};
use linchpin_sys::reap::ExitStatus;
use linchpin_sys::spawn::{Command, Stderr};

use super::scope::Scope;

/// Stands in a command for the file.
const PLACE: &str = "{file}";

/// Most bytes that a command may write.
const MOST_OUTPUT: usize = 4 << 20;

/// Most lines of it that are shown, the last ones, and most characters of each.
const MOST_LINES: usize = 30;
const LONGEST_LINE: usize = 500;

/// What a command says.
#[derive(Debug)]
pub(super) struct Verdict {
    /// Why the file is not good; none if it is.
    pub(super) refusal: Option<String>,
    /// What it wrote, without secrets.
    pub(super) said: Vec<String>,
}

/// Asks. `file` is the new file, or the folder with them.
pub(super) fn ask(
    command_line: &str,
    file: &Path,
    config: &TemplateConfig,
    scope: &Scope,
) -> Verdict {
    let refused = |why: String| Verdict {
        refusal: Some(why),
        said: Vec::new(),
    };
    let words = match linchpin_python::shlex::split(command_line) {
        Ok(words) => words,
        Err(error) => return refused(format!("`{command_line}` cannot be run: {error}")),
    };
    let file = file.to_string_lossy();
    let words: Vec<String> = words
        .iter()
        .map(|word| word.replace(PLACE, &file))
        .collect();
    let Some(program) = words.first() else {
        return refused("there is no command to ask".to_owned());
    };
    let path = std::env::var("PATH").ok();
    let search = SearchPath {
        of_daemon: path.as_deref(),
        ..SearchPath::default()
    };
    let found = match find(program, search) {
        Ok(found) => found,
        Err(error) => return refused(format!("`{command_line}` cannot be run: {error}")),
    };
    let mut command = Command::new(found, words.into_iter().map(OsString::from).collect());
    command.environment = environment(scope);
    command.stderr = Stderr::SameAsStdout;
    command.ignores_sigpipe_and_sigxfsz = false;
    // In a daemon another thread reaps every child; this is how one's own is not lost to it.
    match run_helper(command, config.validate_timeout, MOST_OUTPUT) {
        Ok(output) => Verdict {
            said: lines_of(&scope.without_secrets(&String::from_utf8_lossy(&output.output))),
            refusal: refusal(&output, command_line),
        },
        Err(error) => refused(failure(&error, command_line, config.validate_timeout)),
    }
}

/// That of this process, with the settings as they are now.
fn environment(scope: &Scope) -> Vec<(OsString, OsString)> {
    let mut variables: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
    for (name, value) in scope.settings() {
        match value {
            Some(value) => variables.insert(name.into(), value.into()),
            None => variables.remove(&OsString::from(name)),
        };
    }
    variables.into_iter().collect()
}

fn refusal(output: &HelperOutput, command_line: &str) -> Option<String> {
    match output.status {
        ExitStatus::Exited(0) => None,
        ExitStatus::Exited(code) => Some(format!(
            "`{command_line}` refuses it with exit status {code}"
        )),
        ExitStatus::Signaled { signal, .. } => {
            Some(format!("`{command_line}` was ended by signal {signal}"))
        }
    }
}

fn failure(error: &HelperError, command_line: &str, time: Duration) -> String {
    match error {
        HelperError::TooSlow(_) => {
            let seconds = time.as_secs_f64();
            format!("`{command_line}` took longer than {seconds} s, or left something running")
        }
        HelperError::TooMuch(_) => {
            let megabytes = MOST_OUTPUT >> 20;
            format!("`{command_line}` wrote more than {megabytes} MiB")
        }
        HelperError::Exec(failed) => format!("`{command_line}` cannot be run: {failed}"),
        HelperError::Prepare(failed) => format!("`{command_line}` cannot be run: {failed}"),
        HelperError::Spawn(failed) => format!("`{command_line}` cannot be run: {failed}"),
        HelperError::Output(failed) => format!("`{command_line}` cannot be read: {failed}"),
    }
}

/// The last lines, without what a terminal would act upon.
fn lines_of(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(MOST_LINES)..]
        .iter()
        .map(|line| {
            line.chars()
                .take(LONGEST_LINE)
                .map(|character| {
                    if character.is_control() {
                        ' '
                    } else {
                        character
                    }
                })
                .collect::<String>()
                .trim_end()
                .to_owned()
        })
        .collect()
}

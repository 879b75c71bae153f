//! Asks commands of the configuration: whether a value, a file or the machine is as it must be.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::time::Duration;

use linchpin_sys::command_path::{SearchPath, find};
use linchpin_sys::helper::{HelperError, HelperOutput, run_helper, run_helper_for_stderr};
use linchpin_sys::reap::ExitStatus;
use linchpin_sys::spawn::{Command, Stderr, Stream};

/// What of a command is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hears {
    /// Both streams.
    Both,
    /// Standard error alone; standard output is the daemon's.
    StandardError,
}

/// A command and what it is given.
#[derive(Debug)]
pub(crate) struct Question {
    /// The program and its arguments.
    pub(crate) words: Vec<String>,
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// What it can read; nothing, if there is none.
    pub(crate) standard_input: Option<OwnedFd>,
    pub(crate) hears: Hears,
    /// After that it is killed.
    pub(crate) time_limit: Duration,
    /// Most bytes that it may write.
    pub(crate) most_output: usize,
}

/// The words of a command line.
///
/// # Errors
/// If it cannot be split, in words for people.
pub(crate) fn words(command_line: &str) -> Result<Vec<String>, String> {
    linchpin_python::shlex::split(command_line).map_err(|error| error.to_string())
}

/// The environment of this process, with what services would get besides.
pub(crate) fn environment_with<'a>(
    variables: impl Iterator<Item = (&'a str, Option<&'a str>)>,
) -> BTreeMap<OsString, OsString> {
    let mut environment: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
    for (name, value) in variables {
        match value {
            Some(value) => environment.insert(name.into(), value.into()),
            None => environment.remove(OsStr::new(name)),
        };
    }
    environment
}

impl Question {
    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// Why there is none, as the end of a sentence about the command.
    pub(crate) fn ask(self) -> Result<HelperOutput, String> {
        let cannot = |error: &dyn std::fmt::Display| format!("cannot be run: {error}");
        let program = self
            .words
            .first()
            .ok_or_else(|| "cannot be run: there is no command".to_owned())?;
        let path = std::env::var("PATH").ok();
        let search = SearchPath {
            of_daemon: path.as_deref(),
            ..SearchPath::default()
        };
        let found = find(program, search).map_err(|error| cannot(&error))?;
        let words = self.words.into_iter().map(OsString::from).collect();
        let mut command = Command::new(found, words);
        command.environment = self.environment;
        if let Some(descriptor) = self.standard_input {
            command.stdin = Stream::Descriptor(descriptor);
        }
        command.ignores_sigpipe_and_sigxfsz = false;
        // In a daemon another thread reaps every child; helpers are how one's own is not lost to it.
        let helped = match self.hears {
            Hears::Both => {
                command.stderr = Stderr::SameAsStdout;
                run_helper(command, self.time_limit, self.most_output)
            }
            Hears::StandardError => {
                run_helper_for_stderr(command, self.time_limit, self.most_output)
            }
        };
        helped.map_err(|error| match error {
            HelperError::TooSlow(_) => format!(
                "took longer than {} s, or left something running",
                self.time_limit.as_secs_f64()
            ),
            HelperError::TooMuch(most) => format!("wrote more than {} KiB", most >> 10),
            HelperError::Exec(error) => cannot(&error),
            HelperError::Prepare(error) => cannot(&error),
            HelperError::Spawn(error) => cannot(&error),
            HelperError::Output(error) => format!("cannot be read: {error}"),
        })
    }
}

/// The last line with text, without blanks around it.
pub(crate) fn last_line(text: &str) -> Option<&str> {
    let mut lines = text.lines().rev().map(str::trim);
    lines.find(|line| !line.is_empty())
}

/// A line of somebody else's for people: no longer than so many characters, without what a terminal would act upon.
pub(crate) fn shown(line: &str, most: usize) -> String {
    let characters = line.chars().take(most);
    let shown: String = characters
        .map(|it| if it.is_control() { ' ' } else { it })
        .collect();
    shown.trim_end().to_owned()
}

/// Why an answer is a refusal; none if it is not.
pub(crate) fn refusal(output: &HelperOutput, command_line: &str) -> Option<String> {
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

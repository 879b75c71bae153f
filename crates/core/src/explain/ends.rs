//! Ends of processes in words that help somebody who did not write the program.

use linchpin_python::shlex;
use linchpin_python::signals::signal_name;

use crate::stop::SIGKILL;
use crate::{ExitStatus, HowItEnded, SpawnFailure, SpawnFailureKind};

/// Programs that run another one and say 126 and 127 in its name.
const SHELLS: [&str; 8] = ["sh", "bash", "dash", "ash", "ksh", "zsh", "busybox", "env"];

/// Words of a shell line in front of the command that it runs in its place.
const PREFIXES: [&str; 2] = ["exec", "command"];

/// How a start ended, without when: "exit 127: command not found: node".
pub(crate) fn end_in_words(how: &HowItEnded, command: &str) -> String {
    match how {
        HowItEnded::NotStarted(failure) => failure_in_words(failure, command),
        HowItEnded::Ended {
            exec_failure: Some(step),
            ..
        } => format!("it could not become its program: {step}"),
        HowItEnded::Ended {
            status: ExitStatus::Signal { signal, .. },
            was_told: true,
            ..
        } => format!("ended by {}", signal_name(*signal)),
        HowItEnded::Ended {
            status,
            out_of_memory,
            ..
        } => status_in_words(*status, *out_of_memory, command),
    }
}

/// The first word of a command line, or all of it where it has none.
pub(crate) fn program_of(command: &str) -> String {
    shlex::split(command)
        .ok()
        .and_then(|words| words.into_iter().next())
        .unwrap_or_else(|| command.to_owned())
}

/// Why there was no process.
fn failure_in_words(failure: &SpawnFailure, command: &str) -> String {
    match failure.kind {
        SpawnFailureKind::NoFile => format!("command not found: {}", program_of(command)),
        SpawnFailureKind::NotExecutable | SpawnFailureKind::Socket | SpawnFailureKind::Other => {
            failure.text.clone()
        }
    }
}

/// An exit status: its number, what it usually means, and what was not found or not executable.
fn status_in_words(status: ExitStatus, out_of_memory: bool, command: &str) -> String {
    let words = status.in_words(out_of_memory);
    match status {
        ExitStatus::Code(126 | 127) => match run_by_shell(command) {
            Some(program) => format!("{words}: {program}"),
            None => words,
        },
        ExitStatus::Signal {
            signal: SIGKILL, ..
        } if !out_of_memory => {
            format!("{words}: somebody killed it, or the kernel did for lack of memory")
        }
        ExitStatus::Code(_) | ExitStatus::Signal { .. } => words,
    }
}

/// The command that a shell was to run in its own place, where the line is so simple that there is no doubt.
fn run_by_shell(command: &str) -> Option<String> {
    let words = shlex::split(command).ok()?;
    let (shell, arguments) = words.split_first()?;
    let name = shell.rsplit('/').next()?;
    if !SHELLS.contains(&name) {
        return None;
    }
    let line = if name == "env" {
        arguments.to_vec()
    } else {
        let at = arguments.iter().position(|word| {
            word.starts_with('-') && !word.starts_with("--") && word.ends_with('c')
        })?;
        let line = arguments.get(at + 1)?;
        if line.contains([';', '&', '|', '\n', '`', '$', '(']) {
            return None;
        }
        shlex::split(line).ok()?
    };
    line.into_iter().find(|word| {
        !PREFIXES.contains(&word.as_str()) && !word.contains('=') && !word.starts_with('-')
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_a_shell_did_not_find_is_named_where_there_is_no_doubt() {
        for (command, program) in [
            ("sh -c 'node server.js'", Some("node")),
            ("/bin/bash -lc 'exec node server.js'", Some("node")),
            ("sh -c 'PORT=1 node server.js'", Some("node")),
            ("/usr/bin/env -i A=b node server.js", Some("node")),
            ("sh -c 'prepare; node server.js'", None),
            ("sh -c '$NODE server.js'", None),
            ("sh /run.sh", None),
            ("/opt/run -c 'node server.js'", None),
        ] {
            let expected = match program {
                Some(program) => format!("exit 127: command not found: {program}"),
                None => "exit 127: command not found".to_owned(),
            };
            let words = status_in_words(ExitStatus::Code(127), false, command);
            assert_eq!(words, expected, "{command}");
        }
    }

    #[test]
    fn starts_that_came_to_nothing_say_why() {
        let failed = |kind, text: &str| {
            HowItEnded::NotStarted(SpawnFailure {
                kind,
                text: text.to_owned(),
            })
        };
        let how = failed(SpawnFailureKind::NoFile, "can't find command 'node'");
        assert_eq!(
            end_in_words(&how, "node server.js"),
            "command not found: node"
        );
        let text = "command at '/x' is not executable";
        let how = failed(SpawnFailureKind::NotExecutable, text);
        assert_eq!(end_in_words(&how, "/x"), text);
        let how = HowItEnded::Ended {
            pid: 7,
            status: ExitStatus::Code(127),
            up: Duration::ZERO,
            was_told: false,
            was_killed: false,
            out_of_memory: false,
            exec_failure: Some("couldn't chdir to /nowhere: ENOENT".to_owned()),
        };
        assert_eq!(
            end_in_words(&how, "/x"),
            "it could not become its program: couldn't chdir to /nowhere: ENOENT"
        );
    }
}

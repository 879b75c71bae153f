//! `[preflight:x]`: whether the machine and the data are as they must be, before anything is made or started.
//!
//! Nothing is changed here, whatever is found: what is wrong is told, with what a person can do about it.

mod machine;
mod paths;
#[cfg(test)]
mod tests;

use linchpin_config::PreflightConfig;
use linchpin_sys::reap::ExitStatus;

use crate::asking::{self, Hears, Question, environment_with, last_line, refusal, shown};
use crate::templates::Scope;

/// Most bytes that a command may write.
const MOST_OUTPUT: usize = 64 << 10;

/// Most characters of its last line that are told.
const LONGEST_LINE: usize = 500;

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is as it must be.
    Good(String),
    /// It is not.
    Bad {
        /// What is wrong.
        problem: String,
        /// What a person can do, where the section does not say it.
        remedy: Option<String>,
    },
}

impl Found {
    fn bad(problem: String) -> Self {
        Self::Bad {
            problem,
            remedy: None,
        }
    }
}

/// Looks at everything that a section names. Waits for its command.
#[must_use]
pub fn look(config: &PreflightConfig, scope: &Scope) -> Vec<Found> {
    let mut found = Vec::new();
    if !config.processor.is_empty() {
        found.push(machine::processor(&config.processor));
    }
    if !config.page_sizes.is_empty() {
        found.push(machine::page_size(&config.page_sizes));
    }
    let space = config.free_space.iter();
    found.extend(space.map(|(path, wanted)| paths::free_space(path, *wanted)));
    found.extend(config.writable.iter().map(|path| paths::writable(path)));
    let owned = config.owned_by.iter();
    found.extend(owned.map(|(path, owner)| paths::owned_by(path, *owner)));
    let versions = config.data_versions.iter();
    found.extend(versions.map(|(path, good)| paths::data_version(path, good)));
    if let Some(command) = &config.command {
        found.push(ask(command, config, scope));
    }
    found
}

fn ask(command: &str, config: &PreflightConfig, scope: &Scope) -> Found {
    let words = match asking::words(command) {
        Ok(words) => words,
        Err(error) => return Found::bad(format!("`{command}` cannot be run: {error}")),
    };
    let question = Question {
        words,
        environment: environment_with(scope.variables()).into_iter().collect(),
        standard_input: None,
        hears: Hears::Both,
        time_limit: config.timeout,
        most_output: MOST_OUTPUT,
    };
    let output = match question.ask() {
        Ok(output) => output,
        Err(why) => return Found::bad(format!("`{command}` {why}")),
    };
    let said = scope.without_secrets(&String::from_utf8_lossy(&output.output));
    let said = last_line(&said).map(|line| shown(line, LONGEST_LINE));
    match (refusal(&output, command), said) {
        (None, said) => {
            let said = said.map(|line| format!(": {line}")).unwrap_or_default();
            Found::Good(format!("`{command}` accepts it{said}"))
        }
        (Some(_), Some(line)) if matches!(output.status, ExitStatus::Exited(_)) => {
            Found::bad(format!("`{command}` refuses it: {line}"))
        }
        (Some(why), _) => Found::bad(why),
    }
}

//! Asks the command of a template what it thinks of the new file.

use std::path::Path;

use linchpin_config::TemplateConfig;

use super::scope::Scope;
use crate::asking::{self, Hears, Question, environment_with, refusal, shown};

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
    let refused = |why: &str| Verdict {
        refusal: Some(format!("`{command_line}` {why}")),
        said: Vec::new(),
    };
    let words = match asking::words(command_line) {
        Ok(words) => words,
        Err(error) => return refused(&format!("cannot be run: {error}")),
    };
    let file = file.to_string_lossy();
    let words = words.iter().map(|word| word.replace(PLACE, &file));
    let question = Question {
        words: words.collect(),
        environment: environment_with(scope.variables()).into_iter().collect(),
        standard_input: None,
        hears: Hears::Both,
        time_limit: config.validate_timeout,
        most_output: MOST_OUTPUT,
    };
    match question.ask() {
        Ok(output) => Verdict {
            said: lines_of(&scope.without_secrets(&String::from_utf8_lossy(&output.output))),
            refusal: refusal(&output, command_line),
        },
        Err(why) => refused(&why),
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
        .map(|line| shown(line, LONGEST_LINE))
        .collect()
}

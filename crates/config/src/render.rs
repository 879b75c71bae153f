//! Diagnostics as text for a terminal: the line, the underlined piece, and the remedy.

use std::fmt::Write as _;

use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::load::LoadFailure;
use crate::usage::usage_error;

/// Longest piece of a source line that is printed.
const MOST_LINE_CHARACTERS: usize = 120;

/// One diagnostic, with a line end.
#[must_use]
pub fn render(diagnostic: &Diagnostic) -> String {
    let word = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut text = format!("{word}: {}\n", printable(&diagnostic.message));
    let mut margin = 2;
    if let Some(place) = &diagnostic.place {
        margin = place.line.to_string().len() + 1;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:margin$}--> {}:{}:{}",
            "", place.file, place.line, place.column
        );
        let (line, start) = window(place);
        let width = place
            .width
            .min(line.chars().count().saturating_sub(start))
            .max(1);
        let _ = writeln!(text, "{:margin$}|", "");
        let _ = writeln!(text, "{} | {line}", place.line);
        let _ = writeln!(text, "{:margin$}| {:start$}{:^<width$}", "", "", "");
    }
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(text, "{:margin$}= help: {}", "", printable(help));
    }
    text
}

/// Several diagnostics with empty lines between them.
#[must_use]
pub fn render_all<'a>(diagnostics: impl IntoIterator<Item = &'a Diagnostic>) -> String {
    let rendered: Vec<String> = diagnostics.into_iter().map(render).collect();
    rendered.join("\n")
}

/// What a program that cannot load its configuration prints on standard error: Supervisor's two lines,
/// then every problem with its place and remedy.
#[must_use]
pub fn render_failure(program: &str, failure: &LoadFailure) -> String {
    let first = usage_error(program, failure.original_text());
    // Without a place, Supervisor's line has already said it all.
    let explained = failure
        .problems
        .iter()
        .filter(|problem| problem.place.is_some() || problem.help.is_some());
    let explanation = render_all(explained);
    if explanation.is_empty() {
        first
    } else {
        format!("{first}\n{explanation}")
    }
}

/// The part of the line that is shown, and where the place begins in it.
fn window(place: &Place) -> (String, usize) {
    let line = printable(&place.source);
    let start = place.column - 1;
    if line.chars().count() <= MOST_LINE_CHARACTERS {
        return (line, start);
    }
    let from = start.saturating_sub(MOST_LINE_CHARACTERS / 4);
    let lead = if from > 0 { "…" } else { "" };
    let shown: String = line.chars().skip(from).take(MOST_LINE_CHARACTERS).collect();
    let is_cut = line.chars().count() > from + MOST_LINE_CHARACTERS;
    let tail = if is_cut { "…" } else { "" };
    (
        format!("{lead}{shown}{tail}"),
        start - from + lead.chars().count(),
    )
}

/// The text with one harmless character for each that a terminal could take for a command.
fn printable(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\t' => ' ',
            '\u{feff}' => '\u{fffd}',
            _ if character.is_control() => '\u{fffd}',
            _ => character,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn at(source: &str, column: usize, width: usize) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            place: Some(Place {
                file: Arc::from("a.conf"),
                line: 12,
                column,
                width,
                source: source.to_owned(),
            }),
            original_text: None,
            message: "`startsecs` cannot be `x`".to_owned(),
            help: Some("write a number".to_owned()),
        }
    }

    #[test]
    fn the_piece_is_underlined() {
        insta::assert_snapshot!(render(&at("startsecs\t= x\u{1b}[31m", 13, 1)), @r"
        error: `startsecs` cannot be `x`
           --> a.conf:12:13
           |
        12 | startsecs = x�[31m
           |             ^
           = help: write a number
        ");
    }

    #[test]
    fn long_lines_are_cut_around_the_piece() {
        let line = format!("command={}BAD{}", "a".repeat(200), "b".repeat(200));
        let text = render(&at(&line, 209, 3));
        let lines: Vec<&str> = text.lines().collect();
        let position = lines[3]
            .find("BAD")
            .map(|at| lines[3][..at].chars().count());
        let mark = lines[4]
            .find("^^^")
            .map(|at| lines[4][..at].chars().count());
        assert_eq!(position, mark);
        assert!(lines[3].chars().count() < 140);
    }
}

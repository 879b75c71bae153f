//! One line, without its end.

use std::ops::Range;

use linchpin_config::{NameProblem, check_name};

use super::problem::ProblemKind;

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// Blank or a comment.
    Nothing,
    /// `NAME=value`.
    Assignment {
        /// Where the name stands.
        name: Range<usize>,
        /// Where the value stands as it is written, without blanks and comment behind it.
        written: Range<usize>,
        /// What it means.
        value: String,
    },
}

/// Why a line is none of those, and whose value it would have been.
pub(super) type Refusal = (Option<Range<usize>>, ProblemKind);

/// Characters that may stand between things.
const BLANKS: [char; 2] = [' ', '\t'];

/// Reads a line.
pub(super) fn read(text: &str) -> Result<Line, Refusal> {
    let start = text.len() - text.trim_start_matches(BLANKS).len();
    let rest = &text[start..];
    let is_comment = rest.starts_with('#');
    if rest.is_empty() || is_comment {
        return match has_control_character(rest) {
            true => Err((None, ProblemKind::ControlCharacter)),
            false => Ok(Line::Nothing),
        };
    }
    let Some(equals) = rest.find('=') else {
        return Err((None, ProblemKind::NoAssignment));
    };
    let name = start..start + equals;
    match check_name(&text[name.clone()]) {
        Ok(()) => {}
        Err(NameProblem::Dangerous) => return Err((Some(name), ProblemKind::ForbiddenName)),
        Err(NameProblem::NotAName) => return Err(no_name(&text[name.clone()], start)),
    }
    let from = name.end + 1;
    let named = |kind| (Some(name.clone()), kind);
    let (end, value) = value(&text[from..]).map_err(named)?;
    let behind = &text[from + end..];
    let comment = behind.trim_start_matches(BLANKS);
    if !comment.is_empty() && (comment.len() == behind.len() || !comment.starts_with('#')) {
        return Err(named(ProblemKind::TextBehindValue));
    }
    if has_control_character(behind) {
        return Err(named(ProblemKind::ControlCharacter));
    }
    Ok(Line::Assignment {
        name,
        written: from..from + end,
        value,
    })
}

/// Says more about what is no name, where people often write it.
fn no_name(text: &str, start: usize) -> Refusal {
    let first = text.trim_end_matches(BLANKS);
    if first.len() < text.len() && check_name(first) != Err(NameProblem::NotAName) {
        let name = start..start + first.len();
        return (Some(name), ProblemKind::BlankBeforeEquals);
    }
    let exported = text
        .strip_prefix("export")
        .filter(|rest| rest.starts_with(BLANKS));
    if let Some(rest) = exported {
        let name = rest.trim_start_matches(BLANKS);
        let from = start + text.len() - name.len();
        let is_name = check_name(name) != Err(NameProblem::NotAName);
        let name = is_name.then(|| from..from + name.len());
        return (name, ProblemKind::Exported);
    }
    (None, ProblemKind::NoName)
}

/// Whether there is one besides a tab.
fn has_control_character(text: &str) -> bool {
    text.contains(|character: char| character.is_control() && character != '\t')
}

/// Reads a value: where it ends, and what it means.
fn value(text: &str) -> Result<(usize, String), ProblemKind> {
    let mut value = String::new();
    let mut characters = text.char_indices().peekable();
    // A shell looks for folders of people at the beginning, and behind each colon that stands outside of quotes.
    let mut may_be_folder = true;
    while let Some((at, character)) = characters.next() {
        match character {
            ' ' | '\t' => return Ok((at, value)),
            '~' if may_be_folder => return Err(ProblemKind::Tilde),
            '`' => return Err(ProblemKind::Backquote),
            '$' => {
                let next = text[at + 1..].chars().next();
                // Outside of quotes a quotation mark would change its meaning.
                if is_expanded(next) || matches!(next, Some('\'' | '"')) {
                    return Err(ProblemKind::Dollar);
                }
                value.push('$');
            }
            '\\' => match characters.next() {
                Some((_, taken)) if taken.is_control() => {
                    return Err(ProblemKind::ControlCharacter);
                }
                Some((_, taken)) => value.push(taken),
                None => return Err(ProblemKind::OpenBackslash),
            },
            '\'' => loop {
                match characters.next() {
                    Some((_, '\'')) => break,
                    Some((_, inside)) if inside.is_control() => {
                        return Err(ProblemKind::ControlCharacter);
                    }
                    Some((_, inside)) => value.push(inside),
                    None => return Err(ProblemKind::OpenQuote),
                }
            },
            '"' => loop {
                match characters.next() {
                    Some((_, '"')) => break,
                    Some((_, '`')) => return Err(ProblemKind::Backquote),
                    Some((at, '$')) => {
                        if is_expanded(text[at + 1..].chars().next()) {
                            return Err(ProblemKind::Dollar);
                        }
                        value.push('$');
                    }
                    Some((_, '\\')) => {
                        let escapes =
                            |next: &(usize, char)| matches!(next.1, '\\' | '"' | '$' | '`');
                        let escaped = characters.next_if(escapes);
                        value.push(escaped.map_or('\\', |(_, escaped)| escaped));
                    }
                    Some((_, inside)) if inside.is_control() => {
                        return Err(ProblemKind::ControlCharacter);
                    }
                    Some((_, inside)) => value.push(inside),
                    None => return Err(ProblemKind::OpenQuote),
                }
            },
            control if control.is_control() => return Err(ProblemKind::ControlCharacter),
            plain => value.push(plain),
        }
        may_be_folder = character == ':';
    }
    Ok((text.len(), value))
}

/// Whether a shell would expand a `$` before this.
fn is_expanded(next: Option<char>) -> bool {
    next.is_some_and(|next| {
        next.is_ascii_alphanumeric()
            || matches!(
                next,
                '_' | '{' | '(' | '[' | '?' | '$' | '!' | '@' | '*' | '#' | '-'
            )
    })
}

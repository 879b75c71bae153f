//! Splitting a command line into words exactly as Python's `shlex.split` does in its POSIX mode.
//!
//! No shell: no variables, no globs, no comments, no operators.

use crate::python_text::repr;

/// Why a text has no words, in Python's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// A quotation that does not end.
    #[error("No closing quotation")]
    OpenQuotation,
    /// A backslash at the very end.
    #[error("No escaped character")]
    OpenEscape,
}

/// Why a `command=` cannot be run, in the original's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// It cannot be split.
    #[error("can't parse command {}: {why}", repr(.command))]
    Unparsable {
        /// The command as written.
        command: String,
        /// What is wrong with it.
        why: SplitError,
    },
    /// It has no words.
    #[error("command is empty")]
    Empty,
}

/// The words of a `command=`: at least one, the first names the program.
///
/// # Errors
/// With the original's text.
pub fn command_words(command: &str) -> Result<Vec<String>, CommandError> {
    let words = split(command).map_err(|why| CommandError::Unparsable {
        command: command.to_owned(),
        why,
    })?;
    if words.is_empty() {
        return Err(CommandError::Empty);
    }
    Ok(words)
}

/// Where the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between words.
    Between,
    /// In a word, outside quotes.
    Word,
    /// Behind this quote.
    Quoted(char),
    /// Behind a backslash, in a word or behind a double quote.
    Escaped { in_double_quotes: bool },
}

/// Splits `text` into words.
///
/// # Errors
/// An open quotation or escape.
pub fn split(text: &str) -> Result<Vec<String>, SplitError> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut state = State::Between;
    for character in text.chars() {
        state = match (state, character) {
            (State::Between, ' ' | '\t' | '\r' | '\n') => State::Between,
            (State::Word, ' ' | '\t' | '\r' | '\n') => {
                words.push(std::mem::take(&mut word));
                State::Between
            }
            (State::Between | State::Word, '\'' | '"') => State::Quoted(character),
            (State::Between | State::Word, '\\') => State::Escaped {
                in_double_quotes: false,
            },
            (State::Between | State::Word, _) => {
                word.push(character);
                State::Word
            }
            (State::Quoted(quote), _) if character == quote => State::Word,
            (State::Quoted('"'), '\\') => State::Escaped {
                in_double_quotes: true,
            },
            (State::Quoted(_), _) => {
                word.push(character);
                state
            }
            (State::Escaped { in_double_quotes }, _) => {
                // Behind a double quote only itself and the backslash can be escaped.
                if in_double_quotes && !matches!(character, '"' | '\\') {
                    word.push('\\');
                }
                word.push(character);
                if in_double_quotes {
                    State::Quoted('"')
                } else {
                    State::Word
                }
            }
        };
    }
    match state {
        State::Between => {}
        State::Word => words.push(word),
        State::Quoted(_) => return Err(SplitError::OpenQuotation),
        State::Escaped { .. } => return Err(SplitError::OpenEscape),
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(split(text).unwrap(), expected, "{text}");
    }

    #[test]
    fn words_are_split_like_python() {
        check("", &[]);
        check("  \t\n ", &[]);
        check("a b\tc\nd\re", &["a", "b", "c", "d", "e"]);
        check("a 'b c' d", &["a", "b c", "d"]);
        check("a\"b c\"d", &["ab cd"]);
        check("'' \"\" a", &["", "", "a"]);
        check("a''", &["a"]);
        check("# not a comment", &["#", "not", "a", "comment"]);
        check("a #b", &["a", "#b"]);
        check(r"a\ b", &["a b"]);
        check(r#""\$ \` \" \\ \n""#, &[r#"\$ \` " \ \n"#]);
        check(r"'\n'", &[r"\n"]);
        check(r"\'a\'", &["'a'"]);
        check("a\\\nb", &["a\nb"]);
        check("\"a\\\nb\"", &["a\\\nb"]);
        check("a\u{a0}b \u{2003}c", &["a\u{a0}b", "\u{2003}c"]);
        check("a;b|c&d>e $(x) `y`", &["a;b|c&d>e", "$(x)", "`y`"]);
        check("grüße '日 本'", &["grüße", "日 本"]);
        check("a\u{c}b\u{b}c", &["a\u{c}b\u{b}c"]);
    }

    #[test]
    fn what_does_not_end_is_an_error() {
        for text in ["'", "a 'b", "\"", "\"a\\\"", "'a\\"] {
            assert_eq!(split(text), Err(SplitError::OpenQuotation), "{text}");
        }
        for text in ["\\", "a b\\", "\"a\\"] {
            assert_eq!(split(text), Err(SplitError::OpenEscape), "{text}");
        }
    }

    #[test]
    fn commands_have_the_originals_messages() {
        let cases = [
            ("", "command is empty"),
            ("   ", "command is empty"),
            (
                "sh -c 'x",
                "can't parse command \"sh -c 'x\": No closing quotation",
            ),
            ("a\\", "can't parse command 'a\\\\': No escaped character"),
        ];
        for (command, message) in cases {
            assert_eq!(command_words(command).unwrap_err().to_string(), message);
        }
    }
}

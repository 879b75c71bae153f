//! Splits a command line into words.

use std::fmt;

/// Why a command line cannot be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommandWordsError {
    /// A quotation mark is not closed.
    OpenQuote,
    /// A backslash is the last character.
    OpenEscape,
}

impl fmt::Display for CommandWordsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenQuote => "No closing quotation",
            Self::OpenEscape => "No escaped character",
        })
    }
}

impl std::error::Error for CommandWordsError {}

/// The words of a command line, by the rules of Python's `shlex.split`: quotes and backslashes as in a
/// POSIX shell, nothing else is special.
///
/// # Errors
/// When a quotation mark or a backslash is left open.
pub(crate) fn command_words(command: &str) -> Result<Vec<String>, CommandWordsError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = command.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\\' => {
                let escaped = characters.next().ok_or(CommandWordsError::OpenEscape)?;
                word.get_or_insert_default().push(escaped);
            }
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next() {
                        None => return Err(CommandWordsError::OpenQuote),
                        Some(inside) if inside == character => break,
                        Some('\\') if character == '"' => {
                            let escaped = characters.next().ok_or(CommandWordsError::OpenEscape)?;
                            if escaped != '"' && escaped != '\\' {
                                word.push('\\');
                            }
                            word.push(escaped);
                        }
                        Some(inside) => word.push(inside),
                    }
                }
            }
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_in_a_shell() {
        for (command, expected) in [
            ("", vec![]),
            ("  ls  -l\n/tmp ", vec!["ls", "-l", "/tmp"]),
            ("a 'b c' \"d e\"f", vec!["a", "b c", "d ef"]),
            ("a \"\" ''", vec!["a", "", ""]),
            ("a\\ b \"\\\"\\x\" '\\'", vec!["a b", "\"\\x", "\\"]),
            ("a;b #c $D *", vec!["a;b", "#c", "$D", "*"]),
        ] {
            assert_eq!(
                command_words(command).as_deref(),
                Ok(&expected
                    .iter()
                    .map(|w| (*w).to_owned())
                    .collect::<Vec<String>>()[..]),
                "{command}"
            );
        }
        assert_eq!(command_words("a 'b"), Err(CommandWordsError::OpenQuote));
        assert_eq!(command_words("a \"b\\"), Err(CommandWordsError::OpenEscape));
        assert_eq!(command_words("a \\"), Err(CommandWordsError::OpenEscape));
    }
}

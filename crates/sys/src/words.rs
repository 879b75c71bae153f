//! The words of a `command=`.
//!
//! No shell: no variables, no globs, no comments, no operators.

use linchpin_python::repr;
use linchpin_python::shlex::{self, ShlexError};

/// Why a `command=` cannot be run, in the original's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// It cannot be split.
    #[error("can't parse command {}: {why}", repr(.command))]
    Unparsable {
        /// The command as written.
        command: String,
        /// What is wrong with it.
        why: ShlexError,
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
    let words = shlex::split(command).map_err(|why| CommandError::Unparsable {
        command: command.to_owned(),
        why,
    })?;
    if words.is_empty() {
        return Err(CommandError::Empty);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

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

//! What is wrong with a line: where, whose, what, and what to do; never a value.

use std::fmt;

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1; 0 is the file as a whole.
    pub line: usize,
    /// Whose assignment it is, if that can be told.
    pub name: Option<String>,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// The file is too long.
    TooLong,
    /// Bytes that are not UTF-8.
    NotText,
    /// A control character.
    ControlCharacter,
    /// Neither blank, nor comment, nor assignment.
    NoAssignment,
    /// `export NAME=value`.
    Exported,
    /// A blank between the name and the `=`.
    BlankBeforeEquals,
    /// What stands before the `=` is no name.
    NoName,
    /// A name that a file must not set.
    ForbiddenName,
    /// Something behind the blank that ended the value.
    TextBehindValue,
    /// A quotation mark that is not closed on its line.
    OpenQuote,
    /// A backslash at the end of the line.
    OpenBackslash,
    /// `$` before something that a shell would expand.
    Dollar,
    /// A backquote.
    Backquote,
    /// `~` at the beginning of a value, or behind a colon.
    Tilde,
}

impl ProblemKind {
    /// What is wrong, and what to do about it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::TooLong => "the file is too long for settings (1 MiB)",
            Self::NotText => "there are bytes that are not UTF-8; save the file as UTF-8",
            Self::ControlCharacter => "there is a control character; remove it",
            Self::NoAssignment => {
                "this is neither a comment nor NAME=value; a value cannot go over several lines"
            }
            Self::Exported => "write NAME=value without `export`",
            Self::BlankBeforeEquals => "remove the blank before the `=`",
            Self::NoName => {
                "what stands before the `=` is no name; names have letters, digits and `_`, and no digit first"
            }
            Self::ForbiddenName => {
                "a settings file must not decide which code runs; set this in the environment of the container"
            }
            Self::TextBehindValue => {
                "the value ends at the blank, and more follows; put the value in single quotes"
            }
            Self::OpenQuote => "a quotation mark is not closed on this line",
            Self::OpenBackslash => {
                "there is nothing behind the backslash; put the value in single quotes"
            }
            Self::Dollar => {
                "a shell would replace what begins with `$`; write what it stands for, or put the value in single quotes"
            }
            Self::Backquote => {
                "a shell would run what is in backquotes; put the value in single quotes"
            }
            Self::Tilde => {
                "a shell would replace `~`; write the folder that it stands for, or put the value in single quotes"
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}", self.line)?;
            if let Some(name) = &self.name {
                write!(f, " ({name})")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(self.kind.words())
    }
}

impl std::error::Error for Problem {}

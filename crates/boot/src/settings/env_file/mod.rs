//! Files of `NAME=value` lines, read as data and never by a shell.
//!
//! The language is what a POSIX shell would read as plain text; whatever a shell would replace by something else is an
//! error with a remedy, so that nothing is understood differently by whoever sources the same file:
//!
//! - Each line is blank, a comment (`#`), or `NAME=value`. Lines end with LF or CRLF, the last one perhaps with
//!   nothing. The last of several assignments counts.
//! - `'…'` is literal. In `"…"` a backslash takes its meaning away from `\`, `"`, `$` and a backquote, and is itself
//!   before anything else. Outside of quotes it takes any character as it is. Pieces join: `'a'"b"c` is `abc`.
//! - A blank outside of quotes ends the value; behind it only a comment may follow. A `#` within a value is a
//!   character like others.
//! - What a shell would expand (`$name`, `${`, `$(`, `$[`, `$1`, `$?`, a backquote, `~` at the beginning or behind a
//!   colon) is an error, and so are control characters. A tab may stand between things, but not in a value.
//! - `;`, `&`, `|`, `<`, `>` and parentheses are characters like others, because addresses are often written without
//!   quotes. That and little else is read differently by bash; `tests/bash.rs` has the list.
//!
//! A file is good as a whole or not at all. [`EnvFile`] keeps every byte that is not changed.

mod file;
mod line;
mod problem;
mod quote;
#[cfg(test)]
mod tests;

pub use file::{Assignment, EnvFile};
pub use problem::{Problem, ProblemKind};
pub use quote::quoted;

//! Signals by Python's names for them, read and printed as the original does.

use std::borrow::Cow;

use thiserror::Error;

use crate::numbers::int;
use crate::repr::repr;
use crate::white_space::strip;

/// Names by number. The first of several names for one number is the one that the original prints.
const NAMES: [(&str, i32); 36] = [
    ("SIGHUP", 1),
    ("SIGINT", 2),
    ("SIGQUIT", 3),
    ("SIGILL", 4),
    ("SIGTRAP", 5),
    ("SIGABRT", 6),
    ("SIGIOT", 6),
    ("SIGBUS", 7),
    ("SIGFPE", 8),
    ("SIGKILL", 9),
    ("SIGUSR1", 10),
    ("SIGSEGV", 11),
    ("SIGUSR2", 12),
    ("SIGPIPE", 13),
    ("SIGALRM", 14),
    ("SIGTERM", 15),
    ("SIGSTKFLT", 16),
    ("SIGCHLD", 17),
    ("SIGCLD", 17),
    ("SIGCONT", 18),
    ("SIGSTOP", 19),
    ("SIGTSTP", 20),
    ("SIGTTIN", 21),
    ("SIGTTOU", 22),
    ("SIGURG", 23),
    ("SIGXCPU", 24),
    ("SIGXFSZ", 25),
    ("SIGVTALRM", 26),
    ("SIGPROF", 27),
    ("SIGWINCH", 28),
    ("SIGPOLL", 29),
    ("SIGIO", 29),
    ("SIGPWR", 30),
    ("SIGSYS", 31),
    ("SIGRTMIN", 34),
    ("SIGRTMAX", 64),
];

/// Constants of Python's `signal` module that are no signals and slip through in the original.
const SLIPS_THROUGH: [(&str, i32); 5] = [
    ("SIG_DFL", 0),
    ("SIG_IGN", 1),
    ("SIG_BLOCK", 0),
    ("SIG_UNBLOCK", 1),
    ("SIG_SETMASK", 2),
];

/// The name of a signal as the original prints it: `SIGKILL`, or `signal 40` where Python has none.
#[must_use]
pub fn signal_name(signal: i32) -> Cow<'static, str> {
    match NAMES.iter().find(|(_, number)| *number == signal) {
        Some((name, _)) => Cow::Borrowed(name),
        None => Cow::Owned(format!("signal {signal}")),
    }
}

/// Every name that is read, without `SIG`.
pub fn known_names() -> impl Iterator<Item = &'static str> {
    known().filter_map(|(name, _)| name.strip_prefix("SIG"))
}

fn known() -> impl Iterator<Item = (&'static str, i32)> {
    NAMES.into_iter().chain(SLIPS_THROUGH)
}

/// Why a text is no signal; the original's messages.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignalError {
    /// Neither a number nor a known name.
    #[error("value {} is not a valid signal name", repr(.0))]
    Name(String),
    /// A number that Python has no name for.
    #[error("value {} is not a valid signal number", repr(.0))]
    Number(String),
}

/// Reads a signal by the original's rules: a number, or a name in any case with or without `SIG`.
///
/// # Errors
/// The original's messages.
pub fn parse_signal(text: &str) -> Result<i32, SignalError> {
    let number = match int(text, 10) {
        Ok(number) => number,
        Err(_) => parse_name(strip(text)).ok_or_else(|| SignalError::Name(text.to_owned()))?,
    };
    known()
        .map(|(_, known)| known)
        .find(|known| i64::from(*known) == number)
        .ok_or_else(|| SignalError::Number(text.to_owned()))
}

fn parse_name(text: &str) -> Option<i64> {
    let upper = text.to_uppercase();
    let name = if upper.starts_with("SIG") {
        upper
    } else {
        format!("SIG{upper}")
    };
    known()
        .find(|(known, _)| *known == name)
        .map(|(_, number)| i64::from(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_read_like_the_original() {
        let cases = [
            ("TERM", 15),
            ("term", 15),
            ("SIGTERM", 15),
            (" sigusr1 ", 10),
            ("9", 9),
            (" 9 ", 9),
            ("+9", 9),
            ("1_0", 10),
            ("CLD", 17),
            ("POLL", 29),
            ("IO", 29),
            ("IOT", 6),
            ("RTMIN", 34),
            ("34", 34),
            ("64", 64),
            ("0", 0),
            ("-0", 0),
            ("_DFL", 0),
            ("SIG_IGN", 1),
            ("_SETMASK", 2),
        ];
        for (text, number) in cases {
            assert_eq!(parse_signal(text), Ok(number), "{text}");
        }
    }

    #[test]
    fn bad_signals_have_the_originals_messages() {
        let cases = [
            ("35", "value '35' is not a valid signal number"),
            ("-9", "value '-9' is not a valid signal number"),
            ("32", "value '32' is not a valid signal number"),
            ("FOO", "value 'FOO' is not a valid signal name"),
            ("", "value '' is not a valid signal name"),
            ("1__0", "value '1__0' is not a valid signal name"),
            ("it's", "value \"it's\" is not a valid signal name"),
            (
                "99999999999999999999",
                "value '99999999999999999999' is not a valid signal number",
            ),
        ];
        for (text, message) in cases {
            assert_eq!(parse_signal(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn names_are_the_ones_the_original_prints() {
        let cases = [
            (6, "SIGABRT"),
            (17, "SIGCHLD"),
            (29, "SIGPOLL"),
            (34, "SIGRTMIN"),
            (64, "SIGRTMAX"),
            (0, "signal 0"),
            (35, "signal 35"),
        ];
        for (number, name) in cases {
            assert_eq!(signal_name(number), name);
        }
    }
}

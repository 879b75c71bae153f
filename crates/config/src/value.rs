//! The types of values: text to typed value, with the original's error texts.
//!
//! These functions take text that is already expanded. What needs the machine (users, directories)
//! asks the [`World`].

use linchpin_python::{int, repr, strip};

use crate::model::{AutoRestart, LogFile, LogLevel};
use crate::paths::{directory_of, expand_home};
use crate::world::World;

/// The words for yes, in the original's order.
const TRUE_WORDS: [&str; 4] = ["yes", "true", "on", "1"];
/// The words for no, in the original's order.
const FALSE_WORDS: [&str; 4] = ["no", "false", "off", "0"];

/// A boolean.
///
/// # Errors
/// The original's message.
pub(crate) fn boolean(text: &str) -> Result<bool, String> {
    let lower = text.to_lowercase();
    if TRUE_WORDS.contains(&lower.as_str()) {
        Ok(true)
    } else if FALSE_WORDS.contains(&lower.as_str()) {
        Ok(false)
    } else {
        Err(format!("not a valid boolean value: {}", repr(text)))
    }
}

/// A whole number; beyond 64 bits it is clamped.
///
/// # Errors
/// The original's message.
pub(crate) fn integer(text: &str) -> Result<i64, String> {
    int(text, 10)
}

/// A number of bytes.
///
/// # Errors
/// The original's message.
pub(crate) fn byte_size(text: &str) -> Result<i64, String> {
    let lower = text.to_lowercase();
    for (suffix, factor) in [("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30)] {
        if let Some(number) = lower.strip_suffix(suffix) {
            return Ok(int(number, 10)?.saturating_mul(factor));
        }
    }
    int(&lower, 10)
}

/// An octal number, taken modulo the twelve bits of a file mode (a negative one counts from above, as
/// in the system call).
///
/// # Errors
/// The original's message.
pub(crate) fn octal(text: &str) -> Result<u32, String> {
    let number =
        int(text, 8).map_err(|_| format!("{text} can not be converted to an octal type"))?;
    Ok(u32::try_from(number & 0o7777).unwrap_or_default())
}

/// A level of the daemon's log.
///
/// # Errors
/// The original's message.
pub(crate) fn log_level(text: &str) -> Result<LogLevel, String> {
    let lower = text.to_lowercase();
    LOG_LEVELS
        .iter()
        .find(|(name, _)| *name == lower)
        .map(|(_, level)| *level)
        .ok_or_else(|| format!("bad logging level name {}", repr(text)))
}

pub(crate) const LOG_LEVELS: [(&str, LogLevel); 7] = [
    ("critical", LogLevel::Critical),
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("trace", LogLevel::Trace),
    ("blather", LogLevel::Blather),
];

/// A list of exit statuses.
///
/// # Errors
/// The original's message.
pub(crate) fn exit_codes(text: &str) -> Result<Vec<i32>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(|item| {
            int(item, 10)
                .ok()
                .filter(|code| (0..=255).contains(code))
                .and_then(|code| i32::try_from(code).ok())
        })
        .collect::<Option<Vec<i32>>>()
        .ok_or_else(|| format!("not a valid list of exit codes: {}", repr(text)))
}

/// When to restart.
///
/// # Errors
/// The original's message.
pub(crate) fn auto_restart(text: &str) -> Result<AutoRestart, String> {
    let lower = text.to_lowercase();
    match boolean(&lower) {
        Ok(true) => Ok(AutoRestart::Always),
        Ok(false) => Ok(AutoRestart::Never),
        Err(_) if lower == "unexpected" => Ok(AutoRestart::Unexpected),
        Err(_) => Err(format!("invalid 'autorestart' value {}", repr(&lower))),
    }
}

/// A list of names; empty text is an empty list, but empty items stay.
#[must_use]
pub(crate) fn names(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    text.split(',').map(|item| strip(item).to_owned()).collect()
}

/// A name of a process or group.
///
/// # Errors
/// The original's message.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let stripped = strip(text);
    for character in [' ', ':', '/'] {
        if stripped.contains(character) {
            return Err(format!(
                "Invalid name: {} because of character: '{character}'",
                repr(text)
            ));
        }
    }
    Ok(stripped.to_owned())
}

/// A directory that exists.
///
/// # Errors
/// The original's message.
pub(crate) fn directory(world: &dyn World, text: &str) -> Result<String, String> {
    let path = expand_home(world, text);
    if world.is_directory(&path) {
        Ok(path)
    } else {
        Err(format!("{text} is not an existing directory"))
    }
}

/// A path whose directory exists; a name without directory is fine.
///
/// # Errors
/// The original's message.
pub(crate) fn path(world: &dyn World, text: &str) -> Result<String, String> {
    let path = expand_home(world, text);
    let directory = directory_of(&path);
    if directory.is_empty() || world.is_directory(directory) {
        Ok(path)
    } else {
        Err(format!(
            "The directory named as part of the path {text} does not exist"
        ))
    }
}

/// A log file of a process, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WrittenLogFile {
    /// A file, none, or automatic.
    File(LogFile),
    /// The deprecated word `syslog`.
    Syslog,
}

/// A log file of a process.
///
/// # Errors
/// The original's message.
pub(crate) fn child_log_file(world: &dyn World, text: &str) -> Result<WrittenLogFile, String> {
    match text.to_lowercase().as_str() {
        "none" | "off" => Ok(WrittenLogFile::File(LogFile::None)),
        "auto" => Ok(WrittenLogFile::File(LogFile::Auto)),
        "syslog" => Ok(WrittenLogFile::Syslog),
        _ => path(world, text).map(|path| WrittenLogFile::File(LogFile::Path(path))),
    }
}

/// User id of a user given by name or id.
///
/// # Errors
/// The original's message.
pub(crate) fn user(world: &dyn World, text: &str) -> Result<u32, String> {
    match int(text, 10) {
        Ok(number) => u32::try_from(number)
            .ok()
            .filter(|id| world.primary_group(*id).is_some())
            .ok_or_else(|| format!("Invalid user id {text}")),
        Err(_) => world
            .user_by_name(text)
            .ok_or_else(|| format!("Invalid user name {text}")),
    }
}

fn group(world: &dyn World, text: &str) -> Option<u32> {
    match int(text, 10) {
        Ok(number) => u32::try_from(number)
            .ok()
            .filter(|id| world.group_exists(*id)),
        Err(_) => world.group_by_name(text),
    }
}

/// `user` or `user:group`.
///
/// # Errors
/// The original's message.
pub(crate) fn user_and_group(world: &dyn World, text: &str) -> Result<(u32, Option<u32>), String> {
    let invalid = || format!("Invalid user:group definition {text}");
    match text.split_once(':') {
        None => Ok((user(world, text).map_err(|_| invalid())?, None)),
        Some((user_text, group_text)) => {
            let user_id = user(world, user_text).map_err(|_| invalid())?;
            let group_id = group(world, group_text).ok_or_else(invalid)?;
            Ok((user_id, Some(group_id)))
        }
    }
}

/// A port number.
///
/// # Errors
/// The original's message.
pub(crate) fn port_number(text: &str) -> Result<u16, String> {
    let number = int(text, 10)?;
    if number < 1 {
        return Err(format!("{number} is below lower bound (1)"));
    }
    u16::try_from(number).map_err(|_| format!("{number} is above upper bound (65535)"))
}

/// An address of a TCP server: host, empty for all, and port.
///
/// # Errors
/// The original's message.
pub(crate) fn inet_address(text: &str) -> Result<(String, u16), String> {
    let Some((host, port)) = text.rsplit_once(':') else {
        let port =
            port_number(text).map_err(|_| format!("not a valid port number: {} ", repr(text)))?;
        return Ok((String::new(), port));
    };
    if port.is_empty() {
        return Err("no port number specified in ''".to_owned());
    }
    let port = port_number(port)?;
    let host = host.to_lowercase();
    Ok((if host == "*" { String::new() } else { host }, port))
}

/// A URL, for the command line of supervisorctl: a scheme, and a host or path.
///
/// # Errors
/// The original's message.
pub(crate) fn url(text: &str) -> Result<String, String> {
    let is_url = text.split_once(':').is_some_and(|(scheme, rest)| {
        let rest = rest.split(['?', '#']).next().unwrap_or("");
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
            && !rest.strip_prefix("//").unwrap_or(rest).is_empty()
    });
    if is_url {
        Ok(text.to_owned())
    } else {
        Err(format!("value {} is not a URL", repr(text)))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    fn check<T: PartialEq + fmt::Debug>(
        parse: impl Fn(&str) -> Result<T, String>,
        cases: &[(&str, Result<T, &str>)],
    ) {
        for (text, expected) in cases {
            let found = parse(text);
            let found = found.as_ref().map_err(String::as_str);
            assert_eq!(found, expected.as_ref().map_err(|error| *error), "{text:?}");
        }
    }

    #[test]
    fn booleans() {
        check(
            boolean,
            &[
                ("Yes", Ok(true)),
                ("oN", Ok(true)),
                ("1", Ok(true)),
                ("FALSE", Ok(false)),
                ("0", Ok(false)),
                ("", Err("not a valid boolean value: ''")),
                (" true", Err("not a valid boolean value: ' true'")),
            ],
        );
    }

    #[test]
    fn byte_sizes() {
        check(
            byte_size,
            &[
                ("50MB", Ok(52_428_800)),
                ("1 kb", Ok(1024)),
                ("-2Gb", Ok(-2_147_483_648)),
                ("7", Ok(7)),
                ("1m", Err("invalid literal for int() with base 10: '1m'")),
                ("MB", Err("invalid literal for int() with base 10: ''")),
                (
                    "1.5MB",
                    Err("invalid literal for int() with base 10: '1.5'"),
                ),
                ("1B", Err("invalid literal for int() with base 10: '1b'")),
            ],
        );
    }

    #[test]
    fn octals() {
        check(
            octal,
            &[
                ("022", Ok(0o22)),
                ("0o22", Ok(0o22)),
                ("-1", Ok(0o7777)),
                ("8", Err("8 can not be converted to an octal type")),
            ],
        );
    }

    #[test]
    fn lists_of_exit_codes() {
        check(
            exit_codes,
            &[
                ("0", Ok(vec![0])),
                (" 0, 255 ,2", Ok(vec![0, 255, 2])),
                ("", Ok(vec![])),
                ("0,", Err("not a valid list of exit codes: '0,'")),
                ("256", Err("not a valid list of exit codes: '256'")),
            ],
        );
    }

    #[test]
    fn addresses() {
        let at = |host: &str, port| Ok((host.to_owned(), port));
        check(
            inet_address,
            &[
                ("9001", at("", 9001)),
                (":9001", at("", 9001)),
                ("*:9001", at("", 9001)),
                ("HOST:1", at("host", 1)),
                ("[::1]:5", at("[::1]", 5)),
                ("x", Err("not a valid port number: 'x' ")),
                ("70000", Err("not a valid port number: '70000' ")),
                ("a:", Err("no port number specified in ''")),
                ("a:0", Err("0 is below lower bound (1)")),
                ("a:65536", Err("65536 is above upper bound (65535)")),
                ("a:b", Err("invalid literal for int() with base 10: 'b'")),
            ],
        );
    }

    #[test]
    fn names_of_processes() {
        check(
            name,
            &[
                (" a ", Ok("a".to_owned())),
                ("", Ok(String::new())),
                (
                    "a/b c",
                    Err("Invalid name: 'a/b c' because of character: ' '"),
                ),
                ("a:b", Err("Invalid name: 'a:b' because of character: ':'")),
            ],
        );
    }

    #[test]
    fn urls() {
        for good in ["http://x", "unix:///tmp/s", "unix://", "a:b", "HTTP://"] {
            let expected = !good.ends_with("//");
            assert_eq!(url(good).is_ok(), expected, "{good}");
        }
        check(url, &[("localhost", Err("value 'localhost' is not a URL"))]);
    }

    #[test]
    fn restart_words() {
        check(
            auto_restart,
            &[
                ("Unexpected", Ok(AutoRestart::Unexpected)),
                ("TRUE", Ok(AutoRestart::Always)),
                ("off", Ok(AutoRestart::Never)),
                ("Sometimes", Err("invalid 'autorestart' value 'sometimes'")),
            ],
        );
    }
}

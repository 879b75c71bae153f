//! What a probe has found, in few words.

use std::io;
use std::time::Duration;

use linchpin_core::ProbeOutcome;
use linchpin_sys::errno_name::error_text;

/// Most bytes of a text, as [`ProbeOutcome::Failed`] promises.
const MOST_BYTES: usize = 300;

/// A failed attempt; a text that is too long is cut.
pub(super) fn failed(text: impl Into<String>) -> ProbeOutcome {
    let mut text = text.into();
    if text.len() > MOST_BYTES {
        let mut end = MOST_BYTES - 3;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str("...");
    }
    ProbeOutcome::Failed(text)
}

/// Nothing was heard in time.
pub(super) fn no_answer(limit: Duration) -> ProbeOutcome {
    failed(format!("no answer within {}", duration(limit)))
}

/// `3 s`, `1.5 s`, `250 ms`.
fn duration(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else {
        let seconds = format!("{:.3}", duration.as_secs_f64());
        let seconds = seconds.trim_end_matches('0').trim_end_matches('.');
        format!("{seconds} s")
    }
}

/// Why a connection could not be made or was lost.
pub(super) fn of_connection(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    const WORDS: [(Kind, &str); 8] = [
        (Kind::ConnectionRefused, "connection refused"),
        (Kind::ConnectionReset, "connection reset"),
        (Kind::ConnectionAborted, "connection aborted"),
        (Kind::BrokenPipe, "connection closed"),
        (Kind::UnexpectedEof, "connection closed"),
        (Kind::HostUnreachable, "host unreachable"),
        (Kind::NetworkUnreachable, "network unreachable"),
        (Kind::TimedOut, "connection timed out"),
    ];
    find(&WORDS, error)
}

/// Why something in the file system could not be looked at.
pub(super) fn of_file(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    const WORDS: [(Kind, &str); 4] = [
        (Kind::NotFound, "does not exist"),
        (
            Kind::NotADirectory,
            "does not exist: part of its path is no directory",
        ),
        (Kind::ConnectionRefused, "connection refused"),
        (Kind::InvalidFilename, "its path is too long"),
    ];
    find(&WORDS, error)
}

fn find(words: &[(io::ErrorKind, &str)], error: &io::Error) -> String {
    let known = words.iter().find(|(kind, _)| *kind == error.kind());
    known.map_or_else(|| of_system(error), |(_, words)| (*words).to_owned())
}

fn of_system(error: &io::Error) -> String {
    const EMFILE: i32 = 24;
    const ENFILE: i32 = 23;
    match error.raw_os_error() {
        Some(EMFILE | ENFILE) => "the daemon has no descriptor left to ask".to_owned(),
        _ if error.kind() == io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error_text(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        for (millis, text) in [
            (3000, "no answer within 3 s"),
            (1500, "no answer within 1.5 s"),
            (250, "no answer within 250 ms"),
            (60_000, "no answer within 60 s"),
        ] {
            let expected = ProbeOutcome::Failed(text.to_owned());
            assert_eq!(no_answer(Duration::from_millis(millis)), expected);
        }
    }

    #[test]
    fn texts_are_cut_between_characters() {
        let ProbeOutcome::Failed(text) = failed("ü".repeat(400)) else {
            panic!("it failed");
        };
        assert!(text.len() <= MOST_BYTES && text.ends_with("ü..."), "{text}");
    }
}

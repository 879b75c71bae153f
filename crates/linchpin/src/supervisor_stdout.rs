//! `supervisor_stdout`: the event listener of the package of that name. It answers each event with the event
//! itself; the daemon's result handler prints what it is about.

use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;

/// Most bytes of an event's head and of what follows it; the daemon's events are far smaller.
const MOST_BYTES: usize = 64 * 1024 * 1024;

pub(crate) fn run() -> ExitCode {
    match listen(&mut io::stdin().lock(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            crate::complain(&format!("supervisor_stdout: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Answers until there are no more events.
fn listen(events: &mut impl BufRead, answers: &mut impl Write) -> io::Result<()> {
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    loop {
        answers.write_all(b"READY\n")?;
        answers.flush()?;
        let mut head = String::new();
        let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
        if events.by_ref().take(most).read_line(&mut head)? == 0 {
            return Ok(());
        }
        let length = head
            .split_whitespace()
            .find_map(|field| field.strip_prefix("len:"))
            .and_then(|length| length.parse().ok())
            .filter(|length| *length <= MOST_BYTES)
            .ok_or_else(|| bad("an event does not say how long it is"))?;
        let payload = read_characters(events, length)?;
        answers.write_all(format!("RESULT {}\n", payload.len()).as_bytes())?;
        answers.write_all(&payload)?;
        answers.flush()?;
    }
}

/// Lengths of events count characters, as Python's texts do.
fn read_characters(events: &mut impl BufRead, length: usize) -> io::Result<Vec<u8>> {
    let mut read = Vec::with_capacity(length);
    let mut missing = length;
    while missing > 0 {
        let before = read.len();
        // Each missing character has at least one byte.
        let wanted = u64::try_from(missing).unwrap_or(u64::MAX);
        if events.by_ref().take(wanted).read_to_end(&mut read)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let begun = read.iter().skip(before).filter(|byte| !is_inner(**byte));
        missing = missing.saturating_sub(begun.count());
    }
    // The last character may have more bytes.
    while is_open(&read) {
        let mut byte = [0];
        events.read_exact(&mut byte)?;
        read.extend(byte);
    }
    Ok(read)
}

/// Whether a byte of UTF-8 goes on with a character.
fn is_inner(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// Whether the last character is incomplete.
fn is_open(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_answered_with_themselves() {
        let event = |payload: &str| {
            let length = payload.chars().count();
            format!(
                "ver:3.0 server:s serial:1 pool:p poolserial:1 eventname:E len:{length}\n{payload}"
            )
        };
        let events = [event("a b\nplain"), event(""), event("äöü€"), event("x€")].concat();
        let mut answers = Vec::new();
        listen(&mut events.as_bytes(), &mut answers).unwrap();
        assert_eq!(
            String::from_utf8(answers).unwrap(),
            "READY\nRESULT 9\na b\nplainREADY\nRESULT 0\nREADY\nRESULT 9\näöü€READY\nRESULT 4\nx€READY\n"
        );
        let cut = event("abc");
        assert!(listen(&mut &cut.as_bytes()[..cut.len() - 1], &mut Vec::new()).is_err());
        assert!(listen(&mut &b"nonsense\n"[..], &mut Vec::new()).is_err());
    }
}

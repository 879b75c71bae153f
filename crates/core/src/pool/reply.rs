//! Reads what a listener writes: `READY\n`, and `RESULT n\n` with n bytes.
//!
//! Of a result, which may be of any length, only so much is kept as its handler wants to see.

use serde::{Deserialize, Serialize};

use super::limits::RESULT_LINE_MAX_BYTES;
use super::result_handler::EventResult;

const READY: &[u8] = b"READY\n";

/// What stands before the length of a result. The original skips as many bytes without looking at them,
/// and so `FOOBARB 2` is as good as `RESULT 2`.
const RESULT: &[u8] = b"RESULT ";

/// What a listener has written and nobody has understood yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reply {
    unread: Vec<u8>,
    result: Option<PartialResult>,
}

/// A result whose length is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PartialResult {
    missing: usize,
    result: EventResult,
}

/// A line that is no beginning of a result.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadLine(pub(super) Vec<u8>);

impl Reply {
    pub(super) fn push(&mut self, data: &[u8]) {
        self.unread.extend_from_slice(data);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.unread.is_empty()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether the listener says that it is ready; none as long as there is too little to tell.
    pub(super) fn ready(&mut self) -> Option<bool> {
        if self.unread.len() < READY.len() {
            return None;
        }
        let is_ready = self.unread.starts_with(READY);
        self.skip(READY.len());
        Some(is_ready)
    }

    /// The result, with at most so many of its bytes; none as long as it is incomplete.
    pub(super) fn result(&mut self, most_bytes: usize) -> Option<Result<EventResult, BadLine>> {
        let mut partial = match self.result.take() {
            Some(partial) => partial,
            None => match self.result_line()? {
                Ok(length) => PartialResult {
                    missing: length,
                    result: EventResult::default(),
                },
                Err(bad) => return Some(Err(bad)),
            },
        };
        let come = partial.missing.min(self.unread.len());
        let result = &mut partial.result;
        let wanted = most_bytes.saturating_sub(result.head.len()).min(come);
        result.head.extend_from_slice(&self.unread[..wanted]);
        result.is_cut |= wanted < come;
        partial.missing -= come;
        self.skip(come);
        if partial.missing > 0 {
            self.result = Some(partial);
            return None;
        }
        Some(Ok(partial.result))
    }

    fn result_line(&mut self) -> Option<Result<usize, BadLine>> {
        let end = self.unread.iter().position(|byte| *byte == b'\n');
        let length = match end {
            Some(end) if end <= RESULT_LINE_MAX_BYTES => end,
            None if self.unread.len() <= RESULT_LINE_MAX_BYTES => return None,
            Some(_) | None => {
                return Some(Err(BadLine(self.unread[..RESULT_LINE_MAX_BYTES].to_vec())));
            }
        };
        let line = self.unread[..length].to_vec();
        self.skip(length + 1);
        let written = line.get(RESULT.len()..).unwrap_or_default();
        Some(match number(written) {
            Some(length) => Ok(length),
            None => Err(BadLine(line)),
        })
    }

    fn skip(&mut self, bytes: usize) {
        self.unread.drain(..bytes);
        if self.unread.is_empty() {
            self.unread = Vec::new();
        }
    }
}

/// `int()` of bytes, where that is not negative.
fn number(text: &[u8]) -> Option<usize> {
    // Bytes, unlike texts, have no digits or blanks outside of ASCII.
    let text = std::str::from_utf8(text)
        .ok()
        .filter(|text| text.is_ascii())?;
    usize::try_from(linchpin_python::exact_int(text)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_python_reads_them() {
        for (text, expected) in [
            ("2", Some(2)),
            (" 2", Some(2)),
            ("2\r", Some(2)),
            ("\x0b+2\t", Some(2)),
            ("002", Some(2)),
            ("1_0", Some(10)),
            ("-0", Some(0)),
            ("-1", None),
            ("_1", None),
            ("1__0", None),
            ("1_", None),
            ("+-1", None),
            ("++1", None),
            ("", None),
            (" ", None),
            ("two", None),
            ("2.0", None),
            ("\u{662}", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(number(text.as_bytes()), expected, "{text:?}");
        }
    }

    /// What comes of a reply, byte by byte and in one piece.
    fn result(text: &[u8]) -> Option<Result<String, BadLine>> {
        let as_text = |result: EventResult| {
            let cut = if result.is_cut { "…" } else { "" };
            format!("{}{cut}", String::from_utf8_lossy(&result.head))
        };
        let mut whole = Reply::default();
        whole.push(text);
        let at_once = whole.result(2);
        let mut pieces = Reply::default();
        let mut last = None;
        for byte in text {
            pieces.push(&[*byte]);
            last = last.or(pieces.result(2));
        }
        assert_eq!(at_once, last, "{text:?}");
        at_once.map(|result| result.map(as_text))
    }

    #[test]
    fn results_are_read_to_their_end_and_kept_as_far_as_wanted() {
        let text = |text: &str| Some(Ok(text.to_owned()));
        assert_eq!(result(b"RESULT 2\nOK"), text("OK"));
        assert_eq!(result(b"FOOBARB 2\nOK"), text("OK"));
        assert_eq!(result(b"RESULT 1\nO"), text("O"));
        assert_eq!(result(b"RESULT 4\nFAIL"), text("FA…"));
        assert_eq!(result(b"RESULT 0\n"), text(""));
        assert_eq!(result(b"RESULT 2\nO"), None);
        assert_eq!(result(b"RESULT 2"), None);
        assert_eq!(result(b"OK\n"), Some(Err(BadLine(b"OK".to_vec()))));
        assert_eq!(
            result(b"RESULT -1\n"),
            Some(Err(BadLine(b"RESULT -1".to_vec())))
        );
    }

    #[test]
    fn a_long_result_is_not_kept() {
        let mut reply = Reply::default();
        reply.push(b"RESULT 1000000\n");
        for _ in 0..100 {
            assert_eq!(reply.result(3), None);
            reply.push(&[b'x'; 10_000]);
            let held = reply
                .result
                .as_ref()
                .map_or(0, |partial| partial.result.head.len());
            assert!(held <= 3, "{held} bytes");
        }
        assert!(matches!(reply.result(3), Some(Ok(result)) if result.is_cut));
        assert!(reply.is_empty());
    }

    #[test]
    fn a_line_without_end_is_a_bad_one() {
        let mut reply = Reply::default();
        reply.push(&[b'x'; RESULT_LINE_MAX_BYTES]);
        assert_eq!(reply.result(3), None);
        reply.push(b"x");
        assert_eq!(
            reply.result(3),
            Some(Err(BadLine(vec![b'x'; RESULT_LINE_MAX_BYTES])))
        );
    }
}

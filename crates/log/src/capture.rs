//! Capture mode: finds `<!--XSUPERVISOR:BEGIN-->` … `<!--XSUPERVISOR:END-->` in output.
//!
//! Tags may be split over reads. Only what may be the beginning of a tag is held back, and nothing
//! is lost at the end (the original loses a last output that is shorter than a tag). The limit is
//! hard: of a longer communication the last bytes are kept.

use std::collections::VecDeque;

use memchr::memmem;

/// Begins a communication.
pub const CAPTURE_BEGIN: &[u8] = b"<!--XSUPERVISOR:BEGIN-->";
/// Ends it.
pub const CAPTURE_END: &[u8] = b"<!--XSUPERVISOR:END-->";

/// What output turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Ordinary output.
    Log(&'a [u8]),
    /// Output between the tags; it goes to [`CaptureBuffer::push`].
    Captured(&'a [u8]),
    /// The end tag: the communication is complete.
    End,
}

/// Splits a stream of chunks into pieces.
#[derive(Debug, Default)]
pub(crate) struct CaptureSplitter {
    is_capturing: bool,
    /// Bytes that may be the beginning of the tag that is looked for.
    held: Vec<u8>,
}

impl CaptureSplitter {
    fn tag(&self) -> &'static [u8] {
        if self.is_capturing {
            CAPTURE_END
        } else {
            CAPTURE_BEGIN
        }
    }

    /// Feeds a chunk; `take` gets its pieces in order.
    pub(crate) fn feed(&mut self, chunk: &[u8], mut take: impl FnMut(Piece<'_>)) {
        let mut held = std::mem::take(&mut self.held);
        let joined: &[u8] = if held.is_empty() {
            chunk
        } else {
            held.extend_from_slice(chunk);
            &held
        };
        let mut rest = joined;
        while let Some(at) = memmem::find(rest, self.tag()) {
            self.give(&rest[..at], &mut take);
            rest = &rest[at + self.tag().len()..];
            if self.is_capturing {
                take(Piece::End);
            }
            self.is_capturing = !self.is_capturing;
        }
        let keep = prefix_at_end(rest, self.tag());
        let (give, keep) = rest.split_at(rest.len() - keep);
        self.give(give, &mut take);
        self.held = keep.to_vec();
    }

    fn give(&self, data: &[u8], take: &mut impl FnMut(Piece<'_>)) {
        if data.is_empty() {
            return;
        }
        take(if self.is_capturing {
            Piece::Captured(data)
        } else {
            Piece::Log(data)
        });
    }

    /// The end of the output: gives what was held back, and ends a communication that has no end tag.
    /// Returns whether there was one.
    pub(crate) fn finish(&mut self, mut take: impl FnMut(Piece<'_>)) -> bool {
        let held = std::mem::take(&mut self.held);
        self.give(&held, &mut take);
        std::mem::take(&mut self.is_capturing)
    }
}

/// Length of the longest end of `data` that is a beginning of `tag`, the whole tag excluded.
fn prefix_at_end(data: &[u8], tag: &[u8]) -> usize {
    (1..tag.len())
        .rev()
        .find(|length| data.ends_with(&tag[..*length]))
        .unwrap_or(0)
}

/// Holds one communication: its last bytes, at most the limit.
#[derive(Debug)]
pub(crate) struct CaptureBuffer {
    max_bytes: usize,
    bytes: VecDeque<u8>,
}

impl CaptureBuffer {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            bytes: VecDeque::new(),
        }
    }

    pub(crate) fn push(&mut self, data: &[u8]) {
        let data = &data[data.len().saturating_sub(self.max_bytes)..];
        let excess = (self.bytes.len() + data.len()).saturating_sub(self.max_bytes);
        self.bytes.drain(..excess);
        self.bytes.extend(data);
    }

    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes).into()
    }
}

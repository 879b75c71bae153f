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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Log text, communications, and whether the end came within one.
    fn split(chunks: &[&[u8]]) -> (Vec<u8>, Vec<Vec<u8>>, bool) {
        let mut splitter = CaptureSplitter::default();
        let (mut log, mut current, mut said) = (Vec::new(), Vec::new(), Vec::new());
        let mut take = |piece: Piece<'_>| match piece {
            Piece::Log(data) => log.extend_from_slice(data),
            Piece::Captured(data) => current.extend_from_slice(data),
            Piece::End => said.push(std::mem::take(&mut current)),
        };
        for chunk in chunks {
            splitter.feed(chunk, &mut take);
        }
        let is_unfinished = splitter.finish(&mut take);
        if is_unfinished {
            log.extend_from_slice(CAPTURE_BEGIN);
            log.extend_from_slice(&current);
        }
        (log, said, is_unfinished)
    }

    #[test]
    fn what_stands_between_the_tags_is_cut_out() {
        let text = b"a<!--XSUPERVISOR:BEGIN-->b<!--XSUPERVISOR:END-->c";
        assert_eq!(split(&[text]), (b"ac".to_vec(), vec![b"b".to_vec()], false));
    }

    #[test]
    fn only_the_tag_that_is_due_counts() {
        let text = b"<!--XSUPERVISOR:END-->x<!--XSUPERVISOR:BEGIN--><!--XSUPERVISOR:BEGIN-->\
                     <!--XSUPERVISOR:END-->";
        let (log, said, _) = split(&[text]);
        assert_eq!(log, b"<!--XSUPERVISOR:END-->x");
        assert_eq!(said, [b"<!--XSUPERVISOR:BEGIN-->".to_vec()]);
    }

    #[test]
    fn the_buffer_keeps_the_last_bytes() {
        for (max_bytes, pushed, expected) in [
            (3, ["ab", "c"].as_slice(), "abc"),
            (3, &["ab", "cd"], "bcd"),
            (3, &["abcdefg"], "efg"),
            (3, &["abc", "defgh", "i"], "ghi"),
        ] {
            let mut buffer = CaptureBuffer::new(max_bytes);
            for data in pushed {
                buffer.push(data.as_bytes());
            }
            assert_eq!(buffer.take(), expected.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn the_cuts_do_not_matter_and_nothing_is_lost(
            parts in prop::collection::vec(
                prop::sample::select(
                    ["<!--XSUPERVISOR:BEGIN-->", "<!--XSUPERVISOR:END-->", "<!--XSUP", "<", "text", "END-->"]
                        .as_slice(),
                ),
                0..12,
            ),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let whole = parts.concat().into_bytes();
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(whole.len() + 1)).collect();
            at.sort_unstable();
            let mut chunks = Vec::new();
            let mut from = 0;
            for to in at {
                chunks.push(&whole[from..to]);
                from = to;
            }
            chunks.push(&whole[from..]);
            let cut = split(&chunks);
            let (log, said, _) = &cut;
            let tags = CAPTURE_BEGIN.len() + CAPTURE_END.len();
            let total = log.len() + said.iter().map(|text| text.len() + tags).sum::<usize>();
            prop_assert_eq!(total, whole.len());
            prop_assert_eq!(&cut, &split(&[&whole]));
        }
    }
}

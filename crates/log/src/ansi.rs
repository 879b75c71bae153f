//! Removes ANSI escape sequences as the original does: from `ESC [` up to one of
//! `H f A B C D R s u J K h l p m`.
//!
//! The original starts anew with every read, so a sequence split over two reads leaks its tail. Here
//! the state is kept: the result does not depend on how the output was cut.

/// What ends a sequence.
const TERMINATORS: [u8; 15] = *b"HfABCDRsuJKhlpm";
const ESCAPE: u8 = 0x1b;

/// Where in a sequence the last chunk ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum AnsiStripper {
    /// In text.
    #[default]
    Text,
    /// After an ESC that may begin a sequence; it is held back.
    AfterEscape,
    /// Within a sequence.
    InSequence,
}

impl AnsiStripper {
    /// Appends what is left of `data` to `output`.
    pub(crate) fn strip(&mut self, data: &[u8], output: &mut Vec<u8>) {
        let mut rest = data;
        while let Some(&first) = rest.first() {
            match self {
                Self::Text => match memchr::memchr(ESCAPE, rest) {
                    None => {
                        output.extend_from_slice(rest);
                        return;
                    }
                    Some(at) => {
                        output.extend_from_slice(&rest[..at]);
                        rest = &rest[at + 1..];
                        *self = Self::AfterEscape;
                    }
                },
                Self::AfterEscape => {
                    if first == b'[' {
                        rest = &rest[1..];
                        *self = Self::InSequence;
                    } else {
                        output.push(ESCAPE);
                        *self = Self::Text;
                    }
                }
                Self::InSequence => match rest.iter().position(|byte| TERMINATORS.contains(byte)) {
                    None => return,
                    Some(at) => {
                        rest = &rest[at + 1..];
                        *self = Self::Text;
                    }
                },
            }
        }
    }

    /// The end of the output: an ESC that was held back was only an ESC.
    pub(crate) fn finish(&mut self, output: &mut Vec<u8>) {
        if *self == Self::AfterEscape {
            output.push(ESCAPE);
        }
        *self = Self::Text;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The original's `stripEscapes`, in words: on one chunk.
    fn of_one_chunk(data: &[u8]) -> Vec<u8> {
        let mut result = Vec::new();
        let mut rest = data;
        while let Some(at) = memchr::memmem::find(rest, b"\x1b[") {
            result.extend_from_slice(&rest[..at]);
            rest = &rest[at + 2..];
            match rest.iter().position(|byte| TERMINATORS.contains(byte)) {
                Some(end) => rest = &rest[end + 1..],
                None => return result,
            }
        }
        result.extend_from_slice(rest);
        result
    }

    fn strip(chunks: &[&[u8]]) -> Vec<u8> {
        let mut stripper = AnsiStripper::default();
        let mut output = Vec::new();
        for chunk in chunks {
            stripper.strip(chunk, &mut output);
        }
        stripper.finish(&mut output);
        output
    }

    #[test]
    fn sequences_go_and_everything_else_stays() {
        for (data, expected) in [
            (b"plain".as_slice(), b"plain".as_slice()),
            (b"\x1b[31mred\x1b[0m.", b"red."),
            (b"\x1b[2J\x1b[1;1Hx", b"x"),
            (b"\x1b\x1b[m\x1b", b"\x1b\x1b"),
            (b"\x1b]0;title\x07", b"\x1b]0;title\x07"),
            (b"a\x1b[", b"a"),
            // Not all of ECMA-48: this one runs on to the next letter of the list, as in the original.
            (b"\x1b[3Gxyzm.", b"."),
        ] {
            assert_eq!(strip(&[data]), expected, "{data:?}");
        }
    }

    proptest! {
        #[test]
        fn the_result_does_not_depend_on_the_cuts(
            chunks in prop::collection::vec(
                prop::collection::vec(prop::sample::select(b"\x1b[m0x".as_slice()), 0..8), 0..8)
        ) {
            let whole = chunks.concat();
            let parts: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(strip(&parts), of_one_chunk(&whole));
        }
    }
}

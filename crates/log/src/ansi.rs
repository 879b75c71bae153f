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

//! Lines from a person, or from whatever stands in for one.

use std::fmt;
use std::io::{self, Read};
use std::os::fd::BorrowedFd;

use crate::interrupts::{Interrupts, Ready};

/// Bytes asked for at a time.
const READ_BYTES: usize = 4096;

/// Longest line in bytes; what is longer is taken for two.
const MOST_LINE_BYTES: usize = 1024 * 1024;

/// What came of waiting for a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// A line without its end.
    Line(String),
    /// There are no more.
    End,
    /// Ctrl-C.
    Interrupted,
}

/// Standard input. Read without the standard library's buffer, because whoever waits for it together with something else
/// must know what has been read already.
pub(crate) struct Input<'io> {
    source: &'io mut dyn Read,
    descriptor: Option<BorrowedFd<'io>>,
    bytes: Vec<u8>,
}

impl fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("descriptor", &self.descriptor)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

impl<'io> Input<'io> {
    pub(crate) fn new(source: &'io mut dyn Read, descriptor: Option<BorrowedFd<'io>>) -> Self {
        Self {
            source,
            descriptor,
            bytes: Vec::new(),
        }
    }

    /// What to wait on; none where reading is the only way to know.
    pub(crate) fn descriptor(&self) -> Option<BorrowedFd<'io>> {
        self.descriptor
    }

    /// Waits for a line.
    pub(crate) fn line(&mut self, interrupts: Option<&Interrupts>) -> io::Result<Typed> {
        loop {
            if let Some(line) = self.line_at_hand() {
                return Ok(Typed::Line(line));
            }
            if let (Some(interrupts), Some(descriptor)) = (interrupts, self.descriptor)
                && interrupts.wait_for(&[descriptor])? == Ready::Interrupted
            {
                return Ok(Typed::Interrupted);
            }
            if !self.fill()? {
                return Ok(self.last_line());
            }
        }
    }

    /// The next line of what has been read already.
    pub(crate) fn line_at_hand(&mut self) -> Option<String> {
        let end = match self.bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None if self.bytes.len() >= MOST_LINE_BYTES => MOST_LINE_BYTES,
            None => return None,
        };
        let line: Vec<u8> = self.bytes.drain(..end).collect();
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        Some(String::from_utf8_lossy(line).into_owned())
    }

    /// Reads once. False at the end, after which what was begun is a line too.
    pub(crate) fn fill(&mut self) -> io::Result<bool> {
        let mut buffer = [0; READ_BYTES];
        loop {
            match self.source.read(&mut buffer) {
                Ok(count) => {
                    self.bytes.extend_from_slice(&buffer[..count]);
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// What is left at the end.
    pub(crate) fn last_line(&mut self) -> Typed {
        if self.bytes.is_empty() {
            return Typed::End;
        }
        let bytes = std::mem::take(&mut self.bytes);
        Typed::Line(String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_at_their_ends_and_the_last_needs_none() {
        let mut source: &[u8] = b"one\n\ntwo\r\nthree";
        let mut input = Input::new(&mut source, None);
        let mut lines = Vec::new();
        while let Typed::Line(line) = input.line(None).unwrap() {
            lines.push(line);
        }
        assert_eq!(lines, ["one", "", "two\r", "three"]);
        assert_eq!(input.line(None).unwrap(), Typed::End);
    }

    #[test]
    fn a_line_without_an_end_is_bounded() {
        let text = "x".repeat(MOST_LINE_BYTES + 5);
        let mut source = text.as_bytes();
        let mut input = Input::new(&mut source, None);
        let mut lengths = Vec::new();
        while let Typed::Line(line) = input.line(None).unwrap() {
            lengths.push(line.len());
        }
        assert_eq!(lengths, [MOST_LINE_BYTES, 5]);
    }
}

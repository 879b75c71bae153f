//! Where lines go.

use std::fmt;
use std::io::{self, Write};

/// The output of a run. Lines are gathered and flushed at the end of a command, or at once where a
/// command takes its time.
pub(crate) struct Output<'io> {
    out: &'io mut dyn Write,
}

impl fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").finish_non_exhaustive()
    }
}

impl<'io> Output<'io> {
    pub(crate) fn new(out: &'io mut dyn Write) -> Self {
        Self { out }
    }

    pub(crate) fn line(&mut self, line: impl fmt::Display) -> io::Result<()> {
        writeln!(self.out, "{line}")
    }

    /// For commands that may wait before their next line.
    pub(crate) fn line_now(&mut self, line: impl fmt::Display) -> io::Result<()> {
        self.line(line)?;
        self.flush()
    }

    pub(crate) fn bytes_now(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.flush()
    }

    pub(crate) fn prompt(&mut self, text: &str) -> io::Result<()> {
        self.bytes_now(text.as_bytes())
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

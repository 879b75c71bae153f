//! Where lines go.

use std::fmt;
use std::io::{self, Write};

/// The output of a run. Lines are gathered and flushed at the end of a command, or at once where a command takes its time.
///
/// That nobody reads us any more ends no command: a service that restarts itself is stopped, and its pipe with it, before
/// it is started again. What failed first is kept for the end.
pub(crate) struct Output<'io> {
    out: &'io mut dyn Write,
    failure: Option<io::Error>,
}

impl fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

impl<'io> Output<'io> {
    pub(crate) fn new(out: &'io mut dyn Write) -> Self {
        Self { out, failure: None }
    }

    pub(crate) fn line(&mut self, line: impl fmt::Display) {
        self.attempt(|out| writeln!(out, "{line}"));
    }

    /// For commands that may wait before their next line.
    pub(crate) fn line_now(&mut self, line: impl fmt::Display) {
        self.line(line);
        self.flush();
    }

    /// For what goes on for as long as somebody reads it: here a failure is told.
    pub(crate) fn bytes_now(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.out.flush()
    }

    pub(crate) fn prompt(&mut self, text: &str) {
        self.attempt(|out| out.write_all(text.as_bytes()));
        self.flush();
    }

    pub(crate) fn flush(&mut self) {
        self.attempt(|out| out.flush());
    }

    /// Whether there is no use in going on.
    pub(crate) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    fn attempt(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if self.failure.is_none() {
            self.failure = write(self.out).err();
        }
    }
}

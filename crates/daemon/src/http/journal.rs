//! What the servers tell the main log, in the original's words.

use std::fmt;

use linchpin_log::{LogHandle, LogLevel};

/// Where lines of the main log go.
pub(crate) trait Journal: Send + Sync + fmt::Debug {
    /// Whether lines of this level are kept; saves making those that are not.
    fn is_logged(&self, level: LogLevel) -> bool;

    /// Writes a line. Never blocks.
    fn log(&self, level: LogLevel, line: String);
}

impl Journal for LogHandle {
    fn is_logged(&self, level: LogLevel) -> bool {
        Self::is_logged(self, level)
    }

    fn log(&self, level: LogLevel, line: String) {
        Self::log(self, level, line);
    }
}

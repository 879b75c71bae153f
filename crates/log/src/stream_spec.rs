//! What happens to one output of a process, and opening what it needs.
//!
//! Opening is separate from reading because it can fail and can hang: the spawner does it before the
//! fork, and a failure is a spawn error (`unknown error making dispatchers for '<p>': EISDIR`).

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::line_patterns::LinePatterns;
use crate::open_log::{OpenedLog, open_log};
use crate::rotation::FileSink;
use crate::special_sink::SpecialSink;
use crate::stream_id::StreamKind;

/// A log file and its rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSpec {
    /// Where; anything that can be opened for writing.
    pub path: PathBuf,
    /// Size at which it is rotated; 0 is never. Ignored for what is not a regular file.
    pub max_bytes: u64,
    /// How many rotated files are kept; 0 truncates in place.
    pub backups: u32,
}

/// Whose output it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamRole {
    /// Output of a program: all of capture, events and syslog apply.
    Output,
    /// Standard output of an event listener: every byte goes to the daemon
    /// ([`LogEvent::ListenerOutput`](crate::LogEvent::ListenerOutput)); no capture, PROCESS_LOG or syslog.
    ListenerProtocol,
}

/// What happens to one output of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSpec {
    /// Name of the process, for syslog lines and the copy in the main log.
    pub process: Arc<str>,
    /// Which output.
    pub kind: StreamKind,
    /// Whose.
    pub role: StreamRole,
    /// The log file, if any.
    pub file: Option<FileSpec>,
    /// Copy to the system log, line by line.
    pub syslog: bool,
    /// Most bytes of one captured communication; 0 turns capture off.
    pub capture_max_bytes: u64,
    /// Send [`LogEvent::ProcessLog`](crate::LogEvent::ProcessLog).
    pub events_enabled: bool,
    /// Remove ANSI escape sequences.
    pub strip_ansi: bool,
    /// Copy into the main log (its level is debug or lower).
    pub copy_to_main_log: bool,
    /// Send [`LogEvent::LineFound`](crate::LogEvent::LineFound) for the first line that matches.
    pub patterns: Option<LinePatterns>,
}

/// Where the bytes of a stream are kept.
pub(crate) enum Sink {
    None,
    File(FileSink),
    Special(SpecialSink),
}

/// A [`StreamSpec`] with everything opened, ready for [`LogHandle::attach`](crate::LogHandle::attach).
pub struct StreamSinks {
    pub(crate) spec: StreamSpec,
    pub(crate) sink: Sink,
}

impl fmt::Debug for StreamSinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamSinks")
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}

impl StreamSinks {
    /// Opens the log file of a stream: append mode, made if missing, never waiting for a reader of a
    /// FIFO.
    ///
    /// # Errors
    /// What opening gave (`EISDIR`, `ENOENT`, `EACCES`, `EMFILE`…).
    pub fn open(spec: StreamSpec) -> io::Result<Self> {
        let sink = match &spec.file {
            None => Sink::None,
            Some(file) => open_sink(file)?,
        };
        Ok(Self { spec, sink })
    }

    /// The log file.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.spec.file.as_ref().map(|file| file.path.as_path())
    }
}

pub(crate) fn open_sink(file: &FileSpec) -> io::Result<Sink> {
    Ok(match open_log(&file.path)? {
        OpenedLog::Regular {
            file: opened,
            may_rotate,
        } => Sink::File(FileSink::new(
            opened,
            &file.path,
            if may_rotate { file.max_bytes } else { 0 },
            file.backups,
        )),
        OpenedLog::Special(special) => Sink::Special(special),
    })
}

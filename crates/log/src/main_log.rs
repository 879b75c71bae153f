//! The daemon's own log: `YYYY-MM-DD HH:MM:SS,mmm LEVL message`, in local time.
//!
//! Usable before the log thread exists (start-up messages, before daemonizing) and then moved into
//! it. It goes to a file (rotated as the children's), to anything that is not a regular file (never
//! rotated, never waited for) or to the system log, and in the foreground to standard output as well.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use crate::level::LogLevel;
use crate::open_log::{OpenedLog, open_standard_output};
use crate::rotation::{FileSink, remove_if_there};
use crate::special_sink::{Accepted, SharedSpecialSink, SpecialSink, lock};
use crate::stream_spec::{FileSpec, Sink, open_sink};
use crate::syslog::{SYSLOG_SOCKET, Syslog};
use crate::timestamp::{Timestamps, UtcOffset};

/// Where the main log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MainLogTarget {
    /// A file.
    File(FileSpec),
    /// The system log.
    Syslog {
        /// Where it listens; none is `/dev/log`.
        socket: Option<PathBuf>,
    },
    /// Nowhere but the echo.
    None,
}

/// Everything about the main log.
#[derive(Debug, Clone)]
pub struct MainLogSpec {
    /// Where it goes.
    pub target: MainLogTarget,
    /// Least level that is logged.
    pub level: LogLevel,
    /// Copy to standard output: in the foreground and not silent.
    pub echo: bool,
    /// Standard output takes what is printed: in the foreground.
    pub prints: bool,
    /// How the daemon calls itself in the system log; the original is `supervisord`.
    pub identity: String,
    /// Local time.
    pub utc_offset: UtcOffset,
}

enum Output {
    None,
    File(FileSink),
    Special(SharedSpecialSink),
    Syslog(Box<Syslog>),
}

/// The main log itself.
pub struct MainLog {
    level: LogLevel,
    stamps: Timestamps,
    path: Option<PathBuf>,
    target: Output,
    standard_output: Output,
    is_echoed: bool,
    line: String,
    problems: Vec<String>,
}

impl fmt::Debug for MainLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MainLog")
            .field("level", &self.level)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl MainLog {
    /// Opens it.
    ///
    /// # Errors
    /// What opening the file gave. A standard output that cannot be opened is left out.
    pub fn open(spec: &MainLogSpec) -> io::Result<Self> {
        let (target, path) = match &spec.target {
            MainLogTarget::None => (Output::None, None),
            MainLogTarget::Syslog { socket } => (
                Output::Syslog(Box::new(Syslog::new(
                    socket.as_deref().unwrap_or(Path::new(SYSLOG_SOCKET)),
                    &spec.identity,
                    spec.utc_offset,
                ))),
                None,
            ),
            MainLogTarget::File(file) => (
                match open_sink(file)? {
                    Sink::None => Output::None,
                    Sink::File(file) => Output::File(file),
                    Sink::Special(special) => Output::special(special),
                },
                Some(file.path.clone()),
            ),
        };
        let standard_output = if spec.echo || spec.prints {
            match open_standard_output() {
                Ok(OpenedLog::Regular { file, .. }) => {
                    Output::File(FileSink::new(file, Path::new("/dev/stdout"), 0, 0))
                }
                Ok(OpenedLog::Special(special)) => Output::special(special),
                Err(_) => Output::None,
            }
        } else {
            Output::None
        };
        Ok(Self {
            level: spec.level,
            stamps: Timestamps::new(spec.utc_offset),
            path,
            target,
            standard_output,
            is_echoed: spec.echo,
            line: String::new(),
            problems: Vec::new(),
        })
    }

    /// Least level that is logged.
    #[must_use]
    pub fn level(&self) -> LogLevel {
        self.level
    }

    /// Writes a line, if its level is logged. Never waits for a reader; may wait for a disk.
    pub fn log(&mut self, level: LogLevel, text: &str) {
        if level >= self.level {
            self.write(level, SystemTime::now(), text);
        }
    }

    /// Writes a line whatever its level. Says whether some reader is slow.
    pub(crate) fn write(&mut self, level: LogLevel, time: SystemTime, text: &str) -> Accepted {
        let Self {
            stamps,
            target,
            standard_output,
            is_echoed,
            line,
            problems,
            ..
        } = self;
        line.clear();
        stamps.append(time, line);
        line.push(' ');
        line.push_str(level.code());
        line.push(' ');
        let prefix_length = line.len();
        line.push_str(text);
        line.push('\n');
        let mut accepted = Accepted::All;
        let echo = is_echoed.then_some(standard_output);
        for output in echo.into_iter().chain([target]) {
            match output {
                Output::None | Output::File(_) | Output::Special(_) => {
                    if output.write(line, problems) == Accepted::Pending {
                        accepted = Accepted::Pending;
                    }
                }
                Output::Syslog(syslog) => {
                    syslog.send_lines(&line[..prefix_length], text);
                    problems.extend(syslog.take_problem());
                }
            }
        }
        if line.capacity() > LINE_KEPT_BYTES {
            *line = String::new();
        }
        accepted
    }

    /// Prints lines to standard output. Says whether its reader is slow.
    pub(crate) fn print(&mut self, text: &str) -> Accepted {
        self.standard_output.write(text, &mut self.problems)
    }

    /// Opens the file again by name.
    pub(crate) fn reopen(&mut self) {
        match &mut self.target {
            Output::File(file) => {
                if let Err(error) = file.reopen() {
                    self.problems.push(format!(
                        "cannot reopen log '{}': {error}",
                        file.path().display()
                    ));
                }
            }
            Output::Special(special) => lock(special).reopen(),
            Output::None | Output::Syslog(_) => {}
        }
    }

    /// Removes the file and makes it anew.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        let Some(path) = &self.path else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if !path.exists() {
            return Err(io::ErrorKind::NotFound.into());
        }
        match &mut self.target {
            Output::File(_) => {
                remove_if_there(path)?;
                // The last line of the old file, and one for the echo, as in the original.
                if LogLevel::Info >= self.level {
                    self.write(LogLevel::Info, SystemTime::now(), "reopening log file");
                }
                self.reopen();
                Ok(())
            }
            Output::None | Output::Special(_) | Output::Syslog(_) => {
                Err(io::ErrorKind::Unsupported.into())
            }
        }
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What went wrong with the log itself since the last call.
    pub(crate) fn take_problems(&mut self) -> Vec<String> {
        std::mem::take(&mut self.problems)
    }

    /// Gives every special sink to `share`, which may put another, shared one in its place.
    pub(crate) fn share_specials(
        &mut self,
        mut share: impl FnMut(SharedSpecialSink) -> SharedSpecialSink,
    ) {
        for output in [&mut self.standard_output, &mut self.target] {
            if let Output::Special(special) = output {
                *special = share(Arc::clone(special));
            }
        }
    }
}

/// A line buffer that grew beyond this gives its memory back.
const LINE_KEPT_BYTES: usize = 16 << 10;

impl Output {
    fn special(sink: SpecialSink) -> Self {
        Self::Special(Arc::new(Mutex::new(sink)))
    }

    /// Writes whole lines to what is no system log.
    fn write(&mut self, lines: &str, problems: &mut Vec<String>) -> Accepted {
        match self {
            Self::None | Self::Syslog(_) => Accepted::All,
            Self::File(file) => {
                problems.extend(file.write(lines.as_bytes()));
                Accepted::All
            }
            Self::Special(special) => {
                let mut special = lock(special);
                let accepted = special.write_line(lines.as_bytes());
                problems.extend(special.take_problem());
                accepted
            }
        }
    }
}

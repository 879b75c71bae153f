//! The daemon's end of the log thread. Every call returns at once.

use std::fmt;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::SystemTime;

use crate::command::{Command, Reply};
use crate::level::LogLevel;
use crate::main_log::MainLog;
use crate::queue::{Queue, QueueFull};
use crate::stream_id::{OwnerId, StreamId};
use crate::stream_spec::StreamSinks;
use crate::watch::{Watch, WatchRegistration};

/// A way to talk to the log thread. Cheap to clone.
#[derive(Clone)]
pub struct LogHandle {
    pub(crate) queue: Arc<Queue>,
    pub(crate) level: Arc<AtomicU8>,
}

impl fmt::Debug for LogHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogHandle").finish_non_exhaustive()
    }
}

impl LogHandle {
    /// Hands over the read end of a pipe of a process that runs now, with its opened sinks.
    ///
    /// # Errors
    /// [`QueueFull`]; the pipe is closed then.
    pub fn attach(
        &self,
        id: StreamId,
        pid: u32,
        pipe: OwnedFd,
        sinks: StreamSinks,
    ) -> Result<(), QueueFull> {
        self.queue.push(Command::Attach {
            id,
            pid,
            pipe,
            sinks: Box::new(sinks),
        })
    }

    /// The process was reaped: what it has written goes to its sinks, its pipes are closed, and
    /// [`LogEvent::Drained`](crate::LogEvent::Drained) follows, always, also for an unknown owner.
    /// A log thread that hangs in a system call (a dead network file system) cannot answer, so
    /// the caller needs a limit of its own.
    ///
    /// # Errors
    /// [`QueueFull`]; no answer comes then.
    pub fn finish(&self, owner: OwnerId) -> Result<(), QueueFull> {
        self.queue.push(Command::Finish { owner })
    }

    /// Opens the log files of a run again by name; of all runs without an owner (SIGUSR2).
    ///
    /// # Errors
    /// [`QueueFull`].
    pub fn reopen_streams(&self, owner: Option<OwnerId>) -> Result<(), QueueFull> {
        self.queue.push(Command::ReopenStreams { owner })
    }

    /// Opens the main log again by name (SIGUSR2).
    ///
    /// # Errors
    /// [`QueueFull`].
    pub fn reopen_main_log(&self) -> Result<(), QueueFull> {
        self.queue.push(Command::ReopenMainLog)
    }

    /// Empties the log files `paths` of a process: removed and made anew, as the original does for
    /// running processes. `owner` is its run, if there is one; captured text is forgotten too.
    /// Missing files and files that are not regular are left alone.
    ///
    /// # Errors
    /// [`QueueFull`]; `reply` is not called then.
    pub fn clear_files(
        &self,
        owner: Option<OwnerId>,
        paths: Vec<PathBuf>,
        reply: Reply,
    ) -> Result<(), QueueFull> {
        self.queue.push(Command::ClearFiles {
            owner,
            paths,
            reply,
        })
    }

    /// Removes the main log and makes it anew. The reply is an error of kind `NotFound` where there
    /// is no file.
    ///
    /// # Errors
    /// [`QueueFull`]; `reply` is not called then.
    pub fn clear_main_log(&self, reply: Reply) -> Result<(), QueueFull> {
        self.queue.push(Command::ClearMainLog { reply })
    }

    /// Whether lines of this level are logged; saves making text that is not.
    #[must_use]
    pub fn is_logged(&self, level: LogLevel) -> bool {
        level.number() >= self.level.load(Ordering::Relaxed)
    }

    /// Writes a line to the main log, with the time of this call. When the queue is full the line is
    /// dropped and counted.
    pub fn log(&self, level: LogLevel, text: impl Into<Box<str>>) {
        if self.is_logged(level) {
            let text = text.into();
            self.queue.push_line(text.len(), line(level, text));
        }
    }

    /// As [`log`](Self::log), for whoever logs many lines in a row and calls [`wake`](Self::wake) before waiting for
    /// anything: the thread is not woken for each of them, only now and then for many.
    pub fn log_in_row(&self, level: LogLevel, text: impl Into<Box<str>>) {
        if self.is_logged(level) {
            let text = text.into();
            self.queue.push_line_untold(text.len(), line(level, text));
        }
    }

    /// Wakes the thread for the lines of [`log_in_row`](Self::log_in_row). Costs nothing if there are none.
    pub fn wake(&self) {
        self.queue.wake();
    }

    /// Prints whole lines to standard output, beside the echo of the main log, where the main log was
    /// opened with `prints`. When the queue is full they are dropped and counted like one of its lines.
    pub fn print(&self, text: impl Into<Box<str>>) {
        let text = text.into();
        self.queue.push_line(text.len(), Command::Print { text });
    }

    /// Replaces the main log (a restart of the daemon in place).
    ///
    /// # Errors
    /// [`QueueFull`].
    pub fn set_main_log(&self, main_log: MainLog) -> Result<(), QueueFull> {
        let level = main_log.level().number();
        self.queue.push(Command::SetMainLog {
            main_log: Box::new(main_log),
        })?;
        self.level.store(level, Ordering::Relaxed);
        Ok(())
    }

    /// Watches a log file that this thread writes: a
    /// [`LogEvent::FileChanged`](crate::LogEvent::FileChanged) follows each change until the watch
    /// is dropped. Works before the file exists and across restarts of its process.
    ///
    /// # Errors
    /// [`QueueFull`].
    pub fn watch(&self, path: &Path) -> Result<Watch, QueueFull> {
        let registration = WatchRegistration::new(path);
        self.queue.push(Command::Watch(registration.clone()))?;
        Ok(Watch::new(registration, Arc::clone(&self.queue)))
    }

    /// Calls `reply` when everything queued, and everything that processes wrote, before this call
    /// is in its log; what a slow sink has not taken is not waited for.
    ///
    /// # Errors
    /// [`QueueFull`]; `reply` is not called then.
    pub fn flush(&self, reply: Reply) -> Result<(), QueueFull> {
        self.queue.push(Command::Flush { reply })
    }
}

fn line(level: LogLevel, text: Box<str>) -> Command {
    Command::Line {
        level,
        time: SystemTime::now(),
        text,
    }
}

//! Sinks that are not regular files: the container's standard output, a FIFO, a terminal, a socket.
//!
//! They can stop taking bytes at any moment and for any time. Such a sink never makes the log thread
//! wait: what it does not take is kept in `pending`, and while something is pending the streams that
//! feed it are not read (default overflow rule: the writers block, nothing is lost), so `pending`
//! holds at most one chunk of output. Lines of the main log are not blocked but dropped and counted
//! beyond [`ECHO_PENDING_MAX_BYTES`].
//!
//! Where the descriptor can be made our own and nonblocking, epoll tells when to go on. The rest
//! (a duplicate of a blocking descriptor that others share) gets a thread that may hang in its write.

use std::fmt;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::SendFlags;

use crate::blocking_writer::BlockingWriter;
use crate::open_log::{OpenedLog, open_log};
use crate::queue::Waker;

/// Most bytes of main log lines that wait for a reader of standard output; more are dropped.
pub const ECHO_PENDING_MAX_BYTES: usize = 256 << 10;

/// Which file it is: two ways to the same one share a sink, so their bytes do not mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SpecialKey {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

/// How to write to it.
pub(crate) enum SpecialTarget {
    /// A description of our own, nonblocking.
    Nonblocking(OwnedFd),
    /// A FIFO that is open for reading, too; nonblocking.
    Fifo(OwnedFd),
    /// A socket that others may share; each send asks not to wait.
    Socket(OwnedFd),
    /// A shared blocking descriptor behind a thread.
    Blocking(BlockingWriter),
    /// Nobody reads it any more.
    Dead,
}

impl SpecialTarget {
    pub(crate) fn blocking(descriptor: OwnedFd) -> Self {
        Self::Blocking(BlockingWriter::new(descriptor))
    }
}

/// What became of bytes that were offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// Written.
    All,
    /// Kept; no more, please, until it is writable again.
    Pending,
}

/// One such sink.
pub(crate) struct SpecialSink {
    path: Box<Path>,
    key: SpecialKey,
    target: SpecialTarget,
    pending: Vec<u8>,
    /// How much of `pending` is written.
    pending_from: usize,
    blocked_since: Option<Instant>,
    dropped_lines: u64,
    /// A problem to report; each kind at most once.
    problem: Option<String>,
}

/// A sink that several streams and the main log may feed. The lock is never held across a wait.
pub(crate) type SharedSpecialSink = Arc<Mutex<SpecialSink>>;

pub(crate) fn lock(sink: &SharedSpecialSink) -> MutexGuard<'_, SpecialSink> {
    sink.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for SpecialSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpecialSink")
            .field("path", &self.path)
            .field("pending", &self.pending_bytes())
            .finish_non_exhaustive()
    }
}

impl SpecialSink {
    pub(crate) fn new(path: &Path, target: SpecialTarget, key: SpecialKey) -> Self {
        let mut sink = Self {
            path: path.into(),
            key,
            target,
            pending: Vec::new(),
            pending_from: 0,
            blocked_since: None,
            dropped_lines: 0,
            problem: None,
        };
        if matches!(sink.target, SpecialTarget::Dead) {
            sink.problem = Some(sink.dead_text(Errno::PIPE));
        }
        sink
    }

    pub(crate) fn key(&self) -> SpecialKey {
        self.key
    }

    /// The descriptor that epoll can watch for room.
    pub(crate) fn descriptor(&self) -> Option<&OwnedFd> {
        match &self.target {
            SpecialTarget::Nonblocking(descriptor)
            | SpecialTarget::Fifo(descriptor)
            | SpecialTarget::Socket(descriptor) => Some(descriptor),
            SpecialTarget::Blocking(_) | SpecialTarget::Dead => None,
        }
    }

    /// Who is to be woken when a writer thread has room again.
    pub(crate) fn set_waker(&mut self, waker: &Waker) {
        if let SpecialTarget::Blocking(writer) = &self.target {
            writer.set_waker(waker.clone());
        }
    }

    /// Whether a thread writes for it, which wakes us by the queue's waker.
    pub(crate) fn is_behind_thread(&self) -> bool {
        matches!(self.target, SpecialTarget::Blocking(_))
    }

    pub(crate) fn is_dead(&self) -> bool {
        matches!(self.target, SpecialTarget::Dead)
    }

    pub(crate) fn is_blocked(&self) -> bool {
        self.pending_from < self.pending.len()
    }

    /// How long it has taken nothing at all.
    pub(crate) fn blocked_for(&self) -> Duration {
        self.blocked_since
            .map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Opens a dead one again by name.
    pub(crate) fn reopen(&mut self) {
        if self.is_dead()
            && let Ok(OpenedLog::Special(opened)) = open_log(&self.path)
        {
            self.adopt(opened);
        }
    }

    /// Takes over the way to write of another one to the same file.
    pub(crate) fn adopt(&mut self, other: Self) {
        self.key = other.key;
        self.target = other.target;
    }

    /// Whether closing it would lose something: what is in a FIFO without a reader goes with its
    /// last descriptor.
    pub(crate) fn holds_unread(&self) -> bool {
        match &self.target {
            SpecialTarget::Fifo(descriptor) => {
                rustix::io::ioctl_fionread(descriptor).is_ok_and(|bytes| bytes > 0)
            }
            SpecialTarget::Nonblocking(_)
            | SpecialTarget::Socket(_)
            | SpecialTarget::Blocking(_)
            | SpecialTarget::Dead => false,
        }
    }

    pub(crate) fn pending_bytes(&self) -> usize {
        self.pending.len() - self.pending_from
    }

    pub(crate) fn take_problem(&mut self) -> Option<String> {
        self.problem.take()
    }

    /// Lines of the main log that were dropped since the last call; 0 while still blocked.
    pub(crate) fn take_dropped_lines(&mut self) -> u64 {
        if self.is_blocked() {
            0
        } else {
            std::mem::take(&mut self.dropped_lines)
        }
    }

    /// Takes all of `data`: what cannot be written now is kept.
    pub(crate) fn write(&mut self, data: &[u8]) -> Accepted {
        if self.is_blocked() {
            self.pending.extend_from_slice(data);
            return Accepted::Pending;
        }
        let written = self.write_some(data);
        if written == data.len() {
            return Accepted::All;
        }
        self.pending.clear();
        self.pending_from = 0;
        self.pending.extend_from_slice(&data[written..]);
        self.blocked_since = Some(Instant::now());
        Accepted::Pending
    }

    /// Takes a line of the main log whole, or drops it.
    pub(crate) fn write_line(&mut self, line: &[u8]) -> Accepted {
        if self.is_blocked() && self.pending_bytes() + line.len() > ECHO_PENDING_MAX_BYTES {
            self.dropped_lines += 1;
            return Accepted::Pending;
        }
        self.write(line)
    }

    /// Tries again.
    pub(crate) fn flush(&mut self) -> Accepted {
        while self.is_blocked() {
            let pending = std::mem::take(&mut self.pending);
            let written = self.write_some(&pending[self.pending_from..]);
            self.pending = pending;
            self.pending_from += written;
            if written == 0 {
                return Accepted::Pending;
            }
            self.blocked_since = Some(Instant::now());
        }
        self.pending = Vec::new();
        self.pending_from = 0;
        self.blocked_since = None;
        Accepted::All
    }

    /// Writes until the sink wants no more. A dead sink swallows everything.
    fn write_some(&mut self, data: &[u8]) -> usize {
        let mut done = 0;
        while done < data.len() {
            let result = match &self.target {
                SpecialTarget::Nonblocking(descriptor) | SpecialTarget::Fifo(descriptor) => {
                    rustix::io::write(descriptor, &data[done..])
                }
                SpecialTarget::Socket(descriptor) => rustix::net::send(
                    descriptor,
                    &data[done..],
                    SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
                ),
                SpecialTarget::Blocking(writer) => writer.offer(&data[done..]),
                SpecialTarget::Dead => return data.len(),
            };
            match result {
                // A terminal that is stopped, or a device that takes nothing.
                Ok(0) | Err(Errno::AGAIN) => break,
                Ok(count) => done += count,
                Err(Errno::INTR) => {}
                Err(error) => {
                    self.problem = Some(self.dead_text(error));
                    self.target = SpecialTarget::Dead;
                    return data.len();
                }
            }
        }
        done
    }

    fn dead_text(&self, error: Errno) -> String {
        format!(
            "cannot write to '{}': {error}; output to it is thrown away until it is opened again",
            self.path.display()
        )
    }
}

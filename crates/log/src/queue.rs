//! The way into the log thread: a bounded queue and an eventfd.
//!
//! Nothing here waits. Lines of the main log beyond [`MAIN_LOG_QUEUE_MAX_LINES`] or
//! [`MAIN_LOG_QUEUE_MAX_BYTES`] are dropped and counted, and the count is logged as soon as there is
//! room. Commands beyond [`COMMAND_QUEUE_MAX`] are handed back to the caller ([`QueueFull`]): they
//! carry descriptors and promises that must not vanish silently.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::event::{EventfdFlags, eventfd};

use crate::command::Command;

/// Most commands that may wait for the log thread. A start needs two, an end one.
pub const COMMAND_QUEUE_MAX: usize = 32_768;
/// Most lines of the main log that may wait for the log thread.
pub const MAIN_LOG_QUEUE_MAX_LINES: usize = 16_384;
/// Most bytes of main log lines that may wait for the log thread.
pub const MAIN_LOG_QUEUE_MAX_BYTES: usize = 4 << 20;
/// Whoever will wake the thread in a moment does so earlier when this many commands wait: the thread should be at work
/// while further lines are made.
const WAITING_BEFORE_WAKING: usize = 64;
/// A queue that once grew beyond this many entries gives the memory back.
const QUEUE_KEPT_CAPACITY: usize = 1_024;

/// The log thread does not keep up: more than [`COMMAND_QUEUE_MAX`] commands wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many commands wait for the log thread")]
pub struct QueueFull;

/// Wakes the log thread.
#[derive(Debug, Clone)]
pub(crate) struct Waker {
    shared: Arc<WakerShared>,
}

#[derive(Debug)]
struct WakerShared {
    eventfd: OwnedFd,
    is_pending: AtomicBool,
}

impl Waker {
    pub(crate) fn new() -> rustix::io::Result<Self> {
        let eventfd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self {
            shared: Arc::new(WakerShared {
                eventfd,
                is_pending: AtomicBool::new(false),
            }),
        })
    }

    /// One write however often it is called before the thread looks.
    pub(crate) fn wake(&self) {
        if !self.shared.is_pending.swap(true, Ordering::SeqCst) {
            // Fails only when the counter is full, and then the thread is awake anyway.
            let _ = rustix::io::write(&self.shared.eventfd, &1u64.to_ne_bytes());
        }
    }

    /// Forgets that it was woken; to be called before looking for what is new. The descriptor is
    /// registered edge-triggered, so it need not be read.
    pub(crate) fn reset(&self) {
        self.shared.is_pending.store(false, Ordering::SeqCst);
    }

    pub(crate) fn descriptor(&self) -> &OwnedFd {
        &self.shared.eventfd
    }
}

#[derive(Debug, Default)]
struct Waiting {
    commands: VecDeque<Command>,
    main_log_lines: usize,
    main_log_bytes: usize,
    dropped_main_log_lines: u64,
}

/// The queue itself.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    waker: Waker,
    /// A line was put there for which the thread has not been woken.
    has_untold: AtomicBool,
}

impl Queue {
    pub(crate) fn new(waker: Waker) -> Self {
        Self {
            waiting: Mutex::new(Waiting::default()),
            waker,
            has_untold: AtomicBool::new(false),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, command: Command) -> Result<(), QueueFull> {
        {
            let mut waiting = self.waiting();
            if waiting.commands.len() - waiting.main_log_lines >= COMMAND_QUEUE_MAX {
                return Err(QueueFull);
            }
            waiting.commands.push_back(command);
        }
        self.waker.wake();
        Ok(())
    }

    /// Takes a line of the main log, or counts it as dropped.
    pub(crate) fn push_line(&self, bytes: usize, command: Command) {
        if self.put_line(bytes, command).is_some() {
            self.waker.wake();
        }
    }

    /// As [`push_line`](Self::push_line), but does not wake the thread as long as little waits:
    /// [`wake`](Self::wake) follows.
    pub(crate) fn push_line_untold(&self, bytes: usize, command: Command) {
        match self.put_line(bytes, command) {
            None => {}
            Some(waiting) if waiting < WAITING_BEFORE_WAKING => {
                self.has_untold.store(true, Ordering::SeqCst);
            }
            Some(_) => self.waker.wake(),
        }
    }

    /// Wakes the thread, if it has not been told of a line.
    pub(crate) fn wake(&self) {
        if self.has_untold.swap(false, Ordering::SeqCst) {
            self.waker.wake();
        }
    }

    /// How many commands wait with the line; none if it was dropped.
    fn put_line(&self, bytes: usize, command: Command) -> Option<usize> {
        let mut waiting = self.waiting();
        if waiting.main_log_lines >= MAIN_LOG_QUEUE_MAX_LINES
            || waiting.main_log_bytes + bytes > MAIN_LOG_QUEUE_MAX_BYTES
        {
            waiting.dropped_main_log_lines += 1;
            return None;
        }
        waiting.main_log_lines += 1;
        waiting.main_log_bytes += bytes;
        waiting.commands.push_back(command);
        Some(waiting.commands.len())
    }

    /// Moves everything that waits into `into` (which must be empty) and says how many lines were
    /// dropped since the last call.
    pub(crate) fn take(&self, into: &mut VecDeque<Command>) -> u64 {
        if into.capacity() > QUEUE_KEPT_CAPACITY {
            *into = VecDeque::new();
        }
        let mut waiting = self.waiting();
        std::mem::swap(&mut waiting.commands, into);
        waiting.main_log_lines = 0;
        waiting.main_log_bytes = 0;
        std::mem::take(&mut waiting.dropped_main_log_lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::LogLevel;

    fn line() -> Command {
        Command::Line {
            level: LogLevel::Info,
            time: std::time::SystemTime::UNIX_EPOCH,
            text: "text".into(),
        }
    }

    fn queue() -> (Queue, impl Fn() -> bool) {
        let waker = Waker::new().unwrap();
        let queue = Queue::new(waker.clone());
        (queue, move || {
            waker.shared.is_pending.load(Ordering::SeqCst)
        })
    }

    #[test]
    fn the_thread_is_told_of_lines_when_their_writer_has_come_to_an_end() {
        let (queue, is_woken) = queue();
        queue.wake();
        assert!(!is_woken(), "there is nothing");
        queue.push_line_untold(4, line());
        assert!(!is_woken());
        queue.wake();
        assert!(is_woken());
        let mut taken = VecDeque::new();
        assert_eq!((queue.take(&mut taken), taken.len()), (0, 1));
    }

    #[test]
    fn many_lines_wake_the_thread_by_themselves() {
        let (queue, is_woken) = queue();
        for _ in 1..WAITING_BEFORE_WAKING {
            queue.push_line_untold(4, line());
        }
        assert!(!is_woken());
        queue.push_line_untold(4, line());
        assert!(is_woken());
    }

    #[test]
    fn what_is_told_of_at_once_brings_the_others_with_it() {
        let (queue, is_woken) = queue();
        queue.push_line_untold(4, line());
        queue.push_line(4, line());
        assert!(is_woken());
        let mut taken = VecDeque::new();
        queue.take(&mut taken);
        assert_eq!(taken.len(), 2);
    }
}

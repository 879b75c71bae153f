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
}

impl Queue {
    pub(crate) fn new(waker: Waker) -> Self {
        Self {
            waiting: Mutex::new(Waiting::default()),
            waker,
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
        {
            let mut waiting = self.waiting();
            if waiting.main_log_lines >= MAIN_LOG_QUEUE_MAX_LINES
                || waiting.main_log_bytes + bytes > MAIN_LOG_QUEUE_MAX_BYTES
            {
                waiting.dropped_main_log_lines += 1;
                return;
            }
            waiting.main_log_lines += 1;
            waiting.main_log_bytes += bytes;
            waiting.commands.push_back(command);
        }
        self.waker.wake();
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

//! What the log thread tells the daemon, and the bound on how much of it may be under way.
//!
//! Data that goes to the daemon (PROCESS_LOG, PROCESS_COMMUNICATION, what an event listener says) is
//! copied, so it must be bounded: an [`EventData`] counts against its gate until it is dropped.
//! When the gate is full, streams that make such data are not read until there is room: nothing is
//! lost, the pipe fills, the writer waits. The last bytes of a process that has ended pass a full
//! gate, because its end must not wait for the daemon; they are bounded by its pipe.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::queue::Waker;
use crate::stream_id::{OwnerId, StreamId};
use crate::watch::WatchId;

/// Most bytes of event data that may be under way to the daemon before their streams are paused.
pub const EVENT_DATA_IN_FLIGHT_MAX_BYTES: usize = 4 << 20;

/// Where [`LogEvent`]s go. Called on the log thread; it must not block.
pub type Notify = Box<dyn Fn(LogEvent) + Send>;

/// News from the log thread.
#[derive(Debug)]
pub enum LogEvent {
    /// Everything that a finished run wrote before its end is in its sinks, or its sinks are stuck
    /// and the time for that is over. Its pipes are closed, or followed without its owner.
    Drained {
        /// The run.
        owner: OwnerId,
    },
    /// A running process closed an output.
    StreamClosed {
        /// Which.
        stream: StreamId,
        /// Number of the descriptor that was read, for the original's DEBG text.
        descriptor: i32,
    },
    /// Output, for PROCESS_LOG events; only where they are enabled.
    ProcessLog {
        /// Where it comes from.
        stream: StreamId,
        /// Who wrote it.
        pid: u32,
        /// What, after ANSI stripping.
        data: EventData,
    },
    /// What stood between the tags of capture mode.
    ProcessCommunication {
        /// Where it comes from.
        stream: StreamId,
        /// Who wrote it.
        pid: u32,
        /// What, without the tags.
        data: EventData,
    },
    /// Standard output of an event listener, for its state machine.
    ListenerOutput {
        /// Where it comes from.
        stream: StreamId,
        /// Who wrote it.
        pid: u32,
        /// What, exactly as written.
        data: EventData,
    },
    /// A line of a run matches one of its [`LinePatterns`](crate::LinePatterns), for the first time.
    LineFound {
        /// The run.
        owner: OwnerId,
        /// The number of the expression.
        number: u16,
    },
    /// A sink stopped or resumed working. Already written to the main log.
    SinkProblem {
        /// What, as one line.
        text: String,
    },
    /// Something was thrown away by an overflow rule. Already written to the main log.
    Dropped {
        /// What kind of thing.
        what: DroppedKind,
        /// How many since the last report.
        count: u64,
    },
    /// A watched file grew, was rotated, truncated or replaced. Not sent again until
    /// [`Watch::acknowledge`](crate::Watch::acknowledge).
    FileChanged {
        /// Which watch.
        watch: WatchId,
    },
}

/// What an overflow rule threw away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DroppedKind {
    /// Lines of the main log: the queue to the log thread was full.
    MainLogLines,
    /// Lines of the main log in its echo on standard output, because nobody reads that.
    EchoLines,
    /// Messages to the system log: it is not there or does not keep up.
    SyslogMessages,
    /// Bytes of output of processes.
    OutputBytes,
}

impl fmt::Display for DroppedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MainLogLines => "lines of the main log",
            Self::EchoLines => "lines of the main log on standard output",
            Self::SyslogMessages => "messages to the system log",
            Self::OutputBytes => "bytes of output",
        })
    }
}

/// Bytes on their way to the daemon; they count against the gate until dropped.
pub struct EventData {
    bytes: Box<[u8]>,
    gate: Arc<EventGate>,
}

impl Deref for EventData {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for EventData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventData({:?})", String::from_utf8_lossy(&self.bytes))
    }
}

impl Drop for EventData {
    fn drop(&mut self) {
        self.gate.release(self.bytes.len());
    }
}

/// Counts the event data under way.
pub(crate) struct EventGate {
    in_flight_bytes: AtomicUsize,
    /// The log thread has paused streams and wants to hear when there is room.
    is_waited_for: AtomicBool,
    waker: Waker,
}

impl EventGate {
    pub(crate) fn new(waker: Waker) -> Arc<Self> {
        Arc::new(Self {
            in_flight_bytes: AtomicUsize::new(0),
            is_waited_for: AtomicBool::new(false),
            waker,
        })
    }

    pub(crate) fn pack(self: &Arc<Self>, bytes: &[u8]) -> EventData {
        self.in_flight_bytes
            .fetch_add(bytes.len(), Ordering::AcqRel);
        EventData {
            bytes: bytes.into(),
            gate: Arc::clone(self),
        }
    }

    pub(crate) fn has_room(&self) -> bool {
        self.in_flight_bytes.load(Ordering::Acquire) < EVENT_DATA_IN_FLIGHT_MAX_BYTES
    }

    /// Asks for a wake-up at the next release. False if there is room by now.
    pub(crate) fn wait_for_room(&self) -> bool {
        self.is_waited_for.store(true, Ordering::SeqCst);
        if self.in_flight_bytes.load(Ordering::SeqCst) < EVENT_DATA_IN_FLIGHT_MAX_BYTES {
            self.is_waited_for.store(false, Ordering::SeqCst);
            return false;
        }
        true
    }

    fn release(&self, bytes: usize) {
        let before = self.in_flight_bytes.fetch_sub(bytes, Ordering::SeqCst);
        if before - bytes < EVENT_DATA_IN_FLIGHT_MAX_BYTES
            && self.is_waited_for.swap(false, Ordering::SeqCst)
        {
            self.waker.wake();
        }
    }
}

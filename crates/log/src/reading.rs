//! Reading the pipes of running processes.
//!
//! A stream that writes now and then is read when epoll says so. One that writes many tiny chunks in
//! a row is taken out of epoll and read by the clock instead: a wake-up per write costs both sides
//! more than the bytes do. One that fills its pipe gets a larger one, as long as there are few of them. A stream whose sink or whose event data is stuck is not
//! read until that changes, and epoll must not know it meanwhile: a closed other end is reported
//! even to those who asked for nothing, and the loop would spin.

use std::time::{Duration, Instant};

use rustix::event::epoll;
use rustix::io::Errno;

use crate::event::LogEvent;
use crate::special_sink::Accepted;
use crate::stream::{ReadState, StreamSink};
use crate::thread::{CHUNK_MAX_BYTES, Worker};

/// Most bytes read from one stream before others get their turn.
const TURN_MAX_BYTES: usize = 1 << 20;
/// A turn of at most this many bytes is a tiny one.
const SMALL_TURN_MAX_BYTES: usize = 4 << 10;
/// Tiny turns this close together count as a row.
const SMALL_TURN_GAP: Duration = Duration::from_micros(500);
/// So many tiny turns in a row make a stream linger.
const SMALL_TURNS_BEFORE_LINGER: u8 = 8;
/// Time between two reads of a lingering stream.
const LINGER: Duration = Duration::from_millis(1);
/// A turn of at least this many bytes is a large one: half of a default pipe.
const LARGE_TURN_MIN_BYTES: usize = 32 << 10;
/// So many large turns in a row make a stream's pipe larger.
const LARGE_TURNS_BEFORE_LARGE_PIPE: u8 = 3;
/// Size of a large pipe: the most that an unprivileged process may ask for by default.
pub const LARGE_PIPE_BYTES: usize = 1 << 20;
/// Size of a large pipe whose stream feeds a sink that others may feed too: one read empties it, so what
/// reaches the sink in one piece ends where a write of the process ended, and lines of two processes do
/// not mix.
const LARGE_PIPE_TO_SHARED_SINK_BYTES: usize = CHUNK_MAX_BYTES;
/// Most pipes that are large at a time; the quota of a user is 64 MiB by default.
pub const LARGE_PIPES_MAX: usize = 16;
/// Size of a pipe that is not large.
const DEFAULT_PIPE_BYTES: usize = 64 << 10;
/// A large pipe that was not read for this long may be taken away for another stream.
const LARGE_PIPE_IDLE: Duration = Duration::from_secs(2);

/// What a turn of reading came to.
enum Turn {
    /// Everything that was there (or as much as one turn may take).
    Read(usize),
    /// All writers are gone.
    Ended,
    /// The sink wants no more.
    SinkBlocked(usize),
}

impl Worker {
    pub(crate) fn read_ready_stream(&mut self, slot: u32) {
        if self.pause_where_stuck(slot) {
            return;
        }
        match self.read_turn(slot) {
            Turn::Ended => self.end_stream(slot),
            Turn::SinkBlocked(bytes) => {
                self.note_turn(slot, bytes);
                self.pause_for_sink(slot);
            }
            Turn::Read(bytes) => {
                if self.note_turn(slot, bytes) {
                    self.begin_to_linger(slot);
                }
            }
        }
    }

    /// Stops polling a stream that must not be read now.
    fn pause_where_stuck(&mut self, slot: u32) -> bool {
        let Some(stream) = self.streams.get(slot) else {
            return true;
        };
        if stream.makes_event_data() && !self.outputs.gate.has_room() {
            if self.outputs.gate.wait_for_room() {
                self.pause(slot, ReadState::WaitsForEvents);
                self.wait_for_events();
                return true;
            }
            return false;
        }
        if stream.is_sink_blocked() {
            self.pause_for_sink(slot);
            return true;
        }
        false
    }

    fn pause_for_sink(&mut self, slot: u32) {
        self.pause(slot, ReadState::WaitsForSink);
        self.wait_for_sink(slot);
    }

    pub(crate) fn pause(&mut self, slot: u32, state: ReadState) {
        if let Some(stream) = self.streams.get_mut(slot) {
            if stream.state == ReadState::Polled {
                let _ = epoll::delete(&self.epoll, &stream.pipe);
            }
            if stream.state == ReadState::Lingering {
                self.lingering.retain(|other| *other != slot);
            }
            stream.state = state;
        }
    }

    fn read_turn(&mut self, slot: u32) -> Turn {
        let Some(stream) = self.streams.get_mut(slot) else {
            return Turn::Read(0);
        };
        let mut bytes = 0;
        loop {
            match rustix::io::read(&stream.pipe, &mut self.buffer[..]) {
                Ok(0) => return Turn::Ended,
                Ok(count) => {
                    bytes += count;
                    let has_more = count == CHUNK_MAX_BYTES;
                    let accepted =
                        stream.take_chunk(&self.buffer[..count], has_more, &mut self.outputs);
                    if accepted == Accepted::Pending {
                        return Turn::SinkBlocked(bytes);
                    }
                    if !has_more || bytes >= TURN_MAX_BYTES {
                        return Turn::Read(bytes);
                    }
                }
                Err(Errno::AGAIN) => return Turn::Read(bytes),
                Err(Errno::INTR) => {}
                // A pipe of ours gives no other error.
                Err(_) => return Turn::Ended,
            }
        }
    }

    /// The process closed this output, or all of its writers are gone.
    fn end_stream(&mut self, slot: u32) {
        use std::os::fd::AsRawFd;
        let Some(stream) = self.streams.get_mut(slot) else {
            return;
        };
        stream.finish(&mut self.outputs);
        let descriptor = stream.pipe.as_raw_fd();
        if let Some(stream) = self.close_stream(slot) {
            self.notify(LogEvent::StreamClosed { stream, descriptor });
        }
    }

    /// Learns from a turn how the stream writes. True when it should linger.
    fn note_turn(&mut self, slot: u32, bytes: usize) -> bool {
        let Some(stream) = self.streams.get_mut(slot) else {
            return false;
        };
        let now = Instant::now();
        let busy = &mut stream.busy;
        let gap = now.duration_since(busy.last_read);
        busy.last_read = now;
        if bytes >= LARGE_TURN_MIN_BYTES {
            busy.large_reads = busy.large_reads.saturating_add(1);
            busy.small_reads = 0;
            if busy.large_reads >= LARGE_TURNS_BEFORE_LARGE_PIPE && !busy.has_large_pipe {
                busy.large_reads = 0;
                self.enlarge_pipe(slot, now);
            }
            return false;
        }
        busy.large_reads = 0;
        if bytes <= SMALL_TURN_MAX_BYTES && gap <= SMALL_TURN_GAP {
            busy.small_reads = busy.small_reads.saturating_add(1);
        } else {
            busy.small_reads = 0;
        }
        busy.small_reads >= SMALL_TURNS_BEFORE_LINGER
    }

    fn begin_to_linger(&mut self, slot: u32) {
        let now = Instant::now();
        // Without room for what comes in a millisecond, lingering would only stall the writer.
        let has_large_pipe = self
            .streams
            .get(slot)
            .is_some_and(|stream| stream.busy.has_large_pipe);
        if !has_large_pipe && !self.enlarge_pipe(slot, now) {
            return;
        }
        self.pause(slot, ReadState::Lingering);
        self.lingering.push(slot);
        self.linger_due.get_or_insert(now + LINGER);
    }

    pub(crate) fn read_lingering_streams(&mut self) {
        if self.linger_due.is_none_or(|due| Instant::now() < due) {
            return;
        }
        for slot in std::mem::take(&mut self.lingering) {
            if self.pause_where_stuck(slot) {
                continue;
            }
            match self.read_turn(slot) {
                Turn::Ended => self.end_stream(slot),
                Turn::SinkBlocked(_) => {
                    self.pause_for_sink(slot);
                }
                Turn::Read(bytes) => {
                    let now = Instant::now();
                    if let Some(stream) = self.streams.get_mut(slot) {
                        stream.busy.last_read = now;
                    }
                    if bytes == 0 {
                        if let Some(stream) = self.streams.get_mut(slot) {
                            stream.busy.small_reads = 0;
                        }
                        self.resume_stream(slot);
                    } else {
                        self.lingering.push(slot);
                    }
                }
            }
        }
        self.linger_due = (!self.lingering.is_empty()).then(|| Instant::now() + LINGER);
    }

    /// Gives a stream a large pipe; takes one from an idle stream where there are too many.
    fn enlarge_pipe(&mut self, slot: u32, now: Instant) -> bool {
        if self.large_pipes.len() >= LARGE_PIPES_MAX && !self.take_an_idle_large_pipe(now) {
            return false;
        }
        let Some(stream) = self.streams.get_mut(slot) else {
            return false;
        };
        let size = match stream.sink {
            StreamSink::Special(_) => LARGE_PIPE_TO_SHARED_SINK_BYTES,
            StreamSink::None | StreamSink::File(_) => LARGE_PIPE_BYTES,
        };
        match rustix::pipe::fcntl_setpipe_size(&stream.pipe, size) {
            Ok(_) => {
                stream.busy.has_large_pipe = true;
                self.large_pipes.push(slot);
                true
            }
            // The user's quota is used up.
            Err(_) => false,
        }
    }

    fn take_an_idle_large_pipe(&mut self, now: Instant) -> bool {
        let idle = self.large_pipes.iter().position(|slot| {
            self.streams.get(*slot).is_none_or(|stream| {
                now.duration_since(stream.busy.last_read) >= LARGE_PIPE_IDLE
                    && rustix::pipe::fcntl_setpipe_size(&stream.pipe, DEFAULT_PIPE_BYTES).is_ok()
            })
        });
        let Some(idle) = idle else {
            return false;
        };
        let slot = self.large_pipes.swap_remove(idle);
        if let Some(stream) = self.streams.get_mut(slot) {
            stream.busy.has_large_pipe = false;
        }
        true
    }
}

//! The end of a run: what its process wrote before it ended goes to the sinks, then the pipes are closed.
//!
//! The end of file is not waited for: a grandchild may keep the other end open for ever. What is in
//! the pipe when the process has been reaped is read, no more and no less. A sink that is stuck
//! delays the answer by at most [`DRAIN_LIMIT`], and not at all if it has been stuck for that long
//! by then; the rest is read later, when the sink goes on, without an owner.

use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::event::{DroppedKind, LogEvent};
use crate::special_sink::{Accepted, lock};
use crate::stream::{ReadState, Stream, StreamSink};
use crate::stream_id::{OwnerId, StreamKind};
use crate::thread::{CHUNK_MAX_BYTES, Worker};

/// Longest time between the end of a run and [`LogEvent::Drained`].
pub const DRAIN_LIMIT: Duration = Duration::from_millis(200);
/// Most streams of ended runs that wait for a stuck sink; of more, the oldest are thrown away.
pub const DETACHED_STREAMS_MAX: usize = 64;

/// The streams of one run.
#[derive(Debug, Default)]
pub(crate) struct OwnerStreams {
    slots: [Option<u32>; 2],
    /// Set once the process has been reaped.
    drain_deadline: Option<Instant>,
}

impl OwnerStreams {
    pub(crate) fn get(&self, kind: StreamKind) -> Option<u32> {
        self.slots[kind.index()]
    }

    pub(crate) fn set(&mut self, kind: StreamKind, slot: Option<u32>) {
        self.slots[kind.index()] = slot;
    }

    fn is_done(&self) -> bool {
        self.slots == [None, None]
    }
}

impl Worker {
    /// The process of `owner` was reaped.
    pub(crate) fn finish(&mut self, owner: OwnerId) {
        let slots = match self.owners.get_mut(&owner) {
            None => [None, None],
            Some(streams) => {
                streams.drain_deadline = Some(Instant::now() + DRAIN_LIMIT);
                streams.slots
            }
        };
        for slot in slots.into_iter().flatten() {
            self.begin_drain(slot);
        }
        let is_stuck = slots.into_iter().flatten().all(|slot| {
            self.streams
                .get(slot)
                .is_none_or(|stream| blocked_for(stream) >= DRAIN_LIMIT)
        });
        let is_done = self.owners.get(&owner).is_none_or(OwnerStreams::is_done);
        if is_done || is_stuck {
            // Unless it was answered when the last stream was closed.
            if self.owners.contains_key(&owner) || slots == [None, None] {
                self.answer_drained(owner);
            }
        } else {
            self.draining.push(owner);
        }
    }

    fn begin_drain(&mut self, slot: u32) {
        self.pause(slot, ReadState::Finishing);
        let Some(stream) = self.streams.get_mut(slot) else {
            return;
        };
        stream.left_bytes = rustix::io::ioctl_fionread(&stream.pipe).unwrap_or(0);
        if stream.is_sink_blocked() && stream.left_bytes > 0 {
            self.wait_for_sink(slot);
            return;
        }
        self.continue_drain(slot);
    }

    /// Reads on; closes the stream when all is read.
    pub(crate) fn continue_drain(&mut self, slot: u32) {
        let Some(stream) = self.streams.get_mut(slot) else {
            return;
        };
        while stream.left_bytes > 0 {
            let limit = usize::try_from(stream.left_bytes)
                .unwrap_or(usize::MAX)
                .min(CHUNK_MAX_BYTES);
            match rustix::io::read(&stream.pipe, &mut self.buffer[..limit]) {
                Ok(count) if count > 0 => {
                    stream.left_bytes -= u64::try_from(count).unwrap_or(u64::MAX);
                    let has_more = stream.left_bytes > 0;
                    let accepted =
                        stream.take_chunk(&self.buffer[..count], has_more, &mut self.outputs);
                    if accepted == Accepted::Pending {
                        self.wait_for_sink(slot);
                        if has_more {
                            return;
                        }
                        break;
                    }
                }
                Err(Errno::INTR) => {}
                Ok(_) | Err(_) => break,
            }
        }
        let Some(stream) = self.streams.get_mut(slot) else {
            return;
        };
        stream.finish(&mut self.outputs);
        if let Some(id) = self.close_stream(slot) {
            let is_answer_due = self
                .owners
                .get(&id.owner)
                .is_some_and(|owner| owner.drain_deadline.is_some() && owner.is_done());
            if is_answer_due {
                self.answer_drained(id.owner);
            }
        }
    }

    fn answer_drained(&mut self, owner: OwnerId) {
        self.draining.retain(|other| *other != owner);
        if let Some(streams) = self.owners.remove(&owner) {
            for slot in streams.slots.into_iter().flatten() {
                self.detached.push_back(slot);
            }
        }
        while self.detached.len() > DETACHED_STREAMS_MAX {
            self.throw_away_oldest_detached();
        }
        self.notify(LogEvent::Drained { owner });
    }

    fn throw_away_oldest_detached(&mut self) {
        let Some(slot) = self.detached.pop_front() else {
            return;
        };
        let lost = self.streams.get(slot).map_or(0, |stream| stream.left_bytes);
        self.close_stream(slot);
        self.outputs.dropped(DroppedKind::OutputBytes, lost);
    }

    pub(crate) fn next_drain_deadline(&self) -> Option<Instant> {
        self.draining
            .iter()
            .filter_map(|owner| self.owners.get(owner)?.drain_deadline)
            .min()
    }

    pub(crate) fn end_overdue_drains(&mut self) {
        if self.draining.is_empty() {
            return;
        }
        let now = Instant::now();
        let overdue: Vec<OwnerId> = self
            .draining
            .iter()
            .copied()
            .filter(|owner| {
                self.owners
                    .get(owner)
                    .and_then(|streams| streams.drain_deadline)
                    .is_some_and(|deadline| deadline <= now)
            })
            .collect();
        for owner in overdue {
            self.answer_drained(owner);
        }
    }

    /// The log thread is about to end: what is in a pipe now goes to its sink, if that takes it.
    pub(crate) fn read_rest_of(&mut self, slot: u32) {
        self.begin_drain(slot);
    }
}

fn blocked_for(stream: &Stream) -> Duration {
    match &stream.sink {
        StreamSink::Special(special) => lock(special).blocked_for(),
        StreamSink::None | StreamSink::File(_) => Duration::ZERO,
    }
}

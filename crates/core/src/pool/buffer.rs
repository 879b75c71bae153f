//! The events of a pool that wait for a listener.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::PoolEvent;
use super::limits::EVENT_BUFFER_MAX_BYTES;
use crate::supervisor::Step;
use crate::{Action, Message};

/// At most `buffer_size` events, and [`EVENT_BUFFER_MAX_BYTES`]. Beyond that the one at the head is dropped, which is the oldest, even
/// when the one that comes is put at the head itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct EventBuffer {
    events: VecDeque<PoolEvent>,
    most: usize,
    /// What the events hold of others' words and output.
    bytes: usize,
}

impl EventBuffer {
    pub(super) fn new(buffer_size: i64) -> Self {
        Self {
            events: VecDeque::new(),
            // The language wants at least one.
            most: usize::try_from(buffer_size).unwrap_or(1).max(1),
            bytes: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &PoolEvent> {
        self.events.iter()
    }

    /// The oldest.
    pub(super) fn pop(&mut self) -> Option<PoolEvent> {
        let event = self.events.pop_front()?;
        self.bytes -= event.notice.foreign_bytes();
        Some(event)
    }

    /// A new event.
    pub(super) fn push(&mut self, event: PoolEvent, pool: &str, step: &mut Step<'_>) {
        self.make_room(&event, pool, step);
        self.events.push_back(event);
    }

    /// An event that was here before: it is the next again.
    pub(super) fn put_back(&mut self, event: PoolEvent, pool: &str, step: &mut Step<'_>) {
        step.act(Action::Log(Message::Rebuffering {
            serial: event.serial,
            pool: pool.to_owned(),
            waiting: self.events.len(),
            most: self.most,
        }));
        self.make_room(&event, pool, step);
        self.events.push_front(event);
    }

    /// Drops what there is no room for beside this event, which is about to come.
    fn make_room(&mut self, event: &PoolEvent, pool: &str, step: &mut Step<'_>) {
        let bytes = event.notice.foreign_bytes();
        while (self.events.len() >= self.most || self.bytes + bytes > EVENT_BUFFER_MAX_BYTES)
            && let Some(dropped) = self.pop()
        {
            step.act(Action::Log(Message::BufferOverflowed {
                pool: pool.to_owned(),
                serial: dropped.serial,
            }));
        }
        self.bytes += bytes;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Notice, Now};

    #[test]
    fn large_events_push_out_older_ones_and_one_of_any_size_may_wait() {
        let mut buffer = EventBuffer::new(100);
        let mut actions = Vec::new();
        let mut step = Step {
            now: Now::default(),
            actions: &mut actions,
        };
        let third = EVENT_BUFFER_MAX_BYTES / 3;
        for (serial, bytes) in [third, third, third, third, EVENT_BUFFER_MAX_BYTES + 1, 1]
            .into_iter()
            .enumerate()
        {
            let serial = u64::try_from(serial).unwrap();
            let notice = Arc::new(Notice::RemoteCommunication {
                kind: String::new(),
                data: "x".repeat(bytes),
            });
            let event = PoolEvent {
                serial,
                pool_serial: serial,
                notice,
            };
            buffer.push(event, "p", &mut step);
        }
        let left: Vec<u64> = buffer.iter().map(|event| event.serial).collect();
        assert_eq!(left, [5]);
        assert_eq!(actions.len(), 5, "each one that was dropped is told");
        assert_eq!(buffer.pop().map(|event| event.serial), Some(5));
        assert_eq!(buffer.bytes, 0);
    }
}

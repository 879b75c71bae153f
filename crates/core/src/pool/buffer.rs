//! The events of a pool that wait for a listener.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::PoolEvent;
use crate::supervisor::Step;
use crate::{Action, Message};

/// At most `buffer_size` events. Beyond that the one at the head is dropped, which is the oldest, even
/// when the one that comes is put at the head itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct EventBuffer {
    events: VecDeque<PoolEvent>,
    most: usize,
}

impl EventBuffer {
    pub(super) fn new(buffer_size: i64) -> Self {
        Self {
            events: VecDeque::new(),
            // The language wants at least one.
            most: usize::try_from(buffer_size).unwrap_or(1).max(1),
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
        self.events.pop_front()
    }

    /// A new event.
    pub(super) fn push(&mut self, event: PoolEvent, pool: &str, step: &mut Step<'_>) {
        self.make_room(pool, step);
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
        self.make_room(pool, step);
        self.events.push_front(event);
    }

    fn make_room(&mut self, pool: &str, step: &mut Step<'_>) {
        if self.events.len() >= self.most
            && let Some(dropped) = self.events.pop_front()
        {
            step.act(Action::Log(Message::BufferOverflowed {
                pool: pool.to_owned(),
                serial: dropped.serial,
            }));
        }
    }
}

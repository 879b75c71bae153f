//! Pools of event listeners: who has subscribed to what, which events wait, and who gets the next one.
//!
//! The rules are those of the original's `EventListenerPool` and `PEventListenerDispatcher`. A pool is an
//! `[eventlistener:x]` section; each of its events goes to one of its listeners, the first in process
//! order that runs, has said READY and takes what is written to it. What a pool cannot deliver waits in a
//! buffer of `buffer_size` events, and beyond that the oldest is dropped.
//!
//! At most one event of a pool is on its way to a listener at a time: the shell says what became of it
//! before the next one is sent, so that events keep their order when a listener turns out to have closed
//! its standard input. A listener whose pipe is full gets no more until it has read, so at most one event
//! for each listener is kept outside of a buffer.
//!
//! `subscription` is the set of event types, `buffer` what waits, `reply` reads what listeners write,
//! `result_handler` judges it,
//! `listener` is the state of one, `dispatch` brings them together, `ticks` makes the events of time.

mod buffer;
mod dispatch;
mod limits;
mod listener;
mod reply;
mod result_handler;
mod subscription;
mod ticks;
mod view;

use std::sync::Arc;

use linchpin_config::{EventListenerPool, EventType};
use serde::{Deserialize, Serialize};

use crate::supervisor::Step;
use crate::{Generation, Notice, ProcessId};
use buffer::EventBuffer;
use listener::Listener;
use result_handler::ResultHandler;
use subscription::Subscription;
use ticks::Ticks;

pub use limits::{EVENT_BUFFER_MAX_BYTES, PRINTED_RESULT_MAX_BYTES, RESULT_LINE_MAX_BYTES};
pub use listener::ListenerState;
pub use result_handler::RESULT_HANDLERS;
pub use view::{ListenerView, PoolView};

/// The last serial number before they begin again with 0: the original's largest integer.
const LAST_SERIAL: u64 = i64::MAX as u64;

/// All pools, in the order in which they were made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pools {
    pools: Vec<Pool>,
    /// The serial number of the next event that any pool takes.
    next_serial: u64,
    ticks: Ticks,
}

/// A pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Pool {
    name: String,
    subscription: Subscription,
    buffer: EventBuffer,
    result_handler: ResultHandler,
    next_serial: u64,
    /// In the order of the processes.
    listeners: Vec<Listener>,
    /// To whom an event has been sent of which it is not known whether it was taken.
    under_way: Option<(ProcessId, Generation)>,
}

/// An event as a pool has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PoolEvent {
    pub(crate) serial: u64,
    pub(crate) pool_serial: u64,
    pub(crate) notice: Arc<Notice>,
}

impl Pools {
    /// No pools, with serial numbers that go on where these end.
    pub(crate) fn successor(&self) -> Self {
        Self {
            next_serial: self.next_serial,
            ..Self::default()
        }
    }

    pub(crate) fn add(
        &mut self,
        name: &str,
        config: &EventListenerPool,
        members: &[ProcessId],
        step: &Step<'_>,
    ) {
        self.pools.push(Pool {
            name: name.to_owned(),
            subscription: Subscription::new(&config.events),
            buffer: EventBuffer::new(config.buffer_size),
            result_handler: ResultHandler::named(&config.result_handler),
            next_serial: 0,
            listeners: members.iter().copied().map(Listener::new).collect(),
            under_way: None,
        });
        self.subscribe_ticks(step.now.wall);
    }

    /// Takes a pool away, if there is one of this name. What waits in it is lost.
    pub(crate) fn remove(&mut self, name: &str, step: &Step<'_>) {
        self.pools.retain(|pool| pool.name != name);
        self.subscribe_ticks(step.now.wall);
    }

    /// A listener leaves its pool; it has no event any more.
    pub(crate) fn forget_listener(&mut self, process: ProcessId) {
        for pool in &mut self.pools {
            pool.listeners
                .retain(|listener| listener.process != process);
        }
    }

    pub(crate) fn is_subscribed(&self, event: EventType) -> bool {
        self.pools
            .iter()
            .any(|pool| pool.subscription.covers(event))
    }

    fn subscribe_ticks(&mut self, now: crate::Wall) {
        let pools = &self.pools;
        self.ticks.subscribe(now, |event| {
            pools.iter().any(|pool| pool.subscription.covers(event))
        });
    }

    /// Gives an event to every pool that wants it.
    pub(crate) fn accept(&mut self, notice: &Arc<Notice>, step: &mut Step<'_>) {
        let event = notice.event_type();
        let serial = self.next_serial;
        let mut is_taken = false;
        for pool in &mut self.pools {
            if pool.subscription.covers(event) {
                is_taken = true;
                let pool_serial = pool.next_serial;
                pool.next_serial = after(pool_serial);
                let event = PoolEvent {
                    serial,
                    pool_serial,
                    notice: notice.clone(),
                };
                pool.buffer.push(event, &pool.name, step);
            }
        }
        if is_taken {
            self.next_serial = after(serial);
        }
    }

    /// The place of the pool of a listener.
    fn of_listener(&self, process: ProcessId) -> Option<usize> {
        self.pools.iter().position(|pool| {
            pool.listeners
                .iter()
                .any(|listener| listener.process == process)
        })
    }
}

impl Pool {
    fn listener(&mut self, process: ProcessId) -> Option<&mut Listener> {
        self.listeners
            .iter_mut()
            .find(|listener| listener.process == process)
    }
}

fn after(serial: u64) -> u64 {
    if serial >= LAST_SERIAL { 0 } else { serial + 1 }
}

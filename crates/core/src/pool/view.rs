//! What can be seen of pools from outside.

use super::ListenerState;
use crate::{ProcessId, Supervisor};

/// A pool as it is now.
#[derive(Debug, Clone)]
pub struct PoolView<'a> {
    /// Its name, which is that of its group.
    pub name: &'a str,
    /// How many events it has taken.
    pub next_serial: u64,
    /// The pool's serial numbers of those that wait, the next one first.
    pub waiting: Vec<u64>,
    /// How many may wait.
    pub most_waiting: usize,
    /// Its listeners, in the order of their processes.
    pub listeners: Vec<ListenerView>,
}

/// A listener as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenerView {
    /// Its process.
    pub process: ProcessId,
    /// Its state.
    pub state: ListenerState,
    /// The pool's serial number of the event that it is at.
    pub event: Option<u64>,
    /// Whether it takes what is written to it.
    pub is_free: bool,
}

impl Supervisor {
    /// The pools, in the order in which they were made.
    pub fn pools(&self) -> impl Iterator<Item = PoolView<'_>> {
        self.pools.pools.iter().map(|pool| PoolView {
            name: &pool.name,
            next_serial: pool.next_serial,
            waiting: pool.buffer.iter().map(|event| event.pool_serial).collect(),
            most_waiting: pool.buffer.most(),
            listeners: pool
                .listeners
                .iter()
                .map(|listener| ListenerView {
                    process: listener.process,
                    state: listener.state(),
                    event: listener.event().map(|event| event.pool_serial),
                    is_free: listener.input == super::listener::Input::Free,
                })
                .collect(),
        })
    }
}

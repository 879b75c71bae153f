//! Who waits for whom.
//!
//! A start waits in STARTING, without a process, until what it depends on is there (`wait`). When a
//! dependency goes, a running service does what it was told to (`lost`). Stops go the other way round
//! (`stop_order`). `graph` is the table that all of them look things up in.
//!
//! Nothing here recurses along dependencies: what may have an effect on others is queued, and the queue is
//! worked off at the end of each step ([`Supervisor::settle`]), so a chain of ten thousand services needs no
//! more stack than one of two.

mod graph;
mod lost;
mod stop_order;
mod wait;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::supervisor::{Step, Supervisor};
use crate::{Monotonic, ProcessId, Reason};

use graph::Graph;
use stop_order::HeldStop;
pub use wait::Wait;

/// How the wait of one service stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    /// When the wait of the present start began; none if it does not wait.
    since: Option<Monotonic>,
    /// What has been told of it last, so that the same is not told again.
    told: Vec<String>,
}

/// What the dependencies between services keep beside the services.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dependencies {
    graph: Graph,
    /// Those whose dependents have to be looked at.
    changed: BTreeSet<ProcessId>,
    /// Starts that may go on, or not.
    to_look_at: BTreeSet<ProcessId>,
    /// What is to be started because somebody needs it.
    to_start: VecDeque<(ProcessId, Reason)>,
    /// Stops that wait until those that depend on the process are down.
    held_stops: BTreeMap<ProcessId, HeldStop>,
}

impl Supervisor {
    /// Groups have come, gone or changed.
    pub(crate) fn dependencies_are_others(&mut self) {
        self.dependencies.graph.forget();
        for process in self.processes.values() {
            if let Some(service) = &process.service
                && service.waiting.since.is_some()
            {
                self.dependencies.to_look_at.insert(process.id);
            }
        }
    }

    /// A start that waits is to be looked at.
    pub(crate) fn look_at_wait(&mut self, id: ProcessId) {
        self.dependencies.to_look_at.insert(id);
    }

    /// A process is about to be removed.
    pub(crate) fn forget_dependent(&mut self, id: ProcessId) {
        self.end_wait(id);
        self.dependencies.held_stops.remove(&id);
        self.may_concern_dependents(id);
    }

    /// The state of a process has changed, or what others may wait for.
    pub(crate) fn may_concern_dependents(&mut self, id: ProcessId) {
        if self.dependencies.graph.may_have_edges() {
            self.dependencies.changed.insert(id);
        }
    }

    /// A service has become ready, or is ready no more.
    pub(crate) fn readiness_changed(&mut self, id: ProcessId, _step: &mut Step<'_>) {
        self.may_concern_dependents(id);
    }

    /// A process has run to its end with success, or its marker says so.
    pub(crate) fn completed_changed(&mut self, id: ProcessId, _step: &mut Step<'_>) {
        self.may_concern_dependents(id);
    }

    /// Draws every consequence that the step has for dependents. Ends, as each turn moves a service on
    /// towards being started or being down, and nothing is started twice for the same need. When the end of a
    /// service is that of the daemon, that begins first.
    pub(crate) fn settle(&mut self, step: &mut Step<'_>) {
        loop {
            // Whoever starts now would only be stopped.
            self.end_for_a_service(step);
            if let Some(id) = self.dependencies.changed.pop_first() {
                self.graph_is_known();
                self.look_at_held_stops(id, step);
                for dependent in self.dependencies.graph.dependents(id) {
                    self.dependency_changed(dependent, id, step);
                }
            } else if let Some((id, reason)) = self.dependencies.to_start.pop_front() {
                self.start(id, reason, step);
            } else if let Some(id) = self.dependencies.to_look_at.pop_first() {
                self.graph_is_known();
                self.unblock(id, step);
            } else {
                return;
            }
        }
    }
}

//! What a service is beyond a process: what it waits for, whether it works, how it is restarted, what runs
//! around it. Only processes with options of ours have a [`ServiceState`]; everything else never comes here.
//!
//! `dependencies` is who waits for whom; `checks` is readiness and liveness; `restart` is backoff, crash
//! loops and second chances; `hooks` are the commands around a life; `oneshot` is what runs to its end;
//! `ends` is what the end of a service means for the daemon.

mod checks;
mod dependencies;
mod ends;
mod hooks;
mod news;
mod oneshot;
mod restart;
mod start_again;

pub use news::{
    Check, CheckPurpose, HookPoint, MarkerState, Notification, Occurrence, OccurrenceKind,
    ProbeOutcome,
};

use serde::{Deserialize, Serialize};

use crate::supervisor::{Step, Supervisor};
use crate::{Action, Generation, Message, ProcessId};

pub(crate) use checks::Checking;
pub use checks::{CheckView, Readiness, ServiceView};
pub use dependencies::Wait;
pub(crate) use dependencies::{Dependencies, Waiting};
pub(crate) use ends::{Ends, Finale};
pub(crate) use hooks::{Preparing, RunningHook};
pub(crate) use oneshot::MARKERS_LIMIT;
pub(crate) use restart::Restarts;
pub(crate) use start_again::{AfterStop, OwnStop, Sequel};

/// What is known about a process that has options of ours.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServiceState {
    pub(crate) waiting: Waiting,
    pub(crate) checking: Checking,
    pub(crate) preparing: Preparing,
    pub(crate) restarts: Restarts,
    /// A oneshot that has done its work, and whose marker is being written: which start of it.
    pub(crate) committing: Option<Generation>,
    /// That a oneshot begins has been noted at its marker, and no process has come of it yet.
    pub(crate) is_noted: bool,
    /// It is being stopped, as the core has decided, and this is to follow.
    pub(crate) own_stop: Option<OwnStop>,
    /// The service's own words (`STATUS=`), cut at [`Notification::STATUS_MAX`].
    pub(crate) status: Option<String>,
}

impl Supervisor {
    /// Keeps something about a service for the recorded history.
    pub(crate) fn record(&self, id: ProcessId, kind: OccurrenceKind, step: &mut Step<'_>) {
        if let Some(process) = self.processes.get(&id) {
            step.act(Action::Record(Occurrence {
                process: id,
                generation: process.generation,
                name: process.config.name.clone(),
                group: process.group.clone(),
                kind,
            }));
        }
    }

    /// The kernel has killed a process for lack of memory.
    pub(crate) fn out_of_memory(
        &mut self,
        id: ProcessId,
        generation: Generation,
        step: &mut Step<'_>,
    ) {
        let Some(process) = self
            .processes
            .get_mut(&id)
            .filter(|process| process.generation == generation)
        else {
            return;
        };
        process.out_of_memory = true;
        let name = process.config.name.clone();
        let pid = process.pid().unwrap_or(0);
        step.act(Action::Log(Message::OutOfMemory { name, pid }));
        self.record(id, OccurrenceKind::OutOfMemory, step);
    }
}

//! Stops that the core itself decides on, and what follows them: for liveness, memory, readiness that does
//! not come, dependencies.

use serde::{Deserialize, Serialize};

use crate::lifecycle::LEAST_RESTART_INTERVAL;
use crate::process::Process;
use crate::supervisor::{Step, Supervisor};
use crate::{Action, Message, Monotonic, ProcessId, ProcessState, Reason};

/// What follows a stop that nobody has asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AfterStop {
    /// It starts again at once.
    Start,
    /// It starts again, as its restart policy says; without one, at once, but not within a second of its
    /// last start.
    Restart,
    /// It counts as a start that has failed.
    FailedStart,
    /// It is given up, for this reason.
    GiveUp(Reason),
}

/// A stop that the core has decided on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnStop {
    reason: Reason,
    after: AfterStop,
}

/// What is to be done when such a stop has come to its end, other than a start at once.
pub(crate) enum Sequel {
    /// As after a start that has failed.
    FailedStart(Reason),
    /// A start at that time.
    StartAt(Reason, Monotonic),
    /// No start: why it was stopped, and why it is given up.
    GiveUp(Reason, Reason),
}

impl AfterStop {
    /// What follows when a service does not work: before it is RUNNING its start has failed, and so has a
    /// oneshot at any time.
    pub(crate) fn again(process: &Process) -> Self {
        let options = process.config.service.as_ref();
        if process.state == ProcessState::Starting || options.is_some_and(|it| it.oneshot) {
            Self::FailedStart
        } else {
            Self::Restart
        }
    }
}

impl Supervisor {
    /// Stops a running service and starts it again when it is down.
    ///
    /// A stop that a person or the daemon's end asks for meanwhile wins: then it stays down.
    pub(crate) fn stop_and_start(&mut self, id: ProcessId, reason: &Reason, step: &mut Step<'_>) {
        self.stop_and_then(id, reason.clone(), AfterStop::Start, step);
    }

    /// Stops a service, and when it is down does what is to follow. A stop that a person or the daemon's
    /// end asks for meanwhile wins: then it stays down.
    pub(crate) fn stop_and_then(
        &mut self,
        id: ProcessId,
        reason: Reason,
        after: AfterStop,
        step: &mut Step<'_>,
    ) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        if after != AfterStop::Start {
            // Clients that wait for it are told of a start that has failed.
            process.spawn_error = Some(reason.to_string());
            step.act(Action::Log(Message::StoppedBecause {
                name: process.config.name.clone(),
                reason: reason.clone(),
            }));
        }
        self.stop(id, reason.clone(), step);
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        if process.state.is_stopped() {
            return self.start(id, reason, step);
        }
        if let Some(service) = &mut process.service {
            service.own_stop = Some(OwnStop { reason, after });
        }
    }

    /// What is being stopped stays down.
    pub(crate) fn stays_down(&mut self, id: ProcessId) {
        if let Some(process) = self.processes.get_mut(&id)
            && let Some(service) = &mut process.service
        {
            service.own_stop = None;
        }
    }

    /// A process has ended as it was told to: what follows, if that is no start at once and nobody has
    /// asked for anything else.
    pub(crate) fn sequel_of_stop(&mut self, id: ProcessId, step: &Step<'_>) -> Option<Sequel> {
        if self.shutdown.is_some() {
            return None;
        }
        let process = self.processes.get_mut(&id)?;
        let own_stop = &mut process.service.as_mut()?.own_stop;
        let has_policy = process
            .config
            .service
            .as_ref()
            .is_some_and(|service| service.restart.is_some());
        let earliest = process.up_since + LEAST_RESTART_INTERVAL;
        let is_due = earliest <= step.now.monotonic;
        match &own_stop.as_ref()?.after {
            AfterStop::Start => return None,
            AfterStop::Restart if is_due && !has_policy => return None,
            AfterStop::Restart | AfterStop::FailedStart | AfterStop::GiveUp(_) => {}
        }
        let OwnStop { reason, after } = own_stop.take()?;
        Some(match after {
            AfterStop::GiveUp(given_up) => Sequel::GiveUp(reason, given_up),
            AfterStop::Restart if !has_policy => Sequel::StartAt(reason, earliest),
            AfterStop::Start | AfterStop::Restart | AfterStop::FailedStart => {
                Sequel::FailedStart(reason)
            }
        })
    }

    /// A stop has come to its end: starts what is to start again.
    pub(crate) fn start_what_is_to_start_again(&mut self, id: ProcessId, step: &mut Step<'_>) {
        if let Some(process) = self.processes.get_mut(&id)
            && process.state == ProcessState::Stopped
            && let Some(service) = &mut process.service
            && let Some(OwnStop { reason, .. }) = service.own_stop.take()
        {
            self.start(id, reason, step);
        }
    }
}

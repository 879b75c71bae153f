//! Stops after which a service starts again by itself: for its liveness, its memory, its dependencies.

use crate::supervisor::{Step, Supervisor};
use crate::{ProcessId, ProcessState, Reason};

impl Supervisor {
    /// Stops a running service and starts it again when it is down.
    ///
    /// A stop that a person or the daemon's end asks for meanwhile wins: then it stays down.
    pub(crate) fn stop_and_start(&mut self, id: ProcessId, reason: &Reason, step: &mut Step<'_>) {
        self.stop(id, reason.clone(), step);
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        if process.state.is_stopped() {
            return self.start(id, reason.clone(), step);
        }
        if let Some(service) = &mut process.service {
            service.start_again = Some(reason.clone());
        }
    }

    /// What is being stopped stays down.
    pub(crate) fn stays_down(&mut self, id: ProcessId) {
        if let Some(process) = self.processes.get_mut(&id)
            && let Some(service) = &mut process.service
        {
            service.start_again = None;
        }
    }

    /// A stop has come to its end: starts what is to start again.
    pub(crate) fn start_what_is_to_start_again(&mut self, id: ProcessId, step: &mut Step<'_>) {
        if let Some(process) = self.processes.get_mut(&id)
            && process.state == ProcessState::Stopped
            && let Some(service) = &mut process.service
            && let Some(reason) = service.start_again.take()
        {
            self.start(id, reason, step);
        }
    }
}

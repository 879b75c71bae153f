//! What runs to its end once, and the marker that says so for good.

use std::time::Duration;

use crate::service::{Finale, MarkerState, OccurrenceKind, Preparing};
use crate::supervisor::{Step, Supervisor};
use crate::{Action, ExitStatus, Generation, Message, ProcessId, ProcessState, Reason};

/// How long the end of the daemon waits for markers that are being written.
pub(crate) const MARKERS_LIMIT: Duration = Duration::from_secs(5);

impl Supervisor {
    /// Whether a process has run to its end with success since the daemon began, or its marker says so.
    pub(crate) fn is_completed(&self, id: ProcessId) -> bool {
        self.processes
            .get(&id)
            .is_some_and(|process| process.is_completed)
    }

    pub(crate) fn is_oneshot(&self, id: ProcessId) -> bool {
        self.processes
            .get(&id)
            .and_then(|process| process.config.service.as_ref())
            .is_some_and(|options| options.oneshot)
    }

    /// The marker of a oneshot.
    fn marker(&self, id: ProcessId) -> Option<String> {
        let options = self.processes.get(&id)?.config.service.as_ref()?;
        options.marker.clone().filter(|_| options.oneshot)
    }

    /// Asks for the marker, if there is one.
    pub(crate) fn open_marker(&mut self, id: ProcessId, step: &mut Step<'_>) -> bool {
        let (Some(path), Some(process)) = (self.marker(id), self.processes.get(&id)) else {
            return false;
        };
        let is_noted = process
            .service
            .as_ref()
            .is_some_and(|service| service.is_noted);
        step.act(Action::OpenMarker {
            process: id,
            generation: process.generation,
            path,
            is_noted,
        });
        true
    }

    pub(crate) fn marker_opened(
        &mut self,
        id: ProcessId,
        generation: Generation,
        state: MarkerState,
        step: &mut Step<'_>,
    ) {
        let is_awaited = self.processes.get(&id).is_some_and(|process| {
            process.generation == generation
                && process
                    .service
                    .as_ref()
                    .is_some_and(|service| service.preparing == Preparing::Marker)
        });
        if !is_awaited {
            return;
        }
        match state {
            MarkerState::Committed => self.done_before(id, step),
            MarkerState::Fresh => {
                self.set_noted(id, true);
                self.after_marker(id, step);
            }
            MarkerState::Interrupted => self.after_marker(id, step),
            MarkerState::Failed(text) => {
                self.start_failed(id, Reason::MarkerFailed { text }, step);
            }
        }
    }

    /// A process is there, so whoever finds no marker after its end finds a job that was interrupted.
    pub(crate) fn job_has_begun(&mut self, id: ProcessId) {
        self.set_noted(id, false);
    }

    fn set_noted(&mut self, id: ProcessId, is_noted: bool) {
        if let Some(process) = self.processes.get_mut(&id)
            && let Some(service) = &mut process.service
        {
            service.is_noted = is_noted;
        }
    }

    /// A oneshot need not run: it passes through the states of one that has done so at once.
    fn done_before(&mut self, id: ProcessId, step: &mut Step<'_>) {
        self.set_preparing(id, Preparing::Not);
        let path = self.marker(id).unwrap_or_default();
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        process.life = crate::process::Life::None;
        process.exit_status = Some(0);
        process.stop_wall = Some(step.now.wall);
        let name = process.config.name.clone();
        self.change_state(id, ProcessState::Running, Reason::DoneBefore, step);
        self.change_state(id, ProcessState::Exited, Reason::DoneBefore, step);
        step.act(Action::Log(Message::DoneBefore { name, path }));
        self.complete(id, step);
        self.ended_for_good(id, Finale::Exit, step);
    }

    /// A process has ended by itself with an expected exit status. A oneshot with a marker is complete when
    /// that has been written.
    pub(crate) fn ended_well(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let (Some(path), Some(process)) = (self.marker(id), self.processes.get_mut(&id)) else {
            return self.complete(id, step);
        };
        let generation = process.generation;
        if let Some(service) = &mut process.service {
            service.committing = Some(generation);
        }
        step.act(Action::CommitMarker {
            process: id,
            generation,
            path,
        });
    }

    fn complete(&mut self, id: ProcessId, step: &mut Step<'_>) {
        if let Some(process) = self.processes.get_mut(&id) {
            process.is_completed = true;
        }
        if self.is_oneshot(id) {
            self.record(id, OccurrenceKind::Completed, step);
        }
        self.completed_changed(id, step);
    }

    /// Whether the marker of a process is being written; its next start waits for that.
    pub(crate) fn is_committing(&self, id: ProcessId) -> bool {
        self.processes
            .get(&id)
            .and_then(|process| process.service.as_ref())
            .is_some_and(|service| service.committing.is_some())
    }

    /// Whether any marker is being written.
    pub(crate) fn waits_for_markers(&self) -> bool {
        self.processes.keys().any(|id| self.is_committing(*id))
    }

    pub(crate) fn marker_committed(
        &mut self,
        id: ProcessId,
        generation: Generation,
        failure: Option<String>,
        step: &mut Step<'_>,
    ) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        let Some(service) = process
            .service
            .as_mut()
            .filter(|service| service.committing == Some(generation))
        else {
            return;
        };
        service.committing = None;
        let is_current = process.generation == generation && process.state == ProcessState::Exited;
        match failure {
            None => {
                self.complete(id, step);
                if is_current {
                    self.ended_for_good(id, Finale::Exit, step);
                }
            }
            Some(text) => {
                let name = process.config.name.clone();
                let reason = Reason::MarkerFailed { text };
                process.spawn_error = Some(reason.to_string());
                step.act(Action::Log(Message::MarkerNotWritten {
                    name,
                    reason: reason.clone(),
                }));
                // What cannot be noted is not done, and doing it again would not help.
                if is_current && self.shutdown.is_none() {
                    self.change_state(id, ProcessState::Backoff, reason.clone(), step);
                    self.give_up(id, reason, step);
                }
            }
        }
        self.unblock(id, step);
    }

    /// Whether a process that has ended is a oneshot that has done its work.
    pub(crate) fn is_done(&self, id: ProcessId, status: ExitStatus) -> bool {
        self.is_oneshot(id)
            && self
                .processes
                .get(&id)
                .is_some_and(|process| process.is_expected(status))
    }
}

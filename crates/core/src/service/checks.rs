//! Readiness and liveness.

use serde::{Deserialize, Serialize};

use crate::service::{Check, Notification, ProbeOutcome};
use crate::supervisor::{Step, Supervisor};
use crate::{Generation, ProcessId, ProcessState};

/// How the checks of a service stand.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Checking {}

impl Supervisor {
    /// Whether a process is ready: RUNNING, and all its readiness checks pass.
    pub(crate) fn is_ready(&self, id: ProcessId) -> bool {
        self.processes
            .get(&id)
            .is_some_and(|process| process.state == ProcessState::Running)
    }

    /// There is a process: its checks begin.
    pub(crate) fn checks_begin(&mut self, _id: ProcessId, _step: &mut Step<'_>) {}

    /// It is about to stop or has ended: its checks end.
    pub(crate) fn checks_end(&mut self, _id: ProcessId, _step: &mut Step<'_>) {}

    pub(crate) fn probed(
        &mut self,
        _id: ProcessId,
        _generation: Generation,
        _check: Check,
        _attempt: u32,
        _outcome: ProbeOutcome,
        _step: &mut Step<'_>,
    ) {
    }

    pub(crate) fn notified(
        &mut self,
        _id: ProcessId,
        _generation: Generation,
        _notification: Notification,
        _step: &mut Step<'_>,
    ) {
    }

    pub(crate) fn memory_measured(
        &mut self,
        _id: ProcessId,
        _generation: Generation,
        _bytes: u64,
        _step: &mut Step<'_>,
    ) {
    }
}

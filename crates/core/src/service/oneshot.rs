//! What runs to its end once, and the marker that says so for good.

use crate::service::MarkerState;
use crate::supervisor::{Step, Supervisor};
use crate::{Generation, ProcessId};

impl Supervisor {
    pub(crate) fn marker_opened(
        &mut self,
        _id: ProcessId,
        _generation: Generation,
        _state: MarkerState,
        _step: &mut Step<'_>,
    ) {
    }

    pub(crate) fn marker_committed(
        &mut self,
        _id: ProcessId,
        _generation: Generation,
        _failure: Option<String>,
        _step: &mut Step<'_>,
    ) {
    }

    /// Whether a process has run to its end with success since the daemon began.
    pub(crate) fn is_completed(&self, id: ProcessId) -> bool {
        self.processes
            .get(&id)
            .and_then(|process| process.service.as_ref())
            .is_some_and(|service| service.completed)
    }
}

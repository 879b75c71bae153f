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
}

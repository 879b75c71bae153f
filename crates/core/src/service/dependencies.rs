//! Who waits for whom.

use serde::{Deserialize, Serialize};

use crate::ProcessId;
use crate::supervisor::{Step, Supervisor};

/// What a service waits for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Waiting {}

impl Supervisor {
    /// A service has become ready, or is ready no more.
    #[expect(dead_code, reason = "readiness calls it next")]
    pub(crate) fn readiness_changed(&mut self, _id: ProcessId, _step: &mut Step<'_>) {}

    /// A process has run to its end with success, or its marker says so.
    #[expect(dead_code, reason = "oneshots call it next")]
    pub(crate) fn completed_changed(&mut self, _id: ProcessId, _step: &mut Step<'_>) {}
}

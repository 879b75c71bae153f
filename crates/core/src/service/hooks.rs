//! Commands around the life of a service.

use serde::{Deserialize, Serialize};

use crate::service::HookPoint;
use crate::supervisor::{Step, Supervisor};
use crate::{Action, Failure, Generation, OperationId, Outcome, ProcessId, Target};

/// How far the preparation of a start has come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Preparing {}

impl Supervisor {
    pub(crate) fn hook_ended(
        &mut self,
        _id: ProcessId,
        _generation: Generation,
        _point: HookPoint,
        _failure: Option<String>,
        _step: &mut Step<'_>,
    ) {
    }

    pub(crate) fn out_of_memory(
        &mut self,
        id: ProcessId,
        generation: Generation,
        _step: &mut Step<'_>,
    ) {
        if let Some(process) = self.processes.get_mut(&id)
            && process.generation == generation
        {
            process.out_of_memory = true;
        }
    }

    pub(crate) fn begin_service_reload(
        &mut self,
        operation: OperationId,
        _target: &Target,
        step: &mut Step<'_>,
    ) {
        let outcome = Outcome::Failed(Failure::Failed("not supported yet".to_owned()));
        step.act(Action::Reply { operation, outcome });
    }
}

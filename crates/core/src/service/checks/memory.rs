//! The ceiling of memory: how much a process group uses is asked for again and again, one question at a
//! time, and one that uses too much is started again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::service::AfterStop;
use crate::supervisor::{Step, Supervisor};
use crate::timers::Timer;
use crate::{Action, Generation, Monotonic, ProcessId, Reason};

/// After that long a question that was not answered is asked again.
const LOST_AFTER: Duration = Duration::from_secs(60);

/// Least time between two questions.
const LEAST_INTERVAL: Duration = Duration::from_millis(100);

/// What is known of the memory of a service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Memory {
    /// When the question was asked that is not answered.
    asked: Option<Monotonic>,
    /// The latest answer, in bytes.
    pub(super) bytes: Option<u64>,
}

impl Supervisor {
    pub(super) fn measure_later(&mut self, id: ProcessId, step: &Step<'_>) {
        let Some((config, _)) = self.checked(id) else {
            return;
        };
        let Some(service) = config.service.as_ref().filter(|it| it.memory_max > 0) else {
            return;
        };
        let interval = service.memory_interval.max(LEAST_INTERVAL);
        self.timers
            .set(Timer::Memory(id), step.now.monotonic + interval);
    }

    pub(crate) fn memory_timer(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let now = step.now.monotonic;
        let Some((_, checking)) = self.checked(id) else {
            return;
        };
        let is_answered = checking
            .memory
            .asked
            .is_none_or(|asked| now.since(asked) >= LOST_AFTER);
        if is_answered {
            checking.memory.asked = Some(now);
            if let Some((process, _)) = self.living(id) {
                step.act(Action::MeasureMemory {
                    process: id,
                    generation: process.generation,
                    pgid: process.pgid,
                });
            }
        }
        self.measure_later(id, step);
    }

    pub(crate) fn memory_measured(
        &mut self,
        id: ProcessId,
        generation: Generation,
        bytes: u64,
        step: &mut Step<'_>,
    ) {
        let Some(after) = self
            .processes
            .get(&id)
            .filter(|process| process.generation == generation)
            .map(AfterStop::again)
        else {
            return;
        };
        let is_going_down = self.is_going_down(id);
        let Some((config, checking)) = self.checked(id) else {
            return;
        };
        checking.memory.asked = None;
        checking.memory.bytes = (bytes > 0).then_some(bytes);
        let limit = match &config.service {
            Some(service) => service.memory_max,
            None => return,
        };
        if limit == 0 || bytes <= limit || is_going_down {
            return;
        }
        self.stop_and_then(id, Reason::MemoryExceeded { bytes, limit }, after, step);
    }
}

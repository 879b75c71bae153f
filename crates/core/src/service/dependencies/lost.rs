//! A dependency has changed under a service that waits for it, or that needs it.

use linchpin_config::{Condition, OnDependencyLost};

use super::graph::{dependencies, meant};
use crate::process::Life;
use crate::supervisor::{Step, Supervisor};
use crate::{ProcessId, ProcessState, Reason};

impl Supervisor {
    /// Looks what a change of `needed` means for a service that depends on it.
    pub(super) fn dependency_changed(
        &mut self,
        dependent: ProcessId,
        needed: ProcessId,
        step: &mut Step<'_>,
    ) {
        let Some(process) = self.processes.get(&dependent) else {
            return;
        };
        match process.state {
            ProcessState::Starting if process.life == Life::Blocked => {
                self.dependencies.to_look_at.insert(dependent);
            }
            ProcessState::Starting | ProcessState::Running => {
                self.dependency_may_be_lost(dependent, needed, step);
            }
            ProcessState::Stopped
            | ProcessState::Backoff
            | ProcessState::Stopping
            | ProcessState::Exited
            | ProcessState::Fatal
            | ProcessState::Unknown => {}
        }
    }

    fn dependency_may_be_lost(
        &mut self,
        dependent: ProcessId,
        needed: ProcessId,
        step: &mut Step<'_>,
    ) {
        let (Some(process), Some(lost)) =
            (self.processes.get(&dependent), self.processes.get(&needed))
        else {
            return;
        };
        let Some(service) = &process.config.service else {
            return;
        };
        // Not ready is not gone: whoever only is slow for a moment must not take others down.
        if lost.state == ProcessState::Running || self.shutdown.is_some() {
            return;
        }
        // One that has ended itself, or is to be stopped, is on its way without our help.
        if !matches!(process.life, Life::Alive { .. } | Life::InFlight)
            || self.stop_is_held(dependent)
        {
            return;
        }
        let needs_it_up = dependencies(process).iter().any(|dependency| {
            matches!(dependency.condition, Condition::Started | Condition::Ready)
                && meant(&self.groups, dependency).contains(&needed)
        });
        if !needs_it_up {
            return;
        }
        let reason = Reason::DependencyLost { name: lost.spec() };
        match service.on_dependency_lost {
            OnDependencyLost::Keep => {}
            OnDependencyLost::Restart => self.stop_and_start(dependent, &reason, step),
            OnDependencyLost::Stop => self.stop(dependent, reason, step),
        }
    }
}

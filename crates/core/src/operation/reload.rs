//! Reload operations: a service is to read its configuration again, by a command or a signal of its own.

use super::{Ended, Kind, Part, Progress, Watcher};
use crate::process::Life;
use crate::supervisor::{Step, Supervisor};
use crate::{
    Action, Failure, HookPoint, Message, OperationId, ProcessId, SignalPurpose, SignalTarget,
    Target,
};

impl Supervisor {
    pub(crate) fn begin_service_reload(
        &mut self,
        id: OperationId,
        target: &Target,
        step: &mut Step<'_>,
    ) {
        for (watcher, process) in self.begin(id, target, Kind::Reload, step) {
            self.begin_reload_of(watcher, process, step);
        }
    }

    fn begin_reload_of(&mut self, watcher: Watcher, id: ProcessId, step: &mut Step<'_>) {
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        let signal = process
            .config
            .service
            .as_ref()
            .and_then(|options| options.reload_signal);
        let pid = match process.life {
            Life::Alive { pid } if process.state.is_running() => pid,
            // What is not there, or is about to go, reads its configuration when it starts.
            Life::Alive { .. }
            | Life::None
            | Life::Blocked
            | Life::InFlight
            | Life::Ended { .. } => {
                let result = |part: &Part| Err(Failure::NotRunning(part.spec()));
                return self.finish_part(watcher, Ended::AtOnce, result, step);
            }
        };
        if self.runs_hook(id, HookPoint::Reload) {
            let result = |part: &Part| {
                Err(Failure::Failed(format!(
                    "{} is being reloaded already",
                    part.spec()
                )))
            };
            return self.finish_part(watcher, Ended::AtOnce, result, step);
        }
        let (name, section) = (process.config.name.clone(), process.config.section.clone());
        let generation = process.generation;
        self.set_progress(watcher, Progress::Signalled);
        if self.run_hook(id, HookPoint::Reload, Some(watcher.operation), step) {
            return;
        }
        let Some(signal) = signal else {
            let result = |part: &Part| {
                Err(Failure::Failed(format!(
                    "{} has no way to be reloaded: set reload_signal or reload_command in [{section}]",
                    part.spec()
                )))
            };
            return self.finish_part(watcher, Ended::AtOnce, result, step);
        };
        step.act(Action::Log(Message::SendingSignal { name, pid, signal }));
        step.act(Action::Signal {
            process: id,
            generation,
            target: SignalTarget::Process(pid),
            signal,
            purpose: SignalPurpose::Operation(watcher.operation),
        });
    }

    /// A `reload_command` has ended.
    pub(crate) fn reload_ended(
        &mut self,
        operation: OperationId,
        process: ProcessId,
        failure: Option<String>,
        step: &mut Step<'_>,
    ) {
        if let Some(watcher) = self.watcher_of(operation, process) {
            let result = |part: &Part| match failure {
                None => Ok(()),
                Some(text) => Err(Failure::Failed(format!(
                    "reload_command of {} failed: {text}",
                    part.spec()
                ))),
            };
            self.finish_part(watcher, Ended::Late, result, step);
        }
    }
}

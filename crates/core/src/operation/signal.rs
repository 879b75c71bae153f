//! Signal operations, and the answers to every signal that an operation waits for.

use super::{Ended, Kind, Part, Progress, Watcher};
use crate::process::Life;
use crate::supervisor::{Step, Supervisor};
use crate::{
    Action, Failure, Message, OperationId, ProcessId, SignalPurpose, SignalTarget, Target,
};

impl Supervisor {
    pub(crate) fn begin_signal(
        &mut self,
        id: OperationId,
        target: &Target,
        signal: i32,
        step: &mut Step<'_>,
    ) {
        for (watcher, process) in self.begin(id, target, Kind::Signal(signal), step) {
            self.look_at_signal(watcher, process, signal, step);
        }
    }

    /// Sends the signal as soon as there is somebody to get it.
    pub(super) fn look_at_signal(
        &mut self,
        watcher: Watcher,
        process: ProcessId,
        signal: i32,
        step: &mut Step<'_>,
    ) {
        let Some(current) = self.processes.get(&process) else {
            return;
        };
        // What waits for its dependencies may do so for ever.
        if !current.state.is_signallable() || self.waits_now(process) {
            let result = |part: &Part| Err(Failure::NotRunning(part.spec()));
            return self.finish_part(watcher, Ended::AtOnce, result, step);
        }
        match current.life {
            Life::Alive { pid } => {
                let generation = current.generation;
                step.act(Action::Log(Message::SendingSignal {
                    name: current.config.name.clone(),
                    pid,
                    signal,
                }));
                step.act(Action::Signal {
                    process,
                    generation,
                    target: SignalTarget::Process(pid),
                    signal,
                    purpose: SignalPurpose::Operation(watcher.operation),
                });
                // Sent once: from here on only the answer counts.
                self.set_progress(watcher, Progress::Signalled);
            }
            // As if it had ended just after the signal.
            Life::Ended { .. } => self.finish_part(watcher, Ended::AtOnce, |_| Ok(()), step),
            Life::None | Life::Blocked | Life::InFlight => {}
        }
    }

    /// The signal that an operation sends to a process.
    pub(crate) fn signal_of(&self, id: OperationId, process: ProcessId) -> Option<i32> {
        match self.operations.get(&id)?.kind {
            Kind::Signal(signal) => Some(signal),
            Kind::Reload => {
                let options = self.processes.get(&process)?.config.service.as_ref()?;
                options.reload_signal
            }
            Kind::Start { .. } | Kind::Stop { .. } => None,
        }
    }

    /// A signal was sent or refused: those that waited for just that are done.
    pub(crate) fn signal_answered(
        &mut self,
        process: ProcessId,
        purpose: SignalPurpose,
        result: Result<(), String>,
        step: &mut Step<'_>,
    ) {
        let result = result.map_err(Failure::Failed);
        match purpose {
            SignalPurpose::Operation(id) => {
                if let Some(watcher) = self.watcher_of(id, process) {
                    self.finish_part(watcher, Ended::AtOnce, |_| result, step);
                }
            }
            SignalPurpose::Stop | SignalPurpose::Kill => {
                let ended = if purpose == SignalPurpose::Stop {
                    Ended::AtOnce
                } else {
                    Ended::Late
                };
                for watcher in self.watchers(process) {
                    let is_answer = self.part(watcher).is_some_and(|(kind, _)| match kind {
                        Kind::Stop { wait } => !wait || result.is_err(),
                        Kind::Start { .. } | Kind::Signal(_) | Kind::Reload => false,
                    });
                    if is_answer {
                        self.finish_part(watcher, ended, |_| result.clone(), step);
                    }
                }
            }
            SignalPurpose::Remains => {}
        }
    }
}

//! Start operations: is the command there, is there a process, is it up.

use super::{Ended, Kind, Part, Progress, Watcher};
use crate::lifecycle::Restart;
use crate::process::Life;
use crate::supervisor::{Step, Supervisor};
use crate::{
    Action, Failure, Message, OperationId, ProcessId, ProcessState, Reason, SpawnFailure,
    SpawnFailureKind, Target,
};

impl Supervisor {
    pub(crate) fn begin_start(
        &mut self,
        id: OperationId,
        target: &Target,
        wait: bool,
        step: &mut Step<'_>,
    ) {
        for (_, process) in self.begin(id, target, Kind::Start { wait }, step) {
            if let Some(config) = self
                .processes
                .get(&process)
                .map(|process| process.config.clone())
            {
                step.act(Action::CheckCommand {
                    operation: id,
                    process,
                    config,
                });
            }
        }
    }

    pub(crate) fn command_checked(
        &mut self,
        id: OperationId,
        process: ProcessId,
        failure: Option<SpawnFailure>,
        step: &mut Step<'_>,
    ) {
        let Some(watcher) = self.watcher_of(id, process) else {
            return;
        };
        if self
            .part(watcher)
            .is_none_or(|(_, part)| part.progress != Progress::Checking)
        {
            return;
        }
        // An end that is only waiting for its last output has happened, as far as a client can tell.
        self.complete_exit(process, Restart::AsConfigured, step);
        let answer = match failure {
            Some(failure) => Some(Err(match failure.kind {
                SpawnFailureKind::NoFile => Failure::NoFile(failure.text),
                SpawnFailureKind::NotExecutable => Failure::NotExecutable(failure.text),
                SpawnFailureKind::Socket | SpawnFailureKind::Other => Failure::Failed(failure.text),
            })),
            None => self.refusal_to_start(watcher, process, step),
        };
        if let Some(answer) = answer {
            return self.finish_part(watcher, Ended::AtOnce, |_| answer, step);
        }
        self.set_progress(watcher, Progress::Spawning);
        self.start(process, Reason::Requested, step);
    }

    /// What a start is answered with that does not come to anything, in the present state.
    fn refusal_to_start(
        &self,
        watcher: Watcher,
        process: ProcessId,
        step: &mut Step<'_>,
    ) -> Option<Result<(), Failure>> {
        let (kind, part) = self.part(watcher)?;
        let process = self.processes.get(&process)?;
        match process.state {
            ProcessState::Starting | ProcessState::Running | ProcessState::Backoff => {
                Some(Err(Failure::AlreadyStarted(part.spec())))
            }
            ProcessState::Unknown => Some(Err(is_unknown(part))),
            ProcessState::Stopping => {
                step.act(Action::Log(Message::AlreadyRunning {
                    name: process.config.name.clone(),
                }));
                Some(if kind == (Kind::Start { wait: true }) {
                    Err(Failure::AbnormalTermination(part.spec()))
                } else {
                    Ok(())
                })
            }
            ProcessState::Stopped | ProcessState::Exited | ProcessState::Fatal => None,
        }
    }

    /// Moves a start on that has been asked for.
    pub(super) fn look_at_start(
        &mut self,
        watcher: Watcher,
        process: ProcessId,
        step: &mut Step<'_>,
    ) {
        let (Some((kind, part)), Some(current)) =
            (self.part(watcher), self.processes.get(&process))
        else {
            return;
        };
        let ended = if part.progress == Progress::Spawning {
            Ended::AtOnce
        } else {
            Ended::Late
        };
        match current.state {
            ProcessState::Starting => match current.life {
                Life::Alive { .. } | Life::Ended { .. } => {
                    if kind == (Kind::Start { wait: true }) {
                        self.set_progress(watcher, Progress::Starting);
                    } else {
                        self.finish_part(watcher, ended, |_| Ok(()), step);
                    }
                }
                // Who does not wait for the start does not wait for what it waits for.
                Life::Blocked
                    if kind == (Kind::Start { wait: false }) && self.waits_now(process) =>
                {
                    self.finish_part(watcher, ended, |_| Ok(()), step);
                }
                Life::None | Life::Blocked | Life::InFlight => {}
            },
            ProcessState::Running => self.finish_part(watcher, ended, |_| Ok(()), step),
            ProcessState::Stopped
            | ProcessState::Backoff
            | ProcessState::Stopping
            | ProcessState::Exited
            | ProcessState::Fatal
            | ProcessState::Unknown => {
                let has_failed = current.spawn_error.is_some();
                let result = |part: &Part| {
                    Err(if has_failed {
                        Failure::SpawnError(part.spec())
                    } else {
                        Failure::AbnormalTermination(part.spec())
                    })
                };
                self.finish_part(watcher, ended, result, step);
            }
        }
    }
}

/// The failure of an operation on a process in UNKNOWN.
pub(super) fn is_unknown(part: &Part) -> Failure {
    Failure::Failed(format!("{} is in an unknown process state", part.spec()))
}

//! Stop operations: is there something to stop, has it been told, is it down.

use std::time::Duration;

use super::start::is_unknown;
use super::{Ended, Kind, Part, Progress, Watcher};
use crate::lifecycle::Restart;
use crate::process::Life;
use crate::supervisor::{Step, Supervisor};
use crate::timers::Timer;
use crate::{Action, Failure, Message, OperationId, ProcessId, ProcessState, Reason, Target};

/// How often a waited stop is reported.
const STOP_REPORT_INTERVAL: Duration = Duration::from_secs(2);

impl Supervisor {
    pub(crate) fn begin_stop(
        &mut self,
        id: OperationId,
        target: &Target,
        wait: bool,
        step: &mut Step<'_>,
    ) {
        if !matches!(target, Target::Process { .. }) {
            self.cancel_restarts(target, step);
        }
        let parts = self.begin(id, target, Kind::Stop { wait }, step);
        let targets: Vec<ProcessId> = parts.iter().map(|(_, process)| *process).collect();
        let dependents = self.hold_stops(&targets);
        for dependent in dependents {
            self.stop_dependent(dependent, step);
        }
        for (watcher, process) in parts {
            self.begin_stop_of(watcher, process, wait, step);
        }
    }

    /// What is down and would come up again by itself does not, though it is not listed.
    fn cancel_restarts(&mut self, target: &Target, step: &mut Step<'_>) {
        let (_, processes) = self.processes_of(target).unwrap_or_default();
        for process in processes {
            self.stays_down(process);
            if self.processes.get(&process).is_some_and(|process| {
                matches!(process.state, ProcessState::Exited | ProcessState::Fatal)
            }) {
                self.stop(process, Reason::Requested, step);
            }
        }
    }

    fn begin_stop_of(
        &mut self,
        watcher: Watcher,
        process: ProcessId,
        wait: bool,
        step: &mut Step<'_>,
    ) {
        let Some(current) = self.processes.get(&process) else {
            return;
        };
        let (state, joins) = (current.state, current.goes_down_by_itself());
        self.stays_down(process);
        if joins {
            if wait {
                self.set_progress(watcher, Progress::Stopping);
                self.report_stop(process, step);
            } else {
                self.finish_part(watcher, Ended::AtOnce, |_| Ok(()), step);
            }
            return;
        }
        if !state.is_running() {
            // An end that is only waiting for its last output has happened, as far as a client can tell.
            self.complete_exit(process, Restart::Forbidden, step);
            // Nothing to stop; but what would start again by itself does not.
            self.stop(process, Reason::Requested, step);
            let result = |part: &Part| Err(Failure::NotRunning(part.spec()));
            return self.finish_part(watcher, Ended::AtOnce, result, step);
        }
        if self.stop_is_held(process) {
            if wait {
                self.set_progress(watcher, Progress::Stopping);
            } else {
                // How long its dependents take is not what this client waits for.
                self.finish_part(watcher, Ended::AtOnce, |_| Ok(()), step);
            }
            return;
        }
        self.stop(process, Reason::Requested, step);
        let Some(current) = self.processes.get(&process) else {
            return;
        };
        let has_time = current.life == Life::InFlight || self.stop_is_at_hook(process);
        if current.state.is_stopped() || (!wait && has_time) {
            // In flight: the signal goes out as soon as there is somebody to get it. At a hook: when that
            // has ended, if at all.
            return self.finish_part(watcher, Ended::AtOnce, |_| Ok(()), step);
        }
        if wait {
            self.set_progress(watcher, Progress::Stopping);
            self.report_stop(process, step);
        }
    }

    /// Moves a stop on whose signal has been asked for.
    pub(super) fn look_at_stop(
        &mut self,
        watcher: Watcher,
        process: ProcessId,
        step: &mut Step<'_>,
    ) {
        let (Some((_, part)), Some(current)) = (self.part(watcher), self.processes.get(&process))
        else {
            return;
        };
        let ended = if part.progress == Progress::Stopping {
            Ended::Late
        } else {
            Ended::AtOnce
        };
        match current.state {
            ProcessState::Stopped | ProcessState::Exited | ProcessState::Fatal => {
                self.finish_part(watcher, ended, |_| Ok(()), step);
            }
            // Somebody else's signal was refused.
            ProcessState::Unknown => {
                self.finish_part(watcher, ended, |part| Err(is_unknown(part)), step);
            }
            ProcessState::Starting
            | ProcessState::Running
            | ProcessState::Backoff
            | ProcessState::Stopping => {}
        }
    }

    /// Says that a stop is waited for, if it still is.
    pub(crate) fn report_stop(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        let is_waited_for = process.watchers.iter().any(|watcher| {
            self.operations
                .get(&watcher.operation)
                .is_some_and(|operation| operation.kind == Kind::Stop { wait: true })
        });
        if process.state == ProcessState::Stopping && is_waited_for {
            step.act(Action::Log(Message::WaitingToStop {
                name: process.config.name.clone(),
            }));
            self.timers.set(
                Timer::StopReport(id),
                step.now.monotonic + STOP_REPORT_INTERVAL,
            );
        }
    }
}

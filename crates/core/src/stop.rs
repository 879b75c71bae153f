//! The stop of one process: the stop signal, the grace period, SIGKILL, and answers to signals.
//!
//! A stop ends when the leader has been reaped. What remains of its process group after that is in
//! `remains`.

use std::time::Duration;

use crate::lifecycle::Restart;
use crate::process::Life;
use crate::supervisor::{Step, Supervisor};
use crate::time::seconds;
use crate::timers::Timer;
use crate::{
    Action, Generation, HookPoint, Message, ProcessId, ProcessState, Reason, SignalOutcome,
    SignalPurpose, SignalTarget,
};

pub(crate) const SIGKILL: i32 = 9;

/// Least time between two SIGKILLs, whatever `stopwaitsecs` says.
const LEAST_KILL_INTERVAL: Duration = Duration::from_secs(1);

impl Supervisor {
    /// Stops a process on request or for the daemon's end.
    ///
    /// What waits for its next start is simply not started; what is stopping or stopped is left alone.
    pub(crate) fn stop(&mut self, id: ProcessId, reason: Reason, step: &mut Step<'_>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        match process.state {
            ProcessState::Backoff => self.stop_in_backoff(id, reason, step),
            ProcessState::Starting | ProcessState::Running => {
                process.was_killed = false;
                match process.life {
                    Life::Alive { .. } => self.stop_alive(id, reason, step),
                    Life::Ended { .. } => {
                        self.complete_exit(id, Restart::Forbidden, step);
                        // An end before startsecs leads to BACKOFF, which is no end of a stop.
                        self.stop_in_backoff(id, reason, step);
                    }
                    Life::InFlight => {
                        let at = step.now.monotonic + seconds(process.config.stopwaitsecs);
                        self.timers.set(Timer::Process(id), at);
                        self.change_state(id, ProcessState::Stopping, reason, step);
                    }
                    Life::Blocked | Life::None => {
                        process.life = Life::None;
                        self.end_preparation(id, step);
                        self.change_state(id, ProcessState::Stopping, reason, step);
                        self.stopped_without_process(id, step);
                    }
                }
            }
            ProcessState::Exited | ProcessState::Fatal => self.timers.cancel(Timer::Process(id)),
            ProcessState::Stopped | ProcessState::Stopping | ProcessState::Unknown => {}
        }
    }

    fn stop_alive(&mut self, id: ProcessId, reason: Reason, step: &mut Step<'_>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        let hooks = process
            .config
            .service
            .as_ref()
            .map(|options| &options.hooks);
        if hooks.is_none_or(|hooks| hooks.pre_stop.is_none() && hooks.stop_command.is_none()) {
            self.log_stop_signal(id, step);
            self.change_state(id, ProcessState::Stopping, reason, step);
            self.hooks_before_stop(id, step);
            return self.send_stop_signal(id, step);
        }
        process.was_told = false;
        self.timers.cancel(Timer::Process(id));
        self.change_state(id, ProcessState::Stopping, reason, step);
        if !self.hooks_before_stop(id, step) {
            self.tell_to_stop(id, step);
        }
    }

    /// What has to come before it has been done: a process that stops is told to, in its way.
    pub(crate) fn tell_to_stop(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        if process.state != ProcessState::Stopping || !matches!(process.life, Life::Alive { .. }) {
            return;
        }
        if self.run_hook(id, HookPoint::StopCommand, None, step) {
            self.begin_grace(id, step);
        } else {
            self.log_stop_signal(id, step);
            self.send_stop_signal(id, step);
        }
    }

    /// A `stop_command` has failed: the signal takes its place. The process has as much time as before.
    pub(crate) fn signal_after_stop_command(&mut self, id: ProcessId, step: &mut Step<'_>) {
        if self
            .processes
            .get(&id)
            .is_some_and(|process| process.state == ProcessState::Stopping && !process.was_killed)
        {
            self.log_stop_signal(id, step);
            self.signal_stop(id, step);
        }
    }

    /// From here on a process has `stopwaitsecs` to end.
    fn begin_grace(&mut self, id: ProcessId, step: &Step<'_>) {
        if let Some(process) = self.processes.get_mut(&id) {
            process.stop_deadline = step.now.monotonic + seconds(process.config.stopwaitsecs);
            self.timers.set(Timer::Process(id), process.stop_deadline);
        }
    }

    /// The daemon's end makes FATAL of BACKOFF, as in the original.
    fn stop_in_backoff(&mut self, id: ProcessId, reason: Reason, step: &mut Step<'_>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        if process.state != ProcessState::Backoff {
            return;
        }
        let name = process.config.name.clone();
        process.stop_wall = Some(step.now.wall);
        self.timers.cancel(Timer::Process(id));
        if reason == Reason::DaemonStopping {
            self.change_state(id, ProcessState::Fatal, reason, step);
        } else {
            step.act(Action::Log(Message::KillingInBackoff { name }));
            self.change_state(id, ProcessState::Stopped, reason, step);
        }
    }

    /// Ends a stop of something that never came to be.
    pub(crate) fn stopped_without_process(&mut self, id: ProcessId, step: &mut Step<'_>) {
        self.timers.cancel(Timer::Process(id));
        self.timers.cancel(Timer::StopReport(id));
        if let Some(process) = self.processes.get_mut(&id) {
            process.stop_wall = Some(step.now.wall);
        }
        self.change_state(id, ProcessState::Stopped, Reason::StartAbandoned, step);
        self.start_what_is_to_start_again(id, step);
    }

    pub(crate) fn log_stop_signal(&self, id: ProcessId, step: &mut Step<'_>) {
        if let Some(process) = self.processes.get(&id)
            && let Some(pid) = process.pid()
        {
            step.act(Action::Log(Message::StopSignal {
                name: process.config.name.clone(),
                pid,
                as_group: process.config.stopasgroup,
                signal: process.config.stopsignal,
            }));
        }
    }

    pub(crate) fn send_stop_signal(&mut self, id: ProcessId, step: &mut Step<'_>) {
        if self
            .processes
            .get(&id)
            .is_some_and(|process| matches!(process.life, Life::Alive { .. }))
        {
            self.begin_grace(id, step);
            self.signal_stop(id, step);
        }
    }

    fn signal_stop(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        let Life::Alive { pid } = process.life else {
            return;
        };
        let target = if process.config.stopasgroup {
            SignalTarget::Group(process.pgid)
        } else {
            SignalTarget::Process(pid)
        };
        process.was_told = true;
        step.act(Action::Signal {
            process: id,
            generation: process.generation,
            target,
            signal: process.config.stopsignal,
            purpose: SignalPurpose::Stop,
        });
    }

    pub(crate) fn stop_timeout(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        match process.life {
            Life::Alive { pid } => {
                process.was_killed = true;
                let target = if process.config.killasgroup {
                    SignalTarget::Group(process.pgid)
                } else {
                    SignalTarget::Process(pid)
                };
                let again = seconds(process.config.stopwaitsecs).max(LEAST_KILL_INTERVAL);
                self.timers
                    .set(Timer::Process(id), step.now.monotonic + again);
                let name = process.config.name.clone();
                step.act(Action::Log(Message::Killing {
                    name: name.clone(),
                    pid,
                }));
                step.act(Action::Log(Message::StopSignal {
                    name,
                    pid,
                    as_group: process.config.killasgroup,
                    signal: SIGKILL,
                }));
                step.act(Action::Signal {
                    process: id,
                    generation: process.generation,
                    target,
                    signal: SIGKILL,
                    purpose: SignalPurpose::Kill,
                });
            }
            Life::InFlight => {
                self.abandon_start(id, step);
                self.stopped_without_process(id, step);
            }
            Life::None | Life::Blocked | Life::Ended { .. } => {}
        }
    }

    pub(crate) fn signalled(
        &mut self,
        id: ProcessId,
        generation: Generation,
        purpose: SignalPurpose,
        outcome: SignalOutcome,
        step: &mut Step<'_>,
    ) {
        if purpose == SignalPurpose::Remains {
            return self.remains_signalled(generation, outcome, step);
        }
        let Some(process) = self
            .processes
            .get(&id)
            .filter(|process| process.generation == generation)
        else {
            return self.signal_answered(id, purpose, Ok(()), step);
        };
        let name = process.config.name.clone();
        let pid = process.pid().unwrap_or(0);
        match outcome {
            SignalOutcome::Sent => self.signal_answered(id, purpose, Ok(()), step),
            SignalOutcome::Gone => {
                step.act(Action::Log(Message::SignalGone { name, pid }));
                self.signal_answered(id, purpose, Ok(()), step);
            }
            SignalOutcome::Refused(errno) => {
                let message = match purpose {
                    SignalPurpose::Stop | SignalPurpose::Kill | SignalPurpose::Remains => {
                        Message::KillRefused { name, pid, errno }
                    }
                    SignalPurpose::Operation(operation) => Message::SignalRefused {
                        name,
                        pid,
                        signal: self.signal_of(operation, id).unwrap_or(0),
                        errno,
                    },
                };
                let text = message.to_string();
                step.act(Action::Log(message));
                self.signal_answered(id, purpose, Err(text), step);
                self.lose_touch(id, errno, step);
            }
        }
    }

    /// A live process could not be signalled: nobody knows any more what it does.
    fn lose_touch(&mut self, id: ProcessId, errno: i32, step: &mut Step<'_>) {
        if self.processes.get(&id).is_some_and(|process| {
            process.state.is_signallable() && matches!(process.life, Life::Alive { .. })
        }) {
            self.timers.cancel(Timer::Process(id));
            self.timers.cancel(Timer::StopReport(id));
            self.stays_down(id);
            let reason = Reason::SignalRefused { errno };
            self.change_state(id, ProcessState::Unknown, reason, step);
        }
    }
}

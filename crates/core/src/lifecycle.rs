//! The life of one process: starting, running, ending, stopping.
//!
//! The rules are those of the original's `process.py`, with time on a clock that never jumps and with
//! answers of the operating system that may come late.

use std::time::Duration;

use crate::process::{End, Life};
use crate::supervisor::{Remains, Step, Supervisor};
use crate::time::seconds;
use crate::timers::Timer;
use crate::{
    Action, ExitStatus, Generation, Message, Notice, ProcessId, ProcessState, Reason,
    SignalOutcome, SignalPurpose, SignalTarget, SpawnFailure,
};

/// How long the end of a process may wait for its last output.
pub(crate) const DRAIN_LIMIT: Duration = Duration::from_millis(200);

/// Least time between two starts of a process that ended by itself. The original notices an end on a
/// one-second tick; without that brake a broken service would be started as fast as it can fail.
const LEAST_RESTART_INTERVAL: Duration = Duration::from_secs(1);

/// Least time between two SIGKILLs, whatever `stopwaitsecs` says.
const LEAST_KILL_INTERVAL: Duration = Duration::from_secs(1);

/// How long a start waits for what remains of its predecessor after SIGKILL was sent to it.
const REMAINS_AFTER_KILL: Duration = Duration::from_secs(1);

const SIGKILL: i32 = 9;

impl Supervisor {
    /// Moves a process to another state, and tells.
    pub(crate) fn change_state(
        &mut self,
        id: ProcessId,
        to: ProcessState,
        reason: Reason,
        step: &mut Step<'_>,
    ) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        let from = process.state;
        debug_assert!(
            from.may_become(to),
            "{}: {from:?} to {to:?} because {reason:?}",
            process.config.name
        );
        process.state = to;
        process.since = step.now;
        process.reason = reason.clone();
        if to == ProcessState::Backoff {
            process.failures = process.failures.saturating_add(1);
        }
        let expected = !matches!(
            reason,
            Reason::Exited {
                expected: false,
                ..
            }
        );
        step.act(Action::Publish(Notice::ProcessState {
            process: id,
            name: process.config.name.clone(),
            group: process.group.clone(),
            from,
            to,
            tries: process.failures,
            pid: process.pid().unwrap_or(0),
            expected,
            reason,
        }));
        if to.is_stopped()
            && let Some(shutdown) = &mut self.shutdown
        {
            shutdown.tier.remove(&id);
        }
        self.look_at_watchers(id, step);
    }

    /// Starts a process that is not running. Anything else is left alone.
    pub(crate) fn start(&mut self, id: ProcessId, reason: Reason, step: &mut Step<'_>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        if !process.state.may_become(ProcessState::Starting) || self.shutdown.is_some() {
            return;
        }
        process.spawn_error = None;
        process.exec_failure = None;
        process.exit_status = None;
        process.was_killed = false;
        process.start_wall = Some(step.now.wall);
        process.up_since = step.now.monotonic;
        process.life = Life::Blocked;
        self.timers.cancel(Timer::Process(id));
        self.change_state(id, ProcessState::Starting, reason, step);
        self.unblock(id, step);
    }

    /// Asks for the process of a start that waits, if it need not wait any longer.
    fn unblock(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        let has_remains = self.remains.values().any(|remains| remains.process == id);
        if process.life != Life::Blocked || process.abandoned.is_some() || has_remains {
            return;
        }
        self.next_generation += 1;
        process.generation = Generation(self.next_generation);
        process.life = Life::InFlight;
        process.up_since = step.now.monotonic;
        step.act(Action::Spawn {
            process: id,
            generation: process.generation,
            config: process.config.clone(),
            group: process.group.clone(),
        });
    }

    pub(crate) fn spawned(
        &mut self,
        id: ProcessId,
        generation: Generation,
        pid: i32,
        exec_failure: Option<String>,
        step: &mut Step<'_>,
    ) {
        let is_current = |process: &&mut crate::process::Process| {
            process.generation == generation && process.life == Life::InFlight
        };
        let Some(process) = self.processes.get_mut(&id).filter(is_current) else {
            // Its start was given up, or its group removed: it must not live.
            step.act(Action::Signal {
                process: id,
                generation,
                target: SignalTarget::Process(pid),
                signal: SIGKILL,
                purpose: SignalPurpose::Remains,
            });
            return;
        };
        process.life = Life::Alive { pid };
        process.exec_failure = exec_failure;
        process.up_since = step.now.monotonic;
        let (state, startsecs) = (process.state, process.config.startsecs);
        step.act(Action::Log(Message::Spawned {
            name: process.config.name.clone(),
            pid,
        }));
        if state == ProcessState::Stopping {
            self.send_stop_signal(id, step);
        } else if startsecs <= 0 {
            self.entered_running(id, step);
        } else {
            self.timers
                .set(Timer::Process(id), step.now.monotonic + seconds(startsecs));
        }
        self.look_at_watchers(id, step);
    }

    pub(crate) fn spawn_failed(
        &mut self,
        id: ProcessId,
        generation: Generation,
        failure: SpawnFailure,
        step: &mut Step<'_>,
    ) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        if process.abandoned == Some(generation) {
            process.abandoned = None;
            self.unblock(id, step);
            return;
        }
        if process.generation != generation || process.life != Life::InFlight {
            return;
        }
        process.life = Life::None;
        process.spawn_error = Some(failure.text.clone());
        let state = process.state;
        step.act(Action::Log(Message::SpawnError {
            text: failure.text.clone(),
        }));
        if state == ProcessState::Stopping {
            self.stopped_without_process(id, step);
        } else {
            self.enter_backoff(id, Reason::SpawnFailed { text: failure.text }, step);
        }
    }

    /// Ends a stop of something that never came to be.
    fn stopped_without_process(&mut self, id: ProcessId, step: &mut Step<'_>) {
        self.timers.cancel(Timer::Process(id));
        self.timers.cancel(Timer::StopReport(id));
        if let Some(process) = self.processes.get_mut(&id) {
            process.stop_wall = Some(step.now.wall);
            process.failures = 0;
        }
        self.change_state(id, ProcessState::Stopped, Reason::StartAbandoned, step);
    }

    fn entered_running(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        process.failures = 0;
        let startsecs = process.config.startsecs;
        let name = process.config.name.clone();
        self.change_state(
            id,
            ProcessState::Running,
            Reason::StayedUp { startsecs },
            step,
        );
        step.act(Action::Log(Message::EnteredRunning { name, startsecs }));
    }

    fn enter_backoff(&mut self, id: ProcessId, reason: Reason, step: &mut Step<'_>) {
        self.change_state(id, ProcessState::Backoff, reason, step);
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        let failures = process.failures;
        if i64::from(failures) > process.config.startretries {
            let name = process.config.name.clone();
            process.failures = 0;
            self.change_state(
                id,
                ProcessState::Fatal,
                Reason::RetriesExhausted { failures },
                step,
            );
            step.act(Action::Log(Message::GaveUp { name }));
        } else {
            self.timers.set(
                Timer::Process(id),
                step.now.monotonic + Duration::from_secs(u64::from(failures)),
            );
        }
    }

    pub(crate) fn process_timer(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        match process.state {
            ProcessState::Starting => {
                if matches!(process.life, Life::Alive { .. }) {
                    self.entered_running(id, step);
                }
            }
            ProcessState::Backoff => {
                let attempt = process.failures.saturating_add(1);
                self.start(id, Reason::BackoffElapsed { attempt }, step);
            }
            ProcessState::Exited => self.start(id, Reason::Autorestart, step),
            ProcessState::Stopping => self.stop_timeout(id, step),
            ProcessState::Stopped
            | ProcessState::Running
            | ProcessState::Fatal
            | ProcessState::Unknown => {}
        }
    }

    /// Stops a process on request or for the daemon's end.
    ///
    /// What waits for its next start is simply not started; what is stopping or stopped is left alone.
    pub(crate) fn stop(&mut self, id: ProcessId, reason: Reason, step: &mut Step<'_>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        match process.state {
            ProcessState::Backoff => {
                let name = process.config.name.clone();
                process.failures = 0;
                process.stop_wall = Some(step.now.wall);
                self.timers.cancel(Timer::Process(id));
                if reason == Reason::DaemonStopping {
                    self.change_state(id, ProcessState::Fatal, reason, step);
                } else {
                    step.act(Action::Log(Message::KillingInBackoff { name }));
                    self.change_state(id, ProcessState::Stopped, reason, step);
                }
            }
            ProcessState::Starting | ProcessState::Running => {
                process.was_killed = false;
                let life = process.life;
                match life {
                    Life::Alive { .. } => {
                        self.log_stop_signal(id, step);
                        self.change_state(id, ProcessState::Stopping, reason, step);
                        self.send_stop_signal(id, step);
                    }
                    Life::Ended { .. } => self.complete_exit(id, step),
                    Life::InFlight => {
                        let at = step.now.monotonic + seconds(process.config.stopwaitsecs);
                        self.timers.set(Timer::Process(id), at);
                        self.change_state(id, ProcessState::Stopping, reason, step);
                    }
                    Life::Blocked | Life::None => {
                        process.life = Life::None;
                        self.change_state(id, ProcessState::Stopping, reason, step);
                        self.stopped_without_process(id, step);
                    }
                }
            }
            ProcessState::Exited => self.timers.cancel(Timer::Process(id)),
            ProcessState::Stopped
            | ProcessState::Stopping
            | ProcessState::Fatal
            | ProcessState::Unknown => {}
        }
    }

    fn log_stop_signal(&self, id: ProcessId, step: &mut Step<'_>) {
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

    fn send_stop_signal(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        let Life::Alive { pid } = process.life else {
            return;
        };
        let target = if process.config.stopasgroup {
            SignalTarget::Group(pid)
        } else {
            SignalTarget::Process(pid)
        };
        process.stop_deadline = step.now.monotonic + seconds(process.config.stopwaitsecs);
        self.timers.set(Timer::Process(id), process.stop_deadline);
        step.act(Action::Signal {
            process: id,
            generation: process.generation,
            target,
            signal: process.config.stopsignal,
            purpose: SignalPurpose::Stop,
        });
    }

    fn stop_timeout(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        let name = process.config.name.clone();
        match process.life {
            Life::Alive { pid } => {
                process.was_killed = true;
                let generation = process.generation;
                let target = if process.config.killasgroup {
                    SignalTarget::Group(pid)
                } else {
                    SignalTarget::Process(pid)
                };
                let again = seconds(process.config.stopwaitsecs).max(LEAST_KILL_INTERVAL);
                self.timers
                    .set(Timer::Process(id), step.now.monotonic + again);
                step.act(Action::Log(Message::Killing { name, pid }));
                step.act(Action::Signal {
                    process: id,
                    generation,
                    target,
                    signal: SIGKILL,
                    purpose: SignalPurpose::Kill,
                });
            }
            Life::InFlight => {
                process.abandoned = Some(process.generation);
                process.life = Life::None;
                step.act(Action::Log(Message::StartAbandoned { name }));
                self.stopped_without_process(id, step);
            }
            Life::None | Life::Blocked | Life::Ended { .. } => {}
        }
    }

    pub(crate) fn exited(
        &mut self,
        id: ProcessId,
        generation: Generation,
        status: ExitStatus,
        drained: bool,
        group_alive: bool,
        step: &mut Step<'_>,
    ) {
        let Some(process) = self.processes.get_mut(&id) else {
            step.act(Action::Release {
                process: id,
                generation,
            });
            return;
        };
        if process.abandoned == Some(generation) {
            process.abandoned = None;
            step.act(Action::Release {
                process: id,
                generation,
            });
            self.unblock(id, step);
            return;
        }
        let Life::Alive { pid } = process.life else {
            return;
        };
        if process.generation != generation {
            return;
        }
        process.life = Life::Ended {
            pid,
            end: End {
                status,
                group_alive,
                at: step.now,
            },
        };
        // From here on only the end itself is waited for.
        self.timers.cancel(Timer::Process(id));
        if drained {
            self.complete_exit(id, step);
        } else {
            self.timers
                .set(Timer::Drain(id), step.now.monotonic + DRAIN_LIMIT);
        }
    }

    pub(crate) fn drained(&mut self, id: ProcessId, generation: Generation, step: &mut Step<'_>) {
        if self
            .processes
            .get(&id)
            .is_some_and(|process| process.generation == generation)
        {
            self.complete_exit(id, step);
        }
    }

    /// Draws the consequences of a process's end. Does nothing for a process that has not ended.
    pub(crate) fn complete_exit(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        let Life::Ended { pid, end } = process.life else {
            return;
        };
        self.timers.cancel(Timer::Drain(id));
        self.timers.cancel(Timer::StopReport(id));
        let name = process.config.name.clone();
        let generation = process.generation;
        let expected = process.is_expected(end.status);
        process.stop_wall = Some(end.at.wall);
        let up = end.at.monotonic.since(process.up_since);
        let too_quickly = up < seconds(process.config.startsecs);
        match process.state {
            ProcessState::Stopping => {
                process.exit_status = Some(end.status.code());
                process.failures = 0;
                self.follow_remains(id, pid, end, step);
                self.end_life(id);
                self.change_state_of_dead(
                    id,
                    pid,
                    ProcessState::Stopped,
                    Reason::StopCompleted { status: end.status },
                    step,
                );
                step.act(Action::Log(Message::Stopped {
                    name,
                    status: end.status,
                    expected,
                }));
                step.act(Action::Release {
                    process: id,
                    generation,
                });
            }
            ProcessState::Starting if too_quickly => {
                process.exit_status = None;
                process.spawn_error =
                    Some("Exited too quickly (process log may have details)".to_owned());
                self.end_life(id);
                step.act(Action::Log(Message::Exited {
                    name,
                    status: end.status,
                    expected: false,
                }));
                step.act(Action::Release {
                    process: id,
                    generation,
                });
                self.enter_backoff(id, Reason::ExitedTooQuickly { status: end.status }, step);
            }
            ProcessState::Starting | ProcessState::Running => {
                if process.state == ProcessState::Starting {
                    // It was up for long enough; only the timer had not fired.
                    let startsecs = process.config.startsecs;
                    self.change_state(
                        id,
                        ProcessState::Running,
                        Reason::StayedUp { startsecs },
                        step,
                    );
                }
                if let Some(process) = self.processes.get_mut(&id) {
                    process.exit_status = Some(end.status.code());
                    process.failures = 0;
                    if !expected {
                        process.spawn_error = Some(format!("Bad exit code {}", end.status.code()));
                    }
                }
                self.end_life(id);
                self.change_state_of_dead(
                    id,
                    pid,
                    ProcessState::Exited,
                    Reason::Exited {
                        status: end.status,
                        expected,
                    },
                    step,
                );
                step.act(Action::Log(Message::Exited {
                    name,
                    status: end.status,
                    expected,
                }));
                step.act(Action::Release {
                    process: id,
                    generation,
                });
                self.plan_restart(id, expected, step);
            }
            ProcessState::Unknown => {
                process.exit_status = Some(end.status.code());
                self.end_life(id);
                step.act(Action::Log(Message::EndedInUnknown {
                    name,
                    status: end.status,
                }));
                self.change_state(
                    id,
                    ProcessState::Stopped,
                    Reason::StopCompleted { status: end.status },
                    step,
                );
                step.act(Action::Release {
                    process: id,
                    generation,
                });
            }
            ProcessState::Stopped
            | ProcessState::Backoff
            | ProcessState::Exited
            | ProcessState::Fatal => {
                self.end_life(id);
                step.act(Action::Release {
                    process: id,
                    generation,
                });
            }
        }
    }

    fn end_life(&mut self, id: ProcessId) {
        if let Some(process) = self.processes.get_mut(&id) {
            process.life = Life::None;
        }
    }

    /// As `change_state`, with the process id that the process had: the original tells it in the event.
    fn change_state_of_dead(
        &mut self,
        id: ProcessId,
        pid: i32,
        to: ProcessState,
        reason: Reason,
        step: &mut Step<'_>,
    ) {
        let first = step.actions.len();
        self.change_state(id, to, reason, step);
        if let Some(Action::Publish(Notice::ProcessState { pid: told, .. })) =
            step.actions.get_mut(first)
        {
            *told = pid;
        }
    }

    fn plan_restart(&mut self, id: ProcessId, expected: bool, step: &mut Step<'_>) {
        use linchpin_config::AutoRestart;
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        let wanted = match process.config.autorestart {
            AutoRestart::Never => false,
            AutoRestart::Unexpected => !expected,
            AutoRestart::Always => true,
        };
        if !wanted || self.shutdown.is_some() {
            return;
        }
        let at = process.up_since + LEAST_RESTART_INTERVAL;
        if at <= step.now.monotonic {
            self.start(id, Reason::Autorestart, step);
        } else {
            self.timers.set(Timer::Process(id), at);
        }
    }

    /// After a stop of the group, follows those that have not gone with their leader.
    fn follow_remains(&mut self, id: ProcessId, pid: i32, end: End, step: &mut Step<'_>) {
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        let config = &process.config;
        let was_told = config.stopasgroup || (config.killasgroup && process.was_killed);
        if !end.group_alive {
            return;
        }
        if !was_told {
            step.act(Action::NameSurvivors {
                name: config.name.clone(),
                pgid: pid,
            });
            return;
        }
        let generation = process.generation;
        let at = process.stop_deadline.max(step.now.monotonic);
        let remains = Remains {
            process: id,
            name: config.name.clone(),
            pgid: pid,
            killed: process.was_killed,
        };
        step.act(Action::FollowGroup {
            generation,
            pgid: pid,
        });
        self.remains.insert(generation, remains);
        self.timers.set(Timer::Remains(generation), at);
    }

    pub(crate) fn remains_timer(&mut self, generation: Generation, step: &mut Step<'_>) {
        let Some(remains) = self.remains.get_mut(&generation) else {
            return;
        };
        if remains.killed {
            // What SIGKILL has not removed by now hangs in the kernel; nobody waits for that.
            self.group_gone(generation, step);
            return;
        }
        remains.killed = true;
        step.act(Action::Log(Message::KillingRemains {
            name: remains.name.clone(),
            pgid: remains.pgid,
        }));
        step.act(Action::Signal {
            process: remains.process,
            generation,
            target: SignalTarget::Group(remains.pgid),
            signal: SIGKILL,
            purpose: SignalPurpose::Remains,
        });
        self.timers.set(
            Timer::Remains(generation),
            step.now.monotonic + REMAINS_AFTER_KILL,
        );
    }

    pub(crate) fn group_gone(&mut self, generation: Generation, step: &mut Step<'_>) {
        if let Some(remains) = self.remains.remove(&generation) {
            self.timers.cancel(Timer::Remains(generation));
            step.act(Action::ForgetGroup { generation });
            self.unblock(remains.process, step);
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
            if outcome == SignalOutcome::Gone {
                self.group_gone(generation, step);
            }
            return;
        }
        let Some(process) = self
            .processes
            .get(&id)
            .filter(|process| process.generation == generation)
        else {
            self.signal_answered(id, purpose, Ok(()), step);
            return;
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
                        signal: self.signal_of(operation).unwrap_or(0),
                        errno,
                    },
                };
                let text = message.to_string();
                step.act(Action::Log(message));
                self.signal_answered(id, purpose, Err(text), step);
                if self
                    .processes
                    .get(&id)
                    .is_some_and(|process| process.state.is_signallable())
                {
                    self.timers.cancel(Timer::Process(id));
                    self.timers.cancel(Timer::StopReport(id));
                    self.change_state(
                        id,
                        ProcessState::Unknown,
                        Reason::SignalRefused { errno },
                        step,
                    );
                }
            }
        }
    }
}

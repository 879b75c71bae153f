//! The life of one process up to its end: starting, running, ending, being started again.
//!
//! The rules are those of the original's `process.py`, with time on a clock that never jumps and with
//! answers of the operating system that may come late. How a process is stopped is in `stop`.

use std::time::Duration;

use crate::process::{End, Life, Past, Process};
use crate::service::{Preparing, Restarts, Sequel};
use crate::supervisor::{Step, Supervisor};
use crate::time::seconds;
use crate::timers::Timer;
use crate::{
    Action, ExitStatus, Generation, HookPoint, HowItEnded, LastEnd, Message, Notice, ProcessId,
    ProcessState, Reason, SignalPurpose, SignalTarget, SpawnFailure,
};

/// How long the end of a process may wait for its last output.
const DRAIN_LIMIT: Duration = Duration::from_millis(200);

/// Least time between two starts of a process that ended by itself. The original notices an end on a
/// one-second tick; without that brake a broken service would be started as fast as it can fail.
pub(crate) const LEAST_RESTART_INTERVAL: Duration = Duration::from_secs(1);

/// What the end of a process leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restart {
    /// What `autorestart` says.
    AsConfigured,
    /// No restart: somebody has just asked for a stop.
    Forbidden,
}

/// What follows when the end of a process has been told.
enum AfterEnd {
    Nothing,
    Backoff(Reason),
    Sequel(Sequel),
    MaybeRestart { status: ExitStatus, expected: bool },
}

impl Supervisor {
    /// Moves a process to another state, and tells.
    pub(crate) fn change_state(
        &mut self,
        id: ProcessId,
        to: ProcessState,
        reason: Reason,
        step: &mut Step<'_>,
    ) {
        let pid = self.processes.get(&id).and_then(Process::pid).unwrap_or(0);
        self.change_state_of(id, pid, to, reason, step);
    }

    /// As `change_state`, telling this process id: the original tells that of a process that is gone.
    pub(crate) fn change_state_of(
        &mut self,
        id: ProcessId,
        pid: i32,
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
        process.before = Some(Past {
            state: from,
            since: process.since,
            reason: std::mem::replace(&mut process.reason, reason.clone()),
        });
        process.state = to;
        process.since = step.now;
        match to {
            ProcessState::Backoff => process.failures = process.failures.saturating_add(1),
            // Its start may still fail.
            ProcessState::Running if process.has_to_become_ready() => {}
            ProcessState::Running => process.starts_well(),
            ProcessState::Stopped | ProcessState::Exited | ProcessState::Fatal => {
                process.failures = 0;
            }
            ProcessState::Starting | ProcessState::Stopping | ProcessState::Unknown => {}
        }
        let expected = !matches!(
            reason,
            Reason::Exited {
                expected: false,
                ..
            }
        );
        let notice = Notice::ProcessState {
            process: id,
            name: process.config.name.clone(),
            group: process.group.clone(),
            from,
            to,
            tries: process.failures,
            pid,
            expected,
            reason,
        };
        self.publish(notice, step);
        self.checks_follow_state(id, step);
        if to.is_stopped()
            && let Some(shutdown) = &mut self.shutdown
        {
            shutdown.tier.remove(&id);
        }
        if from == ProcessState::Starting {
            self.end_wait(id);
        }
        self.may_concern_dependents(id);
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
        self.forget_held_stop(id);
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        process.spawn_error = None;
        process.exec_failure = None;
        process.exit_status = None;
        process.was_killed = false;
        process.out_of_memory = false;
        if let Some(service) = &mut process.service {
            if matches!(
                reason,
                Reason::Requested | Reason::Autostart | Reason::NeededBy { .. }
            ) {
                service.restarts = Restarts::default();
            }
            service.restarts.has_started = false;
        }
        process.start_wall = Some(step.now.wall);
        process.up_since = step.now.monotonic;
        process.life = Life::Blocked;
        process.restarts = if reason.is_wish() {
            0
        } else {
            process.restarts.saturating_add(1)
        };
        self.timers.cancel(Timer::Process(id));
        self.change_state(id, ProcessState::Starting, reason, step);
        self.give_up_if_blocked_for_good(id, step);
        if !self.start_waits_its_turn(id) {
            self.unblock(id, step);
        }
    }

    /// Asks for the process of a start that waits, if it need not wait any longer.
    pub(crate) fn unblock(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        if process.life != Life::Blocked || !process.remains.is_empty() || self.shutdown.is_some() {
            return;
        }
        if process
            .service
            .as_ref()
            .is_some_and(|service| service.preparing != Preparing::Not)
        {
            return;
        }
        if self.start_waits_for_hook(id) || self.is_committing(id) {
            return;
        }
        if self.waits_for_dependencies(id, step) {
            return;
        }
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        self.next_generation += 1;
        process.generation = Generation(self.next_generation);
        self.prepare(id, step);
    }

    /// Asks for the process of a start for which everything is prepared.
    pub(crate) fn ask_for_process(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let is_wanted = self.shutdown.is_none();
        let Some(process) = self.processes.get_mut(&id).filter(|_| is_wanted) else {
            return;
        };
        let generation = process.generation;
        process.life = Life::InFlight;
        // What it has waited for is no part of the time that it is up.
        process.start_wall = Some(step.now.wall);
        process.up_since = step.now.monotonic;
        let (config, group) = (process.config.clone(), process.group.clone());
        let is_listener = self.listener_begins(id);
        let socket = self.take_socket(id, generation, step);
        step.act(Action::Spawn {
            process: id,
            generation,
            config,
            group,
            is_listener,
            socket,
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
        self.socket_is_open(generation);
        self.job_has_begun(id);
        if self.late_spawn(generation, pid, step) {
            return;
        }
        let is_current = |process: &&mut Process| {
            process.generation == generation && process.life == Life::InFlight
        };
        let Some(process) = self.processes.get_mut(&id).filter(is_current) else {
            // Nobody asked for it, as far as is known: it must not live.
            step.act(Action::Signal {
                process: id,
                generation,
                target: SignalTarget::Process(pid),
                signal: crate::stop::SIGKILL,
                purpose: SignalPurpose::Remains,
            });
            return;
        };
        process.life = Life::Alive { pid };
        process.pgid = pid;
        process.exec_failure = exec_failure;
        process.up_since = step.now.monotonic;
        let (state, startsecs) = (process.state, process.config.startsecs);
        step.act(Action::Log(Message::Spawned {
            name: process.config.name.clone(),
            pid,
        }));
        if state == ProcessState::Stopping {
            self.log_stop_signal(id, step);
            self.send_stop_signal(id, step);
        } else if startsecs <= 0 {
            self.entered_running(id, step);
        } else {
            self.timers
                .set(Timer::Process(id), step.now.monotonic + seconds(startsecs));
        }
        self.checks_begin(id, step);
        self.look_at_watchers(id, step);
    }

    pub(crate) fn spawn_failed(
        &mut self,
        id: ProcessId,
        generation: Generation,
        failure: SpawnFailure,
        step: &mut Step<'_>,
    ) {
        self.socket_after_failure(generation, failure.kind);
        if self.late_spawn_failure(generation, step) {
            return;
        }
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        if process.generation != generation || process.life != Life::InFlight {
            return;
        }
        process.life = Life::None;
        process.last_end = Some(Box::new(LastEnd {
            at: step.now,
            how: HowItEnded::NotStarted(failure.clone()),
        }));
        process.spawn_error = Some(failure.text.clone());
        let state = process.state;
        step.act(Action::Log(Message::SpawnError {
            text: failure.text.clone(),
        }));
        self.release_socket(generation, step);
        if state == ProcessState::Stopping {
            self.stopped_without_process(id, step);
        } else {
            self.enter_backoff(id, Reason::SpawnFailed { text: failure.text }, step);
        }
    }

    fn entered_running(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        let startsecs = process.config.startsecs;
        let name = process.config.name.clone();
        self.change_state(
            id,
            ProcessState::Running,
            Reason::StayedUp { startsecs },
            step,
        );
        step.act(Action::Log(Message::EnteredRunning { name, startsecs }));
        self.run_hook(id, HookPoint::PostStart, None, step);
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
            ProcessState::Fatal => self.start(id, Reason::SecondChance, step),
            ProcessState::Stopping => self.stop_timeout(id, step),
            ProcessState::Stopped | ProcessState::Running | ProcessState::Unknown => {}
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
        if self.late_exit(generation, status, step) {
            return;
        }
        let is_current = |process: &&mut Process| process.generation == generation;
        let Some(process) = self.processes.get_mut(&id).filter(is_current) else {
            return self.release(id, generation, step);
        };
        let Life::Alive { pid } = process.life else {
            return;
        };
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
        self.checks_end(id, step);
        // After the daemon's end nobody wakes the core any more.
        if drained || self.has_finished() {
            self.complete_exit(id, Restart::AsConfigured, step);
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
            self.complete_exit(id, Restart::AsConfigured, step);
        }
    }

    /// Draws the consequences of a process's end. Does nothing for a process that has not ended.
    pub(crate) fn complete_exit(&mut self, id: ProcessId, restart: Restart, step: &mut Step<'_>) {
        let restart = if self.is_to_stay_down(id) {
            Restart::Forbidden
        } else {
            restart
        };
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        let Life::Ended { pid, end } = process.life else {
            return;
        };
        self.timers.cancel(Timer::Drain(id));
        self.timers.cancel(Timer::StopReport(id));
        process.last_end = Some(Box::new(LastEnd::of(process, pid, &end)));
        process.life = Life::None;
        process.stop_wall = Some(end.at.wall);
        let generation = process.generation;
        let up = end.at.monotonic.since(process.up_since);
        let is_too_quick = up < seconds(process.config.startsecs);
        let is_done = self.is_done(id, end.status);
        self.was_up(id, up);
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        let after = match process.state {
            ProcessState::Stopping => self.end_of_stop(id, pid, end, step),
            ProcessState::Starting if is_too_quick && !is_done => {
                self.end_before_startsecs(id, end, step)
            }
            ProcessState::Starting | ProcessState::Running => {
                self.end_by_itself(id, pid, end, step)
            }
            ProcessState::Unknown => self.end_in_unknown(id, pid, end, step),
            // Nothing lives in these states.
            ProcessState::Stopped
            | ProcessState::Backoff
            | ProcessState::Exited
            | ProcessState::Fatal => AfterEnd::Nothing,
        };
        // After the event of its own end, as in the original.
        self.listener_ended(id, step);
        self.hooks_after_end(id, step);
        self.release(id, generation, step);
        match after {
            AfterEnd::Nothing => self.start_what_is_to_start_again(id, step),
            AfterEnd::Backoff(reason) => {
                self.after_quick_end(id, end.status, reason, restart, step);
            }
            AfterEnd::Sequel(sequel) => self.follow_own_stop(id, sequel, step),
            AfterEnd::MaybeRestart { status, expected } => {
                self.after_end(id, status, expected, restart, step);
            }
        }
    }

    /// Everything about a start is known, and it holds nothing any more.
    pub(crate) fn release(
        &mut self,
        process: ProcessId,
        generation: Generation,
        step: &mut Step<'_>,
    ) {
        step.act(Action::Release {
            process,
            generation,
        });
        self.release_socket(generation, step);
    }

    fn end_of_stop(&mut self, id: ProcessId, pid: i32, end: End, step: &mut Step<'_>) -> AfterEnd {
        self.follow_group(id, end, step);
        let Some(process) = self.processes.get_mut(&id) else {
            return AfterEnd::Nothing;
        };
        process.exit_status = Some(end.status.code());
        let name = process.config.name.clone();
        let (status, expected) = (end.status, process.is_expected(end.status));
        let stopped = Action::Log(Message::Stopped {
            name,
            status,
            expected,
        });
        if let Some(sequel) = self.sequel_of_stop(id, step) {
            step.act(stopped);
            return AfterEnd::Sequel(sequel);
        }
        let reason = Reason::StopCompleted { status };
        self.change_state_of(id, pid, ProcessState::Stopped, reason, step);
        step.act(stopped);
        AfterEnd::Nothing
    }

    /// What the core has decided on with a stop of its own.
    fn follow_own_stop(&mut self, id: ProcessId, sequel: Sequel, step: &mut Step<'_>) {
        match sequel {
            Sequel::FailedStart(reason) => self.enter_backoff(id, reason, step),
            Sequel::StartAt(reason, at) => {
                self.change_state(id, ProcessState::Backoff, reason, step);
                self.timers.set(Timer::Process(id), at);
            }
            Sequel::GiveUp(reason, given_up) => {
                self.change_state(id, ProcessState::Backoff, reason, step);
                self.give_up(id, given_up, step);
            }
        }
    }

    fn end_before_startsecs(&mut self, id: ProcessId, end: End, step: &mut Step<'_>) -> AfterEnd {
        let Some(process) = self.processes.get_mut(&id) else {
            return AfterEnd::Nothing;
        };
        process.exit_status = None;
        process.spawn_error = Some("Exited too quickly (process log may have details)".to_owned());
        let status = end.status;
        step.act(Action::Log(Message::Exited {
            name: process.config.name.clone(),
            status,
            expected: false,
        }));
        AfterEnd::Backoff(Reason::ExitedTooQuickly {
            status,
            out_of_memory: process.out_of_memory,
        })
    }

    fn end_by_itself(
        &mut self,
        id: ProcessId,
        pid: i32,
        end: End,
        step: &mut Step<'_>,
    ) -> AfterEnd {
        let Some(process) = self.processes.get_mut(&id) else {
            return AfterEnd::Nothing;
        };
        process.exit_status = Some(end.status.code());
        let (status, expected) = (end.status, process.is_expected(end.status));
        let (state, startsecs) = (process.state, process.config.startsecs);
        let out_of_memory = process.out_of_memory;
        let name = process.config.name.clone();
        if state == ProcessState::Starting {
            // It was up for long enough and only the timer had not fired, or it need not stay up.
            let reason = if end.at.monotonic.since(process.up_since) < seconds(startsecs) {
                Reason::DoneEarly
            } else {
                Reason::StayedUp { startsecs }
            };
            self.change_state_of(id, pid, ProcessState::Running, reason, step);
        }
        if !expected && let Some(process) = self.processes.get_mut(&id) {
            process.spawn_error = Some(format!("Bad exit code {}", status.code()));
        }
        let reason = Reason::Exited {
            status,
            expected,
            out_of_memory,
        };
        self.change_state_of(id, pid, ProcessState::Exited, reason, step);
        step.act(Action::Log(Message::Exited {
            name,
            status,
            expected,
        }));
        AfterEnd::MaybeRestart { status, expected }
    }

    fn end_in_unknown(
        &mut self,
        id: ProcessId,
        pid: i32,
        end: End,
        step: &mut Step<'_>,
    ) -> AfterEnd {
        let Some(process) = self.processes.get_mut(&id) else {
            return AfterEnd::Nothing;
        };
        process.exit_status = Some(end.status.code());
        let status = end.status;
        step.act(Action::Log(Message::EndedInUnknown {
            name: process.config.name.clone(),
            status,
        }));
        let reason = Reason::StopCompleted { status };
        self.change_state_of(id, pid, ProcessState::Stopped, reason, step);
        AfterEnd::Nothing
    }

    /// Starts a process again that has ended by itself.
    pub(crate) fn restart(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        let at = process.up_since + LEAST_RESTART_INTERVAL;
        if at <= step.now.monotonic {
            self.start(id, Reason::Autorestart, step);
        } else {
            self.timers.set(Timer::Process(id), at);
        }
    }
}

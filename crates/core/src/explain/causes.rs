//! The chain of causes.

use linchpin_config::Condition;

use crate::explain::{Cause, end_in_words};
use crate::process::{Life, Process};
use crate::service::{Preparing, Wait};
use crate::time::in_words;
use crate::{HookPoint, HowItEnded, LastEnd, ProcessId, ProcessState, Reason, Supervisor, Wall};

/// How deep a chain goes. Dependencies have no cycles; a chain as long as this helps nobody.
const MOST_DEPTH: u8 = 16;

/// Most sentences of a chain.
const MOST_CAUSES: usize = 64;

impl Supervisor {
    /// Why a process is where it is, down to the root.
    pub(super) fn causes(&self, process: &Process) -> Vec<Cause> {
        let mut chain = Chain {
            supervisor: self,
            causes: Vec::new(),
            told: Vec::new(),
        };
        chain.tell(process, 0);
        chain.causes
    }
}

struct Chain<'a> {
    supervisor: &'a Supervisor,
    causes: Vec<Cause>,
    /// Those that have been told of: what two services wait for is explained once.
    told: Vec<ProcessId>,
}

impl Chain<'_> {
    fn tell(&mut self, process: &Process, depth: u8) {
        if depth > MOST_DEPTH || self.told.contains(&process.id) {
            return;
        }
        self.told.push(process.id);
        self.say(process, depth, Some(process.since.wall), change(process));
        for text in self.supervisor.obstacles(process) {
            self.say(process, depth, None, text);
        }
        for wait in self.supervisor.needs(process) {
            let on = needed(&wait);
            let verb = if process.life == Life::Blocked {
                "waits for"
            } else {
                "needs"
            };
            let text = format!("it {verb} {on}: {}", wait.text);
            self.say(process, depth, None, text);
            let dependency = wait
                .process
                .and_then(|id| self.supervisor.processes.get(&id));
            if let Some(dependency) = dependency {
                self.tell(dependency, depth.saturating_add(1));
            }
        }
        self.tell_past(process, depth);
    }

    fn say(&mut self, process: &Process, depth: u8, at: Option<Wall>, text: String) {
        if self.causes.len() < MOST_CAUSES {
            self.causes.push(Cause {
                depth,
                group: process.group.clone(),
                name: process.config.name.clone(),
                at,
                text,
            });
        }
    }

    /// What led to the present state, as far as it belongs to the same story.
    fn tell_past(&mut self, process: &Process, depth: u8) {
        // Of FATAL the failure before it is told, which is an end or what failed before there was a process.
        let before = process
            .before
            .as_ref()
            .filter(|before| match process.state {
                ProcessState::Running | ProcessState::Stopped => true,
                ProcessState::Fatal => {
                    !follows_an_end(&before.reason) && before.reason != process.reason
                }
                ProcessState::Starting
                | ProcessState::Backoff
                | ProcessState::Stopping
                | ProcessState::Exited
                | ProcessState::Unknown => false,
            });
        let is_after_an_end = match before {
            Some(before) if process.state != ProcessState::Stopped => {
                follows_an_end(&before.reason)
            }
            Some(_) | None => follows_an_end(&process.reason),
        };
        let end = process.last_end.as_deref().filter(|_| is_after_an_end);
        let is_end_latest = end.is_some_and(|end| {
            before.is_some_and(|before| end.at.monotonic > before.since.monotonic)
        });
        let end = end.map(|last| (last.at.wall, ending(process, last)));
        let before = before.map(|before| {
            let text = format!("before that {}: {}", before.state.name(), before.reason);
            (before.since.wall, text)
        });
        // Latest first.
        let (first, second) = if is_end_latest {
            (end, before)
        } else {
            (before, end)
        };
        for (at, text) in first.into_iter().chain(second) {
            self.say(process, depth, Some(at), text);
        }
    }
}

impl Supervisor {
    /// What keeps a process from going on, one sentence each.
    fn obstacles(&self, process: &Process) -> Vec<String> {
        let mut obstacles = Vec::new();
        if process.life == Life::Blocked && !process.remains.is_empty() {
            obstacles.push(
                "it waits until everything that its earlier start has left behind is gone"
                    .to_owned(),
            );
        }
        self.hooks_in_the_way(process, &mut obstacles);
        let is_down = process.state.is_stopped() || process.pid().is_none();
        if is_down && self.shutdown.is_some() {
            obstacles.push("the daemon is going down, so nothing is started".to_owned());
        }
        if let Some(missing) = self.missing(process) {
            obstacles.push(format!("it is not ready: {missing}"));
        }
        obstacles
    }
}

impl Supervisor {
    /// Hooks and markers that a start or a stop waits for.
    fn hooks_in_the_way(&self, process: &Process, obstacles: &mut Vec<String>) {
        let mut waits = |text: &str| obstacles.push(text.to_owned());
        let service = process.service.as_ref();
        let is_committing = self.is_committing(process.id);
        if process.life == Life::Blocked {
            match service.map(|service| service.preparing).unwrap_or_default() {
                Preparing::PreStart => waits("its pre_start is at work"),
                Preparing::Marker => waits("its marker is being read"),
                // That may be left of a process of this name that had options of ours.
                Preparing::Not if self.start_waits_for_hook(process.id) => {
                    waits("what follows its last end is at work: post_stop, or its stop_command");
                }
                Preparing::Not if is_committing => {
                    waits("the marker of its last run is being written");
                }
                Preparing::Not => {}
            }
        } else if process.state == ProcessState::Exited && is_committing {
            waits("it has done its work, and its marker is being written");
        } else if self.stop_is_at_hook(process.id) {
            waits(if self.runs_hook(process.id, HookPoint::PreStop) {
                "its pre_stop is at work; it is told to stop after that"
            } else {
                "its stop_command is at work"
            });
        }
    }

    /// What a process waits for, or what it was given up or stopped for.
    pub(super) fn needs(&self, process: &Process) -> Vec<Wait> {
        let fell_with_others = matches!(
            process.reason,
            Reason::DependencyFailed { .. }
                | Reason::DependencyTimeout { .. }
                | Reason::DependencyLost { .. }
        );
        if fell_with_others {
            self.unmet_since(process, process.since.monotonic)
        } else {
            self.waits(process.id)
        }
    }
}

/// A dependency and what must be true of it.
fn needed(wait: &Wait) -> String {
    let on = &wait.on;
    match wait.condition {
        Condition::Order => format!("{on}, which is to be started before it"),
        Condition::Started => format!("{on} to be RUNNING"),
        Condition::Ready => format!("{on} to be ready"),
        Condition::Completed => format!("{on} to have done its work"),
    }
}

/// The present state and its reason.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other reasons are told in their own words"
)]
fn change(process: &Process) -> String {
    let config = &process.config;
    let state = process.state.name();
    match &process.reason {
        Reason::NeverStarted if config.autostart => {
            format!("{state}: its turn to be started has not come")
        }
        Reason::NeverStarted => {
            format!("{state}: it has autostart=false and nobody has started it")
        }
        Reason::Autostart => format!("{state}: it starts with the daemon (autostart=true)"),
        Reason::Autorestart => {
            format!("{state}: it is started again after its end (autorestart)")
        }
        Reason::RetriesExhausted { failures } => {
            let starts = if *failures == 1 {
                "start"
            } else {
                "starts in a row"
            };
            format!(
                "{state}: {failures} failed {starts}, more than startretries={} allows",
                config.startretries
            )
        }
        Reason::StopCompleted { .. } => format!("{state}: its stop has come to its end"),
        Reason::StayedUp { startsecs: ..=0 } => {
            format!("{state}: it counts as up from its start (startsecs=0)")
        }
        Reason::StayedUp { startsecs } => {
            format!("{state}: it has stayed up for startsecs={startsecs}")
        }
        Reason::ExitedTooQuickly { .. } => {
            format!("{state}: it ended before startsecs={}", config.startsecs)
        }
        Reason::SpawnFailed { .. } => format!("{state}: there was no process to start"),
        Reason::Exited { expected: true, .. } => {
            format!("{state}: it ended by itself, as expected (exitcodes)")
        }
        Reason::Exited {
            expected: false, ..
        } => format!("{state}: it ended by itself, with a status that is not among its exitcodes"),
        reason => format!("{state}: {reason}"),
    }
}

/// How the latest process ended.
fn ending(process: &Process, last: &LastEnd) -> String {
    let text = end_in_words(&last.how, &process.config.command);
    match &last.how {
        HowItEnded::NotStarted(_) => format!("its last start failed: {text}"),
        HowItEnded::Ended {
            exec_failure: Some(_),
            ..
        } => format!("its last start failed: {text}"),
        HowItEnded::Ended {
            up,
            was_told,
            was_killed,
            ..
        } => {
            let up = in_words(*up);
            let how = match (was_told, was_killed) {
                (true, true) => "after its stop signal was not enough and SIGKILL was sent",
                (true, false) => "as it was told to",
                (false, _) => "by itself",
            };
            format!("its process ended {how}, {up} after its start: {text}")
        }
    }
}

/// Whether a change of state comes of the end of a process, or of its not coming to be. A wish of
/// somebody does not: nothing before it is a cause of what came after.
fn follows_an_end(reason: &Reason) -> bool {
    match reason {
        Reason::SpawnFailed { .. }
        | Reason::WaitsToRestart { .. }
        | Reason::CrashLoop { .. }
        | Reason::RestartPrevented { .. }
        | Reason::SecondChance
        | Reason::DoneEarly
        | Reason::ShutdownTimeout { .. }
        | Reason::ExitedTooQuickly { .. }
        | Reason::Exited { .. }
        | Reason::Autorestart
        | Reason::BackoffElapsed { .. }
        | Reason::RetriesExhausted { .. }
        | Reason::LivenessRestartsExhausted { .. }
        | Reason::StopCompleted { .. } => true,
        Reason::NeverStarted
        | Reason::Autostart
        | Reason::Requested
        | Reason::StayedUp { .. }
        | Reason::HookFailed { .. }
        | Reason::MarkerFailed { .. }
        | Reason::DoneBefore
        | Reason::NeededBy { .. }
        | Reason::DependencyFailed { .. }
        | Reason::DependencyTimeout { .. }
        | Reason::DependencyLost { .. }
        | Reason::DependencyStops
        | Reason::StartAbandoned
        | Reason::DaemonStopping
        | Reason::NotReadyInTime { .. }
        | Reason::LivenessFailed { .. }
        | Reason::MemoryExceeded { .. }
        | Reason::SignalRefused { .. } => false,
    }
}

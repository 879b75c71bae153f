//! What the end of a service means for the daemon, with which code the daemon ends, and how long that may
//! take in all.

use std::time::Duration;

use linchpin_config::{Config, OnEnd};
use serde::{Deserialize, Serialize};

use crate::process::{Life, Process};
use crate::service::OccurrenceKind;
use crate::supervisor::{Step, Supervisor};
use crate::timers::Timer;
use crate::{
    Action, ExitStatus, HowItEnded, LastEnd, Message, ProcessId, ProcessState, Reason,
    ShutdownCause, SpawnFailureKind,
};

/// What `[linchpin]` says about the end of the daemon, and which service has brought it about.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ends {
    /// Zero is no limit.
    shutdown_timeout: Duration,
    exit_code_from: Option<String>,
    /// The service whose end is the daemon's, and the exit status of both.
    culprit: Option<(ProcessId, i32)>,
}

/// In which way a service has come to its end for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finale {
    /// It is FATAL, and has no second chance.
    Fatal,
    /// It has ended by itself, and is not to be started again.
    Exit,
}

impl Ends {
    pub(crate) fn new(config: &Config) -> Self {
        match &config.linchpin {
            None => Self::default(),
            Some(linchpin) => Self {
                shutdown_timeout: linchpin.shutdown_timeout,
                exit_code_from: linchpin.exit_code_from.clone(),
                culprit: None,
            },
        }
    }
}

impl Supervisor {
    /// The exit status of the daemon, once [`Action::Finished`] has been said: that of the service whose end
    /// is the daemon's (`on_fatal`, `on_exit`); if there is none, that of the service that `exit_code_from`
    /// names; else 0.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        if let Some((_, code)) = self.ends.culprit {
            return code;
        }
        let named = self.ends.exit_code_from.as_deref();
        named
            .and_then(|name| self.process_called(name))
            .and_then(|process| process.last_end.as_deref())
            .map_or(0, code_of)
    }

    /// The process that an option names: `group:process`, or the name of a process that no other group has.
    fn process_called(&self, name: &str) -> Option<&Process> {
        let (group, process) = name.split_once(':').unwrap_or((name, name));
        self.find_process(group, process).or_else(|| {
            let mut found = self
                .groups
                .iter()
                .filter_map(|group| group.member(name))
                .filter_map(|id| self.processes.get(&id));
            let first = found.next();
            first.filter(|_| found.next().is_none())
        })
    }

    /// A service has come to its end and will not start again by itself: perhaps that is the daemon's end
    /// too, which then begins when this event has been taken in, before it has consequences for others.
    pub(crate) fn ended_for_good(&mut self, id: ProcessId, finale: Finale, step: &mut Step<'_>) {
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        let Some(options) = &process.config.service else {
            return;
        };
        let (option, on_end) = match finale {
            Finale::Fatal => ("on_fatal", options.on_fatal),
            Finale::Exit => ("on_exit", options.on_exit),
        };
        if on_end == OnEnd::Ignore || self.shutdown.is_some() || self.ends.culprit.is_some() {
            return;
        }
        let code = match finale {
            Finale::Exit if process.reason == Reason::DoneBefore => 0,
            Finale::Exit => process.last_end.as_deref().map_or(0, code_of),
            // Whoever gives up has not done well, whatever its last exit status was.
            Finale::Fatal => process.last_end.as_deref().map_or(1, code_of).max(1),
        };
        self.ends.culprit = Some((id, code));
        step.act(Action::Log(Message::EndsTheDaemon {
            name: process.config.name.clone(),
            option: option.to_owned(),
            reason: process.reason.clone(),
            code,
        }));
    }

    /// Begins the end of the daemon if that of a service has brought it about.
    pub(crate) fn end_for_a_service(&mut self, step: &mut Step<'_>) {
        if let Some((culprit, _)) = self.ends.culprit
            && self.shutdown.is_none()
        {
            self.begin_shutdown(false, ShutdownCause::Service(culprit), step);
        }
    }

    /// A shutdown begins: it may take that long.
    pub(crate) fn limit_shutdown(&mut self, step: &Step<'_>) {
        let timeout = self.ends.shutdown_timeout;
        if !timeout.is_zero() {
            self.timers
                .set(Timer::ShutdownTimeout, step.now.monotonic + timeout);
        }
    }

    /// The shutdown has taken too long: everything that is left is killed at once.
    pub(crate) fn shutdown_timeout(&mut self, step: &mut Step<'_>) {
        let timeout = self.ends.shutdown_timeout;
        let left: Vec<(ProcessId, String)> = self
            .processes
            .values()
            .filter(|process| !process.state.is_stopped())
            .map(|process| (process.id, process.spec()))
            .collect();
        let is_alive = |id: &ProcessId| {
            self.processes
                .get(id)
                .is_some_and(|process| matches!(process.life, Life::Alive { .. }))
        };
        let names = left
            .iter()
            .filter(|(id, _)| is_alive(id))
            .map(|(_, name)| name.clone())
            .collect();
        step.act(Action::Log(Message::ShutdownTimeout { timeout, names }));
        self.wait_for_nobody_else(step);
        // Also of those that have ended and whose last output is being read.
        let all: Vec<ProcessId> = self.processes.keys().copied().collect();
        for id in all {
            self.end_hooks_of_stop(id, step);
        }
        for (id, _) in left {
            self.kill_at_once(id, timeout, step);
        }
        self.kill_remains(step);
    }

    fn kill_at_once(&mut self, id: ProcessId, timeout: Duration, step: &mut Step<'_>) {
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        let reason = Reason::ShutdownTimeout { timeout };
        let is_alive = matches!(process.life, Life::Alive { .. });
        if is_alive {
            self.record(id, OccurrenceKind::Decided(reason.clone()), step);
        }
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        match process.state {
            ProcessState::Starting | ProcessState::Running if is_alive => {
                self.change_state(id, ProcessState::Stopping, reason, step);
            }
            ProcessState::Starting | ProcessState::Running | ProcessState::Backoff => {
                self.stop(id, Reason::DaemonStopping, step);
            }
            ProcessState::Stopping
            | ProcessState::Stopped
            | ProcessState::Exited
            | ProcessState::Fatal
            | ProcessState::Unknown => {}
        }
        self.stop_timeout(id, step);
    }
}

/// An end as an exit status, as a shell would tell it.
fn code_of(end: &LastEnd) -> i32 {
    match &end.how {
        HowItEnded::Ended { status, .. } => match status {
            ExitStatus::Code(code) => *code,
            ExitStatus::Signal { signal, .. } => 128 + signal,
        },
        HowItEnded::NotStarted(failure) => match failure.kind {
            SpawnFailureKind::NoFile => 127,
            SpawnFailureKind::NotExecutable => 126,
            SpawnFailureKind::Socket | SpawnFailureKind::Other => 1,
        },
    }
}

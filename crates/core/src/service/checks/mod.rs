//! Readiness and liveness: what is known of the checks of a service, and when they begin and end.
//!
//! Checks begin when there is a process and end when it is told to stop or has ended, whichever comes first;
//! what comes later is about something that is gone, and is ignored. `attempt` is the rhythm of the probes
//! and what their answers mean, `liveness` what follows from a failing one, `memory` the ceiling,
//! `notify` what a service says about itself, and `view` what people are shown of it all.

mod attempt;
mod liveness;
mod memory;
mod notify;
mod view;

pub use view::{CheckView, Readiness, ServiceView};

use std::sync::Arc;

use linchpin_config::{Checks, Probe, ProbeKind, ProcessConfig, ServiceConfig};
use serde::{Deserialize, Serialize};

use crate::process::{Life, Process};
use crate::service::{AfterStop, Check, CheckPurpose, OccurrenceKind, ServiceState};
use crate::supervisor::{Step, Supervisor};
use crate::timers::Timer;
use crate::{Action, Message, Monotonic, Now, ProcessId, ProcessState, Reason};

use memory::Memory;

/// How the checks of a service stand.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Checking {
    /// There is a process that has neither ended nor been told to stop, nor said that it stops.
    is_active: bool,
    /// In the order of the configuration; of the latest start.
    readiness: Vec<CheckState>,
    liveness: Vec<CheckState>,
    /// Since when it is ready, while it is.
    ready_since: Option<Now>,
    /// It reads its configuration again, as it has said.
    is_reloading: bool,
    /// It has said that it stops.
    is_stopping: bool,
    /// From when on failures of liveness count.
    liveness_from: Monotonic,
    /// Restarts for liveness in a row.
    liveness_restarts: u32,
    memory: Memory,
}

/// How one check stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct CheckState {
    /// The number of the latest attempt, from 1; 0 before the first, and for those that come by themselves.
    attempt: u32,
    /// When the attempt was asked for that is under way.
    asked: Option<Monotonic>,
    is_passing: bool,
    /// Answers in a row that speak against that.
    contrary: u32,
    last: Option<LastAnswer>,
}

/// What an attempt has found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct LastAnswer {
    /// Why it failed, if so.
    failure: Option<String>,
    at: Now,
}

impl Checking {
    pub(crate) fn is_ready(&self) -> bool {
        self.ready_since.is_some()
    }

    fn get(&self, check: Check) -> Option<&CheckState> {
        self.all(check.purpose).get(usize::from(check.index))
    }

    fn get_mut(&mut self, check: Check) -> Option<&mut CheckState> {
        let all = match check.purpose {
            CheckPurpose::Readiness => &mut self.readiness,
            CheckPurpose::Liveness => &mut self.liveness,
        };
        all.get_mut(usize::from(check.index))
    }

    fn all(&self, purpose: CheckPurpose) -> &[CheckState] {
        match purpose {
            CheckPurpose::Readiness => &self.readiness,
            CheckPurpose::Liveness => &self.liveness,
        }
    }
}

/// The probes of a purpose and their rhythm.
fn checks_of(config: &ServiceConfig, purpose: CheckPurpose) -> Option<&Checks> {
    match purpose {
        CheckPurpose::Readiness => config.readiness.as_ref(),
        CheckPurpose::Liveness => config.liveness.as_ref(),
    }
}

/// A check as it is written, with its rhythm.
fn settings(config: &ServiceConfig, check: Check) -> Option<(&Checks, &Probe)> {
    let checks = checks_of(config, check.purpose)?;
    Some((checks, checks.probes.get(usize::from(check.index))?))
}

/// Every check of a service.
fn all_checks(config: &ServiceConfig) -> impl Iterator<Item = (Check, &Probe)> {
    [CheckPurpose::Readiness, CheckPurpose::Liveness]
        .into_iter()
        .flat_map(move |purpose| {
            let probes = checks_of(config, purpose).map_or(&[][..], |checks| &checks.probes);
            (0..)
                .zip(probes)
                .map(move |(index, probe)| (Check { purpose, index }, probe))
        })
}

impl Supervisor {
    /// Whether a process is ready: alive with all its readiness checks passing; without any, RUNNING.
    ///
    /// Passing checks need not wait for `startsecs`: they show more than that a process has not ended yet.
    pub(crate) fn is_ready(&self, id: ProcessId) -> bool {
        self.processes
            .get(&id)
            .is_some_and(|process| match &process.service {
                Some(service) => service.checking.is_ready(),
                None => process.state == ProcessState::Running,
            })
    }

    /// What is known of a service whose checks are under way.
    fn checked(&mut self, id: ProcessId) -> Option<(&Arc<ProcessConfig>, &mut Checking)> {
        let Process {
            config, service, ..
        } = self.processes.get_mut(&id)?;
        let checking = &mut service.as_mut()?.checking;
        checking.is_active.then_some((&*config, checking))
    }

    /// There is a process: its checks begin.
    pub(crate) fn checks_begin(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        let (
            Some(config),
            Some(ServiceState {
                checking, status, ..
            }),
        ) = (&process.config.service, process.service.as_deref_mut())
        else {
            return;
        };
        *status = None;
        let is_active = matches!(
            process.state,
            ProcessState::Starting | ProcessState::Running
        );
        let states = |purpose, is_passing| {
            let count = checks_of(config, purpose).map_or(0, |checks| checks.probes.len());
            let state = CheckState {
                is_passing,
                ..CheckState::default()
            };
            vec![state; count]
        };
        *checking = Checking {
            is_active,
            readiness: states(CheckPurpose::Readiness, false),
            // What has just begun is believed to work until it is shown not to.
            liveness: states(CheckPurpose::Liveness, true),
            liveness_from: step.now.monotonic + config.liveness_start_period,
            liveness_restarts: checking.liveness_restarts,
            ..Checking::default()
        };
        if !is_active {
            return;
        }
        let within = config.ready_within;
        let process_config = process.config.clone();
        if !within.is_zero() {
            self.timers
                .set(Timer::Readiness(id), step.now.monotonic + within);
        }
        if let Some(config) = &process_config.service {
            for (check, probe) in all_checks(config) {
                self.first_attempt(id, check, &probe.kind, step);
            }
        }
        self.measure_later(id, step);
        // Without checks it is ready if it is RUNNING already, as with startsecs=0.
        self.look_at_readiness(id, None, step);
    }

    /// A process is about to stop or has ended: its checks end.
    pub(crate) fn checks_end(&mut self, id: ProcessId, step: &mut Step<'_>) {
        if self
            .processes
            .get(&id)
            .is_none_or(|process| process.service.is_none())
        {
            return;
        }
        self.timers.cancel(Timer::Readiness(id));
        let Some((config, checking)) = self.checked(id) else {
            return;
        };
        checking.is_active = false;
        let was_ready = checking.ready_since.take().is_some();
        for state in checking.readiness.iter_mut().chain(&mut checking.liveness) {
            state.asked = None;
            state.contrary = 0;
        }
        let config = config.clone();
        if let Some(config) = &config.service {
            for (check, _) in all_checks(config) {
                self.timers.cancel(Timer::Check(id, check));
            }
        }
        self.timers.cancel(Timer::Memory(id));
        if was_ready {
            self.readiness_changed(id, step);
        }
    }

    /// What a change of state means for the checks.
    pub(crate) fn checks_follow_state(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        let to = process.state;
        let Some(service) = &mut process.service else {
            return;
        };
        match to {
            ProcessState::Starting => {
                if matches!(
                    process.reason,
                    Reason::Requested | Reason::Autostart | Reason::NeededBy { .. }
                ) {
                    service.checking.liveness_restarts = 0;
                }
            }
            ProcessState::Running => self.look_at_readiness(id, None, step),
            ProcessState::Fatal => {
                service.checking.liveness_restarts = 0;
                self.checks_end(id, step);
            }
            ProcessState::Stopped
            | ProcessState::Backoff
            | ProcessState::Stopping
            | ProcessState::Exited
            | ProcessState::Unknown => self.checks_end(id, step),
        }
    }

    /// Works out whether a service is ready, and tells if that has changed. `why_not` is what may have
    /// taken its readiness away.
    fn look_at_readiness(&mut self, id: ProcessId, why_not: Option<String>, step: &mut Step<'_>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        let (Some(config), Some(service)) = (&process.config.service, &mut process.service) else {
            return;
        };
        let checking = &mut service.checking;
        let has_checks = config.readiness.is_some();
        let is_up = match config.readiness {
            Some(_) => checking.readiness.iter().all(|state| state.is_passing),
            None => process.state == ProcessState::Running,
        };
        let is_ready =
            checking.is_active && is_up && !checking.is_reloading && !checking.is_stopping;
        if is_ready == checking.ready_since.is_some() {
            return;
        }
        checking.ready_since = is_ready.then_some(step.now);
        let name = process.config.name.clone();
        let after = step.now.monotonic.since(process.up_since);
        if is_ready {
            if process.state == ProcessState::Running {
                process.starts_well();
            }
            let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
            self.timers.cancel(Timer::Readiness(id));
            if has_checks {
                self.liveness_counts(id, step);
                step.act(Action::Log(Message::Ready { name, after_ms }));
            }
            self.record(id, OccurrenceKind::Ready { after_ms }, step);
        } else {
            let text = why_not.unwrap_or_default();
            step.act(Action::Log(Message::NotReady {
                name,
                text: text.clone(),
            }));
            self.record(id, OccurrenceKind::NotReady { text }, step);
        }
        self.readiness_changed(id, step);
    }

    /// `ready_within` is over.
    pub(crate) fn readiness_timer(&mut self, id: ProcessId, step: &mut Step<'_>) {
        if self.is_going_down(id) {
            return;
        }
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        let (Some(config), Some(service)) = (&process.config.service, &process.service) else {
            return;
        };
        let text = service.checking.what_is_missing(config);
        let within = config.ready_within;
        let reason = Reason::NotReadyInTime { within, text };
        self.stop_and_then(id, reason, AfterStop::FailedStart, step);
    }

    /// Whether it is to be stopped, and not by us: in its turn, when those are down that depend on it.
    fn is_going_down(&self, id: ProcessId) -> bool {
        self.shutdown.is_some() || self.stop_is_held(id)
    }

    /// The process of a service that is still there, by its number and that of its process group.
    fn living(&self, id: ProcessId) -> Option<(&Process, i32)> {
        let process = self.processes.get(&id)?;
        match process.life {
            Life::Alive { pid } => Some((process, pid)),
            Life::None | Life::Blocked | Life::InFlight | Life::Ended { .. } => None,
        }
    }
}

impl Checking {
    /// The first check that keeps it from being ready, in words.
    fn what_is_missing(&self, config: &ServiceConfig) -> String {
        if self.is_stopping {
            return "it has said that it stops".to_owned();
        }
        if self.is_reloading {
            return "it said that it reloads, and not that it is ready again".to_owned();
        }
        let probes = config.readiness.iter().flat_map(|checks| &checks.probes);
        self.readiness
            .iter()
            .zip(probes)
            .find(|(state, _)| !state.is_passing)
            .map(|(state, probe)| {
                let failure = state.last.as_ref().and_then(|last| last.failure.as_deref());
                match failure {
                    Some(failure) => about(&probe.text, failure),
                    None if probe.kind.is_passive() => {
                        about(&probe.text, nothing_from(&probe.kind))
                    }
                    None => about(&probe.text, "no answer yet"),
                }
            })
            .unwrap_or_else(|| "it is not RUNNING yet".to_owned())
    }
}

/// What a passive probe has not seen.
fn nothing_from(kind: &ProbeKind) -> &'static str {
    match kind {
        ProbeKind::Log { .. } => "no line of its output matches yet",
        ProbeKind::Notify => "it has not said READY=1",
        ProbeKind::Descriptor(_) => "it has not written a newline there",
        ProbeKind::Tcp { .. }
        | ProbeKind::Unix { .. }
        | ProbeKind::Http(_)
        | ProbeKind::Exec { .. }
        | ProbeKind::File { .. } => "no answer yet",
    }
}

/// Most bytes of a text about a probe that are kept: the probe, and why it failed.
const TEXT_MAX: usize = 600;

/// A probe, and what is to be said of it.
fn about(probe: &str, text: &str) -> String {
    cut(format!("{probe}: {text}"), TEXT_MAX)
}

/// A text of at most this many bytes.
fn cut(mut text: String, most: usize) -> String {
    if text.len() > most {
        let end = (0..=most).rev().find(|&end| text.is_char_boundary(end));
        text.truncate(end.unwrap_or(0));
    }
    text
}

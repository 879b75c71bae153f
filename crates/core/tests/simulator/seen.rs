//! What has been seen of one process.

use std::sync::Arc;

use linchpin_config::{AutoRestart, OnDependencyLost, ProcessConfig};
use linchpin_core::{
    Action, Generation, Notice, ProcessId, ProcessState, ProcessView, Reason, Target,
};

use super::invariants::{Invariant, Violation};
use super::world::{Phase, Start, World};

pub(super) const SECOND: u64 = 1_000_000_000;

/// What has been seen of one process.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) config: Arc<ProcessConfig>,
    pub(super) group: String,
    pub(super) state: ProcessState,
    pub(super) failures: u32,
    /// What the operator and `autorestart` want.
    pub(super) is_wanted: bool,
    /// The latest start, once it has been asked for.
    pub(super) generation: Option<Generation>,
    /// Why it is being started.
    pub(super) starts_by_itself: bool,
    pub(super) state_since: u64,
    /// It goes down only to come up again: with what it depends on, or as its checks want it.
    pub(super) is_restarted: bool,
    /// It does so after it had been RUNNING, so that this is no failed start.
    pub(super) is_no_failure: bool,
    /// It is ready, as has been told.
    pub(super) is_ready: bool,
    /// The end of its stop has been put off until then.
    pub(super) extended_to: u64,
    /// When the latest process came to be.
    pub(super) alive_since: Option<u64>,
    pub(super) stop_signal_at: Option<u64>,
    pub(super) kill_at: Option<u64>,
}

impl Seen {
    pub(super) fn is_meant_by(&self, target: &Target) -> bool {
        match target {
            Target::Process { group, name } => self.group == *group && self.config.name == *name,
            Target::Group(group) => self.group == *group,
            Target::All => true,
        }
    }

    pub(super) fn publish(
        &mut self,
        action: &Action,
        is_running: bool,
        world: &World,
    ) -> Result<(), Violation> {
        let Action::Publish(Notice::ProcessState {
            process,
            name,
            group,
            from,
            to,
            tries,
            pid,
            expected,
            reason,
        }) = action
        else {
            return Ok(());
        };
        let (from, to) = (*from, *to);
        let out_of_order = |what: &str| {
            Invariant::EventsInOrder.broken(format!("{process} {from:?} {to:?}: {what}"))
        };
        if from != self.state || *name != self.config.name || *group != self.group {
            return Err(out_of_order(
                "it was in another state or is another process",
            ));
        }
        if !from.may_become(to) {
            return Err(Invariant::LegalTransitions.broken(format!("{process} {from:?} {to:?}")));
        }
        match to {
            ProcessState::Backoff => self.failures += 1,
            // Its start has not succeeded before it is ready.
            ProcessState::Running if self.has_to_become_ready() => self.failures = *tries,
            ProcessState::Running
            | ProcessState::Stopped
            | ProcessState::Exited
            | ProcessState::Fatal => {
                if to == ProcessState::Fatal
                    && !matches!(
                        reason,
                        Reason::DependencyFailed { .. } | Reason::LivenessRestartsExhausted { .. }
                    )
                    && is_running
                    && i64::from(self.failures) <= self.config.startretries
                {
                    return Err(Invariant::RetriesCounted
                        .broken(format!("{process} after {} failures", self.failures)));
                }
                self.failures = 0;
            }
            ProcessState::Starting | ProcessState::Stopping | ProcessState::Unknown => {}
        }
        if to == ProcessState::Backoff && self.has_to_become_ready() && *tries == 1 {
            // It was ready in between.
            self.failures = 1;
        }
        if matches!(to, ProcessState::Backoff | ProcessState::Starting) && *tries != self.failures {
            return Err(out_of_order("wrong number of tries"));
        }
        let start = self
            .generation
            .and_then(|generation| world.starts.get(&generation));
        let is_pid_right = match to {
            ProcessState::Running | ProcessState::Exited => {
                *pid != 0 && start.is_none_or(|start| start.pid() == Some(*pid))
            }
            ProcessState::Stopping | ProcessState::Stopped | ProcessState::Unknown => {
                *pid == 0 || start.is_none_or(|start| start.pid() == Some(*pid))
            }
            ProcessState::Starting | ProcessState::Backoff | ProcessState::Fatal => *pid == 0,
        };
        if !is_pid_right {
            return Err(out_of_order("wrong process id"));
        }
        let was_wanted = self.is_wanted;
        match to {
            ProcessState::Starting => self.starting(from, reason, process, world)?,
            ProcessState::Stopping => {
                self.stop_signal_at = None;
                self.kill_at = None;
                let lost = matches!(
                    reason,
                    Reason::DependencyLost { .. } | Reason::DependencyStops
                );
                let policy = self.config.service.as_ref();
                let policy = policy.map(|service| service.on_dependency_lost);
                let by_checks = matches!(
                    reason,
                    Reason::NotReadyInTime { .. }
                        | Reason::LivenessFailed { .. }
                        | Reason::MemoryExceeded { .. }
                );
                self.extended_to = 0;
                self.is_restarted = by_checks;
                self.is_no_failure = from == ProcessState::Running
                    && !matches!(reason, Reason::NotReadyInTime { .. });
                if by_checks {
                } else if lost && policy == Some(OnDependencyLost::Stop) {
                    self.is_wanted = false;
                } else if lost && policy == Some(OnDependencyLost::Restart) {
                    self.is_restarted = true;
                } else if was_wanted && is_running {
                    return Err(Invariant::OperatorsWishes.broken(format!("{process} is stopped")));
                }
            }
            ProcessState::Exited => {
                self.is_wanted &= match self.config.autorestart {
                    AutoRestart::Never => false,
                    AutoRestart::Unexpected => !expected,
                    AutoRestart::Always => true,
                };
            }
            ProcessState::Fatal | ProcessState::Unknown => self.is_wanted = false,
            ProcessState::Stopped | ProcessState::Running | ProcessState::Backoff => {}
        }
        if to == ProcessState::Stopped && was_wanted && is_running && !self.is_restarted {
            return Err(Invariant::OperatorsWishes.broken(format!("{process} is down")));
        }
        self.is_ready &= matches!(to, ProcessState::Starting | ProcessState::Running);
        self.state = to;
        self.state_since = world.monotonic;
        Ok(())
    }

    /// Whether its start fails if it does not become ready.
    fn has_to_become_ready(&self) -> bool {
        let service = self.config.service.as_ref();
        service.is_some_and(|service| !service.ready_within.is_zero())
    }

    fn starting(
        &mut self,
        from: ProcessState,
        reason: &Reason,
        process: &ProcessId,
        world: &World,
    ) -> Result<(), Violation> {
        let asked = matches!(
            reason,
            Reason::Requested | Reason::Autostart | Reason::NeededBy { .. }
        );
        if !asked && !self.is_wanted {
            return Err(Invariant::OperatorsWishes
                .broken(format!("{process} is started by itself: {reason}")));
        }
        let is_brake = std::mem::take(&mut self.is_no_failure);
        if from == ProcessState::Backoff && is_brake {
            if self
                .alive_since
                .is_some_and(|since| world.monotonic < since + SECOND)
            {
                return Err(Invariant::RestartBrake.broken(format!("{process} within a second")));
            }
        } else if from == ProcessState::Backoff {
            if i64::from(self.failures) > self.config.startretries {
                return Err(Invariant::RetriesCounted
                    .broken(format!("{process} once more after {}", self.failures)));
            }
            let wait = u64::from(self.failures).saturating_mul(SECOND);
            if world.monotonic < self.state_since.saturating_add(wait) {
                return Err(Invariant::RestartBrake.broken(format!("{process} before its backoff")));
            }
        }
        self.generation = None;
        self.is_wanted = true;
        self.is_ready = false;
        self.starts_by_itself = matches!(
            reason,
            Reason::Autorestart | Reason::LivenessFailed { .. } | Reason::MemoryExceeded { .. }
        );
        Ok(())
    }

    pub(super) fn has_what_it_waits_for(
        &self,
        view: &ProcessView<'_>,
        start: Option<&Start>,
        waits: bool,
        is_running: bool,
        world: &World,
    ) -> Result<(), Violation> {
        let has_deadline = view.next_change.is_some();
        let is_ending = |start: &Start| match start.phase {
            Phase::Reaped { .. } => true,
            Phase::Told { .. } => !start.is_released,
            Phase::Asked | Phase::Alive { .. } => false,
        };
        let is_right = match self.state {
            ProcessState::Stopped => !(has_deadline || self.is_wanted && is_running),
            ProcessState::Fatal | ProcessState::Unknown => !has_deadline,
            ProcessState::Exited => has_deadline == (self.is_wanted && is_running),
            ProcessState::Backoff => has_deadline || !is_running,
            ProcessState::Running => start.is_some_and(|start| {
                matches!(start.phase, Phase::Alive { .. }) || is_ending(start)
            }),
            ProcessState::Stopping => start.is_some_and(|start| match start.phase {
                Phase::Asked | Phase::Alive { .. } => has_deadline,
                Phase::Reaped { .. } | Phase::Told { .. } => is_ending(start),
            }),
            ProcessState::Starting => match start {
                Some(start) => match start.phase {
                    Phase::Asked => true,
                    Phase::Alive { .. } => has_deadline,
                    Phase::Reaped { .. } | Phase::Told { .. } => is_ending(start),
                },
                None => {
                    let blocks = |start: &Start| {
                        start.group == self.group
                            && start.name == self.config.name
                            && (start.may_live() || is_ending(start) || start.is_followed)
                    };
                    world.starts.values().any(blocks) || waits || !is_running
                }
            },
        };
        if is_right {
            Ok(())
        } else {
            Err(Invariant::NoTimerLost.broken(format!(
                "{} ({}:{}) is {:?} with deadline {:?} and {start:?}",
                view.id, self.group, self.config.name, self.state, view.next_change
            )))
        }
    }

    pub(super) fn stop_is_in_time(
        &self,
        start: Option<&Start>,
        world: &World,
    ) -> Result<(), Violation> {
        if self.state != ProcessState::Stopping {
            return Ok(());
        }
        let grace = u64::try_from(self.config.stopwaitsecs)
            .unwrap_or(0)
            .saturating_mul(SECOND);
        let late = |what: &str| {
            Err(Invariant::StopEnds.broken(format!("{}:{}: {what}", self.group, self.config.name)))
        };
        match start.map(|start| start.phase) {
            Some(Phase::Asked) if world.monotonic >= self.state_since.saturating_add(grace) => {
                late("the start was not given up")
            }
            Some(Phase::Alive { .. }) => match (self.stop_signal_at, self.kill_at) {
                (None, _) => late("no stop signal was sent"),
                (Some(at), None)
                    if world.monotonic >= at.saturating_add(grace).max(self.extended_to) =>
                {
                    late("no SIGKILL was sent")
                }
                (Some(_), Some(at)) if world.monotonic >= at.saturating_add(grace.max(SECOND)) => {
                    late("SIGKILL was not repeated")
                }
                (Some(_), _) => Ok(()),
            },
            Some(Phase::Asked | Phase::Reaped { .. } | Phase::Told { .. }) | None => Ok(()),
        }
    }
}

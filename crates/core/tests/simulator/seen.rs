//! What has been seen of one process.

use std::sync::Arc;

use linchpin_config::{OnDependencyLost, ProcessConfig};
use linchpin_core::{
    Action, Generation, HookPoint, Notice, ProcessId, ProcessState, ProcessView, Reason,
    Supervisor, Surroundings, Target,
};

use super::invariants::{Invariant, Violation};
use super::lives::{self, Past, Row};
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
    /// When it has been told to stop: by a signal or by its `stop_command`.
    pub(super) stop_begun_at: Option<u64>,
    pub(super) kill_at: Option<u64>,
    /// It had a process when its stop began, so that hooks have their turn.
    pub(super) stops_with_hooks: bool,
    /// Its present start has succeeded.
    pub(super) has_started: bool,
    /// Failures in a row, where they are counted so.
    pub(super) row: Row,
    /// The exit status of the latest start that is over, as a shell would tell it.
    pub(super) last_code: Option<i32>,
    /// The start whose end was expected, so that its marker may be written.
    pub(super) done: Option<Generation>,
    pub(super) is_completed: bool,
}

impl Seen {
    pub(super) fn new(config: Arc<ProcessConfig>, group: String, now: u64) -> Self {
        Self {
            config,
            group,
            state: ProcessState::Stopped,
            failures: 0,
            is_wanted: false,
            generation: None,
            starts_by_itself: false,
            state_since: now,
            is_restarted: false,
            is_no_failure: false,
            is_ready: false,
            extended_to: 0,
            alive_since: None,
            stop_begun_at: None,
            kill_at: None,
            stops_with_hooks: false,
            has_started: false,
            row: Row::default(),
            last_code: None,
            done: None,
            is_completed: false,
        }
    }

    pub(super) fn is_meant_by(&self, target: &Target) -> bool {
        match target {
            Target::Process { group, name } => self.group == *group && self.config.name == *name,
            Target::Group(group) => self.group == *group,
            Target::Several(names) => names
                .iter()
                .any(|(group, name)| self.group == *group && self.config.name == *name),
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
        if Row::counts(&self.config) {
            let is_wanted = self.is_wanted && is_running;
            self.row
                .changes(&self.config, (from, to), reason, *tries, is_wanted)?;
            self.failures = *tries;
        } else {
            self.count_failed_starts(to, reason, *tries, is_running)
                .map_err(|what| what.unwrap_or_else(|| out_of_order("wrong number of tries")))?;
        }
        let start = self
            .generation
            .and_then(|generation| world.starts.get(&generation));
        let is_pid_right = match to {
            _ if *reason == Reason::DoneBefore => *pid == 0 && self.generation.is_none(),
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
                self.stop_begun_at = None;
                self.kill_at = None;
                self.stops_with_hooks = start.is_some_and(|start| start.pid().is_some());
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
                self.is_wanted &= lives::wants_itself_again(&self.config, reason, *expected);
                self.done = self.generation.filter(|_| *expected);
                let is_noted =
                    *reason == Reason::DoneBefore || lives::marker(&self.config).is_none();
                self.is_completed |= *expected && is_noted;
            }
            ProcessState::Fatal => {
                self.is_wanted &= is_running && lives::has_chance_after(&self.config, reason);
            }
            ProcessState::Unknown => self.is_wanted = false,
            ProcessState::Backoff => {
                let never_started = matches!(
                    reason,
                    Reason::HookFailed { .. }
                        | Reason::DependencyFailed { .. }
                        | Reason::DependencyTimeout { .. }
                );
                let no_marker =
                    matches!(reason, Reason::MarkerFailed { .. }) && from == ProcessState::Starting;
                if never_started || no_marker {
                    self.last_code = None;
                }
            }
            ProcessState::Running => {
                self.has_started |= self.is_ready || !self.has_to_become_ready();
            }
            ProcessState::Stopped => {}
        }
        if to == ProcessState::Stopped && was_wanted && is_running && !self.is_restarted {
            return Err(Invariant::OperatorsWishes.broken(format!("{process} is down")));
        }
        self.is_ready &= matches!(to, ProcessState::Starting | ProcessState::Running);
        self.state = to;
        self.state_since = world.monotonic;
        Ok(())
    }

    /// Supervisor's way to count: failed starts until one succeeds. An error without a violation is a wrong
    /// number of tries.
    fn count_failed_starts(
        &mut self,
        to: ProcessState,
        reason: &Reason,
        tries: u32,
        is_running: bool,
    ) -> Result<(), Option<Violation>> {
        match to {
            ProcessState::Backoff => self.failures += 1,
            // Its start has not succeeded before it is ready.
            ProcessState::Running if self.has_to_become_ready() => self.failures = tries,
            ProcessState::Running
            | ProcessState::Stopped
            | ProcessState::Exited
            | ProcessState::Fatal => {
                if to == ProcessState::Fatal
                    && !matches!(
                        reason,
                        Reason::DependencyFailed { .. }
                            | Reason::LivenessRestartsExhausted { .. }
                            | Reason::RestartPrevented { .. }
                    )
                    && is_running
                    && i64::from(self.failures) <= self.config.startretries
                {
                    let name = &self.config.name;
                    return Err(Some(
                        Invariant::RetriesCounted
                            .broken(format!("{name} after {} failures", self.failures)),
                    ));
                }
                self.failures = 0;
            }
            ProcessState::Starting | ProcessState::Stopping | ProcessState::Unknown => {}
        }
        if to == ProcessState::Backoff && self.has_to_become_ready() && tries == 1 {
            // It was ready in between.
            self.failures = 1;
        }
        if matches!(to, ProcessState::Backoff | ProcessState::Starting) && tries != self.failures {
            return Err(None);
        }
        Ok(())
    }

    /// It has ended after being up for so long.
    pub(super) fn was_up(&mut self, up: u64) {
        let startsecs = u64::try_from(self.config.startsecs).unwrap_or(0);
        // Its timer may not have fired.
        let is_slow = self.state == ProcessState::Starting
            && up >= startsecs.saturating_mul(SECOND)
            && !self.has_to_become_ready();
        if is_slow || self.has_started {
            self.row.was_up(&self.config, up);
        }
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
        let (least, _) = self.row.wait(&self.config);
        if Row::counts(&self.config) {
            if from == ProcessState::Backoff
                && world.monotonic < self.state_since.saturating_add(least)
            {
                return Err(
                    Invariant::RestartBrake.broken(format!("{process} before its wait is over"))
                );
            }
        } else if from == ProcessState::Backoff && is_brake {
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
        if from == ProcessState::Fatal && !asked && !self.fatal_retry_is_over(world.monotonic) {
            return Err(
                Invariant::RestartBrake.broken(format!("{process} before its second chance"))
            );
        }
        self.generation = None;
        self.has_started = false;
        self.is_wanted = true;
        self.is_ready = false;
        self.starts_by_itself = matches!(
            reason,
            Reason::Autorestart | Reason::LivenessFailed { .. } | Reason::MemoryExceeded { .. }
        );
        Ok(())
    }

    fn fatal_retry_is_over(&self, now: u64) -> bool {
        self.config.service.as_ref().is_some_and(|service| {
            let retry = u64::try_from(service.fatal_retry.as_nanos()).unwrap_or(u64::MAX);
            retry > 0 && now >= self.state_since.saturating_add(retry)
        })
    }

    /// Whether there is a sentence about what keeps a start from having a process.
    pub(super) fn is_explained(
        &self,
        process: ProcessId,
        supervisor: &Supervisor,
        world: &World,
    ) -> Result<(), Violation> {
        let is_waiting = self.state == ProcessState::Starting && self.generation.is_none();
        let is_held = self.state == ProcessState::Stopping && self.is_at_pre_stop(world);
        if !(is_waiting || is_held) {
            return Ok(());
        }
        let explanation = supervisor.explain(process, world.now(), Surroundings::default());
        let is_told = explanation.as_ref().is_some_and(|it| {
            // The first is the change of state itself.
            it.causes.iter().filter(|cause| cause.depth == 0).count() > 1 && !it.next.is_empty()
        });
        if is_told {
            Ok(())
        } else {
            Err(Invariant::WaitsExplained.broken(format!("{process}: {explanation:?}")))
        }
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
            ProcessState::Fatal => has_deadline == (self.is_wanted && is_running),
            ProcessState::Unknown => !has_deadline,
            ProcessState::Exited => has_deadline == (self.is_wanted && is_running),
            ProcessState::Backoff => !is_running || self.waits_as_long_as_it_should(view),
            ProcessState::Running => start.is_some_and(|start| {
                matches!(start.phase, Phase::Alive { .. }) || is_ending(start)
            }),
            ProcessState::Stopping => start.is_some_and(|start| match start.phase {
                Phase::Asked | Phase::Alive { .. } => has_deadline || self.is_at_pre_stop(world),
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
                    world.starts.values().any(blocks)
                        || waits
                        || !is_running
                        || world.lives.prepares(view.id)
                        || world
                            .lives
                            .holds_up(view.id, &self.group, &self.config.name)
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

    fn is_at_pre_stop(&self, world: &World) -> bool {
        self.generation
            .is_some_and(|generation| world.lives.is_under_way(generation, HookPoint::PreStop))
    }

    fn waits_as_long_as_it_should(&self, view: &ProcessView<'_>) -> bool {
        let Some(next) = view.next_change else {
            return false;
        };
        if !Row::counts(&self.config) {
            return true;
        }
        let (least, most) = self.row.wait(&self.config);
        let window = self.state_since.saturating_add(least)
            ..=self.state_since.saturating_add(most.max(SECOND));
        window.contains(&next.0) && !self.row.is_over(&self.config)
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
            Some(Phase::Alive { .. }) if self.is_at_pre_stop(world) => Ok(()),
            Some(Phase::Alive { .. }) => match (self.stop_begun_at, self.kill_at) {
                (None, None) => late("it was not told to stop"),
                (Some(at), None)
                    if world.monotonic >= at.saturating_add(grace).max(self.extended_to) =>
                {
                    late("no SIGKILL was sent")
                }
                (_, Some(at)) if world.monotonic >= at.saturating_add(grace.max(SECOND)) => {
                    late("SIGKILL was not repeated")
                }
                (Some(_), None) | (_, Some(_)) => Ok(()),
            },
            Some(Phase::Asked | Phase::Reaped { .. } | Phase::Told { .. }) | None => Ok(()),
        }
    }

    /// Whether a hook may begin now.
    pub(super) fn may_run_hook(
        &self,
        process: ProcessId,
        generation: Generation,
        point: HookPoint,
        pid: Option<i32>,
        world: &World,
    ) -> Result<(), Violation> {
        let start = world.starts.get(&generation);
        let is_own = self.generation == Some(generation);
        let has_process = is_own
            && start.is_some_and(|start| {
                matches!(start.phase, Phase::Alive { .. } | Phase::Reaped { .. })
                    && start.pid() == pid
            });
        let is_right = match point {
            HookPoint::PreStart => {
                self.state == ProcessState::Starting && start.is_none() && !self.has_another(world)
            }
            HookPoint::PostStart => self.state == ProcessState::Running && has_process,
            HookPoint::PreStop => {
                self.state == ProcessState::Stopping && has_process && self.stop_begun_at.is_none()
            }
            HookPoint::StopCommand => {
                let is_prepared = lives::hook(&self.config, HookPoint::PreStop).is_none()
                    || world.lives.past(generation, HookPoint::PreStop).is_some();
                self.state == ProcessState::Stopping && has_process && is_prepared
            }
            HookPoint::PostStop => {
                is_own && start.is_some_and(|start| matches!(start.phase, Phase::Told { .. }))
            }
            HookPoint::Reload => {
                has_process && matches!(self.state, ProcessState::Starting | ProcessState::Running)
            }
        };
        if is_right {
            Ok(())
        } else {
            Err(Invariant::HooksInTurn.broken(format!(
                "{point:?} of {process} in {:?} with {start:?}",
                self.state
            )))
        }
    }

    fn has_another(&self, world: &World) -> bool {
        world.starts.values().any(|start| {
            start.group == self.group
                && start.name == self.config.name
                && start.may_live()
                && !start.is_disowned
        })
    }

    /// Whether it may be sent a signal to stop it now. `is_late`: the daemon's end has taken too long.
    pub(super) fn may_be_told(
        &self,
        generation: Generation,
        is_kill: bool,
        is_late: bool,
        world: &World,
    ) -> Result<(), Violation> {
        let is_under_way = |point| world.lives.is_under_way(generation, point);
        let past = |point| world.lives.past(generation, point);
        let has = |point| lives::hook(&self.config, point).is_some();
        let broken = |what: &str| {
            let name = &self.config.name;
            Err(Invariant::HooksInTurn.broken(format!("{name} is signalled {what}")))
        };
        if is_under_way(HookPoint::PreStop) {
            return broken("while its pre_stop is under way");
        }
        if is_late || !self.stops_with_hooks {
            return Ok(());
        }
        if has(HookPoint::PreStop) && past(HookPoint::PreStop).is_none() {
            return broken("without its pre_stop");
        }
        if has(HookPoint::StopCommand)
            && !is_kill
            && matches!(past(HookPoint::StopCommand), None | Some(Past::Well))
        {
            return broken("although its stop_command has not failed");
        }
        if is_kill && self.stop_begun_at.is_none() {
            return broken("with SIGKILL before it was told to stop");
        }
        Ok(())
    }

    /// Whether a hook under way is about something that it may be about.
    pub(super) fn hook_may_go_on(
        &self,
        generation: Generation,
        point: HookPoint,
        world: &World,
    ) -> bool {
        let start = world.starts.get(&generation);
        let has_process = start.is_some_and(|start| match start.phase {
            Phase::Alive { .. } | Phase::Reaped { .. } => true,
            Phase::Told { .. } => !start.is_released,
            Phase::Asked => false,
        });
        match point {
            HookPoint::PreStart => self.state == ProcessState::Starting && start.is_none(),
            HookPoint::PreStop => {
                has_process && matches!(self.state, ProcessState::Stopping | ProcessState::Unknown)
            }
            HookPoint::PostStart | HookPoint::Reload => {
                has_process && self.state != ProcessState::Stopping
            }
            HookPoint::StopCommand | HookPoint::PostStop => true,
        }
    }
}

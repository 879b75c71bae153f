//! One start of a service, and how its checks stand: worked out from what the core is told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use linchpin_config::{Checks as Settings, ProbeKind, ProcessConfig, ServiceConfig};
use linchpin_core::{
    Check, CheckPurpose, Event, Generation, Notification, ProbeOutcome, ProcessId, ProcessState,
    Reason,
};

use super::MOST_STALE;

const SECOND: u64 = 1_000_000_000;

/// How long an answer may come too late before it counts as lost.
const GRACE: u64 = SECOND;

const QUICKEST: u64 = 10_000_000;
/// So much earlier or later attempts may be made that are a second or more apart.
const SLACK: u64 = 25_000_000;

fn slack(pause: u64) -> u64 {
    if pause < SECOND { 0 } else { SLACK }
}

/// The longest that one message can put a deadline off.
const LONGEST_EXTENSION: u64 = 3_600 * SECOND;

/// One start of a service.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) process: ProcessId,
    pub(super) config: Arc<ProcessConfig>,
    pub(super) since: u64,
    pub(super) state: ProcessState,
    /// It has neither been told to stop nor said that it does.
    pub(super) is_active: bool,
    pub(super) is_reloading: bool,
    pub(super) is_stopping: bool,
    pub(super) is_broken: bool,
    pub(super) was_ready: bool,
    pub(super) liveness_from: u64,
    pub(super) ready_until: Option<u64>,
    pub(super) checks: BTreeMap<Check, State>,
    pub(super) memory_asked: Option<u64>,
    pub(super) uses_too_much: bool,
}

/// One check.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) attempts: u32,
    pub(super) asked: Option<u64>,
    pub(super) is_passing: bool,
    pub(super) contrary: u32,
    pub(super) answered: Option<u64>,
    pub(super) passed: Option<u64>,
    pub(super) has_failed: bool,
}

/// How far a service may put a deadline off that asks for this much.
pub(crate) fn extension(asked: Duration) -> u64 {
    nanoseconds(asked).min(LONGEST_EXTENSION)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn settings_of(config: &ServiceConfig, purpose: CheckPurpose) -> Option<&Settings> {
    match purpose {
        CheckPurpose::Readiness => config.readiness.as_ref(),
        CheckPurpose::Liveness => config.liveness.as_ref(),
    }
}

pub(super) fn is_passive(config: &ServiceConfig, check: Check) -> bool {
    settings_of(config, check.purpose)
        .and_then(|settings| settings.probes.get(usize::from(check.index)))
        .is_none_or(|probe| probe.kind.is_passive())
}

pub(super) fn is_notify(config: &ServiceConfig, check: Check) -> bool {
    settings_of(config, check.purpose)
        .and_then(|settings| settings.probes.get(usize::from(check.index)))
        .is_some_and(|probe| probe.kind == ProbeKind::Notify)
}

impl Service {
    pub(super) fn new(
        process: ProcessId,
        config: Arc<ProcessConfig>,
        state: ProcessState,
        now: u64,
    ) -> Self {
        let mut checks = BTreeMap::new();
        let mut liveness_from = now;
        let mut ready_until = None;
        if let Some(service) = &config.service {
            for purpose in [CheckPurpose::Readiness, CheckPurpose::Liveness] {
                let probes = settings_of(service, purpose).map_or(&[][..], |all| &all.probes);
                for (index, _) in (0..).zip(probes) {
                    let state = State {
                        is_passing: purpose == CheckPurpose::Liveness,
                        ..State::default()
                    };
                    checks.insert(Check { purpose, index }, state);
                }
            }
            liveness_from += nanoseconds(service.liveness_start_period);
            let within = nanoseconds(service.ready_within);
            ready_until = (within > 0).then(|| now.saturating_add(within));
        }
        Self {
            process,
            config,
            since: now,
            state,
            is_active: state == ProcessState::Starting,
            is_reloading: false,
            is_stopping: false,
            is_broken: false,
            was_ready: false,
            liveness_from,
            ready_until,
            checks,
            memory_asked: None,
            uses_too_much: false,
        }
    }

    pub(super) fn service(&self) -> &ServiceConfig {
        self.config
            .service
            .as_ref()
            .expect("only services are here")
    }

    pub(super) fn is_ready(&self) -> bool {
        let is_up = match self.service().readiness {
            Some(_) => self
                .checks
                .iter()
                .filter(|(check, _)| check.purpose == CheckPurpose::Readiness)
                .all(|(_, state)| state.is_passing),
            None => self.state == ProcessState::Running,
        };
        self.is_active && is_up && !self.is_reloading
    }

    pub(super) fn answer(&mut self, check: Check, has_passed: bool, now: u64) {
        let Some(settings) = settings_of(self.service(), check.purpose) else {
            return;
        };
        let (successes, failures) = (settings.successes, settings.failures);
        let counts = check.purpose == CheckPurpose::Readiness || now >= self.liveness_from;
        let Some(state) = self.checks.get_mut(&check) else {
            return;
        };
        state.asked = None;
        state.answered = Some(now);
        if has_passed == state.is_passing || !counts {
            state.contrary = 0;
            return;
        }
        state.contrary += 1;
        if state.contrary >= if has_passed { successes } else { failures } {
            state.contrary = 0;
            state.is_passing = has_passed;
            state.has_failed |= !has_passed;
        }
    }

    pub(super) fn said(&mut self, notification: &Notification, now: u64) {
        if let Some(extension) = notification.extend
            && let Some(until) = &mut self.ready_until
            && matches!(self.state, ProcessState::Starting | ProcessState::Running)
        {
            *until = (*until).max(now.saturating_add(self::extension(extension)));
        }
        if !self.is_active {
            return;
        }
        if notification.stopping {
            self.is_active = false;
            self.is_stopping = true;
            return;
        }
        self.is_reloading = (self.is_reloading || notification.reloading) && !notification.ready;
        let config = self.config.clone();
        let is_notify = |check: Check| {
            let service = config.service.as_ref();
            service.is_some_and(|service| is_notify(service, check))
        };
        for (check, state) in &mut self.checks {
            match check.purpose {
                CheckPurpose::Readiness if notification.ready && is_notify(*check) => {
                    state.is_passing = true;
                }
                CheckPurpose::Liveness if is_notify(*check) => {
                    if notification.alive {
                        state.passed = Some(now);
                    }
                    self.is_broken |= notification.broken;
                }
                CheckPurpose::Readiness | CheckPurpose::Liveness => {}
            }
        }
    }

    /// When a watchdog's patience is over.
    pub(super) fn patience(&self, check: Check) -> Option<u64> {
        let settings = settings_of(self.service(), check.purpose)?;
        let state = self.checks.get(&check)?;
        let window = nanoseconds(settings.interval) * u64::from(settings.failures);
        let from = state.passed.unwrap_or(0).max(self.liveness_from);
        Some(from + window)
    }

    /// Whether its liveness has failed by now, or does with an answer that counts as lost by now.
    pub(super) fn liveness_has_failed(&self, now: u64) -> bool {
        self.is_broken
            || self.checks.iter().any(|(check, state)| {
                if check.purpose != CheckPurpose::Liveness {
                    return false;
                }
                let Some(settings) = settings_of(self.service(), check.purpose) else {
                    return false;
                };
                if is_passive(self.service(), *check) {
                    return self.patience(*check).is_some_and(|until| until <= now);
                }
                let lost_at = |asked: u64| asked + nanoseconds(settings.timeout) + GRACE;
                let is_lost = state.asked.is_some_and(|asked| lost_at(asked) <= now);
                let last_straw = state.contrary + 1 >= settings.failures;
                state.has_failed || (is_lost && last_straw && now >= self.liveness_from)
            })
    }

    pub(super) fn is_late(&self, now: u64) -> bool {
        !self.was_ready && self.ready_until.is_some_and(|until| until <= now)
    }

    /// Whether the core may probe it now.
    pub(super) fn may_be_probed(
        &self,
        check: Check,
        attempt: u32,
        now: u64,
    ) -> Result<(), &'static str> {
        let Some(settings) = settings_of(self.service(), check.purpose) else {
            return Err("it has no such check");
        };
        let Some(state) = self.checks.get(&check) else {
            return Err("it has no such check");
        };
        let interval = nanoseconds(settings.interval).max(QUICKEST);
        let is_liveness = check.purpose == CheckPurpose::Liveness;
        let least = if is_liveness || (state.is_passing && state.contrary == 0) {
            interval
        } else {
            QUICKEST
        };
        let (least, first) = (least - slack(least), interval - slack(interval));
        if is_passive(self.service(), check) {
            Err("it answers by itself")
        } else if !self.is_active {
            Err("it is not to be checked any more")
        } else if state.asked.is_some() {
            Err("an attempt is under way")
        } else if attempt != state.attempts + 1 {
            Err("attempts are counted from 1")
        } else if state.answered.is_some_and(|at| now < at + least) {
            Err("it is too early for the next one")
        } else if is_liveness && now < self.since + first {
            Err("it is too early for the first one")
        } else if !is_liveness && state.is_passing && settings.interval.is_zero() {
            Err("once is enough")
        } else {
            Ok(())
        }
    }

    /// When the core has to look at a check next; none if it need not.
    pub(super) fn due(&self, check: Check) -> Option<(u64, u64)> {
        let settings = settings_of(self.service(), check.purpose)?;
        let state = self.checks.get(&check)?;
        let interval = nanoseconds(settings.interval);
        if is_passive(self.service(), check) {
            let patience = self.patience(check)?;
            return (check.purpose == CheckPurpose::Liveness).then_some((patience, patience));
        }
        if let Some(asked) = state.asked {
            let lost = asked + nanoseconds(settings.timeout) + GRACE;
            return Some((lost, lost));
        }
        let last = state.answered.unwrap_or(self.since);
        let around = |end| (end - slack(interval), end + slack(interval));
        match check.purpose {
            CheckPurpose::Liveness => Some(around(last + interval)),
            CheckPurpose::Readiness if state.is_passing => {
                (interval > 0).then_some(around(last + interval))
            }
            CheckPurpose::Readiness => Some((last + QUICKEST, last + SECOND + SLACK)),
        }
    }
}

impl Service {
    pub(super) fn lose_what_is_lost(
        &mut self,
        generation: Generation,
        now: u64,
        stale: &mut VecDeque<Event>,
    ) {
        let lost: Vec<(Check, u32)> = self
            .checks
            .iter()
            .filter(|(check, state)| {
                let timeout = settings_of(self.service(), check.purpose)
                    .map_or(0, |settings| nanoseconds(settings.timeout));
                state
                    .asked
                    .is_some_and(|asked| asked + timeout + GRACE <= now)
            })
            .map(|(check, state)| (*check, state.attempts))
            .collect();
        for (check, attempt) in lost {
            self.answer(check, false, now);
            if stale.len() < MOST_STALE {
                stale.push_back(Event::Probed {
                    process: self.process,
                    generation,
                    check,
                    attempt,
                    outcome: ProbeOutcome::Passed,
                });
            }
        }
    }
}

/// Whether there is ground for the reason that a service is stopped for.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "other reasons are none of checks"
)]
pub(super) fn is_founded_for(service: &Service, reason: &Reason, now: u64) -> bool {
    match reason {
        Reason::LivenessFailed { .. } => service.is_active && service.liveness_has_failed(now),
        Reason::MemoryExceeded { .. } => service.is_active && service.uses_too_much,
        Reason::NotReadyInTime { .. } => service.is_late(now),
        _ => true,
    }
}

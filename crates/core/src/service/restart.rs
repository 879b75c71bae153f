//! How a service is started again: backoff, crash loops, a second chance after FATAL.
//!
//! What `restart_*` says counts every start that failed and every end that a start is to follow, whatever
//! `startsecs` says; a oneshot counts its failures in the same way. Everything else is Supervisor's way, which
//! `lifecycle` knows: it counts failed starts only, and forgets them when a process is RUNNING.

use std::time::Duration;

use linchpin_config::{AutoRestart, EndPattern, ProcessConfig, RestartPolicy, ServiceConfig};
use serde::{Deserialize, Serialize};

use crate::lifecycle::{LEAST_RESTART_INTERVAL, Restart};
use crate::process::{Life, Process};
use crate::service::{Finale, Preparing};
use crate::supervisor::{Step, Supervisor};
use crate::time::seconds;
use crate::timers::Timer;
use crate::{Action, ExitStatus, Generation, Message, Monotonic, ProcessId, ProcessState, Reason};

/// What is known of restarts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Restarts {
    /// Ends and failed starts in a row.
    in_a_row: u32,
    /// When the first of them was.
    since: Monotonic,
    /// The present start has succeeded: it was RUNNING, and ready if it has to be in time.
    pub(crate) has_started: bool,
}

/// What follows a failure that was counted.
enum Verdict {
    Wait(Duration),
    GiveUp(Reason),
}

/// Options of ours, if the process has any.
fn options(process: &Process) -> Option<&ServiceConfig> {
    process.config.service.as_deref()
}

impl Process {
    /// The present start has succeeded.
    pub(crate) fn starts_well(&mut self) {
        self.failures = 0;
        if let Some(service) = &mut self.service {
            service.restarts.has_started = true;
        }
    }

    /// Whether the start has succeeded of a process that has ended after so long.
    fn has_started(&self, up: Duration) -> bool {
        // Its timer may not have fired.
        let is_slow = self.state == ProcessState::Starting
            && up >= seconds(self.config.startsecs)
            && options(self).is_some_and(|options| options.ready_within.is_zero());
        let service = self.service.as_ref();
        is_slow || service.is_some_and(|service| service.restarts.has_started)
    }
}

impl Supervisor {
    /// Gives the seed of the random part of waits. Two daemons that begin together should not have the
    /// same, so that what they restart does not come back at one moment.
    pub fn seed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// A process has ended that was up for this long. A start that failed breaks no row, however long it
    /// took: what never is ready in time would be tried for ever.
    pub(crate) fn was_up(&mut self, id: ProcessId, up: Duration) {
        if let Some(process) = self.processes.get_mut(&id)
            && let Some(policy) = policy_of(&process.config)
            && !policy.reset.is_zero()
            && up >= policy.reset
            && process.has_started(up)
            && let Some(service) = &mut process.service
        {
            service.restarts.in_a_row = 0;
        }
    }

    /// Somebody starts it, so that what failed before does not count.
    pub(crate) fn forget_failures(&mut self, id: ProcessId) {
        if let Some(process) = self.processes.get_mut(&id)
            && let Some(service) = &mut process.service
        {
            service.restarts.in_a_row = 0;
        }
    }

    /// A process has ended by itself before it was RUNNING.
    pub(crate) fn after_quick_end(
        &mut self,
        id: ProcessId,
        status: ExitStatus,
        reason: Reason,
        restart: Restart,
        step: &mut Step<'_>,
    ) {
        if self.has_options(id) && restart == Restart::Forbidden {
            // Somebody stops it, so that nothing is counted and nothing follows.
            self.change_state(id, ProcessState::Backoff, reason, step);
        } else if self.is_prevented(id, status) {
            self.change_state(id, ProcessState::Backoff, reason, step);
            self.give_up(id, Reason::RestartPrevented { status }, step);
        } else {
            self.enter_backoff(id, reason, step);
        }
    }

    /// A process has ended by itself after it had been RUNNING: starts it again if that is wanted.
    pub(crate) fn after_end(
        &mut self,
        id: ProcessId,
        status: ExitStatus,
        expected: bool,
        restart: Restart,
        step: &mut Step<'_>,
    ) {
        if expected {
            self.ended_well(id, step);
        }
        let is_oneshot = self.is_oneshot(id);
        let is_prevented = self.is_prevented(id, status);
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        let is_wanted = match process.config.autorestart {
            _ if is_prevented => false,
            _ if is_oneshot => !expected,
            AutoRestart::Never => false,
            AutoRestart::Unexpected => !expected,
            AutoRestart::Always => true,
        };
        let is_possible = restart == Restart::AsConfigured && self.shutdown.is_none();
        if is_wanted {
            if is_possible && !self.restarts_by_policy(id, step) {
                self.restart(id, step);
            }
        } else if is_prevented && !expected {
            if is_possible {
                let reason = Reason::RestartPrevented { status };
                self.change_state(id, ProcessState::Backoff, reason.clone(), step);
                self.give_up(id, reason, step);
            }
        } else if !self.is_committing(id) {
            self.ended_for_good(id, Finale::Exit, step);
        }
    }

    /// A start has failed before there was a process, for a reason of ours.
    pub(crate) fn start_failed(&mut self, id: ProcessId, reason: Reason, step: &mut Step<'_>) {
        self.never_started(id, &reason);
        self.enter_backoff(id, reason, step);
    }

    /// A start comes to nothing, and trying again would not help.
    pub(crate) fn fail_for_good(&mut self, id: ProcessId, reason: &Reason, step: &mut Step<'_>) {
        self.never_started(id, reason);
        self.change_state(id, ProcessState::Backoff, reason.clone(), step);
        self.give_up(id, reason.clone(), step);
    }

    fn never_started(&mut self, id: ProcessId, reason: &Reason) {
        self.set_preparing(id, Preparing::Not);
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        process.life = Life::None;
        process.spawn_error = Some(reason.to_string());
        // What was before has nothing to do with it.
        process.last_end = None;
    }

    /// Counts one more failure in a row; none if it is not for us to count.
    fn count_failure(&mut self, id: ProcessId, step: &Step<'_>) -> Option<Verdict> {
        let seed = self.seed;
        let process = self.processes.get_mut(&id)?;
        let options = process.config.service.as_ref()?;
        if options.restart.is_none() && !options.oneshot {
            return None;
        }
        let restarts = &mut process.service.as_mut()?.restarts;
        if restarts.in_a_row == 0 {
            restarts.since = step.now.monotonic;
        }
        restarts.in_a_row = restarts.in_a_row.saturating_add(1);
        let failures = restarts.in_a_row;
        // So that clients see this count, which BACKOFF raises.
        process.failures = failures - 1;
        Some(match &options.restart {
            Some(policy) if policy.limit != 0 && failures >= policy.limit => {
                Verdict::GiveUp(Reason::CrashLoop {
                    ends: failures,
                    within: step.now.monotonic.since(restarts.since),
                })
            }
            Some(policy) => Verdict::Wait(wait(policy, failures, seed, process.generation)),
            None if i64::from(failures) > process.config.startretries => {
                Verdict::GiveUp(Reason::RetriesExhausted { failures })
            }
            None => Verdict::Wait(Duration::from_secs(u64::from(failures))),
        })
    }

    /// A start has failed: waits for the next try, or gives up.
    pub(crate) fn enter_backoff(&mut self, id: ProcessId, reason: Reason, step: &mut Step<'_>) {
        let verdict = self.count_failure(id, step);
        self.change_state(id, ProcessState::Backoff, reason, step);
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        let failures = process.failures;
        match verdict {
            Some(Verdict::Wait(wait)) => self.try_again_in(id, wait, step),
            Some(Verdict::GiveUp(reason)) => self.give_up(id, reason, step),
            None if i64::from(failures) > process.config.startretries => {
                self.give_up(id, Reason::RetriesExhausted { failures }, step);
            }
            None => self.timers.set(
                Timer::Process(id),
                step.now.monotonic + Duration::from_secs(u64::from(failures)),
            ),
        }
    }

    /// A process has ended by itself and is to start again: whether that is for us to decide.
    pub(crate) fn restarts_by_policy(&mut self, id: ProcessId, step: &mut Step<'_>) -> bool {
        match self.count_failure(id, step) {
            None => return false,
            Some(Verdict::GiveUp(reason)) => {
                self.change_state(id, ProcessState::Backoff, reason.clone(), step);
                self.give_up(id, reason, step);
            }
            Some(Verdict::Wait(wait)) => {
                let Some(process) = self.processes.get(&id) else {
                    return true;
                };
                let wait = self.earliest(process, wait, step).since(step.now.monotonic);
                if wait.is_zero() {
                    self.start(id, Reason::Autorestart, step);
                    return true;
                }
                let ends = process.failures.saturating_add(1);
                let name = process.config.name.clone();
                let reason = Reason::WaitsToRestart { ends, wait };
                self.change_state(id, ProcessState::Backoff, reason, step);
                step.act(Action::Log(Message::WaitsToRestart { name, ends, wait }));
                self.try_again_in(id, wait, step);
            }
        }
        true
    }

    /// When a process may start that is to wait for this long. Without any wait it would start as fast as it
    /// can fail; a second between two starts is Supervisor's brake.
    fn earliest(&self, process: &Process, wait: Duration, step: &Step<'_>) -> Monotonic {
        let at = step.now.monotonic + wait;
        if wait.is_zero() {
            at.max(process.up_since + LEAST_RESTART_INTERVAL)
        } else {
            at
        }
    }

    fn try_again_in(&mut self, id: ProcessId, wait: Duration, step: &Step<'_>) {
        if let Some(process) = self.processes.get(&id) {
            let at = self.earliest(process, wait, step);
            self.timers.set(Timer::Process(id), at);
        }
    }

    /// Whether a process is not to be started again after this end.
    fn is_prevented(&self, id: ProcessId, status: ExitStatus) -> bool {
        self.processes
            .get(&id)
            .and_then(options)
            .is_some_and(|options| is_one_of(&options.restart_prevent, status))
    }

    /// Gives up a service that waits for its next start.
    pub(crate) fn give_up(&mut self, id: ProcessId, reason: Reason, step: &mut Step<'_>) {
        self.forget_failures(id);
        self.change_state(id, ProcessState::Fatal, reason.clone(), step);
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        let name = process.config.name.clone();
        let retry = match options(process) {
            // Neither what is not to be started again, nor what has done its work and could not note it.
            Some(_)
                if matches!(
                    reason,
                    Reason::RestartPrevented { .. } | Reason::MarkerFailed { .. }
                ) =>
            {
                Duration::ZERO
            }
            Some(options) => options.fatal_retry,
            None => Duration::ZERO,
        };
        step.act(Action::Log(
            if matches!(reason, Reason::RetriesExhausted { .. }) {
                Message::GaveUp { name }
            } else {
                Message::GaveUpBecause { name, reason }
            },
        ));
        if !retry.is_zero() && self.shutdown.is_none() {
            self.timers
                .set(Timer::Process(id), step.now.monotonic + retry);
        } else {
            self.ended_for_good(id, Finale::Fatal, step);
        }
    }
}

/// The policy whose row of ends a long life breaks. The life of a oneshot is its work, however long: only its
/// success says that all is well.
fn policy_of(config: &ProcessConfig) -> Option<&RestartPolicy> {
    let options = config.service.as_ref().filter(|options| !options.oneshot)?;
    options.restart.as_ref()
}

/// Whether an end is one of those that are meant.
fn is_one_of(patterns: &[EndPattern], status: ExitStatus) -> bool {
    patterns.iter().any(|pattern| match (*pattern, status) {
        (EndPattern::Code(code), ExitStatus::Code(status)) => code == status,
        (EndPattern::Signal(number), ExitStatus::Signal { signal, .. }) => number == signal,
        (EndPattern::Code(_), ExitStatus::Signal { .. })
        | (EndPattern::Signal(_), ExitStatus::Code(_)) => false,
    })
}

/// The wait after so many failures in a row.
fn wait(policy: &RestartPolicy, failures: u32, seed: u64, generation: Generation) -> Duration {
    let most = nanoseconds(policy.delay_max.max(policy.delay));
    let doublings = failures.saturating_sub(1).min(63);
    let whole = nanoseconds(policy.delay)
        .saturating_mul(1_u64 << doublings)
        .min(most);
    let spread = per_mille(whole, policy.jitter_per_mille.min(1_000));
    // From -spread to +spread, both included.
    let random = scrambled(seed ^ scrambled(generation.0));
    let shift = random
        .checked_rem(spread.saturating_mul(2).saturating_add(1))
        .unwrap_or(0);
    let shifted = (whole - spread).saturating_add(shift);
    // Beyond the longest wait it turns back, so that also the longest waits differ.
    let wait = if shifted > most {
        most.saturating_sub(shifted - most)
    } else {
        shifted
    };
    Duration::from_nanos(wait)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// So many thousandths of a number, of at most 1000.
fn per_mille(whole: u64, thousandths: u32) -> u64 {
    let part = u128::from(whole) * u128::from(thousandths) / 1_000;
    u64::try_from(part).unwrap_or(whole)
}

/// A number in which every bit depends on every bit of this one (splitmix64).
fn scrambled(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(delay: u64, most: u64, jitter: u32) -> RestartPolicy {
        RestartPolicy {
            delay: Duration::from_secs(delay),
            delay_max: Duration::from_secs(most),
            jitter_per_mille: jitter,
            reset: Duration::from_secs(60),
            limit: 0,
        }
    }

    #[test]
    fn waits_double_up_to_the_cap() {
        let policy = policy(1, 60, 0);
        let waits: Vec<u64> = [1, 2, 3, 6, 7, 8, 100, u32::MAX]
            .map(|failures| wait(&policy, failures, 7, Generation(3)).as_secs())
            .to_vec();
        assert_eq!(waits, [1, 2, 4, 32, 60, 60, 60, 60]);
    }

    #[test]
    fn a_first_wait_beyond_the_cap_stays_as_it_is() {
        let long = policy(90, 60, 0);
        assert_eq!(wait(&long, 5, 7, Generation(3)).as_secs(), 90);
        let none = policy(0, 60, 1_000);
        assert_eq!(wait(&none, 5, 7, Generation(3)), Duration::ZERO);
    }

    #[test]
    fn waits_are_spread_and_stay_within_their_bounds() {
        for (failures, least, most) in [(1, 900, 1_100), (2, 1_800, 2_200), (9, 54_000, 60_000)] {
            let policy = policy(1, 60, 100);
            let waits: Vec<u128> = (0..1_000)
                .map(|generation| wait(&policy, failures, 42, Generation(generation)).as_millis())
                .collect();
            assert!(waits.iter().all(|wait| (least..=most).contains(wait)));
            let middle = u128::midpoint(least, most);
            let low = waits.iter().filter(|wait| **wait < middle).count();
            assert!(
                (400..600).contains(&low),
                "{low} of 1000 are below {middle}"
            );
        }
    }

    #[test]
    fn another_seed_makes_other_waits_and_the_same_the_same() {
        let policy = policy(1, 60, 100);
        let of = |seed| wait(&policy, 3, seed, Generation(9));
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }
}

//! How often a service has failed in a row, and what that leads to: worked out from what is told of it.

use linchpin_config::{AutoRestart, EndPattern, OnDependencyLost, ProcessConfig, RestartPolicy};
use linchpin_core::{ExitStatus, ProcessState, Reason};

use super::SECOND;
use crate::simulator::invariants::{Invariant, Violation};

/// Failures in a row of a service with a restart policy, or of a oneshot; others count failed starts only.
#[derive(Debug, Default)]
pub(crate) struct Row {
    failures: u32,
}

fn nanoseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn policy(config: &ProcessConfig) -> Option<&RestartPolicy> {
    config.service.as_ref()?.restart.as_ref()
}

pub(crate) fn is_oneshot(config: &ProcessConfig) -> bool {
    let service = config.service.as_ref();
    service.is_some_and(|service| service.oneshot)
}

/// Whether it is not to be started again after such an end.
pub(crate) fn is_prevented(config: &ProcessConfig, status: ExitStatus) -> bool {
    let prevents = |pattern: &EndPattern| match (*pattern, status) {
        (EndPattern::Code(code), ExitStatus::Code(status)) => code == status,
        (EndPattern::Signal(number), ExitStatus::Signal { signal, .. }) => number == signal,
        (EndPattern::Code(_), ExitStatus::Signal { .. })
        | (EndPattern::Signal(_), ExitStatus::Code(_)) => false,
    };
    let service = config.service.as_ref();
    service.is_some_and(|service| service.restart_prevent.iter().any(prevents))
}

/// Whether its own options want it to start again after this end.
pub(crate) fn wants_itself_again(config: &ProcessConfig, reason: &Reason, expected: bool) -> bool {
    if reason
        .exit()
        .is_some_and(|status| is_prevented(config, status))
    {
        return false;
    }
    if is_oneshot(config) {
        return !expected;
    }
    match config.autorestart {
        AutoRestart::Never => false,
        AutoRestart::Unexpected => !expected,
        AutoRestart::Always => true,
    }
}

/// Whether it has a second chance after it was given up for this.
pub(crate) fn has_chance_after(config: &ProcessConfig, reason: &Reason) -> bool {
    let service = config.service.as_ref();
    service.is_some_and(|service| !service.fatal_retry.is_zero())
        && !matches!(
            reason,
            Reason::RestartPrevented { .. } | Reason::MarkerFailed { .. }
        )
}

impl Row {
    /// Whether failures of such a process are counted in this way.
    pub(crate) fn counts(config: &ProcessConfig) -> bool {
        policy(config).is_some() || is_oneshot(config)
    }

    /// It has ended after being up for so long.
    pub(crate) fn was_up(&mut self, config: &ProcessConfig, up: u64) {
        if let Some(policy) = policy(config)
            && !is_oneshot(config)
            && !policy.reset.is_zero()
            && up >= nanoseconds(policy.reset)
        {
            self.failures = 0;
        }
    }

    /// Its state changes. `is_wanted`: nobody wants it down.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every other reason counts, or is founded elsewhere"
    )]
    pub(crate) fn changes(
        &mut self,
        config: &ProcessConfig,
        (from, to): (ProcessState, ProcessState),
        reason: &Reason,
        tries: u32,
        is_wanted: bool,
    ) -> Result<(), Violation> {
        match to {
            ProcessState::Starting
                if matches!(
                    reason,
                    Reason::Requested | Reason::Autostart | Reason::NeededBy { .. }
                ) =>
            {
                self.failures = 0;
            }
            // It need not wait.
            ProcessState::Starting
                if *reason == Reason::Autorestart && from == ProcessState::Exited =>
            {
                self.failures += 1;
            }
            ProcessState::Backoff => {
                let may_go_along = config
                    .service
                    .as_ref()
                    .is_some_and(|it| it.on_dependency_lost != OnDependencyLost::Keep);
                let is_next = tries == self.failures + 1;
                let is_counted = match reason {
                    Reason::RestartPrevented { .. } | Reason::DependencyFailed { .. } => false,
                    // It has done its work, and could not note it.
                    Reason::MarkerFailed { .. } => from != ProcessState::Exited,
                    Reason::ExitedTooQuickly { status, .. } => {
                        !is_prevented(config, *status) && (is_next || (is_wanted && !may_go_along))
                    }
                    // Or it is given up at once.
                    Reason::LivenessFailed { .. } => is_next,
                    _ => true,
                };
                if is_counted {
                    self.failures += 1;
                    if tries != self.failures {
                        return Err(Invariant::RetriesCounted.broken(format!(
                            "{}: {tries} instead of {} failures in a row: {reason}",
                            config.name, self.failures
                        )));
                    }
                }
            }
            ProcessState::Fatal => {
                let is_founded = match reason {
                    Reason::CrashLoop { ends, .. } => {
                        *ends == self.failures
                            && policy(config).is_some_and(|it| it.limit == self.failures)
                    }
                    Reason::RetriesExhausted { failures } => {
                        *failures == self.failures
                            && policy(config).is_none()
                            && i64::from(self.failures) > config.startretries
                    }
                    _ => true,
                };
                if !is_founded {
                    return Err(Invariant::RetriesCounted.broken(format!(
                        "{} after {} failures: {reason}",
                        config.name, self.failures
                    )));
                }
                self.failures = 0;
            }
            ProcessState::Starting
            | ProcessState::Running
            | ProcessState::Stopping
            | ProcessState::Stopped
            | ProcessState::Exited
            | ProcessState::Unknown => {}
        }
        Ok(())
    }

    /// Whether it is to be given up instead of being tried once more.
    pub(crate) fn is_over(&self, config: &ProcessConfig) -> bool {
        match policy(config) {
            Some(policy) => policy.limit != 0 && self.failures >= policy.limit,
            None => i64::from(self.failures) > config.startretries,
        }
    }

    /// How long it waits at least and at most before the next try.
    pub(crate) fn wait(&self, config: &ProcessConfig) -> (u64, u64) {
        let Some(policy) = policy(config) else {
            let wait = u64::from(self.failures) * SECOND;
            return (wait, wait);
        };
        let most = nanoseconds(policy.delay_max.max(policy.delay));
        let mut whole = nanoseconds(policy.delay);
        for _ in 1..self.failures {
            whole = whole.saturating_mul(2).min(most);
        }
        let spread = whole / 1_000 * u64::from(policy.jitter_per_mille);
        // A wait beyond the longest turns back.
        let least = (whole - spread).min(most - (whole + spread).saturating_sub(most));
        (least, (whole + spread).min(most))
    }
}

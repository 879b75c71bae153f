//! Attempts: when a probe is made, and what its answer means.
//!
//! Of each check there is at most one attempt under way. Each has a number, so that an answer which was
//! given up is told from the one that is waited for.

use std::time::Duration;

use linchpin_config::{Checks, ProbeKind};

use super::{CheckState, LastAnswer, about, cut, settings};
use crate::service::{Check, CheckPurpose, OccurrenceKind, ProbeOutcome};
use crate::supervisor::{Step, Supervisor};
use crate::time::in_words;
use crate::timers::Timer;
use crate::{Action, Generation, Monotonic, ProcessId};

/// How long an answer may come after the time of its attempt is over before it counts as lost.
const GRACE: Duration = Duration::from_secs(1);

/// Least and most time between the attempts of a check that does not pass yet.
const QUICKEST: Duration = Duration::from_millis(10);
const SLOWEST: Duration = Duration::from_secs(1);

/// Attempts that are at least [`SLOWEST`] apart are made at multiples of this, so that those of many services come
/// together: waking up for each alone would cost as much again as asking over TCP does.
const GRID: Duration = Duration::from_millis(50);

/// Until a service is ready the next attempt comes after this part of the time since its start, so that
/// readiness is seen at most that much late, however long it takes.
const PART_OF_WAIT: u32 = 20;

impl Supervisor {
    /// Begins a check: readiness is asked for at once, liveness after its interval.
    pub(super) fn first_attempt(
        &mut self,
        id: ProcessId,
        check: Check,
        kind: &ProbeKind,
        step: &mut Step<'_>,
    ) {
        match (check.purpose, kind) {
            (CheckPurpose::Liveness, ProbeKind::Notify) => self.watch(id, check),
            (CheckPurpose::Liveness, _) => {
                let Some((config, _)) = self.checked(id) else {
                    return;
                };
                if let Some(liveness) = config.service.as_ref().and_then(|c| c.liveness.as_ref()) {
                    let at = attempt_after(step.now.monotonic, liveness.interval.max(QUICKEST));
                    self.timers.set(Timer::Check(id, check), at);
                }
            }
            (CheckPurpose::Readiness, kind) if kind.is_passive() => {}
            (CheckPurpose::Readiness, _) => self.attempt(id, check, step),
        }
    }

    fn attempt(&mut self, id: ProcessId, check: Check, step: &mut Step<'_>) {
        let Some((config, checking)) = self.checked(id) else {
            return;
        };
        let config = config.clone();
        let Some((checks, _)) = config
            .service
            .as_ref()
            .and_then(|service| settings(service, check))
        else {
            return;
        };
        let Some(state) = checking.get_mut(check) else {
            return;
        };
        state.attempt = state.attempt.saturating_add(1);
        state.asked = Some(step.now.monotonic);
        let (attempt, timeout) = (state.attempt, checks.timeout);
        self.timers.set(
            Timer::Check(id, check),
            step.now.monotonic + timeout + GRACE,
        );
        let Some((process, pid)) = self.living(id) else {
            return;
        };
        step.act(Action::Probe {
            process: id,
            generation: process.generation,
            pid,
            check,
            attempt,
            timeout,
            config: process.config.clone(),
            group: process.group.clone(),
        });
    }

    /// Sets the end of the time within which a service has to say that it is alive.
    pub(super) fn watch(&mut self, id: ProcessId, check: Check) {
        let Some((config, checking)) = self.checked(id) else {
            return;
        };
        let Some(window) = config.service.as_ref().and_then(|service| {
            let (checks, _) = settings(service, check)?;
            Some(window(checks))
        }) else {
            return;
        };
        let from = checking.liveness_from;
        let last = checking
            .get(check)
            .and_then(|state| state.last.as_ref())
            .filter(|last| last.failure.is_none())
            .map_or(from, |last| last.at.monotonic.max(from));
        self.timers.set(Timer::Check(id, check), last + window);
    }

    /// An attempt is due, or an answer is overdue.
    pub(crate) fn check_timer(&mut self, id: ProcessId, check: Check, step: &mut Step<'_>) {
        let Some((config, checking)) = self.checked(id) else {
            return;
        };
        let Some((checks, probe)) = config
            .service
            .as_ref()
            .and_then(|service| settings(service, check))
        else {
            return;
        };
        let is_watchdog = probe.kind.is_passive();
        let (window, timeout) = (window(checks), checks.timeout);
        let is_asked = checking
            .get(check)
            .is_some_and(|state| state.asked.is_some());
        if is_watchdog {
            let text = format!("no WATCHDOG=1 for {}", in_words(window));
            self.liveness_failed(id, check, &text, step);
        } else if is_asked {
            let text = format!("no answer within {}", in_words(timeout));
            self.answered(id, check, ProbeOutcome::Failed(text), step);
        } else {
            self.attempt(id, check, step);
        }
    }

    pub(crate) fn probed(
        &mut self,
        id: ProcessId,
        generation: Generation,
        check: Check,
        attempt: u32,
        outcome: ProbeOutcome,
        step: &mut Step<'_>,
    ) {
        let is_current = self
            .processes
            .get(&id)
            .is_some_and(|process| process.generation == generation);
        let Some((config, checking)) = self.checked(id).filter(|_| is_current) else {
            return;
        };
        let Some((_, probe)) = config
            .service
            .as_ref()
            .and_then(|service| settings(service, check))
        else {
            return;
        };
        let is_passive = probe.kind.is_passive();
        let Some(state) = checking.get(check) else {
            return;
        };
        if is_passive {
            if attempt == 0 {
                self.passive_answer(id, check, outcome, step);
            }
        } else if state.asked.is_some() && state.attempt == attempt {
            self.answered(id, check, outcome, step);
        }
    }

    /// The answer of an attempt, or that there is none. The next attempt is set before what follows from
    /// this one, which may be the end of all checks.
    fn answered(
        &mut self,
        id: ProcessId,
        check: Check,
        outcome: ProbeOutcome,
        step: &mut Step<'_>,
    ) {
        let up_since = match self.processes.get(&id) {
            Some(process) => process.up_since,
            None => return,
        };
        let Some((config, checking)) = self.checked(id) else {
            return;
        };
        let config = config.clone();
        let Some((checks, _)) = config
            .service
            .as_ref()
            .and_then(|service| settings(service, check))
        else {
            return;
        };
        let counts = check.purpose == CheckPurpose::Readiness
            || checking.liveness_from <= step.now.monotonic;
        let Some(state) = checking.get_mut(check) else {
            return;
        };
        state.asked = None;
        let failure = match outcome {
            ProbeOutcome::Passed => None,
            ProbeOutcome::Failed(text) => Some(cut(text, ProbeOutcome::TEXT_MAX)),
        };
        let has_changed = state.take(checks, failure.clone(), counts, step);
        let is_passing = state.is_passing;
        let pause = match check.purpose {
            CheckPurpose::Liveness => Some(checks.interval.max(QUICKEST)),
            CheckPurpose::Readiness if is_passing => {
                (!checks.interval.is_zero()).then(|| checks.interval.max(QUICKEST))
            }
            CheckPurpose::Readiness => Some(pause_before_ready(
                step.now.monotonic.since(up_since),
                checks.interval,
            )),
        };
        match pause {
            Some(pause) => self.timers.set(
                Timer::Check(id, check),
                attempt_after(step.now.monotonic, pause),
            ),
            None => self.timers.cancel(Timer::Check(id, check)),
        }
        if has_changed {
            self.check_changed(id, check, failure, step);
        }
    }

    /// What a passive probe has seen.
    pub(super) fn passive_answer(
        &mut self,
        id: ProcessId,
        check: Check,
        outcome: ProbeOutcome,
        step: &mut Step<'_>,
    ) {
        let Some((_, checking)) = self.checked(id) else {
            return;
        };
        let Some(state) = checking.get_mut(check) else {
            return;
        };
        let failure = match outcome {
            ProbeOutcome::Passed => None,
            ProbeOutcome::Failed(text) => Some(cut(text, ProbeOutcome::TEXT_MAX)),
        };
        // What has been seen once has been seen, and that it was not seen is no answer of a service.
        let has_changed = failure.is_none() && !state.is_passing;
        state.is_passing |= failure.is_none();
        state.last = Some(LastAnswer {
            failure: failure.clone(),
            at: step.now,
        });
        if check.purpose == CheckPurpose::Liveness {
            self.watch(id, check);
        }
        if has_changed {
            self.check_changed(id, check, failure, step);
        }
    }

    /// A check passes that failed, or fails that passed.
    fn check_changed(
        &mut self,
        id: ProcessId,
        check: Check,
        failure: Option<String>,
        step: &mut Step<'_>,
    ) {
        let purpose = check.purpose;
        match (purpose, failure) {
            (CheckPurpose::Liveness, Some(text)) => self.liveness_failed(id, check, &text, step),
            (_, failure) => {
                let probe = self.text_of(id, check);
                let why_not = failure.as_ref().map(|text| about(&probe, text));
                let kind = match failure {
                    Some(text) => OccurrenceKind::CheckFailed {
                        purpose,
                        probe,
                        text,
                    },
                    None => OccurrenceKind::CheckPassed { purpose, probe },
                };
                self.record(id, kind, step);
                self.look_at_readiness(id, why_not, step);
            }
        }
    }

    /// A probe as it is written.
    pub(super) fn text_of(&self, id: ProcessId, check: Check) -> String {
        self.processes
            .get(&id)
            .and_then(|process| settings(process.config.service.as_deref()?, check))
            .map(|(_, probe)| probe.text.clone())
            .unwrap_or_default()
    }
}

impl CheckState {
    /// It has failed, by other means than an answer.
    pub(super) fn fail(&mut self, failure: &str, step: &Step<'_>) {
        self.is_passing = false;
        self.contrary = 0;
        self.last = Some(LastAnswer {
            failure: Some(failure.to_owned()),
            at: step.now,
        });
    }

    /// Notes an answer, and says whether the check passes or fails now and did not before.
    fn take(
        &mut self,
        checks: &Checks,
        failure: Option<String>,
        counts: bool,
        step: &Step<'_>,
    ) -> bool {
        let has_passed = failure.is_none();
        self.last = Some(LastAnswer {
            failure,
            at: step.now,
        });
        if has_passed == self.is_passing || !counts {
            self.contrary = 0;
            return false;
        }
        self.contrary = self.contrary.saturating_add(1);
        let needed = if has_passed {
            checks.successes
        } else {
            checks.failures
        };
        if self.contrary < needed {
            return false;
        }
        self.contrary = 0;
        self.is_passing = has_passed;
        true
    }
}

/// The moment of [`GRID`] that is nearest to the end of a pause; its very end if it is short.
fn attempt_after(now: Monotonic, pause: Duration) -> Monotonic {
    let Monotonic(end) = now + pause;
    if pause < SLOWEST {
        return Monotonic(end);
    }
    let grid = u64::try_from(GRID.as_nanos()).unwrap_or(u64::MAX);
    Monotonic(end.saturating_add(grid / 2) / grid * grid)
}

/// How long a service may be silent that has to say that it is alive.
fn window(checks: &Checks) -> Duration {
    checks.interval.saturating_mul(checks.failures.max(1))
}

fn pause_before_ready(up: Duration, interval: Duration) -> Duration {
    let pause = (up / PART_OF_WAIT).clamp(QUICKEST, SLOWEST);
    if interval.is_zero() {
        pause
    } else {
        pause.min(interval.max(QUICKEST))
    }
}

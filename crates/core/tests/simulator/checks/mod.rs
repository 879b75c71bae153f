//! Services with checks, a prober that answers late, never, or about something that is gone, and services
//! that speak for themselves. What the checks lead to is worked out here a second time, from what the core
//! is told and what it asks for.

mod configuration;
mod model;

use std::collections::{BTreeMap, VecDeque};

use linchpin_core::{
    Action, Check, CheckPurpose, Event, Generation, Notice, Notification, OccurrenceKind,
    ProbeOutcome, ProcessId, ProcessState, Reason, Supervisor,
};

use super::invariants::{Invariant, Violation};
pub(crate) use configuration::{add, has_checks};
pub(crate) use model::extension;
use model::{Service, is_founded_for, is_notify, is_passive};

const SECOND: u64 = 1_000_000_000;

/// After that long an unanswered question about memory is asked again.
const MEMORY_LOST: u64 = 60 * SECOND;

/// Answers that come too late; more are dropped.
const MOST_STALE: usize = 20;

/// More memory than any service may use.
const TOO_MUCH: u64 = 1_000;

/// The prober, and the services as they are to be seen.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    /// Starts of services that have a process which has not ended, as far as the core was told.
    services: BTreeMap<Generation, Service>,
    /// The start of each process that has been asked for last and may still come about.
    current: BTreeMap<ProcessId, Generation>,
    /// Answers that nobody waits for any more.
    stale: VecDeque<Event>,
}

impl Checks {
    /// Attempts that wait for their answers.
    fn asked(&self) -> impl Iterator<Item = (Generation, Check, u32)> {
        self.services.iter().flat_map(|(generation, service)| {
            service
                .checks
                .iter()
                .filter(|(_, state)| state.asked.is_some())
                .map(|(check, state)| (*generation, *check, state.attempts))
        })
    }

    pub(crate) fn has_asked(&self) -> bool {
        self.asked().next().is_some()
    }

    pub(crate) fn has_service(&self) -> bool {
        !self.services.is_empty()
    }

    pub(crate) fn has_memory_question(&self) -> bool {
        let mut services = self.services.values();
        services.any(|service| service.memory_asked.is_some())
    }

    pub(crate) fn has_stale(&self) -> bool {
        !self.stale.is_empty()
    }

    fn nth(&self, nth: usize) -> Option<(Generation, &Service)> {
        let nth = nth.checked_rem(self.services.len())?;
        let (generation, service) = self.services.iter().nth(nth)?;
        Some((*generation, service))
    }

    pub(crate) fn answer(&self, nth: usize, passes: bool) -> Option<Event> {
        let nth = nth.checked_rem(self.asked().count())?;
        let (generation, check, attempt) = self.asked().nth(nth)?;
        Some(Event::Probed {
            process: self.services.get(&generation)?.process,
            generation,
            check,
            attempt,
            outcome: if passes {
                ProbeOutcome::Passed
            } else {
                ProbeOutcome::Failed("no".to_owned())
            },
        })
    }

    /// An answer that comes when nobody waits for it any more.
    pub(crate) fn stale(&mut self, nth: usize) -> Option<Event> {
        let nth = nth.checked_rem(self.stale.len())?;
        self.stale.remove(nth)
    }

    /// Something that one of them has written, or said by a descriptor.
    pub(crate) fn hear(&self, nth: usize) -> Option<Event> {
        let (generation, service) = self.nth(nth)?;
        let passive: Vec<Check> = service
            .checks
            .keys()
            .filter(|check| check.purpose == CheckPurpose::Readiness)
            .filter(|check| is_passive(service.service(), **check))
            .copied()
            .collect();
        Some(Event::Probed {
            process: service.process,
            generation,
            check: *passive.get(nth.checked_rem(passive.len())?)?,
            attempt: 0,
            outcome: ProbeOutcome::Passed,
        })
    }

    pub(crate) fn speaks(&self, nth: usize) -> Option<(ProcessId, Generation)> {
        let (generation, service) = self.nth(nth)?;
        Some((service.process, generation))
    }

    pub(crate) fn measured(&self, nth: usize, is_too_much: bool) -> Option<Event> {
        let asked: Vec<(&Generation, &Service)> = self
            .services
            .iter()
            .filter(|(_, service)| service.memory_asked.is_some())
            .collect();
        let (generation, service) = asked.get(nth.checked_rem(asked.len())?)?;
        Some(Event::MemoryMeasured {
            process: service.process,
            generation: **generation,
            bytes: if is_too_much { TOO_MUCH } else { 1 },
        })
    }

    fn give_up(&mut self, generation: Generation) {
        let Some(service) = self.services.get_mut(&generation) else {
            return;
        };
        let process = service.process;
        for (check, state) in &mut service.checks {
            if state.asked.take().is_some() && self.stale.len() < MOST_STALE {
                self.stale.push_back(Event::Probed {
                    process,
                    generation,
                    check: *check,
                    attempt: state.attempts,
                    outcome: ProbeOutcome::Passed,
                });
            }
        }
        if service.memory_asked.take().is_some() && self.stale.len() < MOST_STALE {
            self.stale.push_back(Event::MemoryMeasured {
                process,
                generation,
                bytes: TOO_MUCH,
            });
        }
    }

    /// The daemon begins anew, and knows nothing of what the last one has asked.
    pub(crate) fn begin_anew(&mut self) {
        let generations: Vec<Generation> = self.services.keys().copied().collect();
        for generation in generations {
            self.give_up(generation);
        }
        self.services.clear();
        self.current.clear();
    }

    /// Notes what is about to be told to the core.
    pub(crate) fn before(&mut self, event: &Event, supervisor: &Supervisor, now: u64) {
        match event {
            Event::Spawned {
                process,
                generation,
                ..
            } => {
                if let Some(view) = supervisor.process(*process)
                    && view.config.service.is_some()
                    && self.current.get(process) == Some(generation)
                    && view.pid.is_none()
                    && matches!(view.state, ProcessState::Starting | ProcessState::Stopping)
                {
                    let service = Service::new(*process, view.config.clone(), view.state, now);
                    self.services.insert(*generation, service);
                }
            }
            Event::Exited { generation, .. } => {
                self.give_up(*generation);
                self.services.remove(generation);
            }
            Event::Probed {
                generation,
                check,
                attempt,
                outcome,
                ..
            } => {
                let Some(service) = self.services.get_mut(generation) else {
                    return;
                };
                let is_passive = is_passive(service.service(), *check);
                let has_passed = *outcome == ProbeOutcome::Passed;
                let Some(state) = service.checks.get_mut(check) else {
                    return;
                };
                if is_passive && *attempt == 0 {
                    state.is_passing |= has_passed && service.is_active;
                } else if state.asked.is_some() && state.attempts == *attempt {
                    service.answer(*check, has_passed, now);
                }
            }
            Event::Notified {
                generation,
                notification,
                ..
            } => {
                if let Some(service) = self.services.get_mut(generation) {
                    service.said(notification, now);
                    if service.is_stopping {
                        self.give_up(*generation);
                    }
                }
            }
            Event::MemoryMeasured {
                generation, bytes, ..
            } => {
                if let Some(service) = self.services.get_mut(generation) {
                    service.memory_asked = None;
                    service.uses_too_much |=
                        *bytes >= TOO_MUCH && service.is_active && service.service().memory_max > 0;
                }
            }
            Event::Boot
            | Event::Wake
            | Event::SpawnFailed { .. }
            | Event::Drained { .. }
            | Event::GroupGone { .. }
            | Event::Signalled { .. }
            | Event::CommandChecked { .. }
            | Event::ProcessOutput { .. }
            | Event::RemoteCommunication { .. }
            | Event::ListenerOutput { .. }
            | Event::Delivered { .. }
            | Event::InputDrained { .. }
            | Event::HookEnded { .. }
            | Event::MarkerOpened { .. }
            | Event::MarkerCommitted { .. }
            | Event::OutOfMemory { .. }
            | Event::SocketTried { .. }
            | Event::Command { .. }
            | Event::Shutdown { .. } => {}
        }
    }

    /// Looks at one action.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "most actions have nothing to do with checks"
    )]
    pub(crate) fn action(&mut self, action: &Action, now: u64) -> Result<(), Violation> {
        match action {
            Action::Spawn {
                process,
                generation,
                ..
            } => {
                self.current.insert(*process, *generation);
            }
            Action::Probe {
                generation,
                check,
                attempt,
                ..
            } => {
                let broken = |what: &str| {
                    Err(Invariant::ProbesInTurn.broken(format!("{generation:?} {check:?}: {what}")))
                };
                let Some(service) = self.services.get_mut(generation) else {
                    return broken("it is dead");
                };
                if let Err(what) = service.may_be_probed(*check, *attempt, now) {
                    return broken(what);
                }
                if let Some(state) = service.checks.get_mut(check) {
                    state.asked = Some(now);
                    state.attempts += 1;
                }
            }
            Action::MeasureMemory { generation, .. } => {
                let broken = |what: &str| {
                    Err(Invariant::ProbesInTurn
                        .broken(format!("the memory of {generation:?}: {what}")))
                };
                let Some(service) = self.services.get_mut(generation) else {
                    return broken("it is dead");
                };
                if !service.is_active || service.service().memory_max == 0 {
                    return broken("it is not to be measured");
                }
                if service
                    .memory_asked
                    .is_some_and(|asked| now < asked + MEMORY_LOST)
                {
                    return broken("a question is open");
                }
                service.memory_asked = Some(now);
            }
            Action::Record(occurrence) => {
                if let OccurrenceKind::Ready { .. } = occurrence.kind
                    && let Some(service) = self.services.get_mut(&occurrence.generation)
                {
                    service.was_ready = true;
                    if service.service().readiness.is_some() {
                        service.liveness_from = service.liveness_from.min(now);
                    }
                }
            }
            Action::Publish(Notice::ProcessState {
                process,
                to,
                reason,
                ..
            }) => return self.changed(*process, *to, reason, now),
            Action::ProcessRemoved { process } => {
                let gone: Vec<Generation> = self
                    .services
                    .iter()
                    .filter(|(_, service)| service.process == *process)
                    .map(|(generation, _)| *generation)
                    .collect();
                for generation in gone {
                    self.give_up(generation);
                    self.services.remove(&generation);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn changed(
        &mut self,
        process: ProcessId,
        to: ProcessState,
        reason: &Reason,
        now: u64,
    ) -> Result<(), Violation> {
        let generations: Vec<Generation> = self
            .services
            .iter()
            .filter(|(_, service)| service.process == process)
            .map(|(generation, _)| *generation)
            .collect();
        if to == ProcessState::Starting {
            self.current.remove(&process);
        }
        let mut is_founded = true;
        if to == ProcessState::Stopping {
            let latest = generations.last().and_then(|it| self.services.get(it));
            is_founded = latest.is_none_or(|service| is_founded_for(service, reason, now));
        }
        for generation in generations {
            if let Some(service) = self.services.get_mut(&generation) {
                service.state = to;
                if !matches!(to, ProcessState::Starting | ProcessState::Running) {
                    service.is_active = false;
                    self.give_up(generation);
                }
            }
        }
        if is_founded {
            Ok(())
        } else {
            Err(Invariant::ChecksDecide.broken(format!("{process} is stopped: {reason}")))
        }
    }

    /// Looks at the core after an event. `must_act`: nobody has asked for the end of a process.
    pub(crate) fn after(
        &mut self,
        supervisor: &Supervisor,
        now: u64,
        must_act: impl Fn(ProcessId) -> bool,
    ) -> Result<(), Violation> {
        for (generation, service) in &mut self.services {
            if service.is_active {
                service.lose_what_is_lost(*generation, now, &mut self.stale);
            }
        }
        for (generation, service) in &self.services {
            let Some(view) = supervisor.process(service.process) else {
                continue;
            };
            let Some(shown) = view.service else {
                continue;
            };
            if view.is_ready != service.is_ready() {
                return Err(Invariant::ReadyMeansReady.broken(format!(
                    "{} is ready: {}, and should be: {service:?}",
                    service.process, view.is_ready
                )));
            }
            for check in shown.checks() {
                let due = if service.is_active {
                    service.due(check.check)
                } else {
                    None
                };
                let is_right = match (due, check.next) {
                    (None, None) => true,
                    (Some((from, to)), Some(next)) => from <= next.0 && next.0 <= to,
                    (Some(_), None) | (None, Some(_)) => false,
                };
                // A service that is to end in its turn may have failed for good.
                if !is_right && !service.liveness_has_failed(now) {
                    return Err(Invariant::NoTimerLost.broken(format!(
                        "{generation:?} {:?} is due at {:?}, and should be at {due:?}: {service:?}",
                        check.check, check.next
                    )));
                }
            }
            let is_up = matches!(
                service.state,
                ProcessState::Starting | ProcessState::Running
            );
            if is_up && must_act(service.process) {
                let what = if service.is_active && service.liveness_has_failed(now) {
                    "its liveness has failed"
                } else if service.is_active && service.uses_too_much {
                    "it uses too much memory"
                } else if service.is_late(now) {
                    "it is not ready in time"
                } else {
                    continue;
                };
                return Err(
                    Invariant::ChecksDecide.broken(format!("{} goes on: {what}", service.process))
                );
            }
        }
        for view in supervisor.processes_by_name() {
            let has_process = self
                .services
                .values()
                .any(|service| service.process == view.id);
            let Some(service) = view.service.filter(|_| !has_process) else {
                continue;
            };
            let has_timer = service.checks().any(|check| check.next.is_some());
            if view.is_ready || has_timer || service.ready_until().is_some() {
                return Err(Invariant::ReadyMeansReady.broken(format!(
                    "{} has no process, is ready: {}, and is checked: {has_timer}",
                    view.id, view.is_ready
                )));
            }
        }
        Ok(())
    }

    /// What has to be said, seen or answered so that everything works: one thing, if there is any.
    pub(crate) fn what_helps(&self, supervisor: &Supervisor, now: u64) -> Option<Event> {
        if let Some(event) = self.answer(0, true).or_else(|| self.measured(0, false)) {
            return Some(event);
        }
        for (generation, service) in self.services.iter().filter(|(_, it)| it.is_active) {
            for (check, state) in &service.checks {
                let is_missing = check.purpose == CheckPurpose::Readiness && !state.is_passing;
                if is_missing && is_passive(service.service(), *check) {
                    return Some(Event::Probed {
                        process: service.process,
                        generation: *generation,
                        check: *check,
                        attempt: 0,
                        outcome: ProbeOutcome::Passed,
                    });
                }
                let bites = service.patience(*check);
                let is_watched =
                    check.purpose == CheckPurpose::Liveness && is_notify(service.service(), *check);
                if is_watched
                    && bites.is_some_and(|at| at <= now + 1)
                    && supervisor.next_deadline().map(|at| at.0) == bites
                {
                    return Some(Event::Notified {
                        process: service.process,
                        generation: *generation,
                        notification: Notification {
                            alive: true,
                            ..Notification::default()
                        },
                    });
                }
            }
        }
        None
    }

    /// Whether the next deadline is that of a watchdog that waits for a word.
    pub(crate) fn is_watchdog(&self, at: u64) -> bool {
        self.services.values().any(|service| {
            service.is_active
                && service.checks.keys().any(|check| {
                    check.purpose == CheckPurpose::Liveness
                        && is_notify(service.service(), *check)
                        && service.patience(*check) == Some(at)
                })
        })
    }

    /// Whether there is something that goes on for ever while everything works.
    pub(crate) fn goes_on(&self) -> bool {
        self.services
            .values()
            .any(|service| service.is_active && has_checks(&service.config))
    }
}

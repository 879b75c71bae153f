//! The wait of a start for what it depends on.

use std::time::Duration;

use linchpin_config::{Condition, Dependency, OnDependencyFailed};

use super::graph::{binds, dependencies, meant, spec};
use crate::process::Process;
use crate::service::OccurrenceKind;
use crate::supervisor::{Step, Supervisor};
use crate::time::seconds;
use crate::timers::Timer;
use crate::{Action, Message, Monotonic, ProcessId, ProcessState, Reason};

/// Beyond its `startsecs` nobody who only wants an order waits for a service longer than that.
const ORDER_ALLOWANCE: Duration = Duration::from_secs(5);

/// Most dependencies that are told of in one line.
const TOLD_MAX: usize = 20;

/// Something that a service waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// What, as in `depends_on`.
    pub on: String,
    /// What must be true of it.
    pub condition: Condition,
    /// The process that is not as it must be; none if there is no such process.
    pub process: Option<ProcessId>,
    /// In words: `redis is STARTING`, `migrate has failed`.
    pub text: String,
}

/// How a dependency stands.
enum Standing {
    /// As it must be.
    Met,
    /// Not yet; until then at the latest, if it only orders.
    Unmet {
        process: Option<ProcessId>,
        text: String,
        until: Option<Monotonic>,
    },
    /// Not, and nothing will change that by itself.
    Failed { process: ProcessId, text: String },
}

impl Supervisor {
    /// What a service waits for, if its start waits.
    #[must_use]
    pub fn waits(&self, id: ProcessId) -> Vec<Wait> {
        let Some(process) = self.processes.get(&id) else {
            return Vec::new();
        };
        let Some(since) = waiting_since(process) else {
            return Vec::new();
        };
        self.unmet_since(process, since)
    }

    /// What a service would wait for, had its start been asked for then.
    pub(crate) fn unmet_since(&self, process: &Process, since: Monotonic) -> Vec<Wait> {
        self.unmet(process, since, None)
            .into_iter()
            .map(|(dependency, standing)| wait(dependency, standing))
            .collect()
    }

    /// Whether a start waits for dependencies at this moment.
    pub(crate) fn waits_now(&self, id: ProcessId) -> bool {
        self.processes
            .get(&id)
            .is_some_and(|process| waiting_since(process).is_some())
    }

    /// Whether a start has dependencies, so that it is looked at when the step settles: all that are
    /// started together are known then.
    pub(crate) fn start_waits_its_turn(&mut self, id: ProcessId) -> bool {
        let Some(process) = self.processes.get(&id) else {
            return false;
        };
        if dependencies(process).is_empty() {
            return false;
        }
        self.dependencies.to_look_at.insert(id);
        true
    }

    /// Whether a start has to wait for what it depends on; sees to it that it does not wait for nothing.
    pub(crate) fn waits_for_dependencies(&mut self, id: ProcessId, step: &mut Step<'_>) -> bool {
        let Some(process) = self.processes.get(&id) else {
            return false;
        };
        let Some(service) = process.config.service.clone() else {
            return false;
        };
        if service.dependencies.is_empty() {
            return false;
        }
        let now = step.now.monotonic;
        let begun = waiting_since(process);
        let since = begun.unwrap_or(now);
        let unmet = self.unmet(process, since, Some(now));
        if unmet.is_empty() {
            if begun.is_some() {
                self.wait_is_over(id, step);
            }
            return false;
        }
        let failed = unmet
            .iter()
            .find_map(|(dependency, standing)| match standing {
                Standing::Failed { text, .. } if binds(dependency) => Some(text.clone()),
                Standing::Failed { .. } | Standing::Met | Standing::Unmet { .. } => None,
            });
        let limit = (!service.depends_timeout.is_zero()).then(|| since + service.depends_timeout);
        let mut until: Option<Monotonic> = limit;
        let mut texts = Vec::new();
        for (dependency, standing) in unmet {
            if let Standing::Unmet {
                until: Some(at), ..
            } = &standing
            {
                until = Some(until.map_or(*at, |earlier| earlier.min(*at)));
            }
            texts.push(wait(dependency, standing).text);
        }
        let mut is_pulled_in = false;
        if begun.is_none() {
            self.begin_wait(id, now);
            is_pulled_in = self.pull_in(id);
        }
        if let Some(text) = failed
            && !is_pulled_in
            && service.on_dependency_failed == OnDependencyFailed::Fail
        {
            self.fail_for_good(id, &Reason::DependencyFailed { text }, step);
            return true;
        }
        if limit.is_some_and(|limit| limit <= now) {
            self.end_wait(id);
            let text = texts.join("; ");
            self.start_failed(id, Reason::DependencyTimeout { text }, step);
            return true;
        }
        match until {
            Some(at) => self.timers.set(Timer::Dependencies(id), at),
            None => self.timers.cancel(Timer::Dependencies(id)),
        }
        self.tell_wait(id, texts, step);
        if begun.is_none() {
            self.look_at_watchers(id, step);
        }
        true
    }

    /// Whether something that a start needs, and that was there when its preparation began, is gone.
    pub(crate) fn lacks_what_it_needs(&self, id: ProcessId) -> bool {
        self.processes.get(&id).is_some_and(|process| {
            let mut needed = dependencies(process).iter().filter(|it| binds(it));
            needed.any(|it| !matches!(self.standing(id, it, process.up_since), Standing::Met))
        })
    }

    /// A start waits once more. It brings nothing up this time: what went meanwhile may have been stopped by
    /// a person, or comes up by itself.
    pub(crate) fn wait_again(&mut self, id: ProcessId, step: &mut Step<'_>) {
        self.begin_wait(id, step.now.monotonic);
        self.unblock(id, step);
        self.look_at_watchers(id, step);
    }

    /// The start that waits is over: it goes on, or was given up.
    pub(crate) fn end_wait(&mut self, id: ProcessId) {
        if let Some(process) = self.processes.get_mut(&id)
            && let Some(service) = &mut process.service
        {
            service.waiting.since = None;
            service.waiting.told.clear();
            self.timers.cancel(Timer::Dependencies(id));
        }
    }

    fn begin_wait(&mut self, id: ProcessId, now: Monotonic) {
        if let Some(process) = self.processes.get_mut(&id)
            && let Some(service) = &mut process.service
        {
            service.waiting.since = Some(now);
        }
    }

    fn wait_is_over(&mut self, id: ProcessId, step: &mut Step<'_>) {
        self.end_wait(id);
        self.record(id, OccurrenceKind::WaitOver, step);
    }

    fn tell_wait(&mut self, id: ProcessId, mut texts: Vec<String>, step: &mut Step<'_>) {
        let more = texts.len().saturating_sub(TOLD_MAX);
        if more > 0 {
            texts.truncate(TOLD_MAX);
            texts.push(format!("{more} more"));
        }
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        let Some(service) = &mut process.service else {
            return;
        };
        if service.waiting.told == texts {
            return;
        }
        service.waiting.told.clone_from(&texts);
        let name = process.config.name.clone();
        step.act(Action::Log(Message::Waits {
            name,
            texts: texts.clone(),
        }));
        self.record(id, OccurrenceKind::Waits(texts), step);
    }

    /// A start that somebody asked for brings up what it needs. One that follows an end does not: what a
    /// person has stopped stays down until a person wants it. Returns whether there was something to do.
    fn pull_in(&mut self, id: ProcessId) -> bool {
        let Some(process) = self.processes.get(&id) else {
            return false;
        };
        if !matches!(
            process.reason,
            Reason::Requested | Reason::Autostart | Reason::NeededBy { .. }
        ) {
            return false;
        }
        let name = process.spec();
        let before = self.dependencies.to_start.len();
        for dependency in dependencies(process).iter().filter(|it| binds(it)) {
            for needed in meant(&self.groups, dependency) {
                let is_done =
                    dependency.condition == Condition::Completed && self.is_completed(needed);
                let is_down = self.processes.get(&needed).is_some_and(|needed| {
                    matches!(
                        needed.state,
                        ProcessState::Stopped | ProcessState::Exited | ProcessState::Fatal
                    )
                });
                if is_down && !is_done {
                    let reason = Reason::NeededBy { name: name.clone() };
                    self.dependencies.to_start.push_back((needed, reason));
                }
            }
        }
        self.dependencies.to_start.len() > before
    }

    /// The dependencies that are not as they must be. With `now`, those that only order are let go when
    /// their time is over.
    fn unmet<'a>(
        &self,
        process: &'a Process,
        since: Monotonic,
        now: Option<Monotonic>,
    ) -> Vec<(&'a Dependency, Standing)> {
        dependencies(process)
            .iter()
            .filter_map(|dependency| {
                let standing = self.standing(process.id, dependency, since);
                match standing {
                    Standing::Met => None,
                    Standing::Unmet {
                        until: Some(until), ..
                    } if now.is_some_and(|now| until <= now) => None,
                    standing @ (Standing::Unmet { .. } | Standing::Failed { .. }) => {
                        Some((dependency, standing))
                    }
                }
            })
            .collect()
    }

    fn standing(&self, own: ProcessId, dependency: &Dependency, since: Monotonic) -> Standing {
        let ids = meant(&self.groups, dependency);
        let spec = spec(dependency);
        if ids.is_empty() {
            return match dependency.condition {
                // In a file that was not written for us it may mean anything.
                Condition::Order => Standing::Met,
                Condition::Started | Condition::Ready | Condition::Completed => Standing::Unmet {
                    process: None,
                    text: format!("there is no {spec}"),
                    until: None,
                },
            };
        }
        let mut worst = Standing::Met;
        // Nobody waits for itself.
        for id in ids.into_iter().filter(|id| *id != own) {
            let Some(process) = self.processes.get(&id) else {
                continue;
            };
            match self.standing_of(process, dependency.condition, since) {
                Standing::Met => {}
                failed @ Standing::Failed { .. } => return failed,
                unmet @ Standing::Unmet { .. } => {
                    if matches!(worst, Standing::Met) {
                        worst = unmet;
                    }
                }
            }
        }
        worst
    }

    fn standing_of(&self, process: &Process, condition: Condition, since: Monotonic) -> Standing {
        let name = process.spec();
        let state = process.state;
        let unmet = |text: String, until: Option<Monotonic>| Standing::Unmet {
            process: Some(process.id),
            text,
            until,
        };
        let failed = |text: String| Standing::Failed {
            process: process.id,
            text,
        };
        let will_start = self.timers.get(Timer::Process(process.id)).is_some();
        let has_ended =
            state == ProcessState::Exited && !will_start && !self.is_committing(process.id);
        match condition {
            Condition::Order if state == ProcessState::Starting => unmet(
                format!("{name} is STARTING"),
                Some(since + seconds(process.config.startsecs) + ORDER_ALLOWANCE),
            ),
            Condition::Order => Standing::Met,
            Condition::Completed if self.is_completed(process.id) => Standing::Met,
            // It is up only until those that depend on it are down: whoever came up now would be the next.
            Condition::Started | Condition::Ready if self.stop_is_held(process.id) => {
                unmet(format!("{name} is about to be stopped"), None)
            }
            Condition::Started if state == ProcessState::Running => Standing::Met,
            Condition::Ready if self.is_ready(process.id) => Standing::Met,
            Condition::Started | Condition::Ready | Condition::Completed => {
                if state == ProcessState::Fatal && !will_start {
                    failed(format!("{name} has failed"))
                } else if has_ended && condition == Condition::Completed {
                    failed(format!("{name} has ended without success"))
                } else if has_ended {
                    failed(format!("{name} has ended"))
                } else if state == ProcessState::Running && condition == Condition::Completed {
                    unmet(format!("{name} is at work"), None)
                } else if state == ProcessState::Running {
                    unmet(format!("{name} is not ready"), None)
                } else {
                    unmet(format!("{name} is {}", state.name()), None)
                }
            }
        }
    }
}

/// Since when a start waits for dependencies.
fn waiting_since(process: &Process) -> Option<Monotonic> {
    process
        .service
        .as_ref()
        .and_then(|service| service.waiting.since)
}

fn wait(dependency: &Dependency, standing: Standing) -> Wait {
    let (process, text) = match standing {
        Standing::Met => (None, String::new()),
        Standing::Unmet { process, text, .. } => (process, text),
        Standing::Failed { process, text } => (Some(process), text),
    };
    Wait {
        on: spec(dependency),
        condition: dependency.condition,
        process,
        text,
    }
}

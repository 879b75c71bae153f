//! What the shell does around lives: hooks that end well, badly or never, and markers on a disk that
//! outlives the daemon. Whether the core may ask for each is looked at here as far as it depends on what was
//! asked and answered before; what it has to do with states is in the checker.

mod configuration;
mod ends;
mod restarts;

use std::collections::{BTreeMap, VecDeque};

use linchpin_config::{Hook, ProcessConfig};
use linchpin_core::{Action, Event, Generation, HookPoint, MarkerState, ProcessId};

use super::invariants::{Invariant, Violation};
pub(crate) use configuration::{add, add_linchpin, give_up_sometime, has_some};
pub(crate) use ends::{Ends, code_of, code_of_failure};
pub(crate) use restarts::{Row, has_chance_after, is_prevented, wants_itself_again};

const SECOND: u64 = 1_000_000_000;

/// How much longer than its own limit the core waits for a hook.
const GRACE: u64 = SECOND;

/// Answers that come too late; more are dropped.
const MOST_STALE: usize = 20;

/// The shell's part.
#[derive(Debug, Default)]
pub(crate) struct Lives {
    hooks: BTreeMap<(Generation, HookPoint), Running>,
    /// How hooks have ended that are over.
    past: BTreeMap<(Generation, HookPoint), Past>,
    opening: Vec<Question>,
    committing: Vec<Question>,
    /// What markers were found to say before a start.
    markers: BTreeMap<Generation, MarkerState>,
    files: BTreeMap<String, File>,
    /// Answers that nobody waits for any more.
    stale: VecDeque<Event>,
}

/// A hook under way.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) process: ProcessId,
    pub(crate) group: String,
    pub(crate) name: String,
    /// The core has to give it up then.
    until: u64,
}

/// How a hook has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Past {
    Well,
    Badly,
    Cancelled,
}

/// A question about a marker.
#[derive(Debug)]
struct Question {
    process: ProcessId,
    generation: Generation,
    path: String,
    is_noted: bool,
}

/// What is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum File {
    Begun,
    Committed,
}

/// The hook of a process at a point.
pub(crate) fn hook(config: &ProcessConfig, point: HookPoint) -> Option<&Hook> {
    let hooks = &config.service.as_ref()?.hooks;
    match point {
        HookPoint::PreStart => hooks.pre_start.as_ref(),
        HookPoint::PostStart => hooks.post_start.as_ref(),
        HookPoint::PreStop => hooks.pre_stop.as_ref(),
        HookPoint::StopCommand => hooks.stop_command.as_ref(),
        HookPoint::PostStop => hooks.post_stop.as_ref(),
        HookPoint::Reload => hooks.reload_command.as_ref(),
    }
}

/// The marker of a oneshot.
pub(crate) fn marker(config: &ProcessConfig) -> Option<&str> {
    let service = config.service.as_ref()?;
    service.marker.as_deref().filter(|_| service.oneshot)
}

impl Lives {
    pub(crate) fn has_hook(&self) -> bool {
        !self.hooks.is_empty()
    }

    pub(crate) fn has_opening(&self) -> bool {
        !self.opening.is_empty()
    }

    pub(crate) fn has_committing(&self) -> bool {
        !self.committing.is_empty()
    }

    pub(crate) fn has_stale(&self) -> bool {
        !self.stale.is_empty()
    }

    /// Hooks that are under way.
    pub(crate) fn hooks(&self) -> impl Iterator<Item = (Generation, HookPoint, &Running)> {
        self.hooks
            .iter()
            .map(|((generation, point), running)| (*generation, *point, running))
    }

    pub(crate) fn is_under_way(&self, generation: Generation, point: HookPoint) -> bool {
        self.hooks.contains_key(&(generation, point))
    }

    pub(crate) fn past(&self, generation: Generation, point: HookPoint) -> Option<Past> {
        self.past.get(&(generation, point)).copied()
    }

    /// Whether the start of a process is being prepared.
    pub(crate) fn prepares(&self, process: ProcessId) -> bool {
        self.opening
            .iter()
            .any(|question| question.process == process)
            || self.hooks().any(|(_, point, running)| {
                point == HookPoint::PreStart && running.process == process
            })
    }

    /// Whether the start of a process of this name has to wait for what follows an end, or for its marker.
    pub(crate) fn holds_up(&self, process: ProcessId, group: &str, name: &str) -> bool {
        let is_committing = |question: &Question| question.process == process;
        self.committing.iter().any(is_committing)
            || self.hooks().any(|(_, point, running)| {
                matches!(point, HookPoint::StopCommand | HookPoint::PostStop)
                    && running.group == group
                    && running.name == name
            })
    }

    pub(crate) fn hook_ended(&mut self, nth: usize, fails: bool) -> Option<Event> {
        let nth = nth.checked_rem(self.hooks.len())?;
        let (&(generation, point), running) = self.hooks.iter().nth(nth)?;
        let process = running.process;
        self.hooks.remove(&(generation, point));
        let past = if fails { Past::Badly } else { Past::Well };
        self.past.insert((generation, point), past);
        Some(Event::HookEnded {
            process,
            generation,
            point,
            failure: fails.then(|| "exit status 1".to_owned()),
        })
    }

    pub(crate) fn marker_opened(&mut self, nth: usize, fails: bool) -> Option<Event> {
        let nth = nth.checked_rem(self.opening.len())?;
        let question = self.opening.remove(nth);
        let state = if fails {
            MarkerState::Failed("permission denied".to_owned())
        } else {
            match self.files.get(&question.path) {
                Some(File::Committed) => MarkerState::Committed,
                Some(File::Begun) if !question.is_noted => MarkerState::Interrupted,
                Some(File::Begun) | None => {
                    self.files.insert(question.path, File::Begun);
                    MarkerState::Fresh
                }
            }
        };
        self.markers.insert(question.generation, state.clone());
        Some(Event::MarkerOpened {
            process: question.process,
            generation: question.generation,
            state,
        })
    }

    pub(crate) fn marker_committed(&mut self, nth: usize, fails: bool) -> Option<Event> {
        let nth = nth.checked_rem(self.committing.len())?;
        let question = self.committing.remove(nth);
        if !fails {
            self.files.insert(question.path, File::Committed);
        }
        Some(Event::MarkerCommitted {
            process: question.process,
            generation: question.generation,
            failure: fails.then(|| "disk full".to_owned()),
        })
    }

    /// An answer that comes when nobody waits for it any more.
    pub(crate) fn stale(&mut self, nth: usize) -> Option<Event> {
        let nth = nth.checked_rem(self.stale.len())?;
        self.stale.remove(nth)
    }

    /// The daemon begins anew. What it asked before may still be answered.
    pub(crate) fn begin_anew(&mut self) {
        self.past.clear();
        self.markers.clear();
    }

    /// Does what the core asks.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "most actions have nothing to do with hooks and markers"
    )]
    pub(crate) fn action(&mut self, action: &Action, now: u64) -> Result<(), Violation> {
        match action {
            Action::RunHook {
                process,
                generation,
                point,
                config,
                group,
                ..
            } => {
                let broken = |what: &str| {
                    Err(Invariant::HooksInTurn.broken(format!("{point:?} of {process}: {what}")))
                };
                let Some(hook) = hook(config, *point) else {
                    return broken("it has none");
                };
                let timeout = u64::try_from(hook.timeout.as_nanos()).unwrap_or(u64::MAX);
                let running = Running {
                    process: *process,
                    group: group.clone(),
                    name: config.name.clone(),
                    until: now.saturating_add(timeout).saturating_add(GRACE),
                };
                if *point != HookPoint::Reload && self.past.contains_key(&(*generation, *point)) {
                    return broken("a second time");
                }
                if self.hooks.insert((*generation, *point), running).is_some() {
                    return broken("it is under way");
                }
            }
            Action::CancelHook {
                generation, point, ..
            } => {
                let Some(running) = self.hooks.remove(&(*generation, *point)) else {
                    return Err(Invariant::HooksInTurn.broken(format!(
                        "{point:?} of {generation:?} is cancelled and not under way"
                    )));
                };
                self.past.insert((*generation, *point), Past::Cancelled);
                // An end that is told all the same concerns nobody. (A service may be reloaded again, so that
                // the shell has to hold its tongue there.)
                if *point != HookPoint::Reload && self.stale.len() < MOST_STALE {
                    self.stale.push_back(Event::HookEnded {
                        process: running.process,
                        generation: *generation,
                        point: *point,
                        failure: None,
                    });
                }
            }
            Action::OpenMarker {
                process,
                generation,
                path,
                is_noted,
            } => self.opening.push(Question {
                process: *process,
                generation: *generation,
                path: path.clone(),
                is_noted: *is_noted,
            }),
            Action::CommitMarker {
                process,
                generation,
                path,
            } => {
                self.committing.push(Question {
                    process: *process,
                    generation: *generation,
                    path: path.clone(),
                    is_noted: true,
                });
            }
            Action::Spawn {
                process,
                generation,
                config,
                group,
                ..
            } => return self.may_start(*process, *generation, config, group),
            _ => {}
        }
        Ok(())
    }

    fn may_start(
        &self,
        process: ProcessId,
        generation: Generation,
        config: &ProcessConfig,
        group: &str,
    ) -> Result<(), Violation> {
        let broken = |invariant: Invariant, what: &str| {
            Err(invariant.broken(format!("{process} is started {what}")))
        };
        if marker(config).is_some()
            && !matches!(
                self.markers.get(&generation),
                Some(MarkerState::Fresh | MarkerState::Interrupted)
            )
        {
            return broken(Invariant::OneshotsRunOnce, "against what its marker says");
        }
        let is_prepared = hook(config, HookPoint::PreStart).is_none()
            || self.past(generation, HookPoint::PreStart) == Some(Past::Well);
        if !is_prepared {
            return broken(Invariant::HooksInTurn, "without its pre_start");
        }
        if self.holds_up(process, group, &config.name) {
            return broken(Invariant::HooksInTurn, "before the last end is over");
        }
        Ok(())
    }

    /// Whether the core gives up what has taken too long.
    pub(crate) fn are_in_time(&self, now: u64, next: Option<u64>) -> Result<(), Violation> {
        for (generation, point, running) in self.hooks() {
            let is_watched = next.is_some_and(|next| next <= running.until);
            if running.until <= now || !is_watched {
                return Err(Invariant::NoTimerLost.broken(format!(
                    "{point:?} of {generation:?} ({}:{}) is waited for without end",
                    running.group, running.name
                )));
            }
        }
        Ok(())
    }
}

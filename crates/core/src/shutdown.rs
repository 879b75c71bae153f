//! The end of the daemon: everything is stopped, tier by tier, highest priority number first.
//!
//! The original stops one group after the other even where their priorities are equal; here groups of
//! equal priority form a tier and stop together, except pools of event listeners.

use std::collections::BTreeSet;
use std::time::Duration;

use linchpin_config::GroupKind;
use serde::{Deserialize, Serialize};

use crate::lifecycle::Restart;
use crate::process::Life;
use crate::service::MARKERS_LIMIT;
use crate::supervisor::{Step, Supervisor};
use crate::timers::Timer;
use crate::{Action, Message, Monotonic, Notice, ProcessId, ProcessState, Reason, ShutdownCause};

/// How often those that are waited for are named.
const REPORT_INTERVAL: Duration = Duration::from_secs(3);

/// How long the end waits, in all, for listeners that are at an event or about to get one: they are to
/// hear of the end of the others.
const LAST_EVENTS_LIMIT: Duration = Duration::from_secs(1);

/// A shutdown under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shutdown {
    pub(crate) restart: bool,
    /// Those that have been told to stop and have not.
    pub(crate) tier: BTreeSet<ProcessId>,
    /// The tiers that follow, the next one last. Nothing starts during a shutdown, so this only shrinks.
    pending: Vec<Tier>,
    /// When listeners are waited for no longer; none until the first pool is to stop.
    last_events_until: Option<Monotonic>,
    /// When markers that are being written are waited for no longer; none until nothing else is waited for.
    last_markers_until: Option<Monotonic>,
    /// It has taken as long as it may.
    is_out_of_time: bool,
    finished: bool,
}

/// Those that stop together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Tier {
    group: TierKind,
    members: Vec<ProcessId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum TierKind {
    /// All groups of this priority.
    Priority(i64),
    /// A pool of listeners.
    Pool(String),
}

impl Supervisor {
    pub(crate) fn begin_shutdown(
        &mut self,
        restart: bool,
        cause: ShutdownCause,
        step: &mut Step<'_>,
    ) {
        let is_final = self
            .shutdown
            .as_ref()
            .is_some_and(|shutdown| !shutdown.restart);
        if let ShutdownCause::Signal(signal) = cause {
            step.act(Action::Log(match (restart, is_final) {
                (true, true) => Message::RestartIgnored { signal },
                (true, false) => Message::RestartRequest { signal },
                (false, _) => Message::ExitRequest { signal },
            }));
        }
        if let Some(shutdown) = &mut self.shutdown {
            // Once it is to be the end, it stays the end.
            shutdown.restart = shutdown.restart && restart;
            return;
        }
        self.forget_held_stops();
        let tiers = self.tiers();
        let pending = self.in_order_of_dependencies(tiers);
        self.shutdown = Some(Shutdown {
            restart,
            tier: BTreeSet::new(),
            pending,
            last_events_until: None,
            last_markers_until: None,
            is_out_of_time: false,
            finished: false,
        });
        self.publish(Notice::SupervisorStopping, step);
        for process in self.processes.values() {
            if matches!(process.state, ProcessState::Exited | ProcessState::Fatal) {
                self.timers.cancel(Timer::Process(process.id));
            }
        }
        self.limit_shutdown(step);
        self.refuse_unchecked_starts(step);
        self.refuse_additions(step);
        self.continue_shutdown(step);
        self.report_shutdown(step);
    }

    /// Whether the end has come, and the core has nothing more to wait for.
    pub(crate) fn has_finished(&self) -> bool {
        self.shutdown
            .as_ref()
            .is_some_and(|shutdown| shutdown.finished)
    }

    /// Stops the next tier when the one before is down; says so when everything is.
    pub(crate) fn continue_shutdown(&mut self, step: &mut Step<'_>) {
        while let Some(shutdown) = &self.shutdown
            && shutdown.tier.is_empty()
            && !shutdown.finished
        {
            if self.waits_for_listeners(step) {
                return;
            }
            let Some(shutdown) = &mut self.shutdown else {
                return;
            };
            let Some(Tier { members: tier, .. }) = shutdown.pending.pop() else {
                return self.finish_shutdown(step);
            };
            let is_unstopped = |id: &&ProcessId| {
                self.processes
                    .get(id)
                    .is_some_and(|process| !process.state.is_stopped())
            };
            shutdown.tier = tier.iter().filter(is_unstopped).copied().collect();
            for id in tier {
                self.stop(id, Reason::DaemonStopping, step);
            }
        }
    }

    /// Whether the next to stop are listeners that have not come to their end with what they are sent.
    fn waits_for_listeners(&mut self, step: &Step<'_>) -> bool {
        let Some(shutdown) = &self.shutdown else {
            return false;
        };
        let Some(Tier {
            group: TierKind::Pool(name),
            ..
        }) = shutdown.pending.last()
        else {
            return false;
        };
        let until = shutdown
            .last_events_until
            .unwrap_or(step.now.monotonic + LAST_EVENTS_LIMIT);
        let is_waiting = step.now.monotonic < until && self.pool_is_at_work(name);
        if is_waiting {
            self.timers.set(Timer::LastEvents, until);
        } else {
            self.timers.cancel(Timer::LastEvents);
        }
        if let Some(shutdown) = &mut self.shutdown {
            shutdown.last_events_until = Some(until);
        }
        is_waiting
    }

    /// Whether a marker is being written, and not for too long.
    fn waits_for_last_markers(&mut self, step: &Step<'_>) -> bool {
        if !self.waits_for_markers() {
            return false;
        }
        let Some(shutdown) = &mut self.shutdown else {
            return false;
        };
        let until = *shutdown
            .last_markers_until
            .get_or_insert(step.now.monotonic + MARKERS_LIMIT);
        let is_waiting = step.now.monotonic < until;
        if is_waiting {
            self.timers.set(Timer::LastMarkers, until);
        }
        is_waiting
    }

    /// Whether the daemon is at its end, which has taken as long as it may.
    pub(crate) fn is_out_of_time(&self) -> bool {
        self.shutdown
            .as_ref()
            .is_some_and(|shutdown| shutdown.is_out_of_time)
    }

    /// Out of time: listeners, hooks and markers are waited for no longer.
    pub(crate) fn wait_for_nobody_else(&mut self, step: &mut Step<'_>) {
        if let Some(shutdown) = &mut self.shutdown {
            shutdown.last_events_until = Some(step.now.monotonic);
            shutdown.last_markers_until = Some(step.now.monotonic);
            shutdown.is_out_of_time = true;
        }
        self.cancel_hooks_after_ends(step);
    }

    fn finish_shutdown(&mut self, step: &mut Step<'_>) {
        if self.waits_for_remains() || self.waits_for_hooks() || self.waits_for_last_markers(step) {
            return;
        }
        // What ended in UNKNOWN was not waited for, and may have output that is being read.
        let ended: Vec<ProcessId> = self
            .processes
            .values()
            .filter(|process| matches!(process.life, Life::Ended { .. }))
            .map(|process| process.id)
            .collect();
        for id in ended {
            self.complete_exit(id, Restart::Forbidden, step);
        }
        self.cancel_all_hooks(step);
        self.refuse_what_is_open(step);
        if let Some(shutdown) = &mut self.shutdown {
            shutdown.finished = true;
            let restart = shutdown.restart;
            self.timers.cancel(Timer::ShutdownReport);
            self.timers.cancel(Timer::ShutdownTimeout);
            self.timers.cancel(Timer::LastMarkers);
            step.act(Action::Finished { restart });
        }
    }

    /// Everything that is not stopped, in groups of equal priority, the lowest number first. Within a
    /// tier the group added last comes first, and within a group the highest process priority number.
    ///
    /// Pools of listeners are tiers of their own, one after the other as in the original: the last one is
    /// to hear of the end of the others.
    fn tiers(&self) -> Vec<Tier> {
        let mut tiers: Vec<Tier> = Vec::new();
        for group in self.groups.by_priority() {
            let mut members: Vec<(i64, ProcessId)> = group
                .members
                .iter()
                .rev()
                .filter_map(|id| self.processes.get(id))
                .filter(|process| !process.state.is_stopped())
                .map(|process| (process.config.priority, process.id))
                .collect();
            members.sort_by_key(|&(priority, _)| std::cmp::Reverse(priority));
            let mut members: Vec<ProcessId> = members.into_iter().map(|(_, id)| id).collect();
            let kind = match group.config.kind {
                GroupKind::Program | GroupKind::FastCgi(_) => {
                    TierKind::Priority(group.config.priority)
                }
                GroupKind::EventListener(_) => TierKind::Pool(group.config.name.clone()),
            };
            match tiers.last_mut() {
                Some(tier) if tier.group == kind => {
                    members.append(&mut tier.members);
                    tier.members = members;
                }
                Some(_) | None => tiers.push(Tier {
                    group: kind,
                    members,
                }),
            }
        }
        tiers
    }

    /// The same, with dependents before what they depend on.
    fn in_order_of_dependencies(&mut self, tiers: Vec<Tier>) -> Vec<Tier> {
        let in_stop_order = tiers
            .into_iter()
            .rev()
            .map(|tier| (tier.group, tier.members))
            .collect();
        self.dependents_first(in_stop_order)
            .into_iter()
            .rev()
            .map(|(group, members)| Tier { group, members })
            .collect()
    }

    pub(crate) fn report_shutdown(&mut self, step: &mut Step<'_>) {
        let names: Vec<String> = self
            .groups
            .iter()
            .flat_map(|group| &group.members)
            .filter_map(|id| self.processes.get(id))
            .filter(|process| !process.state.is_stopped())
            .map(|process| process.config.name.clone())
            .collect();
        if !names.is_empty() {
            step.act(Action::Log(Message::WaitingToDie { names }));
            self.timers
                .set(Timer::ShutdownReport, step.now.monotonic + REPORT_INTERVAL);
        }
    }
}

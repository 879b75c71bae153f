//! The end of the daemon: everything is stopped, tier by tier, highest priority number first.
//!
//! The original stops one group after the other even where their priorities are equal; here groups of
//! equal priority form a tier and stop together.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::supervisor::{Step, Supervisor};
use crate::timers::Timer;
use crate::{Action, Message, Notice, ProcessId, ProcessState, Reason, ShutdownCause};

/// How often those that are waited for are named.
const REPORT_INTERVAL: Duration = Duration::from_secs(3);

/// A shutdown under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shutdown {
    pub(crate) restart: bool,
    /// Those that have been told to stop and have not.
    pub(crate) tier: BTreeSet<ProcessId>,
    pub(crate) finished: bool,
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
        self.shutdown = Some(Shutdown {
            restart,
            tier: BTreeSet::new(),
            finished: false,
        });
        step.act(Action::Publish(Notice::SupervisorStopping));
        let waiting: Vec<ProcessId> = self
            .processes
            .values()
            .filter(|process| process.state == ProcessState::Exited)
            .map(|process| process.id)
            .collect();
        for id in waiting {
            self.timers.cancel(Timer::Process(id));
        }
        self.continue_shutdown(step);
        self.report_shutdown(step);
    }

    /// Stops the next tier when the one before is down; says so when everything is.
    pub(crate) fn continue_shutdown(&mut self, step: &mut Step<'_>) {
        while self
            .shutdown
            .as_ref()
            .is_some_and(|shutdown| shutdown.tier.is_empty() && !shutdown.finished)
        {
            let tier = self.next_tier();
            if let Some(shutdown) = &mut self.shutdown {
                shutdown.tier = tier.iter().copied().collect();
            }
            if tier.is_empty() {
                if self.remains.is_empty()
                    && let Some(shutdown) = &mut self.shutdown
                {
                    shutdown.finished = true;
                    let restart = shutdown.restart;
                    self.timers.cancel(Timer::ShutdownReport);
                    step.act(Action::Finished { restart });
                }
                return;
            }
            for id in tier {
                self.stop(id, Reason::DaemonStopping, step);
            }
        }
    }

    /// The unstopped processes of the groups with the highest priority number among those that have
    /// any, highest process priority number first.
    fn next_tier(&self) -> Vec<ProcessId> {
        let unstopped = |id: &ProcessId| {
            self.processes
                .get(id)
                .is_some_and(|process| !process.state.is_stopped())
        };
        let Some(priority) = self
            .groups
            .iter()
            .filter(|group| group.members.iter().any(unstopped))
            .map(|group| group.config.priority)
            .max()
        else {
            return Vec::new();
        };
        let mut tier = Vec::new();
        for group in self
            .groups
            .iter()
            .rev()
            .filter(|group| group.config.priority == priority)
        {
            let mut members: Vec<_> = group
                .members
                .iter()
                .rev()
                .filter(|id| unstopped(id))
                .copied()
                .collect();
            members.sort_by_key(|id| {
                std::cmp::Reverse(
                    self.processes
                        .get(id)
                        .map(|process| process.config.priority),
                )
            });
            tier.extend(members);
        }
        tier
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

//! Operations: commands that are answered when what they asked for has come about.
//!
//! The rules are those of the original's `rpcinterface.py`: which failures come at once, when a start
//! counts as failed, and in which order the results of a group are listed. An operation has a part for
//! each process that it is about, and each process knows the parts that wait for it, so that a change of
//! a process costs as much as there are parts to move on, however large the operations are. A part that
//! is over is unknown to its process from then on, and so is every part of a process that is removed.

mod reload;
mod signal;
mod start;
mod stop;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::process::Process;
use crate::supervisor::{Step, Supervisor};
use crate::{Action, Failure, OperationId, Outcome, ProcessId, ProcessResult, Target};

/// A command under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Operation {
    kind: Kind,
    /// Whether the answer is about one process, or a list.
    is_single: bool,
    parts: Vec<Part>,
    /// How many parts are not over.
    open: usize,
    /// How many parts have ended late.
    deferred: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Start { wait: bool },
    Stop { wait: bool },
    Signal(i32),
    Reload,
}

/// What an operation wants of one process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Part {
    process: ProcessId,
    name: String,
    group: String,
    progress: Progress,
}

/// How far a part has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Progress {
    /// Start: whether the command can be run is being looked up.
    Checking,
    /// Start: there is no process yet.
    Spawning,
    /// Start: it is not up yet.
    Starting,
    /// Stop: the signal is not known to be sent. Signal: there is no process yet. Reload: about to begin.
    Signalling,
    /// Signal and reload: sent or asked for, and the answer has not come.
    Signalled,
    /// Stop that is waited for: it is not down yet.
    Stopping,
    /// Over; if it did not happen at once, as which.
    Over {
        result: Result<(), Failure>,
        deferred: Option<u32>,
    },
}

/// When a part came to its end: what is clear at once is listed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    AtOnce,
    Late,
}

/// A part of an operation, as the process knows it that the part is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Watcher {
    operation: OperationId,
    part: u32,
}

impl Watcher {
    fn index(self) -> usize {
        // A list of parts that long does not fit into memory where this could fail.
        usize::try_from(self.part).unwrap_or(usize::MAX)
    }
}

impl Part {
    /// The process as clients name it.
    fn spec(&self) -> String {
        if self.name == self.group {
            self.name.clone()
        } else {
            format!("{}:{}", self.group, self.name)
        }
    }
}

impl Supervisor {
    /// Sets an operation up and returns its parts; or answers it at once.
    fn begin(
        &mut self,
        id: OperationId,
        target: &Target,
        kind: Kind,
        step: &mut Step<'_>,
    ) -> Vec<(Watcher, ProcessId)> {
        let (is_single, processes) = match self.processes_of(target) {
            Ok(found) => found,
            Err(failure) => {
                let outcome = Outcome::Failed(failure);
                step.act(Action::Reply {
                    operation: id,
                    outcome,
                });
                return Vec::new();
            }
        };
        let applies = |process: &Process| match kind {
            Kind::Start { .. } => !process.state.is_running(),
            Kind::Stop { .. } => process.state.is_running() || process.goes_down_by_itself(),
            Kind::Signal(_) => process.state.is_signallable(),
            Kind::Reload => process.state.is_running(),
        };
        let progress = match kind {
            Kind::Start { .. } => Progress::Checking,
            Kind::Stop { .. } | Kind::Signal(_) | Kind::Reload => Progress::Signalling,
        };
        let mut parts = Vec::with_capacity(processes.len());
        let mut watchers = Vec::with_capacity(processes.len());
        for process in processes {
            let Some(process) = self.processes.get_mut(&process) else {
                continue;
            };
            if !is_single && !applies(process) {
                continue;
            }
            let watcher = Watcher {
                operation: id,
                part: u32::try_from(parts.len()).unwrap_or(u32::MAX),
            };
            process.watchers.push(watcher);
            watchers.push((watcher, process.id));
            parts.push(Part {
                process: process.id,
                name: process.config.name.clone(),
                group: process.group.clone(),
                progress: progress.clone(),
            });
        }
        let operation = Operation {
            kind,
            is_single,
            open: parts.len(),
            parts,
            deferred: 0,
        };
        self.operations.insert(id, operation);
        self.answer_if_over(id, step);
        watchers
    }

    /// The processes that a command is about, lower priority numbers first, and whether it names just one.
    pub(crate) fn processes_of(&self, target: &Target) -> Result<(bool, Vec<ProcessId>), Failure> {
        match target {
            Target::Process { group, name } => match self.find_process(group, name) {
                Some(process) => Ok((true, vec![process.id])),
                None => Err(Failure::BadName(if group == name {
                    name.clone()
                } else {
                    format!("{group}:{name}")
                })),
            },
            Target::Group(name) => match self.groups.get(name) {
                Some(group) => Ok((false, self.by_priority(&group.members))),
                None => Err(Failure::BadName(name.clone())),
            },
            Target::Several(names) => {
                let found = names
                    .iter()
                    .filter_map(|(group, name)| Some(self.find_process(group, name)?.id));
                // Each once: a process knows an operation by one part of it.
                let found: BTreeSet<ProcessId> = found.collect();
                Ok((
                    false,
                    self.by_priority(&found.into_iter().collect::<Vec<_>>()),
                ))
            }
            Target::All => Ok((
                false,
                self.groups
                    .by_priority()
                    .iter()
                    .flat_map(|group| self.by_priority(&group.members))
                    .collect(),
            )),
        }
    }

    fn by_priority(&self, members: &[ProcessId]) -> Vec<ProcessId> {
        let mut members = members.to_vec();
        members.sort_by_key(|id| {
            self.processes
                .get(id)
                .map(|process| process.config.priority)
        });
        members
    }

    /// The part of this operation that waits for this process.
    fn watcher_of(&self, id: OperationId, process: ProcessId) -> Option<Watcher> {
        self.processes
            .get(&process)?
            .watchers
            .iter()
            .find(|watcher| watcher.operation == id)
            .copied()
    }

    fn part(&self, watcher: Watcher) -> Option<(Kind, &Part)> {
        let operation = self.operations.get(&watcher.operation)?;
        Some((operation.kind, operation.parts.get(watcher.index())?))
    }

    fn watchers(&self, process: ProcessId) -> Vec<Watcher> {
        self.processes
            .get(&process)
            .map(|process| process.watchers.clone())
            .unwrap_or_default()
    }

    /// Moves on every operation that waits for this process, as far as its present state allows.
    pub(crate) fn look_at_watchers(&mut self, process: ProcessId, step: &mut Step<'_>) {
        for watcher in self.watchers(process) {
            let Some((kind, part)) = self.part(watcher) else {
                continue;
            };
            match part.progress {
                Progress::Checking | Progress::Signalled | Progress::Over { .. } => {}
                Progress::Spawning | Progress::Starting => {
                    self.look_at_start(watcher, process, step);
                }
                Progress::Signalling => match kind {
                    Kind::Signal(signal) => self.look_at_signal(watcher, process, signal, step),
                    Kind::Start { .. } | Kind::Stop { .. } => {
                        self.look_at_stop(watcher, process, step);
                    }
                    // It is begun at once.
                    Kind::Reload => {}
                },
                Progress::Stopping => self.look_at_stop(watcher, process, step),
            }
        }
    }

    fn set_progress(&mut self, watcher: Watcher, progress: Progress) {
        if let Some(part) = self
            .operations
            .get_mut(&watcher.operation)
            .and_then(|operation| operation.parts.get_mut(watcher.index()))
        {
            part.progress = progress;
        }
    }

    fn finish_part(
        &mut self,
        watcher: Watcher,
        ended: Ended,
        result: impl FnOnce(&Part) -> Result<(), Failure>,
        step: &mut Step<'_>,
    ) {
        let Some(operation) = self.operations.get_mut(&watcher.operation) else {
            return;
        };
        let Some(part) = operation.parts.get_mut(watcher.index()) else {
            return;
        };
        if matches!(part.progress, Progress::Over { .. }) {
            return;
        }
        let result = result(part);
        let deferred = match ended {
            Ended::AtOnce => None,
            Ended::Late => Some(operation.deferred),
        };
        part.progress = Progress::Over { result, deferred };
        operation.deferred += u32::from(deferred.is_some());
        operation.open = operation.open.saturating_sub(1);
        if let Some(process) = self.processes.get_mut(&part.process) {
            process.watchers.retain(|other| *other != watcher);
        }
        self.answer_if_over(watcher.operation, step);
    }

    fn answer_if_over(&mut self, id: OperationId, step: &mut Step<'_>) {
        if self
            .operations
            .get(&id)
            .is_some_and(|operation| operation.open == 0)
            && let Some(operation) = self.operations.remove(&id)
        {
            step.act(Action::Reply {
                operation: id,
                outcome: operation.outcome(),
            });
        }
    }

    /// A process is about to be removed: nothing waits for it any longer.
    pub(crate) fn end_watching(&mut self, process: ProcessId, step: &mut Step<'_>) {
        for watcher in self.watchers(process) {
            let result = |part: &Part| match part.progress {
                // A signal that was sent reached a process that is gone by now.
                Progress::Signalled => Ok(()),
                Progress::Checking
                | Progress::Spawning
                | Progress::Starting
                | Progress::Signalling
                | Progress::Stopping
                | Progress::Over { .. } => Err(Failure::BadName(part.spec())),
            };
            self.finish_part(watcher, Ended::AtOnce, result, step);
        }
    }

    /// No start happens any more.
    pub(crate) fn refuse_unchecked_starts(&mut self, step: &mut Step<'_>) {
        self.refuse(|part| part.progress == Progress::Checking, step);
    }

    /// Nothing happens any more.
    pub(crate) fn refuse_what_is_open(&mut self, step: &mut Step<'_>) {
        self.refuse(|_| true, step);
    }

    fn refuse(&mut self, is_refused: impl Fn(&Part) -> bool, step: &mut Step<'_>) {
        let refused: Vec<Watcher> = self
            .operations
            .iter()
            .flat_map(|(id, operation)| {
                (0..).zip(&operation.parts).map(|(part, contents)| {
                    let operation = *id;
                    (Watcher { operation, part }, contents)
                })
            })
            .filter(|(_, part)| is_refused(part))
            .map(|(watcher, _)| watcher)
            .collect();
        for watcher in refused {
            let result = |_: &Part| Err(Failure::ShuttingDown);
            self.finish_part(watcher, Ended::AtOnce, result, step);
        }
    }
}

impl Operation {
    fn outcome(self) -> Outcome {
        // What was clear at once comes first, in the order of the processes; the rest follows in the
        // order in which it came about.
        let mut results: Vec<(Option<u32>, ProcessResult)> = Vec::with_capacity(self.parts.len());
        for part in self.parts {
            if let Progress::Over { result, deferred } = part.progress {
                let (name, group) = (part.name, part.group);
                results.push((
                    deferred,
                    ProcessResult {
                        name,
                        group,
                        result,
                    },
                ));
            }
        }
        if self.is_single {
            return match results.pop().map(|(_, only)| only.result) {
                Some(Err(failure)) => Outcome::Failed(failure),
                Some(Ok(())) | None => Outcome::Done,
            };
        }
        results.sort_by_key(|(deferred, _)| *deferred);
        Outcome::Many(results.into_iter().map(|(_, result)| result).collect())
    }
}

//! Operations: commands that are answered when what they asked for has come about.
//!
//! The rules are those of the original's `rpcinterface.py`: which failures come at once, when a start
//! counts as failed, and in which order the results of a group are listed.

use serde::{Deserialize, Serialize};

use crate::process::Life;
use crate::supervisor::{Step, Supervisor};
use crate::timers::Timer;
use crate::{
    Action, Message, OperationId, ProcessId, ProcessState, Reason, SignalPurpose, SignalTarget,
    SpawnFailure, SpawnFailureKind, Target,
};
use std::time::Duration;

/// How often a waited stop is reported.
const STOP_REPORT_INTERVAL: Duration = Duration::from_secs(2);

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Done.
    Done,
    /// What became of each of several processes.
    Many(Vec<ProcessResult>),
    /// The names of groups that a new configuration adds, changes and removes.
    Reloaded {
        /// In the new one only.
        added: Vec<String>,
        /// In both, different.
        changed: Vec<String>,
        /// At work, and no longer in the configuration.
        removed: Vec<String>,
    },
    /// Not done.
    Failed(Failure),
}

/// What became of one process of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessResult {
    /// Name of the process.
    pub name: String,
    /// Name of its group.
    pub group: String,
    /// What became of it.
    pub result: Result<(), Failure>,
}

/// Why a command was not done. The strings are what the original appends to the fault's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// There is no such process or group.
    BadName(String),
    /// The command does not exist.
    NoFile(String),
    /// The command cannot be run.
    NotExecutable(String),
    /// It is running.
    AlreadyStarted(String),
    /// It is not running.
    NotRunning(String),
    /// The start failed.
    SpawnError(String),
    /// It left STARTING for something else than RUNNING.
    AbnormalTermination(String),
    /// It did not work, for this reason.
    Failed(String),
    /// The group is at work already.
    AlreadyAdded(String),
    /// The group has processes that are not stopped.
    StillRunning(String),
    /// The daemon is going down.
    ShuttingDown,
}

/// A command under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Operation {
    kind: Kind,
    /// Whether the answer is about one process, or a list.
    single: bool,
    parts: Vec<Part>,
    open: usize,
    deferred: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Start { wait: bool },
    Stop { wait: bool },
    Signal(i32),
}

/// What an operation wants of one process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Part {
    process: ProcessId,
    name: String,
    group: String,
    /// As the client wrote it, for faults.
    spec: String,
    progress: Progress,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Progress {
    /// Start: whether the command can be run is being looked up.
    Checking,
    /// Start: there is no process yet.
    Spawning,
    /// Start: it is not up yet.
    Starting,
    /// Stop or signal: the signal has not been sent yet.
    Signalling,
    /// Stop: it is not down yet.
    Stopping,
    /// Over; if it did not happen at once, as which.
    Over {
        result: Result<(), Failure>,
        deferred: Option<u32>,
    },
}

impl Supervisor {
    pub(crate) fn begin_start(
        &mut self,
        id: OperationId,
        target: &Target,
        wait: bool,
        step: &mut Step<'_>,
    ) {
        if self.shutdown.is_some() {
            step.act(Action::Reply {
                operation: id,
                outcome: Outcome::Failed(Failure::ShuttingDown),
            });
            return;
        }
        let Some(processes) = self.begin(id, target, Kind::Start { wait }, step) else {
            return;
        };
        for process in processes {
            if let Some(config) = self
                .processes
                .get(&process)
                .map(|process| process.config.clone())
            {
                step.act(Action::CheckCommand {
                    operation: id,
                    process,
                    config,
                });
            }
        }
    }

    pub(crate) fn begin_stop(
        &mut self,
        id: OperationId,
        target: &Target,
        wait: bool,
        step: &mut Step<'_>,
    ) {
        let Some(processes) = self.begin(id, target, Kind::Stop { wait }, step) else {
            return;
        };
        for process in processes {
            self.stop_part(id, process, wait, step);
        }
    }

    pub(crate) fn begin_signal(
        &mut self,
        id: OperationId,
        target: &Target,
        signal: i32,
        step: &mut Step<'_>,
    ) {
        let Some(processes) = self.begin(id, target, Kind::Signal(signal), step) else {
            return;
        };
        for process in processes {
            let Some(state) = self.processes.get(&process).map(|process| process.state) else {
                continue;
            };
            if state.is_signallable() {
                self.look_at_watchers(process, step);
            } else {
                self.finish_part(
                    id,
                    process,
                    true,
                    |spec| Err(Failure::NotRunning(spec)),
                    step,
                );
            }
        }
    }

    /// Sets an operation up and returns the processes that it is about; or answers it at once.
    fn begin(
        &mut self,
        id: OperationId,
        target: &Target,
        kind: Kind,
        step: &mut Step<'_>,
    ) -> Option<Vec<ProcessId>> {
        let applies = |state: ProcessState| match kind {
            Kind::Start { .. } => !state.is_running(),
            Kind::Stop { .. } => state.is_running(),
            Kind::Signal(_) => state.is_signallable(),
        };
        let (single, processes) = match target {
            Target::Process { group, name } => match self.find_process(group, name) {
                Some(process) => (true, vec![process.id]),
                None => {
                    let spec = if group == name {
                        name.clone()
                    } else {
                        format!("{group}:{name}")
                    };
                    step.act(Action::Reply {
                        operation: id,
                        outcome: Outcome::Failed(Failure::BadName(spec)),
                    });
                    return None;
                }
            },
            Target::Group(name) => match self
                .groups
                .iter()
                .position(|group| group.config.name == *name)
            {
                Some(index) => (false, self.by_priority(&[index])),
                None => {
                    let failure = Failure::BadName(name.clone());
                    step.act(Action::Reply {
                        operation: id,
                        outcome: Outcome::Failed(failure),
                    });
                    return None;
                }
            },
            Target::All => {
                let mut groups: Vec<usize> = (0..self.groups.len()).collect();
                groups.sort_by_key(|&index| {
                    self.groups.get(index).map(|group| group.config.priority)
                });
                (false, self.by_priority(&groups))
            }
        };
        let progress = match kind {
            Kind::Start { .. } => Progress::Checking,
            Kind::Stop { .. } | Kind::Signal(_) => Progress::Signalling,
        };
        let parts: Vec<Part> = processes
            .iter()
            .filter_map(|process| self.processes.get(process))
            .filter(|process| single || applies(process.state))
            .map(|process| {
                let (name, group) = (process.config.name.clone(), process.group.clone());
                let spec = if name == group {
                    name.clone()
                } else {
                    format!("{group}:{name}")
                };
                Part {
                    process: process.id,
                    name,
                    group,
                    spec,
                    progress: progress.clone(),
                }
            })
            .collect();
        let processes: Vec<ProcessId> = parts.iter().map(|part| part.process).collect();
        for process in &processes {
            if let Some(process) = self.processes.get_mut(process) {
                process.watchers.push(id);
            }
        }
        let operation = Operation {
            kind,
            single,
            open: parts.len(),
            parts,
            deferred: 0,
        };
        self.operations.insert(id, operation);
        self.answer_if_over(id, step);
        Some(processes)
    }

    /// The members of these groups, those of each by their priority.
    fn by_priority(&self, groups: &[usize]) -> Vec<ProcessId> {
        let mut all = Vec::new();
        for group in groups.iter().filter_map(|&index| self.groups.get(index)) {
            let mut members = group.members.clone();
            members.sort_by_key(|id| {
                self.processes
                    .get(id)
                    .map(|process| process.config.priority)
            });
            all.extend(members);
        }
        all
    }

    pub(crate) fn command_checked(
        &mut self,
        id: OperationId,
        process: ProcessId,
        failure: Option<SpawnFailure>,
        step: &mut Step<'_>,
    ) {
        let Some(Operation {
            kind: Kind::Start { wait },
            ..
        }) = self.operations.get(&id)
        else {
            return;
        };
        let wait = *wait;
        let Some(state) = self.processes.get(&process).map(|process| process.state) else {
            return self.finish_part(id, process, true, |spec| Err(Failure::BadName(spec)), step);
        };
        if let Some(failure) = failure {
            let failure = match failure.kind {
                SpawnFailureKind::NoFile => Failure::NoFile(failure.text),
                SpawnFailureKind::NotExecutable => Failure::NotExecutable(failure.text),
                SpawnFailureKind::Other => Failure::Failed(failure.text),
            };
            return self.finish_part(id, process, true, |_| Err(failure), step);
        }
        if self.shutdown.is_some() {
            return self.finish_part(id, process, true, |_| Err(Failure::ShuttingDown), step);
        }
        // An end that is only waiting for its last output has happened, as far as a client can tell.
        self.complete_exit(process, step);
        match state {
            ProcessState::Starting | ProcessState::Running | ProcessState::Backoff => {
                let still = self
                    .processes
                    .get(&process)
                    .is_some_and(|process| process.state.is_running());
                if still {
                    return self.finish_part(
                        id,
                        process,
                        true,
                        |spec| Err(Failure::AlreadyStarted(spec)),
                        step,
                    );
                }
            }
            ProcessState::Unknown => {
                let failed = |spec: String| {
                    Err(Failure::Failed(format!(
                        "{spec} is in an unknown process state"
                    )))
                };
                return self.finish_part(id, process, true, failed, step);
            }
            ProcessState::Stopping => {
                let current = self
                    .processes
                    .get(&process)
                    .map(|process| (process.state, process.config.name.clone()));
                if let Some((ProcessState::Stopping, name)) = current {
                    step.act(Action::Log(Message::AlreadyRunning { name }));
                    let result = |spec| {
                        if wait {
                            Err(Failure::AbnormalTermination(spec))
                        } else {
                            Ok(())
                        }
                    };
                    return self.finish_part(id, process, true, result, step);
                }
            }
            ProcessState::Stopped | ProcessState::Exited | ProcessState::Fatal => {}
        }
        self.set_progress(id, process, Progress::Spawning);
        self.start(process, Reason::Requested, step);
        self.look_at_watchers(process, step);
    }

    fn stop_part(&mut self, id: OperationId, process: ProcessId, wait: bool, step: &mut Step<'_>) {
        self.complete_exit(process, step);
        let Some(state) = self.processes.get(&process).map(|process| process.state) else {
            return;
        };
        if !state.is_running() {
            // Nothing to stop; but what would start again by itself does not.
            self.stop(process, Reason::Requested, step);
            return self.finish_part(
                id,
                process,
                true,
                |spec| Err(Failure::NotRunning(spec)),
                step,
            );
        }
        self.stop(process, Reason::Requested, step);
        let Some(process_now) = self.processes.get(&process) else {
            return;
        };
        if process_now.state.is_stopped() {
            return self.finish_part(id, process, true, |_| Ok(()), step);
        }
        if !wait && process_now.life == Life::InFlight {
            // The signal goes out as soon as there is somebody to get it.
            return self.finish_part(id, process, true, |_| Ok(()), step);
        }
        if wait {
            self.set_progress(id, process, Progress::Stopping);
            self.report_stop(process, step);
        }
    }

    /// Says that a stop is waited for, if it still is.
    pub(crate) fn report_stop(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let Some(process) = self.processes.get(&id) else {
            return;
        };
        let is_waited_for = process.watchers.iter().any(|watcher| {
            self.operations
                .get(watcher)
                .is_some_and(|operation| operation.kind == Kind::Stop { wait: true })
        });
        if process.state == ProcessState::Stopping && is_waited_for {
            step.act(Action::Log(Message::WaitingToStop {
                name: process.config.name.clone(),
            }));
            self.timers.set(
                Timer::StopReport(id),
                step.now.monotonic + STOP_REPORT_INTERVAL,
            );
        }
    }

    /// The signal number of a signal operation.
    pub(crate) fn signal_of(&self, id: OperationId) -> Option<i32> {
        match self.operations.get(&id)?.kind {
            Kind::Signal(signal) => Some(signal),
            Kind::Start { .. } | Kind::Stop { .. } => None,
        }
    }

    /// A signal was sent or refused: those that waited for just that are done.
    pub(crate) fn signal_answered(
        &mut self,
        process: ProcessId,
        purpose: SignalPurpose,
        result: Result<(), String>,
        step: &mut Step<'_>,
    ) {
        let result = result.map_err(Failure::Failed);
        match purpose {
            SignalPurpose::Operation(id) => self.finish_part(id, process, true, |_| result, step),
            SignalPurpose::Stop | SignalPurpose::Kill => {
                for id in self.watchers_of(process) {
                    let Some(Operation {
                        kind: Kind::Stop { wait },
                        ..
                    }) = self.operations.get(&id)
                    else {
                        continue;
                    };
                    if !wait || result.is_err() {
                        self.finish_part(id, process, true, |_| result.clone(), step);
                    }
                }
            }
            SignalPurpose::Remains => {}
        }
    }

    fn watchers_of(&mut self, process: ProcessId) -> Vec<OperationId> {
        let operations = &self.operations;
        let Some(process) = self.processes.get_mut(&process) else {
            return Vec::new();
        };
        if process.watchers.is_empty() {
            return Vec::new();
        }
        process.watchers.retain(|id| operations.contains_key(id));
        process.watchers.clone()
    }

    /// Moves on every operation that waits for this process, as far as its present state allows.
    pub(crate) fn look_at_watchers(&mut self, process: ProcessId, step: &mut Step<'_>) {
        for id in self.watchers_of(process) {
            let Some(operation) = self.operations.get(&id) else {
                continue;
            };
            let kind = operation.kind;
            let Some(part) = operation.parts.iter().find(|part| part.process == process) else {
                continue;
            };
            let progress = part.progress.clone();
            match progress {
                Progress::Checking | Progress::Over { .. } => {}
                Progress::Spawning | Progress::Starting => {
                    let wait = matches!(kind, Kind::Start { wait: true });
                    self.look_at_start(id, process, wait, progress == Progress::Spawning, step);
                }
                Progress::Signalling => self.look_at_signal(id, process, kind, step),
                Progress::Stopping => {
                    if self.processes.get(&process).is_some_and(|process| {
                        process.state.is_stopped() && process.state != ProcessState::Unknown
                    }) {
                        self.finish_part(id, process, false, |_| Ok(()), step);
                    }
                }
            }
        }
    }

    fn look_at_start(
        &mut self,
        id: OperationId,
        process: ProcessId,
        wait: bool,
        is_spawning: bool,
        step: &mut Step<'_>,
    ) {
        let Some(current) = self.processes.get(&process) else {
            return;
        };
        match current.state {
            ProcessState::Starting => match current.life {
                Life::Alive { .. } | Life::Ended { .. } if is_spawning => {
                    if wait {
                        self.set_progress(id, process, Progress::Starting);
                    } else {
                        self.finish_part(id, process, true, |_| Ok(()), step);
                    }
                }
                Life::None
                | Life::Blocked
                | Life::InFlight
                | Life::Alive { .. }
                | Life::Ended { .. } => {}
            },
            ProcessState::Running => self.finish_part(id, process, is_spawning, |_| Ok(()), step),
            ProcessState::Stopped
            | ProcessState::Backoff
            | ProcessState::Stopping
            | ProcessState::Exited
            | ProcessState::Fatal
            | ProcessState::Unknown => {
                let failed_to_start = current.spawn_error.is_some();
                let result = |spec| {
                    Err(if failed_to_start {
                        Failure::SpawnError(spec)
                    } else {
                        Failure::AbnormalTermination(spec)
                    })
                };
                self.finish_part(id, process, is_spawning, result, step);
            }
        }
    }

    fn look_at_signal(
        &mut self,
        id: OperationId,
        process: ProcessId,
        kind: Kind,
        step: &mut Step<'_>,
    ) {
        let Some(current) = self.processes.get(&process) else {
            return;
        };
        let Kind::Signal(signal) = kind else {
            // A stop that is not waited for: it is over with its signal, or with the process.
            if current.state.is_stopped() && current.state != ProcessState::Unknown {
                self.finish_part(id, process, true, |_| Ok(()), step);
            }
            return;
        };
        match current.life {
            Life::Alive { pid } if current.state.is_signallable() => {
                let generation = current.generation;
                step.act(Action::Log(Message::SendingSignal {
                    name: current.config.name.clone(),
                    pid,
                    signal,
                }));
                step.act(Action::Signal {
                    process,
                    generation,
                    target: SignalTarget::Process(pid),
                    signal,
                    purpose: SignalPurpose::Operation(id),
                });
                // Sent once: from here on only the answer counts.
                self.set_progress(id, process, Progress::Checking);
            }
            Life::Ended { .. } => self.finish_part(id, process, true, |_| Ok(()), step),
            Life::Alive { .. } | Life::None | Life::Blocked | Life::InFlight => {
                if !current.state.is_signallable() {
                    self.finish_part(
                        id,
                        process,
                        true,
                        |spec| Err(Failure::NotRunning(spec)),
                        step,
                    );
                }
            }
        }
    }

    fn set_progress(&mut self, id: OperationId, process: ProcessId, progress: Progress) {
        if let Some(part) = self
            .operations
            .get_mut(&id)
            .and_then(|operation| operation.part(process))
        {
            part.progress = progress;
        }
    }

    fn finish_part(
        &mut self,
        id: OperationId,
        process: ProcessId,
        at_once: bool,
        result: impl FnOnce(String) -> Result<(), Failure>,
        step: &mut Step<'_>,
    ) {
        let Some(operation) = self.operations.get_mut(&id) else {
            return;
        };
        let order = operation.deferred;
        let Some(part) = operation.part(process) else {
            return;
        };
        if matches!(part.progress, Progress::Over { .. }) {
            return;
        }
        let result = result(part.spec.clone());
        part.progress = Progress::Over {
            result,
            deferred: (!at_once).then_some(order),
        };
        operation.deferred += u32::from(!at_once);
        operation.open -= 1;
        self.answer_if_over(id, step);
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
}

impl Operation {
    fn part(&mut self, process: ProcessId) -> Option<&mut Part> {
        self.parts.iter_mut().find(|part| part.process == process)
    }

    fn outcome(self) -> Outcome {
        // What was clear at once comes first, in the order of the processes; the rest follows in the
        // order in which it came about.
        let mut results: Vec<(Option<u32>, ProcessResult)> = Vec::with_capacity(self.parts.len());
        for part in self.parts {
            if let Progress::Over { result, deferred } = part.progress {
                results.push((
                    deferred,
                    ProcessResult {
                        name: part.name,
                        group: part.group,
                        result,
                    },
                ));
            }
        }
        if self.single {
            return match results.pop().map(|(_, only)| only.result) {
                Some(Err(failure)) => Outcome::Failed(failure),
                Some(Ok(())) | None => Outcome::Done,
            };
        }
        results.sort_by_key(|(deferred, _)| *deferred);
        Outcome::Many(results.into_iter().map(|(_, result)| result).collect())
    }
}

//! The supervisor: its state, and which part handles which event.

use std::collections::BTreeMap;
use std::sync::Arc;

use linchpin_config::{Config, GroupConfig};
use serde::{Deserialize, Serialize};

use crate::operation::Operation;
use crate::process::Process;
use crate::shutdown::Shutdown;
use crate::timers::{Timer, Timers};
use crate::{
    Action, Actions, Command, DaemonState, Event, Failure, Generation, Monotonic, Notice, Now,
    OperationId, Outcome, ProcessId, Reason,
};

/// Everything that is supervised, and what is to happen next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Supervisor {
    /// The groups of the configuration last read: what `add` takes from.
    pub(crate) configured: Vec<Arc<GroupConfig>>,
    /// The groups at work, in the order in which they were added.
    pub(crate) groups: Vec<Group>,
    pub(crate) processes: BTreeMap<ProcessId, Process>,
    pub(crate) operations: BTreeMap<OperationId, Operation>,
    pub(crate) remains: BTreeMap<Generation, Remains>,
    pub(crate) timers: Timers,
    pub(crate) shutdown: Option<Shutdown>,
    pub(crate) next_process: u32,
    pub(crate) next_generation: u64,
}

/// A group at work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) config: Arc<GroupConfig>,
    pub(crate) members: Vec<ProcessId>,
}

/// What is left of a process group whose leader is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Remains {
    pub(crate) process: ProcessId,
    pub(crate) name: String,
    pub(crate) pgid: i32,
    pub(crate) killed: bool,
}

/// What one event is handled with: its time, and where actions go.
#[derive(Debug)]
pub(crate) struct Step<'a> {
    pub(crate) now: Now,
    pub(crate) actions: &'a mut Actions,
}

impl Step<'_> {
    pub(crate) fn act(&mut self, action: Action) {
        self.actions.push(action);
    }
}

impl Supervisor {
    /// A supervisor of the groups of `config`, in which nothing has happened; [`Event::Boot`] begins.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            configured: config.groups.clone(),
            groups: Vec::new(),
            processes: BTreeMap::new(),
            operations: BTreeMap::new(),
            remains: BTreeMap::new(),
            timers: Timers::default(),
            shutdown: None,
            next_process: 0,
            next_generation: 0,
        }
    }

    /// When [`Event::Wake`] is due, if nothing else happens before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Monotonic> {
        self.timers.next()
    }

    /// The daemon's state.
    #[must_use]
    pub fn state(&self) -> DaemonState {
        match &self.shutdown {
            None => DaemonState::Running,
            Some(shutdown) if shutdown.restart => DaemonState::Restarting,
            Some(_) => DaemonState::Shutdown,
        }
    }

    /// The groups of the configuration last read.
    #[must_use]
    pub fn configured_groups(&self) -> &[Arc<GroupConfig>] {
        &self.configured
    }

    /// Takes in one event and appends what is to be done about it.
    ///
    /// Timers that are due by `now` fire first, so that what happens does not depend on how quickly the
    /// shell woke up.
    pub fn handle(&mut self, event: Event, now: Now, actions: &mut Actions) {
        let mut step = Step { now, actions };
        match event {
            Event::Boot => self.boot(&mut step),
            Event::Wake => {}
            Event::Spawned {
                process,
                generation,
                pid,
                exec_failure,
            } => {
                self.spawned(process, generation, pid, exec_failure, &mut step);
            }
            Event::SpawnFailed {
                process,
                generation,
                failure,
            } => {
                self.spawn_failed(process, generation, failure, &mut step);
            }
            Event::Exited {
                process,
                generation,
                status,
                drained,
                group_alive,
            } => {
                self.exited(process, generation, status, drained, group_alive, &mut step);
            }
            Event::Drained {
                process,
                generation,
            } => self.drained(process, generation, &mut step),
            Event::GroupGone { generation } => self.group_gone(generation, &mut step),
            Event::Signalled {
                process,
                generation,
                purpose,
                outcome,
            } => {
                self.signalled(process, generation, purpose, outcome, &mut step);
            }
            Event::CommandChecked {
                operation,
                process,
                failure,
            } => {
                self.command_checked(operation, process, failure, &mut step);
            }
            Event::Command { operation, command } => self.command(operation, command, &mut step),
            Event::Shutdown { restart, cause } => self.begin_shutdown(restart, cause, &mut step),
        }
        while let Some(timer) = self.timers.pop_due(now.monotonic) {
            match timer {
                Timer::Process(id) => self.process_timer(id, &mut step),
                Timer::Drain(id) => self.complete_exit(id, &mut step),
                Timer::StopReport(id) => self.report_stop(id, &mut step),
                Timer::Remains(generation) => self.remains_timer(generation, &mut step),
                Timer::ShutdownReport => self.report_shutdown(&mut step),
            }
        }
        self.continue_shutdown(&mut step);
    }

    fn boot(&mut self, step: &mut Step<'_>) {
        for config in self.configured.clone() {
            if self.group(&config.name).is_none() {
                self.add_group(config, step);
            }
        }
        step.act(Action::Publish(Notice::SupervisorRunning));
        let mut order: Vec<(i64, usize)> = self
            .groups
            .iter()
            .enumerate()
            .map(|(index, group)| (group.config.priority, index))
            .collect();
        order.sort_unstable();
        for (_, index) in order {
            self.autostart(index, step);
        }
    }

    fn autostart(&mut self, group: usize, step: &mut Step<'_>) {
        for id in self
            .groups
            .get(group)
            .map(|group| group.members.clone())
            .unwrap_or_default()
        {
            if self
                .processes
                .get(&id)
                .is_some_and(|process| process.config.autostart)
            {
                self.start(id, Reason::Autostart, step);
            }
        }
    }

    fn command(&mut self, operation: OperationId, command: Command, step: &mut Step<'_>) {
        let outcome = match command {
            Command::Start { target, wait } => {
                return self.begin_start(operation, &target, wait, step);
            }
            Command::Stop { target, wait } => {
                return self.begin_stop(operation, &target, wait, step);
            }
            Command::Signal { target, signal } => {
                return self.begin_signal(operation, &target, signal, step);
            }
            Command::Reload { config } => self.reload(*config),
            Command::AddGroup { name } => self.add_configured(&name, step),
            Command::RemoveGroup { name } => self.remove_group(&name, step),
        };
        step.act(Action::Reply { operation, outcome });
    }

    fn reload(&mut self, config: Config) -> Outcome {
        let new = config.groups;
        let is_new = |group: &&Arc<GroupConfig>| self.group(&group.name).is_none();
        let is_changed = |group: &&Arc<GroupConfig>| {
            self.group(&group.name)
                .is_some_and(|old| old.config != **group)
        };
        let is_gone = |group: &&Group| {
            !new.iter()
                .any(|candidate| candidate.name == group.config.name)
        };
        let added = new
            .iter()
            .filter(is_new)
            .map(|group| group.name.clone())
            .collect();
        let changed = new
            .iter()
            .filter(is_changed)
            .map(|group| group.name.clone())
            .collect();
        let removed = self
            .groups
            .iter()
            .filter(is_gone)
            .map(|group| group.config.name.clone())
            .collect();
        self.configured = new;
        Outcome::Reloaded {
            added,
            changed,
            removed,
        }
    }

    fn add_configured(&mut self, name: &str, step: &mut Step<'_>) -> Outcome {
        if self.shutdown.is_some() {
            return Outcome::Failed(Failure::ShuttingDown);
        }
        let Some(config) = self
            .configured
            .iter()
            .find(|group| group.name == name)
            .cloned()
        else {
            return Outcome::Failed(Failure::BadName(name.to_owned()));
        };
        if self.group(name).is_some() {
            return Outcome::Failed(Failure::AlreadyAdded(name.to_owned()));
        }
        self.add_group(config, step);
        self.autostart(self.groups.len() - 1, step);
        Outcome::Done
    }

    fn add_group(&mut self, config: Arc<GroupConfig>, step: &mut Step<'_>) {
        let mut members = Vec::with_capacity(config.processes.len());
        for process in &config.processes {
            let id = ProcessId(self.next_process);
            self.next_process += 1;
            members.push(id);
            self.processes.insert(
                id,
                Process::new(id, &config.name, process.clone(), step.now),
            );
            step.act(Action::ProcessAdded {
                process: id,
                config: process.clone(),
                group: config.name.clone(),
            });
        }
        step.act(Action::Publish(Notice::GroupAdded {
            group: config.name.clone(),
        }));
        self.groups.push(Group { config, members });
    }

    fn remove_group(&mut self, name: &str, step: &mut Step<'_>) -> Outcome {
        let Some(index) = self
            .groups
            .iter()
            .position(|group| group.config.name == name)
        else {
            return Outcome::Failed(Failure::BadName(name.to_owned()));
        };
        let is_stopped = |id: &ProcessId| {
            self.processes
                .get(id)
                .is_none_or(|process| process.state.is_stopped())
        };
        if !self
            .groups
            .get(index)
            .is_some_and(|group| group.members.iter().all(is_stopped))
        {
            return Outcome::Failed(Failure::StillRunning(name.to_owned()));
        }
        let group = self.groups.remove(index);
        for id in group.members {
            self.timers.cancel(Timer::Process(id));
            self.timers.cancel(Timer::Drain(id));
            self.timers.cancel(Timer::StopReport(id));
            self.processes.remove(&id);
            step.act(Action::ProcessRemoved { process: id });
        }
        step.act(Action::Publish(Notice::GroupRemoved {
            group: name.to_owned(),
        }));
        Outcome::Done
    }

    pub(crate) fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.config.name == name)
    }

    pub(crate) fn find_process(&self, group: &str, name: &str) -> Option<&Process> {
        self.group(group)?
            .members
            .iter()
            .filter_map(|id| self.processes.get(id))
            .find(|process| process.config.name == name)
    }
}

//! The groups at work and the groups that could be: adding, removing, and taking in a new configuration.
//!
//! Names are looked up in sorted tables, because a client may name each of ten thousand processes in a
//! request of its own. What happens to the processes of a group is in `lifecycle` and `stop`.

use std::collections::BTreeMap;
use std::sync::Arc;

use linchpin_config::{
    ActiveGroup, Config, Difference, GroupConfig, GroupKind, ProcessConfig, diff_active,
};
use serde::{Deserialize, Serialize};

use crate::process::{Life, Process};
use crate::supervisor::{Step, Supervisor};
use crate::timers::Timer;
use crate::{Action, Failure, Notice, Outcome, ProcessId, Reason};

/// Most processes of a group to which clients add: what one section of a file may ask for.
const MOST_PROCESSES_OF_A_GROUP: usize = 100_000;

/// A group at work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) config: Arc<GroupConfig>,
    /// In the order of the configuration.
    pub(crate) members: Vec<ProcessId>,
    by_name: NameIndex,
}

impl Group {
    fn new(config: Arc<GroupConfig>, members: Vec<ProcessId>) -> Self {
        let by_name = NameIndex::new(config.processes.len(), |position| {
            config.processes.get(position).map(|process| &process.name)
        });
        Self {
            config,
            members,
            by_name,
        }
    }

    pub(crate) fn member(&self, name: &str) -> Option<ProcessId> {
        let processes = &self.config.processes;
        let position = self.by_name.find(name, |position| {
            processes.get(position).map(|process| process.name.as_str())
        })?;
        self.members.get(position).copied()
    }
}

/// The groups at work, in the order in which they were added.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Groups {
    by_age: BTreeMap<u64, Group>,
    ages: BTreeMap<String, u64>,
    next_age: u64,
}

impl Groups {
    pub(crate) fn get(&self, name: &str) -> Option<&Group> {
        self.by_age.get(self.ages.get(name)?)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Group> {
        self.by_age.values()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Group> {
        self.by_age.values_mut()
    }

    /// Lower priority numbers first, then older ones.
    pub(crate) fn by_priority(&self) -> Vec<&Group> {
        let mut groups: Vec<&Group> = self.by_age.values().collect();
        groups.sort_by_key(|group| group.config.priority);
        groups
    }

    fn insert(&mut self, config: Arc<GroupConfig>, members: Vec<ProcessId>) {
        let age = self.next_age;
        self.next_age += 1;
        self.ages.insert(config.name.clone(), age);
        self.by_age.insert(age, Group::new(config, members));
    }

    /// Puts other processes into a group.
    fn replace(&mut self, config: Arc<GroupConfig>, members: Vec<ProcessId>) {
        if let Some(age) = self.ages.get(&config.name) {
            self.by_age.insert(*age, Group::new(config, members));
        }
    }

    fn remove(&mut self, name: &str) -> Option<Group> {
        let age = self.ages.remove(name)?;
        self.by_age.remove(&age)
    }
}

/// The groups of the configuration last read: what `add` takes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Configured {
    groups: Vec<Arc<GroupConfig>>,
    by_name: NameIndex,
    /// Which of them have been added since they were read: their automatic log files have names by now.
    are_added: Vec<bool>,
}

impl Configured {
    pub(crate) fn new(groups: Vec<Arc<GroupConfig>>) -> Self {
        let by_name = NameIndex::new(groups.len(), |position| {
            groups.get(position).map(|group| &group.name)
        });
        let are_added = vec![false; groups.len()];
        Self {
            groups,
            by_name,
            are_added,
        }
    }

    fn set_added(&mut self, name: &str) {
        if let Some(position) = self.position(name)
            && let Some(is_added) = self.are_added.get_mut(position)
        {
            *is_added = true;
        }
    }

    pub(crate) fn is_added(&self, name: &str) -> bool {
        let is_added = self.position(name).and_then(|at| self.are_added.get(at));
        is_added.copied().unwrap_or(false)
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.by_name.find(name, |position| {
            self.groups.get(position).map(|group| group.name.as_str())
        })
    }

    pub(crate) fn all(&self) -> &[Arc<GroupConfig>] {
        &self.groups
    }

    /// Changes a group, if it is still as the one at work.
    fn replace(&mut self, old: &Arc<GroupConfig>, new: &Arc<GroupConfig>) {
        for group in self.groups.iter_mut().filter(|group| *group == old) {
            *group = new.clone();
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Arc<GroupConfig>> {
        self.groups.get(self.position(name)?)
    }
}

/// Positions in a list of named things, by name: four bytes each, where a map would copy every name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct NameIndex(Vec<u32>);

impl NameIndex {
    fn new<'a>(length: usize, name: impl Fn(usize) -> Option<&'a String>) -> Self {
        let mut positions: Vec<u32> = (0..u32::try_from(length).unwrap_or(u32::MAX)).collect();
        positions.sort_by_key(|&position| name(as_index(position)));
        Self(positions)
    }

    fn find<'a>(&self, wanted: &str, name: impl Fn(usize) -> Option<&'a str>) -> Option<usize> {
        self.0
            .binary_search_by(|&position| name(as_index(position)).cmp(&Some(wanted)))
            .ok()
            .and_then(|place| self.0.get(place))
            .map(|&position| as_index(position))
    }
}

/// A position as an index; lists that long do not fit into memory where this could fail.
fn as_index(position: u32) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

fn no_group(name: &str) -> Failure {
    Failure::BadName(format!("group: {name}"))
}

impl Supervisor {
    pub(crate) fn boot(&mut self, step: &mut Step<'_>) {
        for config in self.configured.all().to_vec() {
            if self.groups.get(&config.name).is_none() {
                self.add_group(&config, step);
            }
        }
        self.publish(Notice::SupervisorRunning, step);
        let members: Vec<ProcessId> = self
            .groups
            .by_priority()
            .iter()
            .flat_map(|group| &group.members)
            .copied()
            .collect();
        self.autostart(&members, step);
    }

    fn autostart(&mut self, members: &[ProcessId], step: &mut Step<'_>) {
        for &id in members {
            if self
                .processes
                .get(&id)
                .is_some_and(|process| process.config.autostart)
            {
                self.start(id, Reason::Autostart, step);
            }
        }
    }

    /// Takes in a new configuration and tells how it differs from what is at work.
    ///
    /// The daemon's own environment is expected to be part of each process's.
    pub(crate) fn reload(&mut self, config: Config) -> Outcome {
        let nothing_more = BTreeMap::new();
        let active: Vec<ActiveGroup<'_>> = self
            .groups
            .iter()
            .map(|group| ActiveGroup {
                group: &group.config,
                daemon_environment: &nothing_more,
            })
            .collect();
        let compared = Config {
            supervisord: linchpin_config::Supervisord {
                environment: BTreeMap::new(),
                ..config.supervisord
            },
            ..config
        };
        let Difference {
            added,
            changed,
            removed,
        } = diff_active(&active, &compared);
        let groups = compared.groups.into_iter();
        let groups = groups.map(|group| self.shared(group)).collect();
        self.configured = Configured::new(groups);
        Outcome::Reloaded {
            added,
            changed,
            removed,
        }
    }

    /// A group as it was read again, or the same that is here already: what nobody has changed is kept only once, however
    /// often it is read, removed and added.
    fn shared(&self, read: Arc<GroupConfig>) -> Arc<GroupConfig> {
        let at_work = self.groups.get(&read.name).map(|group| &group.config);
        let known = self.configured.get(&read.name);
        let same = at_work.into_iter().chain(known).find(|it| **it == read);
        same.cloned().unwrap_or(read)
    }

    pub(crate) fn add_and_start(&mut self, config: &Arc<GroupConfig>, step: &mut Step<'_>) {
        let members = self.add_group(config, step);
        self.autostart(&members, step);
    }

    fn add_slots(
        &mut self,
        group: &str,
        processes: &[Arc<ProcessConfig>],
        step: &mut Step<'_>,
    ) -> Vec<ProcessId> {
        let mut added = Vec::with_capacity(processes.len());
        for process in processes {
            let id = ProcessId(self.next_process);
            self.next_process += 1;
            added.push(id);
            self.processes
                .insert(id, Process::new(id, group, process.clone(), step.now));
            step.act(Action::ProcessAdded {
                process: id,
                config: process.clone(),
                group: group.to_owned(),
            });
        }
        added
    }

    fn add_group(&mut self, config: &Arc<GroupConfig>, step: &mut Step<'_>) -> Vec<ProcessId> {
        let members = self.add_slots(&config.name, &config.processes, step);
        // A pool hears of its own beginning, as in the original.
        if let GroupKind::EventListener(pool) = &config.kind {
            self.pools.add(&config.name, pool, &members, step);
        }
        let group = config.name.clone();
        self.publish(Notice::GroupAdded { group }, step);
        self.groups.insert(config.clone(), members.clone());
        self.configured.set_added(&config.name);
        self.dependencies_are_others();
        self.adopt_remains(&config.name, &members);
        self.adopt_hooks(&config.name, &members);
        members
    }

    pub(crate) fn remove_group(&mut self, name: &str, step: &mut Step<'_>) -> Outcome {
        let Some(group) = self.groups.get(name) else {
            return Outcome::Failed(Failure::BadName(name.to_owned()));
        };
        let is_stopped = |id: &ProcessId| {
            self.processes
                .get(id)
                .is_none_or(|process| process.state.is_stopped())
        };
        if !group.members.iter().all(is_stopped) {
            return Outcome::Failed(Failure::StillRunning(name.to_owned()));
        }
        let Some(group) = self.groups.remove(name) else {
            return Outcome::Failed(Failure::BadName(name.to_owned()));
        };
        for id in group.members {
            self.remove_process(id, step);
        }
        self.dependencies_are_others();
        // A pool does not hear of its own end.
        self.pools.remove(name, step);
        let group = name.to_owned();
        self.publish(Notice::GroupRemoved { group }, step);
        Outcome::Done
    }

    /// Adds processes to a group at work, and starts those that start by themselves.
    ///
    /// As in the original the configuration last read has them from now on too, until the next one is read:
    /// then the group counts as changed. In a pool of event listeners they are no listeners.
    pub(crate) fn add_processes(
        &mut self,
        name: &str,
        processes: &[Arc<ProcessConfig>],
        step: &mut Step<'_>,
    ) -> Outcome {
        let Some(group) = self.groups.get(name) else {
            return Outcome::Failed(no_group(name));
        };
        if let Some(known) = processes
            .iter()
            .find(|process| group.member(&process.name).is_some())
        {
            return Outcome::Failed(Failure::BadName(known.name.clone()));
        }
        if group.members.len().saturating_add(processes.len()) > MOST_PROCESSES_OF_A_GROUP {
            return Outcome::Failed(Failure::Failed(format!(
                "a group may have {MOST_PROCESSES_OF_A_GROUP} processes"
            )));
        }
        let (old, mut members) = (group.config.clone(), group.members.clone());
        let mut config = GroupConfig::clone(&old);
        config.processes.extend_from_slice(processes);
        let added = self.add_slots(name, processes, step);
        members.extend_from_slice(&added);
        self.change_group(&old, config, members);
        self.adopt_remains(name, &added);
        self.adopt_hooks(name, &added);
        self.autostart(&added, step);
        Outcome::Done
    }

    /// Removes one process from a group at work.
    pub(crate) fn remove_one_process(
        &mut self,
        group_name: &str,
        name: &str,
        step: &mut Step<'_>,
    ) -> Outcome {
        let Some(group) = self.groups.get(group_name) else {
            return Outcome::Failed(no_group(group_name));
        };
        let Some(id) = group.member(name) else {
            return Outcome::Failed(Failure::BadName(name.to_owned()));
        };
        if self
            .processes
            .get(&id)
            .is_some_and(|process| !process.state.is_stopped())
        {
            return Outcome::Failed(Failure::StillRunning(name.to_owned()));
        }
        let old = group.config.clone();
        let members = group.members.iter().copied();
        let members = members.filter(|member| *member != id).collect();
        let mut config = GroupConfig::clone(&old);
        config.processes.retain(|process| process.name != name);
        self.change_group(&old, config, members);
        // One in UNKNOWN may be at an event, which another listener gets.
        self.listener_ended(id, step);
        self.pools.forget_listener(id);
        self.remove_process(id, step);
        Outcome::Done
    }

    fn change_group(
        &mut self,
        old: &Arc<GroupConfig>,
        config: GroupConfig,
        members: Vec<ProcessId>,
    ) {
        let config = Arc::new(config);
        self.configured.replace(old, &config);
        self.groups.replace(config, members);
        self.dependencies_are_others();
    }

    fn remove_process(&mut self, id: ProcessId, step: &mut Step<'_>) {
        self.hooks_of_removed(id, step);
        self.end_watching(id, step);
        self.forget_dependent(id);
        self.timers.cancel(Timer::Process(id));
        self.timers.cancel(Timer::Drain(id));
        self.timers.cancel(Timer::StopReport(id));
        if let Some(process) = self.processes.remove(&id)
            && matches!(process.life, Life::Ended { .. })
        {
            // It ended in UNKNOWN, and its last output is still being read.
            self.release(id, process.generation, step);
        }
        step.act(Action::ProcessRemoved { process: id });
    }

    pub(crate) fn find_process(&self, group: &str, name: &str) -> Option<&Process> {
        self.processes.get(&self.groups.get(group)?.member(name)?)
    }
}

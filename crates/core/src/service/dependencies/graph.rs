//! Which process depends on which: names of the configuration, looked up among the groups at work.

use std::collections::BTreeMap;

use linchpin_config::{Condition, Dependency};
use serde::{Deserialize, Serialize};

use crate::ProcessId;
use crate::groups::Groups;
use crate::process::Process;
use crate::supervisor::Supervisor;

/// The edges, both ways. Made again when groups have changed, on the next look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Graph {
    is_known: bool,
    dependents: BTreeMap<ProcessId, Vec<ProcessId>>,
}

impl Default for Graph {
    fn default() -> Self {
        Self {
            is_known: true,
            dependents: BTreeMap::new(),
        }
    }
}

impl Graph {
    pub(super) fn forget(&mut self) {
        self.is_known = false;
    }

    /// False only if it is certain that nobody depends on anybody.
    pub(super) fn may_have_edges(&self) -> bool {
        !self.is_known || !self.dependents.is_empty()
    }

    /// Who depends on a process, in the order of their identifiers.
    pub(super) fn dependents(&self, id: ProcessId) -> Vec<ProcessId> {
        self.dependents.get(&id).cloned().unwrap_or_default()
    }
}

/// The processes that a dependency means, as things are. Empty if there are none of that name.
pub(super) fn meant(groups: &Groups, dependency: &Dependency) -> Vec<ProcessId> {
    let Some(group) = groups.get(&dependency.group) else {
        return Vec::new();
    };
    match &dependency.process {
        Some(name) => group.member(name).into_iter().collect(),
        None => group.members.clone(),
    }
}

/// What a process depends on, as written.
pub(super) fn dependencies(process: &Process) -> &[Dependency] {
    process
        .config
        .service
        .as_ref()
        .map_or(&[], |service| &service.dependencies)
}

/// A dependency as people write it.
pub(super) fn spec(dependency: &Dependency) -> String {
    match &dependency.process {
        Some(process) if *process != dependency.group => {
            format!("{}:{process}", dependency.group)
        }
        Some(_) | None => dependency.group.clone(),
    }
}

/// Whether a dependency is more than a wish for an order.
pub(super) fn binds(dependency: &Dependency) -> bool {
    dependency.condition != Condition::Order
}

impl Supervisor {
    /// Makes the graph if groups have changed since.
    pub(super) fn graph_is_known(&mut self) {
        if self.dependencies.graph.is_known {
            return;
        }
        let mut dependents: BTreeMap<ProcessId, Vec<ProcessId>> = BTreeMap::new();
        for process in self.processes.values() {
            for dependency in dependencies(process) {
                for id in meant(&self.groups, dependency) {
                    let known = dependents.entry(id).or_default();
                    if id != process.id && known.last() != Some(&process.id) {
                        known.push(process.id);
                    }
                }
            }
        }
        dependents.retain(|_, known| !known.is_empty());
        self.dependencies.graph = Graph {
            is_known: true,
            dependents,
        };
    }

    /// Those that depend on a process with a condition, not only by a wish for an order.
    pub(super) fn bound_dependents(&self, id: ProcessId) -> Vec<ProcessId> {
        let is_bound = |dependent: &ProcessId| {
            self.processes.get(dependent).is_some_and(|dependent| {
                dependencies(dependent)
                    .iter()
                    .any(|it| binds(it) && meant(&self.groups, it).contains(&id))
            })
        };
        let mut all = self.dependencies.graph.dependents(id);
        all.retain(is_bound);
        all
    }
}

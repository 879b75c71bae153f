//! Who is whose: process ids of running services, and the process groups that outlive their leaders.

use std::collections::HashMap;

use linchpin_core::{ExitStatus, Generation, ProcessId};
use linchpin_sys::Pid;

use crate::services::TaskId;

/// One start of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) process: ProcessId,
    pub(crate) generation: Generation,
    /// Its output is being captured, so its end has to wait for the last of it.
    pub(crate) has_streams: bool,
}

/// What a child is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Child {
    /// A service.
    Service(Start),
    /// A command that runs beside one.
    Task(TaskId),
    /// What was a service until it named another process as its main one.
    Former,
}

/// The processes that are alive, as far as reaping tells.
#[derive(Debug, Default)]
pub(crate) struct Children {
    by_pid: HashMap<i32, Child>,
    /// Reaped before a spawner's answer was there. As many as there are spawner threads, at most.
    early: HashMap<i32, ExitStatus>,
    followed: HashMap<Generation, i32>,
    /// The main processes that services have named themselves, and their process groups; at most one for each start.
    adopted: HashMap<Generation, Adopted>,
}

#[derive(Debug, Clone, Copy)]
struct Adopted {
    main: i32,
    group: Pid,
}

impl Children {
    /// A process has been started; if it has been reaped already, how it ended.
    pub(crate) fn started(&mut self, pid: i32, child: Child) -> Option<ExitStatus> {
        if let Some(status) = self.early.remove(&pid) {
            return Some(status);
        }
        self.by_pid.insert(pid, child);
        None
    }

    /// A process has been reaped: whose it was.
    pub(crate) fn reaped(&mut self, pid: i32) -> Option<Child> {
        self.by_pid.remove(&pid)
    }

    /// Whether something has been reaped whose end could not be told yet.
    pub(crate) fn has_early(&self) -> bool {
        !self.early.is_empty()
    }

    /// A process has been reaped that is just being started.
    pub(crate) fn reaped_early(&mut self, pid: i32, status: ExitStatus) {
        self.early.insert(pid, status);
    }

    /// Whether a process id is that of a service which has not been reaped: only then is it certain
    /// that a signal to it reaches no stranger.
    pub(crate) fn is_alive(&self, pid: i32) -> bool {
        matches!(self.by_pid.get(&pid), Some(Child::Service(_)))
    }

    /// Whether a process is a service or its task.
    pub(crate) fn is_known(&self, pid: i32) -> bool {
        self.by_pid.contains_key(&pid)
    }

    /// A service has another main process from now on, of this process group.
    pub(crate) fn adopt(&mut self, start: Start, main: Pid, group: Pid) {
        for child in self.by_pid.values_mut() {
            if matches!(child, Child::Service(known) if known.generation == start.generation) {
                *child = Child::Former;
            }
        }
        self.by_pid.insert(main.get(), Child::Service(start));
        let main = main.get();
        self.adopted
            .insert(start.generation, Adopted { main, group });
    }

    /// Whether a start has a process that it has named itself and that is alive.
    pub(crate) fn has_adopted(&self, generation: Generation) -> bool {
        self.adopted
            .get(&generation)
            .is_some_and(|adopted| self.is_alive(adopted.main))
    }

    /// The process group of a service whose process this is or was: its own, unless it has been adopted.
    pub(crate) fn group_of(&self, pid: i32) -> Option<Pid> {
        self.adopted
            .values()
            .find(|adopted| adopted.main == pid)
            .map_or_else(|| Pid::new(pid), |adopted| Some(adopted.group))
    }

    pub(crate) fn release(&mut self, generation: Generation) {
        self.adopted.remove(&generation);
    }

    pub(crate) fn follow(&mut self, generation: Generation, pgid: i32) {
        self.followed.insert(generation, pgid);
    }

    pub(crate) fn forget(&mut self, generation: Generation) {
        self.followed.remove(&generation);
    }

    /// Takes out those followed groups that `is_gone` says are empty.
    pub(crate) fn gone_groups(&mut self, is_gone: impl Fn(i32) -> bool) -> Vec<Generation> {
        let gone: Vec<Generation> = self
            .followed
            .iter()
            .filter(|(_, pgid)| is_gone(**pgid))
            .map(|(generation, _)| *generation)
            .collect();
        for generation in &gone {
            self.followed.remove(generation);
        }
        gone
    }
}

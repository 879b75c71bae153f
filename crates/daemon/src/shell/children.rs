//! Who is whose: process ids of running services, and the process groups that outlive their leaders.

use std::collections::HashMap;

use linchpin_core::{ExitStatus, Generation, ProcessId};

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
}

/// The processes that are alive, as far as reaping tells.
#[derive(Debug, Default)]
pub(crate) struct Children {
    by_pid: HashMap<i32, Child>,
    /// Reaped before a spawner's answer was there. As many as there are spawner threads, at most.
    early: HashMap<i32, ExitStatus>,
    followed: HashMap<Generation, i32>,
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

    /// A process has been reaped that is just being started.
    pub(crate) fn reaped_early(&mut self, pid: i32, status: ExitStatus) {
        self.early.insert(pid, status);
    }

    /// Whether a process id is that of a service which has not been reaped: only then is it certain
    /// that a signal to it reaches no stranger.
    pub(crate) fn is_alive(&self, pid: i32) -> bool {
        matches!(self.by_pid.get(&pid), Some(Child::Service(_)))
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

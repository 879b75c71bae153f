//! Who is whose: process ids of running services, and the process groups that outlive their leaders.

use std::collections::HashMap;

use linchpin_core::{ExitStatus, Generation, ProcessId};

/// One start of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) process: ProcessId,
    pub(crate) generation: Generation,
    /// Its output is being captured, so its end has to wait for the last of it.
    pub(crate) has_streams: bool,
}

/// The processes that are alive, as far as reaping tells.
#[derive(Debug, Default)]
pub(crate) struct Children {
    by_pid: HashMap<i32, Start>,
    /// Reaped before the spawner's answer was there. As many as there are spawner threads, at most.
    early: HashMap<i32, ExitStatus>,
    followed: HashMap<Generation, i32>,
}

impl Children {
    /// A process has been started; if it has been reaped already, how it ended.
    pub(crate) fn started(&mut self, pid: i32, start: Start) -> Option<ExitStatus> {
        if let Some(status) = self.early.remove(&pid) {
            return Some(status);
        }
        self.by_pid.insert(pid, start);
        None
    }

    /// A process has been reaped: whose it was.
    pub(crate) fn reaped(&mut self, pid: i32) -> Option<Start> {
        self.by_pid.remove(&pid)
    }

    /// A process has been reaped that is just being started.
    pub(crate) fn reaped_early(&mut self, pid: i32, status: ExitStatus) {
        self.early.insert(pid, status);
    }

    /// Whether a process id is that of a service which has not been reaped: only then is it certain
    /// that a signal to it reaches no stranger.
    pub(crate) fn is_alive(&self, pid: i32) -> bool {
        self.by_pid.contains_key(&pid)
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

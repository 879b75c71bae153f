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
    /// What was this start of a service until it named another process as its main one.
    Former(Generation),
}

impl Child {
    fn is_of(&self, start: Generation) -> bool {
        match self {
            Self::Service(known) => known.generation == start,
            Self::Former(generation) => *generation == start,
            Self::Task(_) => false,
        }
    }
}

/// The processes that are alive, as far as reaping tells.
#[derive(Debug, Default)]
pub(crate) struct Children {
    by_pid: HashMap<i32, Child>,
    /// Reaped before a spawner's answer was there. As many as there are spawner threads, at most.
    early: HashMap<i32, ExitStatus>,
    /// What remains of starts; their leaders have been reaped.
    followed: HashMap<Generation, Vec<i32>>,
    /// The main processes that services have named themselves; at most one for each start.
    adopted: HashMap<Generation, Adopted>,
}

#[derive(Debug, Clone, Copy)]
struct Adopted {
    /// The process with which the start began, whose number its process group has.
    leader: i32,
    /// That process has been reaped, and nobody else was in its group: from then on the number is anybody's.
    is_group_gone: bool,
    main: i32,
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

    /// Whether a process can become the main one of a start: it is nobody's, or was that before.
    pub(crate) fn may_become_main(&self, generation: Generation, pid: i32) -> bool {
        match self.by_pid.get(&pid) {
            None => true,
            Some(Child::Former(former)) => *former == generation,
            Some(Child::Service(_) | Child::Task(_)) => false,
        }
    }

    /// A service that began as `leader` has another main process from now on.
    pub(crate) fn adopt(&mut self, start: Start, leader: i32, main: i32) {
        for child in self.by_pid.values_mut() {
            if matches!(child, Child::Service(known) if known.generation == start.generation) {
                *child = Child::Former(start.generation);
            }
        }
        self.by_pid.insert(main, Child::Service(start));
        let is_group_gone = match self.adopted.get(&start.generation) {
            Some(earlier) => earlier.is_group_gone,
            None => false,
        };
        let adopted = Adopted {
            leader,
            is_group_gone,
            main,
        };
        self.adopted.insert(start.generation, adopted);
    }

    /// Whether a start has a process that it has named itself and that is alive.
    pub(crate) fn has_adopted(&self, generation: Generation) -> bool {
        self.adopted
            .get(&generation)
            .is_some_and(|adopted| self.is_alive(adopted.main))
    }

    /// A process that was a service before it named another one has been reaped.
    pub(crate) fn former_reaped(
        &mut self,
        generation: Generation,
        is_group: impl FnOnce(i32) -> bool,
    ) {
        if let Some(adopted) = self.adopted.get_mut(&generation) {
            adopted.is_group_gone |= !is_group(adopted.leader);
        }
    }

    /// The process groups that may belong to a start whose group was this one at first: the same, and that of a main
    /// process which has left it. `is_leader` says whether a process leads a group.
    pub(crate) fn groups_of(
        &self,
        generation: Generation,
        first: i32,
        is_leader: impl FnOnce(i32) -> bool,
    ) -> Vec<i32> {
        if let Some(followed) = self.followed.get(&generation) {
            return followed.clone();
        }
        let Some(adopted) = self.adopted.get(&generation) else {
            return vec![first];
        };
        let first = (!adopted.is_group_gone).then_some(adopted.leader);
        let second =
            (adopted.main != adopted.leader && is_leader(adopted.main)).then_some(adopted.main);
        first.into_iter().chain(second).collect()
    }

    /// Whether a process group belongs to a start. `is_free` says whether there is no process of that number: as long as
    /// a group lives, its number is given to no process; if there is one, the group is gone and the number a stranger's.
    pub(crate) fn owns_group(
        &self,
        generation: Generation,
        group: i32,
        is_free: impl FnOnce(i32) -> bool,
    ) -> bool {
        let is_followed = self.followed.contains_key(&generation);
        match self.by_pid.get(&group) {
            Some(child) => child.is_of(generation),
            // Its leader has been reaped, and what is left of it is followed, or another process has become the main one.
            None => {
                let is_left =
                    |adopted: &Adopted| adopted.leader == group && self.is_alive(adopted.main);
                (is_followed || self.adopted.get(&generation).is_some_and(is_left))
                    && is_free(group)
            }
        }
    }

    /// Nothing of a start is of interest any more, but for its first process: that is our child, and its group may
    /// still be followed. Others may be somebody else's, who alone hears of their ends.
    pub(crate) fn release(&mut self, generation: Generation) {
        if let Some(adopted) = self.adopted.remove(&generation) {
            self.by_pid
                .retain(|pid, child| *child != Child::Former(generation) || *pid == adopted.leader);
        }
    }

    pub(crate) fn follow(&mut self, generation: Generation, groups: Vec<i32>) {
        self.followed.insert(generation, groups);
    }

    pub(crate) fn forget(&mut self, generation: Generation) {
        self.followed.remove(&generation);
    }

    /// Takes out those of whose followed groups `is_gone` says that all are empty.
    pub(crate) fn gone_groups(&mut self, is_gone: impl Fn(i32) -> bool) -> Vec<Generation> {
        let mut gone = Vec::new();
        self.followed.retain(|generation, groups| {
            groups.retain(|group| !is_gone(*group));
            if groups.is_empty() {
                gone.push(*generation);
            }
            !groups.is_empty()
        });
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Generation = Generation(1);
    const TWO: Generation = Generation(2);

    fn start(generation: Generation) -> Start {
        Start {
            process: ProcessId(7),
            generation,
            has_streams: false,
        }
    }

    /// A start whose process 10 has named 11 as its main one.
    fn adopted() -> Children {
        let mut children = Children::default();
        children.started(10, Child::Service(start(ONE)));
        children.adopt(start(ONE), 10, 11);
        children
    }

    #[test]
    fn a_group_is_that_of_the_start_that_has_its_leader() {
        let mut children = Children::default();
        children.started(10, Child::Service(start(ONE)));
        assert!(children.owns_group(ONE, 10, |_| false));
        assert!(!children.owns_group(TWO, 10, |_| true));
        children.reaped(10);
        assert!(!children.owns_group(ONE, 10, |_| true));
        children.follow(ONE, vec![10]);
        assert!(children.owns_group(ONE, 10, |_| true));
        assert!(!children.owns_group(ONE, 10, |_| false), "a stranger");
        children.started(10, Child::Service(start(TWO)));
        assert!(!children.owns_group(ONE, 10, |_| true), "another service");
    }

    #[test]
    fn a_main_process_that_leads_a_group_adds_it() {
        let mut children = adopted();
        assert_eq!(children.groups_of(ONE, 10, |_| false), [10]);
        assert_eq!(children.groups_of(ONE, 10, |_| true), [10, 11]);
        assert!(children.owns_group(ONE, 11, |_| false));
        assert!(children.owns_group(ONE, 10, |_| false), "it still lives");
        children.reaped(10);
        assert!(children.owns_group(ONE, 10, |_| true));
        assert!(!children.owns_group(ONE, 10, |_| false), "a stranger");
        children.started(10, Child::Service(start(TWO)));
        assert!(!children.owns_group(ONE, 10, |_| true), "another service");
    }

    #[test]
    fn a_group_that_was_empty_is_never_that_of_the_start_again() {
        let mut children = adopted();
        assert_eq!(children.reaped(10), Some(Child::Former(ONE)));
        children.former_reaped(ONE, |_| true);
        assert_eq!(children.groups_of(ONE, 10, |_| true), [10, 11]);
        children.former_reaped(ONE, |_| false);
        assert_eq!(children.groups_of(ONE, 10, |_| true), [11]);
        children.adopt(start(ONE), 10, 12);
        assert_eq!(children.groups_of(ONE, 10, |_| true), [12]);
    }

    #[test]
    fn a_process_may_become_the_main_one_again() {
        let mut children = adopted();
        assert!(children.may_become_main(ONE, 10));
        assert!(!children.may_become_main(TWO, 10));
        assert!(!children.may_become_main(TWO, 11));
        assert!(children.may_become_main(TWO, 12));
        children.adopt(start(ONE), 10, 10);
        assert!(children.is_alive(10));
        assert!(!children.is_alive(11));
        assert_eq!(children.groups_of(ONE, 10, |_| true), [10]);
        assert_eq!(children.reaped(10), Some(Child::Service(start(ONE))));
        // The other one is not our child, so nobody tells that it has ended.
        children.release(ONE);
        assert!(!children.is_known(11));
    }

    #[test]
    fn what_is_followed_is_gone_when_all_of_it_is() {
        let mut children = adopted();
        let groups = children.groups_of(ONE, 10, |_| true);
        children.follow(ONE, groups);
        children.release(ONE);
        assert_eq!(children.groups_of(ONE, 10, |_| false), [10, 11]);
        assert_eq!(children.gone_groups(|group| group == 11), []);
        assert_eq!(children.groups_of(ONE, 10, |_| false), [10]);
        assert_eq!(children.gone_groups(|_| true), [ONE]);
        assert_eq!(children.gone_groups(|_| true), []);
    }
}

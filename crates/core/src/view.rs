//! Read-only views: the only way to look at the core's state.

use std::sync::Arc;

use linchpin_config::{GroupConfig, ProcessConfig};

use crate::process::Process;
use crate::service::ServiceView;
use crate::timers::Timer;
use crate::{
    Failure, LastEnd, Monotonic, Now, ProcessId, ProcessState, Reason, Supervisor, Target, Wall,
};

/// A process as it is now.
#[derive(Debug, Clone, Copy)]
pub struct ProcessView<'a> {
    /// Which.
    pub id: ProcessId,
    /// Its group's name.
    pub group: &'a str,
    /// What it is.
    pub config: &'a Arc<ProcessConfig>,
    /// Its state.
    pub state: ProcessState,
    /// Since when.
    pub since: Now,
    /// Why.
    pub reason: &'a Reason,
    /// Why it was in the state before.
    pub reason_before: Option<&'a Reason>,
    /// Its process id, while there is one.
    pub pid: Option<i32>,
    /// When it was last started.
    pub start: Option<Wall>,
    /// When it last ended.
    pub stop: Option<Wall>,
    /// The original's `spawnerr`.
    pub spawn_error: Option<&'a str>,
    /// Which step between fork and exec failed in the latest start.
    pub exec_failure: Option<&'a str>,
    /// Its last exit status, -1 after a signal.
    pub exit_status: Option<i32>,
    /// Failed starts in a row.
    pub failures: u32,
    /// How the latest start that is over came to its end.
    pub last_end: Option<&'a LastEnd>,
    /// It is as it should be: RUNNING and ready, or it has done the work for which it was started.
    pub is_settled: bool,
    /// It has run to its end with success since the daemon began, or its marker says so.
    pub is_completed: bool,
    /// How often it was started again by itself since somebody started it.
    pub restarts: u32,
    /// Since when there is this process; none without one.
    pub up_since: Option<Monotonic>,
    /// When something happens next by itself.
    pub next_change: Option<Monotonic>,
    /// It can be used: all its readiness checks pass; without any it is RUNNING.
    pub is_ready: bool,
    /// What is known of it beyond its process; none without options of ours.
    pub service: Option<ServiceView<'a>>,
}

/// A group as it is now.
#[derive(Debug, Clone)]
pub struct GroupView<'a> {
    /// What it is.
    pub config: &'a Arc<GroupConfig>,
    /// Its processes, in the order of its configuration.
    pub processes: Vec<ProcessView<'a>>,
}

impl Supervisor {
    /// One process.
    #[must_use]
    pub fn process(&self, id: ProcessId) -> Option<ProcessView<'_>> {
        self.processes.get(&id).map(|process| self.view(process))
    }

    /// One process, by name.
    #[must_use]
    pub fn process_named(&self, group: &str, name: &str) -> Option<ProcessView<'_>> {
        self.find_process(group, name)
            .map(|process| self.view(process))
    }

    /// All groups, in the order in which they were added.
    pub fn groups(&self) -> impl Iterator<Item = GroupView<'_>> {
        self.groups.iter().map(|group| GroupView {
            config: &group.config,
            processes: group
                .members
                .iter()
                .filter_map(|id| self.process(*id))
                .collect(),
        })
    }

    /// The processes that a command would be about, in the order in which it would take them.
    ///
    /// # Errors
    /// [`Failure::BadName`] if there is no such process or group.
    pub fn targets(&self, target: &Target) -> Result<Vec<ProcessView<'_>>, Failure> {
        let (_, processes) = self.processes_of(target)?;
        Ok(processes
            .into_iter()
            .filter_map(|id| self.process(id))
            .collect())
    }

    /// All processes, by group name and then by process name.
    #[must_use]
    pub fn processes_by_name(&self) -> Vec<ProcessView<'_>> {
        let mut all: Vec<_> = self
            .processes
            .values()
            .map(|process| self.view(process))
            .collect();
        all.sort_unstable_by(|a, b| (a.group, &a.config.name).cmp(&(b.group, &b.config.name)));
        all
    }

    fn is_settled(&self, process: &Process) -> bool {
        let is_oneshot = process
            .config
            .service
            .as_ref()
            .is_some_and(|service| service.oneshot);
        let has_done_its_work = matches!(process.reason, Reason::Exited { expected: true, .. })
            && self.timers.get(Timer::Process(process.id)).is_none();
        if is_oneshot {
            // One that did its work and then failed when it was asked for again is not as it should be.
            self.is_completed(process.id) && process.state != ProcessState::Fatal
        } else {
            // Many a program of a file that was not written for us runs once.
            self.is_ready(process.id) || has_done_its_work
        }
    }

    fn view<'a>(&'a self, process: &'a Process) -> ProcessView<'a> {
        ProcessView {
            id: process.id,
            group: &process.group,
            config: &process.config,
            state: process.state,
            since: process.since,
            reason: &process.reason,
            reason_before: process.before.as_ref().map(|past| &past.reason),
            pid: process.pid(),
            start: process.start_wall,
            stop: process.stop_wall,
            spawn_error: process.spawn_error.as_deref(),
            exec_failure: process.exec_failure.as_deref(),
            exit_status: process.exit_status,
            failures: process.failures,
            last_end: process.last_end.as_deref(),
            is_settled: self.is_settled(process),
            is_completed: self.is_completed(process.id),
            restarts: process.restarts,
            up_since: process.pid().map(|_| process.up_since),
            next_change: self.timers.get(Timer::Process(process.id)),
            is_ready: self.is_ready(process.id),
            service: ServiceView::new(process, &self.timers),
        }
    }
}

//! One process slot: what is known about it. What happens to it is in `lifecycle`.

use std::sync::Arc;

use linchpin_config::ProcessConfig;
use serde::{Deserialize, Serialize};

use crate::operation::Watcher;
use crate::service::ServiceState;
use crate::{
    ExitStatus, Generation, LastEnd, Monotonic, Now, ProcessId, ProcessState, Reason, Wall,
};

/// A process slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) id: ProcessId,
    pub(crate) group: String,
    pub(crate) config: Arc<ProcessConfig>,
    pub(crate) state: ProcessState,
    pub(crate) since: Now,
    pub(crate) reason: Reason,
    /// The state before, and why it was in that.
    pub(crate) before: Option<Past>,
    pub(crate) life: Life,
    /// The process group of the latest process: the number of its leader, which is the process itself
    /// unless it has named another one as its main process.
    pub(crate) pgid: i32,
    /// The latest start.
    pub(crate) generation: Generation,
    /// Earlier starts of which something may still exist; the next one waits for them.
    pub(crate) remains: Vec<Generation>,
    /// Failed starts in a row.
    pub(crate) failures: u32,
    /// How often it was started again by itself since somebody started it.
    pub(crate) restarts: u32,
    /// When the latest process came to be (until then, when it was asked for).
    pub(crate) up_since: Monotonic,
    pub(crate) start_wall: Option<Wall>,
    pub(crate) stop_wall: Option<Wall>,
    /// The original's `spawnerr`: why the latest start failed or the latest end was bad.
    pub(crate) spawn_error: Option<String>,
    /// Which step between fork and exec failed in the latest start.
    pub(crate) exec_failure: Option<String>,
    pub(crate) exit_status: Option<i32>,
    /// When the grace period of the stop in progress is over.
    pub(crate) stop_deadline: Monotonic,
    /// The stop signal was sent in the stop in progress.
    pub(crate) was_told: bool,
    /// SIGKILL was sent in the stop in progress.
    pub(crate) was_killed: bool,
    /// It has run to its end with an expected exit status since the daemon began, or its marker says so.
    pub(crate) is_completed: bool,
    /// The parts of operations that wait for this process.
    pub(crate) watchers: Vec<Watcher>,
    /// The latest process was killed by the kernel for lack of memory.
    pub(crate) out_of_memory: bool,
    /// How the latest start that is over came to its end.
    pub(crate) last_end: Option<Box<LastEnd>>,
    /// What is known beyond the process; none without options of ours.
    pub(crate) service: Option<Box<ServiceState>>,
}

/// A state that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Past {
    pub(crate) state: ProcessState,
    pub(crate) since: Now,
    pub(crate) reason: Reason,
}

/// What there is of a process, as opposed to the state that clients see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Life {
    /// Nothing.
    None,
    /// Nothing yet: its start waits until an earlier one's remains are gone.
    Blocked,
    /// The shell has been asked and has not answered.
    InFlight,
    /// A process: the main one.
    Alive { pid: i32 },
    /// A process that has been reaped, whose last output is still being read.
    Ended { pid: i32, end: End },
}

/// How and when a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) status: ExitStatus,
    pub(crate) group_alive: bool,
    pub(crate) at: Now,
}

impl Process {
    pub(crate) fn new(id: ProcessId, group: &str, config: Arc<ProcessConfig>, now: Now) -> Self {
        let service = config
            .service
            .is_some()
            .then(|| Box::new(ServiceState::default()));
        Self {
            id,
            group: group.to_owned(),
            config,
            state: ProcessState::Stopped,
            since: now,
            reason: Reason::NeverStarted,
            before: None,
            life: Life::None,
            pgid: 0,
            generation: Generation(0),
            remains: Vec::new(),
            failures: 0,
            restarts: 0,
            up_since: now.monotonic,
            start_wall: None,
            stop_wall: None,
            spawn_error: None,
            exec_failure: None,
            exit_status: None,
            stop_deadline: now.monotonic,
            was_told: false,
            was_killed: false,
            is_completed: false,
            watchers: Vec::new(),
            out_of_memory: false,
            last_end: None,
            service,
        }
    }

    /// The process id that clients see: none before there is a process and after its end.
    pub(crate) fn pid(&self) -> Option<i32> {
        match self.life {
            Life::Alive { pid } | Life::Ended { pid, .. } => Some(pid),
            Life::None | Life::Blocked | Life::InFlight => None,
        }
    }

    /// As clients name it: `group:name`, or the name alone where both are the same.
    pub(crate) fn spec(&self) -> String {
        if self.group == self.config.name {
            self.group.clone()
        } else {
            format!("{}:{}", self.group, self.config.name)
        }
    }

    /// It is being stopped for its own sake or for what it depends on, perhaps to start again. Who asks for
    /// its stop then joins that one; for services that only people stop the original's answer stands.
    pub(crate) fn goes_down_by_itself(&self) -> bool {
        self.state == ProcessState::Stopping && self.service.is_some()
    }

    /// Whether its start has failed if it does not become ready (`ready_within`).
    pub(crate) fn has_to_become_ready(&self) -> bool {
        let config = self.config.service.as_ref();
        config.is_some_and(|config| !config.ready_within.is_zero())
            && self
                .service
                .as_ref()
                .is_some_and(|service| !service.checking.is_ready())
    }

    pub(crate) fn is_expected(&self, status: ExitStatus) -> bool {
        self.config.exitcodes.contains(&status.code())
    }
}

//! How the latest start of a process came to its end. Explanations tell of it long after the state and its
//! reason have moved on: a service that is FATAL is so because of how it ended last.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::process::{End, Process};
use crate::{ExitStatus, Now, ProcessState, SpawnFailure};

/// The latest end, or the latest start that came to nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastEnd {
    /// When.
    pub at: Now,
    /// What.
    pub how: HowItEnded,
}

/// What came of a start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum HowItEnded {
    /// There never was a process.
    NotStarted(SpawnFailure),
    /// There was one, and it has ended.
    Ended {
        /// Its process id.
        pid: i32,
        /// How.
        status: ExitStatus,
        /// How long it was there.
        up: Duration,
        /// It was told to stop.
        was_told: bool,
        /// SIGKILL was sent because the stop signal was not enough.
        was_killed: bool,
        /// The kernel killed it for lack of memory.
        out_of_memory: bool,
        /// It never became its program: which step between fork and exec failed.
        exec_failure: Option<String>,
    },
}

impl LastEnd {
    /// Of a process that has been reaped and whose state has not moved on.
    pub(crate) fn of(process: &Process, pid: i32, end: &End) -> Self {
        Self {
            at: end.at,
            how: HowItEnded::Ended {
                pid,
                status: end.status,
                up: end.at.monotonic.since(process.up_since),
                was_told: process.state == ProcessState::Stopping,
                was_killed: process.was_killed,
                out_of_memory: process.out_of_memory,
                exec_failure: process.exec_failure.clone(),
            },
        }
    }
}

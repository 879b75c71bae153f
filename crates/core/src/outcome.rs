//! What a command is answered with.

use serde::{Deserialize, Serialize};

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Done.
    Done,
    /// What became of each of several processes.
    Many(Vec<ProcessResult>),
    /// The names of groups that a new configuration adds, changes and removes.
    Reloaded {
        /// In the new one only.
        added: Vec<String>,
        /// In both, different.
        changed: Vec<String>,
        /// At work, and no longer in the configuration.
        removed: Vec<String>,
    },
    /// Not done.
    Failed(Failure),
}

/// What became of one process of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessResult {
    /// Name of the process.
    pub name: String,
    /// Name of its group.
    pub group: String,
    /// What became of it.
    pub result: Result<(), Failure>,
}

/// Why a command was not done. The strings are what the original appends to the fault's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// There is no such process or group.
    BadName(String),
    /// The command does not exist.
    NoFile(String),
    /// The command cannot be run.
    NotExecutable(String),
    /// It is running.
    AlreadyStarted(String),
    /// It is not running.
    NotRunning(String),
    /// The start failed.
    SpawnError(String),
    /// It left STARTING for something else than RUNNING.
    AbnormalTermination(String),
    /// It did not work, for this reason.
    Failed(String),
    /// The group is at work already.
    AlreadyAdded(String),
    /// The group has processes that are not stopped.
    StillRunning(String),
    /// The daemon is going down.
    ShuttingDown,
}

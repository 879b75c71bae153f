//! Everything the core can ask of the shell: one closed list.

use std::sync::Arc;

use linchpin_config::ProcessConfig;
use serde::{Deserialize, Serialize};

use crate::{
    Generation, Message, OperationId, Outcome, ProcessId, ProcessState, Reason, SignalPurpose,
};

/// The actions that one event brings about, in the order in which they are to be done.
pub type Actions = Vec<Action>;

/// Something to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// Start a process; answered by `Spawned` or `SpawnFailed`.
    Spawn {
        /// Which.
        process: ProcessId,
        /// Names this start.
        generation: Generation,
        /// What to run.
        config: Arc<ProcessConfig>,
        /// The group it runs in.
        group: String,
    },
    /// Send a signal; answered by `Signalled`.
    Signal {
        /// Which process.
        process: ProcessId,
        /// Which start of it.
        generation: Generation,
        /// Whom.
        target: SignalTarget,
        /// Signal number.
        signal: i32,
        /// Comes back with the answer.
        purpose: SignalPurpose,
    },
    /// Look whether a command could be run, without running it; answered by `CommandChecked`.
    CheckCommand {
        /// Comes back with the answer.
        operation: OperationId,
        /// Comes back with the answer.
        process: ProcessId,
        /// What would be run.
        config: Arc<ProcessConfig>,
    },
    /// A process is no longer alive and everything about this start is known: free what it held.
    Release {
        /// Which.
        process: ProcessId,
        /// Which start of it.
        generation: Generation,
    },
    /// Tell when a process group is empty (`GroupGone`).
    FollowGroup {
        /// The start whose group it is.
        generation: Generation,
        /// The group: the process id that its leader had.
        pgid: i32,
    },
    /// Stop telling.
    ForgetGroup {
        /// The start whose group it was.
        generation: Generation,
    },
    /// A leader is gone and others of its process group live on, as its stop was not for them: say who.
    NameSurvivors {
        /// The process's name.
        name: String,
        /// The group: the process id that its leader had.
        pgid: i32,
    },
    /// A process of a new group exists: prepare what it keeps while it is not running (AUTO logs).
    ProcessAdded {
        /// Which.
        process: ProcessId,
        /// What it is.
        config: Arc<ProcessConfig>,
        /// The group it is in.
        group: String,
    },
    /// A process is gone for good.
    ProcessRemoved {
        /// Which.
        process: ProcessId,
    },
    /// Tell the world.
    Publish(Notice),
    /// Write to the main log.
    Log(Message),
    /// Answer a command.
    Reply {
        /// Which.
        operation: OperationId,
        /// The answer.
        outcome: Outcome,
    },
    /// Everything is down: exit, or begin anew.
    Finished {
        /// Begin anew.
        restart: bool,
    },
}

/// Whom a signal reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignalTarget {
    /// One process.
    Process(i32),
    /// A process group.
    Group(i32),
}

/// Something that event listeners and people may want to know. The original's event types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// `PROCESS_STATE_*`.
    ProcessState {
        /// Which process.
        process: ProcessId,
        /// Its name.
        name: String,
        /// Its group.
        group: String,
        /// The state it was in.
        from: ProcessState,
        /// The state it is in.
        to: ProcessState,
        /// Failed starts so far.
        tries: u32,
        /// Process id, 0 if none.
        pid: i32,
        /// Whether an exit was expected; true for everything else.
        expected: bool,
        /// Why.
        reason: Reason,
    },
    /// `PROCESS_GROUP_ADDED`.
    GroupAdded {
        /// Name.
        group: String,
    },
    /// `PROCESS_GROUP_REMOVED`.
    GroupRemoved {
        /// Name.
        group: String,
    },
    /// `SUPERVISOR_STATE_CHANGE_RUNNING`.
    SupervisorRunning,
    /// `SUPERVISOR_STATE_CHANGE_STOPPING`.
    SupervisorStopping,
}

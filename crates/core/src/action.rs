//! Everything the core can ask of the shell: one closed list.

use std::sync::Arc;
use std::time::Duration;

use linchpin_config::{FastCgiSocket, ProcessConfig};
use serde::{Deserialize, Serialize};

use crate::{
    Check, Generation, HookPoint, Message, Notice, Occurrence, OperationId, Outcome, ProcessId,
    SignalPurpose, SocketId,
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
        /// It is an event listener: what it writes to standard output is for the core.
        is_listener: bool,
        /// The socket that it gets as descriptor 0; none gives it a pipe.
        socket: Option<SocketId>,
    },
    /// Have a listening socket open from the first start that is given it until `CloseSocket`. What fails
    /// fails that start, and the next one tries again.
    OpenSocket {
        /// Names this opening.
        socket: SocketId,
        /// What it is like.
        config: FastCgiSocket,
    },
    /// Close a listening socket. No start that was given it is under way.
    CloseSocket {
        /// Which.
        socket: SocketId,
    },
    /// Open a listening socket and close it again; answered by `SocketTried`.
    TrySocket {
        /// Comes back with the answer.
        operation: OperationId,
        /// What it is like.
        config: FastCgiSocket,
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
        /// Which start of it.
        generation: Generation,
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
    /// Write an event to the standard input of a listener; answered by `Delivered`, before anything else
    /// that this listener does is told.
    SendEvent {
        /// The listener.
        process: ProcessId,
        /// Which start of it.
        generation: Generation,
        /// Its pool.
        pool: String,
        /// The event's number in the daemon's life.
        serial: u64,
        /// The event's number in the pool's life.
        pool_serial: u64,
        /// The event.
        notice: Arc<Notice>,
    },
    /// Make one attempt of a probe that is not passive; answered by `Probed` within `timeout` and a little,
    /// unless the start is released before.
    Probe {
        /// Which process.
        process: ProcessId,
        /// Which start of it.
        generation: Generation,
        /// Its process id.
        pid: i32,
        /// Which probe.
        check: Check,
        /// Comes back with the answer.
        attempt: u32,
        /// How long it may take.
        timeout: Duration,
        /// What the process is.
        config: Arc<ProcessConfig>,
        /// Its group.
        group: String,
    },
    /// Run a hook; answered by `HookEnded`. After its timeout its process group is killed.
    RunHook {
        /// Which process.
        process: ProcessId,
        /// Names this run together with the point; hooks of a start that has no process yet have the
        /// generation that it will have.
        generation: Generation,
        /// Which hook.
        point: HookPoint,
        /// The process id of the service, while there is one.
        pid: Option<i32>,
        /// What the process is.
        config: Arc<ProcessConfig>,
        /// Its group.
        group: String,
    },
    /// Kill a hook that is under way; there is no answer.
    CancelHook {
        /// Which process.
        process: ProcessId,
        /// As it was started.
        generation: Generation,
        /// Which hook.
        point: HookPoint,
    },
    /// Read the marker of a oneshot, and note that it begins; answered by `MarkerOpened`.
    OpenMarker {
        /// Which process.
        process: ProcessId,
        /// The generation that its start will have.
        generation: Generation,
        /// The file.
        path: String,
        /// That it begins was noted before, for a start that came to no process: then it was not interrupted.
        is_noted: bool,
    },
    /// Write the marker of a oneshot, so that it is on the disk; answered by `MarkerCommitted`.
    CommitMarker {
        /// Which process.
        process: ProcessId,
        /// Which start of it.
        generation: Generation,
        /// The file.
        path: String,
    },
    /// Add up the memory of a process group; answered by `MemoryMeasured`.
    MeasureMemory {
        /// Which process.
        process: ProcessId,
        /// Which start of it.
        generation: Generation,
        /// The group: the process id that its leader has or had.
        pgid: i32,
    },
    /// A service has another main process from now on (`MAINPID`): from here on the end of that one is told
    /// as [`Event::Exited`](crate::Event::Exited) of this start, and the end of the one before, which may be
    /// the leader of the process group, is not. Signals to a process name the main process; signals to the
    /// group keep naming the group in which the service was started.
    AdoptMain {
        /// Which process.
        process: ProcessId,
        /// Which start of it.
        generation: Generation,
        /// The main process.
        pid: i32,
    },
    /// Keep for the recorded history. Changes of state are not said so: `Publish` has them.
    Record(Occurrence),
    /// Print to the daemon's standard output, while it has one.
    Print(String),
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
    /// A process group, and the main process of the service if that has left it.
    Group(i32),
}

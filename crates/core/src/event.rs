//! Everything that can happen to the core: one closed list.

use std::fmt;
use std::sync::Arc;

use linchpin_config::{Config, ProcessConfig};
use linchpin_python::signals::signal_name;
use serde::{Deserialize, Serialize};

use crate::{
    Channel, Check, Generation, HookPoint, MarkerState, Notification, OperationId, ProbeOutcome,
    ProcessId,
};

/// Something that happened outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The shell is up: groups are announced and what has `autostart` is started. Once, first.
    Boot,
    /// Time has passed; due at [`next_deadline`](crate::Supervisor::next_deadline), harmless earlier.
    Wake,
    /// Answer to [`Action::Spawn`](crate::Action::Spawn): the process exists.
    Spawned {
        /// Which process.
        process: ProcessId,
        /// Which start of it.
        generation: Generation,
        /// Its process id.
        pid: i32,
        /// What failed between fork and exec, if something did: such a child exits with 127 at once.
        exec_failure: Option<String>,
    },
    /// Answer to [`Action::Spawn`](crate::Action::Spawn): there is no process.
    SpawnFailed {
        /// Which process.
        process: ProcessId,
        /// Which start of it.
        generation: Generation,
        /// Why.
        failure: SpawnFailure,
    },
    /// A process was reaped: that of a start, or the one that it named as its main process (see
    /// [`Action::AdoptMain`](crate::Action::AdoptMain)). Comes after its `Spawned`, never before.
    Exited {
        /// Which process.
        process: ProcessId,
        /// Which start of it.
        generation: Generation,
        /// How it ended.
        status: ExitStatus,
        /// Nothing of its output is left to read, so no [`Event::Drained`] will follow.
        drained: bool,
        /// Other processes of its process group live on.
        group_alive: bool,
    },
    /// The last output of an exited process has been read.
    Drained {
        /// Which process.
        process: ProcessId,
        /// Which start of it.
        generation: Generation,
    },
    /// A process group that was followed after its leader's end is empty.
    GroupGone {
        /// The start whose group it was.
        generation: Generation,
    },
    /// Answer to [`Action::Signal`](crate::Action::Signal).
    Signalled {
        /// Which process.
        process: ProcessId,
        /// Which start of it.
        generation: Generation,
        /// As given in the action.
        purpose: SignalPurpose,
        /// What became of it.
        outcome: SignalOutcome,
    },
    /// Answer to [`Action::CheckCommand`](crate::Action::CheckCommand).
    CommandChecked {
        /// The operation that asked.
        operation: OperationId,
        /// The process whose command it is.
        process: ProcessId,
        /// Why it cannot run, if so.
        failure: Option<SpawnFailure>,
    },
    /// A process has written something to an output of which listeners may be told.
    ProcessOutput {
        /// Which process.
        process: ProcessId,
        /// Why they may be told.
        kind: OutputKind,
        /// Where it wrote.
        channel: Channel,
        /// Its process id.
        pid: i32,
        /// What.
        data: Vec<u8>,
    },
    /// A client has something to say to listeners.
    RemoteCommunication {
        /// What it calls it.
        kind: String,
        /// What it says.
        data: String,
    },
    /// A listener has written something to its standard output.
    ListenerOutput {
        /// Which process.
        process: ProcessId,
        /// Which start of it.
        generation: Generation,
        /// What.
        data: Vec<u8>,
    },
    /// Answer to [`Action::SendEvent`](crate::Action::SendEvent).
    Delivered {
        /// The listener.
        process: ProcessId,
        /// Which start of it.
        generation: Generation,
        /// What became of it.
        delivery: Delivery,
    },
    /// A listener has read everything that was kept for it.
    InputDrained {
        /// The listener.
        process: ProcessId,
        /// Which start of it.
        generation: Generation,
    },
    /// Answer to [`Action::TrySocket`](crate::Action::TrySocket).
    SocketTried {
        /// The operation that asked.
        operation: OperationId,
        /// Why it cannot be opened, if so.
        failure: Option<String>,
    },
    /// Answer to [`Action::Probe`](crate::Action::Probe); a passive probe that passes says so by itself,
    /// with attempt 0. Comes after the `Spawned` of the start, never before.
    Probed {
        /// Which process.
        process: ProcessId,
        /// Which start of it.
        generation: Generation,
        /// Which probe.
        check: Check,
        /// As given in the action.
        attempt: u32,
        /// What it has found.
        outcome: ProbeOutcome,
    },
    /// A service has said something about itself. Comes after the `Spawned` of the start, never before.
    Notified {
        /// Which process.
        process: ProcessId,
        /// Which start of it.
        generation: Generation,
        /// What.
        notification: Notification,
    },
    /// Answer to [`Action::RunHook`](crate::Action::RunHook), unless it was cancelled.
    HookEnded {
        /// Which process.
        process: ProcessId,
        /// As given in the action.
        generation: Generation,
        /// Which hook.
        point: HookPoint,
        /// Why it failed, if it did: its exit, its time limit, or that it could not be started, and the
        /// last line that it wrote; at most 300 bytes.
        failure: Option<String>,
    },
    /// Answer to [`Action::OpenMarker`](crate::Action::OpenMarker).
    MarkerOpened {
        /// Which process.
        process: ProcessId,
        /// As given in the action.
        generation: Generation,
        /// What it says.
        state: MarkerState,
    },
    /// Answer to [`Action::CommitMarker`](crate::Action::CommitMarker).
    MarkerCommitted {
        /// Which process.
        process: ProcessId,
        /// As given in the action.
        generation: Generation,
        /// Why it could not be written, if so.
        failure: Option<String>,
    },
    /// Answer to [`Action::MeasureMemory`](crate::Action::MeasureMemory).
    MemoryMeasured {
        /// Which process.
        process: ProcessId,
        /// Which start of it.
        generation: Generation,
        /// Proportional set size of its process group, in bytes; 0 if nothing could be read.
        bytes: u64,
    },
    /// The kernel has killed the process for lack of memory. Comes before its `Exited`.
    OutOfMemory {
        /// Which process.
        process: ProcessId,
        /// Which start of it.
        generation: Generation,
    },
    /// Somebody wants something; answered by one [`Action::Reply`](crate::Action::Reply), now or later.
    Command {
        /// Names the answer.
        operation: OperationId,
        /// What is wanted.
        command: Command,
    },
    /// A signal or a client asks the daemon to end or to begin anew. No answer.
    Shutdown {
        /// Begin anew afterwards.
        restart: bool,
        /// Who asks.
        cause: ShutdownCause,
    },
}

/// Why listeners may be told of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutputKind {
    /// `*_events_enabled`.
    Log,
    /// It stood between the tags of capture mode.
    Communication,
}

/// What became of an event that was written to a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delivery {
    /// It is in the pipe.
    Taken,
    /// The pipe is full; what it did not hold is kept, and `InputDrained` follows when it is written.
    Kept,
    /// Nothing was written, as earlier bytes are still kept; `InputDrained` follows when they are written.
    Full,
    /// Nothing was written, as nobody reads there any more.
    Closed,
}

/// What a client may want.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Start; with `wait`, answer when it is up or has failed.
    Start {
        /// What.
        target: Target,
        /// Answer late.
        wait: bool,
    },
    /// Stop; with `wait`, answer when it is down.
    Stop {
        /// What.
        target: Target,
        /// Answer late.
        wait: bool,
    },
    /// Let services read their configuration again (`reload_signal`, `reload_command`).
    ReloadService {
        /// Which.
        target: Target,
    },
    /// Send a signal to the leader.
    Signal {
        /// To what.
        target: Target,
        /// Signal number.
        signal: i32,
    },
    /// A new configuration has been read: it becomes what `add` takes from.
    Reload {
        /// The configuration.
        config: Box<Config>,
    },
    /// Add a group of the configuration last read.
    AddGroup {
        /// Its name.
        name: String,
    },
    /// Remove a group whose processes are all stopped.
    RemoveGroup {
        /// Its name.
        name: String,
    },
    /// Add processes, which no configuration has, to a group at work.
    AddProcesses {
        /// The group's name.
        group: String,
        /// What they are.
        processes: Vec<Arc<ProcessConfig>>,
    },
    /// Remove one process, which is stopped, from a group at work.
    RemoveProcess {
        /// The group's name.
        group: String,
        /// The process's name.
        name: String,
    },
}

/// What a command is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// One process of a group.
    Process {
        /// The group.
        group: String,
        /// The process.
        name: String,
    },
    /// All processes of a group.
    Group(String),
    /// Processes of any groups, by group and name. Those that are not there are passed over.
    Several(Vec<(String, String)>),
    /// Everything.
    All,
}

impl Target {
    /// Reads `name`, `group:name`, `group:*` or `group:` (the original's `split_namespec`).
    #[must_use]
    pub fn parse(spec: &str) -> Self {
        match spec.split_once(':') {
            None => Self::Process {
                group: spec.to_owned(),
                name: spec.to_owned(),
            },
            Some((group, "" | "*")) => Self::Group(group.to_owned()),
            Some((group, name)) => Self::Process {
                group: group.to_owned(),
                name: name.to_owned(),
            },
        }
    }
}

/// Why there is no process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpawnFailure {
    /// What kind, which decides the fault a client gets.
    pub kind: SpawnFailureKind,
    /// The original's text.
    pub text: String,
}

/// Kinds of [`SpawnFailure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpawnFailureKind {
    /// The command does not exist.
    NoFile,
    /// The command exists and cannot be run, or cannot be parsed.
    NotExecutable,
    /// The socket that it shares with its section cannot be opened.
    Socket,
    /// Anything else: descriptors, memory, log files.
    Other,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExitStatus {
    /// By itself.
    Code(i32),
    /// By a signal.
    Signal {
        /// Which.
        signal: i32,
        /// It left a core.
        core_dumped: bool,
    },
}

impl ExitStatus {
    /// The number on the wire: the exit status, or -1 after a signal (Supervisor's `decode_wait_status`).
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal { .. } => -1,
        }
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Code(code) => write!(f, "exit status {code}"),
            Self::Signal {
                signal,
                core_dumped,
            } => {
                write!(f, "terminated by {}", signal_name(signal))?;
                if core_dumped {
                    f.write_str(" (core dumped)")
                } else {
                    Ok(())
                }
            }
        }
    }
}

/// Why a signal was sent; comes back with its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignalPurpose {
    /// The stop signal.
    Stop,
    /// SIGKILL, after the stop signal was not enough.
    Kill,
    /// A client's wish.
    Operation(OperationId),
    /// The rest of a process group whose leader is gone.
    Remains,
}

/// What became of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignalOutcome {
    /// Sent.
    Sent,
    /// There is no such process any more; its end will be told.
    Gone,
    /// Refused, with this errno.
    Refused(i32),
}

/// Who asks the daemon to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShutdownCause {
    /// A signal, by number.
    Signal(i32),
    /// A client.
    Client,
    /// The end of a service (`on_fatal`, `on_exit`).
    Service(ProcessId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_like_the_original_reads_them() {
        let process = |group: &str, name: &str| Target::Process {
            group: group.to_owned(),
            name: name.to_owned(),
        };
        let group = |name: &str| Target::Group(name.to_owned());
        for (spec, expected) in [
            ("web", process("web", "web")),
            ("web:one", process("web", "one")),
            ("web:*", group("web")),
            ("web:", group("web")),
            (":", group("")),
            (":one", process("", "one")),
            ("web:one:two", process("web", "one:two")),
            ("web:**", process("web", "**")),
            ("", process("", "")),
            ("all", process("all", "all")),
            ("*", process("*", "*")),
        ] {
            assert_eq!(Target::parse(spec), expected, "{spec:?}");
        }
    }

    #[test]
    fn exits_are_told_in_the_words_of_the_original() {
        let signal = |signal, core_dumped| ExitStatus::Signal {
            signal,
            core_dumped,
        };
        for (status, code, text) in [
            (ExitStatus::Code(0), 0, "exit status 0"),
            (ExitStatus::Code(127), 127, "exit status 127"),
            (signal(9, false), -1, "terminated by SIGKILL"),
            (signal(11, true), -1, "terminated by SIGSEGV (core dumped)"),
            (signal(34, false), -1, "terminated by SIGRTMIN"),
            (signal(64, false), -1, "terminated by SIGRTMAX"),
            (signal(40, false), -1, "terminated by signal 40"),
            (signal(0, false), -1, "terminated by signal 0"),
        ] {
            assert_eq!(status.code(), code, "{text}");
            assert_eq!(status.to_string(), text);
        }
    }
}

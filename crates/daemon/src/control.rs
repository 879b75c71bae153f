//! The one door between those who serve clients and the supervision: a request goes in, a reply comes
//! out, maybe much later. Both are plain data, so that the servers can become a process of their own.
//!
//! A request that has been sent is carried out even if whoever sent it goes away.

use std::sync::Arc;

use linchpin_config::{GroupConfig, ProcessConfig};
use linchpin_core::{Command, Explanation, Outcome, ProcessState, Sight, Target};
use linchpin_protocol::api::{CertificateStatus, EventsFilter, HistoryEntry, ServiceStatus};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, mpsc, oneshot};

use crate::services::Found;
use crate::settings::ServiceSettings;
use crate::startup::Invocation;

/// How many requests may wait to be taken up; further ones wait in their senders.
pub(crate) const QUEUE_LENGTH: usize = 256;

/// What a server may ask.
#[derive(Debug)]
pub(crate) enum Request {
    /// A command for the core. Answered by [`Reply::Outcome`].
    Command(Command),
    /// The daemon's state. Answered by [`Reply::State`].
    State,
    /// Everything about one process. Answered by [`Reply::Process`].
    Process { group: String, name: String },
    /// Everything about every process, by group name and process name. Answered by [`Reply::Processes`].
    Processes,
    /// Everything about the processes that a command would be about, by priority. Answered by
    /// [`Reply::Processes`], or [`Reply::Outcome`] for a name that nobody has.
    Targets(Target),
    /// The names of the groups at work. Answered by [`Reply::Groups`].
    Groups,
    /// The configuration last read, process by process. Answered by [`Reply::Configurations`].
    Configurations,
    /// Read the configuration files again. Answered by [`Reply::Outcome`] or [`Reply::CannotReread`], the latter also while
    /// settings are being applied.
    Reread,
    /// End, or begin anew. Answered at once by [`Reply::Outcome`].
    Shutdown { restart: bool },
    /// Bytes for a process's standard input. Answered by [`Reply::Stdin`].
    WriteStdin {
        group: String,
        name: String,
        data: Vec<u8>,
    },
    /// An event for listeners. Answered by [`Reply::Outcome`].
    RemoteCommunication { kind: String, data: String },
    /// Where a process's log is. What the process has written is on file before the answer:
    /// [`Reply::LogFile`].
    LogFile {
        group: String,
        name: String,
        stream: Stream,
    },
    /// Where the main log is, flushed as above. Answered by [`Reply::LogFile`].
    MainLogFile,
    /// Empty the logs of processes. Answered by [`Reply::Outcome`].
    ClearLogs(Target),
    /// Delete the main log and begin a new one. Answered by [`Reply::LogCleared`].
    ClearMainLog,
    /// Be told when a log has grown, been rotated or been emptied. Answered by [`Reply::Watch`].
    WatchLog {
        group: String,
        name: String,
        stream: Stream,
    },
    /// The same for the main log. Answered by [`Reply::Watch`].
    WatchMainLog,
    /// How everything is, beyond what the original tells. Answered by [`Reply::Overview`].
    Overview,
    /// How processes are, as an apply sees them. Answered by [`Reply::Sights`].
    Sights,
    /// Why the processes that a name means are as they are. Answered by [`Reply::Explanations`], which is empty
    /// for a name that nobody has.
    Explain(String),
    /// Entries of the recorded history. Answered by [`Reply::Events`].
    Events(EventsFilter),
    /// Be told when there are new ones. Answered by [`Reply::Watch`].
    WatchHistory,
    /// What new settings are applied to. Answered by [`Reply::Basis`].
    Basis,
}

/// One of the output streams of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// What the supervision answers.
#[derive(Debug)]
pub(crate) enum Reply {
    Outcome(Outcome),
    State {
        code: i32,
        name: &'static str,
    },
    Process(Option<Box<ProcessInfo>>),
    Processes(Vec<ProcessInfo>),
    Groups(Vec<String>),
    Configurations(Vec<Configuration>),
    /// The new configuration has errors, or it cannot be read now; this is the text.
    CannotReread(String),
    Stdin(StdinReply),
    LogFile(LogFileReply),
    LogCleared(Result<(), String>),
    /// Yields a growing number each time something has changed; none if there is no such log.
    Watch(Option<tokio::sync::watch::Receiver<u64>>),
    Overview(Overview),
    /// None while the daemon is going down.
    Sights(Option<Vec<Sight>>),
    Explanations(Vec<Explained>),
    Events(Found),
    Basis(Box<Basis>),
    /// The supervision has ended.
    Gone,
}

/// What a request for a log file finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogFileReply {
    /// There is no such process.
    NoProcess,
    /// It keeps no log.
    NoLog,
    /// It is here, which does not mean that it exists.
    Path(String),
}

/// What became of bytes for a standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StdinReply {
    /// Taken; what the pipe did not hold is kept and follows.
    Accepted,
    NoProcess,
    NotRunning,
    /// It has no standard input, or has closed it.
    Closed,
    /// More is kept for it than the limit allows; nothing was taken.
    Full,
}

/// A process as clients see it. Times are seconds since 1970, 0 for never.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProcessInfo {
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) state: ProcessState,
    pub(crate) start: i64,
    pub(crate) stop: i64,
    pub(crate) now: i64,
    pub(crate) spawn_error: String,
    pub(crate) exit_status: i32,
    pub(crate) stdout_logfile: String,
    pub(crate) stderr_logfile: String,
    pub(crate) pid: i32,
}

/// A process as the configuration last read has it.
#[derive(Debug, Clone)]
pub(crate) struct Configuration {
    pub(crate) group: String,
    pub(crate) group_priority: i64,
    /// Whether a group of this name is at work.
    pub(crate) in_use: bool,
    pub(crate) process: Arc<ProcessConfig>,
    /// The logs in use, where they are AUTO and have been given a name.
    pub(crate) auto_stdout: Option<String>,
    pub(crate) auto_stderr: Option<String>,
}

/// How everything is.
#[derive(Debug)]
pub(crate) struct Overview {
    /// The daemon's state.
    pub(crate) state: &'static str,
    /// Every process, by group name and process name; what they use is left open.
    pub(crate) services: Vec<ServiceStatus>,
    /// What servers have of each certificate.
    pub(crate) certificates: Vec<CertificateStatus>,
    /// What knows whether their settings are old.
    pub(crate) settings: Arc<ServiceSettings>,
}

/// What new settings are applied to.
#[derive(Debug)]
pub(crate) struct Basis {
    /// How the configuration is read.
    pub(crate) invocation: Invocation,
    pub(crate) settings: Arc<ServiceSettings>,
    /// The groups at work.
    pub(crate) at_work: Vec<Arc<GroupConfig>>,
}

/// Why a process is as it is.
#[derive(Debug)]
pub(crate) struct Explained {
    pub(crate) explanation: Explanation,
    pub(crate) writer: Writer,
    /// The process at which the chain of causes ends, if that is another one.
    pub(crate) root: Option<Writer>,
    /// The last that happened to it.
    pub(crate) events: Vec<HistoryEntry>,
}

/// A process whose last words are wanted.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) group: String,
    pub(crate) config: Arc<ProcessConfig>,
}

/// What does not change while the supervision runs.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) identifier: String,
    pub(crate) pid: i32,
}

/// The servers' end of the door.
#[derive(Debug, Clone)]
pub(crate) struct Control {
    sender: mpsc::Sender<(Request, oneshot::Sender<Reply>)>,
    /// Who may bring what is in the files to the daemon: any number of those who read them again, or one apply.
    files: Arc<RwLock<()>>,
}

/// The right to read the files again. No apply begins as long as somebody has it.
pub(crate) type Rereading = OwnedRwLockReadGuard<()>;

/// The right to apply. Nobody else reads the files again as long as somebody has it.
pub(crate) type Applying = OwnedRwLockWriteGuard<()>;

/// The supervision's end of the door.
pub(crate) type Requests = mpsc::Receiver<(Request, oneshot::Sender<Reply>)>;

impl Control {
    /// Both ends.
    pub(crate) fn new() -> (Self, Requests) {
        let (sender, requests) = mpsc::channel(QUEUE_LENGTH);
        let files = Arc::default();
        (Self { sender, files }, requests)
    }

    /// To read the files again; none while an apply is under way, or waits for those who read.
    pub(crate) fn rereading(&self) -> Option<Rereading> {
        Arc::clone(&self.files).try_read_owned().ok()
    }

    /// To apply, once nobody reads the files any more.
    pub(crate) async fn applying(&self) -> Applying {
        Arc::clone(&self.files).write_owned().await
    }

    /// Asks, and waits for the answer.
    pub(crate) async fn ask(&self, request: Request) -> Reply {
        let (sender, reply) = oneshot::channel();
        if self.sender.send((request, sender)).await.is_err() {
            return Reply::Gone;
        }
        reply.await.unwrap_or(Reply::Gone)
    }
}

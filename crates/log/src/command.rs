//! What the rest of the daemon asks of the log thread.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::level::LogLevel;
use crate::main_log::MainLog;
use crate::stream_id::{OwnerId, StreamId};
use crate::stream_spec::StreamSinks;
use crate::watch::WatchRegistration;

/// Receives the result of a command, on the log thread; it must not block.
pub type Reply = Box<dyn FnOnce(io::Result<()>) + Send>;

pub(crate) enum Command {
    Attach {
        id: StreamId,
        pid: u32,
        pipe: OwnedFd,
        sinks: Box<StreamSinks>,
    },
    Finish {
        owner: OwnerId,
    },
    ReopenStreams {
        owner: Option<OwnerId>,
    },
    ReopenMainLog,
    ClearFiles {
        owner: Option<OwnerId>,
        paths: Vec<PathBuf>,
        reply: Reply,
    },
    ClearMainLog {
        reply: Reply,
    },
    Line {
        level: LogLevel,
        time: SystemTime,
        text: Box<str>,
    },
    Print {
        text: Box<str>,
    },
    SetMainLog {
        main_log: Box<MainLog>,
    },
    Watch(WatchRegistration),
    Unwatch(WatchRegistration),
    Flush {
        reply: Reply,
    },
    Stop,
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Attach { .. } => "Attach",
            Self::Finish { .. } => "Finish",
            Self::ReopenStreams { .. } => "ReopenStreams",
            Self::ReopenMainLog => "ReopenMainLog",
            Self::ClearFiles { .. } => "ClearFiles",
            Self::ClearMainLog { .. } => "ClearMainLog",
            Self::Line { .. } => "Line",
            Self::Print { .. } => "Print",
            Self::SetMainLog { .. } => "SetMainLog",
            Self::Watch(_) => "Watch",
            Self::Unwatch(_) => "Unwatch",
            Self::Flush { .. } => "Flush",
            Self::Stop => "Stop",
        })
    }
}

//! What the spawner can be asked, and what it answers.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use linchpin_config::{FastCgiSocket, ProcessConfig};
use linchpin_core::{Generation, OperationId, ProcessId, SpawnFailure};
use linchpin_log::{LogHandle, LogLevel};
use linchpin_sys::Pid;
use linchpin_sys::spawn::SpawnSlot;

use super::launch;
use super::task::{self, TaskStart, TaskStarted};
use crate::fastcgi::{self, SharedSocket};
use crate::services::TaskId;
use crate::services::announcements::Ears;
use crate::site::{AutoLog, Site};

/// Something that may take long.
#[derive(Debug)]
pub(crate) enum Job {
    /// Make an AUTO log, empty.
    MakeAutoLog { log: Arc<AutoLog>, site: Arc<Site> },
    /// Look whether a command could be run.
    Check {
        operation: OperationId,
        process: ProcessId,
        config: Arc<ProcessConfig>,
        site: Arc<Site>,
    },
    /// Start a process.
    Launch(Box<Launch>),
    /// Start a command that runs beside a process.
    StartTask(Box<TaskStart>),
    /// Open a listening socket and close it again.
    TrySocket {
        operation: OperationId,
        config: Box<FastCgiSocket>,
    },
    /// Say which processes of some groups have outlived their service.
    NameSurvivors {
        name: String,
        groups: Vec<i32>,
        site: Arc<Site>,
    },
}

/// Everything about a start.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) process: ProcessId,
    pub(crate) generation: Generation,
    pub(crate) config: Arc<ProcessConfig>,
    pub(crate) group: String,
    /// It is an event listener, which speaks the protocol on its standard output.
    pub(crate) is_listener: bool,
    pub(crate) site: Arc<Site>,
    /// The logs of its outputs, where they are AUTO.
    pub(crate) stdout_log: Option<Arc<AutoLog>>,
    pub(crate) stderr_log: Option<Arc<AutoLog>>,
    /// The socket of its section, which becomes descriptor 0.
    pub(crate) socket: Option<Arc<SharedSocket>>,
    /// What its environment has besides.
    pub(crate) variables: Vec<(OsString, OsString)>,
}

/// What became of a job.
#[derive(Debug)]
pub(crate) enum Answer {
    Checked {
        operation: OperationId,
        process: ProcessId,
        failure: Option<SpawnFailure>,
    },
    SocketTried {
        operation: OperationId,
        failure: Option<String>,
    },
    Started {
        process: ProcessId,
        generation: Generation,
        result: Result<Started, SpawnFailure>,
    },
    TaskStarted {
        task: TaskId,
        /// Why there is no process, if there is none.
        result: Result<TaskStarted, String>,
    },
}

/// A process that was started.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) pid: i32,
    /// Which step between fork and exec failed, if one did.
    pub(crate) exec_failure: Option<String>,
    /// The writing end of its standard input, if that is a pipe.
    pub(crate) stdin: Option<OwnedFd>,
    /// Its output is being captured.
    pub(crate) has_streams: bool,
    /// By what it may announce something.
    pub(crate) ears: Ears,
}

impl Job {
    pub(super) fn run(self, slot: &SpawnSlot) -> Option<Answer> {
        match self {
            Self::MakeAutoLog { log, site } => {
                if let Err(error) = log.make(&site) {
                    let path = log.path().display();
                    site.logs.log(
                        LogLevel::Error,
                        format!("cannot make the AUTO log {path}: {error}"),
                    );
                }
                None
            }
            Self::Check {
                operation,
                process,
                config,
                site,
            } => {
                let failure = launch::resolve(&config, &site).err();
                Some(Answer::Checked {
                    operation,
                    process,
                    failure,
                })
            }
            Self::Launch(launch) => {
                let (process, generation) = (launch.process, launch.generation);
                let result = launch::launch(&launch, slot);
                Some(Answer::Started {
                    process,
                    generation,
                    result,
                })
            }
            Self::StartTask(start) => Some(Answer::TaskStarted {
                task: start.task,
                result: task::start(&start, slot),
            }),
            Self::TrySocket { operation, config } => Some(Answer::SocketTried {
                operation,
                failure: fastcgi::open(&config).err(),
            }),
            Self::NameSurvivors { name, groups, site } => {
                name_survivors(&name, &groups, &site.logs);
                None
            }
        }
    }
}

fn name_survivors(name: &str, groups: &[i32], logs: &LogHandle) {
    let groups = groups.iter().filter_map(|group| Pid::new(*group));
    let living: Vec<String> = groups
        .flat_map(|group| linchpin_sys::group::group_members(group).unwrap_or_default())
        .filter(|member| !member.is_zombie)
        .map(|member| format!("{} ({})", member.pid, member.command))
        .collect();
    if !living.is_empty() {
        logs.log(
            LogLevel::Warn,
            format!(
                "processes that '{name}' started have outlived it: {}; with stopasgroup=true a stop reaches them",
                living.join(", ")
            ),
        );
    }
}

//! The resolved configuration: every option has its value, nothing is left to expand or default.
//!
//! These types are what the rest of the program works with. They are plain data: the same text, read
//! in the same [`World`](crate::World), always gives the same [`Config`].

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::boot::BootConfig;
use crate::event_type::EventType;
use crate::service::{LinchpinConfig, ServiceConfig};
use crate::settings::SettingsConfig;

/// Everything that a set of configuration files says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// The main file, absolute where it could be made so.
    pub file: PathBuf,
    /// `[supervisord]`, with command-line overrides applied.
    pub supervisord: Supervisord,
    /// `[linchpin]`; none if there is no such section.
    pub linchpin: Option<LinchpinConfig>,
    /// What is made before the programs run.
    pub boot: BootConfig,
    /// Whether options of ours count (`[linchpin] extensions`).
    pub extensions: bool,
    /// The settings of the product.
    pub settings: SettingsConfig,
    /// Groups in the order in which the original starts them: by priority, then by name.
    pub groups: Vec<Arc<GroupConfig>>,
    /// What `enabled` has switched off, and is not among the groups.
    pub switched_off: Vec<SwitchedOff>,
    /// `[inet_http_server…]` and `[unix_http_server…]`, in the original's order.
    pub http_servers: Vec<HttpServer>,
    /// `[rpcinterface:x]` sections.
    pub rpc_interfaces: Vec<Plugin>,
    /// Where children reach the daemon (`SUPERVISOR_SERVER_URL`): the first unix server, else the
    /// first inet server, else nothing.
    pub server_url: Option<String>,
    /// Groups that never exist because an earlier one in the order of [`Config::groups`] has their
    /// name. The original drops them without a word.
    pub shadowed_groups: Vec<Arc<GroupConfig>>,
    /// Processes that never exist because a later one of their group has their name.
    pub shadowed_processes: Vec<ShadowedProcess>,
}

/// A process that is not there because its condition says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchedOff {
    /// The group that it would be in.
    pub group: String,
    /// Its name.
    pub name: String,
    /// The condition, as it was written.
    pub condition: String,
}

/// A process that another one of the same name hides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowedProcess {
    /// Name of the group.
    pub group: String,
    /// Its position among all processes of the group, hidden ones included.
    pub position: usize,
    /// The process.
    pub process: Arc<ProcessConfig>,
}

/// The socket of an fcgi-program that is a member of a `[group:x]`.
///
/// The original forgets it there, and the processes get a plain pipe as descriptor 0. All processes of
/// the group whose [`ProcessConfig::section`] is this one share it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupedFastCgi {
    /// Section of the processes: `fcgi-program:x`.
    pub section: String,
    /// Their socket.
    pub socket: FastCgiSocket,
}

/// `[supervisord]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervisord {
    /// Soft limit of open files that the daemon makes sure of.
    pub minfds: i64,
    /// Soft limit of processes that the daemon makes sure of.
    pub minprocs: i64,
    /// Working directory, taken when daemonizing.
    pub directory: Option<String>,
    /// The user as written; see `uid`.
    pub user: Option<String>,
    /// User id to switch to.
    pub uid: Option<u32>,
    /// Primary group of that user.
    pub gid: Option<u32>,
    /// File mode mask, taken when daemonizing.
    pub umask: u32,
    /// The daemon's own log.
    pub logfile: MainLog,
    /// Size in bytes at which the daemon's own log is rotated; 0 is never.
    pub logfile_maxbytes: i64,
    /// How many rotated files are kept.
    pub logfile_backups: i64,
    /// Least level that is logged.
    pub loglevel: LogLevel,
    /// Where the daemon's process id is written.
    pub pidfile: String,
    /// Name of this instance on the wire and in AUTO log names.
    pub identifier: String,
    /// Stay in the foreground.
    pub nodaemon: bool,
    /// No echo of the log to standard output while in the foreground.
    pub silent: bool,
    /// Directory of AUTO logs.
    pub childlogdir: String,
    /// Keep AUTO logs of an earlier run.
    pub nocleanup: bool,
    /// Remove ANSI escape sequences from captured output.
    pub strip_ansi: bool,
    /// Environment added to every child.
    pub environment: BTreeMap<String, String>,
}

/// Where the daemon's own log goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MainLog {
    /// A file, absolute.
    File(String),
    /// The system log.
    Syslog,
}

/// Levels of the daemon's own log, with Supervisor's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum LogLevel {
    /// `blather`
    Blather = 3,
    /// `trace`
    Trace = 5,
    /// `debug`
    Debug = 10,
    /// `info`
    Info = 20,
    /// `warn`
    Warn = 30,
    /// `error`
    Error = 40,
    /// `critical`
    Critical = 50,
}

impl LogLevel {
    /// The four letters that stand in a log line.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Blather => "BLAT",
            Self::Trace => "TRAC",
            Self::Debug => "DEBG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERRO",
            Self::Critical => "CRIT",
        }
    }
}

/// A group of processes that is added, changed and removed as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupConfig {
    /// Name, unique among groups.
    pub name: String,
    /// Lower starts earlier and stops later.
    pub priority: i64,
    /// What kind of group.
    pub kind: GroupKind,
    /// Members, in the original's order.
    pub processes: Vec<Arc<ProcessConfig>>,
    /// Sockets of the `[fcgi-program:x]` sections that a `[group:x]` has as members.
    pub grouped_fastcgi: Vec<GroupedFastCgi>,
}

impl GroupConfig {
    /// The sockets that processes of this group get as descriptor 0, in the order of their sections.
    pub fn sockets(&self) -> impl Iterator<Item = &FastCgiSocket> {
        let own = match &self.kind {
            GroupKind::FastCgi(socket) => Some(socket),
            GroupKind::Program | GroupKind::EventListener(_) => None,
        };
        let grouped = self.grouped_fastcgi.iter().map(|grouped| &grouped.socket);
        own.into_iter().chain(grouped)
    }

    /// The socket that a process of this group gets as descriptor 0.
    #[must_use]
    pub fn socket_of(&self, process: &ProcessConfig) -> Option<&FastCgiSocket> {
        match &self.kind {
            GroupKind::FastCgi(socket) => Some(socket),
            GroupKind::Program => self
                .grouped_fastcgi
                .iter()
                .find(|grouped| grouped.section == process.section)
                .map(|grouped| &grouped.socket),
            GroupKind::EventListener(_) => None,
        }
    }

    /// Whether a socket that cannot be opened stands in the way of the whole group. In a `[group:x]` it
    /// does not: there the original never looks at it.
    #[must_use]
    pub fn needs_its_sockets(&self) -> bool {
        matches!(self.kind, GroupKind::FastCgi(_))
    }
}

/// The three kinds of group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupKind {
    /// `[program:x]` or `[group:x]`.
    Program,
    /// `[fcgi-program:x]`.
    FastCgi(FastCgiSocket),
    /// `[eventlistener:x]`.
    EventListener(EventListenerPool),
}

/// The socket that the processes of an `[fcgi-program:x]` share as descriptor 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FastCgiSocket {
    /// Where it listens.
    pub address: FastCgiAddress,
    /// `tcp://host:port` or `unix:///path`, as the original prints it.
    pub url: String,
    /// Length of the accept queue; none is the system's most.
    pub backlog: Option<u32>,
    /// Owner of a unix socket; none leaves the daemon's (user id) or the original's default.
    pub owner: Option<(u32, Option<u32>)>,
    /// Mode of a unix socket; none is the original's default.
    pub mode: Option<u32>,
}

/// Address of a [`FastCgiSocket`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FastCgiAddress {
    /// TCP.
    Tcp {
        /// Name or address.
        host: String,
        /// Port number.
        port: u16,
    },
    /// Unix domain.
    Unix(String),
}

/// What makes a group a pool of event listeners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventListenerPool {
    /// The event types subscribed to, sorted by name, no doubles.
    pub events: Vec<EventType>,
    /// How many events may wait.
    pub buffer_size: i64,
    /// `module:function` of the result handler.
    pub result_handler: String,
}

/// When a process that ended by itself after RUNNING is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AutoRestart {
    /// Never.
    Never,
    /// When its exit status is not among the expected ones.
    Unexpected,
    /// Always.
    Always,
}

/// One process to run: a member of a group, with `numprocs` already multiplied out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessConfig {
    /// Name, unique in its group.
    pub name: String,
    /// The section it comes from, for messages: `program:x`.
    pub section: String,
    /// Command line as one string; split like POSIX shell words at each start.
    pub command: String,
    /// Working directory.
    pub directory: Option<String>,
    /// File mode mask.
    pub umask: Option<u32>,
    /// Lower starts earlier and stops later, within the group.
    pub priority: i64,
    /// Start with the daemon.
    pub autostart: bool,
    /// Start again after an end.
    pub autorestart: AutoRestart,
    /// Seconds after which a start counts as a success.
    pub startsecs: i64,
    /// Failed starts in a row after the first before giving up.
    pub startretries: i64,
    /// User id to run as.
    pub uid: Option<u32>,
    /// Standard output.
    pub stdout: OutputConfig,
    /// Standard error.
    pub stderr: OutputConfig,
    /// Standard error goes where standard output goes.
    pub redirect_stderr: bool,
    /// Signal number of a stop.
    pub stopsignal: i32,
    /// Seconds between the stop signal and SIGKILL.
    pub stopwaitsecs: i64,
    /// The stop signal goes to the process group.
    pub stopasgroup: bool,
    /// SIGKILL goes to the process group.
    pub killasgroup: bool,
    /// Exit statuses that are expected.
    pub exitcodes: Vec<i32>,
    /// Environment on top of the daemon's, `[supervisord] environment` not merged in.
    pub environment: BTreeMap<String, String>,
    /// `SUPERVISOR_SERVER_URL` for this process; none is [`Config::server_url`].
    pub serverurl: Option<String>,
    /// Options of ours; none if the section has none of them.
    pub service: Option<Box<ServiceConfig>>,
}

/// What happens to one output stream of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputConfig {
    /// The log file.
    pub logfile: LogFile,
    /// Size in bytes at which it is rotated; 0 is never.
    pub logfile_maxbytes: i64,
    /// How many rotated files are kept.
    pub logfile_backups: i64,
    /// Most bytes of one captured communication; 0 turns capture off.
    pub capture_maxbytes: i64,
    /// Emit PROCESS_LOG events.
    pub events_enabled: bool,
    /// Copy to the system log.
    pub syslog: bool,
}

/// Log file of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogFile {
    /// None.
    None,
    /// A generated name in `childlogdir`.
    Auto,
    /// This path.
    Path(String),
}

/// An HTTP server to open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpServer {
    /// The section, for messages and for the original's log texts.
    pub section: String,
    /// Where it listens.
    pub address: HttpAddress,
    /// Basic authentication; none lets everybody in.
    pub credentials: Option<Credentials>,
}

/// Address of an [`HttpServer`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum HttpAddress {
    /// TCP over IPv4.
    Inet {
        /// Name or address; empty is every interface.
        host: String,
        /// Port number.
        port: u16,
    },
    /// A unix socket.
    Unix {
        /// Path, normalised.
        file: String,
        /// Mode.
        chmod: u32,
        /// Owner: user id and group id; none leaves it.
        chown: (Option<u32>, Option<u32>),
    },
}

/// User name and password of a server. The password may be `{SHA}` and a hexadecimal SHA-1.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// A section that names a Python factory: `[rpcinterface:x]` or `[ctlplugin:x]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plugin {
    /// The part after the colon.
    pub name: String,
    /// `module:function`.
    pub factory: String,
    /// Further keys of the section, expanded.
    pub options: BTreeMap<String, String>,
}

/// `[supervisorctl]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Supervisorctl {
    /// Where the daemon is.
    pub serverurl: String,
    /// User name.
    pub username: Option<String>,
    /// Password, in clear.
    pub password: Option<String>,
    /// Prompt of the shell.
    pub prompt: String,
    /// File of the shell's history.
    pub history_file: Option<String>,
    /// `[ctlplugin:x]` sections.
    pub plugins: Vec<Plugin>,
    /// The file has a section `[linchpin]`: whoever wrote it knows of us.
    pub knows_linchpin: bool,
}

impl std::fmt::Debug for Supervisorctl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisorctl")
            .field("serverurl", &self.serverurl)
            .field("username", &self.username)
            .field("prompt", &self.prompt)
            .field("history_file", &self.history_file)
            .field("plugins", &self.plugins)
            .finish_non_exhaustive()
    }
}

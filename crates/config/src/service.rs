//! What Linchpin knows about a service beyond Supervisor: dependencies, probes, restart policy, hooks, ends.
//!
//! A process whose section has none of our options has no [`ServiceConfig`] at all and behaves exactly as
//! under the original. Plain data; how the options are read is in `service_options`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Options of ours, read from the section of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceConfig {
    /// The condition (`enabled`) that switches it off. Only while a configuration is read: what is switched off is
    /// not part of it.
    pub condition_against: Option<String>,
    /// What it waits for before it starts.
    pub dependencies: Vec<Dependency>,
    /// How long it waits for them before the start counts as failed; zero is for ever.
    pub depends_timeout: Duration,
    /// What happens to a service that waits when a dependency gives up.
    pub on_dependency_failed: OnDependencyFailed,
    /// What happens to a running service when a dependency that it needed is gone.
    pub on_dependency_lost: OnDependencyLost,
    /// When it counts as ready; all of them must pass. Without any it is ready when it is RUNNING.
    pub readiness: Option<Checks>,
    /// How long a start may take to become ready before it counts as failed; zero is for ever.
    pub ready_within: Duration,
    /// What shows that it still works; when one fails it is restarted.
    pub liveness: Option<Checks>,
    /// How long after the start failures of liveness do not count, unless it became ready before.
    pub liveness_start_period: Duration,
    /// Restarts for liveness in a row before the service is given up (FATAL); zero is no limit.
    pub liveness_restarts: u32,
    /// It runs to its end once instead of staying up.
    pub oneshot: bool,
    /// File that says that a oneshot is done for good: it is not run again while the file exists.
    pub marker: Option<String>,
    /// How it is started again after an end or a failed start; none is Supervisor's way.
    pub restart: Option<RestartPolicy>,
    /// After how long in FATAL it is tried again; zero is never.
    pub fatal_retry: Duration,
    /// Ends after which it is not started again.
    pub restart_prevent: Vec<EndPattern>,
    /// Bytes of memory of its process group beyond which it is restarted; zero is no limit.
    pub memory_max: u64,
    /// How often that is looked at.
    pub memory_interval: Duration,
    /// How much the whole depends on it.
    pub importance: Importance,
    /// What happens to the daemon when it is FATAL.
    pub on_fatal: OnEnd,
    /// What happens to the daemon when it has ended by itself and is not started again.
    pub on_exit: OnEnd,
    /// Commands at points of its life.
    pub hooks: Hooks,
    /// Signal that makes it read its configuration again.
    pub reload_signal: Option<i32>,
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self {
            condition_against: None,
            dependencies: Vec::new(),
            depends_timeout: Duration::ZERO,
            on_dependency_failed: OnDependencyFailed::Wait,
            on_dependency_lost: OnDependencyLost::Keep,
            readiness: None,
            ready_within: Duration::ZERO,
            liveness: None,
            liveness_start_period: Duration::ZERO,
            liveness_restarts: 0,
            oneshot: false,
            marker: None,
            restart: None,
            fatal_retry: Duration::ZERO,
            restart_prevent: Vec::new(),
            memory_max: 0,
            memory_interval: Duration::from_secs(10),
            importance: Importance::Normal,
            on_fatal: OnEnd::Ignore,
            on_exit: OnEnd::Ignore,
            hooks: Hooks::default(),
            reload_signal: None,
        }
    }
}

/// One entry of `depends_on`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// The group of what is needed.
    pub group: String,
    /// The process; none is all processes of the group.
    pub process: Option<String>,
    /// What must be true of it.
    pub condition: Condition,
}

/// What must be true of a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// No condition written: it only orders. Fulfilled when the dependency has started, has failed, does
    /// not exist, or after its `startsecs` and five seconds.
    Order,
    /// It is RUNNING.
    Started,
    /// Its readiness probes pass, whether or not `startsecs` are over; without any, it is RUNNING.
    Ready,
    /// It has run to its end with an expected exit status since the daemon began, or its marker says so.
    Completed,
}

/// What happens to a service that waits when a dependency gives up (FATAL, or a oneshot that failed).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnDependencyFailed {
    /// It goes on waiting: whoever mends the dependency need not start the rest by hand.
    Wait,
    /// It is FATAL too.
    Fail,
}

/// What happens to a running service when a dependency of it is gone: ended, stopped, or restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnDependencyLost {
    /// It stays up, as most services reconnect.
    Keep,
    /// It is stopped, and starts again when the dependency is there again.
    Restart,
    /// It is stopped.
    Stop,
}

/// Probes of one purpose and their rhythm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// The probes; at least one.
    pub probes: Vec<Probe>,
    /// Time from the answer of one attempt to the next attempt. For readiness it counts once the service
    /// is ready, and zero is then "not again"; until then attempts come quickly at first and at least once
    /// a second.
    pub interval: Duration,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Passed attempts in a row that make a failed check pass again.
    pub successes: u32,
    /// Failed attempts in a row that make a passing check fail.
    pub failures: u32,
}

/// A question to a service, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// As written, for people.
    pub text: String,
    /// What it means.
    pub kind: ProbeKind,
}

/// The kinds of probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProbeKind {
    /// `tcp://host:port`: a connection can be made.
    Tcp {
        /// Name or address.
        host: String,
        /// Port number.
        port: u16,
    },
    /// `unix:///path`: a connection can be made.
    Unix {
        /// The socket.
        path: String,
    },
    /// `http://…` or `https://…`: the answer is right.
    Http(Box<HttpProbe>),
    /// `exec:command`: it ends with exit status 0.
    Exec {
        /// Command line, split like `command`.
        command: String,
    },
    /// `log:regex`: a line of either output matches.
    Log {
        /// The regular expression.
        pattern: String,
    },
    /// `file:/path`: it exists.
    File {
        /// The path.
        path: String,
    },
    /// `notify`: the service says so itself, by the `NOTIFY_SOCKET` protocol (`READY=1`; as liveness,
    /// `WATCHDOG=1` within `interval` times `failures`).
    Notify,
    /// `fd:N`: it writes a newline to this descriptor (s6).
    Descriptor(i32),
}

impl ProbeKind {
    /// Whether the answer comes by itself instead of being asked for.
    #[must_use]
    pub fn is_passive(&self) -> bool {
        matches!(self, Self::Log { .. } | Self::Notify | Self::Descriptor(_))
    }
}

/// An HTTP request and what its answer must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpProbe {
    /// `https`.
    pub tls: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// Port number.
    pub port: u16,
    /// Path and query.
    pub path: String,
    /// `method=GET` or `HEAD`.
    pub method: String,
    /// Accepted statuses, as ranges that include both ends (`status=200-299,401`).
    pub statuses: Vec<(u16, u16)>,
    /// Headers of the request (`header=Name:value`).
    pub headers: Vec<(String, String)>,
    /// Regular expression that the body must match (`body=`); its first 64 KiB are looked at.
    pub body: Option<String>,
    /// File of CA certificates that are trusted instead of the system's (`ca=`).
    pub ca: Option<String>,
    /// No check of the certificate (`verify=no`).
    pub insecure: bool,
}

/// Exponential backoff: the first wait, doubled each time up to the cap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartPolicy {
    /// The first wait.
    pub delay: Duration,
    /// The longest wait.
    pub delay_max: Duration,
    /// Up to this part of a wait is added or taken away at random, in thousandths.
    pub jitter_per_mille: u32,
    /// After being up for this long the next failure counts as the first; zero is never.
    pub reset: Duration,
    /// Failures in a row after which the service is given up (FATAL); zero is never.
    pub limit: u32,
}

/// An end that is meant by `restart_prevent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndPattern {
    /// This exit status.
    Code(i32),
    /// This signal.
    Signal(i32),
}

/// How much the whole depends on a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Importance {
    /// The container ends with it.
    Essential,
    /// The whole is ready when it is.
    Normal,
    /// It is reported, and counts for nothing.
    Optional,
}

/// What happens to the daemon when a service has come to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnEnd {
    /// Nothing.
    Ignore,
    /// It stops everything and exits with the service's code.
    Shutdown,
}

/// Commands at points of a service's life.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hooks {
    /// Before each start; if it fails, so does the start.
    pub pre_start: Option<Hook>,
    /// When it is RUNNING.
    pub post_start: Option<Hook>,
    /// Before the stop signal.
    pub pre_stop: Option<Hook>,
    /// After each end.
    pub post_stop: Option<Hook>,
    /// Instead of the stop signal.
    pub stop_command: Option<Hook>,
    /// Instead of `reload_signal`.
    pub reload_command: Option<Hook>,
}

/// A command and the time it is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// Command line, split like `command`; `MAINPID` is in its environment.
    pub command: String,
    /// After that long it is killed and has failed.
    pub timeout: Duration,
}

/// `[linchpin]`: options of the daemon that Supervisor does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinchpinConfig {
    /// Path of the private control socket; none is no socket.
    pub socket: Option<String>,
    /// Where the recorded history is kept (none keeps it in memory only), and whatever else must survive.
    pub state_directory: Option<String>,
    /// Where goes what is made anew at every start.
    pub run_directory: Option<String>,
    /// What is made where it is missing.
    pub directories: Vec<String>,
    /// Most bytes of the recorded history on disk.
    pub history_maxbytes: u64,
    /// How long a shutdown may take in all before everything left is killed; zero is as long as its
    /// services may take (`stopwaitsecs`).
    pub shutdown_timeout: Duration,
    /// The service whose last exit status is the daemon's when it is told to end.
    pub exit_code_from: Option<String>,
    /// Where the values of settings are kept; none is nowhere.
    pub settings_file: Option<String>,
    /// How many previous versions of that file are kept.
    pub settings_history: u32,
    /// Whether variables about proxies are made to agree; none is where the boot has something to do.
    pub proxy_variables: Option<bool>,
    /// Whether programs are given an entry in passwd for a user who has none; none where that follows from the rest.
    pub passwd_entry: Option<bool>,
}

impl LinchpinConfig {
    /// Where the reports of boots are kept: on the volume, or else where everything is made anew.
    #[must_use]
    pub fn report_directory(&self) -> Option<&str> {
        let directory = self.state_directory.as_ref();
        directory
            .or(self.run_directory.as_ref())
            .map(String::as_str)
    }
}

impl Default for LinchpinConfig {
    fn default() -> Self {
        Self {
            socket: None,
            state_directory: None,
            run_directory: None,
            directories: Vec::new(),
            history_maxbytes: 4 << 20,
            shutdown_timeout: Duration::ZERO,
            exit_code_from: None,
            settings_file: None,
            settings_history: 20,
            proxy_variables: None,
            passwd_entry: None,
        }
    }
}

//! What goes to the main log. The texts are the original's, because tools search for them; texts of our
//! own have no counterpart there.

use std::fmt;
use std::time::Duration;

use linchpin_config::LogLevel;
use linchpin_python::signals::signal_name;
use linchpin_python::text_or_undecodable;
use serde::{Deserialize, Serialize};

use crate::time::in_words;
use crate::{ExitStatus, HookPoint, ListenerState, Reason};

/// A line of the main log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "each variant is the text that Display gives it"
)]
pub enum Message {
    Spawned {
        name: String,
        pid: i32,
    },
    SpawnError {
        text: String,
    },
    EnteredRunning {
        name: String,
        startsecs: i64,
    },
    GaveUp {
        name: String,
    },
    Exited {
        name: String,
        status: ExitStatus,
        expected: bool,
    },
    Stopped {
        name: String,
        status: ExitStatus,
        expected: bool,
    },
    StopSignal {
        name: String,
        pid: i32,
        as_group: bool,
        signal: i32,
    },
    KillingInBackoff {
        name: String,
    },
    Killing {
        name: String,
        pid: i32,
    },
    SendingSignal {
        name: String,
        pid: i32,
        signal: i32,
    },
    SignalGone {
        name: String,
        pid: i32,
    },
    KillRefused {
        name: String,
        pid: i32,
        errno: i32,
    },
    SignalRefused {
        name: String,
        pid: i32,
        signal: i32,
        errno: i32,
    },
    AlreadyRunning {
        name: String,
    },
    WaitingToStop {
        name: String,
    },
    Waits {
        name: String,
        texts: Vec<String>,
    },
    WaitingToDie {
        names: Vec<String>,
    },
    ExitRequest {
        signal: i32,
    },
    RestartRequest {
        signal: i32,
    },
    RestartIgnored {
        signal: i32,
    },
    ListenerState {
        name: String,
        from: ListenerState,
        to: ListenerState,
    },
    ListenerUnknown {
        name: String,
    },
    EventProcessed {
        name: String,
    },
    EventRejected {
        name: String,
    },
    EventError {
        name: String,
    },
    BadResultLine {
        name: String,
        line: Vec<u8>,
    },
    EventSent {
        serial: u64,
        name: String,
    },
    ListenerClosed {
        serial: u64,
        name: String,
    },
    Rebuffering {
        serial: u64,
        pool: String,
        waiting: usize,
        most: usize,
    },
    BufferOverflowed {
        pool: String,
        serial: u64,
    },
    /// Ours: a listener asks for events and does not read them. The original dies of it.
    ListenerDoesNotRead {
        name: String,
    },
    CreatingSocket {
        url: String,
    },
    ClosingSocket {
        url: String,
    },
    /// Ours: a socket of a member of a `[group:x]` cannot be opened.
    SocketUnusable {
        text: String,
    },
    /// Ours: a stop came before there was a process, and the start is still not over.
    StartAbandoned {
        name: String,
    },
    /// Ours: the rest of a process group had to be killed.
    KillingRemains {
        name: String,
        pgid: i32,
    },
    /// Ours: the kernel has killed a process for lack of memory.
    OutOfMemory {
        name: String,
        pid: i32,
    },
    /// Ours: a service is started again after a wait.
    WaitsToRestart {
        name: String,
        ends: u32,
        wait: Duration,
    },
    /// Ours: a service is FATAL for another reason than `startretries`.
    GaveUpBecause {
        name: String,
        reason: Reason,
    },
    /// Ours: a hook has failed.
    HookFailed {
        name: String,
        point: HookPoint,
        text: String,
    },
    /// Ours: a oneshot is not run again.
    DoneBefore {
        name: String,
        path: String,
    },
    /// Ours: a oneshot has done its work, and that cannot be noted.
    MarkerNotWritten {
        name: String,
        reason: Reason,
    },
    /// Ours: the end of a service is the daemon's.
    EndsTheDaemon {
        name: String,
        option: String,
        reason: Reason,
        code: i32,
    },
    /// Ours: a shutdown has taken as long as it may.
    ShutdownTimeout {
        timeout: Duration,
        names: Vec<String>,
    },
    /// Ours: a process ended whose signal had been refused.
    EndedInUnknown {
        name: String,
        status: ExitStatus,
    },
    /// Ours: all readiness checks of a service pass.
    Ready {
        name: String,
        after_ms: u64,
    },
    /// Ours: a service is not ready any more.
    NotReady {
        name: String,
        text: String,
    },
    /// Ours: a service is stopped, though nobody has asked for it.
    StoppedBecause {
        name: String,
        reason: Reason,
    },
    /// Ours: a service has named its main process.
    MainProcess {
        name: String,
        pid: i32,
    },
}

impl Message {
    /// How important it is.
    #[must_use]
    pub fn level(&self) -> LogLevel {
        match self {
            Self::Spawned { .. }
            | Self::SpawnError { .. }
            | Self::EnteredRunning { .. }
            | Self::GaveUp { .. }
            | Self::WaitsToRestart { .. }
            | Self::GaveUpBecause { .. }
            | Self::DoneBefore { .. }
            | Self::Ready { .. }
            | Self::MainProcess { .. }
            | Self::CreatingSocket { .. }
            | Self::ClosingSocket { .. }
            | Self::WaitingToStop { .. }
            | Self::Waits { .. }
            | Self::WaitingToDie { .. } => LogLevel::Info,
            Self::Exited { expected, .. } | Self::Stopped { expected, .. } => {
                if *expected {
                    LogLevel::Info
                } else {
                    LogLevel::Warn
                }
            }
            Self::EndsTheDaemon { code: 0, .. } => LogLevel::Info,
            Self::EndsTheDaemon { .. } => LogLevel::Warn,
            Self::StopSignal { .. }
            | Self::KillingInBackoff { .. }
            | Self::SendingSignal { .. }
            | Self::SignalGone { .. }
            | Self::ListenerState { .. }
            | Self::EventProcessed { .. }
            | Self::EventSent { .. }
            | Self::ListenerClosed { .. }
            | Self::Rebuffering { .. } => LogLevel::Debug,
            Self::Killing { .. }
            | Self::AlreadyRunning { .. }
            | Self::ExitRequest { .. }
            | Self::RestartRequest { .. }
            | Self::RestartIgnored { .. }
            | Self::StartAbandoned { .. }
            | Self::KillingRemains { .. }
            | Self::NotReady { .. }
            | Self::StoppedBecause { .. }
            | Self::EndedInUnknown { .. }
            | Self::OutOfMemory { .. }
            | Self::HookFailed { .. }
            | Self::ShutdownTimeout { .. }
            | Self::ListenerUnknown { .. }
            | Self::EventRejected { .. }
            | Self::EventError { .. }
            | Self::BadResultLine { .. }
            | Self::ListenerDoesNotRead { .. } => LogLevel::Warn,
            Self::BufferOverflowed { .. }
            | Self::SocketUnusable { .. }
            | Self::MarkerNotWritten { .. } => LogLevel::Error,
            Self::KillRefused { .. } | Self::SignalRefused { .. } => LogLevel::Critical,
        }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spawned { name, pid } => write!(f, "spawned: '{name}' with pid {pid}"),
            Self::SpawnError { text } => write!(f, "spawnerr: {text}"),
            Self::EnteredRunning { name, startsecs } => write!(
                f,
                "success: {name} entered RUNNING state, process has stayed up for > than {startsecs} seconds (startsecs)"
            ),
            Self::GaveUp { name } => {
                write!(
                    f,
                    "gave up: {name} entered FATAL state, too many start retries too quickly"
                )
            }
            Self::Exited {
                name,
                status,
                expected: true,
            } => write!(f, "exited: {name} ({status}; expected)"),
            Self::Exited {
                name,
                status,
                expected: false,
            } => write!(f, "exited: {name} ({status}; not expected)"),
            Self::Stopped { name, status, .. } => write!(f, "stopped: {name} ({status})"),
            Self::StopSignal {
                name,
                pid,
                as_group,
                signal,
            } => {
                let group = if *as_group { "process group " } else { "" };
                write!(
                    f,
                    "killing {name} (pid {pid}) {group}with signal {}",
                    signal_name(*signal)
                )
            }
            Self::KillingInBackoff { name } => {
                write!(f, "Attempted to kill {name}, which is in BACKOFF state.")
            }
            Self::Killing { name, pid } => write!(f, "killing '{name}' ({pid}) with SIGKILL"),
            Self::SendingSignal { name, pid, signal } => {
                write!(f, "sending {name} (pid {pid}) sig {}", signal_name(*signal))
            }
            Self::SignalGone { name, pid } => write!(
                f,
                "unable to signal {name} (pid {pid}), it probably just exited on its own: [Errno 3] No such process"
            ),
            Self::KillRefused { name, pid, errno } => {
                write!(f, "unknown problem killing {name} ({pid}):[Errno {errno}]")
            }
            Self::SignalRefused {
                name,
                pid,
                signal,
                errno,
            } => {
                write!(
                    f,
                    "unknown problem sending sig {signal} to {name} ({pid}):[Errno {errno}]"
                )
            }
            Self::AlreadyRunning { name } => write!(f, "process '{name}' already running"),
            Self::WaitingToStop { name } => write!(f, "waiting for {name} to stop"),
            Self::Waits { name, texts } => write!(f, "{name} waits: {}", texts.join("; ")),
            Self::WaitingToDie { names } => write!(f, "waiting for {} to die", names.join(", ")),
            Self::ExitRequest { signal } => {
                write!(
                    f,
                    "received {} indicating exit request",
                    signal_name(*signal)
                )
            }
            Self::RestartRequest { signal } => {
                write!(
                    f,
                    "received {} indicating restart request",
                    signal_name(*signal)
                )
            }
            Self::RestartIgnored { signal } => write!(
                f,
                "ignored {} indicating restart request (shutdown in progress)",
                signal_name(*signal)
            ),
            Self::ListenerState { name, from, to } => {
                write!(f, "{name}: {} -> {}", from.name(), to.name())
            }
            Self::ListenerUnknown { name } => write!(
                f,
                "{name}: has entered the UNKNOWN state and will no longer receive events, this usually indicates the process violated the eventlistener protocol"
            ),
            Self::EventProcessed { name } => write!(f, "{name}: event was processed"),
            Self::EventRejected { name } => write!(f, "{name}: event was rejected"),
            Self::EventError { name } => write!(f, "{name}: event caused an error"),
            Self::BadResultLine { name, line } => {
                write!(
                    f,
                    "{name}: bad result line: '{}'",
                    text_or_undecodable(line)
                )
            }
            Self::EventSent { serial, name } => {
                write!(f, "event {serial} sent to listener {name}")
            }
            Self::ListenerClosed { serial, name } => write!(
                f,
                "epipe occurred while sending event {serial} to listener {name}, listener state unchanged"
            ),
            Self::Rebuffering {
                serial,
                pool,
                waiting,
                most,
            } => write!(
                f,
                "rebuffering event {serial} for pool {pool} (buf size={waiting}, max={most})"
            ),
            Self::BufferOverflowed { pool, serial } => write!(
                f,
                "pool {pool} event buffer overflowed, discarding event {serial}"
            ),
            Self::ListenerDoesNotRead { name } => write!(
                f,
                "{name}: asks for events without reading those that it was sent, and gets no more until it has"
            ),
            Self::CreatingSocket { url } => write!(f, "Creating socket {url}"),
            Self::ClosingSocket { url } => write!(f, "Closing socket {url}"),
            Self::SocketUnusable { text } => write!(
                f,
                "{text}; its processes cannot be started until it can be opened"
            ),
            Self::StartAbandoned { name } => {
                write!(
                    f,
                    "giving up the start of '{name}', which has not come to its exec; it will be killed if it does"
                )
            }
            Self::KillingRemains { name, pgid } => {
                write!(
                    f,
                    "killing what remains of the process group {pgid} of '{name}' with SIGKILL"
                )
            }
            Self::OutOfMemory { name, pid } => {
                write!(f, "out of memory: the kernel has killed '{name}' ({pid})")
            }
            Self::WaitsToRestart { name, ends, wait } => write!(
                f,
                "{name} is started again in {}, after end {ends} in a row",
                in_words(*wait)
            ),
            Self::GaveUpBecause { name, reason } => {
                write!(f, "gave up: {name} entered FATAL state, {reason}")
            }
            Self::HookFailed { name, point, text } => {
                write!(f, "{} of {name} failed: {text}", point.name())
            }
            Self::DoneBefore { name, path } => write!(
                f,
                "{name} is not run, as it was done before: {path} says so"
            ),
            Self::MarkerNotWritten { name, reason } => {
                write!(f, "{name} has done its work, but {reason}")
            }
            Self::EndsTheDaemon {
                name,
                option,
                reason,
                code,
            } => write!(
                f,
                "{name} has come to its end ({reason}): shutting down, as {option} says, with exit status {code}"
            ),
            Self::ShutdownTimeout { timeout, names } if names.is_empty() => write!(
                f,
                "the shutdown has taken {} (shutdown_timeout): nothing is waited for any longer",
                in_words(*timeout)
            ),
            Self::ShutdownTimeout { timeout, names } => write!(
                f,
                "the shutdown has taken {} (shutdown_timeout): killing {}",
                in_words(*timeout),
                names.join(", ")
            ),
            Self::Ready { name, after_ms } => {
                let after = in_words(Duration::from_millis(*after_ms));
                write!(f, "ready: {name}, {after} after its start")
            }
            Self::NotReady { name, text } => write!(f, "not ready: {name} ({text})"),
            Self::StoppedBecause { name, reason } => write!(f, "stopping {name}: {reason}"),
            Self::MainProcess { name, pid } => {
                write!(f, "{name}: its main process is the one with pid {pid} now")
            }
            Self::EndedInUnknown { name, status } => {
                write!(f, "ended: {name} ({status}), which was in UNKNOWN state")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_levels_are_the_originals() {
        let name = || "web".to_owned();
        let code = ExitStatus::Code;
        let killed = ExitStatus::Signal {
            signal: 9,
            core_dumped: false,
        };
        let cases = [
            (
                Message::Spawned {
                    name: name(),
                    pid: 7,
                },
                "INFO spawned: 'web' with pid 7",
            ),
            (
                Message::SpawnError {
                    text: "can't find command 'x'".to_owned(),
                },
                "INFO spawnerr: can't find command 'x'",
            ),
            (
                Message::EnteredRunning {
                    name: name(),
                    startsecs: 10,
                },
                "INFO success: web entered RUNNING state, process has stayed up for > than 10 seconds \
                 (startsecs)",
            ),
            (
                Message::GaveUp { name: name() },
                "INFO gave up: web entered FATAL state, too many start retries too quickly",
            ),
            (
                Message::Exited {
                    name: name(),
                    status: code(0),
                    expected: true,
                },
                "INFO exited: web (exit status 0; expected)",
            ),
            (
                Message::Exited {
                    name: name(),
                    status: killed,
                    expected: false,
                },
                "WARN exited: web (terminated by SIGKILL; not expected)",
            ),
            (
                Message::Stopped {
                    name: name(),
                    status: code(0),
                    expected: true,
                },
                "INFO stopped: web (exit status 0)",
            ),
            (
                Message::Stopped {
                    name: name(),
                    status: killed,
                    expected: false,
                },
                "WARN stopped: web (terminated by SIGKILL)",
            ),
            (
                Message::StopSignal {
                    name: name(),
                    pid: 7,
                    as_group: false,
                    signal: 15,
                },
                "DEBG killing web (pid 7) with signal SIGTERM",
            ),
            (
                Message::StopSignal {
                    name: name(),
                    pid: 7,
                    as_group: true,
                    signal: 9,
                },
                "DEBG killing web (pid 7) process group with signal SIGKILL",
            ),
            (
                Message::Killing {
                    name: name(),
                    pid: 7,
                },
                "WARN killing 'web' (7) with SIGKILL",
            ),
            (
                Message::SendingSignal {
                    name: name(),
                    pid: 7,
                    signal: 1,
                },
                "DEBG sending web (pid 7) sig SIGHUP",
            ),
            (
                Message::AlreadyRunning { name: name() },
                "WARN process 'web' already running",
            ),
            (
                Message::WaitingToStop { name: name() },
                "INFO waiting for web to stop",
            ),
            (
                Message::WaitingToDie {
                    names: vec![name(), "db".to_owned()],
                },
                "INFO waiting for web, db to die",
            ),
            (
                Message::ExitRequest { signal: 15 },
                "WARN received SIGTERM indicating exit request",
            ),
            (
                Message::RestartRequest { signal: 1 },
                "WARN received SIGHUP indicating restart request",
            ),
            (
                Message::RestartIgnored { signal: 1 },
                "WARN ignored SIGHUP indicating restart request (shutdown in progress)",
            ),
        ];
        for (message, expected) in cases {
            assert_eq!(format!("{} {message}", message.level().code()), expected);
        }
    }
}

//! What the shell and the core tell each other about services beyond processes.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Generation, ProcessId, Reason};

/// One probe of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Check {
    /// What it is for.
    pub purpose: CheckPurpose,
    /// Its place in [`Checks::probes`](linchpin_config::Checks::probes).
    pub index: u16,
}

/// What a probe is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CheckPurpose {
    /// Whether the service is ready.
    Readiness,
    /// Whether it still works.
    Liveness,
}

impl ProbeOutcome {
    /// Most bytes that are kept of why an attempt failed.
    pub const TEXT_MAX: usize = 300;
}

impl CheckPurpose {
    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Readiness => "readiness",
            Self::Liveness => "liveness",
        }
    }
}

/// What an attempt of a probe has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProbeOutcome {
    /// All is well.
    Passed,
    /// It is not; why, in a few words ("connection refused", "status 503"), cut at [`Self::TEXT_MAX`]
    /// bytes.
    Failed(String),
}

/// What a service has said by the `NOTIFY_SOCKET` protocol. (A newline on a descriptor is
/// [`Event::Probed`](crate::Event::Probed) with attempt 0, as a line of the output is that matches.)
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// `READY=1`.
    pub ready: bool,
    /// `RELOADING=1`.
    pub reloading: bool,
    /// `STOPPING=1`.
    pub stopping: bool,
    /// `STATUS=`, cut at [`Self::STATUS_MAX`] bytes.
    pub status: Option<String>,
    /// `WATCHDOG=1`.
    pub alive: bool,
    /// `WATCHDOG=trigger`.
    pub broken: bool,
    /// `MAINPID=`, which the shell has found to be a descendant of ours.
    pub main_pid: Option<i32>,
    /// `EXTEND_TIMEOUT_USEC=`.
    pub extend: Option<Duration>,
}

impl Notification {
    /// Most bytes of a status that are kept.
    pub const STATUS_MAX: usize = 1024;
}

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HookPoint {
    /// Before the process is started.
    PreStart,
    /// When it is RUNNING.
    PostStart,
    /// Before it is told to stop.
    PreStop,
    /// Instead of the stop signal.
    StopCommand,
    /// After its end.
    PostStop,
    /// On a request to reload.
    Reload,
}

impl HookPoint {
    /// The option's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PreStart => "pre_start",
            Self::PostStart => "post_start",
            Self::PreStop => "pre_stop",
            Self::StopCommand => "stop_command",
            Self::PostStop => "post_stop",
            Self::Reload => "reload_command",
        }
    }
}

/// What the marker of a oneshot says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MarkerState {
    /// It was done before.
    Committed,
    /// It was never begun. The shell has noted that it begins now.
    Fresh,
    /// It was begun and not finished. The shell has noted that it begins again, and the process is told by
    /// `LINCHPIN_INTERRUPTED=1`.
    Interrupted,
    /// Nobody can say: why.
    Failed(String),
}

/// Something about a service that is no change of its process's state, for the recorded history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// Which process.
    pub process: ProcessId,
    /// Which start of it, if there was one.
    pub generation: Generation,
    /// Its name.
    pub name: String,
    /// Its group.
    pub group: String,
    /// What.
    pub kind: OccurrenceKind,
}

/// What has happened to a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OccurrenceKind {
    /// It waits for these before it starts: each in words.
    Waits(Vec<String>),
    /// What it waited for is there.
    WaitOver,
    /// It is ready.
    Ready {
        /// Milliseconds from the start of its process.
        after_ms: u64,
    },
    /// It is not ready any more.
    NotReady {
        /// Why.
        text: String,
    },
    /// A check fails that passed until then.
    CheckFailed {
        /// What it is for.
        purpose: CheckPurpose,
        /// The probe as written.
        probe: String,
        /// Why.
        text: String,
    },
    /// A check passes that failed until then.
    CheckPassed {
        /// What it is for.
        purpose: CheckPurpose,
        /// The probe as written.
        probe: String,
    },
    /// A hook has ended.
    Hook {
        /// Which.
        point: HookPoint,
        /// Why it failed, if it did.
        failure: Option<String>,
    },
    /// A oneshot has done its work.
    Completed,
    /// Its process was killed by the kernel for lack of memory.
    OutOfMemory,
    /// It is to be stopped or started, and this is why.
    Decided(Reason),
}

impl OccurrenceKind {
    /// The name for machines.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Waits(_) => "waits",
            Self::WaitOver => "wait_over",
            Self::Ready { .. } => "ready",
            Self::NotReady { .. } => "not_ready",
            Self::CheckFailed { .. } => "check_failed",
            Self::CheckPassed { .. } => "check_passed",
            Self::Hook { .. } => "hook",
            Self::Completed => "completed",
            Self::OutOfMemory => "out_of_memory",
            Self::Decided(_) => "decided",
        }
    }
}

impl fmt::Display for OccurrenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waits(what) if what.is_empty() => f.write_str("waits"),
            Self::Waits(what) => write!(f, "waits for {}", what.join(", ")),
            Self::WaitOver => f.write_str("what it waited for is there"),
            Self::Ready { after_ms } => {
                let (seconds, rest) = (after_ms / 1000, after_ms % 1000);
                write!(f, "ready, {seconds}.{rest:03} s after its start")
            }
            Self::NotReady { text } => write!(f, "not ready any more: {text}"),
            Self::CheckFailed {
                purpose,
                probe,
                text,
            } => write!(f, "{} check fails: {probe}: {text}", purpose.name()),
            Self::CheckPassed { purpose, probe } => {
                write!(f, "{} check passes: {probe}", purpose.name())
            }
            Self::Hook {
                point,
                failure: None,
            } => write!(f, "{} ended well", point.name()),
            Self::Hook {
                point,
                failure: Some(failure),
            } => write!(f, "{} failed: {failure}", point.name()),
            Self::Completed => f.write_str("it has done its work"),
            Self::OutOfMemory => f.write_str("killed by the kernel for lack of memory"),
            Self::Decided(reason) => write!(f, "{reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn occurrences_are_told_in_words() {
        let probe = || "tcp://localhost:6379".to_owned();
        let purpose = CheckPurpose::Readiness;
        for (kind, name, text) in [
            (
                OccurrenceKind::Waits(vec!["redis to be ready".to_owned(), "db".to_owned()]),
                "waits",
                "waits for redis to be ready, db",
            ),
            (
                OccurrenceKind::Ready { after_ms: 1042 },
                "ready",
                "ready, 1.042 s after its start",
            ),
            (
                OccurrenceKind::CheckFailed {
                    purpose,
                    probe: probe(),
                    text: "connection refused".to_owned(),
                },
                "check_failed",
                "readiness check fails: tcp://localhost:6379: connection refused",
            ),
            (
                OccurrenceKind::Hook {
                    point: HookPoint::PreStart,
                    failure: Some("exit status 1".to_owned()),
                },
                "hook",
                "pre_start failed: exit status 1",
            ),
            (
                OccurrenceKind::Decided(Reason::Requested),
                "decided",
                "requested by an operator or a client",
            ),
        ] {
            assert_eq!((kind.name(), kind.to_string().as_str()), (name, text));
        }
    }
}

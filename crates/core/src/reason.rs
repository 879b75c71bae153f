//! Why something happened. Every change of state carries one; logs, events and explanations print it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ExitStatus;

/// Why a process changed its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// Nothing has happened to it yet.
    NeverStarted,
    /// It has `autostart`.
    Autostart,
    /// Somebody asked for it.
    Requested,
    /// It was up for `startsecs`.
    StayedUp {
        /// That many seconds.
        startsecs: i64,
    },
    /// There was no process to start.
    SpawnFailed {
        /// Why.
        text: String,
    },
    /// It ended before `startsecs`.
    ExitedTooQuickly {
        /// How.
        status: ExitStatus,
    },
    /// It ended by itself.
    Exited {
        /// How.
        status: ExitStatus,
        /// The exit code is among `exitcodes`.
        expected: bool,
    },
    /// It ended, and `autorestart` says to start it again.
    Autorestart,
    /// The wait after a failed start is over.
    BackoffElapsed {
        /// Which try follows, from 1.
        attempt: u32,
    },
    /// It failed more often than `startretries` allows.
    RetriesExhausted {
        /// How often.
        failures: u32,
    },
    /// It ended as it was told to.
    StopCompleted {
        /// How.
        status: ExitStatus,
    },
    /// Its start was given up before there was a process.
    StartAbandoned,
    /// The daemon is going down.
    DaemonStopping,
    /// It could not be signalled.
    SignalRefused {
        /// The errno.
        errno: i32,
    },
}

impl Reason {
    /// The name for machines.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NeverStarted => "never_started",
            Self::Autostart => "autostart",
            Self::Requested => "requested",
            Self::StayedUp { .. } => "stayed_up",
            Self::SpawnFailed { .. } => "spawn_failed",
            Self::ExitedTooQuickly { .. } => "exited_too_quickly",
            Self::Exited { .. } => "exited",
            Self::Autorestart => "autorestart",
            Self::BackoffElapsed { .. } => "backoff_elapsed",
            Self::RetriesExhausted { .. } => "retries_exhausted",
            Self::StopCompleted { .. } => "stop_completed",
            Self::StartAbandoned => "start_abandoned",
            Self::DaemonStopping => "daemon_stopping",
            Self::SignalRefused { .. } => "signal_refused",
        }
    }

    /// The end of a process that it is about, if it is about one.
    #[must_use]
    pub fn exit(&self) -> Option<ExitStatus> {
        match *self {
            Self::ExitedTooQuickly { status }
            | Self::Exited { status, .. }
            | Self::StopCompleted { status } => Some(status),
            Self::NeverStarted
            | Self::Autostart
            | Self::Requested
            | Self::StayedUp { .. }
            | Self::SpawnFailed { .. }
            | Self::Autorestart
            | Self::BackoffElapsed { .. }
            | Self::RetriesExhausted { .. }
            | Self::StartAbandoned
            | Self::DaemonStopping
            | Self::SignalRefused { .. } => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverStarted => f.write_str("never started"),
            Self::Autostart => f.write_str("autostart"),
            Self::Requested => f.write_str("requested by an operator or a client"),
            Self::StayedUp { startsecs } => write!(f, "stayed up for {startsecs} s (startsecs)"),
            Self::SpawnFailed { text } => write!(f, "start failed: {text}"),
            Self::ExitedTooQuickly { status } => write!(f, "ended before startsecs: {status}"),
            Self::Exited {
                status,
                expected: true,
            } => write!(f, "ended: {status}, expected"),
            Self::Exited {
                status,
                expected: false,
            } => write!(f, "ended: {status}, not expected"),
            Self::Autorestart => f.write_str("autorestart after its end"),
            Self::BackoffElapsed { attempt } => write!(f, "backoff over, try {attempt}"),
            Self::RetriesExhausted { failures } => {
                write!(f, "{failures} failed starts, more than startretries")
            }
            Self::StopCompleted { status } => write!(f, "stopped: {status}"),
            Self::StartAbandoned => f.write_str("its start was given up"),
            Self::DaemonStopping => f.write_str("the daemon is stopping"),
            Self::SignalRefused { errno } => write!(f, "it could not be signalled (errno {errno})"),
        }
    }
}

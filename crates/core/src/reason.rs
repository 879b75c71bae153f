//! Why something happened. Every change of state carries one; logs, events and explanations print it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::in_words;
use crate::{ExitStatus, HookPoint};

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
        /// The kernel killed it for lack of memory.
        out_of_memory: bool,
    },
    /// It ended by itself.
    Exited {
        /// How.
        status: ExitStatus,
        /// The exit code is among `exitcodes`.
        expected: bool,
        /// The kernel killed it for lack of memory.
        out_of_memory: bool,
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
    /// It is started again when the wait that `restart_delay` asks for is over.
    WaitsToRestart {
        /// Which end or failed start in a row it was, from 1.
        ends: u32,
        /// How long it waits.
        wait: Duration,
    },
    /// It came to its end `restart_limit` times in a row.
    CrashLoop {
        /// How often.
        ends: u32,
        /// From the first end to the last.
        within: Duration,
    },
    /// It ended in a way after which it is not to be started again (`restart_prevent`).
    RestartPrevented {
        /// How.
        status: ExitStatus,
    },
    /// It was FATAL for `fatal_retry`.
    SecondChance,
    /// A hook on which its start depends has failed.
    HookFailed {
        /// Which.
        point: HookPoint,
        /// Why.
        text: String,
    },
    /// The marker of a oneshot could not be read or written.
    MarkerFailed {
        /// Why.
        text: String,
    },
    /// A oneshot has done its work, and took less than `startsecs` for it.
    DoneEarly,
    /// The marker of a oneshot says that it was done before.
    DoneBefore,
    /// The shutdown took longer than `shutdown_timeout`, and it was killed.
    ShutdownTimeout {
        /// That long.
        timeout: Duration,
    },
    /// It ended as it was told to.
    StopCompleted {
        /// How.
        status: ExitStatus,
    },
    /// Its start was given up before there was a process.
    StartAbandoned,
    /// A service that is started depends on it.
    NeededBy {
        /// That service.
        name: String,
    },
    /// What it depends on has given up.
    DependencyFailed {
        /// What.
        text: String,
    },
    /// What it depends on was not there in time (`depends_timeout`).
    DependencyTimeout {
        /// What it waited for.
        text: String,
    },
    /// What it depends on is gone.
    DependencyLost {
        /// What.
        name: String,
    },
    /// What it depends on is being stopped, and it goes along.
    DependencyStops,
    /// The daemon is going down.
    DaemonStopping,
    /// It could not be signalled.
    SignalRefused {
        /// The errno.
        errno: i32,
    },
    /// It was not ready in time.
    NotReadyInTime {
        /// `ready_within`.
        within: Duration,
        /// What was missing.
        text: String,
    },
    /// It has been shown not to work.
    LivenessFailed {
        /// Which probe, and why it failed.
        text: String,
    },
    /// It was restarted for its liveness as often in a row as `liveness_restarts` allows.
    LivenessRestartsExhausted {
        /// How often.
        restarts: u32,
    },
    /// Its process group uses more memory than `memory_max` allows.
    MemoryExceeded {
        /// How much, in bytes.
        bytes: u64,
        /// `memory_max`.
        limit: u64,
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
            Self::WaitsToRestart { .. } => "waits_to_restart",
            Self::CrashLoop { .. } => "crash_loop",
            Self::RestartPrevented { .. } => "restart_prevented",
            Self::SecondChance => "second_chance",
            Self::HookFailed { .. } => "hook_failed",
            Self::MarkerFailed { .. } => "marker_failed",
            Self::DoneEarly => "done_early",
            Self::DoneBefore => "done_before",
            Self::ShutdownTimeout { .. } => "shutdown_timeout",
            Self::StopCompleted { .. } => "stop_completed",
            Self::StartAbandoned => "start_abandoned",
            Self::NeededBy { .. } => "needed_by",
            Self::DependencyFailed { .. } => "dependency_failed",
            Self::DependencyTimeout { .. } => "dependency_timeout",
            Self::DependencyLost { .. } => "dependency_lost",
            Self::DependencyStops => "dependency_stops",
            Self::DaemonStopping => "daemon_stopping",
            Self::SignalRefused { .. } => "signal_refused",
            Self::NotReadyInTime { .. } => "not_ready_in_time",
            Self::LivenessFailed { .. } => "liveness_failed",
            Self::LivenessRestartsExhausted { .. } => "liveness_restarts_exhausted",
            Self::MemoryExceeded { .. } => "memory_exceeded",
        }
    }

    /// Whether somebody wants a start, in person or in the configuration, or for another service. All other
    /// starts are repetitions.
    #[must_use]
    pub(crate) fn is_wish(&self) -> bool {
        matches!(
            self,
            Self::Requested | Self::Autostart | Self::NeededBy { .. }
        )
    }

    /// The end of a process that it is about, if it is about one.
    #[must_use]
    pub fn exit(&self) -> Option<ExitStatus> {
        match *self {
            Self::ExitedTooQuickly { status, .. }
            | Self::Exited { status, .. }
            | Self::RestartPrevented { status }
            | Self::StopCompleted { status } => Some(status),
            Self::NeverStarted
            | Self::Autostart
            | Self::Requested
            | Self::StayedUp { .. }
            | Self::SpawnFailed { .. }
            | Self::Autorestart
            | Self::BackoffElapsed { .. }
            | Self::RetriesExhausted { .. }
            | Self::WaitsToRestart { .. }
            | Self::CrashLoop { .. }
            | Self::SecondChance
            | Self::HookFailed { .. }
            | Self::MarkerFailed { .. }
            | Self::DoneEarly
            | Self::DoneBefore
            | Self::ShutdownTimeout { .. }
            | Self::StartAbandoned
            | Self::NeededBy { .. }
            | Self::DependencyFailed { .. }
            | Self::DependencyTimeout { .. }
            | Self::DependencyLost { .. }
            | Self::DependencyStops
            | Self::DaemonStopping
            | Self::SignalRefused { .. }
            | Self::NotReadyInTime { .. }
            | Self::LivenessFailed { .. }
            | Self::LivenessRestartsExhausted { .. }
            | Self::MemoryExceeded { .. } => None,
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
            Self::ExitedTooQuickly {
                status,
                out_of_memory,
            } => {
                f.write_str("ended before startsecs: ")?;
                write_end(f, *status, *out_of_memory)
            }
            Self::Exited {
                status,
                expected,
                out_of_memory,
            } => {
                f.write_str("ended: ")?;
                write_end(f, *status, *out_of_memory)?;
                f.write_str(if *expected {
                    ", expected"
                } else {
                    ", not expected"
                })
            }
            Self::Autorestart => f.write_str("autorestart after its end"),
            Self::BackoffElapsed { attempt } => write!(f, "backoff over, try {attempt}"),
            Self::RetriesExhausted { failures } => {
                write!(f, "{failures} failed starts, more than startretries")
            }
            Self::WaitsToRestart { ends, wait } => write!(
                f,
                "starts again in {}, after end {ends} in a row",
                in_words(*wait)
            ),
            Self::CrashLoop { ends: 1, .. } => {
                f.write_str("it has ended once, and restart_limit=1 allows no restart")
            }
            Self::CrashLoop { ends, within } => {
                write!(f, "crash loop: {ends} ends in {}", in_words(*within))
            }
            Self::RestartPrevented { status } => write!(
                f,
                "{}, after which it is not started again (restart_prevent)",
                status.in_words(false)
            ),
            Self::SecondChance => f.write_str("a second chance (fatal_retry)"),
            Self::HookFailed { point, text } => write!(f, "{} failed: {text}", point.name()),
            Self::MarkerFailed { text } => write!(f, "its marker failed: {text}"),
            Self::DoneEarly => f.write_str("did its work in less than startsecs"),
            Self::DoneBefore => f.write_str("done before, as its marker says"),
            Self::ShutdownTimeout { timeout } => write!(
                f,
                "the shutdown took longer than {} (shutdown_timeout)",
                in_words(*timeout)
            ),
            Self::StopCompleted { status } => write!(f, "stopped: {status}"),
            Self::StartAbandoned => f.write_str("its start was given up"),
            Self::NeededBy { name } => write!(f, "needed by {name}"),
            Self::DependencyFailed { text } => write!(f, "a dependency failed: {text}"),
            Self::DependencyTimeout { text } => {
                write!(f, "gave up waiting (depends_timeout): {text}")
            }
            Self::DependencyLost { name } => write!(f, "its dependency {name} went away"),
            Self::DependencyStops => f.write_str("goes along with a dependency"),
            Self::DaemonStopping => f.write_str("the daemon is stopping"),
            Self::NotReadyInTime { within, text } => {
                write!(f, "not ready within {} ({text})", in_words(*within))
            }
            Self::LivenessFailed { text } => write!(f, "liveness failed: {text}"),
            Self::LivenessRestartsExhausted { restarts } => write!(
                f,
                "liveness failed more often in a row than liveness_restarts={restarts} allows"
            ),
            Self::MemoryExceeded { bytes, limit } => write!(
                f,
                "{bytes} bytes of memory used, more than the {limit} of memory_max"
            ),
            Self::SignalRefused { errno } => write!(f, "it could not be signalled (errno {errno})"),
        }
    }
}

fn write_end(f: &mut fmt::Formatter<'_>, status: ExitStatus, out_of_memory: bool) -> fmt::Result {
    if out_of_memory {
        f.write_str(&status.in_words(true))
    } else {
        write!(f, "{status}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_told_in_words() {
        let killed = ExitStatus::Signal {
            signal: 9,
            core_dumped: false,
        };
        for (reason, words) in [
            (
                Reason::Exited {
                    status: killed,
                    expected: false,
                    out_of_memory: false,
                },
                "ended: terminated by SIGKILL, not expected",
            ),
            (
                Reason::Exited {
                    status: killed,
                    expected: false,
                    out_of_memory: true,
                },
                "ended: killed by SIGKILL, out of memory, not expected",
            ),
            (
                Reason::CrashLoop {
                    ends: 5,
                    within: Duration::from_millis(12_300),
                },
                "crash loop: 5 ends in 12 s",
            ),
            (
                Reason::WaitsToRestart {
                    ends: 3,
                    wait: Duration::from_millis(3_912),
                },
                "starts again in 3.9 s, after end 3 in a row",
            ),
            (
                Reason::RestartPrevented {
                    status: ExitStatus::Code(78),
                },
                "exit 78: an error in its configuration (EX_CONFIG), after which it is not started again \
                 (restart_prevent)",
            ),
            (
                Reason::HookFailed {
                    point: HookPoint::PreStart,
                    text: "exit status 1: no such database".to_owned(),
                },
                "pre_start failed: exit status 1: no such database",
            ),
        ] {
            assert_eq!(reason.to_string(), words);
        }
    }
}

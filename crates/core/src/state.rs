//! The states of a process and of the daemon, with Supervisor's numbers, and which transitions are legal.

use serde::{Deserialize, Serialize};

/// State of a process, as clients see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u16)]
pub enum ProcessState {
    /// Not running, because nobody started it or somebody stopped it.
    Stopped = 0,
    /// Started, and not yet up for `startsecs`.
    Starting = 10,
    /// Up.
    Running = 20,
    /// A start failed; the next try is coming.
    Backoff = 30,
    /// Told to stop, and not gone yet.
    Stopping = 40,
    /// Ended by itself after it had been running.
    Exited = 100,
    /// Given up after too many failed starts.
    Fatal = 200,
    /// It could not be signalled, so nobody knows.
    Unknown = 1000,
}

impl ProcessState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Stopped,
        Self::Starting,
        Self::Running,
        Self::Backoff,
        Self::Stopping,
        Self::Exited,
        Self::Fatal,
        Self::Unknown,
    ];

    /// Supervisor's number.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Stopped => 0,
            Self::Starting => 10,
            Self::Running => 20,
            Self::Backoff => 30,
            Self::Stopping => 40,
            Self::Exited => 100,
            Self::Fatal => 200,
            Self::Unknown => 1000,
        }
    }

    /// Supervisor's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stopped => "STOPPED",
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Backoff => "BACKOFF",
            Self::Stopping => "STOPPING",
            Self::Exited => "EXITED",
            Self::Fatal => "FATAL",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Whether `start` answers "already started" (Supervisor's `RUNNING_STATES`).
    #[must_use]
    pub fn is_running(self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Backoff)
    }

    /// Whether a stop has come to its end (Supervisor's `STOPPED_STATES`).
    #[must_use]
    pub fn is_stopped(self) -> bool {
        matches!(
            self,
            Self::Stopped | Self::Exited | Self::Fatal | Self::Unknown
        )
    }

    /// Whether a signal may be sent (Supervisor's `SIGNALLABLE_STATES`).
    #[must_use]
    pub fn is_signallable(self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Stopping)
    }

    /// The table of legal transitions: Supervisor's, `Unknown` to `Stopped`, and what only processes with
    /// options of ours do.
    ///
    /// `Starting` → `Stopped` never happens: a stop always passes through `Stopping`.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Stopped | Self::Fatal => next == Self::Starting,
            // The original knows no wait after an end that is to be followed by a start. With `restart_*` there
            // is one, and it is spent in the state whose meaning is just that, so that a stop, a start and the
            // daemon's end treat it as they treat the wait after a failed start; and so that FATAL, to which a
            // crash loop leads, is only ever reached from there.
            Self::Exited => matches!(next, Self::Starting | Self::Backoff),
            Self::Starting => {
                matches!(
                    next,
                    Self::Running | Self::Backoff | Self::Stopping | Self::Unknown
                )
            }
            Self::Running => matches!(next, Self::Exited | Self::Stopping | Self::Unknown),
            Self::Backoff => matches!(next, Self::Starting | Self::Stopped | Self::Fatal),
            // Into BACKOFF only after a stop that the core has decided on, as for a service that was not
            // ready in time.
            Self::Stopping => matches!(next, Self::Stopped | Self::Unknown | Self::Backoff),
            // The original never leaves UNKNOWN. We do when the process ends after all: a state that only
            // a restart of the daemon ends helps nobody.
            Self::Unknown => matches!(next, Self::Stopped),
        }
    }
}

/// State of the daemon (Supervisor calls it its mood).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DaemonState {
    /// At work.
    Running,
    /// Stopping everything, to begin anew.
    Restarting,
    /// Stopping everything, to exit.
    Shutdown,
}

impl DaemonState {
    /// Supervisor's number.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Running => 1,
            Self::Restarting => 0,
            Self::Shutdown => -1,
        }
    }

    /// Supervisor's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Restarting => "RESTARTING",
            Self::Shutdown => "SHUTDOWN",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_belong_to_the_sets_of_the_original() {
        for (state, code, is_running, is_stopped, is_signallable) in [
            (ProcessState::Stopped, 0, false, true, false),
            (ProcessState::Starting, 10, true, false, true),
            (ProcessState::Running, 20, true, false, true),
            (ProcessState::Backoff, 30, true, false, false),
            (ProcessState::Stopping, 40, false, false, true),
            (ProcessState::Exited, 100, false, true, false),
            (ProcessState::Fatal, 200, false, true, false),
            (ProcessState::Unknown, 1000, false, true, false),
        ] {
            assert_eq!(state.code(), code, "{state:?}");
            assert_eq!(state.is_running(), is_running, "{state:?}");
            assert_eq!(state.is_stopped(), is_stopped, "{state:?}");
            assert_eq!(state.is_signallable(), is_signallable, "{state:?}");
        }
    }

    #[test]
    fn transitions_are_those_of_the_original_and_the_way_out_of_unknown() {
        let legal: Vec<String> = ProcessState::ALL
            .into_iter()
            .map(|from| {
                let next: Vec<&str> = ProcessState::ALL
                    .into_iter()
                    .filter(|to| from.may_become(*to))
                    .map(ProcessState::name)
                    .collect();
                format!("{} > {}", from.name(), next.join(" "))
            })
            .collect();
        assert_eq!(
            legal,
            [
                "STOPPED > STARTING",
                "STARTING > RUNNING BACKOFF STOPPING UNKNOWN",
                "RUNNING > STOPPING EXITED UNKNOWN",
                "BACKOFF > STOPPED STARTING FATAL",
                "STOPPING > STOPPED BACKOFF UNKNOWN",
                "EXITED > STARTING BACKOFF",
                "FATAL > STARTING",
                "UNKNOWN > STOPPED",
            ]
        );
    }
}

//! Process and daemon states as numbers and names on the wire.

/// State of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProcessState {
    /// Not started, or stopped by request.
    Stopped,
    /// Spawned, not yet up for `startsecs`.
    Starting,
    /// Up.
    Running,
    /// Ended before `startsecs`; waits for the next try.
    Backoff,
    /// The stop signal was sent.
    Stopping,
    /// Ended by itself.
    Exited,
    /// Given up.
    Fatal,
    /// A programming error.
    Unknown,
}

impl ProcessState {
    /// All states, by number.
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

    /// The number.
    #[must_use]
    pub const fn code(self) -> i64 {
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

    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
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

    /// The state of a number.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Nothing runs and nothing is about to: `status` then ends with exit code 3.
    #[must_use]
    pub const fn is_stopped(self) -> bool {
        match self {
            Self::Stopped | Self::Exited | Self::Fatal | Self::Unknown => true,
            Self::Starting | Self::Running | Self::Backoff | Self::Stopping => false,
        }
    }
}

/// State of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SupervisorState {
    /// A serious error; never set by the original.
    Fatal,
    /// Normal work.
    Running,
    /// Stops everything and starts over.
    Restarting,
    /// Stops everything and ends.
    Shutdown,
}

impl SupervisorState {
    /// The number.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Fatal => 2,
            Self::Running => 1,
            Self::Restarting => 0,
            Self::Shutdown => -1,
        }
    }

    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fatal => "FATAL",
            Self::Running => "RUNNING",
            Self::Restarting => "RESTARTING",
            Self::Shutdown => "SHUTDOWN",
        }
    }
}

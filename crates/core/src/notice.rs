//! What the world is told of: the original's events, before they become text.

use linchpin_config::EventType;
use serde::{Deserialize, Serialize};

use crate::{ProcessId, ProcessState, Reason};

/// Something that event listeners and people may want to know. The original's event types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// `PROCESS_STATE_*`.
    ProcessState {
        /// Which process.
        process: ProcessId,
        /// Its name.
        name: String,
        /// Its group.
        group: String,
        /// The state it was in.
        from: ProcessState,
        /// The state it is in.
        to: ProcessState,
        /// Failed starts so far.
        tries: u32,
        /// Process id, 0 if none.
        pid: i32,
        /// Whether an exit was expected; true for everything else.
        expected: bool,
        /// Why.
        reason: Reason,
    },
    /// `PROCESS_LOG_*`.
    ProcessLog(Output),
    /// `PROCESS_COMMUNICATION_*`.
    ProcessCommunication(Output),
    /// `REMOTE_COMMUNICATION`.
    RemoteCommunication {
        /// What the client calls it.
        kind: String,
        /// What the client says.
        data: String,
    },
    /// `TICK_*`.
    Tick {
        /// Which.
        period: TickPeriod,
        /// Seconds since 1970, rounded down to the period.
        when: i64,
    },
    /// `PROCESS_GROUP_ADDED`.
    GroupAdded {
        /// Name.
        group: String,
    },
    /// `PROCESS_GROUP_REMOVED`.
    GroupRemoved {
        /// Name.
        group: String,
    },
    /// `SUPERVISOR_STATE_CHANGE_RUNNING`.
    SupervisorRunning,
    /// `SUPERVISOR_STATE_CHANGE_STOPPING`.
    SupervisorStopping,
}

/// Something that a process has written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Name of the process.
    pub name: String,
    /// Its group.
    pub group: String,
    /// Its process id.
    pub pid: i32,
    /// Where it wrote.
    pub channel: Channel,
    /// What. Bounded by where it comes from: one read of a pipe, or one capture (`*_capture_maxbytes`).
    pub data: Vec<u8>,
}

/// An output of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Channel {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Channel {
    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// How often a tick comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TickPeriod {
    /// Every 5 seconds.
    FiveSeconds,
    /// Every minute.
    Minute,
    /// Every hour.
    Hour,
}

impl TickPeriod {
    /// All of them, in the order in which the original looks at them.
    pub const ALL: [Self; 3] = [Self::FiveSeconds, Self::Minute, Self::Hour];

    /// Its length.
    #[must_use]
    pub fn seconds(self) -> i64 {
        match self {
            Self::FiveSeconds => 5,
            Self::Minute => 60,
            Self::Hour => 3600,
        }
    }

    /// The event that it makes.
    #[must_use]
    pub fn event_type(self) -> EventType {
        match self {
            Self::FiveSeconds => EventType::Tick5,
            Self::Minute => EventType::Tick60,
            Self::Hour => EventType::Tick3600,
        }
    }
}

impl Notice {
    /// How many bytes it holds of what processes and clients have said; the rest of it is small.
    pub(crate) fn foreign_bytes(&self) -> usize {
        match self {
            Self::ProcessLog(output) | Self::ProcessCommunication(output) => output.data.len(),
            Self::RemoteCommunication { kind, data } => kind.len() + data.len(),
            Self::ProcessState { .. }
            | Self::Tick { .. }
            | Self::GroupAdded { .. }
            | Self::GroupRemoved { .. }
            | Self::SupervisorRunning
            | Self::SupervisorStopping => 0,
        }
    }

    /// The type by which listeners subscribe to it.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        match self {
            Self::ProcessState { to, .. } => match to {
                ProcessState::Stopped => EventType::ProcessStateStopped,
                ProcessState::Starting => EventType::ProcessStateStarting,
                ProcessState::Running => EventType::ProcessStateRunning,
                ProcessState::Backoff => EventType::ProcessStateBackoff,
                ProcessState::Stopping => EventType::ProcessStateStopping,
                ProcessState::Exited => EventType::ProcessStateExited,
                ProcessState::Fatal => EventType::ProcessStateFatal,
                ProcessState::Unknown => EventType::ProcessStateUnknown,
            },
            Self::ProcessLog(output) => match output.channel {
                Channel::Stdout => EventType::ProcessLogStdout,
                Channel::Stderr => EventType::ProcessLogStderr,
            },
            Self::ProcessCommunication(output) => match output.channel {
                Channel::Stdout => EventType::ProcessCommunicationStdout,
                Channel::Stderr => EventType::ProcessCommunicationStderr,
            },
            Self::RemoteCommunication { .. } => EventType::RemoteCommunication,
            Self::Tick { period, .. } => period.event_type(),
            Self::GroupAdded { .. } => EventType::ProcessGroupAdded,
            Self::GroupRemoved { .. } => EventType::ProcessGroupRemoved,
            Self::SupervisorRunning => EventType::SupervisorStateChangeRunning,
            Self::SupervisorStopping => EventType::SupervisorStateChangeStopping,
        }
    }
}

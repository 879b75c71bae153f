//! One start that the core has asked for, and what there is of it in the fake system.

use linchpin_core::{ProcessId, SocketId};

/// One start that the core has asked for.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) process: ProcessId,
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) socket: Option<SocketId>,
    pub(crate) phase: Phase,
    /// The process group: the process id of the first process.
    pub(crate) pgid: i32,
    /// The process that the service has named as its main one.
    pub(crate) next_main: Option<i32>,
    /// Signals to it are refused.
    pub(crate) is_protected: bool,
    /// It has got a stop signal.
    pub(crate) is_told: bool,
    /// It has got SIGKILL.
    pub(crate) is_doomed: bool,
    /// Others of its process group are alive.
    pub(crate) has_group: bool,
    /// Those others have got SIGKILL.
    pub(crate) is_group_doomed: bool,
    /// The core wants to know when the group is empty.
    pub(crate) is_followed: bool,
    /// All its output has been read.
    pub(crate) is_drained: bool,
    pub(crate) is_released: bool,
    /// Its process was removed, or the daemon ended, while it lived, which only UNKNOWN allows.
    pub(crate) is_disowned: bool,
    /// When the core was told of its end.
    pub(crate) told_at: u64,
}

/// How far a start has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Asked for.
    Asked,
    /// A process.
    Alive { pid: i32 },
    /// Ended, and the core does not know.
    Reaped { pid: i32 },
    /// Ended, and the core knows.
    Told { pid: i32 },
}

impl Start {
    pub(crate) fn new(
        process: ProcessId,
        group: &str,
        name: &str,
        socket: Option<SocketId>,
    ) -> Self {
        Self {
            process,
            group: group.to_owned(),
            name: name.to_owned(),
            socket,
            phase: Phase::Asked,
            pgid: 0,
            next_main: None,
            is_protected: false,
            is_told: false,
            is_doomed: false,
            has_group: false,
            is_group_doomed: false,
            is_followed: false,
            is_drained: false,
            is_released: false,
            is_disowned: false,
            told_at: 0,
        }
    }

    /// Whether a second process of the instance would be one too many.
    pub(crate) fn may_live(&self) -> bool {
        matches!(self.phase, Phase::Asked | Phase::Alive { .. })
    }

    pub(crate) fn pid(&self) -> Option<i32> {
        match self.phase {
            Phase::Asked => None,
            Phase::Alive { pid } | Phase::Reaped { pid } | Phase::Told { pid } => Some(pid),
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Told { .. })
            && self.is_released
            && !self.has_group
            && !self.is_followed
    }
}

//! Exit codes: those of init scripts, as the original uses them.

use linchpin_protocol::FaultCode;

/// How a command ended. Later results overwrite earlier ones; a success never does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Everything worked.
    Success,
    /// Something did not.
    Generic,
    /// Bad arguments, or an unknown group to start.
    InvalidArguments,
    /// `status`: something is not running. Also: no supervisor namespace.
    NotRunningStatus,
    /// `status`: unknown name or no daemon. Also: the daemon refuses connections.
    Unknown,
    /// The daemon speaks another version.
    WrongVersion,
    /// A program is not running, or there is no socket.
    NotRunning,
}

impl ExitCode {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Generic => 1,
            Self::InvalidArguments => 2,
            Self::NotRunningStatus => 3,
            Self::Unknown => 4,
            Self::WrongVersion => 5,
            Self::NotRunning => 7,
        }
    }

    /// What a fault makes of the exit code; none leaves it.
    pub(crate) fn of_fault(fault: Option<FaultCode>, ignored: Option<FaultCode>) -> Option<Self> {
        if fault == Some(FaultCode::Success) || (fault.is_some() && fault == ignored) {
            return None;
        }
        Some(match fault {
            Some(
                FaultCode::SpawnError | FaultCode::AbnormalTermination | FaultCode::NotRunning,
            ) => Self::NotRunning,
            Some(_) | None => Self::Generic,
        })
    }
}

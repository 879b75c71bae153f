//! Failures of the supervision as faults of the wire: the one place where they meet.

use linchpin_core::{Failure, Outcome};
use linchpin_protocol::{Fault, FaultCode, ReloadResult};

use super::answered::Answered;

/// The fault of a failure.
pub(crate) fn fault_of(failure: Failure) -> Fault {
    match failure {
        Failure::BadName(name) => Fault::with(FaultCode::BadName, name),
        Failure::NoFile(text) => Fault::with(FaultCode::NoFile, text),
        Failure::NotExecutable(text) => Fault::with(FaultCode::NotExecutable, text),
        Failure::AlreadyStarted(name) => Fault::with(FaultCode::AlreadyStarted, name),
        Failure::NotRunning(name) => Fault::with(FaultCode::NotRunning, name),
        Failure::SpawnError(name) => Fault::with(FaultCode::SpawnError, name),
        Failure::AbnormalTermination(name) => Fault::with(FaultCode::AbnormalTermination, name),
        Failure::Failed(text) => Fault::with(FaultCode::Failed, text),
        Failure::AlreadyAdded(name) => Fault::with(FaultCode::AlreadyAdded, name),
        Failure::StillRunning(name) => Fault::with(FaultCode::StillRunning, name),
        Failure::ShuttingDown => Fault::bare(FaultCode::ShutdownState),
    }
}

/// The same for a call about one thing, whose name a fault repeats as the client wrote it.
pub(crate) fn fault_about(failure: Failure, name: &str) -> Fault {
    fault_of(match failure {
        Failure::BadName(_) => Failure::BadName(name.to_owned()),
        Failure::AlreadyStarted(_) => Failure::AlreadyStarted(name.to_owned()),
        Failure::NotRunning(_) => Failure::NotRunning(name.to_owned()),
        Failure::SpawnError(_) => Failure::SpawnError(name.to_owned()),
        Failure::AbnormalTermination(_) => Failure::AbnormalTermination(name.to_owned()),
        Failure::AlreadyAdded(_) => Failure::AlreadyAdded(name.to_owned()),
        Failure::StillRunning(_) => Failure::StillRunning(name.to_owned()),
        other @ (Failure::NoFile(_)
        | Failure::NotExecutable(_)
        | Failure::Failed(_)
        | Failure::ShuttingDown) => other,
    })
}

/// The result of what the supervision answered to a call about `name`.
pub(crate) fn result_of(outcome: Outcome, name: &str) -> Result<Answered, Fault> {
    match outcome {
        Outcome::Done => Ok(Answered::True),
        Outcome::Many(results) => Ok(Answered::Results(
            results.into_iter().map(Into::into).collect(),
        )),
        Outcome::Reloaded {
            added,
            changed,
            removed,
        } => Ok(Answered::Reloaded(ReloadResult {
            added,
            changed,
            removed,
        })),
        Outcome::Failed(failure) => Err(fault_about(failure, name)),
    }
}

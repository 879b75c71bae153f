//! What a fault is called in the lines of start, stop, signal and clear.

use linchpin_protocol::{FaultCode, StatusResult, make_namespec};

use crate::error::CommandError;

/// Which operation a result is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Start,
    Stop,
    Signal,
    Clear,
}

impl Operation {
    fn success(self) -> &'static str {
        match self {
            Self::Start => "started",
            Self::Stop => "stopped",
            Self::Signal => "signalled",
            Self::Clear => "cleared",
        }
    }

    /// A fault that is no failure: what was asked for is so already.
    pub(crate) fn ignored(self) -> Option<FaultCode> {
        match self {
            Self::Start => Some(FaultCode::AlreadyStarted),
            Self::Stop => Some(FaultCode::NotRunning),
            Self::Signal | Self::Clear => None,
        }
    }

    /// The words of a fault, where the operation has any.
    fn failure(self, code: FaultCode) -> Option<&'static str> {
        match (self, code) {
            (_, FaultCode::BadName) => Some("no such process"),
            (Self::Start, FaultCode::NoFile) => Some("no such file"),
            (Self::Start, FaultCode::NotExecutable) => Some("file is not executable"),
            (Self::Start, FaultCode::AlreadyStarted) => Some("already started"),
            (Self::Start, FaultCode::SpawnError) => Some("spawn error"),
            (Self::Start, FaultCode::AbnormalTermination) => Some("abnormal termination"),
            (Self::Stop | Self::Signal, FaultCode::BadSignal) => Some("bad signal name"),
            (Self::Stop | Self::Signal, FaultCode::NotRunning) => Some("not running"),
            (Self::Clear, FaultCode::Failed) => Some("failed"),
            _ => None,
        }
    }

    /// The line of a result.
    pub(crate) fn line(self, result: &StatusResult<'_>) -> Result<String, CommandError> {
        let name = make_namespec(&result.group, &result.name);
        let code = result.kind();
        if code == Some(FaultCode::Success) {
            return Ok(format!("{name}: {}", self.success()));
        }
        if let Some(words) = code.and_then(|code| self.failure(code)) {
            return Ok(format!("{name}: ERROR ({words})"));
        }
        if code == Some(FaultCode::Failed) && matches!(self, Self::Stop | Self::Signal) {
            return Ok(result.description.clone().into_owned());
        }
        Err(CommandError::UnknownResult {
            name: name.into_owned(),
            description: result.description.clone().into_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(operation: Operation, code: FaultCode, expected: Result<&str, &str>) {
        let result = StatusResult {
            name: "p".into(),
            group: "g".into(),
            status: i64::from(code.code()),
            description: "text".into(),
        };
        let line = operation.line(&result).map_err(|error| error.to_string());
        assert_eq!(line.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn every_result_has_its_words() {
        use Operation::{Clear, Signal, Start, Stop};
        check(Start, FaultCode::Success, Ok("g:p: started"));
        check(Start, FaultCode::NoFile, Ok("g:p: ERROR (no such file)"));
        check(Start, FaultCode::SpawnError, Ok("g:p: ERROR (spawn error)"));
        check(Start, FaultCode::Failed, Err("g:p: text"));
        check(Stop, FaultCode::Success, Ok("g:p: stopped"));
        check(Stop, FaultCode::NotRunning, Ok("g:p: ERROR (not running)"));
        check(Stop, FaultCode::Failed, Ok("text"));
        check(Signal, FaultCode::Success, Ok("g:p: signalled"));
        check(
            Signal,
            FaultCode::BadSignal,
            Ok("g:p: ERROR (bad signal name)"),
        );
        check(Clear, FaultCode::Failed, Ok("g:p: ERROR (failed)"));
        check(Clear, FaultCode::ShutdownState, Err("g:p: text"));
    }
}

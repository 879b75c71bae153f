//! `start`, `stop`, `restart`, `signal` and `clear`: the same thing done to several processes.

use linchpin_protocol::{FaultCode, Namespec, StatusResult, WriteValue};

use crate::controller::Controller;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::fault_words::Operation;

/// Methods for one process, a group, and all.
struct Methods {
    one: &'static str,
    group: Option<&'static str>,
    all: &'static str,
}

const START: Methods = Methods {
    one: "supervisor.startProcess",
    group: Some("supervisor.startProcessGroup"),
    all: "supervisor.startAllProcesses",
};
const STOP: Methods = Methods {
    one: "supervisor.stopProcess",
    group: Some("supervisor.stopProcessGroup"),
    all: "supervisor.stopAllProcesses",
};
const SIGNAL: Methods = Methods {
    one: "supervisor.signalProcess",
    group: Some("supervisor.signalProcessGroup"),
    all: "supervisor.signalAllProcesses",
};
const CLEAR: Methods = Methods {
    one: "supervisor.clearProcessLogs",
    // There is no such method; `g:*` goes to the one for a single process, which refuses it.
    group: None,
    all: "supervisor.clearAllProcessLogs",
};

pub(super) fn start(controller: &mut Controller<'_>, arguments: &str) -> Result<(), CommandError> {
    if controller.upcheck()? {
        start_checked(controller, arguments)?;
    }
    Ok(())
}

fn start_checked(controller: &mut Controller<'_>, arguments: &str) -> Result<(), CommandError> {
    if arguments.is_empty() {
        let complaint = "Error: start requires a process name";
        return controller.misused(complaint, "start", ExitCode::InvalidArguments);
    }
    to_each(controller, Operation::Start, &START, arguments, None)
}

pub(super) fn stop(controller: &mut Controller<'_>, arguments: &str) -> Result<(), CommandError> {
    if controller.upcheck()? {
        stop_checked(controller, arguments)?;
    }
    Ok(())
}

fn stop_checked(controller: &mut Controller<'_>, arguments: &str) -> Result<(), CommandError> {
    if arguments.is_empty() {
        let complaint = "Error: stop requires a process name";
        return controller.misused(complaint, "stop", ExitCode::Generic);
    }
    to_each(controller, Operation::Stop, &STOP, arguments, None)
}

/// Every stop comes before any start.
pub(super) fn restart(
    controller: &mut Controller<'_>,
    arguments: &str,
) -> Result<(), CommandError> {
    if !controller.upcheck()? {
        return Ok(());
    }
    if arguments.is_empty() {
        let complaint = "Error: restart requires a process name";
        return controller.misused(complaint, "restart", ExitCode::Generic);
    }
    stop_checked(controller, arguments)?;
    start_checked(controller, arguments)
}

pub(super) fn signal(controller: &mut Controller<'_>, arguments: &str) -> Result<(), CommandError> {
    if !controller.upcheck()? {
        return Ok(());
    }
    match arguments.split_once(char::is_whitespace) {
        Some((signal, names)) => {
            to_each(controller, Operation::Signal, &SIGNAL, names, Some(&signal))
        }
        None => controller.misused(
            "Error: signal requires a signal name and a process name",
            "signal",
            ExitCode::Generic,
        ),
    }
}

pub(super) fn clear(controller: &mut Controller<'_>, arguments: &str) -> Result<(), CommandError> {
    if !controller.upcheck()? {
        return Ok(());
    }
    if arguments.is_empty() {
        let complaint = "Error: clear requires a process name";
        return controller.misused(complaint, "clear", ExitCode::Generic);
    }
    to_each(controller, Operation::Clear, &CLEAR, arguments, None)
}

/// Does it to each name in turn, or once to all of them when `all` is among the names. `extra` is
/// a further parameter of every call.
fn to_each(
    controller: &mut Controller<'_>,
    operation: Operation,
    methods: &Methods,
    names: &str,
    extra: Option<&dyn WriteValue>,
) -> Result<(), CommandError> {
    let names: Vec<&str> = names.split_whitespace().collect();
    if names.contains(&"all") {
        let parameters: Vec<&dyn WriteValue> = extra.into_iter().collect();
        return several(controller, operation, methods.all, &parameters);
    }
    for name in names {
        let wanted = Namespec::parse(name);
        match (wanted.process, methods.group) {
            (None, Some(method)) => {
                to_group(controller, operation, method, wanted.group, extra)?;
            }
            (process, _) => {
                let process = process.unwrap_or(NO_PROCESS);
                let parameters: Vec<&dyn WriteValue> = std::iter::once(&name as &dyn WriteValue)
                    .chain(extra)
                    .collect();
                to_one(
                    controller,
                    operation,
                    methods.one,
                    (wanted.group, process),
                    &parameters,
                )?;
            }
        }
    }
    Ok(())
}

/// How the original shows the process of a name that means a whole group.
const NO_PROCESS: &str = "None";

fn to_one(
    controller: &mut Controller<'_>,
    operation: Operation,
    method: &str,
    (group, process): (&str, &str),
    parameters: &[&dyn WriteValue],
) -> Result<(), CommandError> {
    let outcome = controller.session.command(method, parameters);
    let result = result_of(outcome, group, process)?;
    show(controller, operation, &result)
}

/// What became of one process: a fault is a result too.
pub(super) fn result_of(
    outcome: Result<(), CommandError>,
    group: &str,
    process: &str,
) -> Result<StatusResult<'static>, CommandError> {
    let (status, description) = match outcome {
        Ok(()) => (FaultCode::Success.code(), "OK".to_owned()),
        Err(error) => match error.fault() {
            Some(fault) => (fault.code, fault.text.clone()),
            None => return Err(error),
        },
    };
    Ok(StatusResult {
        name: process.to_owned().into(),
        group: group.to_owned().into(),
        status: i64::from(status),
        description: description.into(),
    })
}

fn to_group(
    controller: &mut Controller<'_>,
    operation: Operation,
    method: &str,
    group: &str,
    extra: Option<&dyn WriteValue>,
) -> Result<(), CommandError> {
    let parameters: Vec<&dyn WriteValue> = std::iter::once(&group as &dyn WriteValue)
        .chain(extra)
        .collect();
    match several(controller, operation, method, &parameters) {
        Err(error) if error.fault_code() == Some(FaultCode::BadName) => {
            controller.exit = match operation {
                Operation::Start => ExitCode::InvalidArguments,
                Operation::Stop | Operation::Signal | Operation::Clear => ExitCode::Generic,
            };
            controller
                .out
                .line_now(format_args!("{group}: ERROR (no such group)"));
            Ok(())
        }
        other => other,
    }
}

fn several(
    controller: &mut Controller<'_>,
    operation: Operation,
    method: &str,
    parameters: &[&dyn WriteValue],
) -> Result<(), CommandError> {
    let results: Vec<StatusResult<'_>> = controller.session.call(method, parameters)?;
    let results: Vec<StatusResult<'static>> = results.into_iter().map(owned).collect();
    for result in &results {
        show(controller, operation, result)?;
    }
    Ok(())
}

fn owned(result: StatusResult<'_>) -> StatusResult<'static> {
    StatusResult {
        name: result.name.into_owned().into(),
        group: result.group.into_owned().into(),
        status: result.status,
        description: result.description.into_owned().into(),
    }
}

pub(super) fn show(
    controller: &mut Controller<'_>,
    operation: Operation,
    result: &StatusResult<'_>,
) -> Result<(), CommandError> {
    let line = operation.line(result)?;
    controller.out.line_now(line);
    if let Some(exit) = ExitCode::of_fault(result.kind(), operation.ignored()) {
        controller.exit = exit;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use linchpin_protocol::make_namespec;

    use super::*;

    #[test]
    fn the_name_of_a_whole_group_is_shown_as_the_original_shows_it() {
        let wanted = Namespec::parse("g:*");
        assert_eq!(
            make_namespec(wanted.group, wanted.process.unwrap_or(NO_PROCESS)),
            "g:None"
        );
    }
}

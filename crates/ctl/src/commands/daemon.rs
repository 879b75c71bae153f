//! Commands about the daemon itself: `pid`, `version`, `reload`, `shutdown`, and `open`.

use linchpin_protocol::{FaultCode, ProcessInfo};

use crate::commands::status;
use crate::controller::Controller;
use crate::error::CommandError;
use crate::exit_code::ExitCode;

pub(super) fn pid(controller: &mut Controller<'_>, arguments: &str) -> Result<(), CommandError> {
    if !controller.upcheck()? {
        return Ok(());
    }
    let names: Vec<&str> = arguments.split_whitespace().collect();
    if names.is_empty() {
        let pid: i64 = controller.session.call("supervisor.getPID", &[])?;
        controller.out.line(pid);
    } else if names.contains(&"all") {
        let infos: Vec<ProcessInfo<'_>> = controller
            .session
            .call("supervisor.getAllProcessInfo", &[])?;
        for info in infos {
            controller.out.line(info.pid);
        }
    } else {
        for name in names {
            pid_of(controller, name)?;
        }
    }
    Ok(())
}

fn pid_of(controller: &mut Controller<'_>, name: &str) -> Result<(), CommandError> {
    let info = controller
        .session
        .call::<ProcessInfo<'_>>("supervisor.getProcessInfo", &[&name]);
    match info.map(|info| info.pid) {
        Ok(pid) => {
            controller.out.line(pid);
            if pid == 0 {
                controller.exit = ExitCode::NotRunning;
            }
            Ok(())
        }
        Err(error) if error.fault_code() == Some(FaultCode::BadName) => {
            controller.exit = ExitCode::Generic;
            controller.out.line(format_args!("No such process {name}"));
            Ok(())
        }
        Err(error) => Err(error),
    }
}

pub(super) fn version(
    controller: &mut Controller<'_>,
    arguments: &str,
) -> Result<(), CommandError> {
    if !controller.accepts_no_arguments("version", arguments)? || !controller.upcheck()? {
        return Ok(());
    }
    let version: String = controller
        .session
        .call("supervisor.getSupervisorVersion", &[])?;
    controller.out.line(version);
    Ok(())
}

/// In the shell, asks first. True where nobody is asked.
fn really(controller: &mut Controller<'_>, question: &str) -> Result<bool, CommandError> {
    if !controller.settings.interactive {
        return Ok(true);
    }
    let answer = controller.ask(question)?;
    Ok(answer.starts_with(['y', 'Y']))
}

pub(super) fn reload(controller: &mut Controller<'_>, arguments: &str) -> Result<(), CommandError> {
    if !controller.accepts_no_arguments("reload", arguments)?
        || !really(
            controller,
            "Really restart the remote supervisord process y/N? ",
        )?
    {
        return Ok(());
    }
    match controller.session.command("supervisor.restart", &[]) {
        Ok(()) => controller.out.line("Restarted supervisord"),
        Err(error) if error.fault_code() == Some(FaultCode::ShutdownState) => {
            controller.exit = ExitCode::Generic;
            controller.out.line("ERROR: already shutting down");
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

pub(super) fn shutdown(
    controller: &mut Controller<'_>,
    arguments: &str,
) -> Result<(), CommandError> {
    if !controller.accepts_no_arguments("shutdown", arguments)?
        || !really(
            controller,
            "Really shut the remote supervisord process down y/N? ",
        )?
    {
        return Ok(());
    }
    match controller.session.command("supervisor.shutdown", &[]) {
        Ok(()) => controller.out.line("Shut down"),
        Err(error) if error.fault_code() == Some(FaultCode::ShutdownState) => {
            controller.out.line("ERROR: already shutting down");
        }
        Err(CommandError::Unreachable { url, what }) => {
            controller.exit = ExitCode::Generic;
            controller
                .out
                .line(format_args!("ERROR: {url} {what} (already shut down?)"));
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Turns to another daemon and shows its status; the exit code stays.
pub(super) fn open(controller: &mut Controller<'_>, arguments: &str) -> Result<(), CommandError> {
    let scheme = arguments.split(':').next().unwrap_or_default();
    if !["unix", "http"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
    {
        controller.exit = ExitCode::Generic;
        controller.out.line("ERROR: url must be http:// or unix://");
        return Ok(());
    }
    controller.session.set_url(arguments);
    let before = controller.exit;
    status::status(controller, "")?;
    controller.exit = before;
    Ok(())
}

//! `reread`, `update`, `add`, `remove` and `avail`: the configuration and what of it is active.

use linchpin_protocol::{
    ConfigInfo, FaultCode, ProcessInfo, ReloadResult, StatusResult, make_namespec,
};

use crate::controller::Controller;
use crate::error::CommandError;
use crate::exit_code::ExitCode;

pub(super) fn avail(controller: &mut Controller<'_>, arguments: &str) -> Result<(), CommandError> {
    if !controller.accepts_no_arguments("avail", arguments)? {
        return Ok(());
    }
    let infos = controller
        .session
        .call::<Vec<ConfigInfo<'_>>>("supervisor.getAllConfigInfo", &[]);
    match infos {
        Ok(infos) => {
            for info in infos {
                controller.out.line(format_args!(
                    "{:<32} {:<9} {:<9} {}:{}",
                    make_namespec(&info.group, &info.name),
                    if info.inuse { "in use" } else { "avail" },
                    if info.autostart { "auto" } else { "manual" },
                    info.group_prio,
                    info.process_prio,
                ));
            }
            Ok(())
        }
        Err(error) => cannot_reread(controller, error),
    }
}

/// Says why nothing came of it where there are words for it.
fn cannot_reread(controller: &mut Controller<'_>, error: CommandError) -> Result<(), CommandError> {
    controller.exit = ExitCode::Generic;
    match error.fault() {
        Some(fault) if fault.kind() == Some(FaultCode::ShutdownState) => {
            controller.out.line("ERROR: supervisor shutting down");
        }
        Some(fault) if fault.kind() == Some(FaultCode::CantReread) => {
            controller.out.line(format_args!("ERROR: {fault}"));
        }
        Some(_) | None => return Err(error),
    }
    Ok(())
}

pub(super) fn reread(controller: &mut Controller<'_>, arguments: &str) -> Result<(), CommandError> {
    if !controller.accepts_no_arguments("reread", arguments)? {
        return Ok(());
    }
    let changes: ReloadResult = match controller.session.call("supervisor.reloadConfig", &[]) {
        Ok(changes) => changes,
        Err(error) => return cannot_reread(controller, error),
    };
    let mut lines: Vec<(&str, &str)> = Vec::new();
    for (names, words) in [
        (&changes.added, "available"),
        (&changes.changed, "changed"),
        (&changes.removed, "disappeared"),
    ] {
        lines.extend(names.iter().map(|name| (name.as_str(), words)));
    }
    lines.sort_unstable();
    if lines.is_empty() {
        controller.out.line("No config updates to processes");
    }
    for (name, words) in lines {
        controller.out.line(format_args!("{name}: {words}"));
    }
    Ok(())
}

pub(super) fn add(controller: &mut Controller<'_>, arguments: &str) -> Result<(), CommandError> {
    for name in arguments.split_whitespace() {
        let outcome = controller
            .session
            .command("supervisor.addProcessGroup", &[&name]);
        let line = match outcome {
            Ok(()) => format!("{name}: added process group"),
            Err(error) => match error.fault_code() {
                Some(FaultCode::AlreadyAdded) => "ERROR: process group already active".to_owned(),
                Some(FaultCode::ShutdownState) => {
                    controller.exit = ExitCode::Generic;
                    "ERROR: shutting down".to_owned()
                }
                Some(FaultCode::BadName) => {
                    controller.exit = ExitCode::Generic;
                    format!("ERROR: no such process/group: {name}")
                }
                Some(_) | None => return Err(error),
            },
        };
        controller.out.line_now(line);
    }
    Ok(())
}

pub(super) fn remove(controller: &mut Controller<'_>, arguments: &str) -> Result<(), CommandError> {
    for name in arguments.split_whitespace() {
        let outcome = controller
            .session
            .command("supervisor.removeProcessGroup", &[&name]);
        let line = match outcome {
            Ok(()) => format!("{name}: removed process group"),
            Err(error) => {
                controller.exit = ExitCode::Generic;
                match error.fault_code() {
                    Some(FaultCode::StillRunning) => {
                        format!("ERROR: process/group still running: {name}")
                    }
                    Some(FaultCode::BadName) => format!("ERROR: no such process/group: {name}"),
                    Some(_) | None => return Err(error),
                }
            }
        };
        controller.out.line_now(line);
    }
    Ok(())
}

/// Makes the active configuration what the file says: groups that are gone, then those that
/// changed, then new ones.
pub(super) fn update(controller: &mut Controller<'_>, arguments: &str) -> Result<(), CommandError> {
    let changes: ReloadResult = match controller.session.call("supervisor.reloadConfig", &[]) {
        Ok(changes) => changes,
        Err(error) if error.fault_code() == Some(FaultCode::ShutdownState) => {
            controller.exit = ExitCode::Generic;
            controller.out.line("ERROR: already shutting down");
            return Ok(());
        }
        // The original shows a Python exception here.
        Err(error) => return cannot_reread(controller, error),
    };
    let mut names: Vec<&str> = arguments.split_whitespace().collect();
    if names.contains(&"all") {
        names.clear();
    }
    if !names.is_empty() {
        complain_of_unknown_groups(controller, &names, &changes)?;
    }
    let wanted = |group: &&String| names.is_empty() || names.contains(&group.as_str());
    for group in changes.removed.iter().filter(wanted) {
        if stop_group(controller, group)? {
            controller
                .session
                .command("supervisor.removeProcessGroup", &[group])?;
            say(controller, group, "removed process group")?;
        } else {
            controller.exit = ExitCode::Generic;
            say(controller, group, "has problems; not removing")?;
        }
    }
    for group in changes.changed.iter().filter(wanted) {
        stop_group(controller, group)?;
        controller
            .session
            .command("supervisor.removeProcessGroup", &[group])?;
        controller
            .session
            .command("supervisor.addProcessGroup", &[group])?;
        say(controller, group, "updated process group")?;
    }
    for group in changes.added.iter().filter(wanted) {
        controller
            .session
            .command("supervisor.addProcessGroup", &[group])?;
        say(controller, group, "added process group")?;
    }
    Ok(())
}

fn complain_of_unknown_groups(
    controller: &mut Controller<'_>,
    names: &[&str],
    changes: &ReloadResult,
) -> Result<(), CommandError> {
    let infos: Vec<ProcessInfo<'_>> = controller
        .session
        .call("supervisor.getAllProcessInfo", &[])?;
    for (index, name) in names.iter().enumerate() {
        let known = infos.iter().any(|info| info.group == *name)
            || changes.added.iter().any(|group| group == name)
            || names[..index].contains(name);
        if !known {
            controller.exit = ExitCode::Generic;
            controller
                .out
                .line(format_args!("ERROR: no such group: {name}"));
        }
    }
    Ok(())
}

/// Stops a group; false when a process of it could not be stopped.
fn stop_group(controller: &mut Controller<'_>, group: &str) -> Result<bool, CommandError> {
    let results: Vec<StatusResult<'_>> = controller
        .session
        .call("supervisor.stopProcessGroup", &[&group])?;
    let stopped = results
        .iter()
        .all(|result| result.kind() != Some(FaultCode::Failed));
    say(controller, group, "stopped")?;
    Ok(stopped)
}

fn say(controller: &mut Controller<'_>, group: &str, words: &str) -> Result<(), CommandError> {
    controller.out.line_now(format_args!("{group}: {words}"));
    Ok(())
}

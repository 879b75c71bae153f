//! `quickstart`, `quickstop` and `quickrestart`: everything is asked for at once, and looked at for a few seconds.

use std::time::Duration;

use linchpin_protocol::{Namespec, ProcessInfo};

use crate::controller::Controller;
use crate::error::CommandError;
use crate::fnmatch::matches;
use crate::plugin::Kind;

/// Between two looks, as the package has it. There is no call that waits for several processes at once.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What is asked for.
#[derive(Clone, Copy)]
struct Wish {
    method: &'static str,
    statename: &'static str,
}

const START: Wish = Wish {
    method: "supervisor.startProcess",
    statename: "RUNNING",
};
const STOP: Wish = Wish {
    method: "supervisor.stopProcess",
    statename: "STOPPED",
};

pub(super) fn quickstart(
    controller: &mut Controller<'_>,
    arguments: &str,
) -> Result<(), CommandError> {
    carry_out(controller, arguments, START)
}

pub(super) fn quickstop(
    controller: &mut Controller<'_>,
    arguments: &str,
) -> Result<(), CommandError> {
    carry_out(controller, arguments, STOP)
}

pub(super) fn quickrestart(
    controller: &mut Controller<'_>,
    arguments: &str,
) -> Result<(), CommandError> {
    carry_out(controller, arguments, STOP)?;
    carry_out(controller, arguments, START)
}

fn carry_out(
    controller: &mut Controller<'_>,
    arguments: &str,
    wish: Wish,
) -> Result<(), CommandError> {
    let patterns: Vec<String> = arguments
        .split_whitespace()
        .map(|pattern| match pattern {
            "all" => "*".to_owned(),
            group if group.ends_with(':') => format!("{group}*"),
            pattern => pattern.to_owned(),
        })
        .collect();
    if patterns.is_empty() {
        controller.out.line("No process matched given expression.");
        return Ok(());
    }
    let mut waiting = Vec::new();
    for (name, _) in states(controller)? {
        if !patterns.iter().any(|pattern| matches(pattern, &name)) {
            continue;
        }
        match controller.session.command(wish.method, &[&name, &false]) {
            Ok(()) => waiting.push(name),
            Err(error) => {
                let Some(fault) = error.fault() else {
                    return Err(error);
                };
                let text = fault.to_string();
                let words = text.split(':').next().unwrap_or_default();
                controller.out.line(format_args!("{name} ERROR({words})"));
            }
        }
    }
    let looks = controller
        .settings
        .plugins
        .iter()
        .find_map(|plugin| match plugin.kind {
            Kind::Quick { looks } => Some(looks),
            Kind::SerialRestart | Kind::Wildcards { .. } | Kind::Unknown => None,
        });
    for look in (0..=looks.unwrap_or(0)).rev() {
        if waiting.is_empty() {
            break;
        }
        for (name, state) in states(controller)? {
            let is_over = state == wish.statename || look == 0;
            if is_over && let Some(at) = waiting.iter().position(|waiting| *waiting == name) {
                waiting.remove(at);
                controller.out.line_now(format_args!("{name}: {state}"));
            }
        }
        if look > 0 && !waiting.is_empty() {
            std::thread::sleep(LOOK_EVERY);
        }
    }
    Ok(())
}

/// Every process, always with its group, and its state.
fn states(controller: &mut Controller<'_>) -> Result<Vec<(String, String)>, CommandError> {
    let infos: Vec<ProcessInfo<'_>> = controller
        .session
        .call("supervisor.getAllProcessInfo", &[])?;
    let full = |info: &ProcessInfo<'_>| {
        let name = format!("{}:{}", info.group, info.name);
        debug_assert!(Namespec::parse(&name).group == info.group);
        (name, info.statename.to_string())
    };
    Ok(infos.iter().map(full).collect())
}

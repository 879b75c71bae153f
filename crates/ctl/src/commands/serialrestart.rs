//! `serialrestart`: one process after the other, so that some of them are always up.

use linchpin_protocol::{ProcessInfo, make_namespec};

use crate::commands::operations;
use crate::controller::Controller;
use crate::error::CommandError;
use crate::fnmatch::matches;

pub(super) fn serialrestart(
    controller: &mut Controller<'_>,
    arguments: &str,
) -> Result<(), CommandError> {
    if !controller.upcheck()? {
        return Ok(());
    }
    let patterns: Vec<&str> = arguments.split_whitespace().collect();
    if patterns.is_empty() {
        // The package leaves the exit code alone.
        let exit = controller.exit;
        let complaint = "Error: serialrestart requires a process name";
        return controller.misused(complaint, "serialrestart", exit);
    }
    let infos: Vec<ProcessInfo<'_>> = controller
        .session
        .call("supervisor.getAllProcessInfo", &[])?;
    let names: Vec<String> = infos
        .iter()
        .map(|info| make_namespec(&info.group, &info.name).into_owned())
        .collect();
    let mut chosen: Vec<&String> = Vec::new();
    if patterns.contains(&"all") {
        chosen.extend(&names);
    } else {
        for pattern in patterns {
            let fitting: Vec<&String> =
                names.iter().filter(|name| matches(pattern, name)).collect();
            if fitting.is_empty() {
                controller
                    .out
                    .line(format_args!("No such process {pattern}"));
            }
            chosen.extend(fitting);
        }
        let mut seen = std::collections::HashSet::new();
        chosen.retain(|name| seen.insert(*name));
    }
    for name in chosen {
        operations::restart(controller, name)?;
    }
    Ok(())
}

//! The start of a command that runs beside a process. Runs on a spawner thread.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use linchpin_config::ProcessConfig;
use linchpin_sys::pipe::{NonBlocking, Pipe};
use linchpin_sys::spawn::{SpawnSlot, Stderr, Stream, spawn};

use super::launch::{command, resolve_command, with_variables};
use crate::services::TaskId;
use crate::site::Site;

/// Everything about such a start.
#[derive(Debug)]
pub(crate) struct TaskStart {
    pub(crate) task: TaskId,
    /// Split like `command`.
    pub(crate) command: String,
    /// The process beside which it runs, and as which.
    pub(crate) config: Arc<ProcessConfig>,
    /// The group of that process.
    pub(crate) group: String,
    /// What its environment has besides, before variables of the same name.
    pub(crate) variables: Vec<(OsString, OsString)>,
    pub(crate) site: Arc<Site>,
}

impl TaskStart {
    /// Whether the process is still to be started, so that its last start is another one's.
    fn is_before_start(&self) -> bool {
        self.variables
            .iter()
            .any(|(name, value)| name == "LINCHPIN_HOOK" && value == "pre_start")
    }
}

/// A command that was started.
#[derive(Debug)]
pub(crate) struct TaskStarted {
    pub(crate) pid: i32,
    /// Which step between fork and exec failed, if one did.
    pub(crate) exec_failure: Option<String>,
    /// The reading end of its standard output and error; does not block.
    pub(crate) output: OwnedFd,
}

/// Starts it.
///
/// # Errors
/// Why there is no process.
pub(super) fn start(start: &TaskStart, slot: &SpawnSlot) -> Result<TaskStarted, String> {
    let TaskStart { config, site, .. } = start;
    let resolved = resolve_command(&start.command, config, site).map_err(|failure| failure.text)?;
    let Pipe { reader, writer } = Pipe::new(NonBlocking::Reader)
        .map_err(|error| format!("no pipe for its output: {error}"))?;
    let environment = if start.is_before_start() {
        site.settings.before_a_start(&start.group, &config.name)
    } else {
        site.settings.of_the_start(&start.group, &config.name)
    };
    let mut command = command(resolved, config, &start.group, site, environment)
        .map_err(|failure| failure.text)?;
    with_variables(&mut command, start.variables.iter().cloned());
    command.stdout = Stream::Descriptor(writer);
    command.stderr = Stderr::SameAsStdout;
    let prepared = command.prepare().map_err(|error| error.to_string())?;
    let spawned = spawn(&prepared, slot).map_err(|error| error.to_string())?;
    Ok(TaskStarted {
        pid: spawned.pid.get(),
        exec_failure: spawned.failed.map(|failed| failed.to_string()),
        output: reader,
    })
}

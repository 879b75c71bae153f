//! What happens by itself, and when.

use linchpin_config::{AutoRestart, RestartPolicy};

use crate::explain::Coming;
use crate::process::{Life, Process};
use crate::timers::Timer;
use crate::{HookPoint, Monotonic, Now, ProcessState, Supervisor};

impl Supervisor {
    /// What will happen to a process if nobody does anything.
    pub(super) fn coming(&self, process: &Process, now: Now) -> Vec<Coming> {
        let config = &process.config;
        let timer = self.timers.get(Timer::Process(process.id));
        let from_now = |at: Monotonic| {
            let left = at.since(now.monotonic);
            u64::try_from(left.as_millis()).unwrap_or(u64::MAX)
        };
        let in_ms = timer.map(from_now);
        let coming = |in_ms, text: String| Coming { in_ms, text };
        match (process.state, process.life) {
            (ProcessState::Starting, Life::Blocked) => {
                let mut all = vec![coming(
                    None,
                    "it is started when what it waits for is there".to_owned(),
                )];
                if let Some(at) = self.timers.get(Timer::Dependencies(process.id)) {
                    let text = "it waits no longer for what only orders; with depends_timeout its start fails";
                    all.push(coming(Some(from_now(at)), text.to_owned()));
                }
                all
            }
            (ProcessState::Starting, Life::InFlight) => vec![coming(
                None,
                "the system answers whether there is a process; a file system that hangs keeps it waiting"
                    .to_owned(),
            )],
            (ProcessState::Starting, _) => vec![coming(
                in_ms,
                format!(
                    "it counts as RUNNING if it stays up until then (startsecs={})",
                    config.startsecs
                ),
            )],
            (ProcessState::Backoff, _) if has_restart_policy(process) => {
                vec![coming(in_ms, restart_in_words(process))]
            }
            (ProcessState::Backoff, _) => {
                let tries = config.startretries.max(0).saturating_add(1);
                let attempt = i64::from(process.failures).saturating_add(1);
                vec![coming(
                    in_ms,
                    format!("it is started again, try {attempt} of {tries}; after the last one it is given up (FATAL)"),
                )]
            }
            (ProcessState::Stopping, Life::Alive { .. }) if process.was_killed => vec![coming(
                in_ms,
                "SIGKILL is sent again; a process that survives that hangs in the kernel".to_owned(),
            )],
            (ProcessState::Stopping, Life::Alive { .. })
                if self.runs_hook(process.id, HookPoint::PreStop) =>
            {
                vec![coming(
                    None,
                    "it is told to stop when its pre_stop has ended, or has taken as long as it may"
                        .to_owned(),
                )]
            }
            (ProcessState::Stopping, Life::Alive { .. }) => vec![coming(
                in_ms,
                format!(
                    "SIGKILL is sent if it has not ended by then (stopwaitsecs={})",
                    config.stopwaitsecs
                ),
            )],
            (ProcessState::Stopping, Life::InFlight) => vec![coming(
                in_ms,
                "its start has not been answered; it is given up if there is still no process then"
                    .to_owned(),
            )],
            (ProcessState::Stopping, _) => vec![coming(
                None,
                "it has ended, and its last output is being read".to_owned(),
            )],
            (ProcessState::Exited, _) if in_ms.is_some() && has_restart_policy(process) => {
                vec![coming(in_ms, restart_in_words(process))]
            }
            (ProcessState::Fatal, _) if in_ms.is_some() => vec![coming(
                in_ms,
                "it gets another chance (fatal_retry)".to_owned(),
            )],
            (ProcessState::Exited, _) if in_ms.is_some() => vec![coming(
                in_ms,
                "it is started again (autorestart), at most once a second".to_owned(),
            )],
            (ProcessState::Running, _) if self.shutdown.is_none() => {
                let mut all = Vec::new();
                if let Some(at) = self.timers.get(Timer::Readiness(process.id)) {
                    let text = "its start has failed if it is not ready by then (ready_within)";
                    all.push(coming(Some(from_now(at)), text.to_owned()));
                }
                all.push(coming(None, at_its_end(config.autorestart).to_owned()));
                all
            }
            (
                ProcessState::Stopped
                | ProcessState::Running
                | ProcessState::Exited
                | ProcessState::Fatal
                | ProcessState::Unknown,
                _,
            ) => vec![coming(None, "nothing, until somebody does something".to_owned())],
        }
    }
}

/// What an end will be followed by.
fn at_its_end(autorestart: AutoRestart) -> &'static str {
    match autorestart {
        AutoRestart::Always => "it is started again whenever it ends (autorestart=true)",
        AutoRestart::Unexpected => {
            "it is started again if it ends with a status that is not among its exitcodes \
             (autorestart=unexpected)"
        }
        AutoRestart::Never => "it stays down when it ends (autorestart=false)",
    }
}

fn policy(process: &Process) -> Option<&RestartPolicy> {
    process.config.service.as_ref()?.restart.as_ref()
}

fn has_restart_policy(process: &Process) -> bool {
    policy(process).is_some()
}

fn restart_in_words(process: &Process) -> String {
    match policy(process).map(|policy| policy.limit) {
        None | Some(0) => "it is started again (restart_delay)".to_owned(),
        Some(limit) => format!(
            "it is started again; after {limit} ends in a row it is given up (restart_limit={limit})"
        ),
    }
}

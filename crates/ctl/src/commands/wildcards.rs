//! `mstart`, `mstop` and `mrestart`: as their namesakes, with patterns for names, and all processes at the same time.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};

use linchpin_protocol::{ProcessInfo, StatusResult};

use crate::commands::operations;
use crate::controller::Controller;
use crate::error::CommandError;
use crate::fault_words::Operation;
use crate::fnmatch::matches;
use crate::plugin::Kind;
use crate::session::Session;

/// Most calls that wait for the daemon at the same time; each needs a connection and a thread.
const MOST_AT_ONCE: usize = 32;

type Outcome = Result<(Operation, StatusResult<'static>), CommandError>;

pub(super) fn mstart(controller: &mut Controller<'_>, arguments: &str) -> Result<(), CommandError> {
    to_matching(controller, arguments, &[Operation::Start])
}

pub(super) fn mstop(controller: &mut Controller<'_>, arguments: &str) -> Result<(), CommandError> {
    to_matching(controller, arguments, &[Operation::Stop])
}

pub(super) fn mrestart(
    controller: &mut Controller<'_>,
    arguments: &str,
) -> Result<(), CommandError> {
    to_matching(controller, arguments, &[Operation::Stop, Operation::Start])
}

fn to_matching(
    controller: &mut Controller<'_>,
    arguments: &str,
    operations: &[Operation],
) -> Result<(), CommandError> {
    if !controller.upcheck()? {
        return Ok(());
    }
    let mut patterns: Vec<&str> = arguments.split_whitespace().collect();
    if patterns.contains(&"all") {
        patterns = vec!["*"];
    }
    let with_group = controller.settings.plugins.iter().any(|plugin| {
        plugin.kind
            == Kind::Wildcards {
                matches_group: true,
            }
    });
    let infos: Vec<ProcessInfo<'_>> = controller
        .session
        .call("supervisor.getAllProcessInfo", &[])?;
    let mut names: Vec<(String, String)> = Vec::new();
    for info in &infos {
        let full = format!("{}:{}", info.group, info.name);
        let compared = if with_group {
            full.as_str()
        } else {
            &info.name
        };
        if patterns.iter().any(|pattern| matches(pattern, compared)) {
            names.push((info.group.to_string(), info.name.to_string()));
        }
    }
    if names.is_empty() {
        controller.out.line("No process matched given expression.");
        return Ok(());
    }
    let threads = names.len().min(MOST_AT_ONCE);
    // The next of them is at the end.
    names.reverse();
    let names = Mutex::new(names);
    let session = controller.session.address();
    let (sender, outcomes) = channel();
    let mut failure = None;
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, names, session) = (sender.clone(), &names, &session);
            scope.spawn(move || work_off(names, operations, session.connect(), &sender));
        }
        drop(sender);
        for outcome in outcomes {
            let shown = outcome
                .and_then(|(operation, result)| operations::show(controller, operation, &result));
            failure = failure.take().or(shown.err());
        }
    });
    failure.map_or(Ok(()), Err)
}

fn work_off(
    names: &Mutex<Vec<(String, String)>>,
    operations: &[Operation],
    mut session: Session,
    outcomes: &Sender<Outcome>,
) {
    loop {
        // The lock is held for the taking alone.
        let next = names.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some((group, process)) = next else {
            return;
        };
        for operation in operations {
            let method = match operation {
                Operation::Start => "supervisor.startProcess",
                Operation::Stop | Operation::Signal | Operation::Clear => "supervisor.stopProcess",
            };
            let name = format!("{group}:{process}");
            let outcome = session.command(method, &[&name]);
            let result = operations::result_of(outcome, &group, &process);
            if outcomes
                .send(result.map(|result| (*operation, result)))
                .is_err()
            {
                return;
            }
        }
    }
}

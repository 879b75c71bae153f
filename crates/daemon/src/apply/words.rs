//! An apply in words.

use std::collections::BTreeMap;

use linchpin_core::{ApplyOrder, ApplyPlan, Direction, Failure};
use linchpin_protocol::api::{ApplyReport, ApplyState, FailedService, PlanReport};
use linchpin_protocol::make_namespec;

use super::planning::Changed;
use crate::services::milliseconds;

/// A process as people name it.
pub(super) fn service(group: &str, name: &str) -> String {
    make_namespec(group, name).into_owned()
}

/// Processes as people name them.
pub(super) fn services(processes: &[(String, String)]) -> Vec<String> {
    let processes = processes.iter();
    processes
        .map(|(group, name)| service(group, name))
        .collect()
}

/// The name of a step, for machines.
pub(super) fn name(order: ApplyOrder) -> &'static str {
    match order {
        ApplyOrder::File => "file",
        ApplyOrder::Configure => "configure",
        ApplyOrder::Stop => "stop",
        ApplyOrder::Remove => "remove",
        ApplyOrder::Switch => "switch",
        ApplyOrder::Start => "start",
        ApplyOrder::Reload => "reload",
        ApplyOrder::Wait => "wait",
        ApplyOrder::Settle => "settle",
    }
}

/// A step as it begins.
pub(super) fn beginning(order: ApplyOrder, direction: Direction, plan: &ApplyPlan) -> &'static str {
    match (order, direction) {
        (ApplyOrder::File, Direction::Forward) => match (plan.writes, plan.makes) {
            (true, true) => "writing the settings file, and making what goes with it",
            (false, true) => "making what goes with the settings",
            (_, false) => "writing the settings file",
        },
        (ApplyOrder::File, Direction::Back) => "putting files back",
        (ApplyOrder::Configure, Direction::Forward) => "taking the configuration in",
        (ApplyOrder::Configure, Direction::Back) => "putting the configuration back",
        (ApplyOrder::Stop, _) => "stopping services, dependents first",
        (ApplyOrder::Remove, _) => "removing groups",
        (ApplyOrder::Switch, Direction::Forward) => {
            "having services get the new settings at their next start"
        }
        (ApplyOrder::Switch, Direction::Back) => {
            "having services get the settings of before at their next start"
        }
        (ApplyOrder::Start, _) => "starting services, in the order of their dependencies",
        (ApplyOrder::Reload, _) => "having services read their files again",
        (ApplyOrder::Wait, _) => "waiting until services are ready",
        (ApplyOrder::Settle, Direction::Forward) => "the new settings count for all services",
        (ApplyOrder::Settle, Direction::Back) => "the settings of before count for all services",
    }
}

/// What is made before services are concerned.
pub(super) struct Made<'a> {
    /// `[ca-roots]` is another one.
    pub(super) roots: bool,
    pub(super) certificates: &'a [Changed],
    pub(super) templates: &'a [Changed],
}

/// What a plan will do, step by step.
pub(super) fn steps(
    plan: &ApplyPlan,
    because: &BTreeMap<String, Vec<String>>,
    made: &Made<'_>,
) -> Vec<String> {
    let restarted: Vec<String> = because
        .iter()
        .map(|(service, settings)| format!("{service} ({})", settings.join(", ")))
        .collect();
    let mut steps = Vec::new();
    if plan.writes {
        steps.push("write the settings file".to_owned());
    }
    let mut with = |text: &str, names: &[&[String]]| {
        let names: Vec<&str> = names
            .iter()
            .flat_map(|names| names.iter().map(String::as_str))
            .collect();
        if !names.is_empty() {
            steps.push(format!("{text}: {}", names.join(", ")));
        }
    };
    let names = |all: &[Changed]| -> Vec<String> { all.iter().map(|it| it.name.clone()).collect() };
    if made.roots {
        with("make what programs trust", &[&["[ca-roots]".to_owned()]]);
    }
    with("look after certificates", &[&names(made.certificates)]);
    with("make files of templates", &[&names(made.templates)]);
    with(
        "stop, dependents first",
        &[&plan.removed, &plan.changed, &restarted],
    );
    with("remove", &[&plan.removed]);
    with("read anew", &[&plan.changed]);
    with("add", &[&plan.added]);
    with(
        "start in the order of dependencies, and wait until ready",
        &[&plan.changed, &plan.added, &restarted],
    );
    with("have read their files again", &[&services(&plan.reloaded)]);
    steps
}

/// How it ended, in one line.
pub(super) fn summary(report: &ApplyReport) -> String {
    let names: Vec<&str> = report
        .plan
        .settings
        .iter()
        .map(|change| change.name.as_str())
        .collect();
    let names = if names.is_empty() {
        "no setting has changed".to_owned()
    } else {
        names.join(", ")
    };
    let how = match report.state {
        ApplyState::Running => "under way",
        ApplyState::Done => "applied",
        ApplyState::Refused => "not applied",
        ApplyState::RolledBack => "rolled back",
        ApplyState::NotRolledBack => "not applied, and not wholly rolled back",
        ApplyState::Failed => "applied with failures",
        ApplyState::Interrupted => "interrupted",
    };
    let because = report
        .error
        .as_ref()
        .map_or_else(String::new, |error| format!(": {error}"));
    format!(
        "settings {how} (apply {}, {names}){because}",
        report.generation
    )
}

/// Why a command was not carried out.
pub(super) fn failure(failure: &Failure) -> String {
    let (what, about) = match failure {
        Failure::BadName(about) => ("there is no", about),
        Failure::NoFile(about) => ("there is no such file:", about),
        Failure::NotExecutable(about) => ("it cannot be run:", about),
        Failure::AlreadyStarted(about) => ("it runs already:", about),
        Failure::NotRunning(about) => ("it does not run:", about),
        Failure::SpawnError(about) => ("it cannot be started:", about),
        Failure::AbnormalTermination(about) => ("it has ended:", about),
        Failure::Failed(about) => return about.clone(),
        Failure::AlreadyAdded(about) => ("it is there already:", about),
        Failure::StillRunning(about) => ("it still runs:", about),
        Failure::ShuttingDown => return "the daemon is going down".to_owned(),
    };
    format!("{what} {about}")
}

/// Who has not come up.
pub(super) fn not_ready(services: &[FailedService]) -> String {
    let all: Vec<String> = services
        .iter()
        .map(|failed| format!("{} did not come up: {}", failed.service, failed.text))
        .collect();
    all.join("; ")
}

/// The report of an apply that begins.
pub(super) fn begun(generation: u64, plan: PlanReport) -> ApplyReport {
    ApplyReport {
        generation,
        state: ApplyState::Running,
        started: milliseconds(),
        ended: None,
        plan,
        steps: Vec::new(),
        error: None,
        failed: Vec::new(),
    }
}

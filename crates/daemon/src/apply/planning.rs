//! What an apply would do, found out without doing anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use linchpin_boot::sequence::preflight_problem;
use linchpin_boot::settings::Edit;
use linchpin_boot::templates::{self, Outcome};
use linchpin_config::{
    ActiveGroup, Config, Difference, GroupConfig, OnChange, OnFailure, ProcessConfig, Supervisord,
    diff_active,
};
use linchpin_core::ApplyPlan;
use linchpin_protocol::api::{ApplyProblem, PlanReport, ServiceStatus};

use super::{Refusal, words};
use crate::control::Basis;
use crate::settings::{Planned, PlannedConfigs, is_meant};

/// Everything that is known before anything is changed.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) planned: Planned,
    pub(super) configs: PlannedConfigs,
    pub(super) plan: ApplyPlan,
    pub(super) report: PlanReport,
}

/// Waits for the disk, and for commands that judge values.
pub(super) fn prepare(
    basis: &Basis,
    services: &[ServiceStatus],
    edits: &[Edit],
) -> Result<Prepared, Refusal> {
    let settings = &basis.settings;
    let mut planned = settings.plan(edits).map_err(Refusal::Invalid)?;
    let configs = settings
        .configs(&mut planned, &basis.invocation.request())
        .map_err(Refusal::Invalid)?;
    let Difference {
        added,
        changed,
        removed,
    } = difference(&basis.at_work, &configs.after);
    let mut warnings = preflights(&planned, &configs)?;
    let templates = templates(&planned, &configs)?;
    let certificates = certificates(&configs);
    let mut because: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut restarted, mut reloaded) = (Vec::new(), Vec::new());
    for group in &basis.at_work {
        if changed.contains(&group.name) || removed.contains(&group.name) {
            continue;
        }
        for process in &group.processes {
            let is_stopped = services
                .iter()
                .find(|service| service.group == group.name && service.name == process.name)
                .is_none_or(|service| service.state == "STOPPED");
            if is_stopped {
                continue;
            }
            let name = &process.name;
            let section = &process.section;
            let mut names = settings.restarting(&group.name, name, section, &planned.new);
            let reads = |changed: &&Changed| {
                let mut services = changed.services.iter();
                services.any(|service| is_meant(service, &group.name, name, section))
            };
            let all = templates.iter().chain(&certificates);
            let read: Vec<&Changed> = all.filter(reads).collect();
            let needs_restart =
                |changed: &Changed| changed.on_change == OnChange::Restart || !can_reload(process);
            let again = read.iter().filter(|changed| needs_restart(changed));
            names.extend(again.map(|changed| format!("{} {}", changed.what, changed.name)));
            let id = (group.name.clone(), name.clone());
            if !names.is_empty() {
                restarted.push(id);
                because.insert(words::service(&group.name, name), names);
            } else if !read.is_empty() {
                reloaded.push(id);
            }
        }
    }
    let plan = ApplyPlan {
        writes: planned.draft.is_new(),
        makes: !templates.is_empty() || configs.roots.is_some(),
        removed,
        changed,
        added,
        restarted,
        reloaded,
    };
    warnings.extend(planned.draft.changed.warnings.iter().cloned());
    let has_effect = !(plan.added.is_empty() && plan.changed.is_empty() && plan.removed.is_empty());
    for change in &planned.changes {
        if !settings.names_services(&change.name)
            && !has_effect
            && templates.is_empty()
            && certificates.is_empty()
        {
            warnings.push(format!(
                "nothing is restarted for {0}: services get it at their next start. [setting:{0}] services= says who is to be restarted",
                change.name
            ));
        }
    }
    if configs.roots.is_some() {
        warnings.push(
            "programs that run trust what they did when they were started, until they are restarted"
                .to_owned(),
        );
    }
    let made = words::Made {
        roots: configs.roots.is_some(),
        certificates: &certificates,
        templates: &templates,
    };
    let report = PlanReport {
        writes: plan.writes,
        settings: planned.changes.clone(),
        added: plan.added.clone(),
        changed: plan.changed.clone(),
        removed: plan.removed.clone(),
        restarted: because.keys().cloned().collect(),
        templates: templates.iter().map(|it| it.name.clone()).collect(),
        reloaded: words::services(&plan.reloaded),
        steps: words::steps(&plan, &because, &made),
        warnings,
    };
    Ok(Prepared {
        planned,
        configs,
        plan,
        report,
    })
}

/// Something that services read and that is made anew.
#[derive(Debug)]
pub(super) struct Changed {
    what: &'static str,
    pub(super) name: String,
    /// Who reads it.
    services: Vec<String>,
    on_change: OnChange,
}

/// Whether everything is as it must be for what the settings switch on; what should only be seen to.
fn preflights(planned: &Planned, configs: &PlannedConfigs) -> Result<Vec<String>, Refusal> {
    let (mut warnings, mut problems) = (Vec::new(), Vec::new());
    for config in configs.new_preflights() {
        let Some(problem) = preflight_problem(config, &configs.scope) else {
            continue;
        };
        let message = planned.masked(&problem);
        match config.policy.on_failure {
            OnFailure::Warn => warnings.push(message),
            // Who asks for services that cannot be there is told now.
            OnFailure::Fatal | OnFailure::Skip => problems.push(ApplyProblem {
                setting: None,
                message,
            }),
        }
    }
    if problems.is_empty() {
        Ok(warnings)
    } else {
        Err(Refusal::Invalid(problems))
    }
}

/// The templates of which something else would be made.
fn templates(planned: &Planned, configs: &PlannedConfigs) -> Result<Vec<Changed>, Refusal> {
    let prepared = templates::prepare(&configs.after.boot.templates, &configs.scope, true);
    let (mut changed, mut problems) = (Vec::new(), Vec::new());
    for report in prepared.reports() {
        if let Outcome::Failed(all) = &report.outcome {
            problems.extend(all.iter().map(|problem| ApplyProblem {
                setting: None,
                message: planned.masked(&format!("[template:{}]: {problem}", report.name)),
            }));
        } else if report.is_change() {
            changed.push(Changed {
                what: "template",
                name: report.name.clone(),
                services: report.services.clone(),
                on_change: report.on_change,
            });
        }
    }
    if problems.is_empty() {
        Ok(changed)
    } else {
        Err(Refusal::Invalid(problems))
    }
}

/// The certificates that are to be other ones.
fn certificates(configs: &PlannedConfigs) -> Vec<Changed> {
    let (after, _) = configs.changed_certificates();
    let changed = after.into_iter().map(|certificate| Changed {
        what: "certificate",
        name: certificate.name,
        services: certificate.policy.services,
        on_change: OnChange::Reload,
    });
    changed.collect()
}

/// Whether a process has a way to read its files again.
fn can_reload(process: &ProcessConfig) -> bool {
    let options = process.service.as_ref();
    options.is_some_and(|it| it.reload_signal.is_some() || it.hooks.reload_command.is_some())
}

/// What a configuration changes in the groups at work, to which the environment of `[supervisord]` has been added.
pub(crate) fn difference(at_work: &[Arc<GroupConfig>], after: &Config) -> Difference {
    let nothing_more = BTreeMap::new();
    let active: Vec<ActiveGroup<'_>> = at_work
        .iter()
        .map(|group| ActiveGroup {
            group,
            daemon_environment: &nothing_more,
        })
        .collect();
    let compared = Config {
        supervisord: Supervisord {
            environment: BTreeMap::new(),
            ..after.supervisord.clone()
        },
        ..after.clone()
    };
    diff_active(&active, &compared)
}

/// Processes of groups, and whether they start with their group.
pub(super) fn members<'a>(
    config: &'a Config,
    groups: impl Iterator<Item = &'a String>,
) -> impl Iterator<Item = ((String, String), bool)> {
    groups
        .filter_map(|name| config.groups.iter().find(|group| group.name == *name))
        .flat_map(|group| {
            group.processes.iter().map(|process| {
                let name = (group.name.clone(), process.name.clone());
                (name, process.autostart)
            })
        })
}

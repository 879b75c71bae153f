//! What an apply would do, found out without doing anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use linchpin_boot::settings::Edit;
use linchpin_config::{ActiveGroup, Config, Difference, GroupConfig, Supervisord, diff_active};
use linchpin_core::ApplyPlan;
use linchpin_protocol::api::{PlanReport, ServiceStatus};

use super::{Refusal, words};
use crate::control::Basis;
use crate::settings::{Planned, PlannedConfigs};

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
    let planned = settings.plan(edits).map_err(Refusal::Invalid)?;
    let configs = settings
        .configs(&planned, &basis.invocation.request())
        .map_err(Refusal::Invalid)?;
    let Difference {
        added,
        changed,
        removed,
    } = difference(&basis.at_work, &configs.after);
    let mut because: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut restarted = Vec::new();
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
            let names = settings.restarting(&group.name, name, &process.section, &planned.new);
            if !names.is_empty() {
                restarted.push((group.name.clone(), name.clone()));
                because.insert(words::service(&group.name, name), names);
            }
        }
    }
    let plan = ApplyPlan {
        writes: planned.draft.is_new(),
        removed,
        changed,
        added,
        restarted,
    };
    let mut warnings = planned.draft.changed.warnings.clone();
    let has_effect = !(plan.added.is_empty() && plan.changed.is_empty() && plan.removed.is_empty());
    for change in &planned.changes {
        if !settings.names_services(&change.name) && !has_effect {
            warnings.push(format!(
                "nothing is restarted for {0}: services get it at their next start. [setting:{0}] services= says who is to be restarted",
                change.name
            ));
        }
    }
    let report = PlanReport {
        writes: plan.writes,
        settings: planned.changes.clone(),
        added: plan.added.clone(),
        changed: plan.changed.clone(),
        removed: plan.removed.clone(),
        restarted: because.keys().cloned().collect(),
        steps: words::steps(&plan, &because),
        warnings,
    };
    Ok(Prepared {
        planned,
        configs,
        plan,
        report,
    })
}

/// What a configuration changes in the groups at work, to which the environment of `[supervisord]` has been added.
fn difference(at_work: &[Arc<GroupConfig>], after: &Config) -> Difference {
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

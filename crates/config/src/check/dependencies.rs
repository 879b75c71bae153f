//! Dependencies that wait for what never comes, and oneshots that keep each other from running.

use std::collections::HashMap;

use super::Judge;
use crate::model::{AutoRestart, Config, ProcessConfig};
use crate::options::service as options;
use crate::service::{Condition, Dependency, ServiceConfig};

/// Dependencies whose condition never comes true, or says less than it seems to.
pub(super) fn judge(
    judge: &mut Judge<'_>,
    config: &Config,
    process: &ProcessConfig,
    service: &ServiceConfig,
) {
    for dependency in &service.dependencies {
        let Some(needed) = needed(config, dependency) else {
            continue;
        };
        let options = needed.service.as_deref();
        let is_oneshot = options.is_some_and(|options| options.oneshot);
        let has_readiness = options.is_some_and(|options| options.readiness.is_some());
        let name = title(dependency);
        let (message, help) = match dependency.condition {
            Condition::Completed if !is_oneshot && needed.autorestart == AutoRestart::Always => (
                format!(
                    "`{name}` never completes: with `autorestart=true` it is always started again"
                ),
                format!("add `oneshot=true` to [{}]", needed.section),
            ),
            Condition::Ready if is_oneshot && !has_readiness => (
                format!("`{name}` is a oneshot, which is ready while it runs"),
                format!("write `{name} completed`"),
            ),
            Condition::Ready if !has_readiness => (
                format!("`{name}` has no `readiness`, so it is ready as soon as it is RUNNING"),
                format!(
                    "add `readiness` to [{}], or write `{name} started`",
                    needed.section
                ),
            ),
            Condition::Started if is_oneshot => (
                format!("`{name}` is a oneshot, which may have ended before it counts as started"),
                format!("write `{name} completed`"),
            ),
            Condition::Order | Condition::Started | Condition::Ready | Condition::Completed => {
                continue;
            }
        };
        let entry = judge.written(&process.section, options::DEPENDS_ON.name);
        judge.warn(entry.map(crate::document::Entry::value_span), message, help);
    }
}

/// What a dependency is about; the first process of a group stands for all.
fn needed<'c>(config: &'c Config, dependency: &Dependency) -> Option<&'c ProcessConfig> {
    let group = config
        .groups
        .iter()
        .find(|group| group.name == dependency.group)?;
    let mut processes = group.processes.iter();
    let found = match &dependency.process {
        Some(name) => processes.find(|process| process.name == *name),
        None => processes.next(),
    };
    found.map(AsRef::as_ref)
}

fn title(dependency: &Dependency) -> String {
    match &dependency.process {
        Some(process) => format!("{}:{process}", dependency.group),
        None => dependency.group.clone(),
    }
}

/// Several oneshots with one marker: the first that is done keeps the others from running.
pub(super) fn markers(judge: &mut Judge<'_>, config: &Config) {
    let mut first: HashMap<&str, &str> = HashMap::new();
    for group in &config.groups {
        for process in &group.processes {
            let marker = process
                .service
                .as_ref()
                .and_then(|service| service.marker.as_deref());
            let Some(marker) = marker else { continue };
            match first.get(marker) {
                None => {
                    first.insert(marker, &process.name);
                }
                Some(other) => {
                    let entry = judge.written(&process.section, options::MARKER.name);
                    judge.warn_of_kind(
                        format!("marker {marker}"),
                        entry.map(crate::document::Entry::value_span),
                        format!(
                            "`{}` and `{other}` have the same marker, so only one of them ever runs",
                            process.name
                        ),
                        "give each a marker of its own, for example with `%(process_num)d`",
                    );
                }
            }
        }
    }
}

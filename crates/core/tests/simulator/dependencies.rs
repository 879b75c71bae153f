//! Random dependencies, and what must be true of them.

use std::sync::Arc;

use linchpin_config::{
    Condition, Config, Dependency, GroupConfig, OnDependencyFailed, OnDependencyLost,
    ProcessConfig, ServiceConfig,
};
use std::time::Duration;

use super::random::Random;

/// Gives some of the processes dependencies: those with a condition only on what comes earlier by name, as
/// a cycle of them is an error of the file; bare ones on anything.
pub(crate) fn add(random: &mut Random, config: &mut Config) {
    let all: Vec<(String, String)> = config
        .groups
        .iter()
        .flat_map(|group| {
            let names = group.processes.iter().map(|process| process.name.clone());
            names.map(|name| (group.name.clone(), name))
        })
        .collect();
    for group in &mut config.groups {
        let mut changed = GroupConfig::clone(group);
        for process in &mut changed.processes {
            if random.percent(50) {
                let mut with = ProcessConfig::clone(process);
                // Tries without end would never come to rest.
                with.startretries = with.startretries.min(3);
                let rest = with.service.take().unwrap_or_default();
                let mut service = service(random, &group.name, &process.name, &all, *rest);
                super::lives::give_up_sometime(&mut service);
                with.service = Some(Box::new(service));
                *process = Arc::new(with);
            }
        }
        *group = Arc::new(changed);
    }
}

fn service(
    random: &mut Random,
    group: &str,
    name: &str,
    all: &[(String, String)],
    rest: ServiceConfig,
) -> ServiceConfig {
    let count = 1 + random.index(2);
    let dependencies = (0..count)
        .map(|_| dependency(random, group, name, all))
        .collect();
    ServiceConfig {
        dependencies,
        depends_timeout: Duration::from_secs(random.pick(&[0, 0, 0, 3, 20])),
        on_dependency_failed: random.pick(&[OnDependencyFailed::Wait, OnDependencyFailed::Fail]),
        on_dependency_lost: random.pick(&[
            OnDependencyLost::Keep,
            OnDependencyLost::Restart,
            OnDependencyLost::Stop,
        ]),
        ..rest
    }
}

fn dependency(
    random: &mut Random,
    group: &str,
    name: &str,
    all: &[(String, String)],
) -> Dependency {
    let (other_group, other_name) = &all[random.index(all.len())];
    let is_earlier = other_group.as_str() < group;
    let is_group = random.percent(40);
    let is_earlier_member = other_group == group && other_name.as_str() < name && !is_group;
    let condition = if is_earlier || is_earlier_member {
        random.pick(&[
            Condition::Order,
            Condition::Started,
            Condition::Ready,
            Condition::Ready,
            Condition::Completed,
        ])
    } else {
        Condition::Order
    };
    Dependency {
        group: if random.percent(3) {
            "nobody".to_owned()
        } else {
            other_group.clone()
        },
        process: (!is_group).then(|| other_name.clone()),
        condition,
    }
}

/// The dependencies of a process that must be met.
pub(crate) fn binding(config: &ProcessConfig) -> impl Iterator<Item = &Dependency> {
    config
        .service
        .iter()
        .flat_map(|service| &service.dependencies)
        .filter(|dependency| dependency.condition != Condition::Order)
}

/// Whether a dependency means this process.
pub(crate) fn means(dependency: &Dependency, group: &str, name: &str) -> bool {
    dependency.group == group
        && dependency
            .process
            .as_ref()
            .is_none_or(|process| process == name)
}

//! What a script says of a program beyond Supervisor's options: `needs=db/ready,jobs:migrate/completed`.

use std::time::Duration;

use linchpin_config::{
    Condition, Dependency, OnDependencyFailed, OnDependencyLost, ProcessConfig, ServiceConfig,
};

/// Takes a word of a program line, if it is one of these.
pub(crate) fn take(process: &mut ProcessConfig, key: &str, value: &str) -> bool {
    let mut service: Box<ServiceConfig> = process.service.clone().unwrap_or_default();
    match key {
        "needs" => service.dependencies = value.split(',').map(dependency).collect(),
        "depends_timeout" => service.depends_timeout = seconds(value),
        "failed" => {
            service.on_dependency_failed = match value {
                "fail" => OnDependencyFailed::Fail,
                _ => OnDependencyFailed::Wait,
            };
        }
        "lost" => {
            service.on_dependency_lost = match value {
                "restart" => OnDependencyLost::Restart,
                "stop" => OnDependencyLost::Stop,
                _ => OnDependencyLost::Keep,
            };
        }
        _ => return false,
    }
    process.service = Some(service);
    true
}

fn dependency(text: &str) -> Dependency {
    let (name, condition) = text.split_once('/').unwrap_or((text, ""));
    let (group, process) = match name.split_once(':') {
        Some((group, process)) => (group, Some(process.to_owned())),
        None => (name, None),
    };
    Dependency {
        group: group.to_owned(),
        process,
        condition: match condition {
            "started" => Condition::Started,
            "ready" => Condition::Ready,
            "completed" => Condition::Completed,
            _ => Condition::Order,
        },
    }
}

fn seconds(value: &str) -> Duration {
    Duration::from_secs_f64(value.parse().expect("seconds"))
}

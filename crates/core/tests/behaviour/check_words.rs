//! What scripts say about services: options of ours, answers of probes, and notifications.

use std::time::Duration;

use linchpin_config::{Checks, Probe, ProbeKind, ProcessConfig, ServiceConfig};
use linchpin_core::{Check, CheckPurpose, Notification, ProbeOutcome, ProcessView, Readiness};

use crate::script::decimal;

/// Takes `key=value` if it is an option of ours.
pub(crate) fn take(process: &mut ProcessConfig, key: &str, value: &str) -> bool {
    let mut service = process.service.take().unwrap_or_default();
    let is_ours = set(&mut service, key, value);
    if is_ours || *service != ServiceConfig::default() {
        process.service = Some(service);
    }
    is_ours
}

fn set(service: &mut ServiceConfig, key: &str, value: &str) -> bool {
    let number = || value.parse().expect("a number");
    match key {
        "service" => {}
        "readiness" => service.readiness = Some(checks(value)),
        "ready_within" => service.ready_within = duration(value),
        "liveness" => service.liveness = Some(checks(value)),
        "liveness_start_period" => service.liveness_start_period = duration(value),
        "liveness_restarts" => service.liveness_restarts = number(),
        "memory_max" => service.memory_max = value.parse().expect("bytes"),
        "memory_interval" => service.memory_interval = duration(value),
        _ => {
            let (checks, rest) = if let Some(rest) = key.strip_prefix("readiness_") {
                (service.readiness.as_mut(), rest)
            } else if let Some(rest) = key.strip_prefix("liveness_") {
                (service.liveness.as_mut(), rest)
            } else {
                return false;
            };
            let checks = checks.expect("probes come first");
            match rest {
                "interval" => checks.interval = duration(value),
                "timeout" => checks.timeout = duration(value),
                "successes" => checks.successes = number(),
                "failures" => checks.failures = number(),
                _ => return false,
            }
        }
    }
    true
}

/// Probes by their kinds: `tcp,log`.
fn checks(value: &str) -> Checks {
    let probes = value.split(',').map(|word| Probe {
        text: word.to_owned(),
        kind: match word {
            "tcp" => ProbeKind::Tcp {
                host: "localhost".to_owned(),
                port: 1,
            },
            "file" => ProbeKind::File {
                path: "/f".to_owned(),
            },
            "log" => ProbeKind::Log {
                pattern: "up".to_owned(),
            },
            "fd" => ProbeKind::Descriptor(3),
            "notify" => ProbeKind::Notify,
            other => panic!("a probe says {other}"),
        },
    });
    Checks {
        probes: probes.collect(),
        interval: Duration::from_secs(10),
        timeout: Duration::from_secs(3),
        successes: 1,
        failures: 3,
    }
}

pub(crate) fn duration(seconds: &str) -> Duration {
    Duration::from_secs_f64(seconds.parse().expect("seconds"))
}

/// `readiness 1`.
pub(crate) fn check(purpose: &str, index: &str) -> Check {
    Check {
        purpose: match purpose {
            "readiness" => CheckPurpose::Readiness,
            "liveness" => CheckPurpose::Liveness,
            other => panic!("a check says {other}"),
        },
        index: index.parse().expect("a number"),
    }
}

/// `pass`, or why not.
pub(crate) fn outcome(words: &[&str]) -> ProbeOutcome {
    match words {
        ["pass"] => ProbeOutcome::Passed,
        words => ProbeOutcome::Failed(words.join(" ")),
    }
}

/// `ready`, `main=200`, `status=going_well`.
pub(crate) fn notification(words: &[&str]) -> Notification {
    let mut notification = Notification::default();
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("ready", _) => notification.ready = true,
            ("reloading", _) => notification.reloading = true,
            ("stopping", _) => notification.stopping = true,
            ("alive", _) => notification.alive = true,
            ("broken", _) => notification.broken = true,
            ("status", text) => notification.status = Some(text.replace('_', " ")),
            ("main", pid) => notification.main_pid = Some(pid.parse().expect("a pid")),
            ("extend", seconds) => notification.extend = Some(duration(seconds)),
            (word, _) if word.starts_with('^') => {}
            (other, _) => panic!("a notification says {other}"),
        }
    }
    notification
}

/// What people are shown of it, line by line.
pub(crate) fn show(view: &ProcessView<'_>) -> Vec<String> {
    let Some(service) = view.service else {
        return vec![format!("no service, ready: {}", view.is_ready)];
    };
    let readiness = match service.readiness() {
        Readiness::Unknown => "unknown".to_owned(),
        Readiness::NotReady => "not ready".to_owned(),
        Readiness::Ready { since } => format!("since {}", decimal(since.monotonic.0)),
    };
    let at =
        |at: Option<linchpin_core::Monotonic>| at.map_or("never".to_owned(), |at| decimal(at.0));
    let mut lines = vec![format!(
        "ready: {} ({readiness}) missing={:?} until={} status={:?} liveness-restarts={:?} memory={:?}",
        view.is_ready,
        service.missing(),
        at(service.ready_until()),
        service.status(),
        service.liveness_restarts(),
        service.memory(),
    )];
    for check in service.checks() {
        let last = match check.last {
            None => "nothing".to_owned(),
            Some((when, failure)) => format!(
                "{} at {}",
                failure.unwrap_or("passed"),
                decimal(when.monotonic.0)
            ),
        };
        lines.push(format!(
            "{} {}: passing={} contrary={} attempts={} asked={} next={} last={last}",
            check.check.purpose.name(),
            check.probe.text,
            check.is_passing,
            check.contrary,
            check.attempts,
            at(check.asked),
            at(check.next),
        ));
    }
    lines
}

//! Random checks.

use std::time::Duration;

use linchpin_config::{Checks as Settings, Probe, ProbeKind, ProcessConfig};
use linchpin_core::CheckPurpose;

use super::TOO_MUCH;
use crate::simulator::random::Random;

/// Gives a process checks, beside what else its service has.
pub(crate) fn add(random: &mut Random, process: &mut ProcessConfig) {
    let mut service = process.service.take().unwrap_or_default();
    let pause = |random: &mut Random, choices: &[u64]| Duration::from_millis(random.pick(choices));
    // Rarely, as rest takes many attempts then.
    let quick = if random.percent(10) { 300 } else { 20_000 };
    if random.percent(70) {
        let interval = pause(random, &[0, 5_000, 10_000, 30_000, quick]);
        service.readiness = Some(settings(random, CheckPurpose::Readiness, interval));
    }
    if random.percent(60) {
        let interval = pause(random, &[5_000, 5_000, 10_000, 30_000, quick]);
        service.liveness = Some(settings(random, CheckPurpose::Liveness, interval));
        service.liveness_start_period = pause(random, &[0, 0, 3_000, 20_000]);
        service.liveness_restarts = random.pick(&[0, 0, 1, 2]);
    }
    service.ready_within = pause(random, &[0, 0, 500, 4_000, 30_000]);
    if random.percent(30) {
        service.memory_max = TOO_MUCH - 1;
        service.memory_interval = pause(random, &[4_000, 10_000, 90_000]);
    }
    // Tries without end would never come to rest.
    process.startretries = process.startretries.min(3);
    process.service = Some(service);
}

/// Whether somebody is asked whether he works.
pub(crate) fn has_checks(process: &ProcessConfig) -> bool {
    process.service.as_ref().is_some_and(|service| {
        service.readiness.is_some() || service.liveness.is_some() || service.memory_max > 0
    })
}

fn settings(random: &mut Random, purpose: CheckPurpose, interval: Duration) -> Settings {
    let count = random.pick(&[1, 1, 2, 3]);
    let probes = (0..count).map(|_| {
        let kind = match (random.below(6), purpose) {
            (0, _) => ProbeKind::Notify,
            (1, CheckPurpose::Readiness) => ProbeKind::Descriptor(3),
            (2, CheckPurpose::Readiness) => ProbeKind::Log {
                pattern: "up".to_owned(),
            },
            _ => ProbeKind::File {
                path: "/f".to_owned(),
            },
        };
        Probe {
            text: format!("{kind:?}"),
            kind,
        }
    });
    Settings {
        probes: probes.collect(),
        interval,
        timeout: Duration::from_millis(random.pick(&[100, 3_000, 3_000, 40_000])),
        successes: random.pick(&[1, 1, 2]),
        failures: random.pick(&[1, 2, 3]),
    }
}

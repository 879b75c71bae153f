//! Random restart policies, oneshots, hooks and ends.

use std::time::Duration;

use linchpin_config::{
    Config, EndPattern, Hook, LinchpinConfig, OnDependencyFailed, OnEnd, ProcessConfig,
    RestartPolicy, ServiceConfig,
};

use crate::simulator::random::Random;

/// Gives a process options about its life, beside what else its service has.
pub(crate) fn add(random: &mut Random, group: &str, process: &mut ProcessConfig) {
    let mut service = process.service.take().unwrap_or_default();
    if random.percent(40) {
        service.restart = Some(policy(random));
    }
    if random.percent(25) {
        service.fatal_retry = Duration::from_secs(random.pick(&[2, 20]));
    }
    if random.percent(25) {
        let prevent: &[EndPattern] = random.pick::<&[EndPattern]>(&[
            &[EndPattern::Code(1)],
            &[EndPattern::Code(0), EndPattern::Signal(9)],
            &[EndPattern::Signal(6), EndPattern::Code(2)],
        ]);
        service.restart_prevent = prevent.to_vec();
    }
    if random.percent(30) {
        service.oneshot = true;
        let has_marker = random.percent(60);
        service.marker = has_marker.then(|| format!("/m/{group}/{}", process.name));
    }
    let hooks = &mut service.hooks;
    for hook in [
        &mut hooks.pre_start,
        &mut hooks.post_start,
        &mut hooks.pre_stop,
        &mut hooks.post_stop,
        &mut hooks.stop_command,
        &mut hooks.reload_command,
    ] {
        *hook = random.percent(25).then(|| Hook {
            command: "/bin/hook".to_owned(),
            timeout: Duration::from_secs(random.pick(&[1, 3, 10])),
        });
    }
    service.reload_signal = random.percent(30).then_some(1);
    for end in [&mut service.on_fatal, &mut service.on_exit] {
        if random.percent(8) {
            *end = OnEnd::Shutdown;
        }
    }
    // Tries without end would never come to rest.
    process.startretries = process.startretries.min(3);
    give_up_sometime(&mut service);
    process.service = Some(service);
}

fn policy(random: &mut Random) -> RestartPolicy {
    RestartPolicy {
        delay: Duration::from_millis(random.pick(&[0, 500, 1_000, 5_000])),
        delay_max: Duration::from_secs(random.pick(&[0, 2, 20])),
        jitter_per_mille: random.pick(&[0, 100, 1_000]),
        reset: Duration::from_secs(random.pick(&[0, 2, 60])),
        limit: random.pick(&[0, 1, 2, 3, 5]),
    }
}

/// Whether somebody has options about its life.
pub(crate) fn has_some(process: &ProcessConfig) -> bool {
    process.service.as_ref().is_some_and(|service| {
        service.restart.is_some()
            || service.oneshot
            || service.hooks != linchpin_config::Hooks::default()
    })
}

/// What fails without end, for what it depends on or as it is never ready, would never come to rest.
pub(crate) fn give_up_sometime(service: &mut ServiceConfig) {
    let has_no_end = service
        .restart
        .as_ref()
        .is_some_and(|policy| policy.limit == 0);
    if has_no_end || !service.fatal_retry.is_zero() {
        service.depends_timeout = Duration::ZERO;
        service.ready_within = Duration::ZERO;
        service.on_dependency_failed = OnDependencyFailed::Wait;
    }
}

/// What `[linchpin]` says.
pub(crate) fn add_linchpin(random: &mut Random, config: &mut Config) {
    if random.percent(60) {
        return;
    }
    let processes: Vec<String> = config
        .groups
        .iter()
        .flat_map(|group| {
            let names = group.processes.iter();
            names.map(|process| format!("{}:{}", group.name, process.name))
        })
        .collect();
    let named = processes.get(random.index(processes.len())).cloned();
    config.linchpin = Some(LinchpinConfig {
        shutdown_timeout: Duration::from_secs(random.pick(&[0, 1, 5, 30])),
        exit_code_from: named.filter(|_| random.percent(50)),
        ..LinchpinConfig::default()
    });
}

//! Reads how a service is started again, what its end means, and the commands around its life.

use super::own::OwnReader;
use super::values::{
    boolean, bytes, command, count, duration, ends, file, per_mille, signal, some_duration, word,
};
use crate::options::service::{self as options, HookOptions};
use crate::options::{OptionSpec, service};
use crate::service::{Hook, Hooks, Importance, OnEnd, RestartPolicy, ServiceConfig};

/// The options of which any makes a [`RestartPolicy`].
const POLICY: [&OptionSpec; 5] = [
    &service::RESTART_DELAY,
    &service::RESTART_DELAY_MAX,
    &service::RESTART_JITTER,
    &service::RESTART_RESET,
    &service::RESTART_LIMIT,
];

/// The first wait, where only other options of the policy are written.
const DEFAULT_DELAY: std::time::Duration = std::time::Duration::from_secs(1);

const ON_END: [(&str, OnEnd); 2] = [("ignore", OnEnd::Ignore), ("shutdown", OnEnd::Shutdown)];

/// Puts the options about restarts into a configuration.
pub(super) fn restarts(own: &mut OwnReader<'_, '_, '_>, service: &mut ServiceConfig) {
    let is_policy = POLICY.iter().any(|option| own.is_written(option));
    let delay = own
        .value(&options::RESTART_DELAY, duration)
        .unwrap_or(DEFAULT_DELAY);
    let policy = RestartPolicy {
        delay,
        delay_max: own
            .value(&options::RESTART_DELAY_MAX, duration)
            .unwrap_or_default()
            .max(delay),
        jitter_per_mille: own
            .value(&options::RESTART_JITTER, per_mille)
            .unwrap_or_default(),
        reset: own
            .value(&options::RESTART_RESET, duration)
            .unwrap_or_default(),
        limit: own
            .value(&options::RESTART_LIMIT, count)
            .unwrap_or_default(),
    };
    service.restart = is_policy.then_some(policy);
    service.restart_prevent = own
        .value(&options::RESTART_PREVENT, ends)
        .unwrap_or_default();
    service.fatal_retry = own
        .value(&options::FATAL_RETRY, duration)
        .unwrap_or_default();
    service.memory_max = own.value(&options::MEMORY_MAX, bytes).unwrap_or_default();
    service.memory_interval = own
        .value(&options::MEMORY_INTERVAL, some_duration)
        .unwrap_or_default();
}

/// Puts what an end means into a configuration.
pub(super) fn importance(own: &mut OwnReader<'_, '_, '_>, service: &mut ServiceConfig) {
    const WORDS: [(&str, Importance); 3] = [
        ("essential", Importance::Essential),
        ("normal", Importance::Normal),
        ("optional", Importance::Optional),
    ];
    service.importance = own
        .value(&options::IMPORTANCE, |text| word(text, &WORDS))
        .unwrap_or(Importance::Normal);
    let unless_written = match service.importance {
        Importance::Essential => OnEnd::Shutdown,
        Importance::Normal | Importance::Optional => OnEnd::Ignore,
    };
    // A oneshot that fails is tried again until it is FATAL, so one that has ended has done its work.
    let unless_exit_written = if service.oneshot {
        OnEnd::Ignore
    } else {
        unless_written
    };
    for (option, unless_written, field) in [
        (&options::ON_FATAL, unless_written, &mut service.on_fatal),
        (&options::ON_EXIT, unless_exit_written, &mut service.on_exit),
    ] {
        *field = own
            .if_written(option, |text| word(text, &ON_END))
            .unwrap_or(unless_written);
    }
}

/// Puts what only programs have into a configuration.
pub(super) fn oneshot(own: &mut OwnReader<'_, '_, '_>, service: &mut ServiceConfig) {
    let world = own.reader.world;
    service.oneshot = own.value(&options::ONESHOT, boolean).unwrap_or_default();
    service.marker = own
        .if_written(&options::MARKER, |text| Ok(file(world, text)))
        .flatten();
}

/// Puts the commands around a life into a configuration.
pub(super) fn hooks(own: &mut OwnReader<'_, '_, '_>, service: &mut ServiceConfig) {
    service.hooks = Hooks {
        pre_start: hook(own, &options::PRE_START),
        post_start: hook(own, &options::POST_START),
        pre_stop: hook(own, &options::PRE_STOP),
        post_stop: hook(own, &options::POST_STOP),
        stop_command: hook(own, &options::STOP_COMMAND),
        reload_command: hook(own, &options::RELOAD_COMMAND),
    };
    service.reload_signal = own.if_written(&options::RELOAD_SIGNAL, signal);
}

fn hook(own: &mut OwnReader<'_, '_, '_>, options: &HookOptions) -> Option<Hook> {
    let command = own.if_written(&options.command, command).flatten();
    let timeout = own.value(&options.timeout, some_duration);
    Some(Hook {
        command: command?,
        timeout: timeout?,
    })
}

//! What scripts say about services: options of ours.

use std::time::Duration;

use linchpin_config::{
    EndPattern, Hook, LinchpinConfig, OnEnd, ProcessConfig, RestartPolicy, ServiceConfig,
};

/// Takes `key=value` if it is an option of ours.
pub(crate) fn option(process: &mut ProcessConfig, key: &str, value: &str) -> bool {
    let mut service = process.service.take().unwrap_or_default();
    let is_ours = set(&mut service, key, value);
    if is_ours || *service != ServiceConfig::default() {
        process.service = Some(service);
    }
    is_ours
}

fn set(service: &mut ServiceConfig, key: &str, value: &str) -> bool {
    match key {
        "service" => {}
        _ => return ends::set(service, key, value),
    }
    true
}

/// `[linchpin]`.
pub(crate) fn linchpin(words: &[&str]) -> LinchpinConfig {
    let mut linchpin = LinchpinConfig::default();
    for word in words {
        match word.split_once('=').expect("key=value") {
            ("shutdown_timeout", value) => linchpin.shutdown_timeout = duration(value),
            ("exit_code_from", value) => linchpin.exit_code_from = Some(value.to_owned()),
            (other, _) => panic!("[linchpin] says {other}"),
        }
    }
    linchpin
}

pub(crate) fn duration(seconds: &str) -> Duration {
    Duration::from_secs_f64(seconds.parse().expect("seconds"))
}

/// Options about restarts, hooks and ends.
mod ends {
    use super::*;

    pub(super) fn set(service: &mut ServiceConfig, key: &str, value: &str) -> bool {
        let hooks = &mut service.hooks;
        match key {
            "restart_delay" => policy(service).delay = duration(value),
            "restart_delay_max" => policy(service).delay_max = duration(value),
            "restart_jitter" => {
                policy(service).jitter_per_mille = value.parse().expect("thousandths");
            }
            "restart_reset" => policy(service).reset = duration(value),
            "restart_limit" => policy(service).limit = value.parse().expect("a number"),
            "fatal_retry" => service.fatal_retry = duration(value),
            "restart_prevent" => {
                service.restart_prevent = value
                    .split(',')
                    .map(|end| match end.strip_prefix("signal") {
                        Some(signal) => EndPattern::Signal(signal.parse().expect("a signal")),
                        None => EndPattern::Code(end.parse().expect("an exit status")),
                    })
                    .collect();
            }
            "oneshot" => service.oneshot = value == "true",
            "marker" => service.marker = Some(value.to_owned()),
            "on_fatal" => service.on_fatal = on_end(value),
            "on_exit" => service.on_exit = on_end(value),
            "reload_signal" => service.reload_signal = Some(value.parse().expect("a signal")),
            "pre_start" => hooks.pre_start = hook(value),
            "post_start" => hooks.post_start = hook(value),
            "pre_stop" => hooks.pre_stop = hook(value),
            "post_stop" => hooks.post_stop = hook(value),
            "stop_command" => hooks.stop_command = hook(value),
            "reload_command" => hooks.reload_command = hook(value),
            _ => return false,
        }
        true
    }

    /// Without a random part, unless a script asks for it.
    fn policy(service: &mut ServiceConfig) -> &mut RestartPolicy {
        service.restart.get_or_insert(RestartPolicy {
            delay: Duration::from_secs(1),
            delay_max: Duration::from_secs(60),
            jitter_per_mille: 0,
            reset: Duration::from_secs(60),
            limit: 0,
        })
    }

    fn on_end(value: &str) -> OnEnd {
        match value {
            "shutdown" => OnEnd::Shutdown,
            _ => OnEnd::Ignore,
        }
    }

    /// A hook by the seconds that it has.
    fn hook(seconds: &str) -> Option<Hook> {
        Some(Hook {
            command: "/bin/hook".to_owned(),
            timeout: duration(seconds),
        })
    }
}

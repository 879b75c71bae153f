//! Options that together mean nothing, or something that nobody wants.

use super::{Judge, one_process_of_each_section};
use crate::event_type::EventType;
use crate::model::{AutoRestart, Config, GroupConfig, GroupKind, LogFile, ProcessConfig};

const SIGKILL: i32 = 9;

pub(super) fn judge(judge: &mut Judge<'_>, config: &Config) {
    daemon(judge, config);
    for (group, process) in one_process_of_each_section(config) {
        restarts(judge, process);
        stops(judge, process);
        redirected(judge, process);
        events(judge, config, group, process);
    }
}

/// Options that have their effect only on the way into the background.
fn daemon(judge: &mut Judge<'_>, config: &Config) {
    if !config.supervisord.nodaemon {
        return;
    }
    for key in ["umask", "directory"] {
        if let Some(entry) = judge.written("supervisord", key) {
            judge.warn(
                Some(entry.key_span),
                format!("`{key}` of [supervisord] has no effect with `nodaemon=true`"),
                format!("remove it, or set `{key}` in each program"),
            );
        }
    }
}

fn restarts(judge: &mut Judge<'_>, process: &ProcessConfig) {
    let section = &process.section;
    if process.startsecs <= 0
        && process.autorestart == AutoRestart::Always
        && let Some(entry) = judge.written(section, "startsecs")
    {
        judge.warn(
            Some(entry.value_span()),
            "with `startsecs=0` every start is a success, so with `autorestart=true` a program that fails at once is started for ever and never becomes FATAL",
            "set `startsecs` to 1 or more, or `autorestart` to `false` or `unexpected`",
        );
    }
    if process.autorestart == AutoRestart::Always
        && let Some(entry) = judge.written(section, "exitcodes")
        && judge.written(section, "autorestart").is_some()
    {
        judge.warn(
            Some(entry.key_span),
            "`exitcodes` decides nothing with `autorestart=true`: the program is started again whatever its exit status",
            "set `autorestart=unexpected`, or remove `exitcodes`",
        );
    }
}

fn stops(judge: &mut Judge<'_>, process: &ProcessConfig) {
    let section = &process.section;
    if process.stopsignal != SIGKILL || process.stopasgroup {
        return;
    }
    if process.killasgroup
        && let Some(entry) = judge.written(section, "killasgroup")
    {
        judge.warn(
            Some(entry.key_span),
            "`killasgroup` never comes into play: the stop signal is already KILL, and it goes to the process alone",
            "set `stopasgroup=true`",
        );
    }
}

fn redirected(judge: &mut Judge<'_>, process: &ProcessConfig) {
    if !process.redirect_stderr {
        return;
    }
    for key in [
        "stderr_events_enabled",
        "stderr_capture_maxbytes",
        "stderr_syslog",
    ] {
        let is_on = match key {
            "stderr_events_enabled" => process.stderr.events_enabled,
            "stderr_syslog" => process.stderr.syslog,
            _ => process.stderr.capture_maxbytes > 0,
        };
        if is_on && let Some(entry) = judge.written(&process.section, key) {
            judge.warn(
                Some(entry.key_span),
                format!("`{key}` has no effect with `redirect_stderr=true`"),
                format!("use `{}`", key.replace("stderr", "stdout")),
            );
        }
    }
}

/// Output that is made into events which nobody receives.
fn events(judge: &mut Judge<'_>, config: &Config, group: &GroupConfig, process: &ProcessConfig) {
    let is_listener = matches!(group.kind, GroupKind::EventListener(_));
    for (stream, output) in [("stdout", &process.stdout), ("stderr", &process.stderr)] {
        let capture = format!("{stream}_capture_maxbytes");
        let enabled = format!("{stream}_events_enabled");
        if is_listener && stream == "stdout" {
            if output.capture_maxbytes > 0
                && let Some(entry) = judge.written(&process.section, &capture)
            {
                judge.warn(
                    Some(entry.key_span),
                    format!("`{capture}` has no effect for an event listener"),
                    "remove it",
                );
            }
            continue;
        }
        let checks = [
            (
                output.capture_maxbytes > 0,
                capture,
                "PROCESS_COMMUNICATION",
            ),
            (output.events_enabled, enabled, "PROCESS_LOG"),
        ];
        for (is_on, key, event) in checks {
            let is_heard = is_subscribed(config, event, stream);
            if is_on
                && !is_heard
                && let Some(entry) = judge.written(&process.section, &key)
            {
                judge.warn_of_kind(
                    format!("unheard {key}"),
                    Some(entry.key_span),
                    format!("`{key}` makes events that no event listener receives"),
                    format!("add an [eventlistener:x] with `events={event}`, or remove the option"),
                );
            }
        }
    }
}

fn is_subscribed(config: &Config, event: &str, stream: &str) -> bool {
    let exact = EventType::from_name(&format!("{event}_{stream}"));
    config.groups.iter().any(|group| match &group.kind {
        GroupKind::EventListener(pool) => pool
            .events
            .iter()
            .any(|subscription| exact.is_some_and(|exact| exact.is_a(*subscription))),
        GroupKind::Program | GroupKind::FastCgi(_) => false,
    })
}

/// Whether output goes nowhere.
pub(super) fn is_none(file: &LogFile) -> bool {
    matches!(file, LogFile::None)
}

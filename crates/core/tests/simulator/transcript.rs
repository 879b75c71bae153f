//! What happens in a history, for people.

use std::fmt::Write as _;

use linchpin_config::GroupConfig;
use linchpin_core::Action;

use super::applying::Wish;
use super::checker::summary;
use super::stimulus::Stimulus;

pub(crate) fn seconds(nanoseconds: u64) -> String {
    format!(
        "{}.{:09}",
        nanoseconds / 1_000_000_000,
        nanoseconds % 1_000_000_000
    )
}

pub(crate) fn stimulus_summary(stimulus: &Stimulus) -> String {
    if let Stimulus::Command(command) = stimulus {
        summary(command)
    } else if let Stimulus::BeginAnew { .. } = stimulus {
        "the daemon begins anew".to_owned()
    } else if let Stimulus::Apply(wish) = stimulus {
        let groups = wish.config.iter().flat_map(|config| &config.groups);
        let groups: Vec<String> = groups.map(|group| group_summary(group)).collect();
        let wish = Wish {
            config: None,
            ..Wish::clone(wish)
        };
        format!("Apply [{}] {wish:?}", groups.join(", "))
    } else {
        format!("{stimulus:?}")
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the others are short enough as they are"
)]
pub(crate) fn action_summary(action: &Action) -> String {
    match action {
        Action::Spawn {
            process,
            generation,
            config,
            group,
            socket,
            ..
        } => format!(
            "Spawn {group}:{} {process} {generation:?} {socket:?}",
            config.name
        ),
        Action::CheckCommand {
            operation, process, ..
        } => format!("CheckCommand {operation:?} {process}"),
        Action::ProcessAdded { process, .. } => format!("ProcessAdded {process}"),
        Action::Probe {
            process,
            generation,
            check,
            attempt,
            ..
        } => format!("Probe {process} {generation:?} {check:?} attempt {attempt}"),
        Action::RunHook {
            process,
            generation,
            point,
            pid,
            ..
        } => format!("RunHook {process} {generation:?} {point:?} pid {pid:?}"),
        Action::Log(message) => format!("Log {message}"),
        other => format!("{other:?}"),
    }
}

/// A group in a line.
pub(crate) fn group_summary(group: &GroupConfig) -> String {
    let mut text = format!("{} priority={}", group.name, group.priority);
    for socket in group.sockets() {
        let _ = write!(text, " socket={}", socket.url);
    }
    for process in &group.processes {
        let _ = write!(
            text,
            " {}(priority={} autostart={} autorestart={:?} startsecs={} startretries={} exitcodes={:?} \
             stopwaitsecs={} stopasgroup={} killasgroup={})",
            process.name,
            process.priority,
            process.autostart,
            process.autorestart,
            process.startsecs,
            process.startretries,
            process.exitcodes,
            process.stopwaitsecs,
            process.stopasgroup,
            process.killasgroup
        );
    }
    text
}

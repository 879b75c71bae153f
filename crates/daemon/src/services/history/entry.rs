//! One entry, as it came.

use std::sync::Arc;

use linchpin_core::{ExitStatus, OccurrenceKind, ProcessState, Reason};
use linchpin_protocol::api::{DAEMON_KIND, Exit, HistoryEntry, STATE_KIND};
use linchpin_python::signals::signal_name;

/// One entry. Small, as there are thousands of them.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: u64,
    /// Milliseconds since 1970.
    pub(super) time: i64,
    pub(super) service: Option<Arc<str>>,
    pub(super) what: What,
}

/// What happened.
#[derive(Debug)]
pub(super) enum What {
    State {
        from: ProcessState,
        to: ProcessState,
        pid: i32,
        reason: Reason,
    },
    Occurrence(Box<OccurrenceKind>),
    GroupAdded(Box<str>),
    GroupRemoved(Box<str>),
    DaemonRuns,
    DaemonStops,
}

impl Entry {
    pub(super) fn service(&self) -> Option<&str> {
        self.service.as_deref()
    }

    /// As the world sees it.
    pub(super) fn to_api(&self) -> HistoryEntry {
        let mut entry = HistoryEntry {
            id: self.id,
            time: self.time,
            service: self.service().map(str::to_owned),
            kind: DAEMON_KIND.to_owned(),
            from: None,
            to: None,
            reason: None,
            text: String::new(),
            pid: None,
            exit: None,
        };
        match &self.what {
            What::State {
                from,
                to,
                pid,
                reason,
            } => {
                STATE_KIND.clone_into(&mut entry.kind);
                entry.from = Some(from.name().to_owned());
                entry.to = Some(to.name().to_owned());
                entry.reason = Some(reason.name().to_owned());
                entry.text = reason.to_string();
                entry.pid = Some(*pid).filter(|pid| *pid != 0);
                entry.exit = reason.exit().map(exit);
            }
            What::Occurrence(kind) => {
                kind.name().clone_into(&mut entry.kind);
                entry.text = kind.to_string();
                if let OccurrenceKind::Decided(reason) = kind.as_ref() {
                    entry.reason = Some(reason.name().to_owned());
                    entry.exit = reason.exit().map(exit);
                }
            }
            What::GroupAdded(group) => entry.text = format!("group {group} was added"),
            What::GroupRemoved(group) => entry.text = format!("group {group} was removed"),
            What::DaemonRuns => {
                entry.text = "the daemon is up".to_owned();
                entry.pid = i32::try_from(std::process::id()).ok();
            }
            What::DaemonStops => entry.text = "the daemon stops everything".to_owned(),
        }
        entry
    }

    /// About how many bytes it takes in memory, those of the name left out, which it shares.
    pub(super) fn weight(&self) -> usize {
        let beside = match &self.what {
            What::State { reason, .. } => text_of(reason),
            What::Occurrence(kind) => {
                let texts = match kind.as_ref() {
                    OccurrenceKind::Waits(what) => what.iter().map(|text| 32 + text.len()).sum(),
                    OccurrenceKind::NotReady { text } => text.len(),
                    OccurrenceKind::CheckFailed { probe, text, .. } => probe.len() + text.len(),
                    OccurrenceKind::CheckPassed { probe, .. } => probe.len(),
                    OccurrenceKind::Hook { failure, .. } => failure.as_ref().map_or(0, String::len),
                    OccurrenceKind::Decided(reason) => text_of(reason),
                    OccurrenceKind::WaitOver
                    | OccurrenceKind::Ready { .. }
                    | OccurrenceKind::Completed
                    | OccurrenceKind::OutOfMemory => 0,
                };
                size_of::<OccurrenceKind>() + texts
            }
            What::GroupAdded(group) | What::GroupRemoved(group) => group.len(),
            What::DaemonRuns | What::DaemonStops => 0,
        };
        size_of::<Self>() + beside
    }
}

/// About how many bytes of text a reason holds.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all others hold numbers, or short names"
)]
fn text_of(reason: &Reason) -> usize {
    match reason {
        Reason::SpawnFailed { text }
        | Reason::HookFailed { text, .. }
        | Reason::MarkerFailed { text }
        | Reason::DependencyFailed { text }
        | Reason::DependencyTimeout { text } => text.len(),
        _ => 0,
    }
}

fn exit(status: ExitStatus) -> Exit {
    match status {
        ExitStatus::Code(code) => Exit::Code { code },
        ExitStatus::Signal {
            signal,
            core_dumped,
        } => Exit::Signal {
            signal: signal_name(signal).into_owned(),
            core: core_dumped,
        },
    }
}

//! The recorded history: its entries are the lines of the file, too.

use serde::{Deserialize, Serialize};

use super::is_false;

/// The kind of an entry about a change of a process's state.
pub const STATE_KIND: &str = "state";

/// The kind of an entry about the daemon itself.
pub const DAEMON_KIND: &str = "daemon";

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// Greater than those of all entries before it, also across restarts of the daemon.
    pub id: u64,
    /// When it happened.
    pub time: i64,
    /// The process: `group:name`, or the name alone where both are the same. None is the daemon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// [`STATE_KIND`], [`DAEMON_KIND`], or what else has happened: `waits`, `ready`, `check_failed`, `hook`…
    pub kind: String,
    /// The state before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The state after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Why, for machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What and why, for people.
    pub text: String,
    /// The process id, if there is or was a process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<i32>,
    /// How the process ended, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Exit {
    /// By itself.
    Code {
        /// Its exit status.
        code: i32,
    },
    /// By a signal.
    Signal {
        /// Its name: `SIGKILL`.
        signal: String,
        /// It left a core.
        #[serde(default, skip_serializing_if = "is_false")]
        core: bool,
    },
}

/// `/api/v1/events`, `linchpin.events`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventsReport {
    /// The id of the latest entry of all, whether it is among these or not; ask for what comes after it.
    pub last: u64,
    /// The entries, oldest first.
    pub events: Vec<HistoryEntry>,
    /// There were more that fit the question, older ones, which were left out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub more: bool,
}

/// Most entries that a question is answered with.
pub const EVENTS_MAX: usize = 10_000;

/// Which entries are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsFilter {
    /// Those of this process, of this group (`name`, `name:*`), or of everybody.
    pub service: Option<String>,
    /// Those that happened then or later, in milliseconds since 1970.
    pub since: Option<i64>,
    /// Those with a greater id.
    pub after: Option<u64>,
    /// The last so many of them.
    pub limit: usize,
}

impl Default for EventsFilter {
    fn default() -> Self {
        Self {
            service: None,
            since: None,
            after: None,
            limit: EVENTS_MAX,
        }
    }
}

impl EventsFilter {
    /// Whether an entry is wanted.
    #[must_use]
    pub fn fits(&self, entry: &HistoryEntry) -> bool {
        self.fits_when(entry.id, entry.time) && self.fits_whom(entry.service.as_deref())
    }

    /// Whether an entry of this moment may be wanted.
    #[must_use]
    pub fn fits_when(&self, id: u64, time: i64) -> bool {
        self.since.is_none_or(|since| time >= since) && self.after.is_none_or(|after| id > after)
    }

    /// Whether entries about this process may be wanted.
    #[must_use]
    pub fn fits_whom(&self, service: Option<&str>) -> bool {
        let Some(wanted) = &self.service else {
            return true;
        };
        let wanted = wanted.strip_suffix('*').unwrap_or(wanted);
        let wanted = wanted.strip_suffix(':').unwrap_or(wanted);
        service.is_some_and(|service| {
            service == wanted
                || service
                    .strip_prefix(wanted)
                    .is_some_and(|rest| rest.starts_with(':'))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_name_processes_and_groups() {
        for (wanted, service, fits) in [
            (None, None, true),
            (None, Some("web"), true),
            (Some("web"), Some("web"), true),
            (Some("web"), None, false),
            (Some("web"), Some("web2"), false),
            (Some("jobs"), Some("jobs:one"), true),
            (Some("jobs:*"), Some("jobs:one"), true),
            (Some("jobs:"), Some("jobs:one"), true),
            (Some("jobs:one"), Some("jobs:one"), true),
            (Some("jobs:one"), Some("jobs:two"), false),
        ] {
            let filter = EventsFilter {
                service: wanted.map(str::to_owned),
                ..EventsFilter::default()
            };
            assert_eq!(filter.fits_whom(service), fits, "{wanted:?} {service:?}");
        }
    }
}

//! The recorded history: every change of state with its reason, and what else the core finds worth keeping.
//!
//! The latest entries are in memory, in the form in which they came; with `[linchpin] state_directory` all of
//! them are also written to a file there, by a thread of its own (`writer`). They become text when somebody asks,
//! or when they are written. A restart of the daemon in place keeps what is in memory.

mod entry;
mod writer;

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use linchpin_config::LinchpinConfig;
use linchpin_core::{Notice, Occurrence, ProcessId};
use linchpin_log::LogHandle;
use linchpin_protocol::api::{self, EventsFilter, EventsReport};
use tokio::sync::watch;

use entry::{Entry, What};
use writer::Writer;

#[cfg(test)]
pub(crate) use writer::{HALF_MIN_BYTES, LAST_ENTRIES_LIMIT, QUEUE_MAX};

/// Most entries in memory, which cost about 100 bytes each. The oldest go first.
pub(crate) const ENTRIES_MAX: usize = 1024;

/// Most bytes that these entries take, about; entries with long texts go earlier.
pub(crate) const ENTRIES_MAX_BYTES: usize = 512 * 1024;

/// What happened.
#[derive(Debug)]
pub(crate) struct History {
    entries: VecDeque<Entry>,
    /// About how many bytes they take.
    bytes: usize,
    /// The id of the latest entry; those who wait for news watch it.
    last: watch::Sender<u64>,
    /// How people name the processes that there are.
    names: HashMap<ProcessId, Arc<str>>,
    /// Where entries are kept for good.
    writer: Option<Writer>,
}

/// What is known in memory about a question, and where there may be more.
#[derive(Debug)]
pub(crate) struct Found {
    /// From memory.
    pub(crate) report: EventsReport,
    /// Earlier entries that fit may be in the files of this directory.
    pub(crate) earlier: Option<Earlier>,
}

/// Entries that are in the files only.
#[derive(Debug)]
pub(crate) struct Earlier {
    pub(crate) directory: PathBuf,
    /// The oldest entry in memory: what comes before it is earlier.
    pub(crate) until: Option<u64>,
}

impl History {
    pub(crate) fn new() -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            last: watch::Sender::new(0),
            names: HashMap::new(),
            writer: None,
        }
    }

    /// Begins to keep entries where a configuration says. At the beginning of each life of the daemon.
    pub(crate) fn keep_as_configured(&mut self, config: Option<&LinchpinConfig>, logs: &LogHandle) {
        self.writer = config.and_then(|config| {
            let directory = config.state_directory.as_ref()?;
            Writer::start(directory.into(), config.history_maxbytes, logs)
        });
    }

    /// Everything so far goes to its file, if that is possible in a short time. At the end of each life of the
    /// daemon.
    pub(crate) fn end(&mut self) {
        self.writer = None;
    }

    /// Keeps what the world is told of.
    pub(crate) fn publish(&mut self, notice: &Notice, time: i64) {
        let (process, what) = match notice {
            Notice::ProcessState {
                process,
                name,
                group,
                from,
                to,
                pid,
                reason,
                ..
            } => {
                let what = What::State {
                    from: *from,
                    to: *to,
                    pid: *pid,
                    reason: reason.clone(),
                };
                (Some((*process, group, name)), what)
            }
            Notice::GroupAdded { group } => (None, What::GroupAdded(group.as_str().into())),
            Notice::GroupRemoved { group } => (None, What::GroupRemoved(group.as_str().into())),
            Notice::SupervisorRunning => (None, What::DaemonRuns),
            Notice::SupervisorStopping => (None, What::DaemonStops),
            // For listeners only.
            Notice::ProcessLog(_)
            | Notice::ProcessCommunication(_)
            | Notice::RemoteCommunication { .. }
            | Notice::Tick { .. } => return,
        };
        let service = process.map(|(process, group, name)| self.name_of(process, group, name));
        self.keep(service, what, time);
    }

    /// Keeps what the core wants kept.
    pub(crate) fn record(&mut self, occurrence: Occurrence, time: i64) {
        let Occurrence {
            process,
            name,
            group,
            kind,
            ..
        } = occurrence;
        let service = self.name_of(process, &group, &name);
        self.keep(Some(service), What::Occurrence(Box::new(kind)), time);
    }

    /// A process is gone for good; what it did is still known.
    pub(crate) fn forget(&mut self, process: ProcessId) {
        self.names.remove(&process);
    }

    /// The entries that fit a question.
    pub(crate) fn find(&self, filter: &EventsFilter) -> Found {
        let mut events = VecDeque::new();
        let mut more = false;
        for entry in self.entries.iter().rev() {
            if !filter.fits_when(entry.id, entry.time) || !filter.fits_whom(entry.service()) {
                continue;
            }
            if events.len() == filter.limit {
                more = true;
                break;
            }
            events.push_front(entry.to_api());
        }
        let oldest = self.entries.front();
        let is_all = more
            || oldest.is_some_and(|oldest| {
                let is_before = |since: Option<i64>| since.is_some_and(|since| since > oldest.time);
                is_before(filter.since) || filter.after.is_some_and(|after| after >= oldest.id)
            });
        let earlier = self.writer.as_ref().filter(|_| !is_all);
        Found {
            report: EventsReport {
                last: *self.last.borrow(),
                events: events.into(),
                more,
            },
            earlier: earlier.map(|writer| Earlier {
                directory: writer.directory().to_owned(),
                until: oldest.map(|oldest| oldest.id),
            }),
        }
    }

    /// Nobody waits for news any more: the servers are about to end.
    pub(crate) fn end_waits(&mut self) {
        let last = *self.last.borrow();
        self.last = watch::Sender::new(last);
    }

    /// Changes with each entry.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    /// How many watch.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.last.receiver_count()
    }

    fn name_of(&mut self, process: ProcessId, group: &str, name: &str) -> Arc<str> {
        let known = self.names.entry(process);
        known
            .or_insert_with(|| {
                if group == name {
                    name.into()
                } else {
                    format!("{group}:{name}").into()
                }
            })
            .clone()
    }

    fn keep(&mut self, service: Option<Arc<str>>, what: What, time: i64) {
        let now = u64::try_from(time).unwrap_or(0);
        // A time would do if the clock never stood still or went back.
        let id = now.max(self.last.borrow().saturating_add(1));
        let entry = Entry {
            id,
            time,
            service,
            what,
        };
        if let Some(writer) = &self.writer {
            writer.write(api::write(&entry.to_api()));
        }
        self.bytes += entry.weight();
        self.entries.push_back(entry);
        while self.entries.len() > ENTRIES_MAX || self.bytes > ENTRIES_MAX_BYTES {
            let Some(oldest) = self.entries.pop_front() else {
                break;
            };
            self.bytes -= oldest.weight();
        }
        self.last.send_replace(id);
    }
}

#[cfg(test)]
mod tests;

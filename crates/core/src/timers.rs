//! Deadlines: at most one for each thing that can wait.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Check, Generation, HookPoint, Monotonic, ProcessId};

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Timer {
    /// The next change of a process: startsecs, backoff, restart, stop timeout.
    Process(ProcessId),
    /// The next moment at which a start that waits for dependencies may go on, or is given up.
    Dependencies(ProcessId),
    /// The end of the wait for the last output of an exited process.
    Drain(ProcessId),
    /// The next "waiting for x to stop".
    StopReport(ProcessId),
    /// What remains of a process group whose leader is gone.
    Remains(Generation),
    /// The next "waiting for … to die".
    ShutdownReport,
    /// The next attempt of a check, the end of one under way, or the end of a watchdog's patience.
    Check(ProcessId, Check),
    /// A start that is not ready has failed.
    Readiness(ProcessId),
    /// The next look at the memory of a service.
    Memory(ProcessId),
    /// The end of the daemon waits no longer for listeners.
    LastEvents,
    /// The end of the daemon waits no longer for markers that are being written.
    LastMarkers,
    /// The shutdown has taken as long as it may.
    ShutdownTimeout,
    /// A hook should have been heard of.
    Hook(Generation, HookPoint),
}

/// The table of deadlines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Timers {
    by_time: BTreeSet<(Monotonic, Timer)>,
    by_timer: BTreeMap<Timer, Monotonic>,
}

impl Timers {
    /// Sets a deadline, in place of an earlier one for the same thing.
    pub(crate) fn set(&mut self, timer: Timer, at: Monotonic) {
        if let Some(old) = self.by_timer.insert(timer, at) {
            self.by_time.remove(&(old, timer));
        }
        self.by_time.insert((at, timer));
    }

    pub(crate) fn cancel(&mut self, timer: Timer) {
        if let Some(old) = self.by_timer.remove(&timer) {
            self.by_time.remove(&(old, timer));
        }
    }

    pub(crate) fn next(&self) -> Option<Monotonic> {
        self.by_time.first().map(|&(at, _)| at)
    }

    /// Takes out the earliest timer that is due.
    pub(crate) fn pop_due(&mut self, now: Monotonic) -> Option<Timer> {
        let &(at, timer) = self.by_time.first()?;
        if at > now {
            return None;
        }
        self.by_time.pop_first();
        self.by_timer.remove(&timer);
        Some(timer)
    }

    /// When a deadline is, if it is set.
    pub(crate) fn get(&self, timer: Timer) -> Option<Monotonic> {
        self.by_timer.get(&timer).copied()
    }
}

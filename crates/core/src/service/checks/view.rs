//! What people are shown of a service beyond its process.

use linchpin_config::{Probe, ServiceConfig};

use super::all_checks;
use crate::process::{Life, Process};
use crate::service::{Check, ServiceState};
use crate::timers::{Timer, Timers};
use crate::{Monotonic, Now, ProcessId};

/// How ready a service is by its checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// There is nothing to ask: no process, or no readiness checks.
    Unknown,
    /// Not all of its checks pass, or it reloads or stops by its own words.
    NotReady,
    /// All of its checks pass.
    Ready {
        /// Since when.
        since: Now,
    },
}

/// A process that has options of ours, as it is now.
#[derive(Debug, Clone, Copy)]
pub struct ServiceView<'a> {
    id: ProcessId,
    config: &'a ServiceConfig,
    state: &'a ServiceState,
    timers: &'a Timers,
    is_alive: bool,
}

/// A check as it is now, or as it was when the latest process ended.
#[derive(Debug, Clone, Copy)]
pub struct CheckView<'a> {
    /// Which.
    pub check: Check,
    /// As it is written.
    pub probe: &'a Probe,
    /// It passes.
    pub is_passing: bool,
    /// Answers in a row that speak against that and are not yet enough to change it.
    pub contrary: u32,
    /// How many attempts were made since the start of the process.
    pub attempts: u32,
    /// When the attempt that is under way was asked for.
    pub asked: Option<Monotonic>,
    /// When the latest answer came, and why it was a failure if it was one.
    pub last: Option<(Now, Option<&'a str>)>,
    /// When the next attempt is due, or the one under way counts as lost; for the watchdog, when it bites.
    pub next: Option<Monotonic>,
}

impl<'a> ServiceView<'a> {
    pub(crate) fn new(process: &'a Process, timers: &'a Timers) -> Option<Self> {
        Some(Self {
            id: process.id,
            config: process.config.service.as_deref()?,
            state: process.service.as_deref()?,
            timers,
            is_alive: matches!(process.life, Life::Alive { .. }),
        })
    }

    /// How ready it is by its checks.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let checking = &self.state.checking;
        match checking.ready_since {
            _ if self.config.readiness.is_none() => Readiness::Unknown,
            Some(since) => Readiness::Ready { since },
            None if checking.is_active || (checking.is_stopping && self.is_alive) => {
                Readiness::NotReady
            }
            None => Readiness::Unknown,
        }
    }

    /// What keeps it from being ready, in words, while it is not.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        let checking = &self.state.checking;
        (checking.is_active && checking.ready_since.is_none())
            .then(|| checking.what_is_missing(self.config))
    }

    /// When its start fails if it is not ready until then (`ready_within`).
    #[must_use]
    pub fn ready_until(&self) -> Option<Monotonic> {
        self.timers.get(Timer::Readiness(self.id))
    }

    /// Its checks, readiness first.
    pub fn checks(&self) -> impl Iterator<Item = CheckView<'a>> + use<'a> {
        let Self {
            id, state, timers, ..
        } = *self;
        all_checks(self.config).filter_map(move |(check, probe)| {
            let known = state.checking.get(check)?;
            Some(CheckView {
                check,
                probe,
                is_passing: known.is_passing,
                contrary: known.contrary,
                attempts: known.attempt,
                asked: known.asked,
                last: known
                    .last
                    .as_ref()
                    .map(|last| (last.at, last.failure.as_deref())),
                next: timers.get(Timer::Check(id, check)),
            })
        })
    }

    /// The service's own words (`STATUS=`).
    #[must_use]
    pub fn status(&self) -> Option<&'a str> {
        self.state.status.as_deref()
    }

    /// It has said that it reads its configuration again, and not yet that it is ready.
    #[must_use]
    pub fn is_reloading(&self) -> bool {
        self.state.checking.is_reloading
    }

    /// It has said that it stops.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.state.checking.is_stopping
    }

    /// How often in a row it was restarted for its liveness, and how often it may be (zero is no limit).
    #[must_use]
    pub fn liveness_restarts(&self) -> (u32, u32) {
        (
            self.state.checking.liveness_restarts,
            self.config.liveness_restarts,
        )
    }

    /// The memory that its process group used when it was last asked, in bytes; only with `memory_max`.
    #[must_use]
    pub fn memory(&self) -> Option<u64> {
        self.state.checking.memory.bytes
    }
}

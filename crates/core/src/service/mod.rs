//! What a service is beyond a process: what it waits for, whether it works, how it is restarted, what runs
//! around it. Only processes with options of ours have a [`ServiceState`]; everything else never comes here.
//!
//! `dependencies` is who waits for whom; `checks` is readiness and liveness; `restart` is backoff, crash
//! loops and second chances; `hooks` are the commands around a life; `oneshot` is what runs to its end;
//! `ends` is what the end of a service means for the daemon.

mod checks;
mod dependencies;
mod ends;
mod hooks;
mod news;
mod oneshot;
mod restart;
mod start_again;

pub use news::{
    Check, CheckPurpose, HookPoint, MarkerState, Notification, Occurrence, OccurrenceKind,
    ProbeOutcome,
};

use serde::{Deserialize, Serialize};

use crate::Reason;

pub(crate) use checks::Checking;
pub use dependencies::Wait;
pub(crate) use dependencies::{Dependencies, Waiting};
pub(crate) use hooks::Preparing;
pub(crate) use restart::Restarts;

/// What is known about a process that has options of ours.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServiceState {
    pub(crate) waiting: Waiting,
    pub(crate) checking: Checking,
    pub(crate) preparing: Preparing,
    pub(crate) restarts: Restarts,
    /// A oneshot that has run to its end with success since the daemon began, or whose marker says so.
    pub(crate) completed: bool,
    /// It is being stopped, and is to start again when it is down.
    pub(crate) start_again: Option<Reason>,
    /// The service's own words (`STATUS=`), cut at [`Notification::STATUS_MAX`].
    pub(crate) status: Option<String>,
}

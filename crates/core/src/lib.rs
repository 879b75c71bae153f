//! Supervision as a pure state machine: events and time in, actions out.
//!
//! [`Supervisor::handle`] takes one [`Event`] and the time at which it happened and appends
//! [`Action`]s; [`Supervisor::next_deadline`] says when [`Event::Wake`] is due. That is the whole
//! interface, beside read-only views. What is deliberately absent: I/O, clocks, threads, file
//! descriptors, log bytes and wire formats. The shell (`linchpin-daemon`) has all of those and none of
//! the decisions.
#![forbid(unsafe_code)]

mod action;
mod event;
mod freeze;
mod groups;
mod ids;
mod lifecycle;
mod message;
mod operation;
mod outcome;
mod process;
mod reason;
mod remains;
mod shutdown;
mod state;
mod stop;
mod supervisor;
mod time;
mod timers;
mod view;

pub use action::{Action, Actions, Notice, SignalTarget};
pub use event::{
    Command, Event, ExitStatus, ShutdownCause, SignalOutcome, SignalPurpose, SpawnFailure,
    SpawnFailureKind, Target,
};
pub use freeze::FreezeError;
pub use ids::{Generation, OperationId, ProcessId};
pub use message::Message;
pub use outcome::{Failure, Outcome, ProcessResult};
pub use reason::Reason;
pub use state::{DaemonState, ProcessState};
pub use supervisor::Supervisor;
pub use time::{Monotonic, Now, Wall};
pub use view::{GroupView, ProcessView};

//! Supervision as a pure state machine: events and time in, actions out.
//!
//! [`Supervisor::handle`] takes one [`Event`] and the time at which it happened and appends
//! [`Action`]s; [`Supervisor::next_deadline`] and [`Supervisor::next_wall_deadline`] say when
//! [`Event::Wake`] is due. That is the whole interface, beside read-only views. What is deliberately absent: I/O, clocks, threads, file
//! descriptors, log bytes and wire formats. The shell (`linchpin-daemon`) has all of those and none of
//! the decisions.
//!
//! How it hangs together: `supervisor` takes an event to the part that it is for; `lifecycle` and `stop`
//! are one process from start to end; `remains` is what may outlive a stop and keeps the next start
//! waiting; `operation` is who waits for what; `groups` adds, removes and reloads; `sockets` are what the
//! processes of an fcgi-program share; `apply` is what comes after what when new
//! settings are applied; `shutdown` ends it all; `timers` is the one table of deadlines;
//! `pool` is who hears of events. Each change of state goes through one function, which publishes it with
//! its reason and then looks at those that wait for the process.
//!
//! What is always true, and checked by the simulator (`tests/simulator`) after every event of millions:
//! see its list of invariants. The behaviours are written down as scripts (`tests/behaviour`).
#![forbid(unsafe_code)]

mod action;
mod apply;
mod event;
mod exit_words;
mod explain;
mod freeze;
mod groups;
mod ids;
mod last_end;
mod lifecycle;
mod message;
mod notice;
mod operation;
mod outcome;
mod pool;
mod process;
mod reason;
mod remains;
mod service;
mod shutdown;
mod sockets;
mod state;
mod stop;
mod supervisor;
mod time;
mod timers;
mod view;

pub use action::{Action, Actions, SignalTarget};
pub use apply::{Apply, ApplyEnd, ApplyOrder, ApplyPlan, Direction, ProcessName, Sight, Verdict};
pub use event::{
    Command, Delivery, Event, ExitStatus, OutputKind, ShutdownCause, SignalOutcome, SignalPurpose,
    SpawnFailure, SpawnFailureKind, Target,
};
pub use explain::{Cause, CheckAnswer, Coming, Explanation, Surroundings, Told};
pub use freeze::FreezeError;
pub use ids::{Generation, OperationId, ProcessId, SocketId};
pub use last_end::{HowItEnded, LastEnd};
pub use message::Message;
pub use notice::{Channel, Notice, Output, TickPeriod};
pub use outcome::{Failure, Outcome, ProcessResult};
pub use pool::{
    EVENT_BUFFER_MAX_BYTES, ListenerState, ListenerView, PRINTED_RESULT_MAX_BYTES, PoolView,
    RESULT_HANDLERS, RESULT_LINE_MAX_BYTES,
};
pub use reason::Reason;
pub use service::{
    Check, CheckPurpose, CheckView, HookPoint, MarkerState, Notification, Occurrence,
    OccurrenceKind, ProbeOutcome, Readiness, ServiceView, Wait,
};
pub use state::{DaemonState, ProcessState};
pub use supervisor::Supervisor;
pub use time::{Monotonic, Now, Wall};
pub use view::{GroupView, ProcessView};

//! Options of programs that Supervisor does not have: what a service is beyond its process.

mod checks;
mod dependencies;
mod enabled;
mod ends;
mod hooks;
mod restarts;

pub(crate) use checks::*;
pub(crate) use dependencies::*;
pub(crate) use enabled::*;
pub(crate) use ends::*;
pub(crate) use hooks::*;
pub(crate) use restarts::*;

use super::{NameScope, OptionSpec};
use crate::value_kind::ValueKind;

/// The names that `command` may use, too.
const NAMES: NameScope = NameScope::Process;

/// What only programs and FastCGI programs have: a listener is there before anything that it could wait for.
pub(crate) static OF_PROGRAMS_ALONE: [&OptionSpec; 6] = [
    &DEPENDS_ON,
    &DEPENDS_TIMEOUT,
    &ON_DEPENDENCY_FAILED,
    &ON_DEPENDENCY_LOST,
    &ONESHOT,
    &MARKER,
];

/// What every section that describes processes has.
pub(crate) static SERVICE: [&OptionSpec; 38] = [
    &ENABLED,
    &READINESS,
    &READINESS_INTERVAL,
    &READINESS_TIMEOUT,
    &READINESS_SUCCESSES,
    &READINESS_FAILURES,
    &READY_WITHIN,
    &LIVENESS,
    &LIVENESS_INTERVAL,
    &LIVENESS_TIMEOUT,
    &LIVENESS_FAILURES,
    &LIVENESS_START_PERIOD,
    &LIVENESS_RESTARTS,
    &RESTART_DELAY,
    &RESTART_DELAY_MAX,
    &RESTART_JITTER,
    &RESTART_RESET,
    &RESTART_LIMIT,
    &RESTART_PREVENT,
    &FATAL_RETRY,
    &MEMORY_MAX,
    &MEMORY_INTERVAL,
    &IMPORTANCE,
    &ON_FATAL,
    &ON_EXIT,
    &PRE_START.command,
    &PRE_START.timeout,
    &POST_START.command,
    &POST_START.timeout,
    &PRE_STOP.command,
    &PRE_STOP.timeout,
    &POST_STOP.command,
    &POST_STOP.timeout,
    &STOP_COMMAND.command,
    &STOP_COMMAND.timeout,
    &RELOAD_COMMAND.command,
    &RELOAD_COMMAND.timeout,
    &RELOAD_SIGNAL,
];

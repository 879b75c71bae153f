//! When and how a service is started again.

use super::{NAMES, OptionSpec, ValueKind};

pub(crate) static RESTART_DELAY: OptionSpec = OptionSpec::ours(
    "restart_delay",
    ValueKind::Duration,
    NAMES,
    "First wait before the program is started again after an end or a failed start; each further one is twice as long. Any of the `restart_` options but `restart_prevent` replaces `startretries` and Supervisor's waits.",
)
.aliases(&["restartpause"])
.default_note("`1s` if another `restart_` option is written, else Supervisor's way")
.sample("1s");

pub(crate) static RESTART_DELAY_MAX: OptionSpec = OptionSpec::ours(
    "restart_delay_max",
    ValueKind::Duration,
    NAMES,
    "Longest wait; never less than `restart_delay`.",
)
.default("60s");

pub(crate) static RESTART_JITTER: OptionSpec = OptionSpec::ours(
    "restart_jitter",
    ValueKind::Fraction,
    NAMES,
    "Up to this part of a wait is added or taken away, so that not everything starts at once.",
)
.default("0.1");

pub(crate) static RESTART_RESET: OptionSpec = OptionSpec::ours(
    "restart_reset",
    ValueKind::Duration,
    NAMES,
    "After being up for this long the next failure counts as the first; `0` is never. A start that failed, before `startsecs` or as it was not ready in time, counts however long it took.",
)
.default("60s");

pub(crate) static RESTART_LIMIT: OptionSpec = OptionSpec::ours(
    "restart_limit",
    ValueKind::Count,
    NAMES,
    "Failures in a row after which the program is FATAL. 0 goes on for ever.",
)
.default("0");

pub(crate) static RESTART_PREVENT: OptionSpec = OptionSpec::ours(
    "restart_prevent",
    ValueKind::Ends,
    NAMES,
    "Ends after which the program is FATAL at once instead of being started again.",
)
.default("")
.sample("64,78,SIGILL");

pub(crate) static FATAL_RETRY: OptionSpec = OptionSpec::ours(
    "fatal_retry",
    ValueKind::Duration,
    NAMES,
    "After how long in FATAL the program is tried once more. 0 is never.",
)
.default("0");

pub(crate) static MEMORY_MAX: OptionSpec = OptionSpec::ours(
    "memory_max",
    ValueKind::ByteSize,
    NAMES,
    "Memory of the process group beyond which the program is restarted: its proportional set size, in which what several processes share counts in parts; where only that can be read, what it has in memory. 0 is no limit.",
)
.default("0")
.sample("512MB");

pub(crate) static MEMORY_INTERVAL: OptionSpec = OptionSpec::ours(
    "memory_interval",
    ValueKind::Duration,
    NAMES,
    "How often the memory is looked at.",
)
.default("10s");

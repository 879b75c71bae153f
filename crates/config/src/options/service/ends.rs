//! What runs to its end, and what an end means for everything else.

use super::{NAMES, OptionSpec, ValueKind};

pub(crate) static ONESHOT: OptionSpec = OptionSpec::ours(
    "oneshot",
    ValueKind::Boolean,
    NAMES,
    "The program runs to its end once: an expected exit status is success however soon it comes, anything else is tried again as a failed start. `autorestart` does not apply.",
)
.default("false");

pub(crate) static MARKER: OptionSpec = OptionSpec::ours(
    "marker",
    ValueKind::UncheckedPath,
    NAMES,
    "File in which is noted that the oneshot is done; it is not run again while the file says so. One that was interrupted is run again, with `LINCHPIN_INTERRUPTED=1` in its environment.",
)
.sample("/var/lib/app/migrated");

pub(crate) static IMPORTANCE: OptionSpec = OptionSpec::ours(
    "importance",
    ValueKind::Importance,
    NAMES,
    "How much the whole depends on the program. `essential` is `on_fatal=shutdown` and, unless it is a oneshot, `on_exit=shutdown`; `optional` is reported and counts for nothing.",
)
.default("normal");

pub(crate) static ON_FATAL: OptionSpec = OptionSpec::ours(
    "on_fatal",
    ValueKind::OnEnd,
    NAMES,
    "What the daemon does when the program is FATAL: nothing, or stop everything and exit with the program's exit status.",
)
.default_note("`ignore`, or `shutdown` with `importance=essential`")
.sample("shutdown");

pub(crate) static ON_EXIT: OptionSpec = OptionSpec::ours(
    "on_exit",
    ValueKind::OnEnd,
    NAMES,
    "What the daemon does when the program has ended by itself and is not started again: nothing, or stop everything and exit with the program's exit status.",
)
.default_note("`ignore`, or `shutdown` with `importance=essential` and without `oneshot`")
.sample("shutdown");

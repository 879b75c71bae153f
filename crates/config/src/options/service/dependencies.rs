//! What a service waits for.

use super::{NAMES, OptionSpec, ValueKind};

pub(crate) static DEPENDS_ON: OptionSpec = OptionSpec::ours(
    "depends_on",
    ValueKind::Dependencies,
    NAMES,
    "What must be there before the program starts; it stops before them. See [Dependencies](#dependencies).",
)
.sample("redis ready, jobs:migrate completed");

pub(crate) static DEPENDS_TIMEOUT: OptionSpec = OptionSpec::ours(
    "depends_timeout",
    ValueKind::Duration,
    NAMES,
    "How long a start waits for `depends_on` before it counts as failed. 0 waits for ever.",
)
.default("0");

pub(crate) static ON_DEPENDENCY_FAILED: OptionSpec = OptionSpec::ours(
    "on_dependency_failed",
    ValueKind::DependencyFailed,
    NAMES,
    "What a start that waits does when a dependency has given up: go on waiting for somebody to mend it, or fail too.",
)
.default("wait");

pub(crate) static ON_DEPENDENCY_LOST: OptionSpec = OptionSpec::ours(
    "on_dependency_lost",
    ValueKind::DependencyLost,
    NAMES,
    "What happens to the running program when a dependency ends, is stopped or is restarted: nothing, a stop and a start when the dependency is there again, or a stop.",
)
.default("keep");

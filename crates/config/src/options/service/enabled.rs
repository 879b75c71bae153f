//! Whether a service is there at all.

use super::{NAMES, OptionSpec, ValueKind};

pub(crate) static ENABLED: OptionSpec = OptionSpec::ours(
    "enabled",
    ValueKind::Condition,
    NAMES,
    "Condition under which the program exists; otherwise it is as if its section were not there, and what depends on it does not wait for it. Looked at whenever the file is read. See [Conditions](#conditions).",
)
.default("true")
.sample("is_local(REDIS_URL)");

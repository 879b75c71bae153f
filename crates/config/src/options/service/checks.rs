//! How it is found out whether a service works.

use super::{NAMES, OptionSpec, ValueKind};

pub(crate) static READINESS: OptionSpec = OptionSpec::ours(
    "readiness",
    ValueKind::Probes,
    NAMES,
    "How to tell that the program does its work; all probes must pass. Without any it is ready when it is RUNNING. See [Probes](#probes).",
)
.sample("tcp://localhost:8080");

pub(crate) static READINESS_INTERVAL: OptionSpec = OptionSpec::ours(
    "readiness_interval",
    ValueKind::Duration,
    NAMES,
    "Time between two attempts once the program is ready; until then they come quickly, and at least once a second. 0 does not ask again. One second or more may become up to 25 ms more or less, so that the attempts of many programs come together.",
)
.default("10s");

pub(crate) static READINESS_TIMEOUT: OptionSpec = OptionSpec::ours(
    "readiness_timeout",
    ValueKind::Duration,
    NAMES,
    "How long one attempt may take.",
)
.default("3s");

pub(crate) static READINESS_SUCCESSES: OptionSpec = OptionSpec::ours(
    "readiness_successes",
    ValueKind::Count,
    NAMES,
    "Attempts in a row that must pass before a failed probe counts as passing.",
)
.default("1");

pub(crate) static READINESS_FAILURES: OptionSpec = OptionSpec::ours(
    "readiness_failures",
    ValueKind::Count,
    NAMES,
    "Attempts in a row that must fail before a passing probe counts as failed.",
)
.default("3");

pub(crate) static READY_WITHIN: OptionSpec = OptionSpec::ours(
    "ready_within",
    ValueKind::Duration,
    NAMES,
    "How long a start may take until the program is ready; after that it is stopped and the start has failed. 0 is as long as it takes.",
)
.default("0");

pub(crate) static LIVENESS: OptionSpec = OptionSpec::ours(
    "liveness",
    ValueKind::Probes,
    NAMES,
    "How to tell that the running program still works; if one of the probes fails it is restarted. See [Probes](#probes).",
)
.sample("http://localhost:8080/health");

pub(crate) static LIVENESS_INTERVAL: OptionSpec = OptionSpec::ours(
    "liveness_interval",
    ValueKind::Duration,
    NAMES,
    "Time between two attempts. One second or more may become up to 25 ms more or less, so that the attempts of many programs come together.",
)
.default("10s");

pub(crate) static LIVENESS_TIMEOUT: OptionSpec = OptionSpec::ours(
    "liveness_timeout",
    ValueKind::Duration,
    NAMES,
    "How long one attempt may take.",
)
.default("3s");

pub(crate) static LIVENESS_FAILURES: OptionSpec = OptionSpec::ours(
    "liveness_failures",
    ValueKind::Count,
    NAMES,
    "Attempts in a row that must fail before the program is restarted.",
)
.default("3");

pub(crate) static LIVENESS_START_PERIOD: OptionSpec = OptionSpec::ours(
    "liveness_start_period",
    ValueKind::Duration,
    NAMES,
    "How long after the start failures do not count, unless the program was ready before.",
)
.default("0");

pub(crate) static LIVENESS_RESTARTS: OptionSpec = OptionSpec::ours(
    "liveness_restarts",
    ValueKind::Count,
    NAMES,
    "Restarts for liveness in a row before the program is FATAL. 0 is no limit.",
)
.default("0");

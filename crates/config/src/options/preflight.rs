//! Options of `[preflight:x]`.

use super::boot::{RETRIES, RETRY_DELAY, STEP_ENABLED};
use super::{NameScope, OptionSpec};
use crate::value_kind::ValueKind;

const HERE: NameScope = NameScope::Here;

pub(crate) static PROCESSOR: OptionSpec = OptionSpec::ours(
    "processor",
    ValueKind::Names,
    HERE,
    "What the processor must be able to do, in the words of `/proc/cpuinfo` (`flags` or `Features`).",
)
.sample("avx");

pub(crate) static PAGE_SIZE: OptionSpec = OptionSpec::ours(
    "page_size",
    ValueKind::ByteSizes,
    HERE,
    "Sizes of a page of memory that will do; some programs are built for one of them.",
)
.sample("4KB");

pub(crate) static FREE_SPACE: OptionSpec = OptionSpec::ours(
    "free_space",
    ValueKind::PathsWithSize,
    HERE,
    "How much room there must be, for whoever is not root, on the file system of each path, which need not exist yet.",
)
.sample("/data 2GB");

pub(crate) static WRITABLE: OptionSpec = OptionSpec::ours(
    "writable",
    ValueKind::Paths,
    HERE,
    "Directories in which the user of the daemon must be able to write.",
)
.sample("/data");

pub(crate) static OWNED_BY: OptionSpec = OptionSpec::ours(
    "owned_by",
    ValueKind::PathsWithOwner,
    HERE,
    "To whom each path must belong, if it is there.",
)
.sample("/data/postgres postgres");

pub(crate) static DATA_VERSION: OptionSpec = OptionSpec::ours(
    "data_version",
    ValueKind::PathsWithWords,
    HERE,
    "Files whose first word says of which version some data are, if they are there, and behind each the versions that will do.",
)
.sample("/data/postgres/PG_VERSION 15");

pub(crate) static COMMAND: OptionSpec = OptionSpec::ours(
    "command",
    ValueKind::Command,
    HERE,
    "Command that looks at something else. It has the environment of programs, with the settings, runs as the user with which the daemon begins, and accepts with exit status 0; otherwise its last line is the reason that people are told.",
)
.sample("/opt/product/check-license");

pub(crate) static TIMEOUT: OptionSpec = OptionSpec::ours(
    "timeout",
    ValueKind::Duration,
    HERE,
    "How long that command may take before it is killed and has refused.",
)
.default("30s");

pub(crate) static REMEDY: OptionSpec = OptionSpec::ours(
    "remedy",
    ValueKind::Text,
    HERE,
    "What a person can do when something is not as it must be, for the report and the log.",
)
.sample("use a machine with AVX, or a database elsewhere");

pub(crate) static ON_FAILURE: OptionSpec = OptionSpec::ours(
    "on_failure",
    ValueKind::OnFailure,
    HERE,
    "What follows then: with `fatal` the boot ends and nothing is started, with `warn` it goes on, with `skip` it goes on without the services of `services`.",
)
.default("fatal");

pub(crate) static SERVICES: OptionSpec = OptionSpec::ours(
    "services",
    ValueKind::Names,
    HERE,
    "Services that need it, for `on_failure=skip`: programs, groups or `group:process`.",
)
.sample("mongodb");

/// `[preflight:x]`.
pub(crate) static PREFLIGHT: [&OptionSpec; 14] = [
    &PROCESSOR,
    &PAGE_SIZE,
    &FREE_SPACE,
    &WRITABLE,
    &OWNED_BY,
    &DATA_VERSION,
    &COMMAND,
    &TIMEOUT,
    &REMEDY,
    &ON_FAILURE,
    &SERVICES,
    &STEP_ENABLED,
    &RETRIES,
    &RETRY_DELAY,
];

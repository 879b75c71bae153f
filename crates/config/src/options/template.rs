//! Options of `[template:x]`.

use super::boot::{RETRIES, RETRY_DELAY, STEP_ENABLED};
use super::{NameScope, OptionSpec};
use crate::value_kind::ValueKind;

const HERE: NameScope = NameScope::Here;

pub(crate) static SOURCE: OptionSpec = OptionSpec::ours(
    "source",
    ValueKind::UncheckedPath,
    HERE,
    "The template, or a folder with templates, each of which is made into a file of the same name. It is only read.",
)
.required()
.sample("/opt/product/templates/Caddyfile");

pub(crate) static TARGET: OptionSpec = OptionSpec::ours(
    "target",
    ValueKind::UncheckedPath,
    HERE,
    "The file that is made of it; of a folder the folder in which the files are made. Directories above it are made.",
)
.required()
.sample("/run/product/Caddyfile");

pub(crate) static PATTERN: OptionSpec = OptionSpec::ours(
    "pattern",
    ValueKind::FilePatterns,
    HERE,
    "Which files of a folder are templates; folders in it are not looked into. It means nothing for a single file.",
)
.default("*.conf");

pub(crate) static MODE: OptionSpec =
    OptionSpec::ours("mode", ValueKind::Octal, HERE, "Mode of what is made.").default("0600");

pub(crate) static OWNER: OptionSpec = OptionSpec::ours(
    "owner",
    ValueKind::UserAndGroup,
    HERE,
    "To whom what is made belongs: a user, and with a group behind a colon that group as well.",
)
.default_note("the user of the daemon")
.sample("www-data");

pub(crate) static VALIDATE: OptionSpec = OptionSpec::ours(
    "validate",
    ValueKind::Command,
    HERE,
    "Command that looks at the new file before it takes the place of the old one; `{file}` stands for its path, in a folder for that of a folder with all the new files. It has the environment of programs, with the settings. Exit status 0 accepts it; otherwise everything stays as it was, and what the command wrote is shown.",
)
.sample("caddy validate --adapter caddyfile --config {file}");

pub(crate) static VALIDATE_TIMEOUT: OptionSpec = OptionSpec::ours(
    "validate_timeout",
    ValueKind::Duration,
    HERE,
    "How long that command may take before it is killed and has refused the file.",
)
.default("30s");

pub(crate) static TEMPLATE_SERVICES: OptionSpec = OptionSpec::ours(
    "services",
    ValueKind::Names,
    HERE,
    "Services that read what is made: programs, groups or `group:process`.",
)
.sample("caddy");

pub(crate) static ON_CHANGE: OptionSpec = OptionSpec::ours(
    "on_change",
    ValueKind::OnChange,
    HERE,
    "What those services need when the result has changed while they run.",
)
.default("reload");

pub(crate) static TEMPLATE_ON_FAILURE: OptionSpec = OptionSpec::ours(
    "on_failure",
    ValueKind::OnFailure,
    HERE,
    "What follows in a boot when it cannot be made, or is refused: with `fatal` the boot ends and nothing is started, with `warn` it goes on with what was there before, with `skip` it goes on without the services of `services`.",
)
.default("warn");

/// `[template:x]`.
pub(crate) static TEMPLATE: [&OptionSpec; 13] = [
    &SOURCE,
    &TARGET,
    &PATTERN,
    &MODE,
    &OWNER,
    &VALIDATE,
    &VALIDATE_TIMEOUT,
    &TEMPLATE_SERVICES,
    &ON_CHANGE,
    &TEMPLATE_ON_FAILURE,
    &STEP_ENABLED,
    &RETRIES,
    &RETRY_DELAY,
];

//! Options of `[setting:NAME]`.

use super::{NameScope, OptionSpec};
use crate::value_kind::ValueKind;

const HERE: NameScope = NameScope::Here;

pub(crate) static TYPE: OptionSpec = OptionSpec::ours(
    "type",
    ValueKind::SettingType,
    HERE,
    "What its value must be. An empty value is no value, so every type allows it. See [Settings](#settings).",
)
.default("string");

pub(crate) static SECRET: OptionSpec = OptionSpec::ours(
    "secret",
    ValueKind::Boolean,
    HERE,
    "Whether its value is shown to nobody, whatever its type. Passwords in URLs never are.",
)
.default_note("yes for the type `secret`, else no")
.sample("true");

pub(crate) static DEFAULT: OptionSpec = OptionSpec::ours(
    "default",
    ValueKind::Text,
    HERE,
    "Its value where neither the settings file nor the environment has one.",
)
.sample("info");

pub(crate) static REQUIRED: OptionSpec = OptionSpec::ours(
    "required",
    ValueKind::Boolean,
    HERE,
    "Whether it must have a value that is not empty.",
)
.default("false");

pub(crate) static GROUP: OptionSpec = OptionSpec::ours(
    "group",
    ValueKind::Text,
    HERE,
    "Heading under which people find it.",
)
.sample("Mail");

pub(crate) static LABEL: OptionSpec =
    OptionSpec::ours("label", ValueKind::Text, HERE, "What people call it.")
        .default_note("its name")
        .sample("Mail server");

pub(crate) static HELP: OptionSpec = OptionSpec::ours(
    "help",
    ValueKind::Text,
    HERE,
    "What it is for, in a sentence or two.",
)
.sample("Where the product hands its mail over.");

pub(crate) static MIN: OptionSpec = OptionSpec::ours(
    "min",
    ValueKind::Integer,
    HERE,
    "Least value of an `integer`.",
)
.sample("5");

pub(crate) static MAX: OptionSpec = OptionSpec::ours(
    "max",
    ValueKind::Integer,
    HERE,
    "Greatest value of an `integer`.",
)
.sample("50");

pub(crate) static SCHEMES: OptionSpec = OptionSpec::ours(
    "schemes",
    ValueKind::Names,
    HERE,
    "What a `url` may begin with.",
)
.default_note("any scheme")
.sample("postgresql,postgres");

pub(crate) static CHOICES: OptionSpec = OptionSpec::ours(
    "choices",
    ValueKind::Names,
    HERE,
    "The values of an `enum`.",
)
.sample("debug,info,warn");

pub(crate) static PATTERN: OptionSpec = OptionSpec::ours(
    "pattern",
    ValueKind::Pattern,
    HERE,
    "Regular expression that the whole value must match.",
)
.sample("[a-z]+");

pub(crate) static VALIDATE: OptionSpec = OptionSpec::ours(
    "validate",
    ValueKind::Command,
    HERE,
    "Command that ends with 0 if a new value can be used. It finds the value on its standard input, and all settings in its environment.",
)
.sample("/usr/bin/check-mail");

pub(crate) static VALIDATE_TIMEOUT: OptionSpec = OptionSpec::ours(
    "validate_timeout",
    ValueKind::Duration,
    HERE,
    "How long `validate` may take.",
)
.default("10s");

pub(crate) static FORMER_NAMES: OptionSpec = OptionSpec::ours(
    "former_names",
    ValueKind::Names,
    HERE,
    "Names that it had before. They count wherever its own is not used, in the settings file and in the environment.",
)
.sample("MAILER_URL");

pub(crate) static TOGETHER: OptionSpec = OptionSpec::ours(
    "together",
    ValueKind::Name,
    HERE,
    "Name of a set of settings that mean nothing without each other: if one is empty, no service gets any of them. A set may have one member.",
)
.sample("mail");

pub(crate) static SERVICES: OptionSpec = OptionSpec::ours(
    "services",
    ValueKind::Names,
    HERE,
    "Programs, processes and groups that must be restarted when it changes.",
)
.default_note("none")
.sample("web,worker");

pub(crate) static GENERATE: OptionSpec = OptionSpec::ours(
    "generate",
    ValueKind::Boolean,
    HERE,
    "Whether a random value is made, once, where nobody has supplied one; it is kept in the settings file. For `string` and `secret`.",
)
.default("false");

pub(crate) static GENERATE_LENGTH: OptionSpec = OptionSpec::ours(
    "generate_length",
    ValueKind::Count,
    HERE,
    "Characters of a generated value, or random bytes for the encodings.",
)
.default("32");

pub(crate) static GENERATE_ALPHABET: OptionSpec = OptionSpec::ours(
    "generate_alphabet",
    ValueKind::Alphabet,
    HERE,
    "Characters that a generated `text` is made of.",
)
.default("A-Za-z0-9");

pub(crate) static GENERATE_ENCODING: OptionSpec = OptionSpec::ours(
    "generate_encoding",
    ValueKind::Encoding,
    HERE,
    "`text` takes characters of the alphabet; the others write random bytes down.",
)
.default("text");

/// `[setting:NAME]`.
pub(crate) static SETTING: [&OptionSpec; 21] = [
    &TYPE,
    &SECRET,
    &DEFAULT,
    &REQUIRED,
    &GROUP,
    &LABEL,
    &HELP,
    &MIN,
    &MAX,
    &SCHEMES,
    &CHOICES,
    &PATTERN,
    &VALIDATE,
    &VALIDATE_TIMEOUT,
    &FORMER_NAMES,
    &TOGETHER,
    &SERVICES,
    &GENERATE,
    &GENERATE_LENGTH,
    &GENERATE_ALPHABET,
    &GENERATE_ENCODING,
];

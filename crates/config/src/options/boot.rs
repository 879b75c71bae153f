//! Options of `[ca-roots]` and `[certificate:x]`.

use super::{NameScope, OptionSpec};
use crate::value_kind::ValueKind;

const HERE: NameScope = NameScope::Here;
const HOST: NameScope = NameScope::Host;

pub(crate) static ROOTS_DIRECTORY: OptionSpec = OptionSpec::ours(
    "directory",
    ValueKind::UncheckedPath,
    HERE,
    "Folder with certificates of authorities, in files that end with `.crt`, `.pem`, `.cer` or `.der`, each with one or many. Files may be links. It need not exist.",
)
.required()
.sample("/data/ca-certs");

pub(crate) static SYSTEM_BUNDLE: OptionSpec = OptionSpec::ours(
    "system_bundle",
    ValueKind::SystemBundle,
    HERE,
    "File with the authorities that the system trusts, to which those of the folder are added. `search` looks where distributions keep it, `none` trusts those of the folder alone.",
)
.default("search");

pub(crate) static JAVA_TRUST_STORE: OptionSpec = OptionSpec::ours(
    "java_trust_store",
    ValueKind::Boolean,
    HERE,
    "Whether a trust store for Java is made as well.",
)
.default("true");

pub(crate) static TRUST_VARIABLES: OptionSpec = OptionSpec::ours(
    "variables",
    ValueKind::TrustVariables,
    HERE,
    "Variables through which programs learn of the bundle. One that is set already stays as it is, unless it names the bundle of the system; `JAVA_TOOL_OPTIONS` is added to.",
)
.default("all");

pub(crate) static ROOTS_ON_FAILURE: OptionSpec = OptionSpec::ours(
    "on_failure",
    ValueKind::OnFailure,
    HERE,
    "What follows when this cannot be done: with `fatal` the boot ends and nothing is started, with `warn` it goes on, with `skip` it goes on without the services of `services`.",
)
.default("fatal");

pub(crate) static ROOTS_SERVICES: OptionSpec = OptionSpec::ours(
    "services",
    ValueKind::Names,
    HERE,
    "Services that need this, for `on_failure=skip`: programs, groups or `group:process`.",
)
.sample("web");

pub(crate) static STEP_ENABLED: OptionSpec = OptionSpec::ours(
    "enabled",
    ValueKind::Condition,
    HERE,
    "Condition under which this is done; otherwise it is as if the section were not there, and what it has made before stays as it is. Looked at whenever the file is read. See [Conditions](#conditions).",
)
.default("true")
.sample("is_local(REDIS_URL)");

pub(crate) static RETRIES: OptionSpec = OptionSpec::ours(
    "retries",
    ValueKind::Count,
    HERE,
    "How often it is tried again in a boot when it cannot be done, at most 100 times: for a volume or a network that comes late.",
)
.default("0")
.sample("5");

pub(crate) static RETRY_DELAY: OptionSpec = OptionSpec::ours(
    "retry_delay",
    ValueKind::Duration,
    HERE,
    "How long to wait before each of them, at most 5 minutes.",
)
.default("2s");

/// `[ca-roots]`.
pub(crate) static CA_ROOTS: [&OptionSpec; 9] = [
    &ROOTS_DIRECTORY,
    &SYSTEM_BUNDLE,
    &JAVA_TRUST_STORE,
    &TRUST_VARIABLES,
    &ROOTS_ON_FAILURE,
    &ROOTS_SERVICES,
    &STEP_ENABLED,
    &RETRIES,
    &RETRY_DELAY,
];

pub(crate) static PROVIDED_CERTIFICATE: OptionSpec = OptionSpec::ours(
    "certificate",
    ValueKind::UncheckedPath,
    HERE,
    "File with the certificate that somebody provides, the server's first and then those that lead to its root. It is never written to, and need not exist.",
)
.sample("/data/ssl/fullchain.pem");

pub(crate) static PROVIDED_KEY: OptionSpec = OptionSpec::ours(
    "key",
    ValueKind::UncheckedPath,
    HERE,
    "File with the private key of the provided certificate; it may be the same file.",
)
.sample("/data/ssl/privkey.pem");

pub(crate) static CERTIFICATE_NAMES: OptionSpec = OptionSpec::ours(
    "names",
    ValueKind::HostNames,
    HOST,
    "Names and addresses under which clients reach the server. A provided certificate must cover them, a self-signed one is made for them.",
)
.default_note("any name will do; a self-signed certificate is made for `localhost`, `127.0.0.1` and `::1`")
.sample("example.org");

pub(crate) static SELF_SIGNED: OptionSpec = OptionSpec::ours(
    "self_signed",
    ValueKind::Boolean,
    HERE,
    "Whether a certificate is made by an authority of our own where none that can be used is provided. It is renewed before it ends.",
)
.default("false");

pub(crate) static WARN_DAYS: OptionSpec = OptionSpec::ours(
    "warn_days",
    ValueKind::Count,
    HERE,
    "From how many days before its end a provided certificate is warned of.",
)
.default("30");

pub(crate) static CERTIFICATE_OWNER: OptionSpec = OptionSpec::ours(
    "owner",
    ValueKind::UserAndGroup,
    HERE,
    "Who may read the key besides root: a user, and with a group behind a colon that group as well.",
)
.default_note("the user of the daemon")
.sample("www-data");

pub(crate) static CERTIFICATE_ON_FAILURE: OptionSpec = OptionSpec::ours(
    "on_failure",
    ValueKind::OnFailure,
    HERE,
    "What follows when there is no certificate that can be used although one is provided or to be made: with `fatal` the boot ends and nothing is started, with `warn` it goes on, with `skip` it goes on without the services of `services`.",
)
.default("warn");

pub(crate) static CERTIFICATE_SERVICES: OptionSpec = OptionSpec::ours(
    "services",
    ValueKind::Names,
    HERE,
    "Services that use the certificate: programs, groups or `group:process`.",
)
.sample("web");

/// `[certificate:x]`.
pub(crate) static CERTIFICATE: [&OptionSpec; 11] = [
    &PROVIDED_CERTIFICATE,
    &PROVIDED_KEY,
    &CERTIFICATE_NAMES,
    &SELF_SIGNED,
    &WARN_DAYS,
    &CERTIFICATE_OWNER,
    &CERTIFICATE_ON_FAILURE,
    &CERTIFICATE_SERVICES,
    &STEP_ENABLED,
    &RETRIES,
    &RETRY_DELAY,
];

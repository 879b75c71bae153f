//! Options of the HTTP servers, of `[supervisorctl]` and of plugins.

use super::{NameScope, OptionSpec};
use crate::value_kind::ValueKind;

pub(crate) static SERVER_FILE: OptionSpec = OptionSpec::new(
    "file",
    ValueKind::UncheckedPath,
    NameScope::Here,
    "Path of the unix socket.",
)
.required()
.active_sample("/tmp/supervisor.sock");

pub(crate) static SERVER_CHMOD: OptionSpec = OptionSpec::new(
    "chmod",
    ValueKind::Octal,
    NameScope::Environment,
    "Mode of the socket file.",
)
.default("0700");

pub(crate) static SERVER_CHOWN: OptionSpec = OptionSpec::new(
    "chown",
    ValueKind::UserAndGroup,
    NameScope::Environment,
    "Owner, and perhaps group, of the socket file.",
)
.default_note("the user and group of the daemon")
.sample("nobody:nogroup");

pub(crate) static SERVER_USERNAME: OptionSpec = OptionSpec::new(
    "username",
    ValueKind::Text,
    NameScope::Environment,
    "User name that clients must give. Needs `password` too.",
)
.default_note("everybody who reaches the server is let in")
.sample("user");

pub(crate) static SERVER_PASSWORD: OptionSpec = OptionSpec::new(
    "password",
    ValueKind::Text,
    NameScope::Environment,
    "Password that clients must give, in clear or as `{SHA}` and the hexadecimal SHA-1. Needs `username` too.",
)
.default_note("everybody who reaches the server is let in")
.sample("123");

/// `[unix_http_server]`.
pub(crate) static UNIX_HTTP_SERVER: [&OptionSpec; 5] = [
    &SERVER_FILE,
    &SERVER_CHMOD,
    &SERVER_CHOWN,
    &SERVER_USERNAME,
    &SERVER_PASSWORD,
];

pub(crate) static SERVER_PORT: OptionSpec = OptionSpec::new(
    "port",
    ValueKind::InetAddress,
    NameScope::Environment,
    "Port to listen on, with the address before a colon. Without an address, or with `*`, on all IPv4 addresses.",
)
.required()
.sample("127.0.0.1:9001");

/// `[inet_http_server]`.
pub(crate) static INET_HTTP_SERVER: [&OptionSpec; 3] =
    [&SERVER_PORT, &SERVER_USERNAME, &SERVER_PASSWORD];

pub(crate) static CTL_SERVERURL: OptionSpec = OptionSpec::new(
    "serverurl",
    ValueKind::Url,
    NameScope::Here,
    "Where the daemon listens.",
)
.default("http://localhost:9001")
.active_sample("unix:///tmp/supervisor.sock");

pub(crate) static CTL_USERNAME: OptionSpec = OptionSpec::new(
    "username",
    ValueKind::Text,
    NameScope::Environment,
    "User name to give to the daemon.",
)
.sample("chris");

pub(crate) static CTL_PASSWORD: OptionSpec = OptionSpec::new(
    "password",
    ValueKind::Text,
    NameScope::Environment,
    "Password to give to the daemon, in clear.",
)
.sample("123");

pub(crate) static CTL_PROMPT: OptionSpec = OptionSpec::new(
    "prompt",
    ValueKind::Text,
    NameScope::Environment,
    "Word before the `>` of the shell.",
)
.default("supervisor")
.sample("mysupervisor");

pub(crate) static CTL_HISTORY_FILE: OptionSpec = OptionSpec::new(
    "history_file",
    ValueKind::UncheckedPath,
    NameScope::Here,
    "File in which the shell keeps what was typed.",
)
.default_note("nothing is kept")
.since("3.0a5")
.sample("~/.sc_history");

/// `[supervisorctl]`.
pub(crate) static SUPERVISORCTL: [&OptionSpec; 5] = [
    &CTL_SERVERURL,
    &CTL_USERNAME,
    &CTL_PASSWORD,
    &CTL_PROMPT,
    &CTL_HISTORY_FILE,
];

pub(crate) static RPC_INTERFACE_FACTORY: OptionSpec = OptionSpec::new(
    "supervisor.rpcinterface_factory",
    ValueKind::Factory,
    NameScope::Environment,
    "What provides the methods of this name space. All further keys of the section are passed to it.",
)
.required()
.active_sample("supervisor.rpcinterface:make_main_rpcinterface");

/// `[rpcinterface:x]`.
pub(crate) static RPC_INTERFACE: [&OptionSpec; 1] = [&RPC_INTERFACE_FACTORY];

pub(crate) static CTL_PLUGIN_FACTORY: OptionSpec = OptionSpec::new(
    "supervisor.ctl_factory",
    ValueKind::Factory,
    NameScope::Environment,
    "What provides further commands of supervisorctl. All further keys of the section are passed to it.",
)
.required()
.sample("my.package:make_plugin");

/// `[ctlplugin:x]`.
pub(crate) static CTL_PLUGIN: [&OptionSpec; 1] = [&CTL_PLUGIN_FACTORY];

//! Options of `[linchpin]`.

use super::{NameScope, OptionSpec};
use crate::value_kind::ValueKind;

const HERE: NameScope = NameScope::Here;

pub(crate) static EXTENSIONS: OptionSpec = OptionSpec::ours(
    "extensions",
    ValueKind::Boolean,
    HERE,
    "Whether the options that Supervisor does not have count. `off` makes every file mean what it means to Supervisor, whatever it says; the rest of this section does not count either.",
)
.default("on");

pub(crate) static CONTROL_SOCKET: OptionSpec = OptionSpec::ours(
    "socket",
    ValueKind::UncheckedPath,
    HERE,
    "Path of a socket through which people and programs of the same user ask and command the daemon.",
)
.sample("/run/linchpin.sock");

pub(crate) static STATE_DIRECTORY: OptionSpec = OptionSpec::ours(
    "state_directory",
    ValueKind::UncheckedPath,
    HERE,
    "Directory for what must survive the daemon: the recorded history, certificates and their keys, the reports of the last boot and of the last Save & Restart.",
)
.default_note("the history is kept in memory only, and there are no certificates")
.sample("/var/lib/linchpin");

pub(crate) static RUN_DIRECTORY: OptionSpec = OptionSpec::ours(
    "run_directory",
    ValueKind::UncheckedPath,
    HERE,
    "Directory for what is made anew from other files at every start, such as the bundle of CA roots; it may be in memory.",
)
.default_note("that of `state_directory`")
.sample("/run/linchpin");

pub(crate) static DIRECTORIES: OptionSpec = OptionSpec::ours(
    "directories",
    ValueKind::Paths,
    HERE,
    "Directories that the boot makes where they are missing, with those above them: for logs and data on a volume that is empty at first. One that is there stays as it is.",
)
.default("")
.sample("/data/logs");

pub(crate) static HISTORY_MAXBYTES: OptionSpec = OptionSpec::ours(
    "history_maxbytes",
    ValueKind::ByteSize,
    HERE,
    "Most bytes that the recorded history takes in `state_directory`.",
)
.default("4MB");

pub(crate) static SHUTDOWN_TIMEOUT: OptionSpec = OptionSpec::ours(
    "shutdown_timeout",
    ValueKind::Duration,
    HERE,
    "How long a shutdown may take in all; then everything that is left is killed, and the log says what. 0 gives every program its `stopwaitsecs`.",
)
.default("0")
.sample("9s");

pub(crate) static EXIT_CODE_FROM: OptionSpec = OptionSpec::ours(
    "exit_code_from",
    ValueKind::Service,
    HERE,
    "Process whose last exit status becomes the daemon's when it is told to end.",
)
.sample("web");

pub(crate) static SETTINGS_FILE: OptionSpec = OptionSpec::ours(
    "settings_file",
    ValueKind::UncheckedPath,
    HERE,
    "File in which the values of settings are kept: `NAME=value` in each line, read as data and never by a shell.",
)
.default_note("settings come from their defaults and the environment alone")
.sample("/var/lib/product/settings.env");

pub(crate) static SETTINGS_HISTORY: OptionSpec = OptionSpec::ours(
    "settings_history",
    ValueKind::Count,
    HERE,
    "How many previous versions of the settings file are kept, in a folder beside it.",
)
.default("20");

pub(crate) static PROXY_VARIABLES: OptionSpec = OptionSpec::ours(
    "proxy_variables",
    ValueKind::Boolean,
    HERE,
    "Whether variables about HTTP proxies are made to agree for programs: where `HTTP_PROXY`, `HTTPS_PROXY` or `ALL_PROXY` is set in either spelling, the other one is set too, and `NO_PROXY` has the loopback interface.",
)
.default_note("`on` where the file declares something that is made by the boot, or is run by `linchpin run`")
.sample("on");

pub(crate) static PASSWD_ENTRY: OptionSpec = OptionSpec::ours(
    "passwd_entry",
    ValueKind::Boolean,
    HERE,
    "Whether programs are given an entry in passwd for the user of the daemon where the system has none, as in a container that runs with any user id: through copies of passwd and group in `run_directory` and `libnss_wrapper`, which the image must have.",
)
.default_note("`on` where the file declares something that is made by the boot, or is run by `linchpin run`, and `run_directory` is set")
.sample("on");

/// `[linchpin]`.
pub(crate) static LINCHPIN: [&OptionSpec; 12] = [
    &EXTENSIONS,
    &CONTROL_SOCKET,
    &STATE_DIRECTORY,
    &RUN_DIRECTORY,
    &DIRECTORIES,
    &HISTORY_MAXBYTES,
    &SHUTDOWN_TIMEOUT,
    &EXIT_CODE_FROM,
    &SETTINGS_FILE,
    &SETTINGS_HISTORY,
    &PROXY_VARIABLES,
    &PASSWD_ENTRY,
];

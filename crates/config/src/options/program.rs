//! Options of `[program:x]`, `[fcgi-program:x]`, `[eventlistener:x]` and `[group:x]`.

use super::{NameScope, OptionSpec};
use crate::value_kind::ValueKind;

const PROGRAM_NAMES: NameScope = NameScope::Program;
const PROCESS_NAMES: NameScope = NameScope::Process;

pub(crate) static COMMAND: OptionSpec = OptionSpec::new(
    "command",
    ValueKind::Command,
    PROCESS_NAMES,
    "Program to run, with its arguments. It must stay in the foreground. No shell is involved: no variables, globs or redirections.",
)
.required()
.sample("/bin/cat");

pub(crate) static PROCESS_NAME: OptionSpec = OptionSpec::new(
    "process_name",
    ValueKind::Name,
    PROCESS_NAMES,
    "Name of a process. With `numprocs` above 1 it must contain `%(process_num)`.",
)
.default("%(program_name)s");

pub(crate) static NUMPROCS: OptionSpec = OptionSpec::new(
    "numprocs",
    ValueKind::Integer,
    PROGRAM_NAMES,
    "How many processes of this program run.",
)
.default("1");

pub(crate) static NUMPROCS_START: OptionSpec = OptionSpec::new(
    "numprocs_start",
    ValueKind::Integer,
    PROGRAM_NAMES,
    "First value of `process_num`.",
)
.default("0");

pub(crate) static PRIORITY: OptionSpec = OptionSpec::new(
    "priority",
    ValueKind::Integer,
    PROGRAM_NAMES,
    "Programs of lower priority start earlier and stop later. Nothing waits for them to be ready.",
)
.default("999");

pub(crate) static AUTOSTART: OptionSpec = OptionSpec::new(
    "autostart",
    ValueKind::Boolean,
    PROGRAM_NAMES,
    "Start together with the daemon.",
)
.default("true");

pub(crate) static STARTSECS: OptionSpec = OptionSpec::new(
    "startsecs",
    ValueKind::Integer,
    PROGRAM_NAMES,
    "Seconds that a process must stay up for its start to count as a success. With 0 every start is one.",
)
.default("1");

pub(crate) static STARTRETRIES: OptionSpec = OptionSpec::new(
    "startretries",
    ValueKind::Integer,
    PROGRAM_NAMES,
    "How often a failed start is tried again before the process is FATAL. The wait grows by a second each time.",
)
.default("3");

pub(crate) static AUTORESTART: OptionSpec = OptionSpec::new(
    "autorestart",
    ValueKind::AutoRestart,
    PROGRAM_NAMES,
    "Whether to start again what ended after it was RUNNING: always, never, or with `unexpected` only if the exit status is not in `exitcodes`.",
)
.default("unexpected");

pub(crate) static EXITCODES: OptionSpec = OptionSpec::new(
    "exitcodes",
    ValueKind::ExitCodes,
    PROGRAM_NAMES,
    "Exit statuses that are expected. Empty makes every exit unexpected.",
)
.default("0");

pub(crate) static STOPSIGNAL: OptionSpec = OptionSpec::new(
    "stopsignal",
    ValueKind::Signal,
    PROGRAM_NAMES,
    "Signal that asks the process to stop.",
)
.default("TERM")
.sample("QUIT");

pub(crate) static STOPWAITSECS: OptionSpec = OptionSpec::new(
    "stopwaitsecs",
    ValueKind::Integer,
    PROGRAM_NAMES,
    "Seconds that a process has to stop before it receives SIGKILL.",
)
.default("10");

pub(crate) static STOPASGROUP: OptionSpec = OptionSpec::new(
    "stopasgroup",
    ValueKind::Boolean,
    PROGRAM_NAMES,
    "Send the stop signal to the whole process group. Implies `killasgroup`.",
)
.default("false")
.since("3.0b1");

pub(crate) static KILLASGROUP: OptionSpec = OptionSpec::new(
    "killasgroup",
    ValueKind::Boolean,
    PROGRAM_NAMES,
    "Send SIGKILL to the whole process group.",
)
.default_note("the value of `stopasgroup`")
.since("3.0a11")
.sample("false");

pub(crate) static USER: OptionSpec = OptionSpec::new(
    "user",
    ValueKind::User,
    PROGRAM_NAMES,
    "User to run as, with its groups; needs a daemon that runs as root. `HOME` and `USER` are not changed.",
)
.default_note("the user of the daemon")
.sample("chrism");

pub(crate) static REDIRECT_STDERR: OptionSpec = OptionSpec::new(
    "redirect_stderr",
    ValueKind::Boolean,
    PROGRAM_NAMES,
    "Send standard error where standard output goes. Refused for event listeners.",
)
.default("false")
.sample("true");

const LOGFILE_HELP: &str = "Log file of the stream. `AUTO` makes one in `childlogdir` that the next start removes; `NONE` throws the output away.";
const MAXBYTES_HELP: &str = "Size at which the log file is rotated. 0 lets it grow, and is needed for files that are not regular.";
const BACKUPS_HELP: &str = "How many rotated files are kept. 0 empties the file at the limit.";
const CAPTURE_HELP: &str = "Most bytes that are kept between `<!--XSUPERVISOR:BEGIN-->` and `<!--XSUPERVISOR:END-->` and sent as an event. 0 turns this off.";
const EVENTS_HELP: &str = "Send an event for everything that is written.";
const SYSLOG_HELP: &str =
    "Send every line to the system log, with the name of the process before it.";

const fn logfile(name: &'static str) -> OptionSpec {
    OptionSpec::new(name, ValueKind::ChildLogFile, PROCESS_NAMES, LOGFILE_HELP)
        .default("AUTO")
        .sample("/a/path")
}

const fn maxbytes(name: &'static str) -> OptionSpec {
    OptionSpec::new(name, ValueKind::ByteSize, PROCESS_NAMES, MAXBYTES_HELP)
        .default("50MB")
        .sample("1MB")
}

const fn backups(name: &'static str) -> OptionSpec {
    OptionSpec::new(name, ValueKind::Integer, PROCESS_NAMES, BACKUPS_HELP).default("10")
}

const fn capture(name: &'static str) -> OptionSpec {
    OptionSpec::new(name, ValueKind::ByteSize, PROGRAM_NAMES, CAPTURE_HELP)
        .default("0")
        .sample("1MB")
}

const fn events_enabled(name: &'static str) -> OptionSpec {
    OptionSpec::new(name, ValueKind::Boolean, PROGRAM_NAMES, EVENTS_HELP)
        .default("false")
        .since("3.0a7")
}

const fn syslog(name: &'static str) -> OptionSpec {
    OptionSpec::new(name, ValueKind::Boolean, PROCESS_NAMES, SYSLOG_HELP)
        .default("false")
        .since("4.0.0")
}

/// The six options that exist once for each stream.
#[derive(Debug)]
pub(crate) struct StreamOptions {
    pub(crate) logfile: OptionSpec,
    pub(crate) maxbytes: OptionSpec,
    pub(crate) backups: OptionSpec,
    pub(crate) capture: OptionSpec,
    pub(crate) events_enabled: OptionSpec,
    pub(crate) syslog: OptionSpec,
}

pub(crate) static STDOUT: StreamOptions = StreamOptions {
    logfile: logfile("stdout_logfile"),
    maxbytes: maxbytes("stdout_logfile_maxbytes"),
    backups: backups("stdout_logfile_backups"),
    capture: capture("stdout_capture_maxbytes"),
    events_enabled: events_enabled("stdout_events_enabled"),
    syslog: syslog("stdout_syslog"),
};

pub(crate) static STDERR: StreamOptions = StreamOptions {
    logfile: logfile("stderr_logfile"),
    maxbytes: maxbytes("stderr_logfile_maxbytes"),
    backups: backups("stderr_logfile_backups"),
    capture: capture("stderr_capture_maxbytes"),
    events_enabled: events_enabled("stderr_events_enabled"),
    syslog: syslog("stderr_syslog"),
};

pub(crate) static ENVIRONMENT: OptionSpec = OptionSpec::new(
    "environment",
    ValueKind::KeyValues,
    NameScope::ProcessOnly,
    "Variables on top of the daemon's. Quote values that hold anything but letters, digits and `_/.+-():`.",
)
.default("")
.sample("A=\"1\",B=\"2\"");

pub(crate) static DIRECTORY: OptionSpec = OptionSpec::new(
    "directory",
    ValueKind::UncheckedPath,
    PROCESS_NAMES,
    "Working directory of the process. `~` is not expanded.",
)
.default_note("the working directory of the daemon")
.sample("/tmp");

pub(crate) static PROGRAM_UMASK: OptionSpec = OptionSpec::new(
    "umask",
    ValueKind::Octal,
    PROGRAM_NAMES,
    "File mode mask of the process.",
)
.default_note("the mask of the daemon")
.sample("022");

pub(crate) static SERVERURL: OptionSpec = OptionSpec::new(
    "serverurl",
    ValueKind::Text,
    PROGRAM_NAMES,
    "Value of `SUPERVISOR_SERVER_URL` for the process. `AUTO` is the first unix server, else the first TCP one.",
)
.default("AUTO");

/// Options of every section that describes processes, in the order of the sample.
pub(crate) static PROGRAM: [&OptionSpec; 32] = [
    &COMMAND,
    &PROCESS_NAME,
    &NUMPROCS,
    &NUMPROCS_START,
    &DIRECTORY,
    &PROGRAM_UMASK,
    &PRIORITY,
    &AUTOSTART,
    &STARTSECS,
    &STARTRETRIES,
    &AUTORESTART,
    &EXITCODES,
    &STOPSIGNAL,
    &STOPWAITSECS,
    &STOPASGROUP,
    &KILLASGROUP,
    &USER,
    &REDIRECT_STDERR,
    &STDOUT.logfile,
    &STDOUT.maxbytes,
    &STDOUT.backups,
    &STDOUT.capture,
    &STDOUT.events_enabled,
    &STDOUT.syslog,
    &STDERR.logfile,
    &STDERR.maxbytes,
    &STDERR.backups,
    &STDERR.capture,
    &STDERR.events_enabled,
    &STDERR.syslog,
    &ENVIRONMENT,
    &SERVERURL,
];

pub(crate) static SOCKET: OptionSpec = OptionSpec::new(
    "socket",
    ValueKind::FastCgiSocket,
    NameScope::Socket,
    "Socket that the daemon opens and hands to every process of the program as standard input.",
)
.required()
.sample("tcp://localhost:9000");

pub(crate) static SOCKET_BACKLOG: OptionSpec = OptionSpec::new(
    "socket_backlog",
    ValueKind::Integer,
    NameScope::Here,
    "Length of the queue of connections, from 1 to 65535.",
)
.default_note("the system's maximum")
.since("3.4.0")
.sample("1024");

pub(crate) static SOCKET_OWNER: OptionSpec = OptionSpec::new(
    "socket_owner",
    ValueKind::UserAndGroup,
    NameScope::Here,
    "Owner, and perhaps group, of a unix socket.",
)
.default_note("the program's `user` and its group")
.sample("nobody:nogroup");

pub(crate) static SOCKET_MODE: OptionSpec = OptionSpec::new(
    "socket_mode",
    ValueKind::Octal,
    NameScope::Here,
    "Mode of a unix socket.",
)
.default_note("0700")
.sample("0700");

/// What `[fcgi-program:x]` has besides.
pub(crate) static FCGI_PROGRAM: [&OptionSpec; 4] =
    [&SOCKET, &SOCKET_BACKLOG, &SOCKET_OWNER, &SOCKET_MODE];

pub(crate) static EVENTS: OptionSpec = OptionSpec::new(
    "events",
    ValueKind::EventTypes,
    NameScope::Here,
    "Event types that are sent to the listeners.",
)
.required()
.sample("EVENT");

pub(crate) static BUFFER_SIZE: OptionSpec = OptionSpec::new(
    "buffer_size",
    ValueKind::Integer,
    NameScope::Here,
    "How many events may wait for a listener; beyond that the oldest is dropped.",
)
.default("10");

pub(crate) static RESULT_HANDLER: OptionSpec = OptionSpec::new(
    "result_handler",
    ValueKind::Factory,
    NameScope::Here,
    "What judges the answers of the listeners.",
)
.default("supervisor.dispatchers:default_handler");

/// What `[eventlistener:x]` has besides.
pub(crate) static EVENT_LISTENER: [&OptionSpec; 3] = [&EVENTS, &BUFFER_SIZE, &RESULT_HANDLER];

pub(crate) static GROUP_PROGRAMS: OptionSpec = OptionSpec::new(
    "programs",
    ValueKind::Names,
    NameScope::Here,
    "Programs and FastCGI programs that form the group instead of one each.",
)
.sample("progname1,progname2");

pub(crate) static GROUP_PRIORITY: OptionSpec = OptionSpec::new(
    "priority",
    ValueKind::Integer,
    NameScope::Here,
    "Priority of the group among the groups.",
)
.default("999");

/// `[group:x]`.
pub(crate) static GROUP: [&OptionSpec; 2] = [&GROUP_PROGRAMS, &GROUP_PRIORITY];

/// Priority of a pool of event listeners among the groups, where none is written.
pub(crate) const LISTENER_POOL_PRIORITY: &str = "-1";

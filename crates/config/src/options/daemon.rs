//! Options of `[supervisord]` and `[include]`.

use super::{NameScope, OptionSpec};
use crate::value_kind::ValueKind;

const HERE: NameScope = NameScope::Here;

pub(crate) static LOGFILE: OptionSpec = OptionSpec::new(
    "logfile",
    ValueKind::MainLogFile,
    HERE,
    "The daemon's own log. The word `syslog` sends it to the system log instead.",
)
.default("supervisord.log")
.active_sample("/tmp/supervisord.log");

pub(crate) static LOGFILE_MAXBYTES: OptionSpec = OptionSpec::new(
    "logfile_maxbytes",
    ValueKind::ByteSize,
    HERE,
    "Size at which the daemon's own log is rotated. 0 lets it grow, and is needed for files that are not regular.",
)
.default("50MB")
.active_sample("50MB");

pub(crate) static LOGFILE_BACKUPS: OptionSpec = OptionSpec::new(
    "logfile_backups",
    ValueKind::Integer,
    HERE,
    "How many rotated files of the daemon's own log are kept. 0 empties the file at the limit.",
)
.default("10")
.active_sample("10");

pub(crate) static LOGLEVEL: OptionSpec = OptionSpec::new(
    "loglevel",
    ValueKind::LogLevel,
    HERE,
    "Least level that goes into the daemon's own log. From `debug` on, it also receives all output of the processes.",
)
.default("info")
.active_sample("info");

pub(crate) static PIDFILE: OptionSpec = OptionSpec::new(
    "pidfile",
    ValueKind::Path,
    HERE,
    "File that receives the daemon's process id.",
)
.default("supervisord.pid")
.active_sample("/tmp/supervisord.pid");

pub(crate) static UMASK: OptionSpec = OptionSpec::new(
    "umask",
    ValueKind::Octal,
    HERE,
    "File mode mask that the daemon takes when it goes into the background. No effect with `nodaemon`.",
)
.default("022");

pub(crate) static NODAEMON: OptionSpec = OptionSpec::new(
    "nodaemon",
    ValueKind::Boolean,
    HERE,
    "Stay in the foreground, and copy the log to standard output unless `silent` is set.",
)
.default("false")
.active_sample("false");

pub(crate) static SILENT: OptionSpec = OptionSpec::new(
    "silent",
    ValueKind::Boolean,
    HERE,
    "Do not copy the log to standard output in the foreground.",
)
.default("false")
.since("4.2.0")
.active_sample("false");

pub(crate) static MINFDS: OptionSpec = OptionSpec::new(
    "minfds",
    ValueKind::Integer,
    HERE,
    "Open files that must be possible; a lower soft limit is raised at the start, and the processes inherit it.",
)
.default("1024")
.active_sample("1024");

pub(crate) static MINPROCS: OptionSpec = OptionSpec::new(
    "minprocs",
    ValueKind::Integer,
    HERE,
    "Processes of this user that must be possible; a lower soft limit is raised at the start.",
)
.default("200")
.active_sample("200");

pub(crate) static NOCLEANUP: OptionSpec = OptionSpec::new(
    "nocleanup",
    ValueKind::Boolean,
    HERE,
    "Keep the automatic log files of an earlier run.",
)
.default("false")
.sample("true");

pub(crate) static CHILDLOGDIR: OptionSpec = OptionSpec::new(
    "childlogdir",
    ValueKind::Directory,
    HERE,
    "Directory of automatic log files.",
)
.default_note("the directory for temporary files (`TMPDIR`, `TEMP`, `TMP`, else `/tmp`)")
.sample("/tmp");

pub(crate) static SUPERVISORD_USER: OptionSpec = OptionSpec::new(
    "user",
    ValueKind::User,
    HERE,
    "User that the daemon becomes at the start, when root starts it.",
)
.default_note("the daemon stays who it is")
.sample("supervisord");

pub(crate) static SUPERVISORD_DIRECTORY: OptionSpec = OptionSpec::new(
    "directory",
    ValueKind::Directory,
    HERE,
    "Working directory that the daemon takes when it goes into the background. No effect with `nodaemon`.",
)
.default_note("the daemon stays where it was started")
.sample("/tmp");

pub(crate) static STRIP_ANSI: OptionSpec = OptionSpec::new(
    "strip_ansi",
    ValueKind::Boolean,
    HERE,
    "Remove colour and cursor sequences from the output of the processes before it is logged.",
)
.default("false");

pub(crate) static SUPERVISORD_ENVIRONMENT: OptionSpec = OptionSpec::new(
    "environment",
    ValueKind::KeyValues,
    NameScope::Host,
    "Variables for every process, below its own `environment`. They are also names (`ENV_x`) for all later sections.",
)
.default("")
.sample("KEY=\"value\"");

pub(crate) static IDENTIFIER: OptionSpec = OptionSpec::new(
    "identifier",
    ValueKind::Text,
    HERE,
    "Name of this daemon for clients and in the names of automatic log files.",
)
.default("supervisor");

/// `[supervisord]`, in the order of the sample.
pub(crate) static SUPERVISORD: [&OptionSpec; 17] = [
    &LOGFILE,
    &LOGFILE_MAXBYTES,
    &LOGFILE_BACKUPS,
    &LOGLEVEL,
    &PIDFILE,
    &NODAEMON,
    &SILENT,
    &MINFDS,
    &MINPROCS,
    &UMASK,
    &SUPERVISORD_USER,
    &IDENTIFIER,
    &SUPERVISORD_DIRECTORY,
    &NOCLEANUP,
    &CHILDLOGDIR,
    &SUPERVISORD_ENVIRONMENT,
    &STRIP_ANSI,
];

pub(crate) static INCLUDE_FILES: OptionSpec = OptionSpec::new(
    "files",
    ValueKind::FilePatterns,
    NameScope::Host,
    "Files to read after this one, relative to its directory. Their keys override those of this file; an `[include]` in them is ignored.",
)
.required()
.sample("relative/directory/*.ini");

/// `[include]`.
pub(crate) static INCLUDE: [&OptionSpec; 1] = [&INCLUDE_FILES];

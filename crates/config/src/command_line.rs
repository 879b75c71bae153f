//! The command line of supervisord.

use std::fmt::Write as _;

use linchpin_python::{repr, repr_list};

use crate::daemon_section::main_log;
use crate::getopt::{CommandOption, GivenOption, getopt};
use crate::model::{LogLevel, MainLog, Supervisord};
use crate::value;
use crate::world::World;

/// The options of supervisord.
pub static DAEMON_OPTIONS: [CommandOption; 21] = [
    CommandOption::with_value(
        Some('c'),
        "configuration",
        "FILENAME",
        "read this configuration file instead of searching for one",
    ),
    CommandOption::flag(
        Some('n'),
        "nodaemon",
        "stay in the foreground (as `nodaemon=true`)",
    ),
    CommandOption::flag(
        Some('s'),
        "silent",
        "do not copy the log to standard output (as `silent=true`)",
    ),
    CommandOption::flag(Some('h'), "help", "print this text and exit"),
    CommandOption::flag(Some('?'), "", "print this text and exit"),
    CommandOption::flag(
        Some('v'),
        "version",
        "print the version of Supervisor that this is compatible with, and exit",
    ),
    CommandOption::with_value(
        Some('u'),
        "user",
        "USER",
        "run as this user (name or numeric id)",
    ),
    CommandOption::with_value(
        Some('m'),
        "umask",
        "UMASK",
        "file mode mask when in the background (default 022)",
    ),
    CommandOption::with_value(
        Some('d'),
        "directory",
        "DIR",
        "working directory when in the background",
    ),
    CommandOption::with_value(
        Some('l'),
        "logfile",
        "FILENAME",
        "use FILENAME as the daemon's own log",
    ),
    CommandOption::with_value(
        Some('y'),
        "logfile_maxbytes",
        "BYTES",
        "size at which the daemon's own log is rotated",
    ),
    CommandOption::with_value(
        Some('z'),
        "logfile_backups",
        "NUM",
        "how many rotated files are kept",
    ),
    CommandOption::with_value(
        Some('e'),
        "loglevel",
        "LEVEL",
        "least level that is logged (critical, error, warn, info, debug, trace, blather)",
    ),
    CommandOption::with_value(
        Some('j'),
        "pidfile",
        "FILENAME",
        "file that receives the process id",
    ),
    CommandOption::with_value(Some('i'), "identifier", "STR", "name of this instance"),
    CommandOption::with_value(
        Some('q'),
        "childlogdir",
        "DIR",
        "directory of automatic log files",
    ),
    CommandOption::flag(
        Some('k'),
        "nocleanup",
        "keep automatic log files of an earlier run",
    ),
    CommandOption::with_value(
        Some('a'),
        "minfds",
        "NUM",
        "open files that must be possible",
    ),
    CommandOption::flag(
        Some('t'),
        "strip_ansi",
        "remove colour and cursor sequences from logged output",
    ),
    CommandOption::with_value(None, "minprocs", "NUM", "processes that must be possible"),
    CommandOption::with_value(
        None,
        "profile_options",
        "LIST",
        "accepted for compatibility; there is no profiler",
    ),
];

/// Options of the command line, which beat the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DaemonOverrides {
    /// `-n`
    pub nodaemon: bool,
    /// `-s`
    pub silent: bool,
    /// `-u`
    pub user: Option<String>,
    /// `-m`
    pub umask: Option<u32>,
    /// `-d`
    pub directory: Option<String>,
    /// `-l`
    pub logfile: Option<MainLog>,
    /// `-y`, in bytes
    pub logfile_maxbytes: Option<i64>,
    /// `-z`
    pub logfile_backups: Option<i64>,
    /// `-e`
    pub loglevel: Option<LogLevel>,
    /// `-j`
    pub pidfile: Option<String>,
    /// `-i`
    pub identifier: Option<String>,
    /// `-q`
    pub childlogdir: Option<String>,
    /// `-k`
    pub nocleanup: bool,
    /// `-a`
    pub minfds: Option<i64>,
    /// `-t`
    pub strip_ansi: bool,
    /// `--minprocs`
    pub minprocs: Option<i64>,
    /// `--profile_options`, as it was written
    pub profile_options: Option<String>,
}

impl DaemonOverrides {
    pub(crate) fn apply(&self, supervisord: &mut Supervisord) {
        fn replace<T: Clone>(target: &mut T, value: Option<&T>) {
            if let Some(value) = value {
                target.clone_from(value);
            }
        }
        supervisord.nodaemon |= self.nodaemon;
        supervisord.silent |= self.silent;
        supervisord.nocleanup |= self.nocleanup;
        supervisord.strip_ansi |= self.strip_ansi;
        if self.user.is_some() {
            supervisord.user.clone_from(&self.user);
        }
        if self.directory.is_some() {
            supervisord.directory.clone_from(&self.directory);
        }
        replace(&mut supervisord.umask, self.umask.as_ref());
        replace(&mut supervisord.logfile, self.logfile.as_ref());
        replace(
            &mut supervisord.logfile_maxbytes,
            self.logfile_maxbytes.as_ref(),
        );
        replace(
            &mut supervisord.logfile_backups,
            self.logfile_backups.as_ref(),
        );
        replace(&mut supervisord.loglevel, self.loglevel.as_ref());
        replace(&mut supervisord.pidfile, self.pidfile.as_ref());
        replace(&mut supervisord.identifier, self.identifier.as_ref());
        replace(&mut supervisord.childlogdir, self.childlogdir.as_ref());
        replace(&mut supervisord.minfds, self.minfds.as_ref());
        replace(&mut supervisord.minprocs, self.minprocs.as_ref());
    }
}

/// What supervisord is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DaemonCommand {
    /// Print the help text on standard output and exit with 0.
    Help,
    /// Print the version on standard output and exit with 0.
    Version,
    /// Load a configuration and run.
    Run {
        /// `-c`, as it was written.
        file: Option<String>,
        /// Everything else.
        overrides: Box<DaemonOverrides>,
    },
}

/// Reads the words of supervisord's command line, without the program's name.
///
/// # Errors
/// The original's message, to be printed by [`usage_error`](crate::usage_error).
pub fn parse_supervisord_args(
    world: &dyn World,
    words: &[String],
) -> Result<DaemonCommand, String> {
    let (given, rest) = getopt(words, &DAEMON_OPTIONS)?;
    if !rest.is_empty() {
        return Err(format!(
            "positional arguments are not supported: {}",
            repr_list(&rest)
        ));
    }
    let mut file = None;
    let mut overrides = DaemonOverrides::default();
    let mut seen: Vec<usize> = Vec::new();
    for option in &given {
        match option.name.as_str() {
            "-h" | "-?" | "--help" => return Ok(DaemonCommand::Help),
            "-v" | "--version" => return Ok(DaemonCommand::Version),
            _ => {}
        }
        if option.name == "-c" || option.name == "--configuration" {
            check_seen(&mut seen, option)?;
            file = Some(option.value.clone());
        } else {
            override_option(world, option, &mut overrides, &mut seen)?;
        }
    }
    Ok(DaemonCommand::Run {
        file,
        overrides: Box::new(overrides),
    })
}

/// Refuses what was given before.
pub(crate) fn check_seen(seen: &mut Vec<usize>, option: &GivenOption) -> Result<(), String> {
    if seen.contains(&option.index) {
        return Err(format!(
            "conflicting command line option {}",
            repr(&option.name)
        ));
    }
    seen.push(option.index);
    Ok(())
}

fn override_option(
    world: &dyn World,
    option: &GivenOption,
    overrides: &mut DaemonOverrides,
    seen: &mut Vec<usize>,
) -> Result<(), String> {
    let text = option.value.as_str();
    let invalid =
        |reason: String| format!("invalid value for {} {}: {reason}", option.name, repr(text));
    // A bad value is complained about before a repeated option.
    let mut parsed = DaemonOverrides::default();
    match DAEMON_OPTIONS[option.index].long {
        "nodaemon" => parsed.nodaemon = true,
        "silent" => parsed.silent = true,
        "nocleanup" => parsed.nocleanup = true,
        "strip_ansi" => parsed.strip_ansi = true,
        "user" => parsed.user = Some(text.to_owned()),
        "identifier" => parsed.identifier = Some(text.to_owned()),
        "profile_options" => parsed.profile_options = Some(text.to_owned()),
        "umask" => parsed.umask = Some(value::octal(text).map_err(invalid)?),
        "directory" => parsed.directory = Some(value::directory(world, text).map_err(invalid)?),
        "childlogdir" => {
            parsed.childlogdir = Some(value::directory(world, text).map_err(invalid)?);
        }
        "logfile" => parsed.logfile = Some(main_log(value::path(world, text).map_err(invalid)?)),
        "pidfile" => parsed.pidfile = Some(value::path(world, text).map_err(invalid)?),
        "logfile_maxbytes" => {
            parsed.logfile_maxbytes = Some(value::byte_size(text).map_err(invalid)?);
        }
        "logfile_backups" => {
            parsed.logfile_backups = Some(value::integer(text).map_err(invalid)?);
        }
        "loglevel" => parsed.loglevel = Some(value::log_level(text).map_err(invalid)?),
        "minfds" => parsed.minfds = Some(value::integer(text).map_err(invalid)?),
        "minprocs" => parsed.minprocs = Some(value::integer(text).map_err(invalid)?),
        _ => {}
    }
    check_seen(seen, option)?;
    overrides.merge(parsed);
    Ok(())
}

impl DaemonOverrides {
    fn merge(&mut self, other: Self) {
        self.nodaemon |= other.nodaemon;
        self.silent |= other.silent;
        self.nocleanup |= other.nocleanup;
        self.strip_ansi |= other.strip_ansi;
        self.user = other.user.or(self.user.take());
        self.umask = other.umask.or(self.umask);
        self.directory = other.directory.or(self.directory.take());
        self.logfile = other.logfile.or(self.logfile.take());
        self.logfile_maxbytes = other.logfile_maxbytes.or(self.logfile_maxbytes);
        self.logfile_backups = other.logfile_backups.or(self.logfile_backups);
        self.loglevel = other.loglevel.or(self.loglevel);
        self.pidfile = other.pidfile.or(self.pidfile.take());
        self.identifier = other.identifier.or(self.identifier.take());
        self.childlogdir = other.childlogdir.or(self.childlogdir.take());
        self.minfds = other.minfds.or(self.minfds);
        self.minprocs = other.minprocs.or(self.minprocs);
        self.profile_options = other.profile_options.or(self.profile_options.take());
    }
}

/// Help text of a program, made from its options, in the form of the original's, for which people and its
/// tests look.
pub(crate) fn help_text(
    program: &str,
    about: &str,
    arguments: &str,
    table: &[CommandOption],
) -> String {
    let mut text = format!("{about}\n\nUsage: {program} [options]{arguments}\n\nOptions:\n");
    for option in table {
        let short = option.short.map(|short| format!("-{short}"));
        let long = (!option.long.is_empty()).then(|| format!("--{}", option.long));
        let forms: Vec<String> = short.into_iter().chain(long).collect();
        let value = option
            .value_name
            .map_or(String::new(), |name| format!(" {name}"));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}{value} -- {}", forms.join("/"), option.help);
    }
    text
}

/// Help text of supervisord.
#[must_use]
pub fn supervisord_help(program: &str) -> String {
    help_text(
        program,
        "supervisord -- run a set of applications and keep them running.",
        "",
        &DAEMON_OPTIONS,
    )
}

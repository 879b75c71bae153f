//! One start, from the words of its command to the process. Runs on a spawner thread: any step may hang.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use linchpin_config::{LogFile, OutputConfig, ProcessConfig};
use linchpin_core::{SpawnFailure, SpawnFailureKind};
use linchpin_log::{
    FileSpec, LinePatterns, LogLevel, OwnerId, StreamId, StreamKind, StreamRole, StreamSinks,
    StreamSpec,
};
use linchpin_sys::command_path::{self, SearchPath};
use linchpin_sys::credentials::Credentials;
use linchpin_sys::errno_name::errno_text;
use linchpin_sys::pipe::{NonBlocking, Pipe};
use linchpin_sys::spawn::{Command, Environment, PrepareError, SpawnSlot, Stderr, Stream, spawn};
use linchpin_sys::words::command_words;

use super::job::{Launch, Started};
use crate::services::announcements;
use crate::site::{AutoLog, Site};

/// The command of the package of that name, under which this program is called, too.
const SUPERVISOR_STDOUT: &str = "supervisor_stdout";

const EMFILE: i32 = 24;

/// A command that can be run, as far as looking can tell.
pub(super) struct Resolved {
    program: PathBuf,
    words: Vec<String>,
}

/// Finds what the command of a process would run.
pub(super) fn resolve(config: &ProcessConfig, site: &Site) -> Result<Resolved, SpawnFailure> {
    resolve_command(&config.command, config, site)
}

/// Finds what a command would run that is run as a process is.
pub(super) fn resolve_command(
    command: &str,
    config: &ProcessConfig,
    site: &Site,
) -> Result<Resolved, SpawnFailure> {
    let not_executable = |text: String| SpawnFailure {
        kind: SpawnFailureKind::NotExecutable,
        text,
    };
    let words = command_words(command).map_err(|error| not_executable(error.to_string()))?;
    let search = SearchPath {
        of_program: config.environment.get("PATH").map(String::as_str),
        of_daemon: site.path.as_deref(),
    };
    let name = words.first().map(String::as_str).unwrap_or_default();
    match command_path::find(name, search) {
        Ok(program) => Ok(Resolved { program, words }),
        // The listener of a package that is not installed: this program can be it.
        Err(error) if error.is_no_file() && name == SUPERVISOR_STDOUT => match &site.own_program {
            Some(program) => Ok(Resolved {
                program: program.clone(),
                words,
            }),
            None => Err(SpawnFailure {
                kind: SpawnFailureKind::NoFile,
                text: error.to_string(),
            }),
        },
        Err(error) if error.is_no_file() => Err(SpawnFailure {
            kind: SpawnFailureKind::NoFile,
            text: error.to_string(),
        }),
        Err(error) => Err(not_executable(error.to_string())),
    }
}

/// Starts a process and has its output captured.
pub(super) fn launch(launch: &Launch, slot: &SpawnSlot) -> Result<Started, SpawnFailure> {
    let Launch {
        generation,
        config,
        group,
        site,
        ..
    } = launch;
    // First, as there: a command that is not found leaves the same two lines about the socket in the log.
    let socket = match &launch.socket {
        Some(socket) => Some(socket.for_process().map_err(|text| SpawnFailure {
            kind: SpawnFailureKind::Socket,
            text,
        })?),
        None => None,
    };
    let resolved = resolve(config, site)?;
    let dispatchers = |error: &io::Error| other(dispatcher_text(&config.name, error));
    let patterns =
        announcements::line_patterns(config).map_err(|error| other(error.to_string()))?;
    let open = |kind| Output::open(launch, kind, patterns.clone());
    let stdout = open(StreamKind::Stdout).map_err(|error| dispatchers(&error))?;
    let stderr = if config.redirect_stderr {
        None
    } else {
        Some(open(StreamKind::Stderr).map_err(|error| dispatchers(&error))?)
    };
    let (stdin, stdin_writer) = match socket {
        Some(socket) => (socket, None),
        None => {
            let pipe = Pipe::new(NonBlocking::Writer).map_err(|error| dispatchers(&error))?;
            (pipe.reader, Some(pipe.writer))
        }
    };

    let (ears, mouths) = announcements::open(config).map_err(|error| dispatchers(&error))?;
    let (environment, complaint) = site
        .settings
        .for_a_start(group, &config.name, &config.section);
    if let Some(complaint) = complaint {
        site.logs.log(LogLevel::Warn, complaint);
    }
    let mut command = command(resolved, config, group, site, environment)?;
    with_variables(&mut command, launch.variables.iter().cloned());
    with_variables(&mut command, mouths.variables);
    command.further = mouths.descriptors;
    command.stdin = Stream::Descriptor(stdin);
    let (stdout_end, stdout_capture) = stdout.split();
    command.stdout = stdout_end;
    let mut stderr_capture = None;
    command.stderr = match stderr {
        None => Stderr::SameAsStdout,
        Some(stderr) => {
            let (end, capture) = stderr.split();
            stderr_capture = capture;
            Stderr::Own(end)
        }
    };
    let prepared = command
        .prepare()
        .map_err(|error| prepare_failure(&config.name, &error))?;
    let spawned = spawn(&prepared, slot).map_err(|error| other(error.spawnerr(&config.name)))?;
    // The child's ends: a pipe only reports its end when nobody else holds them.
    drop(prepared);

    let owner = OwnerId(generation.0);
    let pid = spawned.pid.get();
    let mut has_streams = false;
    for (kind, capture) in [
        (StreamKind::Stdout, stdout_capture),
        (StreamKind::Stderr, stderr_capture),
    ] {
        if let Some(capture) = capture {
            let Capture { pipe, sinks } = *capture;
            // With a full queue the pipe is closed, which the service notices when it writes.
            let id = StreamId { owner, kind };
            has_streams |= site
                .logs
                .attach(id, pid.unsigned_abs(), pipe, sinks)
                .is_ok();
        }
    }
    Ok(Started {
        pid,
        exec_failure: spawned.failed.map(|failed| failed.to_string()),
        stdin: stdin_writer,
        has_streams,
        ears,
    })
}

/// A command that is run as a process is: its user, directory, file mode mask, environment and limits.
pub(super) fn command(
    resolved: Resolved,
    config: &ProcessConfig,
    group: &str,
    site: &Site,
    environment: Arc<Environment>,
) -> Result<Command, SpawnFailure> {
    let Resolved { program, words } = resolved;
    let arguments = words.into_iter().map(OsString::from).collect();
    let mut command = Command::new(program, arguments);
    command.shared_environment = environment;
    command.environment = site.variables_of(config, group);
    command.directory = config.directory.as_ref().map(PathBuf::from);
    command.umask = config.umask;
    command.files_limit = Some(site.files_limit);
    command.close_descriptors_below = site.minfds;
    if let Some(uid) = config.uid {
        command.credentials =
            Credentials::for_uid(uid, &site.accounts).map_err(|error| other(error.to_string()))?;
    }
    Ok(command)
}

/// Adds variables of ours, which come before others of the same name.
pub(super) fn with_variables(
    command: &mut Command,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) {
    for (name, value) in variables {
        command.environment.retain(|(other, _)| *other != name);
        command.environment.push((name, value));
    }
}

/// Where one output of a process goes.
enum Output {
    /// Nobody would ever see it: the process gets the null device, and nobody has to read.
    Unseen,
    Captured {
        writer: OwnedFd,
        capture: Box<Capture>,
    },
}

struct Capture {
    pipe: OwnedFd,
    sinks: StreamSinks,
}

impl Output {
    fn open(launch: &Launch, kind: StreamKind, patterns: Option<LinePatterns>) -> io::Result<Self> {
        let Launch {
            config,
            site,
            stdout_log,
            stderr_log,
            ..
        } = launch;
        let (output, auto) = match kind {
            StreamKind::Stdout => (&config.stdout, stdout_log),
            StreamKind::Stderr => (&config.stderr, stderr_log),
        };
        let role = match kind {
            StreamKind::Stdout if launch.is_listener => StreamRole::ListenerProtocol,
            StreamKind::Stdout | StreamKind::Stderr => StreamRole::Output,
        };
        let is_seen = role == StreamRole::ListenerProtocol
            || output.logfile != LogFile::None
            || output.syslog
            || output.events_enabled
            || output.capture_maxbytes > 0
            || patterns.is_some()
            || site.copies_to_main_log;
        if !is_seen {
            return Ok(Self::Unseen);
        }
        let mut spec = spec(config, site, (kind, role), output, auto.as_ref())?;
        spec.patterns = patterns;
        let sinks = StreamSinks::open(spec)?;
        let Pipe { reader, writer } = Pipe::new(NonBlocking::Reader)?;
        Ok(Self::Captured {
            writer,
            capture: Box::new(Capture {
                pipe: reader,
                sinks,
            }),
        })
    }

    fn split(self) -> (Stream, Option<Box<Capture>>) {
        match self {
            Self::Unseen => (Stream::Null, None),
            Self::Captured { writer, capture } => (Stream::Descriptor(writer), Some(capture)),
        }
    }
}

fn spec(
    config: &ProcessConfig,
    site: &Site,
    (kind, role): (StreamKind, StreamRole),
    output: &OutputConfig,
    auto: Option<&Arc<AutoLog>>,
) -> io::Result<StreamSpec> {
    let path = match (&output.logfile, auto) {
        (LogFile::Path(path), _) => Some(PathBuf::from(path)),
        (LogFile::Auto, Some(auto)) => Some(auto.make(site)?.to_owned()),
        (LogFile::Auto | LogFile::None, _) => None,
    };
    Ok(StreamSpec {
        process: config.name.as_str().into(),
        kind,
        role,
        file: path.map(|path| FileSpec {
            path,
            max_bytes: u64::try_from(output.logfile_maxbytes).unwrap_or(0),
            backups: u32::try_from(output.logfile_backups).unwrap_or(0),
        }),
        syslog: output.syslog,
        capture_max_bytes: u64::try_from(output.capture_maxbytes).unwrap_or(0),
        events_enabled: output.events_enabled,
        strip_ansi: site.strip_ansi,
        copy_to_main_log: site.copies_to_main_log,
        patterns: None,
    })
}

fn prepare_failure(name: &str, error: &PrepareError) -> SpawnFailure {
    match error {
        PrepareError::NullDevice { source, .. } => other(dispatcher_text(name, source)),
        PrepareError::NulByte { .. }
        | PrepareError::Number { .. }
        | PrepareError::TooManyDescriptors => SpawnFailure {
            kind: SpawnFailureKind::NotExecutable,
            text: error.to_string(),
        },
    }
}

/// The original's words for what fails before there is a process.
fn dispatcher_text(name: &str, error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(EMFILE) => format!("too many open files to spawn '{name}'"),
        Some(errno) => format!(
            "unknown error making dispatchers for '{name}': {}",
            errno_text(errno)
        ),
        None => format!("unknown error making dispatchers for '{name}': {error}"),
    }
}

fn other(text: String) -> SpawnFailure {
    SpawnFailure {
        kind: SpawnFailureKind::Other,
        text,
    }
}

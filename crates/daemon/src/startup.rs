//! From the command line to supervision, and back to the exit code.
//!
//! The order is the original's, because it decides which failures the caller sees: everything up to the
//! servers fails with a text on standard error and exit code 2. One step is earlier than there: the
//! servers are opened before old AUTO logs are removed, so that a second copy of a running daemon fails
//! before it has deleted anything.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use linchpin_boot::sequence::give_to;
use linchpin_config::{
    Config, DaemonOverrides, EntryPoint, LoadFailure, LoadRequest, MainLog as MainLogConfig,
    SingleCommand, USAGE_EXIT_STATUS, World, render_failure, usage_error,
};
use linchpin_log::{
    AutoLogs, FileSpec, LogConfig, LogLevel, LogThread, MainLog, MainLogSpec, MainLogTarget,
};
use linchpin_sys::accounts::Accounts;
use linchpin_sys::daemonize::{self, Fork};
use linchpin_sys::limits::{Ensured, Limit, Resource, ensure_minimum, take_all_files};
use linchpin_sys::privileges::drop_privileges;
use linchpin_sys::signals::{SignalFd, SignalSet};
use tokio::sync::mpsc::unbounded_channel;

use crate::apply::Applies;
use crate::boot::{self, BootReports, Certificates, Looked, Read};
use crate::control::Control;
use crate::descriptor::readable;
use crate::fastcgi;
use crate::http::{self, Services};
use crate::loading::{Loaded, Loader};
use crate::messages::level;
use crate::rpc::{FACTORIES, Kind};
use crate::servers::{OpenServers, Servers};
use crate::settings::ServiceSettings;
use crate::shell::{End, Estate, News, SIGNALS, Shell, Succession, Supplies};
use crate::site::Site;
use crate::world::SystemWorld;

/// How long the last lines of the logs may take at the end.
const LAST_LINES_LIMIT: Duration = Duration::from_secs(2);

/// Most threads that read files for clients, and how long one without work stays.
const MOST_FILE_READERS: usize = 8;
const FILE_READER_PATIENCE: Duration = Duration::from_secs(1);

/// What a container is told that nobody can ask.
const NO_SOCKET: &str = "there is no control socket, because /run cannot be written: `linchpin status`, `why` and the \
     other commands find nobody; write `run_directory=` with a directory that can be written, or `socket=`, into \
     [linchpin], or add `--socket PATH`";

/// A command line of `supervisord`, taken apart.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The program as it was called, for messages.
    pub program: String,
    /// Where the program is: the places beside it are searched for a configuration.
    pub path: String,
    /// `-c`, made absolute after the first reading so that it still leads there when the working directory has changed.
    pub file: Option<String>,
    /// The options that beat the file.
    pub overrides: DaemonOverrides,
    /// Instead of a file.
    pub command: Option<SingleCommand>,
    /// The file is the entry point of a container.
    pub entry_point: Option<EntryPoint>,
}

/// Why the daemon did not start: what to print, and the exit code.
#[derive(Debug)]
struct Refusal {
    text: String,
    code: u8,
}

impl Refusal {
    /// The original's form of an error that a person made.
    fn usage(program: &str, text: impl std::fmt::Display) -> Self {
        Self {
            text: usage_error(program, &text.to_string()),
            code: USAGE_EXIT_STATUS,
        }
    }
}

impl Invocation {
    pub(crate) fn request(&self) -> LoadRequest {
        LoadRequest {
            file: self.file.clone(),
            program: self.path.clone(),
            overrides: self.overrides.clone(),
            entry_point: self.entry_point.clone(),
            ..LoadRequest::default()
        }
    }

    fn read(&self, why: &str, reports: &BootReports) -> Result<Read, Box<LoadFailure>> {
        match &self.command {
            Some(command) => Ok(Read {
                loaded: command.load(&SystemWorld::now())?,
                settings: ServiceSettings::none(),
                boot: None,
            }),
            None => boot::read(&self.request(), why, reports),
        }
    }

    /// Reads the configuration while the daemon runs, which makes anew what it declares.
    ///
    /// # Errors
    /// The original's text for the first problem.
    pub(crate) fn load(&self, why: &str, reports: &BootReports) -> Result<Loaded, String> {
        match self.read(why, reports) {
            Ok(read) => Ok(Loaded::new(read)),
            Err(failure) => Err(failure.original_text().to_owned()),
        }
    }

    /// Supervises until the end, and says with which code to exit.
    #[must_use]
    pub fn run(mut self) -> u8 {
        if std::process::id() == 1 {
            // The kernel drops what has no handler yet in process 1. So a container that is stopped while it boots is
            // stopped as soon as the boot is done.
            let blocked = linchpin_sys::signals::block(&SignalSet::that_end());
            if let Err(error) = blocked {
                complain(&format!("cannot block signals during the boot: {error}"));
            }
        }
        let known = Known::default();
        // Messages of the first reading name the file as it was written.
        let read = match self.read("the daemon starts", &known.boots) {
            Ok(read) => read,
            Err(failure) => return refuse(&self.refusal(&failure)),
        };
        if let Some(file) = &self.file {
            self.file = Some(SystemWorld::now().normalized(file));
        }
        for notice in &read.loaded.notices {
            complain(notice);
        }
        let lacks_socket = std::process::id() == 1
            && (self.entry_point.as_ref()).is_some_and(|it| it.lacks_socket(&read.loaded.reading));
        let mut loaded = Loaded::new(read);
        if lacks_socket {
            let text = NO_SOCKET.to_owned();
            loaded.messages.push((LogLevel::Warn, text));
        }
        if self.entry_point.is_some() {
            loaded
                .new_directories
                .extend(new_socket_directory(&loaded.config));
        }
        let (mut limit, mut estate) = (None, None);
        loop {
            match self.run_once(loaded, &known, &mut limit, estate) {
                Ok(End::Exit(code)) => return code,
                Ok(End::Restart(succession)) => {
                    let Succession {
                        loaded: next,
                        estate: left,
                    } = *succession;
                    (loaded, estate) = (next, Some(left));
                }
                Err(refusal) => return refuse(&refusal),
            }
        }
    }

    fn refusal(&self, failure: &LoadFailure) -> Refusal {
        Refusal {
            text: render_failure(&self.program, failure),
            code: USAGE_EXIT_STATUS,
        }
    }

    /// One life of the daemon; a restart is followed by another. The first one leaves in `limit` how many
    /// open files children may have.
    fn run_once(
        &self,
        loaded: Loaded,
        known: &Known,
        limit: &mut Option<Limit>,
        estate: Option<Estate>,
    ) -> Result<End, Refusal> {
        let is_first = limit.is_none();
        let Loaded {
            config,
            mut messages,
            settings,
            new_directories,
            looked,
            // Whoever starts reads what is there.
            changed_templates: _,
        } = loaded;
        let supervisord = &config.supervisord;
        if let Some(uid) = supervisord.uid {
            settings.give_to(uid, supervisord.gid).map_err(|error| {
                let text = format!("cannot give the settings file to user {uid}: {error}");
                Refusal::usage(&self.program, text)
            })?;
            let made = give_to(
                &config.boot,
                config.linchpin.as_ref(),
                &new_directories,
                uid,
                supervisord.gid,
            );
            if let Err(error) = made {
                let text = format!("what the boot has made cannot be given to user {uid}: {error}");
                messages.push((LogLevel::Warn, text));
            }
            drop_privileges(uid, &Accounts::of_this_machine())
                .map_err(|error| Refusal::usage(&self.program, error))?;
            messages.push((LogLevel::Info, format!("Set uid to user {uid} succeeded")));
        }
        messages.extend(known.applies.recall(&config));
        let files_limit = match *limit {
            Some(limit) => limit,
            None => {
                let wanted = [
                    (Resource::Files, supervisord.minfds),
                    (Resource::Processes, supervisord.minprocs),
                ];
                for (resource, least) in wanted {
                    let ensured = ensure_minimum(resource, least)
                        .map_err(|error| Refusal::usage(&self.program, error))?;
                    if ensured != Ensured::Enough {
                        messages.push((LogLevel::Info, ensured.to_string()));
                    }
                }
                take_all_files()
            }
        };
        *limit = Some(files_limit);

        if let Some(text) = foreign_plugin(&config) {
            return Err(Refusal::usage(&self.program, text));
        }
        // Before the first thread is made, which may be one that writes the main log: so all threads have them blocked.
        let signals = SignalSet::of(&SIGNALS);
        linchpin_sys::signals::block(&signals).map_err(unusable("block signals"))?;
        let servers =
            OpenServers::open(&config).map_err(|error| Refusal::usage(&self.program, error))?;
        for path in servers.replaced() {
            complain(&format!("Unlinking stale socket {path}"));
        }
        let mut main_log = open_main_log(&config).map_err(|error| Refusal {
            text: format!("Error: {error}\n"),
            code: 1,
        })?;
        for (level, text) in messages {
            main_log.log(level, &text);
        }
        // After the servers, so that a second copy of a running daemon takes no socket away from the first.
        let is_held = |url: &str| {
            estate
                .as_ref()
                .is_some_and(|estate| estate.holds_socket(url))
        };
        if let Err(error) = fastcgi::try_all(&config.groups, is_held, &mut main_log) {
            servers.remove_files();
            return Err(Refusal::usage(&self.program, error));
        }
        let auto_logs = AutoLogs::new(Path::new(&supervisord.childlogdir), &supervisord.identifier)
            .map_err(unusable("get random numbers"))?;
        if !supervisord.nocleanup {
            for warning in auto_logs.clean_up().warnings {
                main_log.log(LogLevel::Warn, &warning);
            }
        }
        for (level, text) in servers.messages(&config) {
            main_log.log(level, &text);
        }
        if is_first && !supervisord.nodaemon {
            self.daemonize(&config, &mut main_log)?;
        }
        let pidfile = PidFile::write(&supervisord.pidfile, &mut main_log);
        let supervision = Supervision {
            servers,
            main_log,
            auto_logs,
            files_limit,
            settings,
            looked,
            known: known.clone(),
        };
        let end = self.supervise(&config, supervision, estate);
        drop(pidfile);
        if matches!(end, Ok(End::Exit(_))) {
            // As the shell, and for the same reason: this is the end of the process.
            std::mem::forget(config);
        }
        end
    }

    /// Goes on in a copy; the original process ends here.
    fn daemonize(&self, config: &Config, main_log: &mut MainLog) -> Result<(), Refusal> {
        let refuse = |error: &dyn std::fmt::Display| Refusal::usage(&self.program, error);
        match daemonize::fork().map_err(|error| refuse(&error))? {
            Fork::Parent => daemonize::exit_immediately(0),
            Fork::Child => {}
        }
        main_log.log(LogLevel::Info, "daemonizing the supervisord process");
        if let Some(directory) = &config.supervisord.directory {
            match daemonize::change_directory(Path::new(directory)) {
                Ok(()) => main_log.log(
                    LogLevel::Info,
                    &format!("set current directory: '{directory}'"),
                ),
                Err(error) => {
                    main_log.log(
                        LogLevel::Critical,
                        &format!("can't chdir into '{directory}': {error}"),
                    );
                }
            }
        }
        daemonize::close_streams().map_err(|error| refuse(&error))?;
        daemonize::leave_session().map_err(|error| refuse(&error))?;
        daemonize::set_umask(config.supervisord.umask);
        Ok(())
    }

    fn supervise(
        &self,
        config: &Config,
        supervision: Supervision,
        estate: Option<Estate>,
    ) -> Result<End, Refusal> {
        let Supervision {
            servers,
            main_log,
            auto_logs,
            files_limit,
            settings,
            looked,
            known,
        } = supervision;
        let signals =
            SignalFd::new(&SignalSet::of(&SIGNALS)).map_err(unusable("receive signals"))?;
        // Where it is not possible orphans go to whoever is next, as with the original.
        let _ = linchpin_sys::reap::set_child_subreaper();

        let (log_sender, log_events) = unbounded_channel();
        let log_thread = LogThread::start(LogConfig {
            notify: Box::new(move |event| {
                // The loop has ended: nobody wants news any more.
                let _ = log_sender.send(event);
            }),
            main_log: Some(main_log),
            syslog_identity: "supervisord".to_owned(),
            syslog_socket: None,
            utc_offset: linchpin_sys::time::utc_offset,
        })
        .map_err(unusable("start the log thread"))?;
        let logs = log_thread.handle();

        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(MOST_FILE_READERS)
            .thread_keep_alive(FILE_READER_PATIENCE)
            .build()
            .map_err(unusable("start the event loop"))?;
        let settings = Arc::new(settings);
        let certificates = Certificates::new(&config.boot, Arc::clone(&settings), looked);
        let site = Arc::new(Site::new(
            config,
            files_limit,
            auto_logs,
            logs.clone(),
            self.command.is_some(),
            settings,
        ));
        let (load_sender, loads) = unbounded_channel();
        let loader = Loader {
            invocation: self.clone(),
            reports: known.boots.clone(),
            loads: load_sender,
        };
        let (control, requests) = Control::new();
        let journal: Arc<dyn http::Journal> = Arc::new(logs.clone());
        let services = Services::new(control.clone(), config, journal, known.boots, known.applies);
        let supplies = Supplies {
            certificates,
            control,
        };
        let end = runtime.block_on(async move {
            let servers = Servers::start(servers, services, &logs);
            let signals = readable(signals)?;
            let news = News {
                signals,
                requests,
                log_events,
            };
            let shell = Shell::new(config, site, loader, loads, supplies, estate);
            std::io::Result::Ok(shell.run(news, servers).await)
        });
        // Clients that still wait for something get no answer; nothing may hold up the end.
        runtime.shutdown_background();
        log_thread.stop(LAST_LINES_LIMIT);
        end.map_err(unusable("receive signals"))
    }
}

/// The directory of the control socket, if it was not there and could be made. If it could not, whoever opens the socket
/// tells why.
fn new_socket_directory(config: &Config) -> Option<PathBuf> {
    let socket = config.linchpin.as_ref()?.socket.as_ref()?;
    let directory = Path::new(socket).parent()?;
    let is_new = !directory.exists() && std::fs::create_dir_all(directory).is_ok();
    is_new.then(|| directory.to_owned())
}

/// What has been opened and found out before supervision begins.
struct Supervision {
    servers: OpenServers,
    main_log: MainLog,
    auto_logs: AutoLogs,
    files_limit: Limit,
    settings: ServiceSettings,
    looked: Looked,
    known: Known,
}

/// What is known of what was done before: it lives on through restarts of the daemon.
#[derive(Debug, Clone, Default)]
struct Known {
    boots: BootReports,
    applies: Applies,
}

/// Without this the daemon cannot live.
fn unusable(what: &'static str) -> impl FnOnce(std::io::Error) -> Refusal {
    move |error| Refusal {
        text: format!("Error: cannot {what}: {error}\n"),
        code: 1,
    }
}

fn open_main_log(config: &Config) -> Result<MainLog, String> {
    let supervisord = &config.supervisord;
    let (target, place) = match &supervisord.logfile {
        MainLogConfig::Syslog => (
            MainLogTarget::Syslog { socket: None },
            "the system log".to_owned(),
        ),
        MainLogConfig::File(path) => (
            MainLogTarget::File(FileSpec {
                path: path.into(),
                max_bytes: u64::try_from(supervisord.logfile_maxbytes).unwrap_or(0),
                backups: u32::try_from(supervisord.logfile_backups).unwrap_or(0),
            }),
            path.clone(),
        ),
    };
    let spec = MainLogSpec {
        target,
        level: level(supervisord.loglevel),
        echo: supervisord.nodaemon && !supervisord.silent,
        prints: supervisord.nodaemon,
        identity: "supervisord".to_owned(),
        utc_offset: linchpin_sys::time::utc_offset,
    };
    MainLog::open(&spec).map_err(|error| {
        format!("cannot open the log file {place}: {error}; set [supervisord] logfile to a file that can be written")
    })
}

/// What to say of an RPC interface that is Python code: the original would load it into the daemon.
fn foreign_plugin(config: &Config) -> Option<String> {
    let foreign = config
        .rpc_interfaces
        .iter()
        .find(|interface| Kind::of_factory(&interface.factory).is_none())?;
    let name = &foreign.name;
    let known: Vec<&str> = FACTORIES.iter().map(|(factory, _)| *factory).collect();
    Some(format!(
        "section [rpcinterface:{name}] wants the Python code {} in the daemon, which this one cannot load; remove the \
         section, or use one of those that are built in: {}",
        foreign.factory,
        known.join(", ")
    ))
}

/// The file with our process id, unless its path is empty; removed at the end if it was us who wrote it.
struct PidFile {
    path: String,
    is_written: bool,
}

impl PidFile {
    fn write(path: &str, main_log: &mut MainLog) -> Self {
        let pid = std::process::id();
        let is_wanted = !path.is_empty();
        let is_written = is_wanted && std::fs::write(path, format!("{pid}\n")).is_ok();
        if is_written || !is_wanted {
            main_log.log(
                LogLevel::Info,
                &format!("supervisord started with pid {pid}"),
            );
        } else {
            main_log.log(
                LogLevel::Critical,
                &format!("could not write pidfile {path}"),
            );
        }
        Self {
            path: path.to_owned(),
            is_written,
        }
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if self.is_written {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn refuse(refusal: &Refusal) -> u8 {
    complain(refusal.text.trim_end_matches('\n'));
    refusal.code
}

/// Says something on standard error, if there is one.
fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

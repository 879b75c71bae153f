//! What is the same for every process that one run of the daemon starts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use linchpin_config::{Config, LogLevel, MainLog, ProcessConfig};
use linchpin_log::{AutoLogs, StreamKind};
use linchpin_sys::accounts::Accounts;
use linchpin_sys::limits::Limit;

/// Where services are started.
#[derive(Debug)]
pub(crate) struct Site {
    /// The daemon's environment.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// `PATH` from it.
    pub(crate) path: Option<String>,
    /// `SUPERVISOR_SERVER_URL` of services that do not name their own.
    pub(crate) server_url: Option<String>,
    /// ANSI sequences are removed from what is captured.
    pub(crate) strip_ansi: bool,
    /// What is captured is copied into the main log.
    pub(crate) copies_to_main_log: bool,
    /// Descriptors below this are closed in children where the kernel cannot close all.
    pub(crate) minfds: i32,
    /// The limit of open files that children get; the daemon's own is higher.
    pub(crate) files_limit: Limit,
    /// The main log, where it is a file.
    pub(crate) main_log: Option<String>,
    /// Who is who.
    pub(crate) accounts: Accounts,
    auto_logs: Mutex<AutoLogs>,
}

/// An AUTO log. It is made by whoever needs it first: when its group is added, or at the first start.
#[derive(Debug)]
pub(crate) struct AutoLog {
    process: String,
    kind: StreamKind,
    path: OnceLock<PathBuf>,
}

impl Site {
    pub(crate) fn new(config: &Config, files_limit: Limit, auto_logs: AutoLogs) -> Self {
        let supervisord = &config.supervisord;
        Self {
            environment: std::env::vars_os().collect(),
            path: std::env::var("PATH").ok(),
            server_url: config.server_url.clone(),
            strip_ansi: supervisord.strip_ansi,
            copies_to_main_log: supervisord.loglevel <= LogLevel::Debug,
            minfds: i32::try_from(supervisord.minfds).unwrap_or(i32::MAX),
            files_limit,
            main_log: match &supervisord.logfile {
                MainLog::File(path) => Some(path.clone()),
                MainLog::Syslog => None,
            },
            accounts: Accounts::of_this_machine(),
            auto_logs: Mutex::new(auto_logs),
        }
    }

    /// The environment of a service: the daemon's, the original's variables, the configuration's, each
    /// over the one before.
    pub(crate) fn environment_of(
        &self,
        config: &ProcessConfig,
        group: &str,
    ) -> Vec<(OsString, OsString)> {
        let mut environment: BTreeMap<OsString, OsString> =
            self.environment.iter().cloned().collect();
        let mut set = |name: &str, value: &str| environment.insert(name.into(), value.into());
        set("SUPERVISOR_ENABLED", "1");
        if let Some(url) = config.serverurl.as_ref().or(self.server_url.as_ref()) {
            set("SUPERVISOR_SERVER_URL", url);
        }
        set("SUPERVISOR_PROCESS_NAME", &config.name);
        set("SUPERVISOR_GROUP_NAME", group);
        for (name, value) in &config.environment {
            set(name, value);
        }
        environment.into_iter().collect()
    }
}

impl std::fmt::Display for AutoLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the AUTO log of {}'s {}", self.process, self.kind)
    }
}

impl AutoLog {
    pub(crate) fn new(config: &ProcessConfig, kind: StreamKind) -> Self {
        Self {
            process: config.name.clone(),
            kind,
            path: OnceLock::new(),
        }
    }

    /// Its path, once it has been made.
    pub(crate) fn made(&self) -> Option<&Path> {
        self.path.get().map(PathBuf::as_path)
    }

    /// Makes it, unless it has been. May wait for the disk.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn make(&self, site: &Site) -> std::io::Result<&Path> {
        if let Some(path) = self.path.get() {
            return Ok(path);
        }
        // The maker's lock is held until the name is set, so that nobody makes a second one.
        let mut maker = site
            .auto_logs
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = self.path.get() {
            return Ok(path);
        }
        let path = maker.create(&self.process, self.kind)?;
        Ok(self.path.get_or_init(|| path))
    }
}

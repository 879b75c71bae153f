//! What is the same for every process that one run of the daemon starts.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use linchpin_config::{Config, LogLevel, MainLog, ProcessConfig};
use linchpin_log::{AutoLogs, LogHandle, StreamKind};
use linchpin_sys::accounts::Accounts;
use linchpin_sys::limits::Limit;
use tokio::sync::Notify;

use crate::settings::ServiceSettings;

/// Where services are started.
#[derive(Debug)]
pub(crate) struct Site {
    /// The name of this daemon, in front of every event.
    pub(crate) identifier: String,
    /// What services find in their environment: the daemon's own, and the settings of their start.
    pub(crate) settings: Arc<ServiceSettings>,
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
    /// The log thread.
    pub(crate) logs: LogHandle,
    /// There is one command and no file: signals that a file gives a meaning to are passed on to it.
    pub(crate) passes_signals_on: bool,
    /// This program itself.
    pub(crate) own_program: Option<PathBuf>,
    /// Who is who.
    pub(crate) accounts: Accounts,
    pub(crate) auto_logs: AutoLogs,
    /// One of the AUTO logs has been made, or could not be.
    auto_log_settled: Notify,
}

/// An AUTO log. It has its name from the beginning, and is made by whoever needs it first: when its group
/// is added, or at the first start.
#[derive(Debug)]
pub(crate) struct AutoLog {
    path: Box<Path>,
    /// Held while it is being made, so that it is made once.
    is_made: Mutex<bool>,
    /// Somebody has made it, or found that it cannot be made.
    is_settled: AtomicBool,
}

impl Site {
    pub(crate) fn new(
        config: &Config,
        files_limit: Limit,
        auto_logs: AutoLogs,
        logs: LogHandle,
        passes_signals_on: bool,
        settings: Arc<ServiceSettings>,
    ) -> Self {
        let supervisord = &config.supervisord;
        Self {
            identifier: supervisord.identifier.clone(),
            settings,
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
            logs,
            passes_signals_on,
            own_program: std::env::current_exe().ok(),
            accounts: Accounts::of_this_machine(),
            auto_logs,
            auto_log_settled: Notify::new(),
        }
    }

    /// What a service has over the daemon's environment: the original's variables, and the configuration's over
    /// those.
    pub(crate) fn variables_of(
        &self,
        config: &ProcessConfig,
        group: &str,
    ) -> Vec<(OsString, OsString)> {
        let url = config.serverurl.as_ref().or(self.server_url.as_ref());
        let of_the_original = [
            ("SUPERVISOR_ENABLED", Some("1")),
            ("SUPERVISOR_SERVER_URL", url.map(String::as_str)),
            ("SUPERVISOR_PROCESS_NAME", Some(config.name.as_str())),
            ("SUPERVISOR_GROUP_NAME", Some(group)),
        ];
        of_the_original
            .into_iter()
            .filter(|(name, _)| !config.environment.contains_key(*name))
            .filter_map(|(name, value)| Some((name, value?)))
            .chain(
                config
                    .environment
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str())),
            )
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }
}

impl AutoLog {
    pub(crate) fn new(site: &Site, config: &ProcessConfig, kind: StreamKind) -> Self {
        Self {
            path: site.auto_logs.name(&config.name, kind).into(),
            is_made: Mutex::new(false),
            is_settled: AtomicBool::new(false),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes it, unless it has been. May wait for the disk.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn make(&self, site: &Site) -> std::io::Result<&Path> {
        let mut is_made = self.is_made.lock().unwrap_or_else(PoisonError::into_inner);
        let result = if *is_made {
            Ok(())
        } else {
            site.auto_logs.make(&self.path)
        };
        *is_made = result.is_ok();
        if !self.is_settled.swap(true, Ordering::SeqCst) {
            site.auto_log_settled.notify_waiters();
        }
        result.map(|()| self.path())
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.is_settled.load(Ordering::SeqCst)
    }

    /// Waits until it has been made, or could not be.
    pub(crate) async fn settled(&self, site: &Site) {
        loop {
            // Registered before the look, so that what happens in between is noticed.
            let mut next = std::pin::pin!(site.auto_log_settled.notified());
            next.as_mut().enable();
            if self.is_settled() {
                return;
            }
            next.await;
        }
    }
}

//! Reading the configuration while the daemon runs: on a thread of its own, one at a time, because files
//! may be slow and account look-ups slower.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use linchpin_boot::sequence::Step;
use linchpin_config::{Config, Diagnostic, ProcessConfig};
use linchpin_core::ShutdownCause;
use linchpin_log::LogLevel;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use crate::boot::{BootReports, Looked, Read, messages};
use crate::control::{Reply, Rereading};
use crate::settings::ServiceSettings;
use crate::startup::Invocation;

/// What a configuration is read for.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// A client wants it to be the one that `add` takes from.
    Reread {
        reply: oneshot::Sender<Reply>,
        /// Kept until it is done.
        turn: Rereading,
    },
    /// The daemon is to begin anew with it.
    Restart {
        cause: ShutdownCause,
        reply: Option<oneshot::Sender<Reply>>,
    },
}

/// A configuration that was read, or why not.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) purpose: Purpose,
    pub(crate) result: Result<Box<Loaded>, String>,
}

/// A configuration and what there was to say about it.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) config: Config,
    pub(crate) messages: Vec<(LogLevel, String)>,
    /// What services find in their environment.
    pub(crate) settings: ServiceSettings,
    /// Directories of `[linchpin]` that the boot has made.
    pub(crate) new_directories: Vec<PathBuf>,
    /// What programs trust and what servers have.
    pub(crate) looked: Looked,
    /// Templates of which something else was made, by name.
    pub(crate) changed_templates: Vec<String>,
}

impl Loaded {
    /// From what was read: the messages in the order in which the original writes them, and the
    /// environment of `[supervisord]` beneath each program's own, as the original has it.
    pub(crate) fn new(read: Read) -> Self {
        let Read {
            loaded,
            settings,
            boot,
        } = read;
        let of =
            |level: LogLevel, texts: Vec<String>| texts.into_iter().map(move |text| (level, text));
        let doubts = loaded.doubts.iter().map(one_line).collect();
        let messages = of(LogLevel::Critical, loaded.criticals)
            .chain(of(LogLevel::Warn, loaded.warnings))
            .chain(of(LogLevel::Warn, doubts))
            .chain(of(LogLevel::Info, loaded.infos))
            .chain(boot.iter().flat_map(messages))
            .collect();
        let reports = boot.iter().flat_map(|boot| &boot.report.steps);
        let changed = reports.filter(|it| it.step == Step::Templates && it.changed);
        let names = changed.filter_map(|it| it.section.split_once(':'));
        let changed_templates = names.map(|(_, name)| name.to_owned()).collect();
        let (new_directories, looked) = boot
            .map(|boot| (boot.new_directories, boot.looked))
            .unwrap_or_default();
        let mut config = loaded.config;
        let common = &config.supervisord.environment;
        if !common.is_empty() {
            for process in config
                .groups
                .iter_mut()
                .flat_map(|group| &mut Arc::make_mut(group).processes)
            {
                with_daemon_environment(Arc::make_mut(process), common);
            }
        }
        Self {
            config,
            messages,
            settings,
            new_directories,
            looked,
            changed_templates,
        }
    }
}

/// Puts the environment of `[supervisord]` beneath a program's own.
pub(crate) fn with_daemon_environment(
    process: &mut ProcessConfig,
    common: &BTreeMap<String, String>,
) {
    for (name, value) in common {
        let own = process.environment.entry(name.clone());
        own.or_insert_with(|| value.clone());
    }
}

/// A diagnostic as a line of the main log.
fn one_line(diagnostic: &Diagnostic) -> String {
    let place = diagnostic
        .place
        .as_ref()
        .map(|place| format!("{}:{}: ", place.file, place.line));
    let help = diagnostic.help.as_ref().map(|help| format!("; {help}"));
    format!(
        "{}{}{}",
        place.unwrap_or_default(),
        diagnostic.message,
        help.unwrap_or_default()
    )
}

/// Starts threads that read.
#[derive(Debug)]
pub(crate) struct Loader {
    pub(crate) invocation: Invocation,
    /// What is known of boots.
    pub(crate) reports: BootReports,
    pub(crate) loads: UnboundedSender<Load>,
}

impl Loader {
    /// Reads; the result comes through the channel.
    pub(crate) fn begin(&self, purpose: Purpose) {
        let (invocation, loads) = (self.invocation.clone(), self.loads.clone());
        let reports = self.reports.clone();
        let why = match &purpose {
            Purpose::Reread { .. } => "the configuration is read again",
            Purpose::Restart { .. } => "the daemon starts anew",
        };
        let (handover, purpose_there) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("loader".to_owned())
            .spawn(move || {
                let result = invocation.load(why, &reports).map(Box::new);
                if let Ok(purpose) = purpose_there.recv() {
                    let _ = loads.send(Load { purpose, result });
                }
            });
        match thread {
            Ok(_) => {
                let _ = handover.send(purpose);
            }
            Err(error) => {
                let result = Err(format!("cannot start a thread: {error}"));
                let _ = self.loads.send(Load { purpose, result });
            }
        }
    }
}

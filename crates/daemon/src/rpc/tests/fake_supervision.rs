//! Stands in for the supervision: a task that answers requests from a few processes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use linchpin_config::{AutoRestart, LogFile, OutputConfig, ProcessConfig};
use linchpin_core::{Command, Failure, Outcome, ProcessResult, ProcessState, Target};
use linchpin_log::LogLevel;
use tokio::sync::{Notify, watch};

use crate::control::{
    Configuration, Control, Identity, LogFileReply, Overview, ProcessInfo, Reply, Request,
    StdinReply, Stream,
};
use crate::http::{Budget, Journal};
use crate::rpc::interfaces::tests::interfaces;
use crate::rpc::{Kind, Rpc};
use crate::services::History;

/// What the fake supervision knows, and what it was asked.
#[derive(Debug)]
pub(crate) struct Knowledge {
    pub(crate) daemon_state: (i32, &'static str),
    pub(crate) processes: Vec<ProcessInfo>,
    pub(crate) configurations: Vec<Configuration>,
    /// By process name.
    pub(crate) logs: HashMap<String, String>,
    pub(crate) main_log: Option<String>,
    pub(crate) changes: watch::Sender<u64>,
    /// Requests that change something, as debug text.
    pub(crate) log_of_requests: Vec<String>,
    /// Starts and stops of a process called `slow` wait for this.
    pub(crate) release: Arc<Notify>,
    pub(crate) released: usize,
    pub(crate) history: History,
}

/// A handle to it.
#[derive(Debug, Clone)]
pub(crate) struct FakeSupervision {
    pub(crate) control: Control,
    knowledge: Arc<Mutex<Knowledge>>,
}

pub(crate) fn process(group: &str, name: &str, state: ProcessState) -> ProcessInfo {
    ProcessInfo {
        name: name.to_owned(),
        group: group.to_owned(),
        state,
        start: 1_795_470_000,
        stop: 0,
        now: 1_795_470_065,
        spawn_error: String::new(),
        exit_status: 0,
        stdout_logfile: format!("/var/log/{name}-stdout.log"),
        stderr_logfile: String::new(),
        pid: 4711,
    }
}

pub(crate) fn configuration(group: &str, name: &str) -> Configuration {
    let output = |logfile| OutputConfig {
        logfile,
        logfile_maxbytes: 1 << 40,
        logfile_backups: 10,
        capture_maxbytes: 0,
        events_enabled: false,
        syslog: false,
    };
    Configuration {
        group: group.to_owned(),
        group_priority: 999,
        in_use: true,
        process: Arc::new(ProcessConfig {
            name: name.to_owned(),
            section: format!("program:{name}"),
            command: "/bin/cat".to_owned(),
            directory: None,
            umask: None,
            priority: 5,
            autostart: true,
            autorestart: AutoRestart::Always,
            startsecs: 1,
            startretries: 3,
            uid: Some(33),
            stdout: output(LogFile::Auto),
            stderr: output(LogFile::None),
            redirect_stderr: true,
            stopsignal: 15,
            stopwaitsecs: 10,
            stopasgroup: false,
            killasgroup: false,
            exitcodes: vec![0, 2],
            environment: std::collections::BTreeMap::new(),
            serverurl: None,
            service: None,
        }),
        auto_stdout: None,
        auto_stderr: None,
    }
}

impl FakeSupervision {
    /// Begins to answer.
    pub(crate) fn start() -> Self {
        let (control, mut requests) = Control::new();
        let knowledge = Arc::new(Mutex::new(Knowledge {
            daemon_state: (1, "RUNNING"),
            processes: vec![
                process("animals", "cat", ProcessState::Running),
                process("animals", "dog", ProcessState::Stopped),
                process("slow", "slow", ProcessState::Stopped),
            ],
            configurations: vec![configuration("z", "zebra"), configuration("z", "ape")],
            logs: HashMap::new(),
            main_log: None,
            changes: watch::channel(0).0,
            log_of_requests: Vec::new(),
            release: Arc::new(Notify::new()),
            released: 0,
            history: History::new(),
        }));
        let fake = Self { control, knowledge };
        let answering = fake.clone();
        tokio::spawn(async move {
            while let Some((request, sender)) = requests.recv().await {
                let is_slow = format!("{request:?}").contains("\"slow\"")
                    && matches!(request, Request::Command(_));
                let reply = answering.reply(request);
                if is_slow {
                    let fake = answering.clone();
                    let release = Arc::clone(&fake.knowledge().release);
                    tokio::spawn(async move {
                        release.notified().await;
                        fake.knowledge().released += 1;
                        let _ = sender.send(reply);
                    });
                } else {
                    let _ = sender.send(reply);
                }
            }
        });
        fake
    }

    pub(crate) fn knowledge(&self) -> MutexGuard<'_, Knowledge> {
        self.knowledge.lock().unwrap()
    }

    pub(crate) fn rpc(&self, has_supervisor: bool) -> Rpc {
        let main = [("supervisor", Kind::Main, "")];
        self.rpc_with(if has_supervisor { &main } else { &[] })
    }

    /// With interfaces by namespace, kind and whitelist.
    pub(crate) fn rpc_with(&self, all: &[(&str, Kind, &str)]) -> Rpc {
        self.rpc_within(all, Arc::new(Budget::default()))
    }

    pub(crate) fn rpc_within(&self, all: &[(&str, Kind, &str)], budget: Arc<Budget>) -> Rpc {
        let identity = Identity {
            identifier: "supervisor".to_owned(),
            pid: 4242,
        };
        let journal = Arc::new(Lines::default());
        Rpc::new(
            self.control.clone(),
            identity,
            journal,
            interfaces(all),
            budget,
        )
    }

    fn find(&self, group: &str, name: &str) -> Option<ProcessInfo> {
        let knowledge = self.knowledge();
        let mut all = knowledge.processes.iter();
        all.find(|process| process.group == group && process.name == name)
            .cloned()
    }

    fn reply(&self, request: Request) -> Reply {
        match request {
            Request::State => {
                let (code, name) = self.knowledge().daemon_state;
                Reply::State { code, name }
            }
            Request::Process { group, name } => {
                Reply::Process(self.find(&group, &name).map(Box::new))
            }
            Request::Processes => Reply::Processes(self.knowledge().processes.clone()),
            Request::Targets(target) => {
                let all = self.knowledge().processes.clone().into_iter();
                let chosen: Vec<ProcessInfo> = all
                    .filter(|process| match &target {
                        Target::Several(_) | Target::All => true,
                        Target::Group(group) => process.group == *group,
                        Target::Process { group, name } => {
                            process.group == *group && process.name == *name
                        }
                    })
                    .collect();
                if chosen.is_empty() && target != Target::All {
                    return Reply::Outcome(Outcome::Failed(Failure::BadName(String::new())));
                }
                Reply::Processes(chosen)
            }
            Request::Groups => Reply::Groups(vec!["animals".to_owned(), "slow".to_owned()]),
            Request::Configurations => {
                Reply::Configurations(self.knowledge().configurations.clone())
            }
            Request::LogFile { group, name, .. } => {
                Reply::LogFile(match self.find(&group, &name) {
                    None => LogFileReply::NoProcess,
                    Some(process) => match self.knowledge().logs.get(&process.name) {
                        Some(path) => LogFileReply::Path(path.clone()),
                        None => LogFileReply::NoLog,
                    },
                })
            }
            Request::MainLogFile => Reply::LogFile(match &self.knowledge().main_log {
                Some(path) => LogFileReply::Path(path.clone()),
                None => LogFileReply::NoLog,
            }),
            Request::WatchLog {
                group,
                name,
                stream,
            } => {
                let known = self.find(&group, &name).is_some() && stream == Stream::Stdout;
                Reply::Watch(known.then(|| self.knowledge().changes.subscribe()))
            }
            Request::WatchMainLog => Reply::Watch(Some(self.knowledge().changes.subscribe())),
            Request::Sights => Reply::Sights(None),
            Request::Overview => Reply::Overview(Overview {
                state: self.knowledge().daemon_state.1,
                services: Vec::new(),
                certificates: Vec::new(),
                settings: Arc::new(crate::settings::ServiceSettings::none()),
            }),
            Request::Basis => Reply::Gone,
            Request::Explain(_) => Reply::Explanations(Vec::new()),
            Request::Events(filter) => Reply::Events(self.knowledge().history.find(&filter)),
            Request::WatchHistory => Reply::Watch(Some(self.knowledge().history.watch())),
            Request::WriteStdin { name, .. } => Reply::Stdin(match name.as_str() {
                "cat" => StdinReply::Accepted,
                "dog" => StdinReply::NotRunning,
                "slow" => StdinReply::Full,
                _ => StdinReply::NoProcess,
            }),
            Request::Reread => Reply::Outcome(Outcome::Reloaded {
                added: vec!["new".to_owned()],
                changed: vec![],
                removed: vec!["old".to_owned()],
            }),
            Request::ClearMainLog => Reply::LogCleared(Ok(())),
            Request::Command(command) => Reply::Outcome(self.command(command)),
            other @ (Request::Shutdown { .. }
            | Request::ClearLogs(_)
            | Request::RemoteCommunication { .. }) => {
                self.knowledge().log_of_requests.push(format!("{other:?}"));
                Reply::Outcome(Outcome::Done)
            }
        }
    }

    fn command(&self, command: Command) -> Outcome {
        self.knowledge()
            .log_of_requests
            .push(format!("{command:?}"));
        let (target, wanted): (Target, fn(ProcessState) -> bool) = match command {
            Command::Start { target, .. } => (target, |state| !state.is_running()),
            Command::Stop { target, .. } => (target, ProcessState::is_running),
            Command::Signal { target, .. } => (target, ProcessState::is_signallable),
            Command::AddGroup { name } => {
                return Outcome::Failed(Failure::AlreadyAdded(name));
            }
            Command::RemoveGroup { name } => {
                return Outcome::Failed(Failure::StillRunning(name));
            }
            Command::Reload { .. }
            | Command::ReloadService { .. }
            | Command::AddProcesses { .. }
            | Command::RemoveProcess { .. } => return Outcome::Done,
        };
        let group = match target {
            Target::Process { group, name } => {
                return match self.find(&group, &name) {
                    None => Outcome::Failed(Failure::BadName(name)),
                    Some(process) if wanted(process.state) => Outcome::Done,
                    Some(process) if process.state.is_running() => {
                        Outcome::Failed(Failure::AlreadyStarted(name))
                    }
                    Some(_) => Outcome::Failed(Failure::NotRunning(name)),
                };
            }
            Target::Group(group) => Some(group),
            Target::Several(_) | Target::All => None,
        };
        let all = self.knowledge().processes.clone();
        let members: Vec<_> = all
            .into_iter()
            .filter(|process| group.as_ref().is_none_or(|group| process.group == *group))
            .collect();
        if members.is_empty() {
            return Outcome::Failed(Failure::BadName(group.unwrap_or_default()));
        }
        let results = members
            .into_iter()
            .filter(|process| wanted(process.state))
            .map(|process| ProcessResult {
                result: if process.name == "dog" {
                    Err(Failure::SpawnError(format!("animals:{}", process.name)))
                } else {
                    Ok(())
                },
                name: process.name,
                group: process.group,
            });
        Outcome::Many(results.collect())
    }
}

/// Remembers the lines of the main log.
#[derive(Debug, Default)]
pub(crate) struct Lines(pub(crate) Mutex<Vec<String>>);

impl Journal for Lines {
    fn is_logged(&self, _: LogLevel) -> bool {
        true
    }

    fn log(&self, level: LogLevel, line: String) {
        self.0
            .lock()
            .unwrap()
            .push(format!("{} {line}", level.code()));
    }
}

//! What clients ask, answered or handed on.

use linchpin_core::{Command, Event, OperationId, Outcome, ShutdownCause, Target};
use linchpin_log::LogLevel;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Shell;
use crate::control::{Basis, Reply, Request, StdinReply};
use crate::loading::{Load, Purpose};

/// Why nothing is read again: two who move services at once would undo what the other does.
const APPLYING: &str = "settings are being applied, which reads the configuration itself; try again when that has ended";

impl Shell {
    pub(super) fn answer(&mut self, request: Request, reply: oneshot::Sender<Reply>) {
        let answer = match request {
            Request::Command(command) => return self.command(command, reply),
            Request::State => {
                let state = self.core.state();
                Reply::State {
                    code: state.code(),
                    name: state.name(),
                }
            }
            Request::Process { group, name } => {
                let view = self.core.process_named(&group, &name);
                Reply::Process(view.map(|view| Box::new(self.info(&view))))
            }
            Request::Processes => Reply::Processes(self.infos()),
            Request::Targets(target) => match self.core.targets(&target) {
                Ok(views) => Reply::Processes(views.iter().map(|view| self.info(view)).collect()),
                Err(failure) => Reply::Outcome(Outcome::Failed(failure)),
            },
            Request::Groups => {
                let groups = self.core.groups();
                Reply::Groups(groups.map(|group| group.config.name.clone()).collect())
            }
            Request::Configurations => Reply::Configurations(self.configurations()),
            Request::Reread => match self.control.rereading() {
                Some(turn) => return self.loader.begin(Purpose::Reread { reply, turn }),
                None => Reply::CannotReread(APPLYING.to_owned()),
            },
            Request::Shutdown { restart: true } => {
                return self.begin_restart(ShutdownCause::Client, Some(reply));
            }
            Request::Shutdown { restart: false } => {
                self.feed(Event::Shutdown {
                    restart: false,
                    cause: ShutdownCause::Client,
                });
                Reply::Outcome(Outcome::Done)
            }
            Request::WriteStdin { group, name, data } => {
                Reply::Stdin(self.write_stdin(&group, &name, &data))
            }
            Request::RemoteCommunication { kind, data } => {
                self.feed(Event::RemoteCommunication { kind, data });
                Reply::Outcome(Outcome::Done)
            }
            Request::LogFile {
                group,
                name,
                stream,
            } => match self.log_path(&group, &name, stream) {
                None => Reply::LogFile(crate::control::LogFileReply::NoProcess),
                Some(path) => {
                    let unmade = self.unmade_log(&group, &name, stream);
                    return self.answer_log_file(path, unmade, reply);
                }
            },
            Request::MainLogFile => {
                return self.answer_log_file(self.site.main_log.clone(), None, reply);
            }
            Request::ClearLogs(target) => return self.clear_logs(&target, reply),
            Request::ClearMainLog => return self.clear_main_log(reply),
            Request::WatchLog {
                group,
                name,
                stream,
            } => {
                let path = self.log_path(&group, &name, stream).flatten();
                self.watch_log(path)
            }
            Request::WatchMainLog => self.watch_log(self.site.main_log.clone()),
            Request::Overview => Reply::Overview(self.overview()),
            Request::Sights => Reply::Sights(self.core.sights()),
            Request::Explain(name) => Reply::Explanations(self.explanations(&name)),
            Request::Events(filter) => Reply::Events(self.services.history.find(&filter)),
            Request::Basis => Reply::Basis(Box::new(Basis {
                invocation: self.loader.invocation.clone(),
                settings: std::sync::Arc::clone(&self.site.settings),
                at_work: self
                    .core
                    .groups()
                    .map(|group| std::sync::Arc::clone(group.config))
                    .collect(),
            })),
            Request::WatchHistory => Reply::Watch(Some(self.services.history.watch())),
        };
        // Nobody listens any more: so be it.
        let _ = reply.send(answer);
    }

    fn command(&mut self, command: Command, reply: oneshot::Sender<Reply>) {
        if let Command::Reload { config } = &command {
            // Also that of an apply, which is not seen to be loaded.
            self.rest.worked(Instant::now());
            if self.certificates.replace(&config.boot) {
                self.begin_certificates();
            }
        }
        self.next_operation += 1;
        let operation = OperationId(self.next_operation);
        self.callers.insert(operation, reply);
        self.feed(Event::Command { operation, command });
    }

    /// Sends a signal to every service that can take one; nobody waits for what comes of it.
    pub(super) fn pass_on(&mut self, signal: i32) {
        let (nobody, _) = oneshot::channel();
        let target = Target::All;
        self.command(Command::Signal { target, signal }, nobody);
    }

    fn write_stdin(&self, group: &str, name: &str, data: &[u8]) -> StdinReply {
        let Some(view) = self.core.process_named(group, name) else {
            return StdinReply::NoProcess;
        };
        if view.pid.is_none() || !view.state.is_signallable() {
            return StdinReply::NotRunning;
        }
        match self
            .slots
            .get(&view.id)
            .and_then(|slot| slot.stdin.as_ref())
        {
            Some(stdin) => stdin.write(data),
            None => StdinReply::Closed,
        }
    }

    /// Begins anew, but only with a configuration that can be used: the original finds out when
    /// everything is down, and dies.
    pub(super) fn begin_restart(
        &mut self,
        cause: ShutdownCause,
        reply: Option<oneshot::Sender<Reply>>,
    ) {
        self.loader.begin(Purpose::Restart { cause, reply });
    }

    pub(super) fn take_load(&mut self, load: Load) {
        let Load { purpose, result } = load;
        self.rest.worked(Instant::now());
        match (purpose, result) {
            (Purpose::Reread { reply, turn: _turn }, Ok(mut loaded)) => {
                self.site.settings.follow(&loaded.settings);
                // What is said once at the start, that the daemon runs as root, is not said again.
                for (level, text) in std::mem::take(&mut loaded.messages) {
                    if level < LogLevel::Critical {
                        self.logs.log(level, text);
                    }
                }
                self.follow_certificates(&mut loaded);
                self.tell_of_templates(&loaded);
                self.command(
                    Command::Reload {
                        config: Box::new(loaded.config),
                    },
                    reply,
                );
            }
            (Purpose::Reread { reply, turn: _ }, Err(text)) => {
                let _ = reply.send(Reply::CannotReread(text));
            }
            (Purpose::Restart { cause, reply }, Ok(loaded)) => {
                self.next_config = Some(loaded);
                if let Some(reply) = reply {
                    let _ = reply.send(Reply::Outcome(Outcome::Done));
                }
                self.feed(Event::Shutdown {
                    restart: true,
                    cause,
                });
            }
            (Purpose::Restart { cause: _, reply }, Err(text)) => {
                self.logs.log(
                    LogLevel::Error,
                    format!("not restarting, as the configuration cannot be used: {text}; everything goes on as it is"),
                );
                if let Some(reply) = reply {
                    let _ = reply.send(Reply::CannotReread(text));
                }
            }
        }
    }
}

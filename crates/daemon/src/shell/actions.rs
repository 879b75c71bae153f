//! What the core says, done.

use std::sync::Arc;

use linchpin_core::{
    Action, Event, Generation, Message, Notice, ProcessId, SignalOutcome, SignalPurpose,
    SignalTarget,
};
use linchpin_log::LogLevel;
use linchpin_sys::Pid;
use linchpin_sys::group::{group_exists, kill, kill_group};

use super::Shell;
use crate::control::Reply;
use crate::fastcgi::SharedSocket;
use crate::messages::level;
use crate::services::milliseconds;
use crate::spawner::{Job, Launch};

const ESRCH: i32 = 3;

impl Shell {
    pub(super) fn act(&mut self, action: Action) {
        match action {
            Action::Spawn {
                process,
                generation,
                config,
                group,
                is_listener,
                socket,
            } => {
                self.runs.insert(generation, process);
                let socket = socket.and_then(|socket| self.sockets.get(&socket).cloned());
                let interrupted = self.services.interrupted.remove(&process);
                let variables = (interrupted == Some(generation))
                    .then(|| ("LINCHPIN_INTERRUPTED".into(), "1".into()))
                    .into_iter()
                    .collect();
                let slot = self.slots.entry(process).or_default();
                let launch = Launch {
                    process,
                    generation,
                    stdout_log: slot.stdout_log.auto(),
                    stderr_log: slot.stderr_log.auto(),
                    site: self.site.clone(),
                    config,
                    group,
                    is_listener,
                    socket,
                    variables,
                };
                self.spawner.submit(Job::Launch(Box::new(launch)));
            }
            Action::OpenSocket { socket, config } => {
                self.sockets
                    .insert(socket, Arc::new(SharedSocket::new(config)));
            }
            Action::CloseSocket { socket } => {
                self.sockets.remove(&socket);
            }
            Action::TrySocket { operation, config } => {
                let config = Box::new(config);
                self.spawner.submit(Job::TrySocket { operation, config });
            }
            Action::Signal {
                process,
                generation,
                target,
                signal,
                purpose,
            } => {
                let outcome = self.signal(target, signal, purpose);
                self.events.push_back(Event::Signalled {
                    process,
                    generation,
                    purpose,
                    outcome,
                });
            }
            Action::CheckCommand {
                operation,
                process,
                config,
            } => {
                self.spawner.submit(Job::Check {
                    operation,
                    process,
                    config,
                    site: self.site.clone(),
                });
            }
            Action::Release {
                process,
                generation,
            } => self.release(process, generation),
            Action::FollowGroup { generation, pgid } => {
                let pgid = self.children.group_of(pgid).map_or(pgid, Pid::get);
                self.children.follow(generation, pgid);
                self.look_at_groups();
            }
            Action::ForgetGroup { generation } => self.children.forget(generation),
            Action::NameSurvivors { name, pgid } => {
                let pgid = self.children.group_of(pgid).map_or(pgid, Pid::get);
                self.spawner.submit(Job::NameSurvivors {
                    name,
                    pgid,
                    site: self.site.clone(),
                });
            }
            Action::ProcessAdded {
                process,
                config,
                group,
            } => {
                let slot = self.slots.entry(process).or_default();
                slot.prepare_logs(&self.site, &config);
                for log in [slot.stdout_log.auto(), slot.stderr_log.auto()]
                    .into_iter()
                    .flatten()
                {
                    self.spawner.submit(Job::MakeAutoLog {
                        log,
                        site: self.site.clone(),
                    });
                }
                self.logs
                    .log(LogLevel::Blather, format!("added {group}:{}", config.name));
            }
            Action::ProcessRemoved { process } => {
                self.slots.remove(&process);
                self.services.history.forget(process);
            }
            Action::Publish(notice) => self.publish(&notice),
            Action::SendEvent {
                process,
                generation,
                pool,
                serial,
                pool_serial,
                notice,
            } => {
                let text = self.event_text(&pool, serial, pool_serial, &notice);
                self.send_event(process, generation, text);
            }
            action @ (Action::Probe { .. }
            | Action::RunHook { .. }
            | Action::CancelHook { .. }
            | Action::OpenMarker { .. }
            | Action::CommitMarker { .. }
            | Action::MeasureMemory { .. }
            | Action::AdoptMain { .. }
            | Action::Record(_)) => self.act_for_service(action),
            Action::Print(text) => self.logs.print(text),
            Action::Log(message) => self.log(&message),
            Action::Reply { operation, outcome } => {
                if let Some(caller) = self.callers.remove(&operation) {
                    // Nobody listens any more: the operation was carried out all the same.
                    let _ = caller.send(Reply::Outcome(outcome));
                }
            }
            Action::Finished { restart } => {
                self.is_finished = true;
                if !restart {
                    self.next_config = None;
                }
            }
        }
    }

    fn release(&mut self, process: ProcessId, generation: Generation) {
        // The last output may have been late; nobody waits for it any more.
        self.draining.remove(&generation);
        self.runs.remove(&generation);
        self.services.release(generation);
        self.children.release(generation);
        if let Some(slot) = self.slots.get_mut(&process) {
            slot.stdin = None;
        }
    }

    fn log(&mut self, message: &Message) {
        let level = level(message.level());
        if self.logs.is_logged(level) {
            self.logs.log_in_row(level, message.to_string());
        }
    }

    /// The main log tells of events at its finest level.
    fn publish(&mut self, notice: &Notice) {
        self.services.history.publish(notice, milliseconds());
        if self.logs.is_logged(LogLevel::Blather) {
            self.logs
                .log(LogLevel::Blather, format!("event: {notice:?}"));
        }
    }

    fn signal(&self, target: SignalTarget, signal: i32, purpose: SignalPurpose) -> SignalOutcome {
        let (SignalTarget::Process(raw) | SignalTarget::Group(raw)) = target;
        let Some(pid) = Pid::new(raw) else {
            return SignalOutcome::Gone;
        };
        // A process id is ours until its process is reaped. What remains of a group has lost its leader,
        // and its number cannot be used anew as long as the group lives: if there is a process of that
        // number, the group is gone and the number a stranger's.
        let group = self.children.group_of(raw);
        let is_ours = match (target, purpose) {
            (SignalTarget::Group(_), SignalPurpose::Remains) => {
                group.is_some_and(|group| kill(group, 0).is_err())
            }
            _ => self.children.is_alive(raw),
        };
        if !is_ours {
            return SignalOutcome::Gone;
        }
        let sent = match target {
            SignalTarget::Process(_) => match self.services.announcements.pidfd_of(raw) {
                Some(pidfd) => linchpin_sys::pidfd::signal(pidfd, signal),
                None => kill(pid, signal),
            },
            SignalTarget::Group(_) => kill_group(group.unwrap_or(pid), signal),
        };
        match sent {
            Ok(()) => SignalOutcome::Sent,
            Err(error) => match error.raw_os_error() {
                Some(ESRCH) | None => SignalOutcome::Gone,
                Some(errno) => SignalOutcome::Refused(errno),
            },
        }
    }

    /// Tells the core which of the groups that it follows have come to their end.
    pub(super) fn look_at_groups(&mut self) {
        let is_gone = |pgid| Pid::new(pgid).is_none_or(|pgid| !group_exists(pgid));
        for generation in self.children.gone_groups(is_gone) {
            self.events.push_back(Event::GroupGone { generation });
        }
    }
}

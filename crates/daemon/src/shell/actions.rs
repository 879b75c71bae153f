//! What the core says, done.

use std::sync::Arc;

use linchpin_core::{
    Action, Event, Generation, Message, Notice, ProcessId, SignalOutcome, SignalPurpose,
    SignalTarget,
};
use linchpin_log::LogLevel;
use linchpin_sys::Pid;
use linchpin_sys::group::{group_exists, group_of, kill, kill_group};

use super::Shell;
use crate::control::Reply;
use crate::fastcgi::SharedSocket;
use crate::messages::level;
use crate::services::milliseconds;
use crate::spawner::{Job, Launch};

const ESRCH: i32 = 3;
const SIGKILL: i32 = 9;

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
                self.services.early_lines.insert(generation, Vec::new());
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
                let outcome = self.signal(generation, target, signal);
                // Remains are killed when the end of their start is known and told.
                let is_ended = purpose == SignalPurpose::Remains;
                if signal == SIGKILL && outcome == SignalOutcome::Sent && !is_ended {
                    self.services.killed.insert(generation);
                }
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
                let groups = self.children.groups_of(generation, pgid, leads_group);
                self.children.follow(generation, groups);
                self.look_at_groups();
            }
            Action::ForgetGroup { generation } => self.children.forget(generation),
            Action::NameSurvivors {
                name,
                generation,
                pgid,
            } => {
                self.spawner.submit(Job::NameSurvivors {
                    name,
                    groups: self.children.groups_of(generation, pgid, leads_group),
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
                self.services.interrupted.remove(&process);
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

    fn signal(&self, generation: Generation, target: SignalTarget, signal: i32) -> SignalOutcome {
        match target {
            SignalTarget::Process(pid) => self.signal_process(pid, signal),
            SignalTarget::Group(group) => {
                let groups = self.children.groups_of(generation, group, leads_group);
                let outcomes = groups
                    .into_iter()
                    .map(|group| self.signal_group(generation, group, signal));
                // One that was reached counts, and then one that refused.
                outcomes
                    .max_by_key(|outcome| match outcome {
                        SignalOutcome::Gone => 0,
                        SignalOutcome::Refused(_) => 1,
                        SignalOutcome::Sent => 2,
                    })
                    .unwrap_or(SignalOutcome::Gone)
            }
        }
    }

    /// A process id is ours until its process is reaped.
    fn signal_process(&self, pid: i32, signal: i32) -> SignalOutcome {
        match Pid::new(pid) {
            Some(number) if self.children.is_alive(pid) => {
                outcome(match self.services.announcements.pidfd_of(pid) {
                    Some(pidfd) => linchpin_sys::pidfd::signal(pidfd, signal),
                    None => kill(number, signal),
                })
            }
            _ => SignalOutcome::Gone,
        }
    }

    fn signal_group(&self, generation: Generation, group: i32, signal: i32) -> SignalOutcome {
        let Some(number) = Pid::new(group) else {
            return SignalOutcome::Gone;
        };
        let is_free = |_| kill(number, 0).is_err();
        if self.children.owns_group(generation, group, is_free) {
            outcome(kill_group(number, signal))
        } else {
            SignalOutcome::Gone
        }
    }

    /// Tells the core which of the groups that it follows have come to their end.
    pub(super) fn look_at_groups(&mut self) {
        for generation in self.children.gone_groups(|group| !is_group(group)) {
            self.events.push_back(Event::GroupGone { generation });
        }
    }
}

/// Whether there is anybody in a process group.
pub(crate) fn is_group(number: i32) -> bool {
    Pid::new(number).is_some_and(group_exists)
}

/// Whether a process leads a group; if it has ended, whether it has left one.
pub(crate) fn leads_group(pid: i32) -> bool {
    let Some(pid) = Pid::new(pid) else {
        return false;
    };
    match group_of(pid) {
        Ok(group) => group == Some(pid),
        Err(_) => group_exists(pid),
    }
}

fn outcome(sent: std::io::Result<()>) -> SignalOutcome {
    match sent {
        Ok(()) => SignalOutcome::Sent,
        Err(error) => match error.raw_os_error() {
            Some(ESRCH) | None => SignalOutcome::Gone,
            Some(errno) => SignalOutcome::Refused(errno),
        },
    }
}

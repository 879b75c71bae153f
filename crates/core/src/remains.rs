//! What may still exist of earlier starts, and keeps the next start of the same process waiting: starts
//! that were given up before there was a process, and process groups that outlived their leader's stop.
//!
//! Nothing here waits without end for a client or for the daemon's own end: a start that is not heard of
//! blocks only its own process, and a group is killed, then forgotten.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::process::{End, Life};
use crate::stop::SIGKILL;
use crate::supervisor::{Step, Supervisor};
use crate::time::seconds;
use crate::timers::Timer;
use crate::{
    Action, ExitStatus, Generation, Message, ProcessId, ProcessState, Reason, SignalOutcome,
    SignalPurpose, SignalTarget,
};

/// How long a start waits for what remains of its predecessor after SIGKILL was sent to it.
const REMAINS_AFTER_KILL: Duration = Duration::from_secs(1);

/// What may still exist of one start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Remains {
    /// The process that waits for it; it may have been removed.
    process: ProcessId,
    group: String,
    name: String,
    kind: RemainsKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum RemainsKind {
    /// A process group whose leader is gone.
    Group { pgid: i32, killed: bool },
    /// A start that was given up, and that has not been heard of.
    Unheard,
    /// A start that was given up, came about, and was killed for it.
    Killed { pid: i32 },
    /// The same, and the kernel refused the kill.
    Unkillable { errno: i32 },
}

impl Supervisor {
    fn leave(&mut self, id: ProcessId, generation: Generation, kind: RemainsKind) {
        if let Some(process) = self.processes.get_mut(&id) {
            process.remains.push(generation);
            let remains = Remains {
                process: id,
                group: process.group.clone(),
                name: process.config.name.clone(),
                kind,
            };
            self.remains.insert(generation, remains);
        }
    }

    /// Gives up the start that is under way.
    pub(crate) fn abandon_start(&mut self, id: ProcessId, step: &mut Step<'_>) {
        if let Some(process) = self.processes.get_mut(&id) {
            let generation = process.generation;
            process.life = Life::None;
            step.act(Action::Log(Message::StartAbandoned {
                name: process.config.name.clone(),
            }));
            self.leave(id, generation, RemainsKind::Unheard);
        }
    }

    /// After a stop of the group, follows those that have not gone with their leader.
    pub(crate) fn follow_group(&mut self, id: ProcessId, end: End, step: &mut Step<'_>) {
        let Some(process) = self.processes.get(&id).filter(|_| end.group_alive) else {
            return;
        };
        let config = &process.config;
        let pgid = process.pgid;
        let killed = config.killasgroup && process.was_killed;
        let (signal, was_told) = (config.stopsignal, process.was_told);
        if !config.stopasgroup && !killed {
            step.act(Action::NameSurvivors {
                name: config.name.clone(),
                generation: process.generation,
                pgid,
            });
            return;
        }
        let generation = process.generation;
        let at = if killed {
            step.now.monotonic + REMAINS_AFTER_KILL
        } else if !was_told {
            step.now.monotonic + seconds(config.stopwaitsecs)
        } else {
            process.stop_deadline.max(step.now.monotonic)
        };
        step.act(Action::FollowGroup { generation, pgid });
        self.leave(id, generation, RemainsKind::Group { pgid, killed });
        self.timers.set(Timer::Remains(generation), at);
        if !was_told && !killed {
            // The leader went before the signal had its turn (`pre_stop`, `stop_command`).
            step.act(Action::Signal {
                process: id,
                generation,
                target: SignalTarget::Group(pgid),
                signal,
                purpose: SignalPurpose::Remains,
            });
        }
    }

    /// Kills what remains of process groups without waiting any longer.
    pub(crate) fn kill_remains(&mut self, step: &mut Step<'_>) {
        let groups: Vec<Generation> = self
            .remains
            .iter()
            .filter(|(_, remains)| matches!(remains.kind, RemainsKind::Group { killed: false, .. }))
            .map(|(generation, _)| *generation)
            .collect();
        for generation in groups {
            self.remains_timer(generation, step);
        }
    }

    pub(crate) fn remains_timer(&mut self, generation: Generation, step: &mut Step<'_>) {
        let Some(remains) = self.remains.get_mut(&generation) else {
            return;
        };
        let RemainsKind::Group { pgid, killed } = &mut remains.kind else {
            return;
        };
        if *killed {
            // What SIGKILL has not removed by now hangs in the kernel; nobody waits for that.
            self.group_gone(generation, step);
            return;
        }
        *killed = true;
        step.act(Action::Log(Message::KillingRemains {
            name: remains.name.clone(),
            pgid: *pgid,
        }));
        step.act(Action::Signal {
            process: remains.process,
            generation,
            target: SignalTarget::Group(*pgid),
            signal: SIGKILL,
            purpose: SignalPurpose::Remains,
        });
        self.timers.set(
            Timer::Remains(generation),
            step.now.monotonic + REMAINS_AFTER_KILL,
        );
    }

    pub(crate) fn group_gone(&mut self, generation: Generation, step: &mut Step<'_>) {
        if self
            .remains
            .get(&generation)
            .is_some_and(|remains| matches!(remains.kind, RemainsKind::Group { .. }))
        {
            self.timers.cancel(Timer::Remains(generation));
            step.act(Action::ForgetGroup { generation });
            self.remains_gone(generation, step);
        }
    }

    /// Whether this is a start that was given up; if so, it is killed.
    pub(crate) fn late_spawn(
        &mut self,
        generation: Generation,
        pid: i32,
        step: &mut Step<'_>,
    ) -> bool {
        let Some(remains) = self.remains.get_mut(&generation) else {
            return false;
        };
        remains.kind = RemainsKind::Killed { pid };
        step.act(Action::Signal {
            process: remains.process,
            generation,
            target: SignalTarget::Process(pid),
            signal: SIGKILL,
            purpose: SignalPurpose::Remains,
        });
        true
    }

    /// Whether this is a start that was given up; if so, it does not come about any more.
    pub(crate) fn late_spawn_failure(
        &mut self,
        generation: Generation,
        step: &mut Step<'_>,
    ) -> bool {
        let is_late = self.remains.contains_key(&generation);
        if is_late {
            self.release_socket(generation, step);
            self.remains_gone(generation, step);
        }
        is_late
    }

    /// Whether this is a start that was given up; if so, it has ended.
    pub(crate) fn late_exit(
        &mut self,
        generation: Generation,
        status: ExitStatus,
        step: &mut Step<'_>,
    ) -> bool {
        let Some(remains) = self.remains.get(&generation) else {
            return false;
        };
        let id = remains.process;
        self.release(id, generation, step);
        self.remains_gone(generation, step);
        if self.processes.get(&id).is_some_and(|process| {
            process.state == ProcessState::Unknown && process.life == Life::None
        }) {
            self.change_state(
                id,
                ProcessState::Stopped,
                Reason::StopCompleted { status },
                step,
            );
        }
        true
    }

    fn remains_gone(&mut self, generation: Generation, step: &mut Step<'_>) {
        let Some(remains) = self.remains.remove(&generation) else {
            return;
        };
        if let Some(process) = self.processes.get_mut(&remains.process) {
            process.remains.retain(|other| *other != generation);
            self.unblock(remains.process, step);
        }
    }

    /// The kernel's answer to a SIGKILL of something that remains.
    pub(crate) fn remains_signalled(
        &mut self,
        generation: Generation,
        outcome: SignalOutcome,
        step: &mut Step<'_>,
    ) {
        let Some(remains) = self.remains.get_mut(&generation) else {
            return;
        };
        let name = remains.name.clone();
        match (remains.kind, outcome) {
            (RemainsKind::Group { .. }, SignalOutcome::Gone) => self.group_gone(generation, step),
            (RemainsKind::Group { pgid, .. }, SignalOutcome::Refused(errno)) => {
                step.act(Action::Log(Message::KillRefused {
                    name,
                    pid: pgid,
                    errno,
                }));
                self.group_gone(generation, step);
            }
            (RemainsKind::Killed { pid }, SignalOutcome::Refused(errno)) => {
                remains.kind = RemainsKind::Unkillable { errno };
                let id = remains.process;
                step.act(Action::Log(Message::KillRefused { name, pid, errno }));
                self.give_up_if_blocked_for_good(id, step);
            }
            (RemainsKind::Group { .. }, SignalOutcome::Sent)
            | (RemainsKind::Killed { .. }, SignalOutcome::Sent | SignalOutcome::Gone)
            | (
                RemainsKind::Unheard | RemainsKind::Unkillable { .. },
                SignalOutcome::Sent | SignalOutcome::Gone | SignalOutcome::Refused(_),
            ) => {}
        }
    }

    /// Ends a start that would wait for something that cannot be killed.
    pub(crate) fn give_up_if_blocked_for_good(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        if process.life != Life::Blocked {
            return;
        }
        let refusal = process.remains.iter().find_map(|generation| {
            match self.remains.get(generation)?.kind {
                RemainsKind::Unkillable { errno } => Some(errno),
                RemainsKind::Group { .. } | RemainsKind::Unheard | RemainsKind::Killed { .. } => {
                    None
                }
            }
        });
        if let Some(errno) = refusal {
            process.life = Life::None;
            self.change_state(
                id,
                ProcessState::Unknown,
                Reason::SignalRefused { errno },
                step,
            );
        }
    }

    /// Lets new processes of a group wait for what remains of earlier ones of the same name.
    pub(crate) fn adopt_remains(&mut self, group: &str, heirs: &[ProcessId]) {
        let orphans: Vec<Generation> = self
            .remains
            .iter()
            .filter(|(_, remains)| remains.group == group)
            .map(|(generation, _)| *generation)
            .collect();
        for generation in orphans {
            let Some(remains) = self.remains.get_mut(&generation) else {
                continue;
            };
            if let Some(heir) = self
                .groups
                .get(group)
                .and_then(|group| group.member(&remains.name))
                && heirs.contains(&heir)
                && let Some(process) = self.processes.get_mut(&heir)
            {
                remains.process = heir;
                process.remains.push(generation);
            }
        }
    }

    /// Whether something remains whose end is certain and near.
    pub(crate) fn waits_for_remains(&self) -> bool {
        self.remains.values().any(|remains| match remains.kind {
            RemainsKind::Group { .. } | RemainsKind::Killed { .. } => true,
            RemainsKind::Unheard | RemainsKind::Unkillable { .. } => false,
        })
    }
}

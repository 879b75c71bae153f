//! A fake operating system and the shell around the core: two clocks, processes with their groups, process
//! ids that come round again, answers that come late or never.
//!
//! It does what the core asks and says so when the core asks for something that no real system could be
//! asked for. What happens by itself is decided elsewhere, by stimuli.

use std::collections::{BTreeMap, VecDeque};

use linchpin_config::FastCgiSocket;
use linchpin_core::{
    Action, Channel, Event, ExitStatus, Generation, HookPoint, Monotonic, Notification, Now,
    OperationId, OutputKind, ProcessId, SignalOutcome, SignalPurpose, SignalTarget, SocketId,
    SpawnFailure, SpawnFailureKind, Supervisor, Wall,
};

use super::checks::Checks;
use super::invariants::{Invariant, Violation};
use super::listeners::Listeners;
use super::lives::Lives;
pub(crate) use super::start::{Phase, Start};

/// errno of a refused signal.
const EPERM: i32 = 1;

/// Process ids are few, so that they come round again.
const PIDS: std::ops::Range<i32> = 100..140;

/// The system.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) monotonic: u64,
    /// What the wall clock is ahead of the monotonic one.
    pub(crate) wall_offset: i64,
    pub(crate) starts: BTreeMap<Generation, Start>,
    /// News that has happened and has not been told.
    pub(crate) waiting: VecDeque<Event>,
    /// Commands that are being looked up.
    pub(crate) checks: Vec<(OperationId, ProcessId)>,
    /// Listening sockets that are open.
    pub(crate) sockets: BTreeMap<SocketId, FastCgiSocket>,
    /// Listening sockets that are being tried.
    pub(crate) trials: Vec<OperationId>,
    /// Answers to signals come at once (else they join the waiting news).
    pub(crate) answers_at_once: bool,
    /// Answers that come at once.
    pub(crate) prompt: VecDeque<Event>,
    pub(crate) listeners: Listeners,
    pub(crate) services: Checks,
    pub(crate) lives: Lives,
    next_pid: i32,
}

impl World {
    pub(crate) fn new(answers_at_once: bool) -> Self {
        Self {
            monotonic: 1_000_000_000_000,
            wall_offset: 1_700_000_000_000_000_000,
            starts: BTreeMap::new(),
            waiting: VecDeque::new(),
            checks: Vec::new(),
            sockets: BTreeMap::new(),
            trials: Vec::new(),
            answers_at_once,
            prompt: VecDeque::new(),
            listeners: Listeners::default(),
            services: Checks::default(),
            lives: Lives::default(),
            next_pid: PIDS.start,
        }
    }

    pub(crate) fn now(&self) -> Now {
        let since_boot = i64::try_from(self.monotonic).unwrap_or(i64::MAX);
        Now {
            monotonic: Monotonic(self.monotonic),
            wall: Wall(since_boot.saturating_add(self.wall_offset)),
        }
    }

    fn nth(&self, nth: usize, is_meant: impl Fn(&Start) -> bool) -> Option<Generation> {
        let count = self.starts.values().filter(|start| is_meant(start)).count();
        self.starts
            .iter()
            .filter(|(_, start)| is_meant(start))
            .nth(nth.checked_rem(count)?)
            .map(|(generation, _)| *generation)
    }

    pub(crate) fn count(&self, is_meant: impl Fn(&Start) -> bool) -> u64 {
        let count = self.starts.values().filter(|start| is_meant(start)).count();
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    fn free_pid(&mut self) -> i32 {
        loop {
            let pid = self.next_pid;
            self.next_pid = if pid + 1 == PIDS.end {
                PIDS.start
            } else {
                pid + 1
            };
            let is_taken = self.starts.values().any(|start| {
                (start.pid() == Some(pid) || start.pgid == pid || start.next_main == Some(pid))
                    && (matches!(start.phase, Phase::Alive { .. }) || start.has_group)
            });
            if !is_taken {
                return pid;
            }
        }
    }

    pub(crate) fn spawned(&mut self, nth: usize, exec_failure: bool) -> Option<Event> {
        let generation = self.nth(nth, |start| start.phase == Phase::Asked)?;
        let pid = self.free_pid();
        let start = self.starts.get_mut(&generation)?;
        start.phase = Phase::Alive { pid };
        start.pgid = pid;
        Some(Event::Spawned {
            process: start.process,
            generation,
            pid,
            exec_failure: exec_failure.then(|| "chdir: ENOENT".to_owned()),
        })
    }

    pub(crate) fn spawn_failed(&mut self, nth: usize, kind: SpawnFailureKind) -> Option<Event> {
        let generation = self.nth(nth, |start| start.phase == Phase::Asked)?;
        let start = self.starts.remove(&generation)?;
        self.listeners.failed(generation);
        Some(Event::SpawnFailed {
            process: start.process,
            generation,
            failure: failure(kind),
        })
    }

    pub(crate) fn die(
        &mut self,
        nth: usize,
        status: Option<ExitStatus>,
        drained: bool,
        survivors: bool,
        late: bool,
    ) -> Option<Event> {
        let is_obedient = status.is_none();
        let generation = self.nth(nth, |start| {
            matches!(start.phase, Phase::Alive { .. })
                && (!is_obedient || start.is_told || start.is_doomed)
        })?;
        let start = self.starts.get_mut(&generation)?;
        let Phase::Alive { pid } = start.phase else {
            return None;
        };
        let by_signal = |signal| ExitStatus::Signal {
            signal,
            core_dumped: false,
        };
        let status = if start.is_doomed {
            by_signal(9)
        } else {
            status.unwrap_or(by_signal(15))
        };
        start.phase = Phase::Reaped { pid };
        start.has_group = survivors && !start.is_group_doomed;
        start.is_drained = drained;
        let event = Event::Exited {
            process: start.process,
            generation,
            status,
            drained,
            group_alive: start.has_group,
        };
        if late {
            self.waiting.push_back(event);
            return None;
        }
        Some(self.tell(event))
    }

    /// News is about to be told.
    fn tell(&mut self, event: Event) -> Event {
        if let Event::Exited { generation, .. } = &event
            && let Some(start) = self.starts.get_mut(generation)
            && let Phase::Reaped { pid } = start.phase
        {
            start.phase = Phase::Told { pid };
            start.told_at = self.monotonic;
        }
        event
    }

    pub(crate) fn deliver(&mut self, nth: usize) -> Option<Event> {
        let position = nth.checked_rem(self.waiting.len())?;
        let event = self.waiting.remove(position)?;
        Some(self.tell(event))
    }

    pub(crate) fn drained(&mut self, nth: usize) -> Option<Event> {
        let generation = self.nth(nth, |start| {
            matches!(start.phase, Phase::Told { .. }) && !start.is_drained
        })?;
        let start = self.starts.get_mut(&generation)?;
        start.is_drained = true;
        Some(Event::Drained {
            process: start.process,
            generation,
        })
    }

    pub(crate) fn empty(&mut self, nth: usize) -> Option<Event> {
        let generation = self.nth(nth, |start| start.has_group)?;
        let start = self.starts.get_mut(&generation)?;
        start.has_group = false;
        let is_followed = start.is_followed;
        self.forget(generation);
        is_followed.then_some(Event::GroupGone { generation })
    }

    pub(crate) fn checked(&mut self, nth: usize, kind: Option<SpawnFailureKind>) -> Option<Event> {
        let position = nth.checked_rem(self.checks.len())?;
        let (operation, process) = self.checks.remove(position);
        Some(Event::CommandChecked {
            operation,
            process,
            failure: kind.map(failure),
        })
    }

    pub(crate) fn tried(&mut self, nth: usize, fails: bool) -> Option<Event> {
        let position = nth.checked_rem(self.trials.len())?;
        Some(Event::SocketTried {
            operation: self.trials.remove(position),
            failure: fails.then(|| "Could not create FastCGI socket unix:///x".to_owned()),
        })
    }

    pub(crate) fn protect(&mut self, nth: usize) {
        if let Some(generation) = self.nth(nth, |start| start.may_live() && !start.is_doomed)
            && let Some(start) = self.starts.get_mut(&generation)
        {
            start.is_protected = true;
        }
    }

    /// Answers that nobody waits for any more.
    pub(crate) fn stray(&self, nth: usize) -> Event {
        let known = self.nth(nth, |start| {
            matches!(start.phase, Phase::Told { .. }) && start.is_released && !start.is_followed
        });
        let generation = known.unwrap_or(Generation(u64::MAX));
        let process = known
            .and_then(|generation| self.starts.get(&generation))
            .map_or(ProcessId(u32::MAX), |start| start.process);
        if nth.is_multiple_of(2) {
            Event::Drained {
                process,
                generation,
            }
        } else {
            Event::GroupGone { generation }
        }
    }

    fn forget(&mut self, generation: Generation) {
        if self.starts.get(&generation).is_some_and(Start::is_over) {
            self.starts.remove(&generation);
        }
    }

    /// One of the listeners that can still be heard.
    pub(crate) fn speaker(&self, nth: usize) -> Option<Generation> {
        let is_heard = |generation: &Generation| {
            self.starts
                .get(generation)
                .is_some_and(|start| match start.phase {
                    Phase::Asked => false,
                    Phase::Alive { .. } | Phase::Reaped { .. } => true,
                    Phase::Told { .. } => !start.is_drained && !start.is_released,
                })
        };
        let all: Vec<Generation> = self.listeners.speakers().filter(is_heard).collect();
        all.get(nth.checked_rem(all.len())?).copied()
    }

    /// Something that a process has written.
    pub(crate) fn wrote(&self, nth: usize, kind: OutputKind, channel: Channel) -> Option<Event> {
        let generation = self.nth(nth, |start| matches!(start.phase, Phase::Alive { .. }))?;
        let start = self.starts.get(&generation)?;
        Some(Event::ProcessOutput {
            process: start.process,
            kind,
            channel,
            pid: start.pid()?,
            data: b"something".to_vec(),
        })
    }

    /// A hook ends. A `stop_command` that does well has told the process to end.
    pub(crate) fn end_hook(&mut self, nth: usize, fails: bool) -> Option<Event> {
        let event = self.lives.hook_ended(nth, fails);
        if let Some(Event::HookEnded {
            generation,
            point: HookPoint::StopCommand,
            failure: None,
            ..
        }) = &event
            && let Some(start) = self.starts.get_mut(generation)
        {
            start.is_told = true;
        }
        event
    }

    /// The kernel has killed a process; its end will be told.
    pub(crate) fn out_of_memory(&mut self, nth: usize) -> Option<Event> {
        let generation = self.nth(nth, |start| {
            matches!(start.phase, Phase::Alive { .. }) && !start.is_protected
        })?;
        let start = self.starts.get_mut(&generation)?;
        start.is_doomed = true;
        Some(Event::OutOfMemory {
            process: start.process,
            generation,
        })
    }

    /// Whether the core knows that a process has ended.
    pub(crate) fn is_over(&self, generation: Generation) -> bool {
        self.starts
            .get(&generation)
            .is_none_or(|start| matches!(start.phase, Phase::Told { .. }))
    }

    /// Does what the core asks.
    pub(crate) fn perform(
        &mut self,
        action: &Action,
        supervisor: &Supervisor,
    ) -> Result<(), Violation> {
        let starts = &self.starts;
        let is_alive = |generation| match starts.get(&generation).map(|start| start.phase) {
            Some(Phase::Alive { .. }) => Some(true),
            Some(Phase::Reaped { .. }) => Some(false),
            Some(Phase::Asked | Phase::Told { .. }) | None => None,
        };
        if let Some(answer) = self.listeners.action(action, supervisor, is_alive)? {
            self.prompt.push_back(answer);
        }
        self.services.action(action, self.monotonic)?;
        self.lives.action(action, self.monotonic)?;
        match action {
            Action::Spawn {
                process,
                generation,
                config,
                group,
                socket,
                ..
            } => self.spawn(*process, *generation, group, &config.name, *socket),
            Action::OpenSocket { socket, config } => {
                match self.sockets.insert(*socket, config.clone()) {
                    None => Ok(()),
                    Some(_) => {
                        Err(Invariant::SensibleRequests
                            .broken(format!("{socket:?} is opened twice")))
                    }
                }
            }
            Action::CloseSocket { socket } => self.close(*socket),
            Action::TrySocket { operation, config } => {
                self.trials.push(*operation);
                if self.sockets.values().any(|open| open.url == config.url) {
                    return Err(Invariant::SocketsHeld
                        .broken(format!("{} is tried while it is in use", config.url)));
                }
                Ok(())
            }
            Action::Signal {
                process,
                generation,
                target,
                signal,
                purpose,
            } => self.signal(*process, *generation, *target, *signal, *purpose),
            Action::CheckCommand {
                operation, process, ..
            } => {
                self.checks.push((*operation, *process));
                Ok(())
            }
            Action::Release { generation, .. } => self.release(*generation),
            Action::FollowGroup { generation, pgid } => self.follow(*generation, *pgid),
            Action::ForgetGroup { generation } => {
                let Some(start) = self
                    .starts
                    .get_mut(generation)
                    .filter(|start| start.is_followed)
                else {
                    return Err(Invariant::SensibleRequests
                        .broken(format!("{generation:?} forgotten, which is not followed")));
                };
                start.is_followed = false;
                self.forget(*generation);
                Ok(())
            }
            Action::ProcessRemoved { process } => {
                for start in self.starts.values_mut() {
                    start.is_disowned |= start.process == *process && start.is_protected;
                }
                Ok(())
            }
            Action::NameSurvivors { .. }
            | Action::ProcessAdded { .. }
            | Action::Publish(_)
            | Action::SendEvent { .. }
            | Action::Probe { .. }
            | Action::RunHook { .. }
            | Action::CancelHook { .. }
            | Action::OpenMarker { .. }
            | Action::CommitMarker { .. }
            | Action::Record(_)
            | Action::Print(_)
            | Action::Log(_)
            | Action::Reply { .. }
            | Action::Finished { .. } => Ok(()),
            Action::MeasureMemory {
                generation, pgid, ..
            } => match self.starts.get(generation) {
                Some(start) if start.pgid == *pgid => Ok(()),
                Some(_) | None => Err(Invariant::SensibleRequests
                    .broken(format!("{pgid} is measured as {generation:?}"))),
            },
            Action::AdoptMain {
                generation, pid, ..
            } => self.adopt(*generation, *pid),
        }
    }

    fn spawn(
        &mut self,
        process: ProcessId,
        generation: Generation,
        group: &str,
        name: &str,
        socket: Option<SocketId>,
    ) -> Result<(), Violation> {
        if let Some(id) = socket
            && !self.sockets.contains_key(&id)
        {
            return Err(Invariant::SocketsHeld.broken(format!("{id:?} is given and not open")));
        }
        let is_other = |start: &&Start| {
            start.group == group && start.name == name && start.may_live() && !start.is_disowned
        };
        if let Some(other) = self.starts.values().find(is_other) {
            return Err(Invariant::OneLiveProcess.broken(format!(
                "{group}:{name} is started beside {:?}",
                other.phase
            )));
        }
        let start = Start::new(process, group, name, socket);
        match self.starts.insert(generation, start) {
            None => Ok(()),
            Some(_) => {
                Err(Invariant::SensibleRequests.broken(format!("{generation:?} used twice")))
            }
        }
    }

    /// A service says something about itself. Which process it names as its main one is up to the system.
    pub(crate) fn notify(
        &mut self,
        nth: usize,
        mut notification: Notification,
        is_moving: bool,
    ) -> Option<Event> {
        let (process, generation) = self.services.speaks(nth)?;
        if is_moving {
            let pid = self.free_pid();
            notification.main_pid = Some(pid);
            let start = self.starts.get_mut(&generation)?;
            start.next_main = Some(pid);
        }
        Some(Event::Notified {
            process,
            generation,
            notification,
        })
    }

    fn adopt(&mut self, generation: Generation, pid: i32) -> Result<(), Violation> {
        let Some(start) = self.starts.get_mut(&generation) else {
            return Err(Invariant::SensibleRequests.broken("nobody has a main process"));
        };
        if start.next_main.take() != Some(pid) {
            return Err(Invariant::SensibleRequests
                .broken(format!("{pid} is no main process of {generation:?}")));
        }
        match &mut start.phase {
            Phase::Alive { pid: main } | Phase::Reaped { pid: main } => *main = pid,
            Phase::Asked | Phase::Told { .. } => {
                return Err(Invariant::SensibleRequests.broken(format!(
                    "{generation:?} has no process that could be another"
                )));
            }
        }
        Ok(())
    }

    fn close(&mut self, socket: SocketId) -> Result<(), Violation> {
        if self.sockets.remove(&socket).is_none() {
            return Err(Invariant::SocketsHeld.broken(format!("{socket:?} is closed and not open")));
        }
        let holds = |start: &&Start| start.socket == Some(socket) && !start.is_released;
        match self.starts.values().find(holds) {
            None => Ok(()),
            Some(start) => {
                Err(Invariant::SocketsHeld.broken(format!("{socket:?} is closed under {start:?}")))
            }
        }
    }

    /// Whether every open socket has somebody who holds it.
    pub(crate) fn sockets_are_held(&self) -> Result<(), Violation> {
        for socket in self.sockets.keys() {
            let holds = |start: &Start| start.socket == Some(*socket) && !start.is_released;
            if !self.starts.values().any(holds) {
                return Err(Invariant::SocketsHeld.broken(format!("{socket:?} is left open")));
            }
        }
        Ok(())
    }

    fn signal(
        &mut self,
        process: ProcessId,
        generation: Generation,
        target: SignalTarget,
        signal: i32,
        purpose: SignalPurpose,
    ) -> Result<(), Violation> {
        let stranger = || {
            Invariant::SignalsReachNoStranger.broken(format!(
                "{signal} to {target:?} as {generation:?} of {process}"
            ))
        };
        let Some(start) = self.starts.get_mut(&generation) else {
            return Err(stranger());
        };
        let (SignalTarget::Process(pid) | SignalTarget::Group(pid)) = target;
        let is_for_group = matches!(target, SignalTarget::Group(_));
        let meant = if is_for_group {
            Some(start.pgid)
        } else {
            start.pid()
        };
        let outcome = match start.phase {
            _ if meant != Some(pid) => return Err(stranger()),
            Phase::Asked => return Err(stranger()),
            Phase::Alive { .. } if start.is_protected => SignalOutcome::Refused(EPERM),
            Phase::Alive { .. } => {
                start.is_told |= purpose == SignalPurpose::Stop;
                start.is_doomed |= signal == 9;
                start.is_group_doomed |= signal == 9 && is_for_group;
                SignalOutcome::Sent
            }
            Phase::Reaped { .. } if is_for_group && start.has_group => {
                start.is_group_doomed |= signal == 9;
                SignalOutcome::Sent
            }
            Phase::Reaped { .. } => SignalOutcome::Gone,
            Phase::Told { .. } if !start.is_followed || !is_for_group => return Err(stranger()),
            Phase::Told { .. } if !start.has_group => SignalOutcome::Gone,
            Phase::Told { .. } if start.is_protected => SignalOutcome::Refused(EPERM),
            Phase::Told { .. } => {
                start.is_group_doomed |= signal == 9;
                SignalOutcome::Sent
            }
        };
        let answer = Event::Signalled {
            process,
            generation,
            purpose,
            outcome,
        };
        if self.answers_at_once {
            self.prompt.push_back(answer);
        } else {
            self.waiting.push_back(answer);
        }
        Ok(())
    }

    fn release(&mut self, generation: Generation) -> Result<(), Violation> {
        let is_due =
            |start: &&mut Start| matches!(start.phase, Phase::Told { .. }) && !start.is_released;
        let Some(start) = self.starts.get_mut(&generation).filter(is_due) else {
            return Err(Invariant::ReleasedOnce
                .broken(format!("{generation:?} is released, and is not due for it")));
        };
        start.is_released = true;
        self.forget(generation);
        Ok(())
    }

    fn follow(&mut self, generation: Generation, pgid: i32) -> Result<(), Violation> {
        let Some(start) = self.starts.get_mut(&generation).filter(|start| {
            matches!(start.phase, Phase::Told { .. }) && start.pgid == pgid && !start.is_followed
        }) else {
            return Err(Invariant::SensibleRequests
                .broken(format!("{generation:?} cannot be followed as {pgid}")));
        };
        start.is_followed = true;
        if !start.has_group {
            self.waiting.push_back(Event::GroupGone { generation });
        }
        Ok(())
    }
}

fn failure(kind: SpawnFailureKind) -> SpawnFailure {
    let text = match kind {
        SpawnFailureKind::NoFile => "can't find command 'x'",
        SpawnFailureKind::NotExecutable => "command at 'x' is not executable",
        SpawnFailureKind::Socket => "Could not create FastCGI socket unix:///x",
        SpawnFailureKind::Other => "too many open files to spawn 'x'",
    };
    SpawnFailure {
        kind,
        text: text.to_owned(),
    }
}

//! What must be true, whatever happens. Checked from outside: from what the core was told, what it asked
//! for, what it published and what its views show.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use linchpin_config::{AutoRestart, OnDependencyLost, ProcessConfig};
use linchpin_core::{
    Action, Command, DaemonState, Event, Generation, Notice, OperationId, Outcome, ProcessId,
    ProcessState, ProcessView, Reason, SignalPurpose, Supervisor, Target,
};

use super::dependencies;
use super::world::{Phase, Start, World};

/// How long the end of a process may wait for its last output.
const DRAIN_LIMIT: u64 = 200_000_000;

const SECOND: u64 = 1_000_000_000;

/// The invariants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invariant {
    /// The core does not panic.
    NoPanic,
    /// An instance never has two processes, not even if a start that was given up comes late.
    OneLiveProcess,
    /// Every process that came to be is released exactly once, after its end, within 200 ms of it.
    ReleasedOnce,
    /// A shared socket is open as long as a start that was given it is under way or alive, and no longer.
    SocketsHeld,
    /// A signal goes to the process or the followed group that it is meant for, never to a pid whose
    /// owner's end has been told.
    SignalsReachNoStranger,
    /// Identifiers are used once, and what is followed or forgotten is there to be.
    SensibleRequests,
    /// SIGKILL comes when `stopwaitsecs` are over, and again and again until the process is gone; a
    /// start that does not come about is given up when they are over.
    StopEnds,
    /// Every change of state is in the table.
    LegalTransitions,
    /// Every change is published, in order: each begins where the one before ended, with the process id
    /// of the process and the number of failed starts.
    EventsInOrder,
    /// What cannot stay as it is has a deadline or waits for an answer; no deadline that is over is left.
    NoTimerLost,
    /// Every command gets exactly one reply, and waits for it only as long as there is something to wait for.
    OneReply,
    /// A reply says what is the case.
    TrueReplies,
    /// A process stops only if somebody said so, and what was stopped stays so until somebody says else.
    OperatorsWishes,
    /// FATAL comes after `startretries` failed starts in a row, neither before nor later.
    RetriesCounted,
    /// By itself nothing starts within one second of its last start, or before its backoff is over.
    RestartBrake,
    /// When nothing happens any more, what should run runs, what should not does not, and no deadline is
    /// left: an idle daemon sleeps.
    Convergence,
    /// After a reload, removing and adding what it names leads to just the new configuration.
    ReloadConverges,
    /// A process is there only when what it depends on is.
    DependenciesMet,
    /// In a shutdown nothing is told to stop on which something depends that is up.
    DependentsFirst,
    /// A shutdown ends, once, with nothing alive that could be killed and no reply owed.
    ShutdownFinishes,
    /// Nothing is started during a shutdown.
    NoStartInShutdown,
    /// An event goes to a listener of its pool that runs, has said that it is ready and takes what is
    /// written to it.
    EventsReachListeners,
    /// Events are sent in order, only where they are wanted, and again only as often as they came back.
    /// Their numbers stay, and are never used again, not even by a daemon that begins anew.
    EventsInTurn,
    /// Every event that a pool takes waits, is at a listener, was processed or is told to be dropped.
    EventsCounted,
    /// No more events wait than `buffer_size`.
    BuffersBounded,
    /// The state of a listener follows from what it said.
    ListenerStates,
    /// No event waits while somebody would take it.
    NoEventStuck,
    /// One event leads to no more actions than there are processes and operations to act on.
    BoundedActions,
    /// A copy that went through bytes does the same ever after.
    FreezeChangesNothing,
}

impl Invariant {
    pub(crate) fn broken(self, detail: impl Into<String>) -> Violation {
        Violation {
            invariant: self,
            detail: detail.into(),
        }
    }
}

/// An invariant does not hold.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    pub(crate) invariant: Invariant,
    pub(crate) detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} does not hold: {}", self.invariant, self.detail)
    }
}

/// What has been seen so far.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    processes: BTreeMap<ProcessId, Seen>,
    pub(crate) open: BTreeMap<OperationId, Command>,
    /// The latest answer.
    pub(crate) last_outcome: Option<(OperationId, Outcome)>,
    pub(crate) is_finished: bool,
}

/// What has been seen of one process.
#[derive(Debug)]
struct Seen {
    config: Arc<ProcessConfig>,
    group: String,
    state: ProcessState,
    failures: u32,
    /// What the operator and `autorestart` want.
    is_wanted: bool,
    /// The latest start, once it has been asked for.
    generation: Option<Generation>,
    /// Why it is being started.
    starts_by_itself: bool,
    state_since: u64,
    /// It goes down only to come up again with what it depends on.
    is_restarted: bool,
    /// When the latest process came to be.
    alive_since: Option<u64>,
    stop_signal_at: Option<u64>,
    kill_at: Option<u64>,
}

impl Checker {
    /// Notes what is about to be told to the core.
    pub(crate) fn before(&mut self, event: &Event, supervisor: &Supervisor, world: &World) {
        match event {
            Event::Spawned {
                process,
                generation,
                ..
            } => {
                if let Some(seen) = self.processes.get_mut(process)
                    && seen.generation == Some(*generation)
                {
                    seen.alive_since = Some(world.monotonic);
                }
            }
            Event::Command { operation, command } => {
                self.open.insert(*operation, command.clone());
                if let Command::Stop { target, .. } = command
                    && supervisor.state() == DaemonState::Running
                {
                    for seen in self.processes.values_mut() {
                        seen.is_wanted &= !seen.is_meant_by(target);
                    }
                }
            }
            Event::Boot
            | Event::Wake
            | Event::SpawnFailed { .. }
            | Event::Exited { .. }
            | Event::Drained { .. }
            | Event::GroupGone { .. }
            | Event::Signalled { .. }
            | Event::CommandChecked { .. }
            | Event::ProcessOutput { .. }
            | Event::RemoteCommunication { .. }
            | Event::ListenerOutput { .. }
            | Event::Delivered { .. }
            | Event::InputDrained { .. }
            | Event::Probed { .. }
            | Event::Notified { .. }
            | Event::HookEnded { .. }
            | Event::MarkerOpened { .. }
            | Event::MarkerCommitted { .. }
            | Event::MemoryMeasured { .. }
            | Event::OutOfMemory { .. }
            | Event::SocketTried { .. }
            | Event::Shutdown { .. } => {}
        }
    }

    /// Looks at one action; the world has performed it.
    pub(crate) fn action(
        &mut self,
        action: &Action,
        supervisor: &Supervisor,
        world: &World,
    ) -> Result<(), Violation> {
        let is_running = supervisor.state() == DaemonState::Running;
        match action {
            Action::Spawn {
                process,
                generation,
                ..
            } => {
                if !is_running {
                    return Err(
                        Invariant::NoStartInShutdown.broken(format!("{process} is started"))
                    );
                }
                self.dependencies_are_met(*process)?;
                let Some(seen) = self.processes.get_mut(process) else {
                    return Err(Invariant::SensibleRequests.broken(format!("{process} is unknown")));
                };
                seen.generation = Some(*generation);
                if seen.starts_by_itself
                    && seen
                        .alive_since
                        .is_some_and(|since| world.monotonic < since + SECOND)
                {
                    return Err(Invariant::RestartBrake
                        .broken(format!("{process} is started again within a second")));
                }
                Ok(())
            }
            Action::Signal {
                process, purpose, ..
            } => {
                if let Some(seen) = self.processes.get_mut(process) {
                    match purpose {
                        SignalPurpose::Stop => seen.stop_signal_at = Some(world.monotonic),
                        SignalPurpose::Kill => seen.kill_at = Some(world.monotonic),
                        SignalPurpose::Operation(_) | SignalPurpose::Remains => {}
                    }
                }
                Ok(())
            }
            Action::ProcessAdded {
                process,
                config,
                group,
            } => {
                let seen = Seen {
                    config: config.clone(),
                    group: group.clone(),
                    state: ProcessState::Stopped,
                    failures: 0,
                    is_wanted: false,
                    generation: None,
                    starts_by_itself: false,
                    state_since: world.monotonic,
                    is_restarted: false,
                    alive_since: None,
                    stop_signal_at: None,
                    kill_at: None,
                };
                self.processes.insert(*process, seen);
                Ok(())
            }
            Action::ProcessRemoved { process } => {
                self.processes.remove(process);
                Ok(())
            }
            Action::Publish(Notice::ProcessState {
                process,
                to,
                reason,
                ..
            }) => {
                if *to == ProcessState::Stopping && *reason == Reason::DaemonStopping {
                    self.dependents_are_down(*process)?;
                }
                let Some(seen) = self.processes.get_mut(process) else {
                    return Err(Invariant::EventsInOrder.broken(format!("{process} is unknown")));
                };
                seen.publish(action, is_running, world)
            }
            Action::Reply { operation, outcome } => {
                let Some(command) = self.open.remove(operation) else {
                    return Err(
                        Invariant::OneReply.broken(format!("a second one to {operation:?}"))
                    );
                };
                self.last_outcome = Some((*operation, outcome.clone()));
                self.is_true(&command, outcome)
            }
            Action::Finished { .. } => {
                if self.is_finished {
                    return Err(Invariant::ShutdownFinishes.broken("twice"));
                }
                self.is_finished = true;
                self.finished(world)
            }
            Action::CheckCommand { .. }
            | Action::OpenSocket { .. }
            | Action::CloseSocket { .. }
            | Action::TrySocket { .. }
            | Action::Release { .. }
            | Action::FollowGroup { .. }
            | Action::ForgetGroup { .. }
            | Action::NameSurvivors { .. }
            | Action::SendEvent { .. }
            | Action::Probe { .. }
            | Action::RunHook { .. }
            | Action::CancelHook { .. }
            | Action::OpenMarker { .. }
            | Action::CommitMarker { .. }
            | Action::MeasureMemory { .. }
            | Action::AdoptMain { .. }
            | Action::Record(_)
            | Action::Print(_)
            | Action::Publish(
                Notice::ProcessLog(_)
                | Notice::ProcessCommunication(_)
                | Notice::RemoteCommunication { .. }
                | Notice::Tick { .. }
                | Notice::GroupAdded { .. }
                | Notice::GroupRemoved { .. }
                | Notice::SupervisorRunning
                | Notice::SupervisorStopping,
            )
            | Action::Log(_) => Ok(()),
        }
    }

    fn dependencies_are_met(&self, process: ProcessId) -> Result<(), Violation> {
        let Some(seen) = self.processes.get(&process) else {
            return Ok(());
        };
        for dependency in dependencies::binding(&seen.config) {
            let mut meant = self
                .processes
                .values()
                .filter(|other| dependencies::means(dependency, &other.group, &other.config.name))
                .peekable();
            if meant.peek().is_none() || meant.any(|other| other.state != ProcessState::Running) {
                return Err(Invariant::DependenciesMet
                    .broken(format!("{process} is started without {dependency:?}")));
            }
        }
        Ok(())
    }

    fn dependents_are_down(&self, process: ProcessId) -> Result<(), Violation> {
        let Some(seen) = self.processes.get(&process) else {
            return Ok(());
        };
        for (id, other) in &self.processes {
            let depends = dependencies::binding(&other.config)
                .any(|it| dependencies::means(it, &seen.group, &seen.config.name));
            if depends && *id != process && !other.state.is_stopped() {
                return Err(Invariant::DependentsFirst
                    .broken(format!("{process} is stopped before {id}, which needs it")));
            }
        }
        Ok(())
    }

    fn finished(&self, world: &World) -> Result<(), Violation> {
        for start in world.starts.values() {
            let is_left = match start.phase {
                Phase::Asked | Phase::Reaped { .. } => false,
                Phase::Alive { .. } => !start.is_protected,
                Phase::Told { .. } => start.is_followed || !start.is_released,
            };
            if is_left {
                return Err(Invariant::ShutdownFinishes.broken(format!("with {start:?}")));
            }
        }
        match self.open.first_key_value() {
            None => Ok(()),
            Some((_, command)) => Err(Invariant::ShutdownFinishes
                .broken(format!("without an answer to {}", summary(command)))),
        }
    }

    /// Whether the answer to a command about one process fits what has been published of it.
    fn is_true(&self, command: &Command, outcome: &Outcome) -> Result<(), Violation> {
        let (target, fits): (&Target, fn(ProcessState) -> bool) = match command {
            Command::Start { target, wait: true } => {
                (target, |state| state == ProcessState::Running)
            }
            Command::Stop { target, wait: true } => (target, |state| {
                state.is_stopped() && state != ProcessState::Unknown
            }),
            Command::Start { .. }
            | Command::Stop { .. }
            | Command::Signal { .. }
            | Command::Reload { .. }
            | Command::ReloadService { .. }
            | Command::AddGroup { .. }
            | Command::RemoveGroup { .. }
            | Command::AddProcesses { .. }
            | Command::RemoveProcess { .. } => return Ok(()),
        };
        let Target::Process { group, name } = target else {
            return Ok(());
        };
        if *outcome != Outcome::Done {
            return Ok(());
        }
        let state = self
            .processes
            .values()
            .find(|seen| seen.group == *group && seen.config.name == *name)
            .map(|seen| seen.state);
        if state.is_some_and(fits) {
            Ok(())
        } else {
            Err(Invariant::TrueReplies.broken(format!(
                "{} is done, and its state is {state:?}",
                summary(command)
            )))
        }
    }

    /// Looks at the core after an event.
    pub(crate) fn after(&self, supervisor: &Supervisor, world: &World) -> Result<(), Violation> {
        let now = world.monotonic;
        let next = supervisor.next_deadline();
        if next.is_some_and(|next| next.0 <= now) {
            return Err(Invariant::NoTimerLost.broken("a deadline that is over is left"));
        }
        let is_running = supervisor.state() == DaemonState::Running;
        for (id, seen) in &self.processes {
            let Some(view) = supervisor.process(*id) else {
                return Err(Invariant::EventsInOrder.broken(format!("{id} went away silently")));
            };
            if view.state != seen.state {
                return Err(Invariant::EventsInOrder.broken(format!(
                    "{id} is {:?}, and the last that was told is {:?}",
                    view.state, seen.state
                )));
            }
            if view.next_change.is_some() && (next.is_none() || next > view.next_change) {
                return Err(Invariant::NoTimerLost.broken(format!("that of {id}")));
            }
            let start = seen
                .generation
                .and_then(|generation| world.starts.get(&generation));
            let waits = seen.config.service.is_some() && !supervisor.waits(*id).is_empty();
            seen.has_what_it_waits_for(&view, start, waits, is_running, world)?;
            seen.stop_is_in_time(start, world)?;
        }
        for start in world.starts.values() {
            if matches!(start.phase, Phase::Told { .. })
                && !start.is_released
                && now >= start.told_at + DRAIN_LIMIT
            {
                return Err(Invariant::ReleasedOnce.broken(format!("not in time: {start:?}")));
            }
        }
        world.sockets_are_held()?;
        self.open_operations_wait(is_running, world)
    }

    /// Whether every command that has no reply yet waits for something.
    fn open_operations_wait(&self, is_running: bool, world: &World) -> Result<(), Violation> {
        for (id, command) in &self.open {
            let has_one_in = |target: &Target, state: ProcessState| {
                self.processes
                    .values()
                    .any(|seen| seen.state == state && seen.is_meant_by(target))
            };
            let is_answer = |event: &Event| matches!(event, Event::Signalled { purpose: SignalPurpose::Operation(of), .. } if of == id);
            let waits = match command {
                Command::Start { target, .. } => {
                    world.checks.iter().any(|(of, _)| of == id)
                        || has_one_in(target, ProcessState::Starting)
                }
                // Or it is held until its dependents are down.
                Command::Stop { .. } => {
                    let mut all = self.processes.values();
                    !is_running || all.any(|seen| seen.state == ProcessState::Stopping)
                }
                Command::Signal { target, .. } => {
                    world.waiting.iter().any(is_answer)
                        || world.prompt.iter().any(is_answer)
                        || has_one_in(target, ProcessState::Starting)
                        || has_one_in(target, ProcessState::Stopping)
                }
                Command::AddGroup { .. } => world.trials.contains(id),
                Command::Reload { .. }
                | Command::ReloadService { .. }
                | Command::RemoveGroup { .. }
                | Command::AddProcesses { .. }
                | Command::RemoveProcess { .. } => false,
            };
            if !waits {
                return Err(Invariant::OneReply.broken(format!(
                    "{} has none and waits for nothing",
                    summary(command)
                )));
            }
        }
        Ok(())
    }

    /// Looks at the core when nothing more can happen by itself. `far` is a deadline that never comes.
    pub(crate) fn settled(&self, supervisor: &Supervisor, far: u64) -> Result<(), Violation> {
        let mut never_comes_up = false;
        for (id, seen) in &self.processes {
            let is_far = supervisor
                .process(*id)
                .and_then(|view| view.next_change)
                .is_some_and(|next| next.0 > far);
            never_comes_up |= seen.state == ProcessState::Starting && is_far;
            let is_right = match seen.state {
                ProcessState::Running => seen.is_wanted,
                ProcessState::Starting => {
                    let waits = !supervisor.waits(*id).is_empty();
                    never_comes_up |= waits;
                    seen.is_wanted && (is_far || waits)
                }
                ProcessState::Stopped | ProcessState::Exited | ProcessState::Fatal => {
                    !seen.is_wanted
                }
                ProcessState::Unknown => true,
                ProcessState::Backoff | ProcessState::Stopping => false,
            };
            if !is_right {
                return Err(Invariant::Convergence.broken(format!(
                    "{id} ({}:{}) is {:?}, wanted: {}",
                    seen.group, seen.config.name, seen.state, seen.is_wanted
                )));
            }
        }
        let may_stay_open = |command: &Command| {
            never_comes_up && matches!(command, Command::Start { wait: true, .. })
        };
        if let Some((_, command)) = self.open.iter().find(|(_, open)| !may_stay_open(open)) {
            return Err(Invariant::OneReply.broken(format!("none to {}", summary(command))));
        }
        if supervisor.next_deadline().is_some_and(|next| next.0 <= far) {
            return Err(Invariant::Convergence.broken("deadlines without end"));
        }
        Ok(())
    }
}

impl Seen {
    fn is_meant_by(&self, target: &Target) -> bool {
        match target {
            Target::Process { group, name } => self.group == *group && self.config.name == *name,
            Target::Group(group) => self.group == *group,
            Target::All => true,
        }
    }

    fn publish(
        &mut self,
        action: &Action,
        is_running: bool,
        world: &World,
    ) -> Result<(), Violation> {
        let Action::Publish(Notice::ProcessState {
            process,
            name,
            group,
            from,
            to,
            tries,
            pid,
            expected,
            reason,
        }) = action
        else {
            return Ok(());
        };
        let (from, to) = (*from, *to);
        let out_of_order = |what: &str| {
            Invariant::EventsInOrder.broken(format!("{process} {from:?} {to:?}: {what}"))
        };
        if from != self.state || *name != self.config.name || *group != self.group {
            return Err(out_of_order(
                "it was in another state or is another process",
            ));
        }
        if !from.may_become(to) {
            return Err(Invariant::LegalTransitions.broken(format!("{process} {from:?} {to:?}")));
        }
        match to {
            ProcessState::Backoff => self.failures += 1,
            ProcessState::Running
            | ProcessState::Stopped
            | ProcessState::Exited
            | ProcessState::Fatal => {
                if to == ProcessState::Fatal
                    && !matches!(reason, Reason::DependencyFailed { .. })
                    && is_running
                    && i64::from(self.failures) <= self.config.startretries
                {
                    return Err(Invariant::RetriesCounted
                        .broken(format!("{process} after {} failures", self.failures)));
                }
                self.failures = 0;
            }
            ProcessState::Starting | ProcessState::Stopping | ProcessState::Unknown => {}
        }
        if matches!(to, ProcessState::Backoff | ProcessState::Starting) && *tries != self.failures {
            return Err(out_of_order("wrong number of tries"));
        }
        let start = self
            .generation
            .and_then(|generation| world.starts.get(&generation));
        let is_pid_right = match to {
            ProcessState::Running | ProcessState::Exited => {
                *pid != 0 && start.is_none_or(|start| start.pid() == Some(*pid))
            }
            ProcessState::Stopping | ProcessState::Stopped | ProcessState::Unknown => {
                *pid == 0 || start.is_none_or(|start| start.pid() == Some(*pid))
            }
            ProcessState::Starting | ProcessState::Backoff | ProcessState::Fatal => *pid == 0,
        };
        if !is_pid_right {
            return Err(out_of_order("wrong process id"));
        }
        let was_wanted = self.is_wanted;
        match to {
            ProcessState::Starting => self.starting(from, reason, process, world)?,
            ProcessState::Stopping => {
                self.stop_signal_at = None;
                self.kill_at = None;
                let lost = matches!(
                    reason,
                    Reason::DependencyLost { .. } | Reason::DependencyStops
                );
                let policy = self.config.service.as_ref();
                let policy = policy.map(|service| service.on_dependency_lost);
                self.is_restarted = false;
                if lost && policy == Some(OnDependencyLost::Stop) {
                    self.is_wanted = false;
                } else if lost && policy == Some(OnDependencyLost::Restart) {
                    self.is_restarted = true;
                } else if was_wanted && is_running {
                    return Err(Invariant::OperatorsWishes.broken(format!("{process} is stopped")));
                }
            }
            ProcessState::Exited => {
                self.is_wanted &= match self.config.autorestart {
                    AutoRestart::Never => false,
                    AutoRestart::Unexpected => !expected,
                    AutoRestart::Always => true,
                };
            }
            ProcessState::Fatal | ProcessState::Unknown => self.is_wanted = false,
            ProcessState::Stopped | ProcessState::Running | ProcessState::Backoff => {}
        }
        if to == ProcessState::Stopped && was_wanted && is_running && !self.is_restarted {
            return Err(Invariant::OperatorsWishes.broken(format!("{process} is down")));
        }
        self.state = to;
        self.state_since = world.monotonic;
        Ok(())
    }

    fn starting(
        &mut self,
        from: ProcessState,
        reason: &Reason,
        process: &ProcessId,
        world: &World,
    ) -> Result<(), Violation> {
        let asked = matches!(
            reason,
            Reason::Requested | Reason::Autostart | Reason::NeededBy { .. }
        );
        if !asked && !self.is_wanted {
            return Err(Invariant::OperatorsWishes
                .broken(format!("{process} is started by itself: {reason}")));
        }
        if from == ProcessState::Backoff {
            if i64::from(self.failures) > self.config.startretries {
                return Err(Invariant::RetriesCounted
                    .broken(format!("{process} once more after {}", self.failures)));
            }
            let wait = u64::from(self.failures).saturating_mul(SECOND);
            if world.monotonic < self.state_since.saturating_add(wait) {
                return Err(Invariant::RestartBrake.broken(format!("{process} before its backoff")));
            }
        }
        self.generation = None;
        self.is_wanted = true;
        self.starts_by_itself = *reason == Reason::Autorestart;
        Ok(())
    }

    fn has_what_it_waits_for(
        &self,
        view: &ProcessView<'_>,
        start: Option<&Start>,
        waits: bool,
        is_running: bool,
        world: &World,
    ) -> Result<(), Violation> {
        let has_deadline = view.next_change.is_some();
        let is_ending = |start: &Start| match start.phase {
            Phase::Reaped { .. } => true,
            Phase::Told { .. } => !start.is_released,
            Phase::Asked | Phase::Alive { .. } => false,
        };
        let is_right = match self.state {
            ProcessState::Stopped => !(has_deadline || self.is_wanted && is_running),
            ProcessState::Fatal | ProcessState::Unknown => !has_deadline,
            ProcessState::Exited => has_deadline == (self.is_wanted && is_running),
            ProcessState::Backoff => has_deadline || !is_running,
            ProcessState::Running => start.is_some_and(|start| {
                matches!(start.phase, Phase::Alive { .. }) || is_ending(start)
            }),
            ProcessState::Stopping => start.is_some_and(|start| match start.phase {
                Phase::Asked | Phase::Alive { .. } => has_deadline,
                Phase::Reaped { .. } | Phase::Told { .. } => is_ending(start),
            }),
            ProcessState::Starting => match start {
                Some(start) => match start.phase {
                    Phase::Asked => true,
                    Phase::Alive { .. } => has_deadline,
                    Phase::Reaped { .. } | Phase::Told { .. } => is_ending(start),
                },
                None => {
                    let blocks = |start: &Start| {
                        start.group == self.group
                            && start.name == self.config.name
                            && (start.may_live() || is_ending(start) || start.is_followed)
                    };
                    world.starts.values().any(blocks) || waits || !is_running
                }
            },
        };
        if is_right {
            Ok(())
        } else {
            Err(Invariant::NoTimerLost.broken(format!(
                "{} ({}:{}) is {:?} with deadline {:?} and {start:?}",
                view.id, self.group, self.config.name, self.state, view.next_change
            )))
        }
    }

    fn stop_is_in_time(&self, start: Option<&Start>, world: &World) -> Result<(), Violation> {
        if self.state != ProcessState::Stopping {
            return Ok(());
        }
        let grace = u64::try_from(self.config.stopwaitsecs)
            .unwrap_or(0)
            .saturating_mul(SECOND);
        let late = |what: &str| {
            Err(Invariant::StopEnds.broken(format!("{}:{}: {what}", self.group, self.config.name)))
        };
        match start.map(|start| start.phase) {
            Some(Phase::Asked) if world.monotonic >= self.state_since.saturating_add(grace) => {
                late("the start was not given up")
            }
            Some(Phase::Alive { .. }) => match (self.stop_signal_at, self.kill_at) {
                (None, _) => late("no stop signal was sent"),
                (Some(at), None) if world.monotonic >= at.saturating_add(grace) => {
                    late("no SIGKILL was sent")
                }
                (Some(_), Some(at)) if world.monotonic >= at.saturating_add(grace.max(SECOND)) => {
                    late("SIGKILL was not repeated")
                }
                (Some(_), _) => Ok(()),
            },
            Some(Phase::Asked | Phase::Reaped { .. } | Phase::Told { .. }) | None => Ok(()),
        }
    }
}

/// A command in a line.
pub(crate) fn summary(command: &Command) -> String {
    match command {
        Command::Reload { config } => {
            let groups: Vec<String> = config
                .groups
                .iter()
                .map(|group| super::history::group_summary(group))
                .collect();
            format!("Reload [{}]", groups.join(", "))
        }
        Command::Start { .. }
        | Command::Stop { .. }
        | Command::Signal { .. }
        | Command::AddGroup { .. }
        | Command::ReloadService { .. }
        | Command::RemoveGroup { .. }
        | Command::RemoveProcess { .. } => format!("{command:?}"),
        Command::AddProcesses { group, processes } => {
            let names: Vec<&str> = processes
                .iter()
                .map(|process| process.name.as_str())
                .collect();
            format!("AddProcesses to {group}: {}", names.join(", "))
        }
    }
}

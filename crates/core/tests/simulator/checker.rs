//! What has been seen so far, and whether each new thing may be.

use linchpin_config::{Condition, Config};
use linchpin_core::{
    Action, Command, DaemonState, Event, HookPoint, Notice, OccurrenceKind, OperationId, Outcome,
    ProcessId, ProcessState, Reason, SignalPurpose, Supervisor, Target,
};
use std::collections::BTreeMap;

use super::invariants::{Invariant, Violation};
use super::lives::{self, Ends};
use super::seen::{SECOND, Seen};
use super::world::{Phase, World};
use super::{checks, dependencies};

/// How long the end of a process may wait for its last output.
const DRAIN_LIMIT: u64 = 200_000_000;

/// What has been seen so far.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    processes: BTreeMap<ProcessId, Seen>,
    pub(crate) open: BTreeMap<OperationId, Command>,
    /// The latest answer.
    pub(crate) last_outcome: Option<(OperationId, Outcome)>,
    pub(crate) is_finished: bool,
    /// The end of the daemon has been told.
    is_ending: bool,
    ends: Ends,
}

impl Checker {
    /// A checker of a daemon that begins with this configuration.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            ends: Ends::new(config),
            ..Self::default()
        }
    }

    /// Notes what is about to be told to the core.
    pub(crate) fn before(&mut self, event: &Event, supervisor: &Supervisor, world: &World) {
        self.ends.before(event, supervisor);
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
            Event::Exited {
                process,
                generation,
                status,
                ..
            } => {
                if let Some(seen) = self.processes.get_mut(process)
                    && seen.generation == Some(*generation)
                {
                    seen.is_ready = false;
                    // One that comes of a start which was given up counts for nothing.
                    let has_process = supervisor
                        .process(*process)
                        .is_some_and(|view| view.pid.is_some());
                    if has_process && let Some(since) = seen.alive_since {
                        seen.was_up(world.monotonic - since);
                        seen.last_code = Some(lives::code_of(*status));
                    }
                }
            }
            Event::SpawnFailed {
                process,
                generation,
                failure,
            } => {
                if let Some(seen) = self.processes.get_mut(process)
                    && seen.generation == Some(*generation)
                    && matches!(seen.state, ProcessState::Starting | ProcessState::Stopping)
                {
                    seen.last_code = Some(lives::code_of_failure(failure.kind));
                }
            }
            Event::MarkerCommitted {
                process,
                generation,
                failure: None,
            } => {
                if let Some(seen) = self.processes.get_mut(process) {
                    seen.is_completed = true;
                    if seen.generation == Some(*generation) && seen.state == ProcessState::Exited {
                        self.ends.noted(*process, &seen.config, seen.last_code);
                    }
                }
            }
            Event::Notified {
                process,
                generation,
                notification,
            } => {
                if let Some(seen) = self.processes.get_mut(process)
                    && seen.generation == Some(*generation)
                    && seen.state == ProcessState::Stopping
                    && seen.kill_at.is_none()
                    && let Some(extension) = notification.extend
                {
                    let extension = checks::extension(extension);
                    seen.extended_to = seen.extended_to.max(world.monotonic + extension);
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
                if self.is_ending {
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
                process,
                generation,
                purpose,
                ..
            } => {
                let is_late = self.ends.is_late(world.monotonic);
                if let Some(seen) = self.processes.get_mut(process) {
                    match purpose {
                        SignalPurpose::Stop => {
                            seen.may_be_told(*generation, false, is_late, world)?;
                            seen.stop_begun_at.get_or_insert(world.monotonic);
                        }
                        SignalPurpose::Kill => {
                            seen.may_be_told(*generation, true, is_late, world)?;
                            seen.kill_at = Some(world.monotonic);
                        }
                        SignalPurpose::Operation(_) | SignalPurpose::Remains => {}
                    }
                }
                Ok(())
            }
            Action::RunHook {
                process,
                generation,
                point,
                pid,
                ..
            } => {
                let Some(seen) = self.processes.get_mut(process) else {
                    return Err(Invariant::SensibleRequests.broken(format!("{process} is unknown")));
                };
                if self.is_finished {
                    return Err(Invariant::ShutdownFinishes
                        .broken(format!("{point:?} of {process} begins after it")));
                }
                if *point == HookPoint::StopCommand {
                    seen.stop_begun_at.get_or_insert(world.monotonic);
                }
                seen.may_run_hook(*process, *generation, *point, *pid, world)
            }
            Action::CommitMarker {
                process,
                generation,
                ..
            } => {
                let seen = self.processes.get(process);
                match seen.is_some_and(|seen| seen.done == Some(*generation)) {
                    true => Ok(()),
                    false => Err(Invariant::OneshotsRunOnce.broken(format!(
                        "the marker of {process} is written before it is done"
                    ))),
                }
            }
            Action::ProcessAdded {
                process,
                config,
                group,
            } => {
                let seen = Seen::new(config.clone(), group.clone(), world.monotonic);
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
                expected,
                ..
            }) => {
                // When its time is over everything goes at once.
                if *to == ProcessState::Stopping
                    && *reason == Reason::DaemonStopping
                    && !self.ends.is_late(world.monotonic)
                {
                    self.dependents_are_down(*process)?;
                }
                let Some(seen) = self.processes.get_mut(process) else {
                    return Err(Invariant::EventsInOrder.broken(format!("{process} is unknown")));
                };
                seen.publish(action, is_running, world)?;
                let config = &seen.config;
                match to {
                    ProcessState::Fatal => {
                        self.ends.given_up(*process, config, reason, seen.last_code);
                    }
                    ProcessState::Exited => self.ends.ended(*process, config, reason, *expected),
                    ProcessState::Stopped
                    | ProcessState::Starting
                    | ProcessState::Running
                    | ProcessState::Backoff
                    | ProcessState::Stopping
                    | ProcessState::Unknown => {}
                }
                Ok(())
            }
            Action::Record(occurrence) => {
                if let Some(seen) = self.processes.get_mut(&occurrence.process) {
                    match occurrence.kind {
                        OccurrenceKind::Ready { .. } => {
                            seen.is_ready = true;
                            seen.has_started |= seen.state == ProcessState::Running;
                        }
                        OccurrenceKind::NotReady { .. } => seen.is_ready = false,
                        OccurrenceKind::Completed if !seen.is_completed => {
                            return Err(Invariant::OneshotsRunOnce.broken(format!(
                                "{} is completed and not done",
                                occurrence.process
                            )));
                        }
                        OccurrenceKind::Completed => {}
                        OccurrenceKind::Waits(_)
                        | OccurrenceKind::WaitOver
                        | OccurrenceKind::CheckFailed { .. }
                        | OccurrenceKind::CheckPassed { .. }
                        | OccurrenceKind::Hook { .. }
                        | OccurrenceKind::OutOfMemory
                        | OccurrenceKind::Decided(_) => {}
                    }
                }
                Ok(())
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
                self.finished(supervisor, world)
            }
            Action::Publish(Notice::SupervisorStopping) => {
                self.is_ending = true;
                Ok(())
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
            | Action::CancelHook { .. }
            | Action::OpenMarker { .. }
            | Action::MeasureMemory { .. }
            | Action::AdoptMain { .. }
            | Action::Print(_)
            | Action::Publish(
                Notice::ProcessLog(_)
                | Notice::ProcessCommunication(_)
                | Notice::RemoteCommunication { .. }
                | Notice::Tick { .. }
                | Notice::GroupAdded { .. }
                | Notice::GroupRemoved { .. }
                | Notice::SupervisorRunning,
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
            let is_met = |other: &Seen| match dependency.condition {
                Condition::Ready if other.config.service.is_some() => other.is_ready,
                Condition::Completed => other.is_completed,
                Condition::Ready | Condition::Started | Condition::Order => {
                    other.state == ProcessState::Running
                }
            };
            if meant.peek().is_none() || !meant.all(is_met) {
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

    fn finished(&self, supervisor: &Supervisor, world: &World) -> Result<(), Violation> {
        let named = self.ends.exit_code_from.as_deref();
        let named = named.and_then(|name| {
            let mut all = self.processes.values();
            all.find(|seen| format!("{}:{}", seen.group, seen.config.name) == name)
        });
        let code = named.and_then(|seen| seen.last_code).unwrap_or(0);
        self.ends.finished(supervisor, code)?;
        if world.lives.has_hook() {
            return Err(Invariant::ShutdownFinishes.broken("with a hook under way"));
        }
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
    pub(crate) fn after(
        &mut self,
        supervisor: &Supervisor,
        world: &World,
    ) -> Result<(), Violation> {
        let now = world.monotonic;
        let next = supervisor.next_deadline();
        self.ends.after(supervisor, world, self.is_finished)?;
        world.lives.are_in_time(now, next.map(|next| next.0))?;
        self.hooks_are_in_place(world)?;
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
            if view.is_completed != seen.is_completed {
                return Err(Invariant::OneshotsRunOnce.broken(format!(
                    "{id} is completed: {}, and should be: {}",
                    view.is_completed, seen.is_completed
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
            if is_running {
                seen.is_explained(*id, supervisor, world)?;
            }
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

    fn hooks_are_in_place(&self, world: &World) -> Result<(), Violation> {
        for (generation, point, hook) in world.lives.hooks() {
            let outlives = matches!(point, HookPoint::StopCommand | HookPoint::PostStop);
            let may_go_on = match self.processes.get(&hook.process) {
                Some(seen) => seen.hook_may_go_on(generation, point, world),
                None => outlives,
            };
            if !may_go_on {
                return Err(Invariant::HooksInTurn
                    .broken(format!("{point:?} of {generation:?} goes on: {hook:?}")));
            }
        }
        Ok(())
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
                Command::ReloadService { target } => {
                    let is_meant = |process| {
                        let seen = self.processes.get(process);
                        seen.is_some_and(|seen| seen.is_meant_by(target))
                    };
                    world.waiting.iter().any(is_answer)
                        || world.prompt.iter().any(is_answer)
                        || world.lives.hooks().any(|(_, point, hook)| {
                            point == HookPoint::Reload && is_meant(&hook.process)
                        })
                }
                Command::Reload { .. }
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

    /// Whether a process is to be up, as far as people and its own ends have to say.
    pub(crate) fn is_wanted(&self, process: ProcessId) -> bool {
        self.processes
            .get(&process)
            .is_some_and(|seen| seen.is_wanted)
    }

    /// Looks at the core when nothing more can happen by itself. `far` is a deadline that never comes;
    /// `goes_on`: checks go on for ever.
    pub(crate) fn settled(
        &self,
        supervisor: &Supervisor,
        far: u64,
        goes_on: bool,
    ) -> Result<(), Violation> {
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
        if !goes_on && supervisor.next_deadline().is_some_and(|next| next.0 <= far) {
            return Err(Invariant::Convergence.broken("deadlines without end"));
        }
        Ok(())
    }
}

/// A command in a line.
pub(crate) fn summary(command: &Command) -> String {
    match command {
        Command::Reload { config } => {
            let groups: Vec<String> = config
                .groups
                .iter()
                .map(|group| super::transcript::group_summary(group))
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

//! One history: a core, a fake system around it, and the stimuli that are applied to them one by one.

use linchpin_config::Config;
use linchpin_core::{
    Action, Actions, Command, DaemonState, Event, Failure, Notice, OperationId, Outcome,
    ShutdownCause, Supervisor, Target,
};

use super::applying::Applies;
use super::checker::{Checker, summary};
use super::configuration;
use super::invariants::{Invariant, Violation};
use super::random::Random;
use super::stimulus::Stimulus;
use super::transcript::{action_summary, group_summary, seconds, stimulus_summary};
use super::world::{Phase, World};

/// A deadline as far as this from now never comes.
const FAR: u64 = 1_000 * 86_400 * 1_000_000_000;

/// How long nothing but probes may happen before everything counts as resting: longer than any deadline of
/// the configurations that are made.
const QUIET: u64 = 45 * 1_000_000_000;

/// How many things may still happen by themselves before a history counts as restless.
const SETTLING_STEPS: usize = 100_000;

/// How long a hung start stays so when everything else comes to rest: with an endless `stopwaitsecs` it is
/// waited for without end.
const HUNG_STEPS: usize = 1_000;

/// What a history begins with.
#[derive(Debug, Clone)]
pub(crate) struct Beginning {
    pub(crate) seed: u64,
    pub(crate) config: Config,
    pub(crate) answers_at_once: bool,
}

/// A history under way.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) supervisor: Supervisor,
    /// The copy that went through bytes, and must do the same.
    twin: Option<Supervisor>,
    pub(crate) world: World,
    pub(super) checker: Checker,
    pub(super) applies: Applies,
    /// The configuration that was read last.
    pub(crate) config: Config,
    next_operation: u64,
    /// How many events the core has handled.
    pub(crate) events: usize,
    /// What happened, line by line, if somebody wants to read it.
    pub(crate) transcript: Option<String>,
    actions: Actions,
    twin_actions: Actions,
    /// When something has happened last that was no probe.
    busy_at: u64,
}

impl History {
    /// A history in which the daemon has booted.
    pub(crate) fn begin(beginning: &Beginning, with_transcript: bool) -> Result<Self, Violation> {
        let mut history = Self {
            supervisor: Supervisor::new(&beginning.config),
            twin: None,
            world: World::new(beginning.answers_at_once),
            checker: Checker::new(&beginning.config),
            applies: Applies::default(),
            config: beginning.config.clone(),
            next_operation: 1,
            events: 0,
            transcript: with_transcript.then(String::new),
            actions: Actions::new(),
            twin_actions: Actions::new(),
            busy_at: 0,
        };
        for group in &beginning.config.groups {
            history.note(|| group_summary(group));
        }
        history.supervisor.seed(beginning.seed);
        history.feed(Event::Boot)?;
        Ok(history)
    }

    pub(crate) fn is_running(&self) -> bool {
        self.supervisor.state() == DaemonState::Running
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.checker.is_finished
    }

    /// Whether something has happened that the core has not been told.
    pub(crate) fn has_news_waiting(&self) -> bool {
        !self.world.waiting.is_empty()
    }

    pub(super) fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(transcript) = &mut self.transcript {
            transcript.push_str(&line());
            transcript.push('\n');
        }
    }

    /// Lets something happen.
    pub(crate) fn apply(&mut self, stimulus: &Stimulus) -> Result<(), Violation> {
        self.note(|| format!("> {}", stimulus_summary(stimulus)));
        let world = &mut self.world;
        let event = match stimulus {
            Stimulus::Pass {
                nanoseconds,
                punctual,
            } => return self.pass(*nanoseconds, *punctual),
            Stimulus::PassToDeadline { offset } => {
                let Some(next) = self.supervisor.next_deadline() else {
                    return Ok(());
                };
                let to = next.0.saturating_add_signed(*offset);
                let nanoseconds = to.saturating_sub(self.world.monotonic);
                if nanoseconds > FAR {
                    return Ok(());
                }
                return self.pass(nanoseconds, false);
            }
            Stimulus::JumpWall { nanoseconds } => {
                world.wall_offset = world.wall_offset.saturating_add(*nanoseconds);
                None
            }
            Stimulus::Wake => Some(Event::Wake),
            Stimulus::Spawned { nth, exec_failure } => world.spawned(*nth, *exec_failure),
            Stimulus::SpawnFailed { nth, kind } => world.spawn_failed(*nth, *kind),
            Stimulus::Die {
                nth,
                status,
                drained,
                survivors,
                late,
            } => world.die(*nth, Some(*status), *drained, *survivors, *late),
            Stimulus::Obey {
                nth,
                drained,
                survivors,
                late,
            } => world.die(*nth, None, *drained, *survivors, *late),
            Stimulus::Deliver { nth } => world.deliver(*nth),
            Stimulus::Drained { nth } => world.drained(*nth),
            Stimulus::Empty { nth } => world.empty(*nth),
            Stimulus::Checked { nth, failure } => world.checked(*nth, *failure),
            Stimulus::Tried { nth, fails } => world.tried(*nth, *fails),
            Stimulus::Protect { nth } => {
                world.protect(*nth);
                None
            }
            Stimulus::Stray { nth } => Some(world.stray(*nth)),
            Stimulus::Answer { nth, passes } => world.services.answer(*nth, *passes),
            Stimulus::AnswerLate { nth } => world.services.stale(*nth),
            Stimulus::Hear { nth } => world.services.hear(*nth),
            Stimulus::Notify {
                nth,
                notification,
                is_moving,
            } => world.notify(*nth, notification.clone(), *is_moving),
            Stimulus::Measured { nth, is_too_much } => world.services.measured(*nth, *is_too_much),
            Stimulus::EndHook { nth, fails } => world.end_hook(*nth, *fails),
            Stimulus::OpenMarker { nth, fails } => world.lives.marker_opened(*nth, *fails),
            Stimulus::CommitMarker { nth, fails } => world.lives.marker_committed(*nth, *fails),
            Stimulus::EndHookLate { nth } => world.lives.stale(*nth),
            Stimulus::OutOfMemory { nth } => world.out_of_memory(*nth),
            Stimulus::Say { nth, saying } => world
                .speaker(*nth)
                .and_then(|generation| world.listeners.say(generation, *saying)),
            Stimulus::Block { nth, is_full } => {
                if let Some(generation) = world.speaker(*nth) {
                    world.listeners.block(generation, *is_full);
                }
                None
            }
            Stimulus::Unblock { nth } => world
                .speaker(*nth)
                .and_then(|generation| world.listeners.unblock(generation)),
            Stimulus::CloseInput { nth } => {
                if let Some(generation) = world.speaker(*nth) {
                    world.listeners.close(generation);
                }
                None
            }
            Stimulus::Wrote { nth, kind, channel } => world.wrote(*nth, *kind, *channel),
            Stimulus::Remote => Some(Event::RemoteCommunication {
                kind: "kind".to_owned(),
                data: "data".to_owned(),
            }),
            Stimulus::Command(command) => Some(self.command(command.clone())),
            Stimulus::Apply(wish) => {
                self.begin_to_apply(wish);
                None
            }
            Stimulus::GoOnWithApply => return self.go_on_with_apply(),
            Stimulus::Shutdown { restart, cause } => Some(Event::Shutdown {
                restart: *restart,
                cause: *cause,
            }),
            Stimulus::BeginAnew { config } => {
                return if self.is_finished() {
                    self.begin_anew(config)
                } else {
                    Ok(())
                };
            }
            Stimulus::Freeze => return self.freeze(),
        };
        match event {
            Some(event) => self.feed(event),
            None => Ok(()),
        }
    }

    /// The name of the next command.
    pub(super) fn next_operation(&self) -> OperationId {
        OperationId(self.next_operation)
    }

    pub(super) fn command(&mut self, command: Command) -> Event {
        if let Command::Reload { config } = &command
            && self.is_running()
        {
            self.config = (**config).clone();
        }
        let operation = OperationId(self.next_operation);
        self.next_operation += 1;
        Event::Command { operation, command }
    }

    fn pass(&mut self, nanoseconds: u64, punctual: bool) -> Result<(), Violation> {
        let end = self.world.monotonic.saturating_add(nanoseconds);
        while punctual
            && let Some(next) = self.next_deadline()
            && next <= end
        {
            self.world.monotonic = next;
            self.feed(Event::Wake)?;
        }
        self.world.monotonic = end;
        self.feed(Event::Wake)
    }

    /// When the shell wakes up next, by either clock.
    fn next_deadline(&self) -> Option<u64> {
        let now = self.world.monotonic;
        let by_wall = self.supervisor.next_wall_deadline().and_then(|at| {
            let at = at.0.checked_sub(self.world.wall_offset)?;
            // At its ends the clock stands still, and no deadline ever comes.
            u64::try_from(at).ok().filter(|at| *at > now)
        });
        let monotonic = self.supervisor.next_deadline().map(|at| at.0);
        let by_apply = self.applies.until().filter(|until| *until > now);
        monotonic.into_iter().chain(by_wall).chain(by_apply).min()
    }

    fn freeze(&mut self) -> Result<(), Violation> {
        let broken = |error: &dyn std::fmt::Display| {
            Invariant::FreezeChangesNothing.broken(error.to_string())
        };
        let bytes = self.supervisor.freeze().map_err(|error| broken(&error))?;
        let twin = Supervisor::restore(&bytes).map_err(|error| broken(&error))?;
        if twin != self.supervisor {
            return Err(broken(&"the copy differs at once"));
        }
        self.applies.freeze()?;
        // The copy goes on, so that everything is demanded of it; what it was made of goes along.
        self.twin = Some(std::mem::replace(&mut self.supervisor, twin));
        Ok(())
    }

    /// Tells the core, does what it asks, and checks everything; then the answers that come at once.
    pub(super) fn feed(&mut self, event: Event) -> Result<(), Violation> {
        self.feed_one(event)?;
        let mut rest = 1_000;
        while let Some(answer) = self.world.prompt.pop_front() {
            if rest == 0 {
                return Err(Invariant::BoundedActions.broken("signals without end"));
            }
            rest -= 1;
            self.feed_one(answer)?;
        }
        Ok(())
    }

    fn feed_one(&mut self, event: Event) -> Result<(), Violation> {
        self.events += 1;
        let now = self.world.now();
        if self.transcript.is_some() {
            let line = if let Event::Command { operation, command } = &event {
                format!("{operation:?} {}", summary(command))
            } else {
                format!("{event:?}")
            };
            self.note(|| format!("  {} {line}", seconds(now.monotonic.0)));
        }
        self.checker.before(&event, &self.supervisor, &self.world);
        if let Event::Command { operation, command } = &event {
            self.applies.before(*operation, command);
        }
        self.world.listeners.before(&event, &self.supervisor);
        let monotonic = self.world.monotonic;
        self.world
            .services
            .before(&event, &self.supervisor, monotonic);
        self.actions.clear();
        if let Some(twin) = &mut self.twin {
            self.twin_actions.clear();
            twin.handle(event.clone(), now, &mut self.twin_actions);
        }
        self.supervisor.handle(event, now, &mut self.actions);
        if self.transcript.is_some() {
            for line in self
                .actions
                .iter()
                .map(action_summary)
                .collect::<Vec<String>>()
            {
                self.note(|| format!("    {line}"));
            }
        }
        if self.twin.is_some() && self.twin_actions != self.actions {
            return Err(Invariant::FreezeChangesNothing.broken(format!(
                "{:?} instead of {:?}",
                self.twin_actions, self.actions
            )));
        }
        let bound = 40 + 20 * self.world.starts.len() + 200;
        if self.actions.len() > bound {
            return Err(
                Invariant::BoundedActions.broken(format!("{} actions at once", self.actions.len()))
            );
        }
        for action in &self.actions {
            if !is_rhythm(action) {
                self.busy_at = monotonic;
            }
            self.world.perform(action, &self.supervisor)?;
            self.checker.action(action, &self.supervisor, &self.world)?;
            self.applies.action(action)?;
        }
        self.checker.after(&self.supervisor, &self.world)?;
        let is_running = self.is_running();
        let checker = &self.checker;
        let must_act = |process| is_running && checker.is_wanted(process);
        let services = &mut self.world.services;
        services.after(&self.supervisor, monotonic, must_act)?;
        self.events_are_right()
    }

    fn events_are_right(&mut self) -> Result<(), Violation> {
        let mut listeners = std::mem::take(&mut self.world.listeners);
        let world = &self.world;
        let is_over = |generation| world.is_over(generation);
        let result = listeners.after(
            &self.supervisor,
            world.now().wall,
            self.checker.is_finished,
            is_over,
        );
        self.world.listeners = listeners;
        result
    }

    /// Lets everything come to rest: whatever is asked for succeeds, and nothing ends by itself.
    fn settle(&mut self, hung_starts_answer: bool) -> Result<(), Violation> {
        self.note(|| "> everything comes to rest".to_owned());
        self.busy_at = self.world.monotonic;
        for step in 0..SETTLING_STEPS {
            if !self.settle_one(hung_starts_answer || step > HUNG_STEPS)? {
                return Ok(());
            }
        }
        Err(Invariant::Convergence.broken("it never comes to rest"))
    }

    /// One step towards rest; false if everything rests.
    fn settle_one(&mut self, hung_starts_answer: bool) -> Result<bool, Violation> {
        let world = &self.world;
        let far = world.monotonic.saturating_add(FAR);
        // Probes go on for ever. When they have been all there was for long enough, everything rests.
        let is_quiet = world.services.goes_on()
            && world.monotonic > self.busy_at + QUIET
            && self.applies.until().is_none();
        let deadline = self.supervisor.next_deadline();
        let deadline = deadline.filter(|next| next.0 <= far && !is_quiet);
        let is_asked = world.count(|start| start.phase == Phase::Asked) > 0;
        let obeys = world.count(|start| {
            matches!(start.phase, Phase::Alive { .. }) && (start.is_doomed || start.is_told)
        });
        let empties = world.count(|start| start.has_group && start.is_group_doomed);
        let groups = world.count(|start| start.has_group);
        let until = self.applies.until();
        let stimulus = if self.applies.can_go_on(&self.supervisor, world.monotonic) {
            Stimulus::GoOnWithApply
        } else if !world.waiting.is_empty() {
            Stimulus::Deliver { nth: 0 }
        } else if !world.checks.is_empty() {
            Stimulus::Checked {
                nth: 0,
                failure: None,
            }
        } else if !world.trials.is_empty() {
            Stimulus::Tried {
                nth: 0,
                fails: false,
            }
        } else if world.lives.has_hook() {
            Stimulus::EndHook {
                nth: 0,
                fails: false,
            }
        } else if world.lives.has_opening() {
            Stimulus::OpenMarker {
                nth: 0,
                fails: false,
            }
        } else if world.lives.has_committing() {
            Stimulus::CommitMarker {
                nth: 0,
                fails: false,
            }
        } else if is_asked && (hung_starts_answer || deadline.is_none()) {
            Stimulus::Spawned {
                nth: 0,
                exec_failure: false,
            }
        } else if obeys > 0 {
            Stimulus::Obey {
                nth: 0,
                drained: true,
                survivors: false,
                late: false,
            }
        } else if empties > 0 || (groups > 0 && deadline.is_none()) {
            Stimulus::Empty { nth: 0 }
        } else if let Some(event) = world.services.what_helps(&self.supervisor, world.monotonic) {
            self.feed(event)?;
            return Ok(true);
        } else if let Some(until) = until.filter(|until| deadline.is_none_or(|at| *until < at.0)) {
            Stimulus::Pass {
                nanoseconds: until.saturating_sub(world.monotonic),
                punctual: false,
            }
        } else if let Some(at) = deadline {
            let is_watchdog = world.services.is_watchdog(at.0) && at.0 > world.monotonic + 1;
            Stimulus::PassToDeadline {
                offset: if is_watchdog { -1 } else { 0 },
            }
        } else {
            return Ok(false);
        };
        if !matches!(stimulus, Stimulus::PassToDeadline { .. }) {
            self.busy_at = self.world.monotonic;
        }
        self.apply(&stimulus)?;
        Ok(true)
    }

    fn settle_and_look(&mut self) -> Result<(), Violation> {
        self.settle(true)?;
        if self.applies.is_under_way() {
            return Err(Invariant::ApplyEnds.broken("everything is at rest, and it is not over"));
        }
        if !self.is_running() {
            // A service has been its end.
            return Ok(());
        }
        let far = self.world.monotonic.saturating_add(FAR);
        let goes_on = self.world.services.goes_on();
        self.checker.settled(&self.supervisor, far, goes_on)
    }

    /// Brings the history to its end: rest, perhaps a change of configuration as `supervisorctl update`
    /// makes it, and the end of the daemon.
    pub(crate) fn end(&mut self, seed: u64) -> Result<(), Violation> {
        let mut random = Random::new(seed ^ 0xE4D);
        if self.is_running() {
            self.settle_and_look()?;
            if random.percent(50) && self.is_running() {
                let config = configuration::changed(&mut random, &self.config);
                self.update(config)?;
            }
            self.apply(&Stimulus::Shutdown {
                restart: random.percent(30),
                cause: ShutdownCause::Client,
            })?;
        }
        self.settle(random.percent(50))?;
        if self.is_finished() && random.percent(30) {
            let config = configuration::changed(&mut random, &self.config);
            self.begin_anew(&config)?;
            self.settle_and_look()?;
            self.apply(&Stimulus::Shutdown {
                restart: false,
                cause: ShutdownCause::Signal(15),
            })?;
        }
        self.settle(true)?;
        if self.is_finished() {
            Ok(())
        } else {
            Err(Invariant::ShutdownFinishes.broken("it does not"))
        }
    }

    /// The next round of the daemon, in the same world: what hung in the last one may still come.
    fn begin_anew(&mut self, config: &Config) -> Result<(), Violation> {
        self.compare_twin()?;
        self.twin = None;
        for group in &config.groups {
            self.note(|| group_summary(group));
        }
        for start in self.world.starts.values_mut() {
            start.is_disowned |= start.is_protected;
        }
        self.applies.begin_anew();
        self.world.listeners.begin_anew();
        self.world.services.begin_anew();
        self.world.lives.begin_anew();
        self.supervisor = self.supervisor.successor(config);
        self.config = config.clone();
        self.checker = Checker::new(config);
        self.feed(Event::Boot)
    }

    fn run(&mut self, command: &Command) -> Result<Outcome, Violation> {
        let operation = OperationId(self.next_operation);
        self.apply(&Stimulus::Command(command.clone()))?;
        for _ in 0..SETTLING_STEPS {
            if let Some((answered, outcome)) = &self.checker.last_outcome
                && *answered == operation
            {
                return Ok(outcome.clone());
            }
            if !self.settle_one(true)? {
                break;
            }
        }
        Err(Invariant::OneReply.broken(format!("none to {}", summary(command))))
    }

    /// What `supervisorctl update` does.
    fn update(&mut self, config: Config) -> Result<(), Violation> {
        let broken = |what: String| Err(Invariant::ReloadConverges.broken(what));
        let wanted = config.groups.clone();
        let config = Box::new(config);
        let outcome = self.run(&Command::Reload { config })?;
        let Outcome::Reloaded {
            added,
            changed,
            removed,
        } = outcome
        else {
            return broken("no list of changes".to_owned());
        };
        for name in removed.iter().chain(&changed) {
            let target = Target::Group(name.clone());
            self.run(&Command::Stop { target, wait: true })?;
            let name = name.clone();
            let outcome = self.run(&Command::RemoveGroup { name })?;
            if !self.is_running() {
                return Ok(());
            }
            if outcome != Outcome::Done {
                return broken(format!("a stopped group cannot be removed: {outcome:?}"));
            }
        }
        for name in changed.iter().chain(&added) {
            let name = name.clone();
            let outcome = self.run(&Command::AddGroup { name })?;
            if !self.is_running() {
                return Ok(());
            }
            if outcome != Outcome::Done {
                return broken(format!("a group cannot be added: {outcome:?}"));
            }
        }
        self.settle_and_look()?;
        if !self.is_running() {
            return Ok(());
        }
        let mut at_work: Vec<_> = self
            .supervisor
            .groups()
            .map(|group| group.config.clone())
            .collect();
        at_work.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
        if at_work != wanted {
            return broken("other groups are at work than the configuration has".to_owned());
        }
        let name = "nobody".to_owned();
        let outcome = self.run(&Command::RemoveGroup { name: name.clone() })?;
        if outcome != Outcome::Failed(Failure::BadName(name)) {
            return broken(format!("an unknown group was removed: {outcome:?}"));
        }
        Ok(())
    }

    /// The copy must not only have done the same, but be the same.
    pub(crate) fn compare_twin(&self) -> Result<(), Violation> {
        match &self.twin {
            Some(twin) if *twin != self.supervisor => {
                Err(Invariant::FreezeChangesNothing.broken("the copy has become another"))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// What goes on for ever while everything works, and what is said of it.
fn is_rhythm(action: &Action) -> bool {
    matches!(
        action,
        Action::Probe { .. }
            | Action::MeasureMemory { .. }
            | Action::SendEvent { .. }
            | Action::Publish(Notice::Tick { .. })
            | Action::Log(_)
    )
}

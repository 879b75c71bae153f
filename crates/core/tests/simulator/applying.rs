//! Applies of new settings: the shell's part, which carries the orders of the core's [`Apply`] out as the daemon does,
//! one command after the other, while people and the world go on; and what must be true of it.
//!
//! Versions of settings are numbers here. A start has the version that the shell gives it: while an apply is under way
//! the old one until its process was moved to the new one, and otherwise that of the file.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use linchpin_config::{Config, GroupConfig, ProcessConfig};
use linchpin_core::{
    Action, Apply, ApplyEnd, ApplyOrder, ApplyPlan, Command, Direction, Failure, Generation,
    Notice, OperationId, Outcome, ProcessName, ProcessState, Reason, Sight, Supervisor, Target,
    Verdict,
};

use super::history::History;
use super::invariants::{Invariant, Violation};
use super::world::{Phase, World};

/// Both directions have nine steps.
const MOST_ORDERS: u32 = 18;

/// An apply that somebody wants.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// Another configuration goes with the settings; none leaves the groups as they are.
    pub(crate) config: Option<Box<Config>>,
    /// Which of the other processes are named by a setting, a bit for each.
    pub(crate) restarted: u64,
    /// Which of the rest read files that are made anew.
    pub(crate) reloaded: u64,
    /// The file does not have these settings yet.
    pub(crate) writes: bool,
    /// How long services may take, in nanoseconds.
    pub(crate) patience: u64,
    pub(crate) file_fails: bool,
    pub(crate) back_fails: bool,
}

/// All applies of a history.
#[derive(Debug, Default)]
pub(crate) struct Applies {
    under_way: Option<Applying>,
    versions: Versions,
    /// Whom people have lately wanted to start or to stop.
    wished: Vec<Target>,
}

/// The apply under way.
#[derive(Debug)]
struct Applying {
    machine: Apply,
    wish: Wish,
    before: Config,
    after: Config,
    version: u64,
    orders: u32,
    /// The present order has been begun.
    is_begun: bool,
    /// Its configuration has been read.
    has_read: bool,
    /// Groups have been added, and what is to be started follows.
    has_added: bool,
    todo: VecDeque<Command>,
    pending: Option<OperationId>,
    reply: Option<Outcome>,
    /// What it has asked to start last.
    asked: Option<Target>,
    /// When services are waited for no longer.
    until: Option<u64>,
    /// Groups that it adds, removes or makes anew.
    groups: Vec<String>,
    /// Processes of others that it restarts.
    restarted: Vec<ProcessName>,
    /// Who went down with what it depends on.
    taken_along: BTreeSet<ProcessName>,
    /// Whom its stop has taken along, and who has not come up again.
    owed: BTreeSet<ProcessName>,
    /// People have changed groups in the meantime.
    is_disturbed: bool,
    /// They have done so before its own configuration was read, or have read another since: what it is to change is
    /// not what is there.
    is_outdated: bool,
    has_failed_back: bool,
}

/// Which settings each start was given.
#[derive(Debug, Default)]
struct Versions {
    file: u64,
    last: u64,
    trial: Option<Trial>,
    starts: BTreeMap<Generation, (u64, Arc<ProcessConfig>)>,
}

#[derive(Debug)]
struct Trial {
    old: u64,
    new: u64,
    moved: BTreeSet<ProcessName>,
}

impl Versions {
    fn now_for(&self, name: &ProcessName) -> u64 {
        match &self.trial {
            Some(trial) if trial.moved.contains(name) => trial.new,
            Some(trial) => trial.old,
            None => self.file,
        }
    }

    fn move_in_trial(&mut self, names: impl Iterator<Item = ProcessName>, to_new: bool) {
        let Some(trial) = &mut self.trial else { return };
        for name in names {
            if to_new {
                trial.moved.insert(name);
            } else {
                trial.moved.remove(&name);
            }
        }
    }
}

/// Processes of groups, and whether they start with their group.
fn members<'a>(
    config: &'a Config,
    groups: &'a [String],
) -> impl Iterator<Item = (ProcessName, bool)> + 'a {
    let group_of = |name: &String| config.groups.iter().find(|group| group.name == *name);
    groups.iter().filter_map(group_of).flat_map(|group| {
        group.processes.iter().map(|process| {
            let name = (group.name.clone(), process.name.clone());
            (name, process.autostart)
        })
    })
}

/// The plan, as the daemon makes it.
fn plan(wish: &Wish, before: &Config, after: &Config, supervisor: &Supervisor) -> ApplyPlan {
    let find = |config: &Config, name: &str| -> Option<Arc<GroupConfig>> {
        let mut groups = config.groups.iter();
        groups.find(|group| group.name == name).cloned()
    };
    let mut plan = ApplyPlan {
        writes: wish.writes,
        ..ApplyPlan::default()
    };
    for group in &after.groups {
        match find(before, &group.name) {
            None => plan.added.push(group.name.clone()),
            Some(old) if old != *group => plan.changed.push(group.name.clone()),
            Some(_) => {}
        }
    }
    for group in &before.groups {
        if find(after, &group.name).is_none() {
            plan.removed.push(group.name.clone());
        }
    }
    for (index, process) in supervisor.processes_by_name().into_iter().enumerate() {
        let is_meant = |bits: u64| bits >> (index % 64) & 1 == 1;
        let group = process.group.to_owned();
        let is_made_anew = plan.changed.contains(&group) || plan.removed.contains(&group);
        let name = (group, process.config.name.clone());
        let service = process.config.service.as_ref();
        let can_reload = service
            .is_some_and(|it| it.reload_signal.is_some() || it.hooks.reload_command.is_some());
        if is_made_anew || process.state == ProcessState::Stopped {
            continue;
        }
        if is_meant(wish.restarted) {
            plan.restarted.push(name);
        } else if is_meant(wish.reloaded) && can_reload {
            plan.reloaded.push(name);
        }
    }
    plan
}

/// Whether an outcome is a failure for an order.
fn is_refused(outcome: &Outcome, order: ApplyOrder) -> bool {
    let is_bad = |failure: &Failure| match order {
        ApplyOrder::Stop | ApplyOrder::Reload => {
            !matches!(failure, Failure::NotRunning(_) | Failure::BadName(_))
        }
        ApplyOrder::Remove => !matches!(failure, Failure::BadName(_)),
        ApplyOrder::Start => !matches!(
            failure,
            Failure::AlreadyAdded(_)
                | Failure::AlreadyStarted(_)
                | Failure::BadName(_)
                | Failure::SpawnError(_)
                | Failure::AbnormalTermination(_)
        ),
        ApplyOrder::File
        | ApplyOrder::Configure
        | ApplyOrder::Switch
        | ApplyOrder::Wait
        | ApplyOrder::Settle => false,
    };
    match outcome {
        Outcome::Failed(failure) => is_bad(failure),
        Outcome::Many(results) => {
            let mut failures = results.iter().filter_map(|it| it.result.as_ref().err());
            failures.any(is_bad)
        }
        Outcome::Done | Outcome::Reloaded { .. } => false,
    }
}

impl Applies {
    pub(crate) fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// When services are waited for no longer, if that is what it is about.
    pub(crate) fn until(&self) -> Option<u64> {
        let applying = self.under_way.as_ref()?;
        applying.until.filter(|_| applying.reply.is_none())
    }

    /// Whether the shell has something to do for it.
    pub(crate) fn can_go_on(&self, supervisor: &Supervisor, now: u64) -> bool {
        let Some(applying) = &self.under_way else {
            return false;
        };
        if applying.reply.is_some() {
            return true;
        }
        if applying.pending.is_some() {
            // A start that is not heard of is not waited for longer than what comes of it would be.
            return applying.until.is_some_and(|until| now >= until);
        }
        applying.until.is_none_or(|until| {
            let verdict = supervisor
                .sights()
                .map(|seen| applying.machine.verdict(&seen));
            now >= until || !matches!(verdict, Some(Verdict::NotYet(_)))
        })
    }

    /// Notes what people want.
    pub(crate) fn before(&mut self, operation: OperationId, command: &Command) {
        let applying = self.under_way.as_mut();
        if applying
            .as_ref()
            .is_some_and(|it| it.pending == Some(operation))
        {
            return;
        }
        match command {
            Command::Start { target, .. } | Command::Stop { target, .. } => {
                self.wished.push(target.clone());
            }
            Command::Reload { .. }
            | Command::AddGroup { .. }
            | Command::RemoveGroup { .. }
            | Command::AddProcesses { .. }
            | Command::RemoveProcess { .. } => {
                if let Some(applying) = applying {
                    applying.is_disturbed = true;
                    let is_reading = matches!(command, Command::Reload { .. });
                    applying.is_outdated |= is_reading || !applying.has_read;
                }
            }
            Command::Signal { .. } | Command::ReloadService { .. } => {}
        }
    }

    /// Looks at what the core asks for.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "most actions have nothing to do with it"
    )]
    pub(crate) fn action(&mut self, action: &Action) -> Result<(), Violation> {
        match action {
            Action::Spawn {
                generation,
                config,
                group,
                ..
            } => {
                let version = self.versions.now_for(&(group.clone(), config.name.clone()));
                let starts = &mut self.versions.starts;
                starts.insert(*generation, (version, config.clone()));
            }
            Action::Reply { operation, outcome } => {
                if let Some(applying) = &mut self.under_way
                    && applying.pending == Some(*operation)
                {
                    applying.reply = Some(outcome.clone());
                }
            }
            Action::Publish(Notice::ProcessState {
                name,
                group,
                reason,
                to,
                ..
            }) => {
                let is_wished = self.is_wished(group, name);
                if let Some(applying) = &mut self.under_way {
                    applying.state(&(group.clone(), name.clone()), *to, reason, is_wished)?;
                }
            }
            Action::Finished { .. } => self.interrupt(true)?,
            _ => {}
        }
        Ok(())
    }

    fn is_wished(&self, group: &str, name: &str) -> bool {
        self.wished.iter().any(|target| match target {
            Target::Process {
                group: of_group,
                name: of_name,
            } => of_group == group && of_name == name,
            Target::Group(of_group) => of_group == group,
            Target::Several(names) => names
                .iter()
                .any(|(of_group, of_name)| of_group == group && of_name == name),
            Target::All => true,
        })
    }

    /// The daemon begins anew.
    pub(crate) fn begin_anew(&mut self) {
        self.wished.clear();
    }

    /// The copy that goes through bytes.
    pub(crate) fn freeze(&mut self) -> Result<(), Violation> {
        let Some(applying) = &mut self.under_way else {
            return Ok(());
        };
        let broken = |error: &dyn std::fmt::Display| {
            Invariant::FreezeChangesNothing.broken(format!("an apply: {error}"))
        };
        let bytes = postcard::to_stdvec(&applying.machine).map_err(|error| broken(&error))?;
        let copy: Apply = postcard::from_bytes(&bytes).map_err(|error| broken(&error))?;
        if copy != applying.machine {
            return Err(broken(&"the copy differs"));
        }
        applying.machine = copy;
        Ok(())
    }

    /// The daemon is going down.
    fn interrupt(&mut self, is_finished: bool) -> Result<(), Violation> {
        let Some(mut applying) = self.under_way.take() else {
            return Ok(());
        };
        if is_finished && applying.pending.is_some() && applying.reply.is_none() {
            return Err(Invariant::ApplyEnds.broken("the daemon ends without an answer to it"));
        }
        let machine = &mut applying.machine;
        machine.interrupted();
        if machine.order().is_some() || machine.end() != Some(ApplyEnd::Interrupted) {
            return Err(Invariant::ApplyEnds.broken(format!(
                "it is interrupted, and goes on with {:?}, {:?}",
                machine.order(),
                machine.end()
            )));
        }
        self.versions.trial = None;
        Ok(())
    }
}

impl Applying {
    fn concerns(&self, name: &ProcessName) -> bool {
        self.groups.contains(&name.0) || self.restarted.contains(name)
    }

    /// A process changes its state. `is_wished`: people want something of it.
    fn state(
        &mut self,
        name: &ProcessName,
        to: ProcessState,
        reason: &Reason,
        is_wished: bool,
    ) -> Result<(), Violation> {
        let is_start = to == ProcessState::Starting;
        if is_start || is_wished {
            self.owed.remove(name);
        }
        let is_stop = matches!(to, ProcessState::Stopping | ProcessState::Stopped);
        let goes_along = matches!(
            reason,
            Reason::DependencyLost { .. } | Reason::DependencyStops
        );
        let is_stopping = self.machine.order() == Some(ApplyOrder::Stop) && self.is_begun;
        if is_stop && goes_along {
            self.taken_along.insert(name.clone());
            if is_stopping && !is_wished && *reason == Reason::DependencyStops {
                self.owed.insert(name.clone());
            }
        }
        let is_fine = is_wished
            || *reason != Reason::Requested
            || self.concerns(name)
            || (is_start && self.taken_along.contains(name));
        if is_fine {
            return Ok(());
        }
        Err(Invariant::ApplyLeavesOthersAlone
            .broken(format!("{name:?} becomes {to:?}, which nobody wanted")))
    }

    fn config(&self) -> &Config {
        match self.machine.direction() {
            Direction::Forward => &self.after,
            Direction::Back => &self.before,
        }
    }

    /// Begins an order: notes the commands that it takes. False if it cannot be carried out.
    fn begin(
        &mut self,
        order: ApplyOrder,
        seen: &[Sight],
        versions: &mut Versions,
        now: u64,
    ) -> bool {
        let direction = self.machine.direction();
        let is_forward = direction == Direction::Forward;
        let groups = self.machine.groups_to_switch(order);
        let new = members(self.config(), groups).map(|(name, _)| name);
        let named = self.machine.to_switch(order).into_iter();
        versions.move_in_trial(named.chain(new), is_forward);
        match order {
            ApplyOrder::File if is_forward => {
                if self.wish.file_fails {
                    return false;
                }
                let old = std::mem::replace(&mut versions.file, self.version);
                versions.trial = Some(Trial {
                    old,
                    new: self.version,
                    moved: self.machine.plan().reloaded.iter().cloned().collect(),
                });
            }
            ApplyOrder::File => {
                if self.wish.back_fails {
                    return false;
                }
                if let Some(trial) = &versions.trial {
                    versions.file = trial.old;
                }
            }
            ApplyOrder::Configure => {
                let config = Box::new(self.config().clone());
                self.todo.push_back(Command::Reload { config });
            }
            ApplyOrder::Stop => {
                let target = Target::Several(self.machine.to_stop(seen));
                self.todo.push_back(Command::Stop { target, wait: true });
            }
            ApplyOrder::Remove => {
                let names = self.machine.removes().cloned();
                self.todo
                    .extend(names.map(|name| Command::RemoveGroup { name }));
            }
            ApplyOrder::Switch => {}
            ApplyOrder::Start => {
                let adds: Vec<String> = self.machine.adds().cloned().collect();
                let adding = adds.into_iter().map(|name| Command::AddGroup { name });
                self.todo.extend(adding);
            }
            ApplyOrder::Reload => {
                let target = Target::Several(self.machine.to_reload());
                self.todo.push_back(Command::ReloadService { target });
            }
            ApplyOrder::Wait => self.until = Some(now.saturating_add(self.wish.patience)),
            ApplyOrder::Settle => versions.trial = None,
        }
        true
    }

    /// What follows the commands of an order, if something does.
    fn follow_up(&mut self, order: ApplyOrder, seen: &[Sight]) {
        if order == ApplyOrder::Start && !self.has_added {
            self.has_added = true;
            let adds: Vec<String> = self.machine.adds().cloned().collect();
            let added: Vec<(ProcessName, bool)> = members(self.config(), &adds).collect();
            let down = self.machine.to_start(seen, added.into_iter());
            if !down.is_empty() {
                let target = Target::Several(down);
                self.todo.push_back(Command::Start {
                    target,
                    wait: false,
                });
            }
        }
    }

    /// Whether the remains of a start have to do with it.
    fn is_current(&self, start: &super::world::Start) -> bool {
        matches!(start.phase, Phase::Alive { .. })
            && !(start.is_doomed || start.is_told || start.is_disowned || start.is_protected)
    }

    /// Looks at the end.
    fn is_right(
        &self,
        end: ApplyEnd,
        supervisor: &Supervisor,
        versions: &Versions,
        world: &World,
    ) -> Result<(), Violation> {
        let (is_new, config) = match end {
            ApplyEnd::Done => (true, &self.after),
            ApplyEnd::RolledBack | ApplyEnd::Refused => (false, &self.before),
            ApplyEnd::NotRolledBack | ApplyEnd::Failed | ApplyEnd::Interrupted => return Ok(()),
        };
        if versions.trial.is_some() && end != ApplyEnd::Refused {
            return Err(Invariant::ApplyOneVersion.broken("the trial of the settings goes on"));
        }
        if self.wish.writes && (versions.file == self.version) != is_new {
            return Err(Invariant::ApplyOneVersion.broken("the file has the other settings"));
        }
        for (generation, start) in &world.starts {
            let name = (start.group.clone(), start.name.clone());
            let Some((version, started)) = versions.starts.get(generation) else {
                continue;
            };
            if !self.is_current(start) || !self.concerns(&name) {
                continue;
            }
            let group = config.groups.iter().find(|group| group.name == name.0);
            let wanted = group.and_then(|group| {
                let mut processes = group.processes.iter();
                processes.find(|process| process.name == name.1)
            });
            let is_outdated = self.is_outdated || self.is_disturbed && wanted.is_none();
            if is_outdated && !self.restarted.contains(&name) {
                continue;
            }
            let has_new = *version == self.version;
            if self.wish.writes && has_new != is_new {
                return Err(Invariant::ApplyOneVersion.broken(format!(
                    "{end:?}, and {name:?} was started with settings {version} ({}: new)",
                    self.version
                )));
            }
            if !self.is_disturbed && wanted != Some(started) {
                return Err(Invariant::ApplyOneVersion
                    .broken(format!("{end:?}, and {name:?} has another configuration")));
            }
        }
        self.nobody_is_left_down(supervisor)
    }

    /// What went down with what it depends on has been started again, as far as it is there.
    fn nobody_is_left_down(&self, supervisor: &Supervisor) -> Result<(), Violation> {
        for (group, name) in &self.owed {
            let view = supervisor.process_named(group, name);
            if view.is_some_and(|view| view.state == ProcessState::Stopped) {
                return Err(Invariant::ApplyLeavesOthersAlone
                    .broken(format!("{group}:{name} was taken along, and is left down")));
            }
        }
        Ok(())
    }
}

impl History {
    pub(super) fn begin_to_apply(&mut self, wish: &Wish) {
        // One at a time: another is refused before anything of it is looked at.
        if self.applies.is_under_way() || !self.is_running() {
            return;
        }
        let supervisor = &self.supervisor;
        let before = Config {
            groups: supervisor.groups().map(|it| it.config.clone()).collect(),
            ..self.config.clone()
        };
        let after = match &wish.config {
            Some(config) => (**config).clone(),
            None => before.clone(),
        };
        let plan = plan(wish, &before, &after, supervisor);
        let views = supervisor.processes_by_name();
        let groups: Vec<String> = [&plan.removed, &plan.changed, &plan.added]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        // One that waits for its socket is added as it was read before.
        let mut open = self.checker.open.values();
        let is_adding = open.any(|command| matches!(command, Command::AddGroup { .. }));
        let is_quiet = self.checker.open.is_empty()
            && !views
                .iter()
                .any(|view| view.state == ProcessState::Stopping);
        if is_quiet {
            self.applies.wished.clear();
        }
        let restarted = plan.restarted.clone();
        let versions = &mut self.applies.versions;
        versions.last += 1;
        self.applies.under_way = Some(Applying {
            machine: Apply::new(plan),
            wish: wish.clone(),
            before,
            after,
            version: versions.last,
            orders: 0,
            is_begun: false,
            has_read: false,
            has_added: false,
            todo: VecDeque::new(),
            pending: None,
            reply: None,
            asked: None,
            until: None,
            groups,
            restarted,
            taken_along: BTreeSet::new(),
            owed: BTreeSet::new(),
            is_disturbed: is_adding,
            is_outdated: is_adding,
            has_failed_back: false,
        });
    }

    /// The shell does the next thing for the apply under way.
    pub(super) fn go_on_with_apply(&mut self) -> Result<(), Violation> {
        if !self
            .applies
            .can_go_on(&self.supervisor, self.world.monotonic)
        {
            return Ok(());
        }
        let seen = self.supervisor.sights();
        let Some(applying) = &mut self.applies.under_way else {
            return Ok(());
        };
        let Some(order) = applying.machine.order() else {
            return self.look_at_end_of_apply();
        };
        if applying.pending.take().is_some() && applying.reply.is_none() {
            // What was asked for may come all the same, later.
            let asked = &mut applying.asked;
            self.applies.wished.extend(asked.take());
        }
        if let Some(outcome) = applying.reply.take() {
            if outcome == Outcome::Failed(Failure::ShuttingDown) {
                return self.applies.interrupt(false);
            }
            if is_refused(&outcome, order) {
                let is_alone = self.applies.wished.is_empty() && !applying.is_disturbed;
                if is_alone && matches!(outcome, Outcome::Failed(Failure::StillRunning(_))) {
                    return Err(Invariant::ApplyEnds
                        .broken(format!("{outcome:?}, and nobody has started it again")));
                }
                return self.order_is_over(order, Some(&outcome));
            }
        }
        let Some(seen) = seen else {
            return self.applies.interrupt(false);
        };
        if !applying.is_begun {
            applying.is_begun = true;
            let now = self.world.monotonic;
            if !applying.begin(order, &seen, &mut self.applies.versions, now) {
                let outcome = Outcome::Failed(Failure::Failed("no space left".to_owned()));
                return self.order_is_over(order, Some(&outcome));
            }
        }
        if applying.todo.is_empty() {
            applying.follow_up(order, &seen);
        }
        if let Some(command) = applying.todo.pop_front() {
            if let Command::Start { target, .. } = &command {
                applying.asked = Some(target.clone());
                let patience = applying.wish.patience;
                applying.until = Some(self.world.monotonic.saturating_add(patience));
            }
            let operation = self.next_operation();
            if let Some(applying) = &mut self.applies.under_way {
                applying.pending = Some(operation);
            }
            let event = self.command(command);
            return self.feed(event);
        }
        if order == ApplyOrder::Wait
            && let Some(until) = applying.until
        {
            return match applying.machine.verdict(&seen) {
                Verdict::Ready => self.order_is_over(order, None),
                Verdict::NotYet(_) if self.world.monotonic < until => Ok(()),
                Verdict::NotYet(names) | Verdict::Failed(names) => {
                    let failure = Failure::Failed(format!("{names:?} are not ready"));
                    self.order_is_over(order, Some(&Outcome::Failed(failure)))
                }
            };
        }
        self.order_is_over(order, None)
    }

    fn order_is_over(
        &mut self,
        order: ApplyOrder,
        failure: Option<&Outcome>,
    ) -> Result<(), Violation> {
        let Some(applying) = &mut self.applies.under_way else {
            return Ok(());
        };
        applying.is_begun = false;
        applying.has_read |= order == ApplyOrder::Configure;
        applying.has_added = false;
        applying.until = None;
        applying.todo.clear();
        applying.orders += 1;
        let direction = applying.machine.direction();
        let line = format!("apply {direction:?} {order:?}: {failure:?}");
        match failure {
            None => applying.machine.done(),
            Some(_) => {
                applying.has_failed_back |= direction == Direction::Back;
                applying.machine.failed();
            }
        }
        self.note(|| line);
        self.look_at_end_of_apply()
    }

    fn look_at_end_of_apply(&mut self) -> Result<(), Violation> {
        let Some(applying) = &self.applies.under_way else {
            return Ok(());
        };
        let Some(end) = applying.machine.end() else {
            if applying.orders < MOST_ORDERS {
                return Ok(());
            }
            return Err(Invariant::ApplyEnds.broken(format!("not after {MOST_ORDERS} orders")));
        };
        let line = format!("apply is over: {end:?}");
        let is_broken = end == ApplyEnd::NotRolledBack;
        let is_back = is_broken || end == ApplyEnd::RolledBack;
        if is_back && !applying.wish.writes {
            return Err(Invariant::ApplyEnds.broken("there was nothing to go back to"));
        }
        if is_back && is_broken != applying.has_failed_back {
            return Err(Invariant::ApplyEnds.broken(format!(
                "{end:?}, and something failed on the way back: {}",
                applying.has_failed_back
            )));
        }
        applying.is_right(end, &self.supervisor, &self.applies.versions, &self.world)?;
        self.applies.under_way = None;
        self.applies.versions.trial = None;
        self.note(|| line);
        Ok(())
    }
}

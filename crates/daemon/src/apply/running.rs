//! Carries out the orders of an apply.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use linchpin_boot::settings::Trial;
use linchpin_config::{Config, Difference, GroupConfig};
use linchpin_core::{
    Apply, ApplyEnd, ApplyOrder, Command, Direction, Failure, Outcome, ProcessName, ProcessResult,
    Sight, Target, Verdict,
};
use linchpin_protocol::api::{
    ApplyReport, ApplyState, ApplyStep, FailedService, LastOutput, ServiceStatus,
};
use tokio::time::{Instant, timeout, timeout_at};

use super::files::{Files, put_back};
use super::planning::{Prepared, difference, members};
use super::{Shared, run_on_thread, words};
use crate::control::{Basis, Reply, Request};
use crate::services::milliseconds;
use crate::settings::{Planned, PlannedConfigs, ServiceSettings};
use crate::startup::Invocation;

/// Most services whose failure is told with their output.
const TOLD_MAX: usize = 5;

/// An apply under way.
pub(super) struct Run {
    shared: Arc<Shared>,
    settings: Arc<ServiceSettings>,
    invocation: Invocation,
    at_work: Vec<Arc<GroupConfig>>,
    planned: Planned,
    configs: PlannedConfigs,
    machine: Apply,
    report: ApplyReport,
    patience: Duration,
    /// What was written, and can be taken back.
    trial: Option<Trial>,
}

/// Why an order was not carried out.
enum Obstacle {
    /// For this reason.
    Failed(String),
    /// These services have not come up.
    NotReady(Vec<FailedService>),
    /// The daemon is going down.
    Ending,
}

impl Run {
    pub(super) fn new(
        shared: Arc<Shared>,
        basis: Basis,
        prepared: Prepared,
        patience: Duration,
        generation: u64,
    ) -> Self {
        let Prepared {
            planned,
            configs,
            plan,
            report,
        } = prepared;
        let run = Self {
            shared,
            settings: basis.settings,
            invocation: basis.invocation,
            at_work: basis.at_work,
            planned,
            configs,
            machine: Apply::new(plan),
            report: words::begun(generation, report),
            patience,
            trial: None,
        };
        run.publish();
        run
    }

    /// How it stands.
    pub(super) fn report(&self) -> &ApplyReport {
        &self.report
    }

    /// Carries out order after order. The report of the end is for the caller to publish.
    pub(super) async fn carried_out(mut self) -> ApplyReport {
        while let Some(order) = self.machine.order() {
            let direction = self.machine.direction();
            self.step(
                words::name(order),
                words::beginning(order, direction, self.machine.plan()),
            );
            match self.carry_out(order, direction).await {
                Ok(()) => self.machine.done(),
                Err(Obstacle::Ending) => self.machine.interrupted(),
                Err(Obstacle::Failed(text)) => self.failed(&text, Vec::new()),
                Err(Obstacle::NotReady(services)) => {
                    let text = words::not_ready(&services);
                    self.failed(&text, services);
                }
            }
        }
        self.report.state = match self.machine.end() {
            Some(ApplyEnd::Done) => ApplyState::Done,
            Some(ApplyEnd::Refused) => ApplyState::Refused,
            Some(ApplyEnd::RolledBack) => ApplyState::RolledBack,
            Some(ApplyEnd::NotRolledBack) => ApplyState::NotRolledBack,
            Some(ApplyEnd::Failed) => ApplyState::Failed,
            Some(ApplyEnd::Interrupted) | None => ApplyState::Interrupted,
        };
        self.report.ended = Some(milliseconds());
        self.report
    }

    async fn carry_out(&mut self, order: ApplyOrder, direction: Direction) -> Result<(), Obstacle> {
        match (order, direction) {
            (ApplyOrder::File, Direction::Forward) => self.write().await,
            (ApplyOrder::File, Direction::Back) => self.take_back().await,
            (ApplyOrder::Configure, _) => {
                if direction == Direction::Forward && self.machine.plan().makes {
                    self.read_again().await?;
                }
                self.switch(order, direction);
                let config = Box::new(self.config(direction));
                self.command(Command::Reload { config }).await.map(|_| ())
            }
            (ApplyOrder::Stop, _) => self.stop().await,
            (ApplyOrder::Remove, _) => {
                self.switch(order, direction);
                self.remove().await
            }
            (ApplyOrder::Switch, _) => {
                self.switch(order, direction);
                Ok(())
            }
            (ApplyOrder::Start, _) => self.start(direction).await,
            (ApplyOrder::Reload, _) => self.reload().await,
            (ApplyOrder::Wait, _) => self.wait().await,
            (ApplyOrder::Settle, _) => {
                if let Some(roots) = &self.configs.roots {
                    let is_forward = direction == Direction::Forward;
                    self.settings.trust(roots.trust(is_forward));
                }
                self.settings.end_trial();
                Ok(())
            }
        }
    }

    async fn write(&mut self) -> Result<(), Obstacle> {
        let settings = Arc::clone(&self.settings);
        let files = Files {
            store: self.planned.store.clone(),
            draft: self.planned.draft.clone(),
            roots: self.configs.roots.clone(),
            certificates: self.configs.changed_certificates(),
            templates: self.configs.after.boot.templates.clone(),
            scope: Arc::clone(&self.configs.scope),
        };
        let new = Arc::clone(&self.planned.new);
        let plan = self.machine.plan();
        let (writes, reading) = (plan.writes, plan.reloaded.clone());
        let written = run_on_thread(move || {
            files.write(writes, || {
                // Whatever starts from here on gets the settings that go with its configuration and its files.
                settings.begin_trial(new);
                settings.move_in_trial(&reading, true);
            })
        });
        match written.await {
            Ok(Ok(trial)) => {
                self.trial = trial;
                Ok(())
            }
            Ok(Err(text)) | Err(text) => {
                self.settings.end_trial();
                Err(Obstacle::Failed(text))
            }
        }
    }

    async fn take_back(&mut self) -> Result<(), Obstacle> {
        let (store, trial) = (self.planned.store.clone(), self.trial.clone());
        // What this apply has not made stays.
        let templates = if self.report.plan.templates.is_empty() {
            Vec::new()
        } else {
            self.configs.after.boot.templates.clone()
        };
        let (_, certificates) = self.configs.changed_certificates();
        let roots = self.configs.roots.clone();
        let back = move || {
            let (trial, roots) = (trial.as_ref(), roots.as_ref());
            put_back(&store, trial, roots, &certificates, &templates)
        };
        match run_on_thread(back).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(text)) | Err(text) => Err(Obstacle::Failed(text)),
        }
    }

    /// The configuration as it is with the files that were just made, which it may include.
    async fn read_again(&mut self) -> Result<(), Obstacle> {
        let (settings, planned) = (Arc::clone(&self.settings), self.planned.clone());
        let request = self.invocation.request();
        let read = run_on_thread(move || settings.config_with(&planned, &request));
        let after = match read.await {
            Ok(Ok(config)) => config,
            Ok(Err(text)) | Err(text) => return Err(Obstacle::Failed(text)),
        };
        let Difference {
            added,
            changed,
            removed,
        } = difference(&self.at_work, &after);
        self.machine.replan(removed, changed, added);
        let plan = self.machine.plan();
        let report = &mut self.report.plan;
        report.added.clone_from(&plan.added);
        report.changed.clone_from(&plan.changed);
        report.removed.clone_from(&plan.removed);
        self.configs.after = after;
        Ok(())
    }

    async fn reload(&mut self) -> Result<(), Obstacle> {
        let target = Target::Several(self.machine.to_reload());
        let reloaded = self.command(Command::ReloadService { target }).await?;
        refused(reloaded, &|failure| {
            matches!(failure, Failure::NotRunning(_) | Failure::BadName(_))
        })
    }

    /// The configuration that goes with a direction.
    fn config(&self, direction: Direction) -> Config {
        match (direction, &self.configs.before) {
            (Direction::Forward, _) => self.configs.after.clone(),
            (Direction::Back, Some(before)) => before.clone(),
            // It cannot be read any more; what was at work is known.
            (Direction::Back, None) => Config {
                groups: self.at_work.clone(),
                ..self.configs.after.clone()
            },
        }
    }

    /// Has those get the settings of a direction at their next start whose turn it is with an order.
    fn switch(&self, order: ApplyOrder, direction: Direction) {
        let mut names = self.machine.to_switch(order);
        let config = self.config(direction);
        let groups = self.machine.groups_to_switch(order);
        names.extend(members(&config, groups.iter()).map(|(name, _)| name));
        self.settings
            .move_in_trial(&names, direction == Direction::Forward);
    }

    async fn stop(&mut self) -> Result<(), Obstacle> {
        let seen = self.sights().await?;
        let targets = self.machine.to_stop(&seen);
        let stopped = self
            .command(Command::Stop {
                target: Target::Several(targets),
                wait: true,
            })
            .await?;
        refused(stopped, &|failure| {
            matches!(failure, Failure::NotRunning(_) | Failure::BadName(_))
        })
    }

    async fn remove(&mut self) -> Result<(), Obstacle> {
        let names: Vec<String> = self.machine.removes().cloned().collect();
        for name in names {
            let removed = self.command(Command::RemoveGroup { name }).await?;
            refused(removed, &|failure| matches!(failure, Failure::BadName(_)))?;
        }
        Ok(())
    }

    async fn start(&mut self, direction: Direction) -> Result<(), Obstacle> {
        let names: Vec<String> = self.machine.adds().cloned().collect();
        let config = self.config(direction);
        for name in names.iter().cloned() {
            let added = self.command(Command::AddGroup { name }).await?;
            refused(added, &|failure| {
                matches!(failure, Failure::AlreadyAdded(_))
            })?;
        }
        let seen = self.sights().await?;
        let added = members(&config, names.iter());
        let down = self.machine.to_start(&seen, added);
        if down.is_empty() {
            return Ok(());
        }
        let started = self.command(Command::Start {
            target: Target::Several(down),
            wait: false,
        });
        // A start that is not heard of, as its command is on a disk that hangs, has no answer. That it is not ready is told
        // by those who wait for it.
        let Ok(started) = timeout(self.patience, started).await else {
            return Ok(());
        };
        refused(started?, &|failure| {
            matches!(
                failure,
                // What was started and has failed already is told when it is waited for.
                Failure::AlreadyStarted(_)
                    | Failure::BadName(_)
                    | Failure::SpawnError(_)
                    | Failure::AbnormalTermination(_)
            )
        })
    }

    async fn wait(&mut self) -> Result<(), Obstacle> {
        let until = Instant::now() + self.patience;
        let Reply::Watch(Some(mut news)) = self.shared.control.ask(Request::WatchHistory).await
        else {
            return Err(Obstacle::Ending);
        };
        loop {
            news.mark_unchanged();
            let (late, is_over) = match self.machine.verdict(&self.sights().await?) {
                Verdict::Ready => return Ok(()),
                Verdict::Failed(failed) => return Err(self.not_ready(&failed, None).await?),
                Verdict::NotYet(late) => match timeout_at(until, news.changed()).await {
                    Ok(Ok(())) => (late, false),
                    Ok(Err(_)) => return Err(Obstacle::Ending),
                    Err(_) => (late, true),
                },
            };
            if is_over {
                return Err(self.not_ready(&late, Some(self.patience)).await?);
            }
        }
    }

    /// Who has not come up, with what they have said: before anything else is done to them.
    async fn not_ready(
        &self,
        which: &[ProcessName],
        after: Option<Duration>,
    ) -> Result<Obstacle, Obstacle> {
        let seen = self.services().await?;
        let mut failed = Vec::new();
        for (group, name) in which {
            let spec = words::service(group, name);
            let service = seen
                .iter()
                .find(|service| service.group == *group && service.name == *name);
            let mut text = service.map_or_else(
                || "it is not there".to_owned(),
                |service| service.text.clone(),
            );
            for check in service.iter().flat_map(|service| &service.failing) {
                // Writing to a string cannot fail.
                let _ = write!(text, "; {} {}: {}", check.purpose, check.probe, check.text);
            }
            for wait in service.iter().flat_map(|service| &service.waits_for) {
                let _ = write!(text, "; waits: {wait}");
            }
            if let Some(after) = after {
                let _ = write!(text, "; not ready after {} s", after.as_secs());
            }
            let output = if failed.len() < TOLD_MAX {
                self.output(&spec).await
            } else {
                None
            };
            failed.push(FailedService {
                service: spec,
                state: service.map_or_else(String::new, |service| service.state.clone()),
                text: self.planned.masked(&text),
                output,
            });
        }
        Ok(Obstacle::NotReady(failed))
    }

    async fn output(&self, service: &str) -> Option<LastOutput> {
        let report = self.shared.api.why(service).await.ok()?;
        let mut output = report.services.into_iter().next()?.output?;
        for line in &mut output.lines {
            *line = self.planned.masked(line);
        }
        Some(output)
    }

    async fn sights(&self) -> Result<Vec<Sight>, Obstacle> {
        let answer = self.shared.control.ask(Request::Sights).await;
        if let Reply::Sights(Some(seen)) = answer {
            return Ok(seen);
        }
        Err(Obstacle::Ending)
    }

    async fn services(&self) -> Result<Vec<ServiceStatus>, Obstacle> {
        let answer = self.shared.control.ask(Request::Overview).await;
        if let Reply::Overview(overview) = answer
            && overview.state == "RUNNING"
        {
            return Ok(overview.services);
        }
        Err(Obstacle::Ending)
    }

    async fn command(&self, command: Command) -> Result<Outcome, Obstacle> {
        let answer = self.shared.control.ask(Request::Command(command)).await;
        if let Reply::Outcome(outcome) = answer
            && outcome != Outcome::Failed(Failure::ShuttingDown)
        {
            return Ok(outcome);
        }
        Err(Obstacle::Ending)
    }

    fn failed(&mut self, text: &str, services: Vec<FailedService>) {
        let text = self.planned.masked(text);
        self.step("failed", &text);
        // What went wrong on the way back is added to why it is gone at all.
        match &mut self.report.error {
            Some(error) => {
                let _ = write!(error, "; on the way back: {text}");
            }
            None => self.report.error = Some(text),
        }
        self.report.failed.extend(services);
        self.machine.failed();
    }

    fn step(&mut self, name: &str, text: &str) {
        self.report.steps.push(ApplyStep {
            at: milliseconds(),
            back: self.machine.direction() == Direction::Back,
            step: name.to_owned(),
            text: text.to_owned(),
        });
        self.publish();
        self.shared.applies.keep_soon();
    }

    fn publish(&self) {
        self.shared.applies.publish(self.report.clone());
    }
}

/// What of an outcome is a failure, apart from those that do not matter.
fn refused(outcome: Outcome, is_fine: &dyn Fn(&Failure) -> bool) -> Result<(), Obstacle> {
    let failures: Vec<String> = match outcome {
        Outcome::Failed(failure) if !is_fine(&failure) => vec![words::failure(&failure)],
        Outcome::Many(results) => results
            .into_iter()
            .filter_map(
                |ProcessResult {
                     name,
                     group,
                     result,
                 }| match result {
                    Err(failure) if !is_fine(&failure) => {
                        let service = words::service(&group, &name);
                        Some(format!("{service}: {}", words::failure(&failure)))
                    }
                    Err(_) | Ok(()) => None,
                },
            )
            .collect(),
        Outcome::Failed(_) | Outcome::Done | Outcome::Reloaded { .. } => Vec::new(),
    };
    if failures.is_empty() {
        Ok(())
    } else {
        Err(Obstacle::Failed(failures.join("; ")))
    }
}

//! Commands around the life of a service.
//!
//! Every hook that the shell has been asked to run is in one table until it has ended, however it ends: a
//! deadline a little beyond its own bounds those that are never heard of. Hooks that belong to a process end
//! with it; what follows an end (`post_stop`, and a `stop_command` that is still at work) outlives even the
//! removal of the process, and the next start of the same name waits for it, as for other remains.

use std::time::Duration;

use linchpin_config::{Hook, Hooks};
use serde::{Deserialize, Serialize};

use crate::process::Life;
use crate::service::{HookPoint, Occurrence, OccurrenceKind};
use crate::supervisor::{Step, Supervisor};
use crate::time::in_words;
use crate::timers::Timer;
use crate::{Action, Generation, Message, OperationId, ProcessId, ProcessState, Reason};

/// How much longer than its own limit a hook is waited for. The shell ends it at its limit; this is for a
/// shell that cannot.
const GRACE: Duration = Duration::from_secs(1);

/// The hooks that run beside a process and end with it.
const BESIDE: [HookPoint; 3] = [HookPoint::PostStart, HookPoint::PreStop, HookPoint::Reload];

/// A hook that is under way. Its start and its point name it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunningHook {
    /// The process as the shell knows it; it may have been removed.
    process: ProcessId,
    /// The process that waits for it, if it is one whose end is waited for.
    heir: ProcessId,
    group: String,
    name: String,
    timeout: Duration,
    /// Who wanted a reload.
    operation: Option<OperationId>,
}

/// How far the preparation of a start has come, which has its generation by then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Preparing {
    /// It has not begun, or is over.
    #[default]
    Not,
    /// The marker of a oneshot is being read.
    Marker,
    /// `pre_start` is under way.
    PreStart,
}

impl HookPoint {
    fn of(self, hooks: &Hooks) -> Option<&Hook> {
        match self {
            Self::PreStart => hooks.pre_start.as_ref(),
            Self::PostStart => hooks.post_start.as_ref(),
            Self::PreStop => hooks.pre_stop.as_ref(),
            Self::StopCommand => hooks.stop_command.as_ref(),
            Self::PostStop => hooks.post_stop.as_ref(),
            Self::Reload => hooks.reload_command.as_ref(),
        }
    }

    /// Whether it has to do with an end, so that the next start waits for it.
    fn holds_up_starts(self) -> bool {
        matches!(self, Self::StopCommand | Self::PostStop)
    }
}

impl Supervisor {
    /// Runs a hook of the present start of a process, if it has one at this point.
    pub(crate) fn run_hook(
        &mut self,
        id: ProcessId,
        point: HookPoint,
        operation: Option<OperationId>,
        step: &mut Step<'_>,
    ) -> bool {
        let Some(process) = self.processes.get(&id) else {
            return false;
        };
        let options = process.config.service.as_ref();
        let Some(hook) = options.and_then(|options| point.of(&options.hooks)) else {
            return false;
        };
        let generation = process.generation;
        let running = RunningHook {
            process: id,
            heir: id,
            group: process.group.clone(),
            name: process.config.name.clone(),
            timeout: hook.timeout,
            operation,
        };
        self.timers.set(
            Timer::Hook(generation, point),
            step.now.monotonic + hook.timeout + GRACE,
        );
        step.act(Action::RunHook {
            process: id,
            generation,
            point,
            pid: match process.life {
                Life::Alive { pid } => Some(pid),
                Life::None | Life::Blocked | Life::InFlight | Life::Ended { .. } => None,
            },
            config: process.config.clone(),
            group: process.group.clone(),
        });
        self.hooks.insert((generation, point), running);
        true
    }

    /// Whether a hook of the present start of a process is under way.
    pub(crate) fn runs_hook(&self, id: ProcessId, point: HookPoint) -> bool {
        self.processes
            .get(&id)
            .is_some_and(|process| self.hooks.contains_key(&(process.generation, point)))
    }

    pub(crate) fn hook_ended(
        &mut self,
        generation: Generation,
        point: HookPoint,
        failure: Option<String>,
        step: &mut Step<'_>,
    ) {
        if let Some(hook) = self.hooks.remove(&(generation, point)) {
            self.timers.cancel(Timer::Hook(generation, point));
            self.hook_is_over(&hook, generation, point, failure, step);
        }
    }

    /// A hook has not been heard of for too long.
    pub(crate) fn hook_timer(
        &mut self,
        generation: Generation,
        point: HookPoint,
        step: &mut Step<'_>,
    ) {
        if let Some(hook) = self.hooks.remove(&(generation, point)) {
            step.act(Action::CancelHook {
                process: hook.process,
                generation,
                point,
            });
            let failure = format!("no end within {}", in_words(hook.timeout + GRACE));
            self.hook_is_over(&hook, generation, point, Some(failure), step);
        }
    }

    fn hook_is_over(
        &mut self,
        hook: &RunningHook,
        generation: Generation,
        point: HookPoint,
        failure: Option<String>,
        step: &mut Step<'_>,
    ) {
        step.act(Action::Record(Occurrence {
            process: hook.process,
            generation,
            name: hook.name.clone(),
            group: hook.group.clone(),
            kind: OccurrenceKind::Hook {
                point,
                failure: failure.clone(),
            },
        }));
        if let Some(text) = failure.clone() {
            let name = hook.name.clone();
            step.act(Action::Log(Message::HookFailed { name, point, text }));
        }
        let id = hook.heir;
        let is_current = self
            .processes
            .get(&id)
            .is_some_and(|process| process.generation == generation);
        match point {
            HookPoint::PreStart if is_current => match failure {
                Some(text) => self.start_failed(id, Reason::HookFailed { point, text }, step),
                None => self.prepared(id, step),
            },
            HookPoint::PreStop if is_current => self.tell_to_stop(id, step),
            HookPoint::StopCommand if is_current && failure.is_some() => {
                self.signal_after_stop_command(id, step);
            }
            HookPoint::Reload => {
                if let Some(operation) = hook.operation {
                    self.reload_ended(operation, id, failure, step);
                }
            }
            HookPoint::PreStart
            | HookPoint::PostStart
            | HookPoint::PreStop
            | HookPoint::StopCommand
            | HookPoint::PostStop => {}
        }
        if point.holds_up_starts() {
            self.unblock(id, step);
        }
    }

    /// Kills these hooks of the present start of a process that are under way.
    fn cancel_hooks(&mut self, id: ProcessId, points: &[HookPoint], step: &mut Step<'_>) {
        let Some(generation) = self.processes.get(&id).map(|process| process.generation) else {
            return;
        };
        for &point in points {
            if let Some(hook) = self.hooks.remove(&(generation, point)) {
                self.timers.cancel(Timer::Hook(generation, point));
                step.act(Action::CancelHook {
                    process: hook.process,
                    generation,
                    point,
                });
                if let Some(operation) = hook.operation {
                    let failure = "it was stopped or has ended before".to_owned();
                    self.reload_ended(operation, id, Some(failure), step);
                }
            }
        }
    }

    /// A process has come to its end: what ran beside it ends too, and `post_stop` has its turn.
    pub(crate) fn hooks_after_end(&mut self, id: ProcessId, step: &mut Step<'_>) {
        if self.has_options(id) {
            self.cancel_hooks(id, &BESIDE, step);
            if !self.is_out_of_time() && !self.has_finished() {
                self.run_hook(id, HookPoint::PostStop, None, step);
            }
        }
    }

    /// A process is to stop: what ran beside it ends, and `pre_stop` has its turn, if there is one.
    pub(crate) fn hooks_before_stop(&mut self, id: ProcessId, step: &mut Step<'_>) -> bool {
        self.has_options(id) && {
            self.cancel_hooks(id, &[HookPoint::PostStart, HookPoint::Reload], step);
            self.run_hook(id, HookPoint::PreStop, None, step)
        }
    }

    /// Nothing of a stop is waited for any longer.
    pub(crate) fn end_hooks_of_stop(&mut self, id: ProcessId, step: &mut Step<'_>) {
        self.cancel_hooks(id, &BESIDE, step);
        self.cancel_hooks(id, &[HookPoint::StopCommand], step);
    }

    /// A start is given up: what prepares it ends.
    pub(crate) fn end_preparation(&mut self, id: ProcessId, step: &mut Step<'_>) {
        self.cancel_hooks(id, &[HookPoint::PreStart], step);
        self.set_preparing(id, Preparing::Not);
    }

    /// A process is about to be removed: only what follows an end outlives it.
    pub(crate) fn hooks_of_removed(&mut self, id: ProcessId, step: &mut Step<'_>) {
        self.cancel_hooks(id, &BESIDE, step);
        self.cancel_hooks(id, &[HookPoint::PreStart], step);
    }

    /// Kills every hook: the daemon is at its end.
    pub(crate) fn cancel_all_hooks(&mut self, step: &mut Step<'_>) {
        self.cancel_hooks_if(|_| true, step);
    }

    /// Kills the hooks that follow ends.
    pub(crate) fn cancel_hooks_after_ends(&mut self, step: &mut Step<'_>) {
        self.cancel_hooks_if(HookPoint::holds_up_starts, step);
    }

    fn cancel_hooks_if(&mut self, is_meant: impl Fn(HookPoint) -> bool, step: &mut Step<'_>) {
        self.hooks.retain(|&(generation, point), hook| {
            if is_meant(point) {
                self.timers.cancel(Timer::Hook(generation, point));
                step.act(Action::CancelHook {
                    process: hook.process,
                    generation,
                    point,
                });
            }
            !is_meant(point)
        });
    }

    /// Whether something that follows an end is under way.
    pub(crate) fn waits_for_hooks(&self) -> bool {
        self.hooks.keys().any(|(_, point)| point.holds_up_starts())
    }

    /// Whether the start of a process has to wait for what follows the end of the one before.
    pub(crate) fn start_waits_for_hook(&self, id: ProcessId) -> bool {
        self.hooks
            .iter()
            .any(|((_, point), hook)| hook.heir == id && point.holds_up_starts())
    }

    /// Lets a new process of a group wait for hooks that follow the end of one of the same name.
    pub(crate) fn adopt_hooks(&mut self, group: &str, heirs: &[ProcessId]) {
        for ((_, point), hook) in &mut self.hooks {
            if point.holds_up_starts()
                && hook.group == group
                && let Some(heir) = self
                    .groups
                    .get(group)
                    .and_then(|group| group.member(&hook.name))
                && heirs.contains(&heir)
            {
                hook.heir = heir;
            }
        }
    }

    pub(crate) fn set_preparing(&mut self, id: ProcessId, preparing: Preparing) {
        if let Some(process) = self.processes.get_mut(&id)
            && let Some(service) = &mut process.service
        {
            service.preparing = preparing;
        }
    }

    /// Begins what comes before the process of a start: the marker, `pre_start`, and then the process.
    pub(crate) fn prepare(&mut self, id: ProcessId, step: &mut Step<'_>) {
        if self.open_marker(id, step) {
            self.set_preparing(id, Preparing::Marker);
        } else {
            self.after_marker(id, step);
        }
    }

    /// The marker does not stand against the start.
    pub(crate) fn after_marker(&mut self, id: ProcessId, step: &mut Step<'_>) {
        if self.waits_again(id, step) {
            return;
        }
        if self.run_hook(id, HookPoint::PreStart, None, step) {
            self.set_preparing(id, Preparing::PreStart);
        } else {
            self.prepared(id, step);
        }
    }

    fn prepared(&mut self, id: ProcessId, step: &mut Step<'_>) {
        self.set_preparing(id, Preparing::Not);
        if !self.waits_again(id, step) {
            self.ask_for_process(id, step);
        }
    }

    /// What a start needs may have gone while it was prepared, which can take its time: then it waits
    /// again, and is prepared anew.
    fn waits_again(&mut self, id: ProcessId, step: &mut Step<'_>) -> bool {
        let is_lacking = self.lacks_what_it_needs(id);
        if is_lacking {
            self.set_preparing(id, Preparing::Not);
            self.wait_again(id, step);
        }
        is_lacking
    }

    pub(crate) fn has_options(&self, id: ProcessId) -> bool {
        self.processes
            .get(&id)
            .is_some_and(|process| process.service.is_some())
    }

    /// Whether a stop of a process is at a hook, so that nothing may come of it for a while.
    pub(crate) fn stop_is_at_hook(&self, id: ProcessId) -> bool {
        self.processes
            .get(&id)
            .is_some_and(|process| process.state == ProcessState::Stopping)
            && (self.runs_hook(id, HookPoint::PreStop)
                || self.runs_hook(id, HookPoint::StopCommand))
    }
}

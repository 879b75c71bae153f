//! What a service says about itself by the `NOTIFY_SOCKET` protocol.

use std::time::Duration;

use linchpin_config::ProbeKind;

use super::{all_checks, cut};
use crate::process::Life;
use crate::service::{Check, CheckPurpose, Notification, ProbeOutcome};
use crate::supervisor::{Step, Supervisor};
use crate::timers::Timer;
use crate::{Action, Generation, Message, ProcessId, ProcessState};

/// The longest extension that one message can ask for. A service may ask again.
const LONGEST_EXTENSION: Duration = Duration::from_secs(60 * 60);

impl Supervisor {
    pub(crate) fn notified(
        &mut self,
        id: ProcessId,
        generation: Generation,
        notification: Notification,
        step: &mut Step<'_>,
    ) {
        let is_current = self
            .living(id)
            .is_some_and(|(process, _)| process.generation == generation);
        let Some(process) = self.processes.get_mut(&id).filter(|_| is_current) else {
            return;
        };
        let Some(service) = &mut process.service else {
            return;
        };
        let Notification {
            ready,
            reloading,
            stopping,
            status,
            alive,
            broken,
            main_pid,
            extend,
        } = notification;
        if let Some(text) = status {
            let text = cut(text, Notification::STATUS_MAX);
            service.status = (!text.is_empty()).then_some(text);
        }
        if let Some(pid) = main_pid {
            self.adopt_main(id, pid, step);
        }
        if let Some(extension) = extend {
            self.extend(id, extension.min(LONGEST_EXTENSION), step);
        }
        if stopping {
            return self.stops_by_itself(id, step);
        }
        // What says both in one breath has reloaded.
        if reloading && !ready {
            self.reloads(id, step);
        }
        if ready {
            self.says_ready(id, step);
        }
        if alive || broken {
            self.says_alive(id, broken, step);
        }
    }

    /// Its checks of this purpose that are answered by what it says.
    fn notify_checks(&mut self, id: ProcessId, purpose: CheckPurpose) -> Vec<Check> {
        let Some((config, _)) = self.checked(id) else {
            return Vec::new();
        };
        let Some(config) = &config.service else {
            return Vec::new();
        };
        all_checks(config)
            .filter(|(check, probe)| check.purpose == purpose && probe.kind == ProbeKind::Notify)
            .map(|(check, _)| check)
            .collect()
    }

    fn says_ready(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let Some((_, checking)) = self.checked(id) else {
            return;
        };
        checking.is_reloading = false;
        for check in self.notify_checks(id, CheckPurpose::Readiness) {
            self.passive_answer(id, check, ProbeOutcome::Passed, step);
        }
        self.look_at_readiness(id, None, step);
    }

    fn reloads(&mut self, id: ProcessId, step: &mut Step<'_>) {
        if let Some((_, checking)) = self.checked(id) {
            checking.is_reloading = true;
            let why = "it reads its configuration again".to_owned();
            self.look_at_readiness(id, Some(why), step);
        }
    }

    fn says_alive(&mut self, id: ProcessId, is_broken: bool, step: &mut Step<'_>) {
        for check in self.notify_checks(id, CheckPurpose::Liveness) {
            if is_broken {
                let text = "it said so itself (WATCHDOG=trigger)";
                self.liveness_failed(id, check, text, step);
            } else {
                self.passive_answer(id, check, ProbeOutcome::Passed, step);
            }
        }
    }

    /// It has said that it stops: nobody asks any more whether it works. `ready_within` stays, so that a
    /// start which stops and never ends is ended.
    fn stops_by_itself(&mut self, id: ProcessId, step: &mut Step<'_>) {
        let Some((_, checking)) = self.checked(id) else {
            return;
        };
        checking.is_stopping = true;
        let why = "it has said that it stops".to_owned();
        self.look_at_readiness(id, Some(why), step);
        let ready_until = self.timers.get(Timer::Readiness(id));
        self.checks_end(id, step);
        if let Some(at) = ready_until {
            self.timers.set(Timer::Readiness(id), at);
        }
    }

    /// Gives more time for what a service is about to do: to become ready, or to stop.
    fn extend(&mut self, id: ProcessId, extension: Duration, step: &Step<'_>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        let until = step.now.monotonic + extension;
        if process.state == ProcessState::Stopping {
            // Only the wait for the stop signal's effect, not what else a stop may be waiting for.
            let timer = Timer::Process(id);
            if !process.was_killed
                && self.timers.get(timer) == Some(process.stop_deadline)
                && process.stop_deadline < until
            {
                process.stop_deadline = until;
                self.timers.set(timer, until);
            }
        } else if self
            .timers
            .get(Timer::Readiness(id))
            .is_some_and(|at| at < until)
        {
            self.timers.set(Timer::Readiness(id), until);
        }
    }

    /// Another process is the one whose end is the end of the service. Its group stays the one that it
    /// was started in.
    fn adopt_main(&mut self, id: ProcessId, main: i32, step: &mut Step<'_>) {
        let Some(process) = self.processes.get_mut(&id) else {
            return;
        };
        let Life::Alive { pid } = &mut process.life else {
            return;
        };
        if *pid == main || main <= 1 {
            return;
        }
        *pid = main;
        step.act(Action::Log(Message::MainProcess {
            name: process.config.name.clone(),
            pid: main,
        }));
        step.act(Action::AdoptMain {
            process: id,
            generation: process.generation,
            pid: main,
        });
    }
}

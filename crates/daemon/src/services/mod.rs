//! What the shell does for services beyond their processes: probes, hooks, notifications, markers, memory,
//! the recorded history. The core says when; nothing here decides, and nothing here blocks the loop: what
//! may wait runs as a task of the loop's runtime or on a thread of its own, and comes back as an event.

pub(crate) mod announcements;
mod exec_probes;
pub(crate) mod history;
mod hooks;
pub(crate) mod markers;
mod memory;
mod notifications;
mod out_of_memory;
mod probes;
pub(crate) mod task_output;
#[cfg(test)]
mod task_tests;
pub(crate) mod tasks;
#[cfg(test)]
mod testing;
mod workers;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use linchpin_config::{ProbeKind, ProcessConfig};
use linchpin_core::{
    Action, Check, CheckPurpose, Event, ExitStatus, Generation, MarkerState, ProcessId,
};
use linchpin_sys::Pid;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use crate::shell::Shell;

pub(crate) use history::{Earlier, Found, History};
#[cfg(test)]
pub(crate) use probes::limits as probe_limits;

use announcements::Announcements;
use memory::Memory;
use out_of_memory::OutOfMemory;
use probes::{Attempt, AttemptId, Probes};
use tasks::Asker;
pub(crate) use tasks::{TaskId, Tasks};
use workers::Workers;

/// Most threads that look at markers and at memory. Each thing has at most one look under way.
const MOST_FILE_THREADS: usize = 4;

/// What the loop keeps for services beyond their processes.
#[derive(Debug)]
pub(crate) struct Services {
    /// Commands that run beside services.
    pub(crate) tasks: Tasks,
    /// Attempts of probes that are not commands.
    pub(crate) probes: Probes,
    /// What has happened.
    pub(crate) history: History,
    /// What services say by themselves.
    pub(crate) announcements: Announcements,
    /// For looks at files that may hang.
    files: Arc<Workers>,
    memory: Memory,
    pub(crate) out_of_memory: OutOfMemory,
    /// Starts of which something was killed by us.
    pub(crate) killed: HashSet<Generation>,
    /// Oneshots that were interrupted the time before: which start of them is told so.
    pub(crate) interrupted: HashMap<ProcessId, Generation>,
    /// Starts that are under way, and which of their readiness probes a line of theirs has matched by now. What a
    /// process writes at once may be read before the spawner's answer is, and the core knows of no such process yet.
    pub(crate) early_lines: HashMap<Generation, Vec<u16>>,
    /// What others have found out for the core. Bounded by what is under way: everything that was asked for is
    /// answered once.
    pub(crate) news: UnboundedReceiver<News>,
    /// For those who find something out.
    pub(crate) newsroom: UnboundedSender<News>,
}

/// What was found out.
#[derive(Debug)]
pub(crate) enum News {
    /// For the core.
    Event(Event),
    /// A process that a service has named as its main one was gone already.
    MainGone(Pid),
    /// Memory may be asked for, and nobody looks.
    LookAtMemory,
}

impl Services {
    pub(crate) fn new() -> Self {
        let (newsroom, news) = unbounded_channel();
        Self {
            tasks: Tasks::new(),
            probes: Probes::new(),
            history: History::new(),
            announcements: Announcements::default(),
            files: Arc::new(Workers::new("files", MOST_FILE_THREADS)),
            memory: Memory::default(),
            out_of_memory: OutOfMemory::new(),
            killed: HashSet::new(),
            interrupted: HashMap::new(),
            early_lines: HashMap::new(),
            news,
            newsroom,
        }
    }

    /// When [`Shell::look_at_services`] is due.
    pub(crate) fn deadline(&mut self) -> Option<Instant> {
        [
            self.tasks.deadline(),
            self.probes.deadline(),
            self.announcements.deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// A start is released: nobody wants to know anything about it any more.
    pub(crate) fn release(&mut self, generation: Generation) {
        self.tasks.cancel_probes(generation);
        self.probes.cancel(generation);
        self.announcements.close(generation);
        self.killed.remove(&generation);
    }

    /// The loop ends: nothing of it may be left.
    pub(crate) fn end(&mut self) {
        self.tasks.cancel_all();
        self.probes.cancel_all();
        self.history.end();
        self.announcements.close_all();
        self.memory = Memory::default();
        while self.news.try_recv().is_ok() {}
    }
}

/// The probe that a check is about.
fn probe_of(config: &ProcessConfig, check: Check) -> Option<&ProbeKind> {
    let service = config.service.as_ref()?;
    let checks = match check.purpose {
        CheckPurpose::Readiness => service.readiness.as_ref(),
        CheckPurpose::Liveness => service.liveness.as_ref(),
    };
    let probe = checks?.probes.get(usize::from(check.index))?;
    Some(&probe.kind)
}

impl Shell {
    /// Does an action that is about a service beyond its process.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are the shell's own"
    )]
    pub(crate) fn act_for_service(&mut self, action: Action) {
        match action {
            Action::RunHook {
                process,
                generation,
                point,
                pid,
                config,
                group,
            } => self.run_hook((process, generation, point), pid, config, group),
            Action::CancelHook { process, point, .. } => self.cancel_hook(process, point),
            Action::Probe {
                process,
                generation,
                pid,
                check,
                attempt,
                timeout,
                config,
                group,
            } => {
                if let Some(ProbeKind::Exec { command }) = probe_of(&config, check) {
                    let asker = Asker::Probe {
                        process,
                        generation,
                        check,
                        attempt,
                    };
                    let limited = (command.clone(), timeout);
                    self.run_exec_probe(asker, limited, pid, config, group);
                } else {
                    let id = AttemptId {
                        process,
                        generation,
                        check,
                        attempt,
                    };
                    self.services.probes.ask(Attempt {
                        id,
                        timeout,
                        config,
                    });
                }
            }
            Action::Record(occurrence) => self.services.history.record(occurrence, milliseconds()),
            Action::AdoptMain {
                process,
                generation,
                pid,
            } => self.adopt_main(process, generation, pid),
            Action::OpenMarker {
                process,
                generation,
                path,
                is_noted,
            } => self.open_marker((process, generation), path, is_noted),
            Action::CommitMarker {
                process,
                generation,
                path,
            } => self.commit_marker((process, generation), path),
            Action::MeasureMemory {
                process,
                generation,
                pgid,
            } => self.measure_memory((process, generation), pgid),
            _ => {}
        }
    }

    /// Takes what was found out.
    pub(crate) fn take_news(&mut self, first: News) {
        let mut next = Some(first);
        while let Some(news) = next {
            match news {
                News::Event(event) => {
                    if let Event::MarkerOpened {
                        process,
                        generation,
                        state: MarkerState::Interrupted,
                    } = event
                    {
                        self.services.interrupted.insert(process, generation);
                    }
                    self.feed(event);
                }
                News::MainGone(main) => self.main_is_gone(main),
                News::LookAtMemory => self.look_at_memory(),
            }
            next = self.services.news.try_recv().ok();
        }
    }

    /// The process of a task has been reaped.
    pub(crate) fn task_ended(&mut self, task: TaskId, status: ExitStatus) {
        self.services.tasks.reaped(task, status);
        self.take_task_answers();
    }

    /// Does what is due about tasks, probes and those who notify.
    pub(crate) fn look_at_services(&mut self) {
        self.services.tasks.look();
        self.take_task_answers();
        self.services.announcements.resume();
        let given_up = self.services.probes.give_up();
        self.feed_all(given_up);
    }

    /// Tells the core what tasks have come to.
    pub(crate) fn take_task_answers(&mut self) {
        let answers = self.services.tasks.take_answers();
        if !answers.is_empty() {
            self.events.extend(answers);
            self.feed_queued();
        }
    }
}

/// Now, in milliseconds since 1970.
pub(crate) fn milliseconds() -> i64 {
    linchpin_sys::time::wall().div_euclid(1_000_000)
}

//! Why a service is in its state, what comes next, and what a person could do: the one place where these
//! texts are made. `why`, the API and the pages print what stands here.
//!
//! `causes` is the chain of causes, through whatever the service waits for, down to the root; `next` is what
//! will happen by itself; `advice` is what somebody could do; `ends` puts exit statuses into words. Reading
//! changes nothing: everything is made from what the core knows anyway.

mod advice;
mod causes;
mod ends;
mod next;

use serde::{Deserialize, Serialize};

use crate::process::{Life, Process};
use crate::service::{CheckView, ServiceView};
use crate::{CheckPurpose, Now, ProcessId, ProcessState, Supervisor, Wall};

use ends::{end_in_words, program_of};

/// Everything there is to say about one service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Its group.
    pub group: String,
    /// Its name in the group.
    pub name: String,
    /// Its state.
    pub state: ProcessState,
    /// Since when.
    pub since: Now,
    /// Its process id, while there is one.
    pub pid: Option<i32>,
    /// All of it in one sentence.
    pub summary: String,
    /// Name of the reason of its latest change of state, for machines.
    pub reason: String,
    /// Why, from the service itself down to the root.
    pub causes: Vec<Cause>,
    /// How its latest start that is over came to its end, in words.
    pub last_end: Option<Told>,
    /// What its checks have answered last.
    pub checks: Vec<CheckAnswer>,
    /// What the service says of itself (`STATUS=`).
    pub status: Option<String>,
    /// What happens by itself, soonest first.
    pub next: Vec<Coming>,
    /// What a person could do, most useful first.
    pub advice: Vec<String>,
}

/// One step of a chain of causes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// How far down: 0 is about the service itself, 1 about what it waits for, and so on.
    pub depth: u8,
    /// The group of whom it is about.
    pub group: String,
    /// Whom it is about.
    pub name: String,
    /// When it happened, if it is something that happened.
    pub at: Option<Wall>,
    /// A sentence without a full stop.
    pub text: String,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When.
    pub at: Wall,
    /// What.
    pub text: String,
}

/// What a check has answered last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckAnswer {
    /// What it is for.
    pub purpose: CheckPurpose,
    /// The probe as written.
    pub probe: String,
    /// Whether it passes; none before the first answer.
    pub passes: Option<bool>,
    /// The last answer in words.
    pub text: String,
}

/// Something that will happen by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coming {
    /// In how many milliseconds; none if that depends on something else.
    pub in_ms: Option<u64>,
    /// What.
    pub text: String,
}

/// What the core does not know and an explanation may need.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Surroundings<'a> {
    /// The daemon's own `PATH`.
    pub path: Option<&'a str>,
}

impl Supervisor {
    /// Explains a process; none if there is no such process.
    #[must_use]
    pub fn explain(
        &self,
        id: ProcessId,
        now: Now,
        surroundings: Surroundings<'_>,
    ) -> Option<Explanation> {
        let process = self.processes.get(&id)?;
        let command = &process.config.command;
        Some(Explanation {
            group: process.group.clone(),
            name: process.config.name.clone(),
            state: process.state,
            since: process.since,
            pid: process.pid(),
            summary: self.summary(process),
            reason: process.reason.name().to_owned(),
            causes: self.causes(process),
            last_end: process.last_end.as_ref().map(|end| Told {
                at: end.at.wall,
                text: end_in_words(&end.how, command),
            }),
            checks: self.check_answers(id),
            status: process
                .service
                .as_ref()
                .and_then(|service| service.status.clone()),
            next: self.coming(process, now),
            advice: self.advice(process, surroundings),
        })
    }

    /// What the checks of a process have answered last; empty without checks, and before there was a process.
    #[must_use]
    pub fn check_answers(&self, id: ProcessId) -> Vec<CheckAnswer> {
        let view = self.process(id).and_then(|view| view.service);
        let answers = view.iter().flat_map(ServiceView::checks);
        answers.map(check_answer).collect()
    }

    fn summary(&self, process: &Process) -> String {
        let name = process.spec();
        let text = match process.state {
            ProcessState::Stopped if process.start_wall.is_none() => "has not been started",
            ProcessState::Stopped => "is stopped",
            ProcessState::Starting => match process.life {
                Life::Blocked => "waits before it starts",
                Life::InFlight => "is being started",
                Life::None | Life::Alive { .. } | Life::Ended { .. } => {
                    "has been started and must stay up for a while to count as running"
                }
            },
            ProcessState::Running if self.missing(process).is_some() => "runs, and is not ready",
            ProcessState::Running => "runs",
            ProcessState::Backoff => "failed to start, and is tried again",
            ProcessState::Stopping => "is being stopped",
            ProcessState::Exited if self.is_to_start_again(process) => {
                "has ended, and is started again"
            }
            ProcessState::Exited => "has ended",
            ProcessState::Fatal => "could not be started, and was given up",
            ProcessState::Unknown => "cannot be signalled, so nobody knows what it does",
        };
        format!("{name} {text}")
    }

    /// What keeps a process that is up from being ready, in words.
    fn missing(&self, process: &Process) -> Option<String> {
        ServiceView::new(process, &self.timers)?.missing()
    }

    fn is_to_start_again(&self, process: &Process) -> bool {
        self.timers
            .get(crate::timers::Timer::Process(process.id))
            .is_some()
    }
}

fn check_answer(check: CheckView<'_>) -> CheckAnswer {
    let passes = match check.last {
        None if !check.is_passing => None,
        _ => Some(check.is_passing),
    };
    let text = match check.last {
        Some((_, Some(failure))) => failure.to_owned(),
        Some((_, None)) => "all is well".to_owned(),
        None if check.probe.kind.is_passive() => "it has said nothing yet".to_owned(),
        None => "there is no answer yet".to_owned(),
    };
    CheckAnswer {
        purpose: check.check.purpose,
        probe: check.probe.text.clone(),
        passes,
        text,
    }
}

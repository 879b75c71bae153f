//! What became of a boot and of each of its steps.

use linchpin_config::{LeftOut, OnFailure};
use serde::{Deserialize, Serialize};

use super::{Part, Step};

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Something was made, changed or removed.
    Done,
    /// There was nothing to do.
    Unchanged,
    /// It was done, or there was nothing to do, and something should be seen to.
    Warned,
    /// It could not be done.
    Failed,
    /// It was not run, because an earlier one failed, or it is switched off.
    Skipped,
}

impl Outcome {
    /// The word for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Unchanged => "unchanged",
            Self::Warned => "warned",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// A step, or its part for one section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReport {
    /// Its kind.
    pub step: Step,
    /// The section that asks for it.
    pub section: String,
    /// Why it ran.
    pub why: String,
    /// When it began, in UTC.
    pub started: String,
    /// How long it took, in microseconds, with all attempts and the waits between them.
    pub duration_us: u64,
    /// How often it was tried.
    #[serde(default)]
    pub attempts: u32,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether something is not as it was before.
    pub changed: bool,
    /// That in a few words.
    pub summary: String,
    /// What it found and did, line by line.
    pub details: Vec<String>,
    /// What should be seen to.
    pub warnings: Vec<String>,
    /// Why it could not be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What a person can do about that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// What follows when it cannot be done.
    pub on_failure: OnFailure,
    /// The services that need it.
    pub services: Vec<String>,
}

impl StepReport {
    pub(super) fn new(part: &Part<'_>, started: String) -> Self {
        Self {
            step: part.step,
            section: part.section.to_owned(),
            why: part.why.clone(),
            attempts: 1,
            started,
            duration_us: 0,
            outcome: Outcome::Unchanged,
            changed: false,
            summary: String::new(),
            details: Vec::new(),
            warnings: Vec::new(),
            problem: None,
            remedy: None,
            on_failure: part.policy.on_failure,
            services: part.policy.services.clone(),
        }
    }

    /// Whether its failure ends the boot.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.outcome == Outcome::Failed && self.on_failure == OnFailure::Fatal
    }

    /// The problem with what can be done about it.
    #[must_use]
    pub fn problem_with_remedy(&self) -> Option<String> {
        let problem = self.problem.as_ref()?;
        Some(match &self.remedy {
            Some(remedy) => format!("{problem}; {remedy}"),
            None => problem.clone(),
        })
    }
}

/// A whole boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootReport {
    /// Who wanted it.
    pub why: String,
    /// When it began, in UTC.
    pub started: String,
    /// How long it took, in microseconds.
    pub duration_us: u64,
    /// The steps, in the order in which they ran.
    pub steps: Vec<StepReport>,
    /// What ended it that is no step's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl BootReport {
    pub(super) fn new(why: &str, started: String) -> Self {
        Self {
            why: why.to_owned(),
            started,
            duration_us: 0,
            steps: Vec::new(),
            problem: None,
        }
    }

    /// Whether it ended early, so that nothing can be started.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.problem.is_some() || self.steps.iter().any(StepReport::is_fatal)
    }

    /// Whether a step could not be done, also one without which it goes on.
    #[must_use]
    pub fn has_failures(&self) -> bool {
        self.problem.is_some()
            || self
                .steps
                .iter()
                .any(|step| step.outcome == Outcome::Failed)
    }

    /// What ended it.
    pub(super) fn ended_by(&self) -> Option<String> {
        let fatal = self.steps.iter().find(|step| step.is_fatal());
        fatal.map(|step| bracketed(&step.section))
    }

    /// Why it ended early, with what can be done about it.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let fatal = self.steps.iter().find(|step| step.is_fatal());
        let of_step = fatal.and_then(|step| {
            let problem = step.problem_with_remedy()?;
            Some(format!("{}: {problem}", bracketed(&step.section)))
        });
        of_step.or_else(|| self.problem.clone())
    }

    /// Services that are left out, because what they need could not be made.
    #[must_use]
    pub fn left_out(&self) -> Vec<LeftOut> {
        let skips = |step: &&StepReport| {
            step.outcome == Outcome::Failed && step.on_failure == OnFailure::Skip
        };
        let failed = self.steps.iter().filter(skips);
        failed
            .map(|step| LeftOut {
                services: step.services.clone(),
                why: format!("{} could not be done", bracketed(&step.section)),
            })
            .collect()
    }
}

/// A section as it is written; some steps have none of their own.
pub(super) fn bracketed(section: &str) -> String {
    if [
        Step::Settings,
        Step::Identity,
        Step::Directories,
        Step::Proxies,
    ]
    .map(Step::name)
    .contains(&section)
    {
        section.to_owned()
    } else {
        format!("[{section}]")
    }
}

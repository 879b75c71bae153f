//! The boot as one sequence: its steps in their order, what became of each, and a report of all that is kept.
//!
//! A [`Sequence`] runs what it is given and writes down why, when and for how long it ran, what it did, and, if it could
//! not be done, what a person can do. What follows from a failure is the section's own to say (`on_failure`): after a
//! fatal one the rest is not run. Each step can be done again and finds nothing to do then.

mod certificates;
mod directories;
mod identity;
mod keeping;
mod listing;
mod ownership;
mod preflight;
mod remedy;
mod report;
mod roots;
mod templates;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use linchpin_config::{BootConfig, OnFailure, StepPolicy};
use linchpin_sys::signals::{SignalSet, wait_for_one};
use serde::{Deserialize, Serialize};

use crate::ca_roots::Variable;
use crate::date::timestamp;
use crate::identity::{Identity, library};
use crate::templates::Scope;

pub use certificates::{CertificateState, look_after};
pub use keeping::{KeptError, Which, keep, kept, shortened};
pub use ownership::give_to;
pub use preflight::preflight_problem;
pub use report::{BootReport, Outcome, StepReport};
pub use roots::{RootsState, expected_roots, look_after_roots};

/// The kinds of steps. Their order here is the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Values of settings are found, and missing secrets are made.
    Settings,
    /// A user whom the system does not know has an entry in passwd.
    Identity,
    /// Directories that are missing are made.
    Directories,
    /// Variables about proxies agree.
    Proxies,
    /// The machine and the data are as they must be.
    Preflight,
    /// Authorities that programs trust.
    CaRoots,
    /// Certificates of servers.
    Certificates,
    /// Files that are made of templates.
    Templates,
}

impl Step {
    /// All of them, in their order.
    pub const ALL: [Self; 8] = [
        Self::Settings,
        Self::Identity,
        Self::Directories,
        Self::Proxies,
        Self::Preflight,
        Self::CaRoots,
        Self::Certificates,
        Self::Templates,
    ];

    /// The word for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Identity => "identity",
            Self::Directories => "directories",
            Self::Proxies => "proxies",
            Self::Preflight => "preflight",
            Self::CaRoots => "ca-roots",
            Self::Certificates => "certificates",
            Self::Templates => "templates",
        }
    }

    /// Whether a section asks for a step of this kind.
    fn is_of(self, section: &str) -> bool {
        let kind = section.split_once(':').map_or(section, |(kind, _)| kind);
        match self {
            Self::Settings | Self::Identity | Self::Directories | Self::Proxies => false,
            Self::Preflight => kind == "preflight",
            Self::CaRoots => kind == "ca-roots",
            Self::Certificates => kind == "certificate",
            Self::Templates => kind == "template",
        }
    }
}

/// What a step has done.
#[derive(Debug, Clone, Default)]
pub struct Work {
    /// In a few words.
    pub summary: String,
    /// In lines.
    pub details: Vec<String>,
    /// What works now and should be seen to.
    pub warnings: Vec<String>,
    /// Something is not as it was.
    pub is_changed: bool,
}

/// Why a step could not be done.
#[derive(Debug, Clone, Default)]
pub struct Trouble {
    /// What is wrong.
    pub problem: String,
    /// What a person can do about it, if the problem does not say so.
    pub remedy: Option<String>,
    /// What was found out.
    pub details: Vec<String>,
}

impl Trouble {
    /// The problem with what can be done about it.
    fn with_remedy(&self) -> String {
        match &self.remedy {
            Some(remedy) => format!("{}; {remedy}", self.problem),
            None => self.problem.clone(),
        }
    }
}

/// One part of a step: what it is about, and why it runs.
#[derive(Debug)]
pub struct Part<'a> {
    /// Its kind.
    pub step: Step,
    /// The section that asks for it, such as `certificate:web`; for settings, which have many, their word.
    pub section: &'a str,
    /// Why it runs.
    pub why: String,
    /// What follows when it cannot be done.
    pub policy: &'a StepPolicy,
}

/// What the sections of a boot have made for the programs.
#[derive(Debug, Default)]
pub struct MadeBySections {
    /// Variables through which programs learn what to trust.
    pub variables: Vec<Variable>,
    /// What programs are to trust, if there is something that asks for it.
    pub roots: Option<RootsState>,
    /// What servers have.
    pub certificates: Vec<CertificateState>,
}

/// A boot at work.
#[derive(Debug)]
pub struct Sequence {
    report: BootReport,
    began: Instant,
    is_dry: bool,
}

impl Sequence {
    /// Begins one; `why` says who wants it.
    #[must_use]
    pub fn begin(why: &str, is_dry: bool) -> Self {
        Self {
            report: BootReport::new(why, timestamp(milliseconds())),
            began: Instant::now(),
            is_dry,
        }
    }

    /// Nothing is written.
    #[must_use]
    pub fn is_dry(&self) -> bool {
        self.is_dry
    }

    /// What has come of it so far.
    #[must_use]
    pub fn report(&self) -> &BootReport {
        &self.report
    }

    /// Whether a failure has ended it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.report.is_failed()
    }

    /// Runs a part of a step, unless the boot is over. None if it was not run, or could not be done.
    pub fn run<T>(
        &mut self,
        part: &Part<'_>,
        mut work: impl FnMut() -> Result<(T, Work), Trouble>,
    ) -> Option<T> {
        let ended_by = self.report.ended_by();
        let mut step = StepReport::new(part, timestamp(milliseconds()));
        if let Some(cause) = ended_by {
            step.outcome = Outcome::Skipped;
            step.summary = format!("not run, because {cause} could not be done");
            self.report.steps.push(step);
            return None;
        }
        let began = Instant::now();
        let mut result = work();
        // A dry run says how it stands now.
        let retries = if self.is_dry { 0 } else { part.policy.retries };
        for attempt in 1..=retries {
            if result.is_ok() {
                break;
            }
            // Whoever ends the daemon has not to wait for all of them.
            let ends = SignalSet::that_end();
            if wait_for_one(&ends, part.policy.retry_delay).unwrap_or(true) {
                break;
            }
            step.attempts = attempt + 1;
            result = work();
        }
        step.duration_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let made = match result {
            Ok((made, work)) => {
                step.outcome = match (work.warnings.is_empty(), work.is_changed) {
                    (false, _) => Outcome::Warned,
                    (true, true) => Outcome::Done,
                    (true, false) => Outcome::Unchanged,
                };
                step.changed = work.is_changed;
                step.summary = work.summary;
                step.details = work.details;
                step.warnings = work.warnings;
                Some(made)
            }
            Err(trouble) => {
                step.outcome = Outcome::Failed;
                step.details = trouble.details;
                step.problem = Some(trouble.problem);
                step.remedy = trouble.remedy;
                None
            }
        };
        self.report.steps.push(step);
        made
    }

    /// Writes down that the boot ends, for a reason that is no step's.
    pub fn fail(&mut self, problem: impl Into<String>) {
        self.report.problem = Some(problem.into());
    }

    /// Gives programs an entry in passwd for a user of the daemon who has none, by files below `run_directory`; the
    /// variables through which they find it. Unless that is wanted nothing is written and nothing is told.
    pub fn identity(
        &mut self,
        run_directory: &str,
        environment: &[(String, String)],
        is_wanted: bool,
    ) -> Vec<(String, String)> {
        let identity = Identity::of_this_process();
        if identity.is_known() {
            return Vec::new();
        }
        let directory = Path::new(run_directory).join("identity");
        let library = library();
        let is_dry = self.is_dry || !is_wanted;
        let work = || {
            identity::work(
                &identity,
                &directory,
                environment,
                library.as_deref(),
                is_dry,
            )
        };
        let variables = if is_wanted {
            self.run(&identity::part(&identity), work)
        } else {
            work().ok().map(|(variables, _)| variables)
        };
        variables.unwrap_or_default()
    }

    /// Makes directories that are missing; those that were made, with those above them.
    pub fn directories(&mut self, wanted: &[String]) -> Vec<PathBuf> {
        let is_dry = self.is_dry;
        let mut made = Vec::new();
        self.run(&directories::part(), || {
            directories::work(wanted, is_dry, &mut made)
        });
        made
    }

    /// Looks whether everything is as it must be; changes nothing.
    pub fn preflights(&mut self, boot: &BootConfig, scope: &Scope) {
        self.tell_off(boot, &Step::ALL, Step::Preflight);
        for config in &boot.preflights {
            let section = format!("preflight:{}", config.name);
            let part = preflight::part(config, &section);
            self.run(&part, || preflight::work(config, scope));
        }
    }

    /// Writes down which sections of a kind are switched off.
    fn tell_off(&mut self, boot: &BootConfig, wanted: &[Step], kind: Step) {
        let off = boot.off.iter().filter(|off| kind.is_of(&off.section));
        for off in off.filter(|_| wanted.contains(&kind)) {
            let started = timestamp(milliseconds());
            let part = Part {
                step: kind,
                section: &off.section,
                why: "it is declared".to_owned(),
                policy: &StepPolicy::on_failure(OnFailure::Warn),
            };
            let mut step = StepReport::new(&part, started);
            step.outcome = Outcome::Skipped;
            step.summary = format!("switched off by `enabled={}`", off.condition);
            self.report.steps.push(step);
        }
    }

    /// Runs what the sections of a configuration ask for, of some kinds. `environment` is what programs are started with.
    pub fn sections(
        &mut self,
        boot: &BootConfig,
        wanted: &[Step],
        environment: &[(String, String)],
    ) -> MadeBySections {
        let mut made = MadeBySections::default();
        let now = milliseconds().div_euclid(1000);
        let is_dry = self.is_dry;
        self.tell_off(boot, wanted, Step::CaRoots);
        if let Some(config) = &boot.ca_roots
            && wanted.contains(&Step::CaRoots)
        {
            let part = roots::part(config);
            let variables = self.run(&part, || {
                let (state, result) = roots::work(config, environment, now, is_dry);
                made.roots = Some(state);
                result
            });
            made.variables = variables.unwrap_or_default();
        }
        self.tell_off(boot, wanted, Step::Certificates);
        for config in &boot.certificates {
            if wanted.contains(&Step::Certificates) {
                let section = format!("certificate:{}", config.name);
                let part = certificates::part(config, &section);
                let mut state = None;
                self.run(&part, || {
                    let (found, result) = certificates::work(config, now, is_dry);
                    state = Some(found);
                    result.map(|work| ((), work))
                });
                made.certificates.extend(state);
            }
        }
        made
    }

    /// Makes what is made of templates, which may name what the steps before have made.
    pub fn templates(&mut self, boot: &BootConfig, scope: &mut Scope) {
        let is_dry = self.is_dry;
        scope.look_again(boot);
        self.tell_off(boot, &Step::ALL, Step::Templates);
        for config in &boot.templates {
            let section = format!("template:{}", config.name);
            let part = templates::part(config, &section);
            self.run(&part, || templates::work(config, scope, is_dry));
        }
    }

    /// What came of it.
    #[must_use]
    pub fn end(mut self) -> BootReport {
        let elapsed = self.began.elapsed().as_micros();
        self.report.duration_us = u64::try_from(elapsed).unwrap_or(u64::MAX);
        self.report
    }
}

/// The policy of a step that has no section of its own: without it nothing else can be read.
pub const FATAL: StepPolicy = StepPolicy::on_failure(OnFailure::Fatal);

fn milliseconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

//! Save & Restart: what is asked for, what it would do, and what has become of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::LastOutput;

/// Body of `PUT /api/v1/plan`, `PUT /api/v1/settings` and `POST /api/v1/apply`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplyRequest {
    /// New values by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    /// Names that are removed from the settings file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
    /// How many seconds services may take until they are ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
}

impl std::fmt::Debug for ApplyRequest {
    /// Without values.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApplyRequest")
            .field("set", &self.set.keys())
            .field("unset", &self.unset)
            .finish_non_exhaustive()
    }
}

/// What is wrong with what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyProblem {
    /// The setting that it is about, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<String>,
    /// What is wrong, and what to do; never with a value.
    pub message: String,
}

/// Answer with status 422, and 409 without problems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyRefusal {
    /// All of it in one text.
    pub error: String,
    /// Each problem.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<ApplyProblem>,
}

/// A setting that changes. Secrets are masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingChange {
    /// Its name.
    pub name: String,
    /// What services have got so far; left out where they got none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What they will get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// Answer to `PUT /api/v1/plan`: what an apply would do. Nothing is done for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanReport {
    /// The settings file gets another text.
    pub writes: bool,
    /// Settings of which services get other values.
    pub settings: Vec<SettingChange>,
    /// Groups that come.
    pub added: Vec<String>,
    /// Groups whose configuration is another one, so that they are made anew.
    pub changed: Vec<String>,
    /// Groups that go.
    pub removed: Vec<String>,
    /// Processes that are restarted because a setting names them in `services`.
    pub restarted: Vec<String>,
    /// Templates of which other files are made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<String>,
    /// Processes that read such files again, without a restart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reloaded: Vec<String>,
    /// The steps in their order, in words.
    pub steps: Vec<String>,
    /// What a person should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// How an apply stands, or has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplyState {
    /// It is under way.
    Running,
    /// Everything has the new settings.
    Done,
    /// Something failed before anything was changed.
    Refused,
    /// Something failed, and everything is as before.
    RolledBack,
    /// Something failed, and not everything could be brought back.
    NotRolledBack,
    /// Something failed, and there was nothing to go back to: the settings had been in the file before.
    Failed,
    /// The daemon went down, or was killed. The settings that were written count when it starts again.
    Interrupted,
}

/// Something that an apply has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyStep {
    /// When.
    pub at: i64,
    /// It is part of the way back.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub back: bool,
    /// `file`, `configure`, `switch`, `stop`, `remove`, `start`, `reload`, `wait`, `settle`; `failed` tells why the step before it
    /// has failed.
    pub step: String,
    /// In words.
    pub text: String,
}

/// A service that did not come up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedService {
    /// Its name.
    pub service: String,
    /// Its state at that moment.
    pub state: String,
    /// Why, in words.
    pub text: String,
    /// What it wrote last. Values of secrets are masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<LastOutput>,
}

/// `GET /api/v1/apply`: the apply that is under way, or else the last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyReport {
    /// Which one; with a `state_directory` counted also through ends of the daemon.
    pub generation: u64,
    /// How it stands.
    pub state: ApplyState,
    /// When it began.
    pub started: i64,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<i64>,
    /// What it does.
    pub plan: PlanReport,
    /// What it has begun so far.
    pub steps: Vec<ApplyStep>,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The services because of which it failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedService>,
}

/// A line of the stream that an apply is told with: a step as it begins, and the report as the last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApplyLine {
    /// A step has begun.
    Step(ApplyStep),
    /// It has ended.
    Report(Box<ApplyReport>),
}

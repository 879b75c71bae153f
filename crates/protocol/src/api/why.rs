//! Why a service is in its state.

use serde::{Deserialize, Serialize};

use super::HistoryEntry;

/// `/api/v1/services/NAME/why`, `linchpin.why`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhyReport {
    /// When it was like this.
    pub now: i64,
    /// The service, or the members of the group that was asked about.
    pub services: Vec<WhyService>,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhyService {
    /// As people name it: `group:name`, or the name alone where both are the same.
    pub service: String,
    /// Its state, as Supervisor names it.
    pub state: String,
    /// Since when.
    pub since: i64,
    /// Its process id, while there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<i32>,
    /// All of it in one sentence.
    pub summary: String,
    /// Why, for machines.
    pub reason: String,
    /// The chain of causes, from the service itself down to the root.
    pub causes: Vec<Cause>,
    /// How its latest start that is over came to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_end: Option<Told>,
    /// What its checks have answered last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckAnswer>,
    /// What it says of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
    /// What happens by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<Coming>,
    /// What a person could do, most useful first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<String>,
    /// The last that it wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<LastOutput>,
    /// The same of the service at which the chain of causes ends, if that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<Root>,
    /// The last that happened to it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<HistoryEntry>,
}

/// One step of a chain of causes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// 0 is about the service itself, 1 about what it waits for, and so on.
    pub depth: u8,
    /// Whom it is about.
    pub service: String,
    /// When it happened, if it is something that happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// A sentence.
    pub text: String,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When.
    pub at: i64,
    /// What.
    pub text: String,
}

/// What a check has answered last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckAnswer {
    /// `readiness` or `liveness`.
    pub purpose: String,
    /// The probe as written.
    pub probe: String,
    /// Whether it passes; none before the first answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passes: Option<bool>,
    /// The last answer in words.
    pub text: String,
}

/// The service at which a chain of causes ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Whom.
    pub service: String,
    /// The last that it wrote.
    pub output: LastOutput,
}

/// Something that will happen by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coming {
    /// In how many milliseconds; none if that depends on something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_ms: Option<u64>,
    /// What.
    pub text: String,
}

/// The last that a service wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastOutput {
    /// `stderr`, or `stdout` where both go there.
    pub stream: String,
    /// Its log file, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its last lines, without line ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// Why there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

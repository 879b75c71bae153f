//! How everything is.

use serde::{Deserialize, Serialize};

use super::is_false;

/// `/api/v1/services`, `linchpin.status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusReport {
    /// When it was like this.
    pub now: i64,
    /// The daemon.
    pub daemon: DaemonStatus,
    /// Whether everything that is not optional is ready: services are up and ready, oneshots have done their work.
    pub ready: bool,
    /// Every process, by group and then by name.
    pub services: Vec<ServiceStatus>,
    /// What servers have of each `[certificate:NAME]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<CertificateStatus>,
}

/// A certificate that servers are given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateStatus {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub origin: CertificateOrigin,
    /// When it ends; none if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// Whole days until then; negative if it is past.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_left: Option<i64>,
    /// What works now and should be seen to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Why there is none, or why that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// When it was looked at.
    pub checked: i64,
}

/// Where a certificate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateOrigin {
    /// Somebody provides it.
    Provided,
    /// It was provided before; what is provided now cannot be used.
    Previous,
    /// Our own authority signed it.
    SelfSigned,
    /// There is none.
    None,
}

/// The daemon itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DaemonStatus {
    /// Its name.
    pub identifier: String,
    /// Its process id.
    pub pid: i32,
    /// `RUNNING`, `RESTARTING` or `SHUTDOWN`.
    pub state: String,
    /// Its version.
    pub version: String,
}

/// One process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// As people name it: `group:name`, or the name alone where both are the same.
    pub service: String,
    /// Its group.
    pub group: String,
    /// Its name in the group.
    pub name: String,
    /// Its state, as Supervisor names it.
    pub state: String,
    /// Since when.
    pub since: i64,
    /// Why, for machines.
    pub reason: String,
    /// Why, for people.
    pub text: String,
    /// It is as it should be: up and ready, or a oneshot that has done its work.
    pub ready: bool,
    /// It runs to its end once.
    #[serde(default, skip_serializing_if = "is_false")]
    pub oneshot: bool,
    /// It has run to its end with success since the daemon began.
    #[serde(default, skip_serializing_if = "is_false")]
    pub completed: bool,
    /// How much the whole depends on it.
    #[serde(default)]
    pub importance: Importance,
    /// It starts with the daemon, or somebody has asked for it.
    pub wanted: bool,
    /// What it waits for, each in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<String>,
    /// Checks that do not pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failing: Vec<FailingCheck>,
    /// What it says of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
    /// How often it was started again by itself since somebody started it.
    pub restarts: u32,
    /// In how many milliseconds something happens to it by itself, as far as that has a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_ms: Option<u64>,
    /// Its process id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<i32>,
    /// For how long there has been this process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_ms: Option<u64>,
    /// What it and its descendants use, if that was asked for and could be found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Settings that have changed since it was started, which it does not know yet; `[ca-roots]` if other authorities are
    /// trusted now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale: Vec<String>,
}

/// How much the whole depends on a service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Importance {
    /// The container ends with it.
    Essential,
    /// The whole is ready when it is.
    #[default]
    Normal,
    /// It is reported, and counts for nothing.
    Optional,
}

/// A check that does not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailingCheck {
    /// `readiness` or `liveness`.
    pub purpose: String,
    /// The probe as written.
    pub probe: String,
    /// The last answer in words.
    pub text: String,
}

/// What a process and its descendants use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// How many processes they are.
    pub processes: u32,
    /// Memory: what is shared counts in parts (PSS).
    pub memory: u64,
    /// What is shared counts in full for some of them (RSS), as the kernel did not tell more or it would have
    /// taken too long.
    #[serde(default, skip_serializing_if = "is_false")]
    pub memory_is_rss: bool,
    /// Processor time, that of children which have ended included.
    pub cpu_ms: u64,
}

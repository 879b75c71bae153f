//! The JSON of `/api/v1` and of the methods `linchpin.*`, which give the same documents as strings.
//!
//! Both ends use these types. Names of members are never changed and never given another meaning; new ones may
//! come, so readers pass over what they do not know. Times are milliseconds since 1970 in UTC; members whose name
//! ends in `_ms` are lengths of time in milliseconds; sizes are bytes. A member that does not apply is left out.

mod apply;
mod events;
mod history_file;
mod metrics;
mod status;
mod why;

pub use apply::{
    ApplyLine, ApplyProblem, ApplyRefusal, ApplyReport, ApplyRequest, ApplyState, ApplyStep,
    FailedService, PlanReport, SettingChange,
};
pub use events::{
    DAEMON_KIND, EVENTS_MAX, EventsFilter, EventsReport, Exit, HistoryEntry, STATE_KIND,
};
pub use history_file::{history_file, older_history_file, read_history};
pub use metrics::{METRICS_TYPE, metrics};
pub use status::{
    CertificateOrigin, CertificateStatus, DaemonStatus, FailingCheck, Importance, ServiceStatus,
    StatusReport, Usage,
};
pub use why::{Cause, CheckAnswer, Coming, LastOutput, Root, Told, WhyReport, WhyService};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Version of the API, as its paths have it.
pub const VERSION: &str = "v1";

/// Why a document cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("not the JSON that was expected: {0}")]
pub struct NotReadable(#[from] serde_json::Error);

/// As text without line ends. What cannot be written, which nothing here is, is `null`.
pub fn write<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// The same, indented for people.
pub fn write_indented<T: Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| "null".to_owned())
}

/// Reads a document.
///
/// # Errors
/// If it is not one of these.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, NotReadable> {
    Ok(serde_json::from_str(text)?)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_apply_is_left_out_and_what_is_not_known_is_passed_over() {
        let entry = HistoryEntry {
            id: 7,
            time: 1_700_000_000_123,
            service: Some("web".to_owned()),
            kind: STATE_KIND.to_owned(),
            from: Some("RUNNING".to_owned()),
            to: Some("EXITED".to_owned()),
            reason: Some("exited".to_owned()),
            text: "ended".to_owned(),
            pid: Some(12),
            exit: Some(Exit::Signal {
                signal: "SIGKILL".to_owned(),
                core: false,
            }),
        };
        let text = write(&entry);
        assert_eq!(
            text,
            r#"{"id":7,"time":1700000000123,"service":"web","kind":"state","from":"RUNNING","to":"EXITED","reason":"exited","text":"ended","pid":12,"exit":{"signal":"SIGKILL"}}"#
        );
        assert_eq!(read::<HistoryEntry>(&text).unwrap(), entry);
        let shorter: HistoryEntry =
            read(r#"{"id":8,"time":5,"kind":"daemon","text":"x","colour":"red"}"#).unwrap();
        assert_eq!(shorter.service, None);
        assert_eq!(
            write(&shorter),
            r#"{"id":8,"time":5,"kind":"daemon","text":"x"}"#
        );
        assert!(read::<HistoryEntry>("{\"id\":8,\"ti").is_err());
    }
}

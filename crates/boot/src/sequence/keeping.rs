//! The last report, and the last one of a boot that failed, as files on the volume.

use std::path::{Path, PathBuf};

use super::report::BootReport;
use crate::private_file::{keep_private, read_private};
use crate::writing::WriteError;

/// Most lines of a step that are kept.
const MOST_LINES: usize = 400;

/// Which of the reports that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The last one.
    Last,
    /// The last one of a boot that failed.
    LastFailed,
}

impl Which {
    pub(super) const ALL: [Self; 2] = [Self::Last, Self::LastFailed];

    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Last => "boot-report.json",
            Self::LastFailed => "boot-report-failed.json",
        }
    }
}

/// Why a report cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The file is there and cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Keeps a report in a directory.
///
/// # Errors
/// If it cannot be written.
pub fn keep(report: &BootReport, directory: &Path) -> Result<(), WriteError> {
    let report = shortened(report);
    // Maps of text and numbers can always be written.
    let mut text = serde_json::to_vec_pretty(&report).unwrap_or_default();
    text.push(b'\n');
    let put = |which: Which| keep_private(&directory.join(which.file()), &text);
    if report.has_failures() {
        put(Which::LastFailed)?;
    }
    put(Which::Last)
}

/// A report with no more of each step than is kept.
#[must_use]
pub fn shortened(report: &BootReport) -> BootReport {
    let mut report = report.clone();
    for step in &mut report.steps {
        let more = step.details.len().saturating_sub(MOST_LINES);
        if more > 0 {
            step.details.truncate(MOST_LINES);
            step.details.push(format!("and {more} lines more"));
        }
    }
    report
}

/// A report that was kept; none if there is none.
///
/// # Errors
/// If it cannot be read.
pub fn kept(directory: &Path, which: Which) -> Result<Option<BootReport>, KeptError> {
    let path = directory.join(which.file());
    let failed = |reason: String| KeptError::Read {
        path: path.clone(),
        reason,
    };
    let Some(bytes) = read_private(&path).map_err(failed)? else {
        return Ok(None);
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| failed(error.to_string()))
}

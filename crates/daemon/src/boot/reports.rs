//! What is known of boots as long as the daemon runs: their reports are told also where no directory keeps them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use linchpin_boot::sequence::{BootReport, Which, kept, shortened};
use linchpin_config::Config;
use tokio::time::timeout;

use crate::http::Budget;

/// How long the directory of the reports may take.
const READING_TIME: Duration = Duration::from_secs(2);

/// The last report, and the last one in which something failed. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct BootReports {
    known: Arc<Mutex<Known>>,
}

/// No more than two, each as short as those that are kept in files.
#[derive(Debug, Default)]
struct Known {
    last: Option<Arc<BootReport>>,
    last_failed: Option<Arc<BootReport>>,
}

impl BootReports {
    /// Takes the report of a boot that has ended.
    pub(super) fn note(&self, report: &BootReport) {
        let report = Arc::new(shortened(report));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if report.has_failures() {
            known.last_failed = Some(Arc::clone(&report));
        }
        known.last = Some(report);
    }

    fn known(&self, which: Which) -> Option<Arc<BootReport>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match which {
            Which::Last => known.last.clone(),
            Which::LastFailed => known.last_failed.clone(),
        }
    }

    /// The newest report that there is: one that is known, or, where reports are kept, that of an earlier daemon or of
    /// `linchpin boot`. What cannot be read in time is not there.
    pub(crate) async fn newest(
        &self,
        which: Which,
        directory: Option<PathBuf>,
        budget: &Arc<Budget>,
    ) -> Option<Arc<BootReport>> {
        let known = self.known(which);
        let Some(directory) = directory else {
            return known;
        };
        let look = budget.look(move || kept(&directory, which).ok().flatten());
        let found = timeout(READING_TIME, look).await;
        let found = found.ok().flatten().flatten().map(Arc::new);
        newer(known, found)
    }
}

/// Times of reports are texts that sort as the times do.
fn newer(
    known: Option<Arc<BootReport>>,
    found: Option<Arc<BootReport>>,
) -> Option<Arc<BootReport>> {
    match (known, found) {
        (Some(known), Some(found)) if found.started > known.started => Some(found),
        (Some(known), _) => Some(known),
        (None, found) => found,
    }
}

/// Where the reports of a configuration are kept.
pub(crate) fn report_directory(config: &Config) -> Option<PathBuf> {
    let directory = config.linchpin.as_ref()?.report_directory()?;
    Some(PathBuf::from(directory))
}

#[cfg(test)]
mod tests {
    use linchpin_boot::sequence::Sequence;

    use super::*;

    fn report(started: &str, problem: Option<&str>) -> BootReport {
        let mut sequence = Sequence::begin("a test", false);
        if let Some(problem) = problem {
            sequence.fail(problem);
        }
        BootReport {
            started: started.to_owned(),
            ..sequence.end()
        }
    }

    #[test]
    fn a_failure_is_known_after_a_boot_that_is_good() {
        let reports = BootReports::default();
        assert_eq!(reports.known(Which::Last), None);
        reports.note(&report("1", Some("broken")));
        reports.note(&report("2", None));
        let started = |which| reports.known(which).map(|report| report.started.clone());
        assert_eq!(started(Which::Last).as_deref(), Some("2"));
        assert_eq!(started(Which::LastFailed).as_deref(), Some("1"));
    }

    #[test]
    fn the_newer_of_what_is_known_and_what_is_kept_is_told() {
        let of = |started: &str| Some(Arc::new(report(started, None)));
        let (early, late) = ("2026-11-26T09:59:59.999Z", "2026-11-26T10:00:00.000Z");
        assert_eq!(newer(of(early), of(late)), of(late));
        assert_eq!(newer(of(late), of(early)), of(late));
        assert_eq!(newer(None, of(early)), of(early));
        assert_eq!(newer(of(early), None), of(early));
    }
}

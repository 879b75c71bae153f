//! The last apply as it is known: in memory through restarts of the daemon, and, where there is a `state_directory`, in a file
//! through its end. What nobody carried to its end is told as interrupted.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use linchpin_boot::{keep_private, read_private};
use linchpin_config::Config;
use linchpin_log::LogLevel;
use linchpin_protocol::api::{ApplyReport, ApplyState, read, write};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

use super::{Reports, run_on_thread, words};
use crate::services::milliseconds;

/// The file in `state_directory`.
const FILE: &str = "apply-report.json";

/// How long an apply waits for its report to be on the disk, before it begins and at its end.
const KEEPING_TIME: Duration = Duration::from_secs(2);

/// The apply that is under way, or the last one. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Applies {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    last: watch::Sender<Option<Arc<ApplyReport>>>,
    /// Where it is kept.
    place: Mutex<Option<PathBuf>>,
    /// One report is written at a time, so that no older one takes the place of a newer one.
    turn: Arc<Semaphore>,
    /// Somebody waits for that already.
    is_waiting: AtomicBool,
    /// The number of the last one whose end is being kept: what waits to be written about it is older.
    ended: AtomicU64,
}

impl Default for Applies {
    fn default() -> Self {
        let shared = Shared {
            last: watch::Sender::new(None),
            place: Mutex::default(),
            turn: Arc::new(Semaphore::new(1)),
            is_waiting: AtomicBool::new(false),
            ended: AtomicU64::new(0),
        };
        Self {
            shared: Arc::new(shared),
        }
    }
}

impl Applies {
    /// Goes on where a configuration says that reports are kept; the first time with what is there. What the log is to be
    /// told of that. Waits for the disk.
    pub(crate) fn recall(&self, config: &Config) -> Option<(LogLevel, String)> {
        let linchpin = config.linchpin.as_ref();
        let directory = linchpin.and_then(|linchpin| linchpin.state_directory.as_ref());
        let place = directory.map(|directory| Path::new(directory).join(FILE));
        let known = self.shared.place.lock();
        known
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&place);
        let place = place.filter(|_| self.last().is_none())?;
        let unknown = |reason: &str| {
            let text = format!(
                "what was applied last is not known: cannot read {}: {reason}",
                place.display()
            );
            Some((LogLevel::Warn, text))
        };
        let content = match read_private(&place) {
            Ok(content) => content?,
            Err(reason) => return unknown(&reason),
        };
        let report: Option<ApplyReport> = std::str::from_utf8(&content)
            .ok()
            .and_then(|text| read(text).ok());
        let Some(mut report) = report else {
            return unknown("it is not a report of an apply");
        };
        let interrupted = interrupt(&mut report).then(|| words::summary(&report));
        self.publish(report);
        interrupted.map(|text| (LogLevel::Error, text))
    }

    pub(super) fn last(&self) -> Option<Arc<ApplyReport>> {
        self.shared.last.borrow().clone()
    }

    /// The number of the last one.
    pub(super) fn generation(&self) -> u64 {
        self.last().map_or(0, |report| report.generation)
    }

    pub(super) fn reports(&self) -> Reports {
        self.shared.last.subscribe()
    }

    /// Tells whoever listens.
    pub(super) fn publish(&self, report: ApplyReport) {
        self.shared.last.send_replace(Some(Arc::new(report)));
    }

    /// Nobody carries on what is under way.
    pub(super) fn interrupt(&self) {
        self.shared.last.send_if_modified(|last| match last {
            Some(report) => interrupt(Arc::make_mut(report)),
            None => false,
        });
    }

    fn place(&self) -> Option<PathBuf> {
        let place = self.shared.place.lock();
        place.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps a report, and waits for that, though not for ever. Why it could not be done.
    pub(super) async fn keep(&self, report: &ApplyReport) -> Option<String> {
        let place = self.place()?;
        let told = place.display().to_string();
        if report.state != ApplyState::Running {
            self.shared.ended.store(report.generation, Ordering::SeqCst);
        }
        let done = async {
            let turn = Arc::clone(&self.shared.turn).acquire_owned().await;
            let turn = turn.map_err(|_| "the daemon is going down".to_owned())?;
            let content = write(report);
            run_on_thread(move || put(&place, &content, turn)).await?
        };
        let result = timeout(KEEPING_TIME, done).await;
        let result = result.unwrap_or_else(|_| Err(format!("cannot write {told} in time")));
        let why = result.err()?;
        Some(format!(
            "the report of the apply is not kept, and not known after an end of the daemon: {why}"
        ))
    }

    /// Keeps how the apply under way stands, once its turn comes; nobody waits for that. As it stands then, so that one wait
    /// is enough for any number of steps.
    pub(super) fn keep_soon(&self) {
        let Some(place) = self.place() else {
            return;
        };
        if self.shared.is_waiting.swap(true, Ordering::SeqCst) {
            return;
        }
        let applies = self.clone();
        tokio::spawn(async move {
            let turn = Arc::clone(&applies.shared.turn).acquire_owned().await;
            applies.shared.is_waiting.store(false, Ordering::SeqCst);
            let ended = applies.shared.ended.load(Ordering::SeqCst);
            let report = applies.last().filter(|it| it.generation > ended);
            if let (Ok(turn), Some(report)) = (turn, report) {
                let content = write(&*report);
                // Why it fails is told at the end, when it fails again.
                let _ = run_on_thread(move || put(&place, &content, turn)).await;
            }
        });
    }
}

fn put(place: &Path, content: &str, turn: OwnedSemaphorePermit) -> Result<(), String> {
    let result = keep_private(place, content.as_bytes()).map_err(|error| error.to_string());
    drop(turn);
    result
}

/// Ends the report of an apply that nobody carries on. True if it was under way.
fn interrupt(report: &mut ApplyReport) -> bool {
    let is_under_way = report.state == ApplyState::Running;
    if is_under_way {
        report.state = ApplyState::Interrupted;
        report.ended = Some(milliseconds());
        report.error = Some("it was interrupted; what it had written counts".to_owned());
    }
    is_under_way
}

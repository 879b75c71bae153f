//! Save & Restart: new settings are judged, planned, written, and brought to the services that they concern; and taken
//! back if those do not come up.
//!
//! What comes after what is decided by [`linchpin_core::Apply`]. Here its orders are carried out, one apply at a time,
//! by a task that belongs to the daemon: it goes on when whoever asked for it goes away, who may be a service that is
//! restarted by it. What waits for a disk or for commands that judge values is done on a thread of its own.

mod files;
mod keeping;
mod planning;
mod running;
mod words;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use linchpin_boot::settings::{Edit, SettingsReport};
use linchpin_log::LogLevel;
use linchpin_protocol::api::{ApplyProblem, ApplyReport, ApplyRequest, ApplyState, PlanReport};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::time::timeout;

use crate::api::Api;
use crate::control::{Applying, Basis, Control, Reply, Request};
use crate::http::Journal;
use crate::settings::ServiceSettings;

pub(crate) use keeping::Applies;
use planning::Prepared;
pub(crate) use planning::difference;
use running::Run;

/// How long services may take until they are ready, where nobody says how long.
const USUAL_TIMEOUT: Duration = Duration::from_secs(60);

/// Longest that anybody may say.
const LONGEST_TIMEOUT: u64 = 3600;

/// How long planning may take: it reads files, and asks commands that judge values, which have limits of their own.
const PLANNING_TIME: Duration = Duration::from_secs(120);

/// How many plans are made at once. Others wait.
pub(crate) const PLANS_MAX: usize = 2;

/// Applies settings. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Applier {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    control: Control,
    api: Api,
    journal: Arc<dyn Journal>,
    applies: Applies,
    is_busy: AtomicBool,
    plans: Arc<Semaphore>,
}

/// Why nothing is planned or applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Another one is under way.
    Busy(u64),
    /// This is wrong.
    Invalid(Vec<ApplyProblem>),
    /// The daemon is going down.
    Ending,
    /// It cannot be found out.
    Failed(String),
}

/// News of an apply.
pub(crate) type Reports = watch::Receiver<Option<Arc<ApplyReport>>>;

/// The right to apply. Whatever happens to who has it, it is given back, and nothing is left half-way.
#[derive(Debug)]
struct Turn {
    shared: Arc<Shared>,
    /// Nobody reads the configuration again meanwhile.
    alone: Option<Applying>,
    settings: Option<Arc<ServiceSettings>>,
    is_over: bool,
}

impl Turn {
    /// Gives it back, and tells how it ended: whoever hears of the end may begin the next one at once.
    fn end(mut self, report: ApplyReport) {
        let shared = Arc::clone(&self.shared);
        self.is_over = true;
        self.give_back();
        shared.applies.publish(report);
    }

    fn give_back(&mut self) {
        if let Some(settings) = &self.settings {
            settings.end_trial();
        }
        self.alone = None;
        self.shared.is_busy.store(false, Ordering::SeqCst);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.is_over {
            self.give_back();
            self.shared.applies.interrupt();
        }
    }
}

impl Applier {
    pub(crate) fn new(
        control: Control,
        api: Api,
        journal: Arc<dyn Journal>,
        applies: Applies,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                control,
                api,
                journal,
                applies,
                is_busy: AtomicBool::new(false),
                plans: Arc::new(Semaphore::new(PLANS_MAX)),
            }),
        }
    }

    /// What an apply would do.
    pub(crate) async fn plan(&self, request: ApplyRequest) -> Result<PlanReport, Refusal> {
        let (basis, prepared) = self.shared.prepared(&request).await?;
        drop(basis);
        Ok(prepared.report)
    }

    /// Begins to apply, if what is asked for is good.
    pub(crate) async fn begin(&self, request: ApplyRequest) -> Result<Reports, Refusal> {
        let shared = Arc::clone(&self.shared);
        if shared.is_busy.swap(true, Ordering::SeqCst) {
            return Err(Refusal::Busy(shared.applies.generation()));
        }
        let mut turn = Turn {
            shared: Arc::clone(&shared),
            alone: None,
            settings: None,
            is_over: false,
        };
        let (answer, begun) = oneshot::channel();
        // From here on it belongs to nobody who could go away.
        tokio::spawn(async move {
            let begun = async {
                turn.alone = Some(shared.alone().await?);
                shared.prepared(&request).await
            };
            let (basis, prepared) = match begun.await {
                Ok(prepared) => prepared,
                Err(refusal) => {
                    drop(turn);
                    let _ = answer.send(Err(refusal));
                    return;
                }
            };
            turn.settings = Some(Arc::clone(&basis.settings));
            let seconds = request.timeout.map(|seconds| seconds.min(LONGEST_TIMEOUT));
            let patience = seconds.map_or(USUAL_TIMEOUT, Duration::from_secs);
            let generation = shared.applies.generation() + 1;
            let run = Run::new(Arc::clone(&shared), basis, prepared, patience, generation);
            let _ = answer.send(Ok(shared.applies.reports()));
            // Whoever ends the daemon now finds out afterwards that this was under way.
            shared.keep(run.report()).await;
            let report = run.carried_out().await;
            shared.keep(&report).await;
            shared.tell(&report);
            turn.end(report);
        });
        begun.await.unwrap_or(Err(Refusal::Ending))
    }

    /// The apply that is under way, or the last one, and what becomes of it.
    pub(crate) fn reports(&self) -> Reports {
        self.shared.applies.reports()
    }

    /// What is set, and why.
    pub(crate) async fn settings(&self) -> Result<SettingsReport, Refusal> {
        let basis = self.shared.basis().await?;
        self.shared
            .on_thread(move || Ok(basis.settings.report()))
            .await
    }
}

impl Shared {
    /// Waits until nobody reads the configuration any more.
    async fn alone(&self) -> Result<Applying, Refusal> {
        let turn = timeout(PLANNING_TIME, self.control.applying()).await;
        turn.map_err(|_| {
            let seconds = PLANNING_TIME.as_secs();
            Refusal::Failed(format!(
                "the configuration has been read again for more than {seconds} seconds; try again when that has ended"
            ))
        })
    }

    async fn basis(&self) -> Result<Basis, Refusal> {
        let answer = self.control.ask(Request::Basis).await;
        if let Reply::Basis(basis) = answer {
            Ok(*basis)
        } else {
            Err(Refusal::Ending)
        }
    }

    /// Reads and judges everything; changes nothing.
    async fn prepared(&self, request: &ApplyRequest) -> Result<(Basis, Prepared), Refusal> {
        let basis = self.basis().await?;
        let Reply::Overview(overview) = self.control.ask(Request::Overview).await else {
            return Err(Refusal::Ending);
        };
        let edits: Vec<Edit> = (request.set.iter())
            .map(|(name, value)| Edit::Set(name.clone(), value.clone()))
            .chain(request.unset.iter().cloned().map(Edit::Unset))
            .collect();
        let both: Vec<ApplyProblem> = (request.unset.iter())
            .filter(|name| request.set.contains_key(*name))
            .map(|name| ApplyProblem {
                setting: Some(name.clone()),
                message: format!("{name} cannot be set and unset at once"),
            })
            .collect();
        if !both.is_empty() {
            return Err(Refusal::Invalid(both));
        }
        self.on_thread(move || {
            let prepared = planning::prepare(&basis, &overview.services, &edits)?;
            Ok((basis, prepared))
        })
        .await
    }

    /// Does something that may wait, and does not wait for it for ever.
    async fn on_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let done = async {
            // Kept by the thread, so that those that hang are not more than that.
            let Ok(permit) = Arc::clone(&self.plans).acquire_owned().await else {
                return Err(Refusal::Ending);
            };
            run_on_thread(move || {
                let result = work();
                drop(permit);
                result
            })
            .await
            .unwrap_or_else(|text| Err(Refusal::Failed(text)))
        };
        timeout(PLANNING_TIME, done).await.unwrap_or_else(|_| {
            let seconds = PLANNING_TIME.as_secs();
            Err(Refusal::Failed(format!(
                "the settings cannot be read and judged within {seconds} seconds"
            )))
        })
    }

    /// Keeps a report where it outlives the daemon.
    async fn keep(&self, report: &ApplyReport) {
        if let Some(text) = self.applies.keep(report).await {
            self.journal.log(LogLevel::Warn, text);
        }
    }

    /// Says in the main log how it ended.
    fn tell(&self, report: &ApplyReport) {
        let level = match report.state {
            ApplyState::Done => LogLevel::Info,
            ApplyState::Running
            | ApplyState::Refused
            | ApplyState::RolledBack
            | ApplyState::NotRolledBack
            | ApplyState::Failed
            | ApplyState::Interrupted => LogLevel::Error,
        };
        self.journal.log(level, words::summary(report));
    }
}

/// Does something on a thread of its own.
async fn run_on_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let (sender, result) = oneshot::channel();
    std::thread::Builder::new()
        .name("apply".to_owned())
        .spawn(move || {
            let _ = sender.send(work());
        })
        .map_err(|error| format!("cannot start a thread: {error}"))?;
    result.await.map_err(|_| {
        "a thread has ended without an answer, which is a fault of Linchpin".to_owned()
    })
}

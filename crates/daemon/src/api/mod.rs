//! The documents of `/api/v1` and of `linchpin.*`: how everything is, why, and what has happened.
//!
//! What is known is asked of the supervision through [`Control`]; what has to be read, logs, `/proc` and the files
//! of the history, is read on workers, bounded in number, in time and in bytes.

mod conversion;
mod output;
mod question;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use linchpin_protocol::api::{
    DaemonStatus, EventsFilter, EventsReport, Importance, LastOutput, Root, ServiceStatus,
    StatusReport, WhyReport, read_history,
};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

use crate::control::{Control, Identity, Reply, Request, Writer};
use crate::http::Budget;
use crate::http::limits::LOG_READ_TIME;
use crate::services::{Earlier, milliseconds};
use crate::settings::ServiceSettings;

use conversion::{spec, why_service};

pub(crate) use conversion::service_status;
pub(crate) use question::EventsQuestion;
use usage::Meter;

/// Most of those who wait for news of the history; more are answered at once.
pub(crate) const WAITERS_MAX: usize = 64;

/// How long the settings file may take.
const SETTINGS_TIME: Duration = Duration::from_secs(2);

/// Longest wait for news of the history.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Makes documents. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    control: Control,
    identity: Identity,
    budget: Arc<Budget>,
    meter: Meter,
    waiters: Semaphore,
}

/// Why there is no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// Nobody has this name.
    #[error("there is no process or group {0}")]
    NoSuchName(String),
    /// The supervision has ended.
    #[error("the daemon is going down")]
    Ending,
}

impl Api {
    pub(crate) fn new(control: Control, identity: Identity, budget: Arc<Budget>) -> Self {
        Self {
            shared: Arc::new(Shared {
                control,
                identity,
                budget,
                meter: Meter::default(),
                waiters: Semaphore::new(WAITERS_MAX),
            }),
        }
    }

    /// How everything is; with `measure`, what it uses too.
    pub(crate) async fn status(&self, measure: bool) -> Result<StatusReport, Trouble> {
        let Reply::Overview(overview) = self.ask(Request::Overview).await else {
            return Err(Trouble::Ending);
        };
        let mut services = overview.services;
        if overview.settings.can_change() {
            self.tell_stale(&mut services, overview.settings).await;
        }
        if measure {
            let roots: Vec<i32> = services.iter().filter_map(|service| service.pid).collect();
            let usage = self.shared.meter.measure(roots, &self.shared.budget).await;
            for service in &mut services {
                service.usage = service.pid.and_then(|pid| usage.get(&pid).copied());
            }
        }
        let is_ready = services
            .iter()
            .filter(|service| service.wanted && service.importance != Importance::Optional)
            .all(|service| service.ready);
        Ok(StatusReport {
            now: milliseconds(),
            daemon: DaemonStatus {
                identifier: self.shared.identity.identifier.clone(),
                pid: self.shared.identity.pid,
                state: overview.state.to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            ready: is_ready,
            services,
            certificates: overview.certificates,
        })
    }

    /// Says which running services have old settings; nobody, if the file cannot be looked at in time.
    async fn tell_stale(&self, services: &mut [ServiceStatus], settings: Arc<ServiceSettings>) {
        let running: Vec<usize> = (0..services.len())
            .filter(|index| services[*index].pid.is_some())
            .collect();
        let name_of = |index: &usize| {
            let service = &services[*index];
            (service.group.clone(), service.name.clone())
        };
        let names: Vec<(String, String)> = running.iter().map(name_of).collect();
        let look = self.shared.budget.look(move || settings.stale(&names));
        if let Ok(Some(found)) = timeout(SETTINGS_TIME, look).await {
            for (index, stale) in running.into_iter().zip(found) {
                services[index].stale = stale;
            }
        }
    }

    /// Why the processes that a name means are as they are.
    pub(crate) async fn why(&self, name: &str) -> Result<WhyReport, Trouble> {
        let Reply::Explanations(explained) = self.ask(Request::Explain(name.to_owned())).await
        else {
            return Err(Trouble::Ending);
        };
        if explained.is_empty() {
            return Err(Trouble::NoSuchName(name.to_owned()));
        }
        let mut services = Vec::with_capacity(explained.len());
        for explained in explained {
            let output = self.last_output(&explained.writer).await;
            let root = match &explained.root {
                Some(root) => Some(Root {
                    service: spec(&root.group, &root.config.name),
                    output: self.last_output(root).await,
                }),
                None => None,
            };
            services.push(why_service(explained, output, root));
        }
        Ok(WhyReport {
            now: milliseconds(),
            services,
        })
    }

    /// What has happened. If nothing has that fits, waits up to `wait` until something does.
    pub(crate) async fn events(
        &self,
        filter: EventsFilter,
        wait: Duration,
    ) -> Result<EventsReport, Trouble> {
        let until = Instant::now() + wait.min(LONGEST_WAIT);
        let waits = !wait.is_zero();
        let _permit = if waits {
            match self.shared.waiters.try_acquire() {
                Ok(permit) => Some(permit),
                Err(_) => return self.found(&filter).await,
            }
        } else {
            None
        };
        let Reply::Watch(Some(mut news)) = self.ask(Request::WatchHistory).await else {
            return Err(Trouble::Ending);
        };
        loop {
            news.mark_unchanged();
            let report = self.found(&filter).await?;
            if !waits || !report.events.is_empty() {
                return Ok(report);
            }
            match timeout_at(until, news.changed()).await {
                Ok(Ok(())) => {}
                // Time is up, or the daemon is.
                Ok(Err(_)) | Err(_) => return Ok(report),
            }
        }
    }

    async fn found(&self, filter: &EventsFilter) -> Result<EventsReport, Trouble> {
        let Reply::Events(found) = self.ask(Request::Events(filter.clone())).await else {
            return Err(Trouble::Ending);
        };
        let mut report = found.report;
        if let Some(earlier) = found.earlier {
            let wanted = EventsFilter {
                limit: filter.limit.saturating_sub(report.events.len()),
                ..filter.clone()
            };
            if wanted.limit > 0 {
                let mut all = self.earlier(earlier, wanted).await;
                all.events.append(&mut report.events);
                report.events = all.events;
                report.more |= all.more;
            }
        }
        Ok(report)
    }

    /// What cannot be read is not there.
    async fn earlier(&self, earlier: Earlier, filter: EventsFilter) -> EventsReport {
        let look = move || read_history(&earlier.directory, &filter, earlier.until);
        let looked = timeout(LOG_READ_TIME, self.shared.budget.look(look)).await;
        match looked {
            Ok(Some(Ok(report))) => report,
            Ok(Some(Err(_)) | None) | Err(_) => EventsReport::default(),
        }
    }

    async fn last_output(&self, writer: &Writer) -> LastOutput {
        output::last_output(&self.shared.control, &self.shared.budget, writer).await
    }

    async fn ask(&self, request: Request) -> Reply {
        self.shared.control.ask(request).await
    }
}

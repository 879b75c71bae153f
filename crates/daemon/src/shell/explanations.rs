//! How everything is, and why.

use std::sync::Arc;

use linchpin_core::{ProcessId, ProcessView, Surroundings, Target};
use linchpin_protocol::api::EventsFilter;
use linchpin_protocol::make_namespec;

use super::{Shell, now};
use crate::api::service_status;
use crate::control::{Explained, Overview, Writer};

/// Most processes of a group that are explained at once.
const EXPLAINED_MAX: usize = 32;

/// Most entries of the history that are told with an explanation.
const EVENTS_MAX: usize = 8;

impl Shell {
    pub(super) fn overview(&self) -> Overview {
        let monotonic = now().monotonic;
        let status = |view: &ProcessView<'_>| {
            let checks = self.core.check_answers(view.id);
            service_status(view, self.core.waits(view.id), &checks, monotonic)
        };
        Overview {
            state: self.core.state().name(),
            services: self.core.processes_by_name().iter().map(status).collect(),
            certificates: self.certificates.statuses(),
            settings: Arc::clone(&self.site.settings),
        }
    }

    /// The processes that people may mean by a name: one of a group, a whole group, or one whose name nobody
    /// else has.
    pub(super) fn meant_by(&self, name: &str) -> Vec<ProcessId> {
        let ids = |views: Vec<ProcessView<'_>>| views.into_iter().map(|view| view.id).collect();
        if let Ok(views) = self.core.targets(&Target::parse(name)) {
            return ids(views);
        }
        if let Ok(views) = self.core.targets(&Target::Group(name.to_owned())) {
            return ids(views);
        }
        let mut called_so = self.core.processes_by_name();
        called_so.retain(|view| view.config.name == name);
        ids(called_so)
    }

    pub(super) fn explanations(&self, name: &str) -> Vec<Explained> {
        let now = now();
        let surroundings = Surroundings {
            path: self.site.path.as_deref(),
        };
        self.meant_by(name)
            .into_iter()
            .take(EXPLAINED_MAX)
            .filter_map(|id| {
                let explanation = self.core.explain(id, now, surroundings)?;
                let writer = self.writer(&explanation.group, &explanation.name)?;
                let root = explanation.causes.last().filter(|root| root.depth > 0);
                let root = root.and_then(|root| self.writer(&root.group, &root.name));
                let service = make_namespec(&explanation.group, &explanation.name);
                let filter = EventsFilter {
                    service: Some(service.into_owned()),
                    limit: EVENTS_MAX,
                    ..EventsFilter::default()
                };
                let events = self.services.history.find(&filter).report.events;
                Some(Explained {
                    explanation,
                    writer,
                    root,
                    events,
                })
            })
            .collect()
    }

    fn writer(&self, group: &str, name: &str) -> Option<Writer> {
        let view = self.core.process_named(group, name)?;
        Some(Writer {
            group: group.to_owned(),
            config: view.config.clone(),
        })
    }
}

//! From the core's types to those of the API.

use linchpin_core::{CheckAnswer, Explanation, Monotonic, ProcessState, ProcessView, Wait, Wall};
use linchpin_protocol::api;

use crate::control::Explained;

/// A process for the overview.
pub(crate) fn service_status(
    view: &ProcessView<'_>,
    waits: Vec<Wait>,
    checks: &[CheckAnswer],
    now: Monotonic,
) -> api::ServiceStatus {
    let service = view.config.service.as_ref();
    api::ServiceStatus {
        service: spec(view.group, &view.config.name),
        group: view.group.to_owned(),
        name: view.config.name.clone(),
        state: view.state.name().to_owned(),
        since: milliseconds(view.since.wall),
        reason: view.reason.name().to_owned(),
        text: view.reason.to_string(),
        ready: view.is_settled,
        oneshot: service.is_some_and(|service| service.oneshot),
        completed: view.is_completed,
        importance: service.map_or(api::Importance::Normal, |service| {
            importance(service.importance)
        }),
        wanted: view.config.autostart || view.state != ProcessState::Stopped,
        waits_for: waits.into_iter().map(|wait| wait.text).collect(),
        failing: checks
            .iter()
            .filter(|check| check.passes == Some(false))
            .map(|check| api::FailingCheck {
                purpose: check.purpose.name().to_owned(),
                probe: check.probe.clone(),
                text: check.text.clone(),
            })
            .collect(),
        says: view
            .service
            .and_then(|service| service.status().map(str::to_owned)),
        restarts: view.restarts,
        pid: view.pid,
        up_ms: view.up_since.map(|since| length(since, now)),
        next_ms: view.next_change.map(|next| length(now, next)),
        usage: None,
        stale: Vec::new(),
    }
}

/// An explanation, and what was found beside it.
pub(super) fn why_service(
    explained: Explained,
    output: api::LastOutput,
    root: Option<api::Root>,
) -> api::WhyService {
    let Explained {
        explanation,
        events,
        ..
    } = explained;
    let Explanation {
        group,
        name,
        state,
        since,
        pid,
        summary,
        reason,
        causes,
        last_end,
        checks,
        status,
        next,
        advice,
    } = explanation;
    api::WhyService {
        service: spec(&group, &name),
        state: state.name().to_owned(),
        since: milliseconds(since.wall),
        pid,
        summary,
        reason,
        causes: causes
            .into_iter()
            .map(|cause| api::Cause {
                depth: cause.depth,
                service: spec(&cause.group, &cause.name),
                at: cause.at.map(milliseconds),
                text: cause.text,
            })
            .collect(),
        last_end: last_end.map(|end| api::Told {
            at: milliseconds(end.at),
            text: end.text,
        }),
        checks: checks
            .into_iter()
            .map(|check| api::CheckAnswer {
                purpose: check.purpose.name().to_owned(),
                probe: check.probe,
                passes: check.passes,
                text: check.text,
            })
            .collect(),
        says: status,
        next: next
            .into_iter()
            .map(|coming| api::Coming {
                in_ms: coming.in_ms,
                text: coming.text,
            })
            .collect(),
        advice,
        output: Some(output),
        root,
        events,
    }
}

/// How people write the name of a process: the group is left out where it has the same name.
pub(super) fn spec(group: &str, name: &str) -> String {
    linchpin_protocol::make_namespec(group, name).into_owned()
}

fn importance(importance: linchpin_config::Importance) -> api::Importance {
    match importance {
        linchpin_config::Importance::Essential => api::Importance::Essential,
        linchpin_config::Importance::Normal => api::Importance::Normal,
        linchpin_config::Importance::Optional => api::Importance::Optional,
    }
}

/// Milliseconds between two moments.
fn length(from: Monotonic, to: Monotonic) -> u64 {
    u64::try_from(to.since(from).as_millis()).unwrap_or(u64::MAX)
}

fn milliseconds(at: Wall) -> i64 {
    at.0.div_euclid(1_000_000)
}

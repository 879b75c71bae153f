//! `/api/v1/settings`, `/api/v1/plan` and `/api/v1/apply`: what is set, what a change would do, and changing it.
//!
//! An apply is told as a stream of lines, each of them a JSON document: the steps as they begin, and the report of the
//! end as the last one. A client that goes away loses the stream, never the apply.

use std::sync::Arc;

use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, StatusCode};
use linchpin_protocol::api::{
    ApplyLine, ApplyProblem, ApplyRefusal, ApplyReport, ApplyRequest, ApplyState, read, write,
    write_indented,
};
use serde::Serialize;
use tokio::sync::mpsc;

use super::answer::Answer;
use super::api_endpoint::{Fields, trouble};
use super::budget::FollowerGuard;
use super::connection_state::{ConnectionState, Phase};
use super::request_body;
use super::server::Services;
use crate::apply::{Refusal, Reports};

/// Content type of the stream.
const LINES: &str = "application/x-ndjson";

/// Lines that wait for a client that reads slowly. Steps that do not fit wait in the report.
const LINES_MAX: usize = 4;

/// Answers a request about settings.
pub(crate) async fn answer(
    services: &Services,
    state: &Arc<ConnectionState>,
    what: &str,
    query: Option<&str>,
    request: Request<Incoming>,
) -> Answer {
    let fields = Fields(query.unwrap_or_default());
    let is_indented = fields.get("indent").is_some();
    let follows = fields.get("follow");
    let applier = &services.applier;
    match (request.method(), what) {
        (&Method::GET, "settings") => match applier.settings().await {
            Ok(report) => document(StatusCode::OK, &report, is_indented),
            Err(refusal) => refused(refusal),
        },
        (&Method::GET, "apply") => {
            let reports = applier.reports();
            let last = reports.borrow().clone();
            match (last, follows.as_deref()) {
                (None, _) => trouble(StatusCode::NOT_FOUND, "nothing has been applied yet"),
                (Some(_), Some("yes")) => follow(services, reports),
                (Some(report), _) => document(StatusCode::OK, &*report, is_indented),
            }
        }
        (&Method::PUT, "plan") => match body(services, state, request).await {
            Ok(asked) => match applier.plan(asked).await {
                Ok(plan) => document(StatusCode::OK, &plan, is_indented),
                Err(refusal) => refused(refusal),
            },
            Err(answer) => answer,
        },
        (&Method::PUT, "settings") | (&Method::POST, "apply") => {
            let asked = match body(services, state, request).await {
                Ok(asked) => asked,
                Err(answer) => return answer,
            };
            match applier.begin(asked).await {
                Ok(reports) if follows.as_deref() == Some("no") => {
                    let report = reports.borrow().clone();
                    match report {
                        Some(report) => document(StatusCode::ACCEPTED, &*report, is_indented),
                        None => refused(Refusal::Ending),
                    }
                }
                Ok(reports) => follow(services, reports),
                Err(refusal) => refused(refusal),
            }
        }
        (_, "plan") => trouble(
            StatusCode::METHOD_NOT_ALLOWED,
            "a plan is asked for with PUT",
        ),
        (_, "apply") => trouble(
            StatusCode::METHOD_NOT_ALLOWED,
            "GET tells how an apply stands, POST begins one",
        ),
        (_, _) => trouble(
            StatusCode::METHOD_NOT_ALLOWED,
            "GET tells all settings, PUT changes and applies some",
        ),
    }
}

/// What is asked for. No body asks for what is in the settings file already.
async fn body(
    services: &Services,
    state: &Arc<ConnectionState>,
    request: Request<Incoming>,
) -> Result<ApplyRequest, Answer> {
    use hyper::body::Body as _;
    if request.body().is_end_stream() {
        return Ok(ApplyRequest::default());
    }
    let mut share = services.budget.body_share();
    state.enter(Phase::Body);
    let bytes = request_body::read(request, &mut share).await?;
    state.enter(Phase::Answering);
    // What the reader of JSON complains about may be a value.
    let malformed = || {
        trouble(
            StatusCode::BAD_REQUEST,
            "the body must be {\"set\": {\"NAME\": \"VALUE\"}, \"unset\": [\"NAME\"], \"timeout\": SECONDS}, each of them if wanted",
        )
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed())?;
    if text.trim().is_empty() {
        return Ok(ApplyRequest::default());
    }
    if !text.trim_start().starts_with('{') {
        return Err(malformed());
    }
    read(text).map_err(|_| malformed())
}

fn document<T: Serialize>(status: StatusCode, document: &T, is_indented: bool) -> Answer {
    let text = if is_indented {
        write_indented(document)
    } else {
        write(document)
    };
    Answer::json(status, text)
}

fn refused(refusal: Refusal) -> Answer {
    let (status, error, problems) = match refusal {
        Refusal::Busy(generation) => (
            StatusCode::CONFLICT,
            format!(
                "settings are being applied already (after apply {generation}): GET /api/v1/apply tells how that stands"
            ),
            Vec::new(),
        ),
        Refusal::Invalid(problems) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            texts(&problems).join("\n"),
            problems,
        ),
        Refusal::Ending => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the daemon is going down".to_owned(),
            Vec::new(),
        ),
        Refusal::Failed(text) => (StatusCode::INTERNAL_SERVER_ERROR, text, Vec::new()),
    };
    Answer::json(status, write(&ApplyRefusal { error, problems }))
}

fn texts(problems: &[ApplyProblem]) -> Vec<&str> {
    let texts = problems.iter().map(|problem| problem.message.as_str());
    texts.collect()
}

/// Tells what has happened so far, and then what happens, until the end.
fn follow(services: &Services, reports: Reports) -> Answer {
    let Some(guard) = services.budget.follower() else {
        // What was begun goes on.
        return trouble(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many clients follow something: GET /api/v1/apply tells how it stands",
        );
    };
    let (lines, receiver) = mpsc::channel(LINES_MAX);
    tokio::spawn(tell(reports, lines, guard));
    Answer::stream(LINES, receiver)
}

async fn tell(mut reports: Reports, lines: mpsc::Sender<Bytes>, _guard: FollowerGuard) {
    let Some(generation) = generation(&reports) else {
        return;
    };
    let mut told = 0;
    loop {
        let report: Option<Arc<ApplyReport>> = reports.borrow_and_update().clone();
        let Some(report) = report.filter(|report| report.generation == generation) else {
            // Another one has begun before this client has read to the end.
            return;
        };
        for step in report.steps.iter().skip(told) {
            if !send(&lines, &ApplyLine::Step(step.clone())).await {
                return;
            }
        }
        told = report.steps.len();
        if report.state != ApplyState::Running {
            let report = ApplyReport::clone(&report);
            send(&lines, &ApplyLine::Report(Box::new(report))).await;
            return;
        }
        tokio::select! {
            changed = reports.changed() => if changed.is_err() { return },
            () = lines.closed() => return,
        }
    }
}

fn generation(reports: &Reports) -> Option<u64> {
    let last = reports.borrow();
    last.as_ref().map(|report| report.generation)
}

async fn send(lines: &mpsc::Sender<Bytes>, line: &ApplyLine) -> bool {
    let mut text = write(line);
    text.push('\n');
    lines.send(Bytes::from(text)).await.is_ok()
}

//! From a request to its answer: who may ask, and who answers what.

use std::sync::Arc;
use std::time::SystemTime;

use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use linchpin_log::LogLevel;

use super::answer::Answer;
use super::authentication::{self, Verdict};
use super::calendar::CivilTime;
use super::client_stream::ClientStream;
use super::connection_state::{ConnectionState, Phase};
use super::cross_site::{self, Circumstances, Refusal};
use super::server::Server;
use super::web::{self, Page};
use super::{api_endpoint, log_tail, percent, rpc_endpoint};

/// Answers one request.
pub(crate) async fn answer(
    server: &Arc<Server>,
    stream: &Arc<ClientStream>,
    state: &Arc<ConnectionState>,
    request: Request<Incoming>,
) -> Answer {
    state.enter(Phase::Answering);
    let journal = &server.services.journal;
    let summary = journal.is_logged(LogLevel::Trace).then(|| {
        format!(
            "{} {} {:?}",
            request.method(),
            request.uri(),
            request.version()
        )
    });
    let path = percent::decode(request.uri().path());
    let page = web::page_of(request.method(), &path);
    let answer = match refusal(server, stream, page, &request) {
        Some(answer) => answer,
        None => match page {
            Some(page) => web::answer(&server.services, stream, state, page, request).await,
            None => route(server, stream, state, &path, request).await,
        },
    };
    if let Some(summary) = summary {
        let status = answer.response.status().as_u16();
        let bytes = answer.response.body().known_length().unwrap_or(0);
        let time = CivilTime::of(SystemTime::now()).access_log_date();
        let peer = stream.peer();
        journal.log(
            LogLevel::Trace,
            format!("{peer} - - [{time}] \"{summary}\" {status} {bytes}"),
        );
    }
    answer
}

/// Why a request is not even looked at.
fn refusal(
    server: &Server,
    stream: &ClientStream,
    page: Option<Page>,
    request: &Request<Incoming>,
) -> Option<Answer> {
    let credentials = server.config.credentials.as_ref();
    if let ClientStream::Tcp(_) = stream {
        let circumstances = Circumstances {
            own_names: &server.own_names,
            has_password: credentials.is_some(),
            is_loopback: stream.is_loopback(),
        };
        match cross_site::check(request, circumstances) {
            Ok(()) => {}
            // The page finds out in a better way: its forms carry a token. Until then nothing is changed.
            Err(Refusal::CrossSite)
                if page == Some(Page::Status) && *request.method() == Method::POST => {}
            Err(refusal) => {
                let because = refusal.explanation();
                return Some(Answer::error_because(StatusCode::FORBIDDEN, because).closing());
            }
        }
    }
    match authentication::check(credentials?, request.headers()) {
        Verdict::Accepted => None,
        Verdict::Refused => Some(Answer::unauthorized()),
        Verdict::Malformed => Some(Answer::error(StatusCode::BAD_REQUEST).closing()),
    }
}

async fn route(
    server: &Arc<Server>,
    stream: &Arc<ClientStream>,
    state: &Arc<ConnectionState>,
    path: &str,
    request: Request<Incoming>,
) -> Answer {
    let is_get = *request.method() == Method::GET;
    let services = &server.services;
    if server.config.is_control && path.starts_with("/api/") {
        return api_endpoint::answer(services, state, request).await;
    }
    if server.config.is_control && path == "/metrics" {
        return api_endpoint::metrics(services, &request).await;
    }
    if path.starts_with("/RPC2") {
        if *request.method() != Method::POST {
            return Answer::error(StatusCode::BAD_REQUEST);
        }
        return rpc_endpoint::answer(services, state, request).await;
    }
    if let Some(rest) = path.strip_prefix("/logtail") {
        if !is_get {
            return Answer::error(StatusCode::BAD_REQUEST);
        }
        let Some((group, name, output)) = log_tail::read_path(rest) else {
            return Answer::error(StatusCode::NOT_FOUND);
        };
        return log_tail::process_log(services, stream, group, name, output).await;
    }
    if path.starts_with("/mainlogtail") {
        if !is_get {
            return Answer::error(StatusCode::BAD_REQUEST);
        }
        return log_tail::main_log(services, stream).await;
    }
    web::asset(request.method(), path, request.headers())
}

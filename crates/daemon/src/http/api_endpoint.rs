//! `/api/v1`: our own documents, on the control socket only.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use linchpin_boot::sequence::Which;
use linchpin_protocol::api::{self, StatusReport, VERSION, write, write_indented};
use serde::Serialize;

use super::answer::Answer;
use super::connection_state::ConnectionState;
use super::server::Services;
use super::{openapi, percent, settings_endpoint};
use crate::api::{EventsQuestion, Trouble};

/// Answers a request below `/api/`. The path is not decoded before it is taken apart, so that names may hold anything.
pub(crate) async fn answer(
    services: &Services,
    state: &Arc<ConnectionState>,
    request: Request<Incoming>,
) -> Answer {
    let uri = request.uri().clone();
    let (path, query) = (uri.path(), uri.query());
    let Some(rest) = path
        .strip_prefix("/api/")
        .and_then(|rest| rest.strip_prefix(VERSION))
    else {
        return trouble(StatusCode::NOT_FOUND, "there is only /api/v1");
    };
    let Some(_call) = services.budget.call() else {
        return trouble(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many calls are under way",
        );
    };
    if let "/settings" | "/plan" | "/apply" = rest {
        return settings_endpoint::answer(services, state, &rest[1..], query, request).await;
    }
    if request.method() != Method::GET {
        return trouble(StatusCode::METHOD_NOT_ALLOWED, "this is only to be read");
    }
    let fields = Fields(query.unwrap_or_default());
    let api = services.rpc.api();
    let parts: Vec<String> = rest.split('/').skip(1).map(percent::decode).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let is_indented = fields.get("indent").is_some();
    match parts.as_slice() {
        ["services"] => {
            let measure = fields.get("measure").as_deref() != Some("no");
            document(api.status(measure).await, is_indented)
        }
        ["services", name] => {
            let report = api.status(false).await;
            document(report.and_then(|report| one(report, name)), is_indented)
        }
        ["services", name, "why"] => document(api.why(name).await, is_indented),
        ["boot"] => {
            let is_failed = fields.get("failed").as_deref() == Some("yes");
            boot(services, is_failed, is_indented).await
        }
        ["openapi.json"] => Answer::json(StatusCode::OK, openapi::DESCRIPTION.to_owned()),
        ["events"] => {
            let question = EventsQuestion {
                since: fields.get("since"),
                service: fields.get("service"),
                limit: fields.number("limit"),
                after: fields.get("after"),
                wait: fields.number("wait"),
            };
            match question.understood() {
                Ok((filter, wait)) => document(api.events(filter, wait).await, is_indented),
                Err(because) => trouble(StatusCode::BAD_REQUEST, &because),
            }
        }
        _ => trouble(
            StatusCode::NOT_FOUND,
            "there is no such document: /api/v1/openapi.json describes all",
        ),
    }
}

/// Answers `/metrics`.
pub(crate) async fn metrics(services: &Services, request: &Request<Incoming>) -> Answer {
    if request.method() != Method::GET {
        return trouble(StatusCode::METHOD_NOT_ALLOWED, "this is only to be read");
    }
    let Some(_call) = services.budget.call() else {
        return trouble(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many calls are under way",
        );
    };
    let fields = Fields(request.uri().query().unwrap_or_default());
    let measure = fields.get("measure").as_deref() != Some("no");
    match services.rpc.api().status(measure).await {
        Ok(report) => Answer::metrics(api::metrics(&report)),
        Err(error) => trouble(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

/// What became of the last boot, or of the last one in which something failed.
async fn boot(services: &Services, is_failed: bool, is_indented: bool) -> Answer {
    let (which, lack) = if is_failed {
        (
            Which::LastFailed,
            "no boot is known in which something failed",
        )
    } else {
        (
            Which::Last,
            "no boot is known: the configuration declares nothing that is made before programs run",
        )
    };
    let (reports, directory) = &services.boots;
    let newest = reports.newest(which, directory.clone(), &services.budget);
    match newest.await {
        Some(report) => document(Ok(&*report), is_indented),
        None => trouble(StatusCode::NOT_FOUND, lack),
    }
}

fn one(report: StatusReport, name: &str) -> Result<linchpin_protocol::api::ServiceStatus, Trouble> {
    report
        .services
        .into_iter()
        .find(|service| {
            service.service == name || format!("{}:{}", service.group, service.name) == name
        })
        .ok_or_else(|| Trouble::NoSuchName(name.to_owned()))
}

fn document<T: Serialize>(document: Result<T, Trouble>, is_indented: bool) -> Answer {
    match document {
        Ok(document) if is_indented => Answer::json(StatusCode::OK, write_indented(&document)),
        Ok(document) => Answer::json(StatusCode::OK, write(&document)),
        Err(error @ Trouble::NoSuchName(_)) => trouble(StatusCode::NOT_FOUND, &error.to_string()),
        Err(error @ Trouble::Ending) => {
            trouble(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
        }
    }
}

/// What went wrong, in the form of everything else here.
#[derive(Debug, Serialize)]
struct Error<'a> {
    error: &'a str,
}

pub(super) fn trouble(status: StatusCode, error: &str) -> Answer {
    Answer::json(status, write(&Error { error }))
}

/// The fields of a query.
pub(super) struct Fields<'a>(pub(super) &'a str);

impl Fields<'_> {
    /// The first field of this name that says something.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.0
            .split('&')
            .filter_map(|field| field.split_once('='))
            .find(|(known, value)| *known == name && !value.is_empty())
            .map(|(_, value)| percent::decode(&value.replace('+', " ")))
    }

    /// As a number. What is none is like a negative one, which is complained about.
    fn number(&self, name: &str) -> Option<i64> {
        self.get(name).map(|text| text.parse().unwrap_or(-1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_query_are_found() {
        let fields = Fields("a=1&b=x%20y+z&c=&c=2&d");
        assert_eq!(fields.number("a"), Some(1));
        assert_eq!(fields.get("b").as_deref(), Some("x y z"));
        assert_eq!(fields.number("b"), Some(-1));
        assert_eq!(fields.get("c").as_deref(), Some("2"));
        assert_eq!((fields.get("d"), fields.get("e")), (None, None));
    }
}

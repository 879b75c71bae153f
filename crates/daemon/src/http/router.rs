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
use super::cross_site::{self, Circumstances};
use super::server::Server;
use super::{log_tail, rpc_endpoint};

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
    let answer = match refusal(server, stream, &request) {
        Some(answer) => answer,
        None => route(server, stream, state, request).await,
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
fn refusal(server: &Server, stream: &ClientStream, request: &Request<Incoming>) -> Option<Answer> {
    let credentials = server.config.credentials.as_ref();
    if let ClientStream::Tcp(_) = stream {
        let circumstances = Circumstances {
            own_names: &server.own_names,
            has_password: credentials.is_some(),
            is_loopback: stream.is_loopback(),
        };
        if let Err(refusal) = cross_site::check(request, circumstances) {
            let because = refusal.explanation();
            return Some(Answer::error_because(StatusCode::FORBIDDEN, because).closing());
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
    request: Request<Incoming>,
) -> Answer {
    let path = percent_decode(request.uri().path());
    let is_get = *request.method() == Method::GET;
    let services = &server.services;
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
    if path == "/ok.html" {
        return Answer::whole("text/plain", "OK");
    }
    // The pages for people, /, /index.html, /tail.html and the files beside them, are not here yet.
    let is_page = matches!(path.as_str(), "/" | "/index.html" | "/tail.html");
    if is_page || is_get || *request.method() == Method::HEAD {
        Answer::error(StatusCode::NOT_FOUND)
    } else {
        Answer::error(StatusCode::BAD_REQUEST)
    }
}

/// Undoes `%41`; what is no such escape stays, and what is no UTF-8 is replaced, as in Python's `unquote`.
pub(crate) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let digit = |at: usize| {
        let byte = char::from(*bytes.get(at)?);
        byte.to_digit(16).and_then(|digit| u8::try_from(digit).ok())
    };
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(high * 16 + low);
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_nothing_else() {
        for (text, expected) in [
            ("/logtail/a%3Ab", "/logtail/a:b"),
            ("%2f%2F", "//"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("%c3%a4", "ä"),
            ("%ff", "\u{fffd}"),
            ("", ""),
        ] {
            assert_eq!(percent_decode(text), expected);
        }
    }
}

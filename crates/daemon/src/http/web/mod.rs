//! The web pages: what people see of the daemon, and what scripts ask for as if they were people.
//!
//! Addresses, fields, messages and redirects are the original's; the pages look like ours. They need
//! neither JavaScript nor anything from elsewhere, and no `[rpcinterface:supervisor]`.
//!
//! Actions may be asked for with GET, as ever: by scripts, and by browsers that vouch for where the request
//! comes from. A browser that cannot is shown a button first ([`confirmation_page`]).

mod action;
mod assets;
mod confirmation_page;
mod form;
mod layout;
mod status_page;
mod tail_page;
mod token;

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, EXPIRES, HOST, HeaderMap, HeaderName, HeaderValue,
    LOCATION, PRAGMA, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, StatusCode};
use linchpin_core::DaemonState;
use linchpin_protocol::{Call, FaultCode};
use maud::Markup;

use super::answer::{Answer, Guard};
use super::client_stream::ClientStream;
use super::connection_state::{ConnectionState, Phase};
use super::cross_site::{self, Provenance};
use super::limits::INLINE_BYTES;
use super::percent;
use super::request_body;
use super::server::Services;
use crate::control::{Reply, Request as Question};
use crate::rpc::Answered;
use action::{Action, NoSuchAction};
use form::Form;
use status_page::StatusPage;
use tail_page::TailPage;

pub(crate) use token::Token;

/// Which page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    Status,
    Tail,
    /// Two letters for whoever wants to know that the server lives.
    Ok,
}

/// About how many bytes a row of the status page has.
const ROW_BYTES: usize = 1300;

/// Nothing from elsewhere, no script, no other site's frame around it, forms to here only.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'self'";

/// The page of a decoded path, for the methods that pages have.
pub(crate) fn page_of(method: &Method, path: &str) -> Option<Page> {
    if !matches!(*method, Method::GET | Method::POST) {
        return None;
    }
    match path.trim_start_matches('/') {
        "" | "index.html" => Some(Page::Status),
        "tail.html" => Some(Page::Tail),
        "ok.html" => Some(Page::Ok),
        _ => None,
    }
}

/// The answer to a request for anything that is no page, no log and no call.
pub(crate) fn asset(method: &Method, path: &str, headers: &HeaderMap) -> Answer {
    assets::answer(method, path, headers)
}

/// The answer to a request for a page.
pub(crate) async fn answer(
    services: &Services,
    stream: &ClientStream,
    state: &Arc<ConnectionState>,
    page: Page,
    request: Request<Incoming>,
) -> Answer {
    let visit = Visit {
        provenance: cross_site::provenance(request.headers()),
        base: Base::of(request.headers(), stream),
    };
    let query = request.uri().query().unwrap_or_default().to_owned();
    let posted = if *request.method() == Method::POST {
        let mut share = services.budget.body_share();
        state.enter(Phase::Body);
        match request_body::read(request, &mut share).await {
            Ok(body) => String::from_utf8_lossy(&body).into_owned(),
            Err(answer) => return answer,
        }
    } else {
        String::new()
    };
    state.enter(Phase::Answering);
    let form = Form::read(&query, &posted);
    match page {
        Page::Ok => Answer::whole("text/plain", "OK"),
        Page::Tail => tail(services, form).await,
        Page::Status => match Action::read(&form) {
            Ok(None) => status(services, form.message).await,
            Ok(Some(action)) => visit.act(services, &form, action).await,
            Err(NoSuchAction) => Answer::error(StatusCode::INTERNAL_SERVER_ERROR),
        },
    }
}

/// What there is to know about whoever asks.
struct Visit {
    provenance: Provenance,
    base: Base,
}

impl Visit {
    /// Carries out an action and sends the visitor back to the status page, which tells what came of it.
    async fn act(self, services: &Services, form: &Form, action: Action) -> Answer {
        let may_act = match self.provenance {
            Provenance::Ours => true,
            Provenance::Unknown | Provenance::Foreign => {
                !action.changes_something() || services.token.is(form.token.as_deref())
            }
        };
        if !may_act {
            let page = confirmation_page::render(&action, services.token.text());
            return dressed(Answer::page(StatusCode::FORBIDDEN, page.into_string()));
        }
        let Some(call) = services.budget.call() else {
            let because = "Too many calls are under way.";
            return Answer::error_because(StatusCode::SERVICE_UNAVAILABLE, because).closing();
        };
        let (control, rpc) = (services.control.clone(), services.rpc.clone());
        // A visitor who goes away loses the answer, never the operation.
        let task = tokio::spawn(async move {
            let message = action.carry_out(&control, &rpc).await;
            drop(call);
            message
        });
        match task.await {
            Ok(Ok(message)) => self.base.redirect(&message),
            Ok(Err(NoSuchAction)) | Err(_) => Answer::error(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

/// What the address of a redirect begins with.
enum Base {
    /// Nothing: the visitor is a browser, which knows best by which scheme, name and prefix it got here.
    Relative,
    /// The original's: `http` and the name by which the server was called.
    Absolute(String),
}

impl Base {
    fn of(headers: &HeaderMap, stream: &ClientStream) -> Self {
        if cross_site::looks_like_a_browser(headers) {
            return Self::Relative;
        }
        let host = match headers.get(HOST) {
            Some(host) => host.to_str().map(str::to_owned).ok(),
            // The original says the server's name, which is not always one that leads here.
            None => stream.local_address().map(|address| address.to_string()),
        };
        host.map_or(Self::Relative, |host| {
            let host = host.trim();
            let bare = [":80", ":"].iter().find_map(|port| host.strip_suffix(port));
            Self::Absolute(format!("http://{}", bare.unwrap_or(host)))
        })
    }

    fn redirect(&self, message: &str) -> Answer {
        let message = percent::encode(message);
        let location = match self {
            Self::Relative => format!("./?message={message}"),
            Self::Absolute(base) => format!("{base}/?message={message}"),
        };
        let answer = uncached(Answer::error(StatusCode::MOVED_PERMANENTLY));
        match HeaderValue::try_from(location) {
            Ok(location) => answer.with_header(LOCATION, location),
            // What came in a header can go out in one.
            Err(_) => Answer::error(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

async fn status(services: &Services, message: Option<String>) -> Answer {
    let (Reply::State { code, name }, Reply::Processes(processes)) = (
        services.control.ask(Question::State).await,
        services.control.ask(Question::Processes).await,
    ) else {
        return Answer::error(StatusCode::SERVICE_UNAVAILABLE);
    };
    let bytes = processes.len() * ROW_BYTES;
    let mut room = services.budget.answer_share();
    if !room.grow_to(bytes) {
        let because = "Too many large answers are waiting to be taken.";
        return Answer::error_because(StatusCode::SERVICE_UNAVAILABLE, because);
    }
    let page = StatusPage {
        processes,
        message,
        ending: (code < DaemonState::Running.code()).then_some(name),
        token: services.token.text().to_owned(),
    };
    rendered(bytes, Some(Box::new(room)), move || page.render()).await
}

async fn tail(services: &Services, form: Form) -> Answer {
    let limit = tail_page::limit(form.limit.as_deref());
    let (text, guard) = match &form.processname {
        None => ("No process name found".to_owned(), None),
        Some(name) => tail_text(services, name, limit).await,
    };
    let bytes = text.len();
    let page = TailPage {
        name: form.processname,
        text,
        limit,
    };
    rendered(bytes, guard, move || page.render()).await
}

/// The end of the standard output of a process, or the original's words for why there is none.
async fn tail_text(services: &Services, name: &str, limit: i64) -> (String, Option<Guard>) {
    let call = Call::ReadProcessStdoutLog {
        name: name.to_owned(),
        offset: -limit,
        length: 0,
    };
    let (result, guard) = services.rpc.carry_out(call).await;
    let text = match result {
        Ok(Answered::Text(text)) => text,
        Ok(_) => String::new(),
        Err(fault) if fault.kind() == Some(FaultCode::NoFile) => format!("No file for {name}"),
        Err(fault) => format!("ERROR: {}", action::unexpected(&fault)),
    };
    (text, guard)
}

/// Renders a page, a large one on a worker, so that the supervision does not wait.
async fn rendered(
    bytes: usize,
    guard: Option<Guard>,
    render: impl FnOnce() -> Markup + Send + 'static,
) -> Answer {
    let page = if bytes <= INLINE_BYTES {
        render()
    } else {
        match tokio::task::spawn_blocking(render).await {
            Ok(page) => page,
            Err(_) => return Answer::error(StatusCode::INTERNAL_SERVER_ERROR),
        }
    };
    let answer = dressed(Answer::page(StatusCode::OK, page.into_string()));
    match guard {
        Some(guard) => answer.with_guard(guard),
        None => answer,
    }
}

/// The headers of every page.
fn dressed(answer: Answer) -> Answer {
    let headers: [(HeaderName, &'static str); 3] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        // Pages of ours say so when they link to each other; others learn nothing.
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    headers
        .into_iter()
        .fold(uncached(answer), |answer, (name, value)| {
            answer.with_header(name, HeaderValue::from_static(value))
        })
}

/// Pages and redirects are for now only; a redirect that a browser remembered would repeat its message.
fn uncached(answer: Answer) -> Answer {
    let headers: [(HeaderName, &'static str); 3] = [
        (PRAGMA, "no-cache"),
        (CACHE_CONTROL, "no-cache"),
        (EXPIRES, "Thu, 01 Jan 1970 00:00:00 GMT"),
    ];
    headers.into_iter().fold(answer, |answer, (name, value)| {
        answer.with_header(name, HeaderValue::from_static(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_the_originals_addresses() {
        for (method, path, expected) in [
            ("GET", "/", Some(Page::Status)),
            ("POST", "/index.html", Some(Page::Status)),
            ("GET", "/tail.html", Some(Page::Tail)),
            ("GET", "/ok.html", Some(Page::Ok)),
            ("HEAD", "/", None),
            ("PUT", "/index.html", None),
            ("GET", "/index.htm", None),
            ("GET", "/index.html/", None),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(page_of(&method, path), expected, "{method} {path}");
        }
    }
}

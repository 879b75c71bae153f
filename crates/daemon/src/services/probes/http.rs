//! `http` and `https` probes: one request on a connection of its own, and what its answer must be.

use std::pin::pin;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, CONNECTION, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use linchpin_config::{HttpProbe, regular_expression};
use tokio::io::{AsyncRead, AsyncWrite};

use super::connect::Purpose;
use super::limits::{MOST_BODY_BYTES, MOST_HEAD_BYTES};
use super::tls::Trust;
use super::{Places, words};

/// How long the rest of an answer is waited for whose status has decided already, so that the server is not cut
/// short for nothing.
const REST: Duration = Duration::from_millis(100);

/// Either of the kinds of connection; one type, so that there is one copy of the client for both.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Asks.
///
/// # Errors
/// With what is wrong, in few words; none if nobody answered in time.
pub(super) async fn ask(
    places: &Places,
    probe: &HttpProbe,
    limit: Duration,
) -> Result<(), Option<String>> {
    let request = request(probe)?;
    let place = (probe.host.as_str(), probe.port);
    let stream = places.connect(place, Purpose::Talk, limit).await?;
    let stream: Box<dyn Stream> = if probe.tls {
        let trust = match &probe.ca {
            _ if probe.insecure => Trust::Anybody,
            Some(file) => Trust::File(file.clone()),
            None => Trust::System,
        };
        let connected = places
            .authorities
            .connect(&places.files, &trust, &probe.host, stream)
            .await;
        Box::new(connected?)
    } else {
        Box::new(stream)
    };
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(MOST_HEAD_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| of_http(&error))?;
    let mut exchange = pin!(async {
        let answer = sender.send_request(request).await;
        judge(places, probe, answer.map_err(|error| of_http(&error))?).await
    });
    tokio::select! {
        biased;
        judged = &mut exchange => judged,
        // What it has read is with the exchange, or its error is.
        _ = connection => exchange.await,
    }
}

fn request(probe: &HttpProbe) -> Result<Request<Empty<Bytes>>, Option<String>> {
    let wrong = |what: &str, value: &str| Some(format!("{what} cannot be sent: {value}"));
    let method =
        Method::from_bytes(probe.method.as_bytes()).map_err(|_| wrong("method", &probe.method))?;
    let target: Uri = probe.path.parse().map_err(|_| wrong("path", &probe.path))?;
    let mut request = Request::new(Empty::new());
    *request.method_mut() = method;
    *request.uri_mut() = target;
    let headers = request.headers_mut();
    let host = HeaderValue::from_str(&host_header(probe));
    headers.insert(HOST, host.map_err(|_| wrong("host", &probe.host))?);
    headers.insert(USER_AGENT, HeaderValue::from_static("linchpin-probe"));
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    let mut own = Vec::with_capacity(probe.headers.len());
    for (name, value) in &probe.headers {
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("header", name))?;
        let value = HeaderValue::from_str(value).map_err(|_| wrong("header", name))?;
        own.push((header, value));
    }
    // What is written takes the place of ours, and several of a name are several.
    for (name, _) in &own {
        headers.remove(name);
    }
    for (name, value) in own {
        headers.append(name, value);
    }
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(request)
}

pub(super) fn host_header(probe: &HttpProbe) -> String {
    let host = if probe.host.contains(':') {
        format!("[{}]", probe.host)
    } else {
        probe.host.clone()
    };
    match (probe.tls, probe.port) {
        (false, 80) | (true, 443) => host,
        (_, port) => format!("{host}:{port}"),
    }
}

async fn judge(
    places: &Places,
    probe: &HttpProbe,
    answer: Response<Incoming>,
) -> Result<(), Option<String>> {
    let status = answer.status().as_u16();
    let is_accepted = |&(first, last): &(u16, u16)| (first..=last).contains(&status);
    let is_right = probe.statuses.iter().any(is_accepted);
    let mut body = Vec::new();
    let reading = read(answer.into_body(), &mut body);
    let pattern = match &probe.body {
        Some(pattern) if is_right => {
            reading.await?;
            pattern.clone()
        }
        Some(_) | None => {
            let _ = tokio::time::timeout(REST, reading).await;
            return match is_right {
                true => Ok(()),
                false => Err(Some(format!("status {status}"))),
            };
        }
    };
    // An expression may take its time, so the loop must not be the one to wait.
    let thing = format!("body {} {pattern}", host_header(probe));
    match places
        .files
        .run(&thing, move || matches(&pattern, &body))
        .await
    {
        Some(Ok(true)) => Ok(()),
        Some(Ok(false)) => Err(Some("body does not match".to_owned())),
        Some(Err(error)) => Err(Some(format!("body= cannot be used: {error}"))),
        None => Err(Some(super::files::NO_THREAD.to_owned())),
    }
}

/// Reads so much of a body as is looked at.
async fn read(mut body: Incoming, into: &mut Vec<u8>) -> Result<(), Option<String>> {
    while into.len() < MOST_BODY_BYTES {
        let Some(frame) = body.frame().await else {
            break;
        };
        if let Ok(data) = frame.map_err(|error| of_http(&error))?.into_data() {
            let room = MOST_BODY_BYTES - into.len();
            into.extend_from_slice(&data[..data.len().min(room)]);
        }
    }
    Ok(())
}

fn matches(pattern: &str, body: &[u8]) -> Result<bool, String> {
    let expression = regular_expression(pattern).map_err(|error| error.to_string())?;
    Ok(expression.is_match(&String::from_utf8_lossy(body)))
}

fn of_http(error: &hyper::Error) -> Option<String> {
    let of_system = std::error::Error::source(error).and_then(|inner| inner.downcast_ref());
    Some(match of_system {
        Some(error) => words::of_connection(error),
        None if error.is_incomplete_message() => "connection closed before the answer".to_owned(),
        None if error.is_parse() => "the answer is no HTTP".to_owned(),
        None => error.to_string(),
    })
}

//! Answers: the original's headers and error pages, and the body types that hyper sends.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, SERVER};
use hyper::header::{HeaderName, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use linchpin_protocol::api::METRICS_TYPE;
use tokio::sync::mpsc;

use super::connection_state::{ConnectionState, Phase};

/// What the original says that it is; some clients look at it.
const SERVER_NAME: &str = "Medusa/1.12";

/// Where our own version stands.
const VERSION_HEADER: HeaderName = HeaderName::from_static("linchpin-version");

/// A whole answer before it meets its connection.
pub(crate) struct Answer {
    pub(crate) response: Response<Content>,
    /// Kept until the answer is sent.
    pub(crate) guard: Option<Guard>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("response", &self.response)
            .finish_non_exhaustive()
    }
}

/// Something whose end means that an answer is sent, or never will be.
pub(crate) type Guard = Box<dyn Send + Sync>;

/// What an answer carries.
#[derive(Debug)]
pub(crate) enum Content {
    /// These bytes.
    Whole(Bytes),
    /// Whatever comes, until the sender is dropped.
    Stream(mpsc::Receiver<Bytes>),
}

impl Content {
    /// Its length in bytes, if that is known.
    pub(crate) fn known_length(&self) -> Option<usize> {
        match self {
            Self::Whole(bytes) => Some(bytes.len()),
            Self::Stream(_) => None,
        }
    }
}

impl Answer {
    fn new(status: StatusCode, content_type: &'static str, content: Content) -> Self {
        let mut response = Response::new(content);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(SERVER, HeaderValue::from_static(SERVER_NAME));
        headers.insert(
            VERSION_HEADER,
            HeaderValue::from_static(env!("CARGO_PKG_VERSION")),
        );
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self {
            response,
            guard: None,
        }
    }

    /// 200 with these bytes.
    pub(crate) fn whole(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let length = HeaderValue::from(body.len());
        Self::new(StatusCode::OK, content_type, Content::Whole(body))
            .with_header(CONTENT_LENGTH, length)
    }

    /// 200 with what will come.
    pub(crate) fn stream(content_type: &'static str, pieces: mpsc::Receiver<Bytes>) -> Self {
        Self::new(StatusCode::OK, content_type, Content::Stream(pieces))
    }

    /// The original's error page.
    pub(crate) fn error(status: StatusCode) -> Self {
        Self::error_page(status, error_page(status, None))
    }

    /// The same with a sentence that says what to do about it.
    pub(crate) fn error_because(status: StatusCode, because: &str) -> Self {
        Self::error_page(status, error_page(status, Some(because)))
    }

    fn error_page(status: StatusCode, page: String) -> Self {
        Self::html(status, "text/html", page)
    }

    /// A page of ours.
    pub(crate) fn page(status: StatusCode, page: String) -> Self {
        Self::html(status, "text/html;charset=utf-8", page)
    }

    /// A document of ours.
    pub(crate) fn json(status: StatusCode, text: String) -> Self {
        Self::html(status, "application/json", text)
    }

    /// Metrics, for Prometheus.
    pub(crate) fn metrics(text: String) -> Self {
        Self::html(StatusCode::OK, METRICS_TYPE, text)
    }

    fn html(status: StatusCode, content_type: &'static str, page: String) -> Self {
        let length = HeaderValue::from(page.len());
        Self::new(status, content_type, Content::Whole(page.into()))
            .with_header(CONTENT_LENGTH, length)
    }

    /// 304, which has nothing in it.
    pub(crate) fn not_modified() -> Self {
        let mut answer = Self::new(
            StatusCode::NOT_MODIFIED,
            "text/plain",
            Content::Whole(Bytes::new()),
        );
        answer.response.headers_mut().remove(CONTENT_TYPE);
        answer
    }

    /// 401, which ends the connection as in the original.
    pub(crate) fn unauthorized() -> Self {
        Self::error(StatusCode::UNAUTHORIZED).closing().with_header(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"default\""),
        )
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.response.headers_mut().insert(name, value);
        self
    }

    /// Ends the connection after this answer.
    pub(crate) fn closing(self) -> Self {
        self.with_header(CONNECTION, HeaderValue::from_static("close"))
    }

    pub(crate) fn with_guard(mut self, guard: Guard) -> Self {
        self.guard = Some(guard);
        self
    }

    /// Makes of it what hyper sends; from here on the connection is answering.
    pub(crate) fn send(self, state: Arc<ConnectionState>) -> Response<AnswerBody> {
        let guard = self.guard;
        self.response.map(|content| {
            let (content, guard) = match (content, guard) {
                (Content::Whole(bytes), Some(guard)) => {
                    let guarded = Guarded {
                        bytes,
                        _guard: guard,
                    };
                    (Content::Whole(Bytes::from_owner(guarded)), None)
                }
                other => other,
            };
            state.enter(match content {
                Content::Whole(_) => Phase::Answering,
                Content::Stream(_) => Phase::Following,
            });
            AnswerBody {
                content: Some(content),
                state,
                _guard: guard,
            }
        })
    }
}

/// Reasons as the original words them.
fn reason(status: StatusCode) -> &'static str {
    match status {
        StatusCode::REQUEST_TIMEOUT => "Request Time-out",
        StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
        other => other.canonical_reason().unwrap_or("Unknown"),
    }
}

fn error_page(status: StatusCode, because: Option<&str>) -> String {
    let because = because.map_or_else(String::new, |text| format!("<p>{text}\r\n"));
    format!(
        "<head>\r\n<title>Error response</title>\r\n</head>\r\n<body>\r\n\
         <h1>Error response</h1>\r\n<p>Error code {}.\r\n<p>Message: {}.\r\n{because}</body>\r\n",
        status.as_u16(),
        reason(status),
    )
}

/// A whole error answer as bytes, for when there is no request to answer: it came too slowly, or there is
/// no room.
pub(crate) fn raw_error(status: StatusCode, because: &str) -> Vec<u8> {
    let page = error_page(status, Some(because));
    format!(
        "HTTP/1.1 {} {}\r\nServer: {SERVER_NAME}\r\nLinchpin-Version: {}\r\nConnection: close\r\n\
         Content-Type: text/html\r\nContent-Length: {}\r\n\r\n{page}",
        status.as_u16(),
        reason(status),
        env!("CARGO_PKG_VERSION"),
        page.len(),
    )
    .into_bytes()
}

/// Bytes that take their guard along: hyper lets go of the body as soon as it has its bytes, which may be long
/// before the client has taken them.
struct Guarded {
    bytes: Bytes,
    _guard: Guard,
}

impl AsRef<[u8]> for Guarded {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The body of an answer that is being sent. When it ends, the connection is idle again.
pub(crate) struct AnswerBody {
    content: Option<Content>,
    state: Arc<ConnectionState>,
    _guard: Option<Guard>,
}

impl std::fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnswerBody").finish_non_exhaustive()
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.state.enter(Phase::Idle);
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.content {
            Some(Content::Stream(pieces)) => pieces
                .poll_recv(cx)
                .map(|piece| piece.map(|bytes| Ok(Frame::data(bytes)))),
            Some(Content::Whole(_)) => match self.content.take() {
                Some(Content::Whole(bytes)) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Content::Stream(_)) | None => Poll::Ready(None),
            },
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            None => true,
            Some(Content::Whole(bytes)) => bytes.is_empty(),
            Some(Content::Stream(_)) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Some(Content::Whole(bytes)) => {
                SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
            }
            None => SizeHint::with_exact(0),
            Some(Content::Stream(_)) => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_pages_are_the_originals() {
        assert_eq!(
            error_page(StatusCode::NOT_FOUND, None),
            "<head>\r\n<title>Error response</title>\r\n</head>\r\n<body>\r\n\
             <h1>Error response</h1>\r\n<p>Error code 404.\r\n<p>Message: Not Found.\r\n</body>\r\n"
        );
        for (status, length) in [
            (StatusCode::BAD_REQUEST, 136),
            (StatusCode::UNAUTHORIZED, 137),
            (StatusCode::NOT_FOUND, 134),
            (StatusCode::LENGTH_REQUIRED, 140),
            (StatusCode::INTERNAL_SERVER_ERROR, 146),
        ] {
            assert_eq!(error_page(status, None).len(), length, "{status}");
        }
    }
}

//! Reading the body of a request within the limits.

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use hyper::{Request, StatusCode};

use super::answer::Answer;
use super::budget::BodyShare;
use super::limits::MAX_BODY_BYTES;

/// Reads a body of known length or in chunks (the original knows no chunks). It counts against `share`,
/// which must be kept as long as what is made of it.
///
/// # Errors
/// The answer to give: 411, 413, 503, or 400 where the body is not what its headers say.
pub(crate) async fn read(
    request: Request<Incoming>,
    share: &mut BodyShare,
) -> Result<Vec<u8>, Answer> {
    let headers = request.headers();
    if !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING) {
        return Err(Answer::error(StatusCode::LENGTH_REQUIRED));
    }
    let mut body = request.into_body();
    let too_large = || {
        Answer::error_because(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("A request may have {MAX_BODY_BYTES} bytes."),
        )
        .closing()
    };
    let most = u64::try_from(MAX_BODY_BYTES).unwrap_or(u64::MAX);
    if body.size_hint().lower() > most {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err(Answer::error(StatusCode::BAD_REQUEST).closing());
        };
        // Trailers say nothing that we want to know.
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        if bytes.len() + piece.len() > MAX_BODY_BYTES {
            return Err(too_large());
        }
        if !share.grow(piece.len()) {
            let because = "Too many large requests at once.";
            return Err(Answer::error_because(StatusCode::SERVICE_UNAVAILABLE, because).closing());
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

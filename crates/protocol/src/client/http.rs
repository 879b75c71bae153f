//! The little HTTP that a client needs: two forms of request and the head of an answer.

use std::fmt::Write as _;

use super::address::ServerUrl;
use super::error::ClientError;

/// Longest head of an answer in bytes.
pub(super) const MAX_HEAD_BYTES: usize = 64 * 1024;

const USER_AGENT: &str = concat!("linchpin/", env!("CARGO_PKG_VERSION"));

pub(super) fn post_request(url: &ServerUrl, authorization: Option<&str>, body: &[u8]) -> Vec<u8> {
    // Host and User-Agent first, as Python sends them; the rest in no order that matters.
    let mut head = format!(
        "POST /RPC2 HTTP/1.1\r\nHost: {url}\r\nAccept-Encoding: identity\r\n\
         User-Agent: {USER_AGENT}\r\nContent-Type: text/xml\r\nAccept: text/xml\r\n"
    );
    if let Some(authorization) = authorization {
        // Writing to a string cannot fail.
        let _ = write!(head, "Authorization: {authorization}\r\n");
    }
    let _ = write!(head, "Content-Length: {}\r\n\r\n", body.len());
    let mut request = head.into_bytes();
    request.extend_from_slice(body);
    request
}

pub(super) fn get_request(url: &ServerUrl, authorization: Option<&str>, path: &str) -> Vec<u8> {
    let mut head = format!(
        "GET {} HTTP/1.1\r\nHost: {url}\r\nAccept-Encoding: chunked\r\nAccept: */*\r\n\
         User-Agent: {USER_AGENT}\r\n",
        encoded(path)
    );
    if let Some(authorization) = authorization {
        let _ = write!(head, "Authorization: {authorization}\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// A request with a document of ours. `path` is written as it is sent.
pub(super) fn json_request(
    url: &ServerUrl,
    authorization: Option<&str>,
    method: &str,
    path: &str,
    body: &str,
) -> Vec<u8> {
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {url}\r\nUser-Agent: {USER_AGENT}\r\n\
         Content-Type: application/json\r\nAccept: application/json, application/x-ndjson\r\n"
    );
    if let Some(authorization) = authorization {
        let _ = write!(head, "Authorization: {authorization}\r\n");
    }
    let _ = write!(head, "Content-Length: {}\r\n\r\n{body}", body.len());
    head.into_bytes()
}

/// Percent-encodes what cannot stand in a path. The original sends names as they are, so a process
/// with a `%` or `?` in its name cannot be followed there.
fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:*!$&'()+,;=@".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// How the end of a body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Length(usize),
    Chunked,
    UntilClosed,
}

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) framing: Framing,
    pub(super) keep_alive: bool,
}

/// Where the head ends, with the empty line, if it is all there.
pub(super) fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .map(|at| at + 4)
}

pub(super) fn parse_head(bytes: &[u8]) -> Result<Head, ClientError> {
    let bad = |what| ClientError::NotHttp { what };
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split("\r\n");
    let mut first = lines.next().unwrap_or_default().splitn(3, ' ');
    let version = first.next().unwrap_or_default();
    if !version.starts_with("HTTP/1.") {
        return Err(bad("no status line"));
    }
    let status = first
        .next()
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| bad("no status"))?;
    let reason = first.next().unwrap_or_default().to_owned();
    let mut keep_alive = version != "HTTP/1.0";
    let mut framing = Framing::UntilClosed;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") && framing != Framing::Chunked {
            let length = value.parse().map_err(|_| bad("a bad Content-Length"))?;
            framing = Framing::Length(length);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            if !value.eq_ignore_ascii_case("chunked") {
                return Err(bad("an unknown Transfer-Encoding"));
            }
            framing = Framing::Chunked;
        } else if name.eq_ignore_ascii_case("connection") {
            keep_alive = if value.eq_ignore_ascii_case("close") {
                false
            } else {
                keep_alive || value.eq_ignore_ascii_case("keep-alive")
            };
        }
    }
    Ok(Head {
        status,
        reason,
        framing,
        keep_alive: keep_alive && framing != Framing::UntilClosed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &str, expected: (u16, Framing, bool)) {
        let head = parse_head(head.as_bytes()).unwrap();
        assert_eq!((head.status, head.framing, head.keep_alive), expected);
    }

    #[test]
    fn heads_are_read() {
        check(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            (200, Framing::Length(5), true),
        );
        check(
            "HTTP/1.0 200 OK\r\ncontent-length:5\r\nConnection: Keep-Alive\r\n\r\n",
            (200, Framing::Length(5), true),
        );
        check(
            "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            (401, Framing::Length(0), false),
        );
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
            (200, Framing::Chunked, true),
        );
        check("HTTP/1.1 200\r\n\r\n", (200, Framing::UntilClosed, false));
    }

    #[test]
    fn other_protocols_are_refused() {
        for head in [
            "",
            "SSH-2.0-x\r\n\r\n",
            "HTTP/1.1 x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        ] {
            assert!(parse_head(head.as_bytes()).is_err(), "{head}");
        }
    }

    #[test]
    fn names_in_paths_are_encoded() {
        assert_eq!(encoded("/logtail/a:b%c é"), "/logtail/a:b%25c%20%C3%A9");
    }
}

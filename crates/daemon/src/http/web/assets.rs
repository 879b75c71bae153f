//! The files beside the pages, under the names that they have in the original.

use std::sync::LazyLock;

use hyper::header::{HeaderMap, HeaderValue, IF_MODIFIED_SINCE, LAST_MODIFIED};
use hyper::{Method, StatusCode};
use linchpin_sys::time::wall;

use super::super::answer::Answer;
use super::super::calendar::CivilTime;

/// A file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asset {
    content_type: &'static str,
    bytes: &'static [u8],
}

/// A name, without the slash in front.
const ASSETS: &[(&str, Asset)] = &[
    (
        "stylesheets/supervisor.css",
        Asset {
            content_type: "text/css",
            bytes: include_bytes!("assets/supervisor.css"),
        },
    ),
    (
        "images/icon.png",
        Asset {
            content_type: "image/png",
            bytes: include_bytes!("assets/icon.png"),
        },
    ),
    // The original's pages show these. Ours do not; they are here for pages that people made of them.
    (
        "images/supervisor.gif",
        gif(include_bytes!("assets/supervisor.gif")),
    ),
    ("images/rule.gif", gif(include_bytes!("assets/rule.gif"))),
    (
        "images/state0.gif",
        gif(include_bytes!("assets/state0.gif")),
    ),
    (
        "images/state1.gif",
        gif(include_bytes!("assets/state1.gif")),
    ),
    (
        "images/state2.gif",
        gif(include_bytes!("assets/state2.gif")),
    ),
    (
        "images/state3.gif",
        gif(include_bytes!("assets/state3.gif")),
    ),
];

const fn gif(bytes: &'static [u8]) -> Asset {
    Asset {
        content_type: "image/gif",
        bytes,
    }
}

/// Seconds since 1970. The files change with the program only, so they are as old as its run.
static MODIFIED: LazyLock<i64> = LazyLock::new(|| wall().div_euclid(1_000_000_000));

/// The answer to a request for anything that is neither a page nor a log.
pub(super) fn answer(method: &Method, path: &str, headers: &HeaderMap) -> Answer {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Answer::error(StatusCode::BAD_REQUEST);
    }
    let name = path.trim_start_matches('/');
    let Some((_, asset)) = ASSETS.iter().find(|(known, _)| *known == name) else {
        return Answer::error(StatusCode::NOT_FOUND);
    };
    let modified = *MODIFIED;
    let since = headers
        .get(IF_MODIFIED_SINCE)
        .and_then(|value| value.to_str().ok())
        .and_then(CivilTime::parse_http_date);
    if since.is_some_and(|since| modified <= since) {
        return Answer::not_modified();
    }
    let answer = Answer::whole(asset.content_type, asset.bytes);
    match HeaderValue::try_from(CivilTime::of_seconds(modified).http_date()) {
        Ok(date) => answer.with_header(LAST_MODIFIED, date),
        Err(_) => answer,
    }
}

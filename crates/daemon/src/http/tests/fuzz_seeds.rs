//! The seeds of the fuzz target about clients, and what the target found.

#[expect(unreachable_pub, reason = "the targets are a crate of their own")]
#[path = "../../../../../fuzz/src/replay.rs"]
mod replay;

#[test]
fn any_bytes_are_answered_in_http_or_refused() {
    replay::replay("http", crate::http::fuzzing::request);
}

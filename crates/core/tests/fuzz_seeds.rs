//! The seeds of the fuzz target about event listeners, and what the target found.

#[path = "../../../fuzz/src/listener.rs"]
pub mod listener;
#[path = "../../../fuzz/src/machine.rs"]
pub mod machine;
#[expect(clippy::disallowed_methods, reason = "seeds are files")]
#[path = "../../../fuzz/src/replay.rs"]
pub mod replay;

#[test]
fn whatever_a_listener_says_its_pool_stays_within_its_bounds() {
    replay::replay("listener", listener::said);
}

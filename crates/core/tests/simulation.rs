//! The core under twenty thousand random histories.

mod simulator;
mod support;

/// How many histories, and of how many events at least.
const HISTORIES: u64 = 20_000;
const EVENTS: usize = 200;

#[test]
fn no_history_breaks_an_invariant() {
    let mut events = 0;
    for seed in 0..HISTORIES {
        match simulator::simulate(seed, EVENTS) {
            Ok(count) => events += count,
            Err(broken) => panic!("{broken}"),
        }
    }
    println!("{HISTORIES} histories, {events} events");
}

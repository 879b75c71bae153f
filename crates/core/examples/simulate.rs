//! Simulates the core for as long as one likes.
//!
//! `cargo run --release -p linchpin-core --example simulate -- [--seed N] [--histories N] [--seconds N] [--events N]`
//!
//! `--seed N` alone replays that one history; otherwise it is the first of many. Ends with 1 at the first
//! history that breaks an invariant, and prints what is needed for it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program of its own, with a terminal and a clock"
)]

#[path = "../tests/support/fastcgi.rs"]
mod fastcgi;
#[path = "../tests/simulator/mod.rs"]
mod simulator;
#[path = "../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;

/// What is asked for on the command line.
struct Request {
    first: u64,
    histories: u64,
    seconds: u64,
    events: usize,
}

fn main() -> ExitCode {
    let request = match request() {
        Ok(request) => request,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    let start = std::time::Instant::now();
    let mut events = 0;
    let mut count = 0;
    for seed in request.first..request.first.saturating_add(request.histories) {
        if start.elapsed().as_secs() >= request.seconds {
            break;
        }
        match simulator::simulate(seed, request.events) {
            Ok(more) => events += more,
            Err(broken) => {
                println!("{broken}");
                println!(
                    "replay with: --seed {} --events {}",
                    broken.seed, request.events
                );
                return ExitCode::FAILURE;
            }
        }
        count += 1;
    }
    println!(
        "{count} histories from seed {} on, {events} events, {:.1} s: every invariant held",
        request.first,
        start.elapsed().as_secs_f64()
    );
    ExitCode::SUCCESS
}

fn request() -> Result<Request, String> {
    let mut seed = None;
    let mut histories = None;
    let mut seconds = None;
    let mut events = 200;
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments
            .next()
            .ok_or_else(|| format!("{name} needs a number"))?;
        let number: u64 = value
            .parse()
            .map_err(|_| format!("{name} needs a number, not {value}"))?;
        match name.as_str() {
            "--seed" => seed = Some(number),
            "--histories" => histories = Some(number),
            "--seconds" => seconds = Some(number),
            "--events" => events = usize::try_from(number).unwrap_or(usize::MAX),
            _ => {
                return Err(format!(
                    "{name} is none of --seed, --histories, --seconds, --events"
                ));
            }
        }
    }
    let many = if seed.is_some() { 1 } else { 20_000 };
    Ok(Request {
        first: seed.unwrap_or(0),
        // With a time and no number, the time decides.
        histories: histories.unwrap_or(if seconds.is_some() { u64::MAX } else { many }),
        seconds: seconds.unwrap_or(u64::MAX),
        events,
    })
}

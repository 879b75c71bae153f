//! What the core does, behaviour by behaviour: each file of `behaviour/` holds scripts whose names say it.

#[path = "behaviour/check_words.rs"]
mod check_words;
#[path = "support/fastcgi.rs"]
mod fastcgi;
#[path = "behaviour/script.rs"]
mod script;
#[path = "behaviour/service.rs"]
mod service;
#[path = "behaviour/service_words.rs"]
mod service_words;
#[path = "behaviour/sharing.rs"]
mod sharing;
mod support;
#[path = "behaviour/why.rs"]
mod why;

use script::check;

#[test]
fn starts_and_retries() {
    check(include_str!("behaviour/starts.txt"));
}

#[test]
fn ends_and_restarts() {
    check(include_str!("behaviour/ends.txt"));
}

#[test]
fn stops() {
    check(include_str!("behaviour/stops.txt"));
}

#[test]
fn process_groups_and_late_starts() {
    check(include_str!("behaviour/remains.txt"));
}

#[test]
fn operations_and_their_replies() {
    check(include_str!("behaviour/operations.txt"));
}

#[test]
fn shared_sockets() {
    check(include_str!("behaviour/sockets.txt"));
}

#[test]
fn groups_and_reloads() {
    check(include_str!("behaviour/groups.txt"));
}

#[test]
fn shutdown_and_restart_of_the_daemon() {
    check(include_str!("behaviour/shutdown.txt"));
}

#[test]
fn events_and_listeners() {
    check(include_str!("behaviour/events.txt"));
}

#[test]
fn dependencies() {
    check(include_str!("behaviour/dependencies.txt"));
}

#[test]
fn explanations() {
    check(include_str!("behaviour/explanations.txt"));
}

#[test]
fn restarts_of_services() {
    check(include_str!("behaviour/restarts.txt"));
}

#[test]
fn oneshots() {
    check(include_str!("behaviour/oneshots.txt"));
}

#[test]
fn hooks() {
    check(include_str!("behaviour/hooks.txt"));
}

#[test]
fn ends_of_the_daemon() {
    check(include_str!("behaviour/daemon_ends.txt"));
}

#[test]
fn readiness() {
    check(include_str!("behaviour/readiness.txt"));
}

#[test]
fn liveness_and_memory() {
    check(include_str!("behaviour/liveness.txt"));
}

#[test]
fn notifications() {
    check(include_str!("behaviour/notify.txt"));
}

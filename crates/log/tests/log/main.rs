//! The log thread and its helpers from outside, on real pipes and files.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test waits for one kind of event and takes no interest in new ones"
)]

#[cfg(test)]
mod auto_logs;
#[cfg(test)]
mod common;
#[cfg(test)]
mod content;
#[cfg(test)]
mod draining;
#[cfg(test)]
mod events_bound;
#[cfg(test)]
mod files;
#[cfg(test)]
mod main_log;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod slow_sinks;

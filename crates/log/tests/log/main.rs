//! The log thread and its helpers from outside, on real pipes and files.

mod common;
mod content;
mod draining;
mod rotation;
mod slow_sinks;

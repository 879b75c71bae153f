//! The log thread and its helpers from outside, on real pipes and files.

mod common;
mod draining;
mod slow_sinks;

//! The shell around the core: processes, timers, signals, HTTP.
#![forbid(unsafe_code)]

mod control;

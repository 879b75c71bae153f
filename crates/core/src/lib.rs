//! Supervision as a pure state machine: events and time in, actions out.
#![forbid(unsafe_code)]

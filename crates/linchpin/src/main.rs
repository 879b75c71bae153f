//! The multi-call binary: argument parsing and wiring, nothing else.
#![forbid(unsafe_code)]

fn main() {}

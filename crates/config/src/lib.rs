//! The configuration language: text, sections with spans, typed options, the resolved configuration.
#![forbid(unsafe_code)]

mod model;

pub use model::*;

/// What loading reads of the machine.
#[derive(Debug)]
pub struct World;

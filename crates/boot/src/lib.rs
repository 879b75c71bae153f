//! Container boot: what is decided and made before, and beside, the programs of a container.
#![forbid(unsafe_code)]

pub mod language;
pub mod settings;

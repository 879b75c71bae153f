//! Container boot: what is decided and made before, and beside, the programs of a container.
//!
//! The steps (`preflight`, `ca_roots`, `certificates`) each read a section of the configuration, do what is left to be done, and answer
//! with a report for people. Done again they find nothing to do. A dry run goes the same way and leaves out the writing.
#![forbid(unsafe_code)]

mod asking;
pub mod ca_roots;
pub mod certificates;
mod date;
mod der;
pub mod identity;
pub mod language;
mod pem;
pub mod preflight;
mod private_file;
pub mod proxies;
mod reading;
pub mod sequence;
pub mod settings;
pub mod templates;
#[cfg(test)]
mod testing;
mod writing;
mod x509;

pub use private_file::{keep_private, read_private};
pub use writing::{WriteError, Writing};

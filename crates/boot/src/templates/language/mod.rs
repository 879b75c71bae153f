//! The language of templates: Jinja's, with settings and the environment under their own names.
//!
//! Whatever is not there is an error, because a hole in a generated file is found only when something breaks. Messages
//! name variables and never their values.

mod address_parts;
mod engine;
mod escaping;
mod scope;
#[cfg(test)]
mod tests;
mod words;

pub(super) use engine::{Problem, render};
pub(super) use escaping::escaped_forms;
pub(super) use scope::Names;

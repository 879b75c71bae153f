//! The language of conditions and templates: Jinja's expressions, with the variables of the environment under their
//! own names, and a few functions about where an address points.
//!
//! Expressions cannot run for ever: they have a budget of steps. Messages name variables and never their values.

mod address;
mod conditions;
pub(crate) mod words;

pub use address::{Address, Host};
pub use conditions::{ConditionError, is_true};

//! The settings of a product: what `[setting:NAME]` declares, and what their values may be.
//!
//! Only the declarations are the configuration's business. Where values come from, how they are kept and
//! written, is in the crate `boot`. What is said about a value never contains it: it may be a secret.

mod alphabet;
mod model;
mod name;
mod phase;
mod read;
#[cfg(test)]
mod tests;
mod url;
mod value;

pub use model::{Encoding, Generate, SettingConfig, SettingType, SettingsConfig, Validation};
pub use name::{NameProblem, check_name};
pub use phase::{SettingsLoaded, load_settings};
pub(crate) use read::{TYPES, settings};
pub use url::{Host, Url, UrlProblem};

//! Settings: the file that keeps them, where values come from, secrets of the first boot, and changes.
//!
//! What is declared is in the configuration ([`linchpin_config::SettingsConfig`]). A value never gets into a message, an
//! error or a `Debug` text.

mod change;
mod document;
pub mod env_file;
mod first_boot;
mod given;
mod layers;
mod random;
mod show;
mod store;
#[cfg(test)]
mod tests;
mod validation;

pub use change::{ChangeError, Changed, Draft, Edit, change, draft, restore};
pub use document::{SettingStatus, SettingsReport, report};
pub use first_boot::{Generated, generate_missing, to_generate};
pub use given::{GIVEN, from_outside, not_text};
pub use layers::{Effective, Found, Layer, Resolved, resolve};
pub(crate) use show::{MASK, without_passwords};
pub use show::{shown, without_values};
pub use store::{LOCK_PATIENCE, Locked, Store, StoreError, Trial, Version};
pub use validation::{Invalid, judge};

//! Settings: the file that keeps them, where values come from, secrets of the first boot, and changes.
//!
//! What is declared is in the configuration ([`linchpin_config::SettingsConfig`]). A value never gets into a message, an
//! error or a `Debug` text.

mod change;
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

pub use change::{ChangeError, Changed, Edit, change, restore};
pub use first_boot::{Generated, generate_missing, to_generate};
pub use given::{GIVEN, from_outside};
pub use layers::{Effective, Found, Layer, Resolved, resolve};
pub use show::shown;
pub(crate) use show::{MASK, without_passwords, without_values};
pub use store::{LOCK_PATIENCE, Locked, Store, StoreError, Version};
pub use validation::{Invalid, judge};

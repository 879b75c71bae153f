//! Settings: the file that keeps them, where values come from, secrets of the first boot, and changes.
//!
//! What is declared is in the configuration (`linchpin_config::SettingsConfig`). A value never gets into a message,
//! an error or a `Debug` text.

pub mod env_file;

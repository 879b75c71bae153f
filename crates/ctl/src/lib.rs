//! `supervisorctl`: the commands that people and scripts give a daemon; and what people ask it, in `people`.
//!
//! Of supervisorctl everything goes through [`Controller`], which writes to what it is given and returns an exit
//! code; it prints nothing by itself and never ends the process.
#![forbid(unsafe_code)]

mod command_line;
mod commands;
mod completion;
mod controller;
mod error;
mod exit_code;
mod fault_words;
mod fnmatch;
mod history;
mod input;
mod interrupts;
mod output;
mod people;
mod plugin;
mod prompt;
mod rescue;
mod run;
mod session;
mod setting_commands;
mod settings;
mod shell;
mod topics;

pub use controller::{Controller, Streams};
pub use exit_code::ExitCode;
pub use people::{Errand, ask};
pub use plugin::{PLUGINS, Plugin};
pub use run::run;
pub use setting_commands::manage_settings;
pub use settings::Settings;

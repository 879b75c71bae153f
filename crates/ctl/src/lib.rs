//! `supervisorctl`: the commands that people and scripts give a daemon.
//!
//! Everything goes through [`Controller`], which writes to what it is given and returns an exit
//! code; it prints nothing by itself and never ends the process.
#![forbid(unsafe_code)]

mod command_line;
mod commands;
mod controller;
mod error;
mod exit_code;
mod fault_words;
mod interrupts;
mod output;
mod run;
mod session;
mod settings;
mod shell;
mod topics;

pub use controller::{Controller, Streams};
pub use exit_code::ExitCode;
pub use run::run;
pub use settings::Settings;

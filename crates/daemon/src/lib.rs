//! The shell around the core: processes, timers, signals, HTTP.
//!
//! [`Invocation::run`] takes it from a command line to an exit code. In between, one thread runs the
//! loop (`shell`), which owns the core; what may wait for a disk or an exec runs elsewhere (`spawner`,
//! `loading`, the log thread of `linchpin-log`). Clients are served by `http` and `rpc`, which know the
//! supervision only through `control`.
#![forbid(unsafe_code)]

mod api;
mod apply;
mod boot;
mod control;
mod descriptor;
mod fastcgi;
mod http;
#[cfg(test)]
mod limits_page;
mod loading;
mod messages;
mod rpc;
mod servers;
mod services;
mod settings;
mod shell;
mod site;
mod spawner;
mod startup;
mod world;

/// For the fuzz targets.
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing {
    pub use crate::http::fuzzing::request;
}

pub use boot::{Booted, boot};
pub use linchpin_core::RESULT_HANDLERS;
pub use rpc::RPC_INTERFACES;
pub use settings::world_to_check;
pub use startup::Invocation;
pub use world::SystemWorld;

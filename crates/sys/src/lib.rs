//! Every system call that needs unsafe code or care: spawn, reap, signals, credentials, limits, accounts.
//!
//! Nothing here decides anything about services; it does what it is told and says exactly what the kernel
//! answered. Every descriptor that is made here is close-on-exec. libc's account and host look-ups are
//! never called, because in a static glibc build they load shared objects and may crash.

pub mod accounts;
pub mod credentials;
pub mod errno_name;
pub mod group;
pub mod limits;
mod pid;
mod python_text;
pub mod reap;
pub mod signals;
pub mod spawn;

pub use pid::Pid;

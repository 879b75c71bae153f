//! Every system call that needs unsafe code or care: spawn, reap, signals, credentials, limits, accounts.
//!
//! Nothing here decides anything about services; it does what it is told and says exactly what the kernel
//! answered. Every descriptor that is made here is close-on-exec. libc's account and host look-ups are
//! never called, because in a static glibc build they load shared objects and may crash.

pub mod accounts;
pub mod command_path;
pub mod credentials;
pub mod daemonize;
pub mod directory_watch;
pub mod errno_name;
mod getent;
pub mod group;
pub mod helper;
pub mod host;
pub mod limits;
pub mod memory;
mod pid;
pub mod pidfd;
pub mod pipe;
pub mod privileges;
pub mod program_pages;
pub mod random;
pub mod reap;
pub mod signals;
pub mod sockets;
pub mod spawn;
pub mod terminal;
pub mod time;
pub mod usage;
pub mod wall_timer;
pub mod words;

pub use pid::Pid;

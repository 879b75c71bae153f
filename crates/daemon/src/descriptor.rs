//! Waiting for a descriptor of ours that tokio has no type for: signals, deleted socket files, the wall clock.

use std::io;
use std::os::fd::AsRawFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Has the runtime watch a descriptor for reading.
///
/// # Errors
/// If it cannot be watched.
#[expect(
    deprecated,
    reason = "its replacement is unsafe because a type may return a descriptor that it does not own; the types that \
              come here (SignalFd, SocketWatch, WallTimer, OwnedFd) own theirs for as long as they live"
)]
pub(crate) fn readable<T: AsRawFd>(descriptor: T) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(descriptor, Interest::READABLE)
}

//! Knowing whether the file of a unix socket is still ours, and hearing when it is not.
//!
//! People, `tmpfiles` cleaners and images that empty `/tmp` delete socket files. The listener lives on, but nobody
//! can reach it, until it is bound anew.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{CreateFlags, WatchFlags};
use rustix::io::Errno;

/// The file of a unix socket that this process has made, recognised by device and inode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl SocketFile {
    pub(super) fn new(path: PathBuf) -> rustix::io::Result<Self> {
        let identity = identity(&path)?;
        Ok(Self { path, identity })
    }

    /// Where it is, or was.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path still leads to this socket.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        identity(&self.path) == Ok(self.identity)
    }

    /// Deletes the file, if it is still ours: another daemon may have taken the path over.
    ///
    /// # Errors
    /// As the kernel says; that there is nothing any more is none.
    pub fn remove(&self) -> io::Result<()> {
        if !self.is_in_place() {
            return Ok(());
        }
        match rustix::fs::unlink(&self.path) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

fn identity(path: &Path) -> rustix::io::Result<(u64, u64)> {
    let stat = rustix::fs::lstat(path)?;
    Ok((stat.st_dev, stat.st_ino))
}

/// News about socket files as a descriptor to wait on: non-blocking and close-on-exec.
///
/// It watches the inodes and not their directories, so a busy `/tmp` wakes nobody. A directory that is renamed with
/// the socket in it goes unnoticed.
#[derive(Debug)]
pub struct SocketWatch(OwnedFd);

/// A file that is being watched.
#[derive(Debug)]
pub struct WatchedFile(i32);

impl SocketWatch {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// `EMFILE` at the user's limit of inotify instances.
    pub fn new() -> io::Result<Self> {
        let flags = CreateFlags::CLOEXEC | CreateFlags::NONBLOCK;
        Ok(Self(rustix::fs::inotify::init(flags)?))
    }

    /// Watches this file until it is deleted. Should it be gone already, the caller learns that from
    /// [`SocketFile::is_in_place`], which it asks after this.
    ///
    /// # Errors
    /// `ENOENT` if it is gone, `EACCES` if its mode does not let us read it, `ENOSPC` at the user's limit of watches.
    pub fn add(&self, file: &SocketFile) -> io::Result<WatchedFile> {
        // Deleting one of several names, or the last one while the socket still holds the inode, shows as a change
        // of attributes (the link count); DELETE_SELF comes only when the socket is closed too.
        let news = WatchFlags::ATTRIB
            | WatchFlags::MOVE_SELF
            | WatchFlags::DELETE_SELF
            | WatchFlags::DONT_FOLLOW;
        let watched = rustix::fs::inotify::add_watch(&self.0, file.path(), news)?;
        Ok(WatchedFile(watched))
    }

    /// Watches this file no longer.
    ///
    /// Whoever is going to drop the whole does this some time before, if it can: closing waits, up to 20 ms, until
    /// the kernel is rid of the last watches.
    pub fn remove(&self, watched: &WatchedFile) {
        // It fails when the file is gone, which has ended the watch as well.
        let _ = rustix::fs::inotify::remove_watch(&self.0, watched.0);
    }

    /// Takes all news; whether there was any. What it was about does not matter: ask
    /// [`SocketFile::is_in_place`] of every file.
    ///
    /// # Errors
    /// None that a kernel is known to give.
    pub fn drain(&self) -> io::Result<bool> {
        let mut had_news = false;
        let mut buffer = [0; 4096];
        loop {
            match rustix::io::read(&self.0, &mut buffer) {
                Ok(0) | Err(Errno::AGAIN) => return Ok(had_news),
                Ok(_) => had_news = true,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl AsFd for SocketWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for SocketWatch {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

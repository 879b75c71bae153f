//! Directories in which something may change, for a thread that waits for that and for nothing else.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{CreateFlags, WatchFlags};
use rustix::io::Errno;

/// Longest that is waited at once; longer waits only make the thread look once more.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// Why a wait has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// Something in a directory has changed.
    Changed,
    /// The time is over.
    TimedOut,
    /// Nobody wants this any more: the other end of the pipe is closed.
    Unwanted,
}

/// News of names in directories: files that are made, written, renamed or deleted.
#[derive(Debug)]
pub struct DirectoryWatch(Option<OwnedFd>);

impl DirectoryWatch {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// `EMFILE` at the user's limit of inotify instances.
    pub fn new() -> io::Result<Self> {
        let flags = CreateFlags::CLOEXEC | CreateFlags::NONBLOCK;
        Ok(Self(Some(rustix::fs::inotify::init(flags)?)))
    }

    /// One that never has news, for where no other can be had.
    #[must_use]
    pub fn blind() -> Self {
        Self(None)
    }

    /// Watches a directory; one that is watched already stays so.
    ///
    /// # Errors
    /// If it is not there, or cannot be read; `ENOSPC` at the user's limit of watches.
    pub fn add(&self, directory: &Path) -> io::Result<()> {
        let news = WatchFlags::CREATE
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE
            | WatchFlags::ATTRIB
            // Another one may come to its place.
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        if let Some(inotify) = &self.0 {
            rustix::fs::inotify::add_watch(inotify, directory, news)?;
        }
        Ok(())
    }

    /// Watches a directory for the next name that appears in it, and no longer.
    ///
    /// # Errors
    /// As for [`DirectoryWatch::add`].
    pub fn add_for_next_name(&self, directory: &Path) -> io::Result<()> {
        let news = WatchFlags::CREATE
            | WatchFlags::MOVED_TO
            | WatchFlags::ONESHOT
            | WatchFlags::MASK_CREATE
            | WatchFlags::ONLYDIR;
        if let Some(inotify) = &self.0 {
            match rustix::fs::inotify::add_watch(inotify, directory, news) {
                // It is watched for more than that already.
                Ok(_) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// Waits for a change, or until nobody holds the other end of the pipe any more.
    ///
    /// # Errors
    /// None that a kernel is known to give.
    pub fn wait(&self, wanted: BorrowedFd<'_>, longest: Duration) -> io::Result<Waited> {
        let longest = longest.min(LONGEST_WAIT);
        let timeout = Timespec {
            tv_sec: i64::try_from(longest.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: longest.subsec_nanos().into(),
        };
        let mut ends = vec![PollFd::from_borrowed_fd(wanted, PollFlags::IN)];
        let inotify = self.0.as_ref();
        ends.extend(inotify.map(|inotify| PollFd::new(inotify, PollFlags::IN)));
        match poll(&mut ends, Some(&timeout)) {
            Ok(0) => return Ok(Waited::TimedOut),
            // Rather once too often than never.
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        if !ends[0].revents().is_empty() {
            return Ok(Waited::Unwanted);
        }
        self.drain()?;
        Ok(Waited::Changed)
    }

    fn drain(&self) -> io::Result<()> {
        let Some(inotify) = &self.0 else {
            return Ok(());
        };
        let mut buffer = [0; 4096];
        loop {
            match rustix::io::read(inotify, &mut buffer) {
                Ok(0) | Err(Errno::AGAIN) => return Ok(()),
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use super::*;
    use crate::pipe::{NonBlocking, Pipe};

    #[test]
    fn changes_end_a_wait_and_so_does_nobody_who_wants_them() {
        let folder = tempfile::tempdir().unwrap();
        let Pipe { reader, writer } = Pipe::new(NonBlocking::Neither).unwrap();
        let watch = DirectoryWatch::new().unwrap();
        watch.add(folder.path()).unwrap();
        let wait = |longest| watch.wait(reader.as_fd(), longest).unwrap();
        assert_eq!(wait(Duration::ZERO), Waited::TimedOut);
        std::fs::write(folder.path().join("file"), "text").unwrap();
        assert_eq!(wait(Duration::MAX), Waited::Changed);
        assert_eq!(
            wait(Duration::ZERO),
            Waited::TimedOut,
            "all news were taken"
        );
        std::os::unix::fs::symlink("a", folder.path().join("new")).unwrap();
        std::fs::rename(folder.path().join("new"), folder.path().join("link")).unwrap();
        assert_eq!(wait(Duration::MAX), Waited::Changed);
        drop(writer);
        assert_eq!(wait(Duration::MAX), Waited::Unwanted);
        assert!(watch.add(&folder.path().join("none")).is_err());
        assert!(watch.add(&folder.path().join("file")).is_err());
    }
}

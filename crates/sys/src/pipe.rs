//! Pipes: close-on-exec, with only the daemon's ends non-blocking.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::pipe::{PipeFlags, fcntl_getpipe_size, fcntl_setpipe_size, pipe_with};

/// Which ends never make their reader or writer wait. The ends do not share this, so a child does not notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonBlocking {
    /// None.
    Neither,
    /// The end that is read.
    Reader,
    /// The end that is written.
    Writer,
    /// Both.
    Both,
}

/// The two ends of a pipe.
#[derive(Debug)]
pub struct Pipe {
    /// The end to read.
    pub reader: OwnedFd,
    /// The end to write.
    pub writer: OwnedFd,
}

impl Pipe {
    /// A new pipe.
    ///
    /// # Errors
    /// `EMFILE`, `ENFILE`.
    pub fn new(non_blocking: NonBlocking) -> io::Result<Self> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        let (of_reader, of_writer) = match non_blocking {
            NonBlocking::Neither => (false, false),
            NonBlocking::Reader => (true, false),
            NonBlocking::Writer => (false, true),
            NonBlocking::Both => (true, true),
        };
        if of_reader {
            rustix::io::ioctl_fionbio(&reader, true)?;
        }
        if of_writer {
            rustix::io::ioctl_fionbio(&writer, true)?;
        }
        Ok(Self { reader, writer })
    }
}

/// Reads what is there, at most as much as fits; 0 is the end.
///
/// # Errors
/// `WouldBlock` from a non-blocking end when nothing is there.
pub fn read(pipe: impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::io::read(pipe, buffer)?)
}

/// Writes as much as there is room for.
///
/// # Errors
/// `WouldBlock` to a non-blocking end without room; `BrokenPipe` when nobody can read any more (SIGPIPE is ignored
/// in Rust programs).
pub fn write(pipe: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::io::write(pipe, bytes)?)
}

/// How many bytes fit into the pipe.
///
/// # Errors
/// `EBADF` if it is no pipe.
pub fn capacity(pipe: impl AsFd) -> io::Result<usize> {
    Ok(fcntl_getpipe_size(pipe)?)
}

/// Changes how many bytes fit, and returns what the kernel made of it.
///
/// # Errors
/// `EPERM` beyond `/proc/sys/fs/pipe-max-size` or the user's quota of pipe pages, `EBUSY` if more is in it.
pub fn set_capacity(pipe: impl AsFd, bytes: usize) -> io::Result<usize> {
    Ok(fcntl_setpipe_size(pipe, bytes)?)
}

/// How many bytes are waiting to be read.
///
/// # Errors
/// `ENOTTY` if it is nothing that knows.
pub fn waiting_bytes(pipe: impl AsFd) -> io::Result<u64> {
    Ok(rustix::io::ioctl_fionread(pipe)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::OFlags;

    fn check(non_blocking: NonBlocking, reader: bool, writer: bool) {
        let pipe = Pipe::new(non_blocking).unwrap();
        for (end, expected) in [(&pipe.reader, reader), (&pipe.writer, writer)] {
            let flags = rustix::fs::fcntl_getfl(end).unwrap();
            assert_eq!(flags.contains(OFlags::NONBLOCK), expected);
            let flags = rustix::io::fcntl_getfd(end).unwrap();
            assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
        }
    }

    #[test]
    fn only_the_wanted_ends_do_not_block() {
        check(NonBlocking::Neither, false, false);
        check(NonBlocking::Reader, true, false);
        check(NonBlocking::Writer, false, true);
        check(NonBlocking::Both, true, true);
    }

    #[test]
    fn bytes_go_through_until_it_is_full() {
        let pipe = Pipe::new(NonBlocking::Both).unwrap();
        let mut buffer = [0; 16];
        let error = read(&pipe.reader, &mut buffer).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        assert_eq!(write(&pipe.writer, b"hello").unwrap(), 5);
        assert_eq!(waiting_bytes(&pipe.reader).unwrap(), 5);
        assert_eq!(read(&pipe.reader, &mut buffer).unwrap(), 5);
        let size = set_capacity(&pipe.writer, 4096).unwrap();
        assert_eq!(capacity(&pipe.reader).unwrap(), size);
        assert_eq!(write(&pipe.writer, &vec![0; 2 * size]).unwrap(), size);
        let error = write(&pipe.writer, b"x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        drop(pipe.reader);
        let error = write(&pipe.writer, b"x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}

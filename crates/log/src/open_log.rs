//! Opens whatever a log option names and finds out what it is. Never waits, whatever it is.
//!
//! Regular files are opened for appending. Everything else (a pipe behind `/dev/stdout`, a FIFO, a
//! terminal, a socket) must not be allowed to stop us, yet the open file description behind our own
//! standard output is shared with others and may not be made nonblocking. Opening `/dev/stdout` or
//! `/proc/…/fd/1` anew gives a description of our own, and that is opened nonblocking. Where opening
//! anew is refused (a socket always, a pipe after `user=`), our own descriptor is duplicated.
//!
//! A FIFO is opened for reading and writing, so opening never waits for a reader, and what is written
//! while the reader is away stays in the FIFO. The anonymous pipe of standard output is only opened
//! for writing, so that we hear of it when its reader is gone.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::special_sink::{SpecialKey, SpecialSink, SpecialTarget};

/// `f_type` of the file system of anonymous pipes (PIPEFS_MAGIC of linux/magic.h).
const PIPE_FILE_SYSTEM: u64 = 0x5049_5045;

/// Mode of new log files, before the file mode mask; as Python's `open`.
const NEW_FILE_MODE: u32 = 0o666;

/// What a log option turned out to be.
pub(crate) enum OpenedLog {
    /// A regular file.
    Regular {
        /// Opened for appending.
        file: File,
        /// False for our own standard output under another name: it is somebody else's file.
        may_rotate: bool,
    },
    /// Anything else.
    Special(SpecialSink),
}

fn flags() -> OFlags {
    OFlags::WRONLY | OFlags::APPEND | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY
}

/// Opens a log for appending and makes it where it is missing.
///
/// # Errors
/// The error of open(2), as the original reports it.
pub(crate) fn open_log(path: &Path) -> io::Result<OpenedLog> {
    let opened = match rustix::fs::open(path, flags(), Mode::empty()) {
        // Without O_CREAT at first: it fails on existing files of others in sticky directories.
        Err(Errno::NOENT) => {
            rustix::fs::open(path, flags() | OFlags::CREATE, Mode::from(NEW_FILE_MODE))
        }
        other => other,
    };
    match opened {
        Ok(descriptor) => classify(path, descriptor),
        Err(Errno::NXIO) => open_without_peer(path),
        Err(error @ (Errno::ACCESS | Errno::PERM)) => match own_standard_stream(path) {
            Some(duplicate) => duplicate_special(path, duplicate?),
            None => Err(error.into()),
        },
        Err(error) => Err(error.into()),
    }
}

fn classify(path: &Path, descriptor: OwnedFd) -> io::Result<OpenedLog> {
    let stat = rustix::fs::fstat(&descriptor)?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    if kind == FileType::RegularFile {
        let is_own = is_own_standard_stream(&stat);
        let descriptor = match own_standard_stream(path) {
            // Whoever started us may go on writing there, a script behind `> file` for one: with one description
            // for both, its lines follow ours and do not take their place.
            Some(own) if is_own => own.unwrap_or(descriptor),
            _ => descriptor,
        };
        return Ok(OpenedLog::Regular {
            file: File::from(descriptor),
            may_rotate: !is_own,
        });
    }
    let target = if kind == FileType::Fifo
        && !is_anonymous_pipe(&descriptor)
        // Refused only where we may write and not read; then a reader is there at the moment.
        && let Ok(both) = open_for_both(path)
    {
        SpecialTarget::Fifo(both)
    } else {
        SpecialTarget::Nonblocking(descriptor)
    };
    Ok(special(path, target, &stat))
}

/// `ENXIO`: a FIFO or pipe without reader, or a socket.
fn open_without_peer(path: &Path) -> io::Result<OpenedLog> {
    let stat = rustix::fs::stat(path)?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    if kind == FileType::Fifo {
        let both = open_for_both(path)?;
        // An anonymous pipe with a reading end of our own would fill and block for ever.
        let target = if is_anonymous_pipe(&both) {
            SpecialTarget::Dead
        } else {
            SpecialTarget::Fifo(both)
        };
        return Ok(special(path, target, &stat));
    }
    if kind == FileType::Socket
        && let Some(duplicate) = own_standard_stream(path)
    {
        return duplicate_special(path, duplicate?);
    }
    Err(Errno::NXIO.into())
}

fn open_for_both(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

/// Our own standard output, as a sink for the echo of the main log. A regular file is written
/// through a duplicate, because the offset is shared with whoever else writes to it.
///
/// # Errors
/// Standard output is closed.
pub(crate) fn open_standard_output() -> io::Result<OpenedLog> {
    let path = Path::new("/dev/stdout");
    let duplicate = duplicate(rustix::stdio::stdout())?;
    let stat = rustix::fs::fstat(&duplicate)?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
        return Ok(OpenedLog::Regular {
            file: File::from(duplicate),
            may_rotate: false,
        });
    }
    match rustix::fs::open("/proc/self/fd/1", flags(), Mode::empty()) {
        Ok(descriptor) => classify(path, descriptor),
        Err(Errno::NXIO) if FileType::from_raw_mode(stat.st_mode) == FileType::Fifo => {
            Ok(special(path, SpecialTarget::Dead, &stat))
        }
        Err(_) => duplicate_special(path, duplicate),
    }
}

fn duplicate_special(path: &Path, duplicate: OwnedFd) -> io::Result<OpenedLog> {
    let stat = rustix::fs::fstat(&duplicate)?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    Ok(if kind == FileType::RegularFile {
        OpenedLog::Regular {
            file: File::from(duplicate),
            may_rotate: false,
        }
    } else if kind == FileType::Socket {
        special(path, SpecialTarget::Socket(duplicate), &stat)
    } else {
        special(path, SpecialTarget::blocking(duplicate), &stat)
    })
}

fn special(path: &Path, target: SpecialTarget, stat: &Stat) -> OpenedLog {
    let key = SpecialKey {
        device: stat.st_dev,
        inode: stat.st_ino,
    };
    OpenedLog::Special(SpecialSink::new(path, target, key))
}

fn is_anonymous_pipe(descriptor: &OwnedFd) -> bool {
    rustix::fs::fstatfs(descriptor)
        .is_ok_and(|stat| u64::try_from(stat.f_type) == Ok(PIPE_FILE_SYSTEM))
}

fn is_own_standard_stream(stat: &Stat) -> bool {
    [
        rustix::fs::fstat(rustix::stdio::stdout()),
        rustix::fs::fstat(rustix::stdio::stderr()),
    ]
    .into_iter()
    .flatten()
    .any(|own| own.st_dev == stat.st_dev && own.st_ino == stat.st_ino)
}

fn duplicate(descriptor: impl AsFd) -> io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(descriptor, 3)?)
}

/// A duplicate of our standard output or error, where `path` is a name for it.
fn own_standard_stream(path: &Path) -> Option<io::Result<OwnedFd>> {
    match path.to_str()? {
        "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1" => Some(duplicate(rustix::stdio::stdout())),
        "/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2" => Some(duplicate(rustix::stdio::stderr())),
        _ => None,
    }
}

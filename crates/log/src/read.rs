//! Reading log files on request, with the original's rules (`readFile` and `tailFile` of its
//! options.py, seen from outside: spec 4.7).
//!
//! The results are bytes; [`decode_lossy`] makes the text of them that goes over the wire. The
//! original fails with HTTP 500 when an offset cuts a character; we replace what is cut.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Most bytes that one call gives back; a longer read is cut at its front (tails) or end (reads).
/// The original reads whole files into memory.
pub const READ_MAX_BYTES: u64 = 64 << 20;

/// Number of `/dev/null` on Linux: major 1, minor 3.
const NULL_DEVICE: u64 = 0x103;

/// Why a log could not be read; each is one fault of the original.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// `BAD_ARGUMENTS`: offset and length do not go together.
    #[error("offset and length do not go together")]
    BadArguments,
    /// `NO_FILE`: there is no such file.
    #[error("no such log file")]
    NoFile,
    /// `FAILED`: it is there and cannot be read.
    #[error("cannot read the log file")]
    Failed(#[source] io::Error),
}

/// What [`tail_file`] found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tail {
    /// The bytes, up to the end of the file.
    pub data: Vec<u8>,
    /// Where to go on: the size of the file.
    pub offset: i64,
    /// There was more than was asked for.
    pub overflow: bool,
}

/// Reads `length` bytes from `offset`. `length` 0 reads to the end; a negative `offset` (with
/// `length` 0) reads that many last bytes. An offset beyond the end gives nothing.
///
/// # Errors
/// See [`ReadError`].
pub fn read_file(path: &Path, offset: i64, length: i64) -> Result<Vec<u8>, ReadError> {
    // The original asks for existence first: a missing file is NO_FILE whatever the arguments.
    let mut file = open(path)?;
    if (offset < 0 && length != 0) || length < 0 {
        return Err(ReadError::BadArguments);
    }
    let result = (|| {
        let wanted = if offset < 0 {
            let size = file.seek(SeekFrom::End(0))?;
            file.seek(SeekFrom::Start(size.saturating_sub(offset.unsigned_abs())))?;
            offset.unsigned_abs()
        } else {
            file.seek(SeekFrom::Start(offset.unsigned_abs()))?;
            match length.unsigned_abs() {
                0 => u64::MAX,
                length => length,
            }
        };
        take(&mut file, wanted)
    })();
    result.map_err(ReadError::Failed)
}

/// Reads up to `length` bytes that end at the end of the file. Never fails, as in the original: what
/// is missing gives nothing and offset 0, what cannot be read nothing and the offset asked for.
#[must_use]
pub fn tail_file(path: &Path, offset: i64, length: i64) -> Tail {
    let mut file = match open(path) {
        Ok(file) => file,
        Err(ReadError::NoFile) => return Tail::default(),
        Err(ReadError::BadArguments | ReadError::Failed(_)) => {
            return Tail {
                offset,
                ..Tail::default()
            };
        }
    };
    let result: io::Result<Tail> = (|| {
        let size = file.seek(SeekFrom::End(0))?;
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        // The original's arithmetic, in a width that cannot overflow.
        let (size_wide, asked_length) = (i128::from(size), i128::from(length));
        let (mut from, mut length) = (i128::from(offset), asked_length);
        let mut overflow = false;
        if size_wide > from + length {
            overflow = true;
            from = size_wide - 1;
        }
        if from + length > size_wide {
            if from > size_wide - 1 {
                length = 0;
            }
            from = size_wide - length;
        }
        let from = u64::try_from(from.max(0)).unwrap_or(u64::MAX);
        let length = u64::try_from(length.max(0)).unwrap_or(u64::MAX);
        let data = if length == 0 {
            Vec::new()
        } else {
            // Only so much from the end, if more was asked for than we give.
            let end = size.unsigned_abs();
            let from = from.max(end.saturating_sub(READ_MAX_BYTES));
            file.seek(SeekFrom::Start(from))?;
            take(&mut file, length)?
        };
        Ok(Tail {
            data,
            offset: size,
            overflow,
        })
    })();
    result.unwrap_or(Tail {
        data: Vec::new(),
        offset,
        overflow: false,
    })
}

/// Text of log bytes: what is not UTF-8 becomes U+FFFD. Characters that XML cannot carry are left
/// for the protocol to deal with.
#[must_use]
pub fn decode_lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Opens for reading without ever waiting (a FIFO without a writer), and only what can be sought in.
fn open(path: &Path) -> Result<File, ReadError> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => {
            let file = File::from(descriptor);
            match file.metadata() {
                Ok(metadata) if metadata.is_file() => Ok(file),
                // A log on the null device is empty, as the original finds; a terminal would wait.
                Ok(metadata) if metadata.rdev() == NULL_DEVICE => Ok(file),
                Ok(_) => Err(ReadError::Failed(io::ErrorKind::Unsupported.into())),
                Err(error) => Err(ReadError::Failed(error)),
            }
        }
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Err(ReadError::NoFile),
        Err(error) => Err(ReadError::Failed(error.into())),
    }
}

fn take(file: &mut File, wanted: u64) -> io::Result<Vec<u8>> {
    let mut data = Vec::new();
    file.take(wanted.min(READ_MAX_BYTES))
        .read_to_end(&mut data)?;
    Ok(data)
}

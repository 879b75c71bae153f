//! Following a log file as `/logtail` does: its last bytes, then what is added, across rotation.
//!
//! A follower only looks when it is asked; when to ask, a [`Watch`](crate::Watch) tells.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Most bytes of one step.
pub const FOLLOW_CHUNK_MAX_BYTES: usize = 64 << 10;

/// What a look at the file gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowStep {
    /// These bytes are new. There may be more: look again.
    Data(Vec<u8>),
    /// The file became shorter; following goes on at its new end. The original sends
    /// `==> File truncated <==` and a newline.
    Truncated,
    /// Nothing is new.
    UpToDate,
}

/// A place in a log file.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    file: File,
    inode: (u64, u64),
    offset: u64,
}

impl Follower {
    /// Opens a log to follow it from `last_bytes` before its end.
    ///
    /// # Errors
    /// What opening gave; `Unsupported` for what is not a regular file.
    pub fn open(path: &Path, last_bytes: u64) -> io::Result<Self> {
        let (file, inode, size) = open(path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            inode,
            offset: size.saturating_sub(last_bytes),
        })
    }

    /// What is new since the last look. A rotated file is read to its end before its successor is
    /// read from its beginning.
    ///
    /// # Errors
    /// Reading failed.
    pub fn step(&mut self) -> io::Result<FollowStep> {
        let size = self.file.metadata()?.len();
        if size < self.offset {
            self.offset = size;
            return Ok(FollowStep::Truncated);
        }
        if size > self.offset {
            return self.read();
        }
        // Missing means that it is being rotated, or was removed: the old one goes on for now.
        if let Ok((file, inode, _)) = open(&self.path)
            && inode != self.inode
        {
            self.file = file;
            self.inode = inode;
            self.offset = 0;
            return self.read();
        }
        Ok(FollowStep::UpToDate)
    }

    fn read(&mut self) -> io::Result<FollowStep> {
        let mut data = Vec::new();
        self.file.seek(SeekFrom::Start(self.offset))?;
        (&mut self.file)
            .take(u64::try_from(FOLLOW_CHUNK_MAX_BYTES).unwrap_or(u64::MAX))
            .read_to_end(&mut data)?;
        self.offset += u64::try_from(data.len()).unwrap_or(0);
        Ok(if data.is_empty() {
            FollowStep::UpToDate
        } else {
            FollowStep::Data(data)
        })
    }
}

fn open(path: &Path) -> io::Result<(File, (u64, u64), u64)> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    Ok((file, (metadata.dev(), metadata.ino()), metadata.len()))
}

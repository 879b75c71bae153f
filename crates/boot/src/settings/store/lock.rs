//! One writer at a time, across processes and containers that share a volume.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::StoreError;

/// Between two attempts. A lock that waits by itself could not be given up.
const PAUSE: Duration = Duration::from_millis(20);

/// A lock; it ends with this, or with the process.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    /// None where the file system has no locks.
    file: Option<File>,
}

impl Lock {
    /// Waits for the lock of a file.
    pub(super) fn take(path: &Path, patience: Duration) -> Result<Self, StoreError> {
        let lock_path = beside(path, ".lock");
        let write = |error: io::Error| StoreError::Write(lock_path.clone(), error);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|error| StoreError::Write(folder.to_owned(), error))?;
        }
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(NO_FOLLOW)
            .open(&lock_path)
            .map_err(write)?;
        let begin = Instant::now();
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {
                    return Ok(Self {
                        path: path.to_owned(),
                        file: Some(file),
                    });
                }
                Err(Errno::WOULDBLOCK) if begin.elapsed() >= patience => {
                    return Err(StoreError::Busy {
                        path: path.to_owned(),
                        seconds: patience.as_secs(),
                        lock: lock_path,
                    });
                }
                Err(Errno::WOULDBLOCK) => std::thread::sleep(PAUSE),
                Err(Errno::INTR) => {}
                Err(error) if has_no_locks(error) => {
                    return Ok(Self {
                        path: path.to_owned(),
                        file: None,
                    });
                }
                Err(error) => return Err(write(error.into())),
            }
        }
    }

    /// Whether nobody else can have it.
    pub(super) fn is_held(&self) -> bool {
        self.file.is_some()
    }

    pub(super) fn warning(&self) -> Option<String> {
        (!self.is_held()).then(|| {
            format!(
                "the file system of {} has no locks; see that only one process changes it at a time",
                self.path.display()
            )
        })
    }
}

/// `O_NOFOLLOW`: nobody has the lock made elsewhere by a link.
const NO_FOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();

/// NFS without its lock service, FUSE and others.
fn has_no_locks(error: Errno) -> bool {
    matches!(
        error,
        Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL
    )
}

/// A hidden file beside another.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}{ending}"))
}

//! The settings file on its volume: read, locked, written so that nobody ever sees half of it, with its previous
//! versions.
//!
//! Writers take turns by a lock on a file beside it, because the file itself is replaced. Whoever edits it by hand takes no
//! lock, so what is there is compared with what was read before it is replaced.

mod error;
mod history;
mod lock;
mod replace;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::env_file::EnvFile;

pub use error::StoreError;
pub use history::Version;
use lock::Lock;

/// How long a writer waits for another one.
pub const LOCK_PATIENCE: Duration = Duration::from_secs(30);

/// Most bytes that are read; [`EnvFile::parse`] refuses less.
const MOST_BYTES: u64 = 4 << 20;

/// Where a settings file is, and how many previous versions are kept.
#[derive(Debug, Clone)]
pub struct Store {
    path: PathBuf,
    versions: u32,
}

impl Store {
    /// The file at a path.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, versions: u32) -> Self {
        Self {
            path: path.into(),
            versions,
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds; none if there is no file.
    ///
    /// # Errors
    /// If it cannot be read, or is no settings file.
    pub fn read(&self) -> Result<Option<EnvFile>, StoreError> {
        match read_some(&self.path) {
            Ok(bytes) => self.parsed(&self.path, &bytes).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::Read(self.path.clone(), error)),
        }
    }

    fn parsed(&self, path: &Path, bytes: &[u8]) -> Result<EnvFile, StoreError> {
        EnvFile::parse(bytes).map_err(|problems| StoreError::Invalid(path.to_owned(), problems))
    }

    /// Keeps other writers out while the answer lives.
    ///
    /// # Errors
    /// If another one does not end in time, or nothing can be written there.
    pub fn lock(&self, patience: Duration) -> Result<Locked<'_>, StoreError> {
        let path = replace::followed(&self.path);
        let lock = Lock::take(&path, patience)?;
        Ok(Locked {
            store: self,
            path,
            lock,
        })
    }

    /// Previous versions, the oldest first.
    ///
    /// # Errors
    /// If their folder cannot be read.
    pub fn versions(&self) -> Result<Vec<Version>, StoreError> {
        history::list(&replace::followed(&self.path))
    }

    /// What a previous version held.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read_version(&self, version: &Version) -> Result<EnvFile, StoreError> {
        match read_some(&version.path) {
            Ok(bytes) => self.parsed(&version.path, &bytes),
            Err(error) => Err(StoreError::Read(version.path.clone(), error)),
        }
    }
}

/// A settings file that nobody else writes.
#[derive(Debug)]
pub struct Locked<'s> {
    store: &'s Store,
    /// Where links lead.
    path: PathBuf,
    lock: Lock,
}

impl Locked<'_> {
    /// What a person should know: the file system has no locks.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        self.lock.warning()
    }

    /// What the file holds now; none if there is no file.
    ///
    /// # Errors
    /// If it cannot be read, or is no settings file.
    pub fn read(&self) -> Result<Option<EnvFile>, StoreError> {
        self.store.read()
    }

    /// Puts a new text in the place of what was read; what was there becomes a previous version.
    ///
    /// # Errors
    /// If it cannot be written, or the file is no longer what was read; then it is as it was.
    pub fn write(&self, read: Option<&EnvFile>, new: &EnvFile) -> Result<(), StoreError> {
        self.write_bytes(read.map(|read| read.text().as_bytes()), new)
    }

    fn write_bytes(&self, read: Option<&[u8]>, new: &EnvFile) -> Result<(), StoreError> {
        let path = &self.path;
        if let Some(folder) = path.parent().filter(|_| read.is_none()) {
            fs::create_dir_all(folder)
                .map_err(|error| StoreError::Write(folder.to_owned(), error))?;
        }
        if self.lock.is_held() {
            replace::remove_leftovers(path);
            history::remove_leftovers(path);
        }
        // Before the change, so that there is no moment at which the old text is nowhere.
        let kept = match read.filter(|read| *read != new.text().as_bytes()) {
            Some(read) if self.store.versions > 0 => {
                Some(history::keep(path, read, SystemTime::now())?)
            }
            _ => None,
        };
        let is_as_read = || match read_some(path) {
            Ok(bytes) => read == Some(&bytes),
            Err(error) => error.kind() == io::ErrorKind::NotFound && read.is_none(),
        };
        let replaced = replace::replace(path, new.text().as_bytes(), read.is_none(), is_as_read);
        match (&replaced, kept) {
            (Ok(()), _) => history::prune(path, self.store.versions),
            (Err(_), Some(kept)) => history::forget(&kept),
            (Err(_), None) => {}
        }
        replaced
    }
}

/// The beginning of a file.
fn read_some(path: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(MOST_BYTES)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

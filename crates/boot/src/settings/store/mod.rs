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

use std::collections::BTreeSet;
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
        self.write_on_trial(read, new)?;
        history::prune(&self.path, self.store.versions);
        Ok(())
    }

    /// The same, for as long as it takes to find out whether the new text is good: [`take_back`](Self::take_back) makes
    /// it as if nothing had been written. No previous version is removed meanwhile; the next change does that.
    ///
    /// # Errors
    /// If it cannot be written, or the file is no longer what was read; then it is as it was.
    pub fn write_on_trial(
        &self,
        read: Option<&EnvFile>,
        new: &EnvFile,
    ) -> Result<Trial, StoreError> {
        let path = &self.path;
        let before = read.map(|read| read.text().as_bytes());
        if let Some(folder) = path.parent().filter(|_| read.is_none()) {
            fs::create_dir_all(folder)
                .map_err(|error| StoreError::Write(folder.to_owned(), error))?;
        }
        if self.lock.is_held() {
            replace::remove_leftovers(path);
            history::remove_leftovers(path);
        }
        // Before the change, so that there is no moment at which the old text is nowhere.
        let kept = match before.filter(|before| *before != new.text().as_bytes()) {
            Some(before) if self.store.versions > 0 => {
                Some(history::keep(path, before, SystemTime::now())?)
            }
            _ => None,
        };
        let replaced = replace::replace(path, new.text().as_bytes(), read.is_none(), || {
            is_text(path, before)
        });
        if let (Err(_), Some(kept)) = (&replaced, &kept) {
            history::forget(kept);
        }
        replaced?;
        Ok(Trial {
            before: read.cloned(),
            written: new.clone(),
            kept,
        })
    }

    /// Puts back what was there before, byte by byte, as if nothing had been written. What somebody has changed since stays
    /// beside it: then only the names that were changed on trial get what they had.
    ///
    /// # Errors
    /// If that cannot be written, or somebody has changed these names since; then it is as it is.
    pub fn take_back(&self, trial: &Trial) -> Result<(), StoreError> {
        let path = &self.path;
        let written = trial.written.text().as_bytes();
        let is_as_written = || is_text(path, Some(written));
        if !is_as_written() {
            return self.take_back_names(trial);
        }
        match &trial.before {
            Some(before) => {
                replace::replace(path, before.text().as_bytes(), false, is_as_written)?;
            }
            None => replace::remove(path)?,
        }
        if let Some(kept) = &trial.kept {
            history::forget(kept);
        }
        Ok(())
    }

    fn take_back_names(&self, trial: &Trial) -> Result<(), StoreError> {
        let changed = || StoreError::Changed(self.path.clone());
        let found = self.read()?.ok_or_else(changed)?;
        let mut file = found.clone();
        for (name, before, written) in trial.changes() {
            if found.get(name) != written {
                return Err(changed());
            }
            match before {
                Some(value) => file.set(name, value).map_err(|_| changed())?,
                None => {
                    file.unset(name);
                }
            }
        }
        let is_as_found = || is_text(&self.path, Some(found.text().as_bytes()));
        replace::replace(&self.path, file.text().as_bytes(), false, is_as_found)
    }
}

/// A text that was written and may have to be taken back.
#[derive(Debug, Clone)]
pub struct Trial {
    before: Option<EnvFile>,
    written: EnvFile,
    /// Where what was there before is kept.
    kept: Option<PathBuf>,
}

impl Trial {
    /// The names that it changed, with what they had and what they got.
    fn changes(&self) -> impl Iterator<Item = (&str, Option<&str>, Option<&str>)> {
        let before = |name: &str| self.before.as_ref().and_then(|before| before.get(name));
        let assignments = self.before.iter().chain([&self.written]);
        let names: BTreeSet<&str> = assignments
            .flat_map(|file| file.assignments())
            .map(|assignment| assignment.name.as_str())
            .collect();
        names
            .into_iter()
            .map(move |name| (name, before(name), self.written.get(name)))
            .filter(|(_, before, written)| before != written)
    }
}

/// Whether a file holds this; none where there is none.
fn is_text(path: &Path, text: Option<&[u8]>) -> bool {
    match read_some(path) {
        Ok(bytes) => text == Some(&bytes),
        Err(error) => error.kind() == io::ErrorKind::NotFound && text.is_none(),
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

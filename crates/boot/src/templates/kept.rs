//! What was there before the last change, so that it can be put back.
//!
//! In a directory of the section: `last`, a record of the files that the last change was about, and `previous/` with
//! those that were there. The record is written before anything changes, so whoever comes after a kill can put
//! everything back, and does no harm where nothing had been done yet.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use linchpin_config::TemplateConfig;

use crate::reading::{read, reason};
use crate::writing::{Access, Mode, WriteError, lock, make_directory, remove, write};

const RECORD: &str = "last";
const PREVIOUS: &str = "previous";
const LOCK: &str = ".lock";

/// Why what was there before could not be put back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// What was kept cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Something could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Holds the lock of everything that is kept, which is one for all sections.
pub(super) fn hold(config: &TemplateConfig) -> Result<Option<fs::File>, WriteError> {
    let kept = Path::new(&config.kept);
    let directory = kept.parent().unwrap_or(kept);
    make_directory(directory, Mode::Real)?;
    lock(&directory.join(LOCK))
}

/// Keeps some files of a directory, which are about to change.
pub(super) fn keep(kept: &Path, directory: &Path, names: &[&str]) -> Result<(), RestoreError> {
    let previous = kept.join(PREVIOUS);
    make_directory(&previous, Mode::Real)?;
    let mut record = format!("in\t{}\n", directory.display());
    for name in names {
        let path = directory.join(name);
        let unreadable = |error: io::Error| RestoreError::Read {
            path: path.clone(),
            reason: reason(&error),
        };
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                record.push_str(&made_entry(name));
            }
            Err(error) => return Err(unreadable(error)),
            Ok(metadata) => {
                let content = read(&path).map_err(unreadable)?;
                write(&previous.join(name), &content, Access::PRIVATE, Mode::Real)?;
                record.push_str(&entry(name, &metadata));
            }
        }
    }
    // What an earlier change was about is of no use any more.
    for old in fs::read_dir(&previous).into_iter().flatten().flatten() {
        if !names.iter().any(|name| old.file_name() == *name) {
            let _ = fs::remove_file(old.path());
        }
    }
    write(
        &kept.join(RECORD),
        record.as_bytes(),
        Access::PRIVATE,
        Mode::Real,
    )?;
    Ok(())
}

fn made_entry(name: &str) -> String {
    format!("made\t{name}\n")
}

fn entry(name: &str, metadata: &Metadata) -> String {
    format!(
        "changed\t{:o}\t{}\t{}\t{name}\n",
        metadata.mode() & 0o7777,
        metadata.uid(),
        metadata.gid()
    )
}

/// Notes that the last change was not about this section. What was kept before stays, for people.
pub(super) fn keep_nothing(kept: &Path) -> Result<(), WriteError> {
    let record = kept.join(RECORD);
    if !record.exists() {
        return Ok(());
    }
    match write(&record, b"", Access::PRIVATE, Mode::Real) {
        // Then nobody can put anything back either.
        Err(error) if error.source.kind() == io::ErrorKind::ReadOnlyFilesystem => Ok(()),
        result => result.map(|_| ()),
    }
}

/// Puts back what was there before the last change of these templates; the files that are others now. Done again it
/// does nothing.
///
/// # Errors
/// If something that was kept cannot be read, or a file not be written. What can be put back has been.
pub fn restore(templates: &[TemplateConfig]) -> Result<Vec<PathBuf>, RestoreError> {
    let Some(first) = templates.first() else {
        return Ok(Vec::new());
    };
    let _lock = hold(first)?;
    restore_locked(templates)
}

/// The same for who has the lock.
pub(super) fn restore_locked(templates: &[TemplateConfig]) -> Result<Vec<PathBuf>, RestoreError> {
    let mut restored = Vec::new();
    let mut failure = None;
    for config in templates {
        if let Err(error) = restore_one(Path::new(&config.kept), &mut restored) {
            failure.get_or_insert(error);
        }
    }
    failure.map_or(Ok(restored), Err)
}

fn restore_one(kept: &Path, restored: &mut Vec<PathBuf>) -> Result<(), RestoreError> {
    let record = kept.join(RECORD);
    let unreadable = |path: &Path, error: &io::Error| RestoreError::Read {
        path: path.to_owned(),
        reason: reason(error),
    };
    let text = match fs::read_to_string(&record) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unreadable(&record, &error)),
    };
    let mut directory = None;
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        match (fields.as_slice(), directory) {
            (["in", path], _) => directory = Some(Path::new(*path)),
            (["made", name], Some(directory)) => {
                let path = directory.join(name);
                if remove(&path, Mode::Real)? {
                    restored.push(path);
                }
            }
            (["changed", mode, user, group, name], Some(directory)) => {
                let from = kept.join(PREVIOUS).join(name);
                let content = read(&from).map_err(|error| unreadable(&from, &error))?;
                let path = directory.join(name);
                let number = |text: &str, radix| u32::from_str_radix(text, radix).ok();
                let (mode, owner) = (number(mode, 8), number(user, 10).zip(number(group, 10)));
                let mine = Access {
                    mode: mode.unwrap_or(Access::PRIVATE.mode),
                    owner: None,
                };
                let theirs = Access {
                    owner: owner.map(|(user, group)| (user, Some(group))),
                    ..mine
                };
                // Who may not give files away leaves it as their own.
                let written = write(&path, &content, theirs, Mode::Real)
                    .or_else(|_| write(&path, &content, mine, Mode::Real))?;
                if written != crate::writing::Writing::Unchanged {
                    restored.push(path);
                }
            }
            _ => {}
        }
    }
    write(&record, b"", Access::PRIVATE, Mode::Real)?;
    Ok(())
}

//! AUTO log files: their names, and removing those of earlier runs.
//!
//! A name is the original's `<process>-<stdout|stderr>---<identifier>-<8 characters>.log`. The
//! original removes, at start, whatever looks roughly like that, so two daemons with the default
//! identifier and directory wipe each other's logs. Here the first four of the eight characters
//! are the daemon's own tag, and a file `.<identifier>-<tag>.linchpin-lock` beside the logs is locked
//! (flock) for as long as the daemon lives. A cleanup takes
//! - logs whose lock file can be locked: their daemon is dead;
//! - logs without a lock file, of the original, unless a living process has some such log open:
//!   then that may be a living original, and all of them stay.
//!
//! A lock says more than a process number would: it needs no protection against reuse, and holds
//! across pid namespaces that share a directory. Only exact names are taken, and only regular files.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use linchpin_python::repr;
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::rand::{GetRandomFlags, getrandom};

use crate::stream_id::StreamKind;

/// What Python's `tempfile` takes its random characters from.
const ALPHABET: &[u8; 37] = b"abcdefghijklmnopqrstuvwxyz0123456789_";
/// Characters of a name that say which daemon made it.
const TAG_LENGTH: usize = 4;
/// Characters of a name that are chosen at random or by tag.
const RANDOM_LENGTH: usize = 8;
/// Attempts to find a name that is not taken.
const NAME_ATTEMPTS: u32 = 1_000;

/// Maker of AUTO logs, one per daemon. While it lives, its logs are safe from other daemons.
#[derive(Debug)]
pub struct AutoLogs {
    directory: PathBuf,
    identifier: String,
    lock: Option<DaemonLock>,
}

#[derive(Debug)]
struct DaemonLock {
    tag: String,
    /// Holds the lock.
    _file: File,
}

/// What a cleanup did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CleanupReport {
    /// How many files were removed.
    pub removed: usize,
    /// Lines for the main log (WARN), in the original's words.
    pub warnings: Vec<String>,
}

impl AutoLogs {
    /// For one directory (`childlogdir`) and identifier. Touches nothing yet.
    #[must_use]
    pub fn new(directory: &Path, identifier: &str) -> Self {
        Self {
            directory: directory.to_owned(),
            identifier: identifier.to_owned(),
            lock: None,
        }
    }

    /// Makes an empty log file, mode 0600, under a new name.
    ///
    /// # Errors
    /// The directory is missing, not writable or full.
    pub fn create(&mut self, process: &str, kind: StreamKind) -> io::Result<PathBuf> {
        let tag = self.tag()?;
        let prefix = format!("{process}-{kind}---{}-{tag}", self.identifier);
        for _ in 0..NAME_ATTEMPTS {
            let random = random_characters(RANDOM_LENGTH - TAG_LENGTH)?;
            let path = self.directory.join(format!("{prefix}{random}.log"));
            let made = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path);
            match made {
                Ok(_) => return Ok(path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// The tag of this daemon; the first call makes and locks its file.
    fn tag(&mut self) -> io::Result<String> {
        if let Some(lock) = &self.lock {
            return Ok(lock.tag.clone());
        }
        for _ in 0..NAME_ATTEMPTS {
            let tag = random_characters(TAG_LENGTH)?;
            let made = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(self.lock_path(&tag));
            match made {
                Ok(file) => {
                    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
                    self.lock = Some(DaemonLock {
                        tag: tag.clone(),
                        _file: file,
                    });
                    return Ok(tag);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn lock_path(&self, tag: &str) -> PathBuf {
        self.directory
            .join(format!(".{}-{tag}.linchpin-lock", self.identifier))
    }

    /// Removes the AUTO logs of earlier runs, our own included: to be called at start, before any is
    /// made, and not with `nocleanup`.
    #[must_use]
    pub fn clean_up(&self) -> CleanupReport {
        let mut report = CleanupReport::default();
        let Ok(entries) = fs::read_dir(&self.directory) else {
            report
                .warnings
                .push("Could not clear childlog dir".to_owned());
            return report;
        };
        let mut by_tag: HashMap<String, Vec<PathBuf>> = HashMap::new();
        let mut tags_of_locks = HashSet::new();
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if let Some(tag) = self.tag_of_lock(&name) {
                tags_of_locks.insert(tag.to_owned());
            } else if let Some(tag) = self.tag_of_log(&name) {
                by_tag.entry(tag.to_owned()).or_default().push(entry.path());
            }
        }
        let (tagged, untagged): (Vec<_>, Vec<_>) = by_tag
            .into_iter()
            .partition(|(tag, _)| tags_of_locks.contains(tag));
        let mut logs_of_dead: Vec<PathBuf> = Vec::new();
        let mut locks_of_dead: Vec<(PathBuf, Option<File>)> = Vec::new();
        let mut tagged: HashMap<String, Vec<PathBuf>> = tagged.into_iter().collect();
        for tag in tags_of_locks {
            let path = self.lock_path(&tag);
            let logs = tagged.remove(&tag).unwrap_or_default();
            if self.lock.as_ref().is_some_and(|own| own.tag == tag) {
                logs_of_dead.extend(logs);
            } else if let Some(lock) = lock_of_dead(&path) {
                logs_of_dead.extend(logs);
                // Held until its logs are gone, so that no other cleanup does the same.
                locks_of_dead.push((path, Some(lock)));
            }
        }
        let untagged: Vec<PathBuf> = untagged.into_iter().flat_map(|(_, logs)| logs).collect();
        if !untagged.is_empty() && !is_any_open(&untagged) {
            logs_of_dead.extend(untagged);
        }
        for path in logs_of_dead {
            remove(&path, &mut report);
        }
        for (path, lock) in locks_of_dead {
            let _ = fs::remove_file(path);
            drop(lock);
        }
        report
    }

    fn tag_of_lock<'a>(&self, name: &'a str) -> Option<&'a str> {
        let tag = name
            .strip_prefix('.')?
            .strip_suffix(".linchpin-lock")?
            .strip_prefix(self.identifier.as_str())?
            .strip_prefix('-')?;
        (tag.len() == TAG_LENGTH && is_random(tag)).then_some(tag)
    }

    /// The tag in the name of an AUTO log of this identifier, or of one of its backups.
    fn tag_of_log<'a>(&self, name: &'a str) -> Option<&'a str> {
        let mut stem = name;
        if let Some((before, digits)) = name.rsplit_once('.')
            && !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
        {
            stem = before;
        }
        let stem = stem.strip_suffix(".log")?;
        let at = stem.len().checked_sub(RANDOM_LENGTH)?;
        let (rest, random) = (stem.get(..at)?, stem.get(at..)?);
        let process_and_kind = rest
            .strip_suffix('-')?
            .strip_suffix(self.identifier.as_str())?
            .strip_suffix("---")?;
        let process = process_and_kind
            .strip_suffix("-stdout")
            .or_else(|| process_and_kind.strip_suffix("-stderr"))?;
        (!process.is_empty() && is_random(random)).then(|| &random[..TAG_LENGTH])
    }
}

fn is_random(text: &str) -> bool {
    text.bytes().all(|byte| ALPHABET.contains(&byte))
}

fn remove(path: &Path, report: &mut CleanupReport) {
    let is_regular = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    if !is_regular {
        return;
    }
    match fs::remove_file(path) {
        Ok(()) => report.removed += 1,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(_) => report.warnings.push(format!(
            "Failed to clean up {}",
            repr(&path.display().to_string())
        )),
    }
}

/// The lock of a daemon that is dead; none if it lives or we may not know.
fn lock_of_dead(path: &Path) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(file)
}

/// Whether any process that we may look into has one of these files open. Only asked when there are
/// logs of the original.
fn is_any_open(paths: &[PathBuf]) -> bool {
    let wanted: HashSet<(u64, u64)> = paths
        .iter()
        .filter_map(|path| fs::symlink_metadata(path).ok())
        .map(|metadata| (metadata.dev(), metadata.ino()))
        .collect();
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            entry
                .file_name()
                .to_str()
                .is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        })
        .flat_map(|entry| fs::read_dir(entry.path().join("fd")))
        .flatten()
        .flatten()
        .filter_map(|entry| fs::metadata(entry.path()).ok())
        .any(|metadata| wanted.contains(&(metadata.dev(), metadata.ino())))
}

fn random_characters(count: usize) -> io::Result<String> {
    let mut text = String::with_capacity(count);
    let mut bytes = [0; 32];
    while text.len() < count {
        let filled = getrandom(&mut bytes[..], GetRandomFlags::empty())?;
        // Values that would make some characters likelier than others are thrown away.
        let usable = 256 / ALPHABET.len() * ALPHABET.len();
        text.extend(
            bytes[..filled]
                .iter()
                .map(|byte| usize::from(*byte))
                .filter(|value| *value < usable)
                .map(|value| char::from(ALPHABET[value % ALPHABET.len()]))
                .take(count - text.len()),
        );
    }
    Ok(text)
}

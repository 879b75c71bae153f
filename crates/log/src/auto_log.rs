//! AUTO log files: their names, and removing those of earlier runs.
//!
//! A name is the original's `<process>-<stdout|stderr>---<identifier>-<8 characters>.log`. The
//! original removes, at start, whatever looks roughly like that, so two daemons with the default
//! identifier and directory wipe each other's logs. Here the first four of the eight characters
//! are the daemon's own tag, the others count, and a file `.<identifier>-<tag>.linchpin-lock` beside the logs is locked
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
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

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

/// Maker of AUTO logs, one per daemon. While it lives, its logs are safe from other daemons.
#[derive(Debug)]
pub struct AutoLogs {
    directory: PathBuf,
    identifier: String,
    tag: String,
    /// What the next name ends with, as a number: no two names of one daemon are the same.
    next: AtomicUsize,
    /// The lock file, once there is a log for it to protect.
    lock: Mutex<Option<File>>,
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
    ///
    /// # Errors
    /// The kernel gives no random numbers.
    pub fn new(directory: &Path, identifier: &str) -> io::Result<Self> {
        Ok(Self {
            directory: directory.to_owned(),
            identifier: identifier.to_owned(),
            tag: random_characters(TAG_LENGTH)?,
            next: AtomicUsize::new(random_number()?),
            lock: Mutex::new(None),
        })
    }

    /// A name for a log that is still to be made. Touches no file, so that a log has its name, which
    /// clients are told, before whoever may wait for the disk has made it.
    #[must_use]
    pub fn name(&self, process: &str, kind: StreamKind) -> PathBuf {
        let (identifier, tag) = (&self.identifier, &self.tag);
        let end = characters_of(self.next.fetch_add(1, Ordering::Relaxed));
        let name = format!("{process}-{kind}---{identifier}-{tag}{end}.log");
        self.directory.join(name)
    }

    /// Makes an empty log file, mode 0600, under a name that [`AutoLogs::name`] gave.
    ///
    /// # Errors
    /// The directory is missing, not writable or full.
    pub fn make(&self, path: &Path) -> io::Result<()> {
        self.claim_tag()?;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        Ok(())
    }

    /// Makes and locks the file of our tag, once.
    fn claim_tag(&self) -> io::Result<()> {
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if lock.is_some() {
            return Ok(());
        }
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.lock_path(&self.tag));
        match made {
            Ok(file) => {
                rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
                *lock = Some(file);
                Ok(())
            }
            // One in two million: another daemon has the same tag. As long as it lives it protects our
            // logs as it does its own.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn has_lock(&self) -> bool {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        lock.is_some()
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
            if tag == self.tag && self.has_lock() {
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

/// The characters at the end of a name for a number, which wraps.
fn characters_of(mut number: usize) -> String {
    let mut text = String::with_capacity(RANDOM_LENGTH - TAG_LENGTH);
    for _ in TAG_LENGTH..RANDOM_LENGTH {
        text.push(char::from(ALPHABET[number % ALPHABET.len()]));
        number /= ALPHABET.len();
    }
    text
}

fn random_number() -> io::Result<usize> {
    let mut bytes = [0; 4];
    getrandom(&mut bytes[..], GetRandomFlags::empty())?;
    Ok(usize::try_from(u32::from_ne_bytes(bytes)).unwrap_or(0))
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

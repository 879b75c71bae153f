//! A log file with the original's rotation.
//!
//! After each write: if the position has reached the limit, `.N-1` becomes `.N`, …, the base becomes
//! `.1`, and the base is made anew; without backups it is truncated. A chunk is never split, so files
//! end slightly above the limit. The position is the kernel's, as in the original, so a file that
//! somebody else truncated or appended to is judged by its true size.
//!
//! Differences on purpose: new files are opened for appending, too (a file that `logrotate` truncates
//! gets no hole); they get no more permissions than the file they replace (AUTO logs stay 0600); a
//! rotation that fails is reported once and the old file written on (the original closes the
//! channel for good).

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};

/// Up to this many backups are looked for one by one; above, the directory is read once.
const PROBED_BACKUPS_MAX: u32 = 64;
/// Time between attempts of a rotation that failed.
const ROTATION_RETRY: Duration = Duration::from_secs(10);
/// Most reports about failing writes to one file in [`REPORT_WINDOW`]: a disk that is full now and
/// then must not fill the main log.
const REPORTS_MAX: u8 = 4;
/// See [`REPORTS_MAX`].
const REPORT_WINDOW: Duration = Duration::from_secs(60);

/// An open log file.
pub(crate) struct FileSink {
    file: File,
    path: Box<Path>,
    max_bytes: u64,
    backups: u32,
    /// Set once something has been wrong with it.
    trouble: Option<Box<Trouble>>,
}

#[derive(Default)]
struct Trouble {
    /// Bytes that could not be written since writing began to fail.
    lost_bytes: u64,
    is_write_failing: bool,
    is_rotation_failing: bool,
    next_rotation_attempt: Option<Instant>,
    reports: u8,
    window_end: Option<Instant>,
}

impl Trouble {
    fn may_report(&mut self) -> bool {
        let now = Instant::now();
        if self.window_end.is_none_or(|end| now >= end) {
            self.window_end = Some(now + REPORT_WINDOW);
            self.reports = 0;
        }
        self.reports = self.reports.saturating_add(1);
        self.reports <= REPORTS_MAX
    }
}

impl FileSink {
    pub(crate) fn new(file: File, path: &Path, max_bytes: u64, backups: u32) -> Self {
        Self {
            file,
            path: path.into(),
            max_bytes,
            backups,
            trouble: None,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a chunk and rotates where it is time. Gives something to tell the operator.
    pub(crate) fn write(&mut self, data: &[u8]) -> Option<String> {
        let mut report = None;
        match write_all(&self.file, data) {
            Ok(()) => {
                if self.trouble.as_ref().is_some_and(|it| it.is_write_failing) {
                    report = self.end_of_write_trouble();
                }
            }
            Err((written, error)) => {
                let lost = u64::try_from(data.len() - written).unwrap_or(u64::MAX);
                let trouble = self.trouble.get_or_insert_default();
                trouble.lost_bytes = trouble.lost_bytes.saturating_add(lost);
                if !trouble.is_write_failing {
                    trouble.is_write_failing = true;
                    report = trouble.may_report().then(|| {
                        format!(
                            "cannot write to log '{}': {error}; output is thrown away until it works \
                             again",
                            self.path.display()
                        )
                    });
                }
            }
        }
        if self.max_bytes > 0 && self.is_full() {
            let problem = self.rotate_or_explain();
            report = report.or(problem);
        }
        report
    }

    fn end_of_write_trouble(&mut self) -> Option<String> {
        let trouble = self.trouble.as_mut()?;
        trouble.is_write_failing = false;
        if !trouble.may_report() {
            return None;
        }
        let lost_bytes = std::mem::take(&mut trouble.lost_bytes);
        Some(format!(
            "log '{}' can be written again; {lost_bytes} bytes of output were thrown away",
            self.path.display(),
        ))
    }

    fn is_full(&mut self) -> bool {
        // One lseek, like the original's tell(): after an append the kernel's position is the end.
        self.file
            .stream_position()
            .is_ok_and(|position| position >= self.max_bytes)
    }

    fn rotate_or_explain(&mut self) -> Option<String> {
        let retry_at = self
            .trouble
            .as_ref()
            .and_then(|trouble| trouble.next_rotation_attempt);
        if retry_at.is_some_and(|at| Instant::now() < at) {
            return None;
        }
        match self.rotate() {
            Ok(()) => {
                if let Some(trouble) = &mut self.trouble {
                    trouble.is_rotation_failing = false;
                    trouble.next_rotation_attempt = None;
                }
                None
            }
            Err(error) => {
                let trouble = self.trouble.get_or_insert_default();
                trouble.next_rotation_attempt = Some(Instant::now() + ROTATION_RETRY);
                if trouble.is_rotation_failing {
                    return None;
                }
                trouble.is_rotation_failing = true;
                Some(format!(
                    "cannot rotate log '{}': {error}; it grows beyond its limit",
                    self.path.display()
                ))
            }
        }
    }

    fn rotate(&mut self) -> io::Result<()> {
        let permissions = self.file.metadata()?.permissions().mode();
        if self.backups > 0 {
            for number in existing_backups(&self.path, self.backups).into_iter().rev() {
                replace(
                    &numbered(&self.path, number),
                    &numbered(&self.path, number + 1),
                )?;
            }
            replace(&self.path, &numbered(&self.path, 1))?;
        }
        self.file = create(&self.path, OFlags::TRUNC, permissions)?;
        Ok(())
    }

    /// Opens by name again, in append mode; keeps the old file where that fails.
    pub(crate) fn reopen(&mut self) -> io::Result<()> {
        self.file = create(&self.path, OFlags::empty(), 0o666)?;
        Ok(())
    }

    /// Removes the file and makes it anew.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        let permissions = self.file.metadata()?.permissions().mode();
        remove_if_there(&self.path)?;
        self.file = create(&self.path, OFlags::empty(), permissions)?;
        Ok(())
    }
}

/// Empties a log file that no running process has open: removed and made anew with its permissions.
/// What is missing or not a regular file is left alone.
pub(crate) fn clear_file(path: &Path) -> io::Result<()> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !metadata.is_file() {
        return Ok(());
    }
    remove_if_there(path)?;
    let file = create(path, OFlags::empty(), metadata.permissions().mode())?;
    // A stopped service's log keeps its owner, which a new file of root's would not.
    let _ = rustix::fs::fchown(
        &file,
        Some(rustix::fs::Uid::from_raw(metadata.uid())),
        Some(rustix::fs::Gid::from_raw(metadata.gid())),
    );
    Ok(())
}

pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Opens or makes a log file with at most these permissions (the file mode mask applies as well).
fn create(path: &Path, extra: OFlags, permissions: u32) -> io::Result<File> {
    // Nonblocking only so that opening cannot hang if somebody put a FIFO in its place.
    let flags = OFlags::WRONLY
        | OFlags::APPEND
        | OFlags::CREATE
        | OFlags::CLOEXEC
        | OFlags::NONBLOCK
        | OFlags::NOCTTY
        | extra;
    let mode = Mode::from_raw_mode(permissions & 0o666);
    Ok(File::from(rustix::fs::open(path, flags, mode)?))
}

fn write_all(mut file: &File, mut data: &[u8]) -> Result<(), (usize, io::Error)> {
    let whole = data.len();
    while !data.is_empty() {
        match file.write(data) {
            Ok(0) => return Err((whole - data.len(), io::ErrorKind::WriteZero.into())),
            Ok(count) => data = &data[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((whole - data.len(), error)),
        }
    }
    Ok(())
}

/// `path` with `.number` behind it.
pub(crate) fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

/// Which of `.1` … `.(backups - 1)` exist, ascending: those that move up by one.
fn existing_backups(path: &Path, backups: u32) -> BTreeSet<u32> {
    if backups <= PROBED_BACKUPS_MAX {
        return (1..backups)
            .filter(|number| numbered(path, *number).exists())
            .collect();
    }
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return BTreeSet::new();
    };
    let directory = if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
    };
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let entry_name = entry.file_name();
        let number = entry_name
            .as_bytes()
            .strip_prefix(name.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"."))
            .filter(|digits| !digits.starts_with(b"0"))
            .filter(|digits| digits.iter().all(u8::is_ascii_digit))
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| digits.parse::<u32>().ok());
        if let Some(number) = number.filter(|number| *number < backups) {
            found.insert(number);
        }
    }
    found
}

/// Moves a file out of the way of the next; what is gone meanwhile is no error (a cleanup script was
/// faster). The target is removed first, as in the original: ext4 takes a rename over a file for an
/// attempt to replace it safely and writes all of its data to the disk at once.
fn replace(from: &Path, to: &Path) -> io::Result<()> {
    remove_if_there(to)?;
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

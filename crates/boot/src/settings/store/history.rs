//! Previous versions: a folder beside the settings file, with a file for each, named by number and time.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::StoreError;
use super::replace::{is_leftover, replace};
use crate::date::{DAY, civil};

/// Most files of the folder that are looked at.
const MOST_FILES: usize = 10_000;

/// A previous version of a settings file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its number; they go up.
    pub number: u64,
    /// Until when it counted: `2026-01-31T14:30:00Z`.
    pub until: String,
    pub(super) path: PathBuf,
}

/// Where versions of a file are.
fn folder(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}.history"))
}

/// All versions, the oldest first.
pub(super) fn list(path: &Path) -> Result<Vec<Version>, StoreError> {
    let folder = folder(path);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::Read(folder, error)),
    };
    let mut versions: Vec<Version> = entries
        .take(MOST_FILES)
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            version(&path)
        })
        .collect();
    versions.sort_by_key(|version| version.number);
    Ok(versions)
}

/// What a name says: `000012-20260131T143000Z`.
fn version(path: &Path) -> Option<Version> {
    let (number, time) = path.file_name()?.to_str()?.split_once('-')?;
    let is_time = time.len() == 16
        && time.bytes().enumerate().all(|(index, byte)| match index {
            8 => byte == b'T',
            15 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        });
    if !is_time {
        return None;
    }
    let part = |from: usize, to: usize| &time[from..to];
    Some(Version {
        number: number.parse().ok()?,
        until: format!(
            "{}-{}-{}T{}:{}:{}Z",
            part(0, 4),
            part(4, 6),
            part(6, 8),
            part(9, 11),
            part(11, 13),
            part(13, 15)
        ),
        path: path.to_owned(),
    })
}

/// Keeps a text as the newest version.
pub(super) fn keep(path: &Path, bytes: &[u8], now: SystemTime) -> Result<PathBuf, StoreError> {
    let folder = folder(path);
    let number = list(path)?.last().map_or(0, |last| last.number) + 1;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|error| StoreError::Write(folder.clone(), error))?;
    let place = folder.join(format!("{number:06}-{}", utc(now)));
    replace(&place, bytes, true, || true)?;
    Ok(place)
}

/// Removes what writers left behind that were killed. Only for who has the lock.
pub(super) fn remove_leftovers(path: &Path) {
    let entries = fs::read_dir(folder(path)).into_iter().flatten();
    for entry in entries.flatten().take(MOST_FILES) {
        if is_leftover(&entry.file_name().to_string_lossy(), ".") {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Removes a version that has not become one.
pub(super) fn forget(place: &Path) {
    let _ = fs::remove_file(place);
}

/// Removes the oldest versions beyond a number. What cannot be removed is tried again after the next change.
pub(super) fn prune(path: &Path, most: u32) {
    let versions = list(path).unwrap_or_default();
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    for old in &versions[..versions.len().saturating_sub(most)] {
        let _ = fs::remove_file(&old.path);
    }
}

/// `20260131T143000Z`.
fn utc(time: SystemTime) -> String {
    let seconds = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let (year, month, day) = civil(seconds / DAY);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times_are_written_and_read() {
        for (seconds, expected) in [
            (0, "19700101T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (1_767_225_599, "20251231T235959Z"),
            (4_107_542_400, "21000301T000000Z"),
        ] {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(utc(time), expected);
        }
        let found = version(Path::new("/x/000012-20260131T143000Z")).unwrap();
        assert_eq!(
            (found.number, found.until.as_str()),
            (12, "2026-01-31T14:30:00Z")
        );
        for name in [
            "x",
            "1-2",
            "a-20260131T143000Z",
            "1-20260131T14300ßZ",
            ".1.new",
        ] {
            assert_eq!(version(Path::new(name)), None, "{name}");
        }
    }
}

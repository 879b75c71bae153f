//! The file of the recorded history, as its writer leaves it and its readers find it.
//!
//! It is two files of JSON lines: the younger half, which grows, and the older one, which it replaces when it has
//! half of the bytes that are allowed. A line that was cut by a crash is passed over.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{EventsFilter, EventsReport, HistoryEntry};

/// Longest line that is read; what is longer is no entry.
const LINE_MAX_BYTES: u64 = 64 * 1024;

/// The younger half.
#[must_use]
pub fn history_file(directory: &Path) -> PathBuf {
    directory.join("history.jsonl")
}

/// The older half.
#[must_use]
pub fn older_history_file(directory: &Path) -> PathBuf {
    directory.join("history.jsonl.1")
}

/// The entries that fit a question, up to the one with the id `until`, which is left out.
///
/// May wait for the disk.
///
/// # Errors
/// If neither half can be opened, or reading fails.
pub fn read_history(
    directory: &Path,
    filter: &EventsFilter,
    until: Option<u64>,
) -> io::Result<EventsReport> {
    let mut found = Found {
        filter,
        until,
        events: VecDeque::new(),
        last: 0,
        more: false,
    };
    for half in halves(directory)? {
        if !found.take(half)? {
            break;
        }
    }
    Ok(EventsReport {
        last: found.last,
        events: found.events.into(),
        more: found.more,
    })
}

/// Both halves, the older one first. If the younger one becomes the older one meanwhile, it is found under both
/// names and counts once; what is in its successor by then the daemon has in memory.
fn halves(directory: &Path) -> io::Result<Vec<File>> {
    let younger = File::open(history_file(directory));
    let older = File::open(older_history_file(directory));
    let is_same = match (&younger, &older) {
        (Ok(younger), Ok(older)) => {
            let (younger, older) = (younger.metadata()?, older.metadata()?);
            (younger.dev(), younger.ino()) == (older.dev(), older.ino())
        }
        _ => false,
    };
    match (younger, older) {
        (Ok(younger), Ok(_)) if is_same => Ok(vec![younger]),
        (Ok(younger), Ok(older)) => Ok(vec![older, younger]),
        (Ok(one), Err(_)) | (Err(_), Ok(one)) => Ok(vec![one]),
        (Err(error), Err(_)) => Err(error),
    }
}

struct Found<'a> {
    filter: &'a EventsFilter,
    until: Option<u64>,
    events: VecDeque<HistoryEntry>,
    last: u64,
    more: bool,
}

impl Found<'_> {
    /// Reads one half; false when the end that was asked for has been reached.
    fn take(&mut self, half: File) -> io::Result<bool> {
        let mut reader = BufReader::with_capacity(64 * 1024, half);
        let mut line = Vec::new();
        loop {
            line.clear();
            let count = (&mut reader)
                .take(LINE_MAX_BYTES)
                .read_until(b'\n', &mut line)?;
            if count == 0 {
                return Ok(true);
            }
            // The rest of a line that is too long, and lines that were cut, are no JSON.
            let Ok(entry) = serde_json::from_slice::<HistoryEntry>(&line) else {
                continue;
            };
            if Some(entry.id) == self.until {
                return Ok(false);
            }
            self.last = entry.id;
            if self.filter.fits(&entry) {
                self.events.push_back(entry);
                if self.events.len() > self.filter.limit {
                    self.events.pop_front();
                    self.more = true;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn line(id: u64, service: &str) -> String {
        format!(r#"{{"id":{id},"time":{id},"service":"{service}","kind":"state","text":"x"}}"#)
            + "\n"
    }

    fn ids(directory: &Path, filter: &EventsFilter, until: Option<u64>) -> Vec<u64> {
        let report = read_history(directory, filter, until).unwrap();
        report.events.iter().map(|entry| entry.id).collect()
    }

    #[test]
    fn both_halves_are_read_in_order_and_what_is_no_entry_is_passed_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let all = EventsFilter::default();
        assert!(read_history(path, &all, None).is_err());
        let older = line(1, "web") + "{\"id\":2,\"ti\n" + &line(3, "redis");
        fs::write(older_history_file(path), older).unwrap();
        assert_eq!(ids(path, &all, None), [1, 3]);
        let younger =
            line(4, "web") + &"y".repeat(100_000) + "\n" + &line(5, "jobs:a") + "{\"id\":6,";
        fs::write(history_file(path), younger).unwrap();
        assert_eq!(ids(path, &all, None), [1, 3, 4, 5]);
        assert_eq!(ids(path, &all, Some(4)), [1, 3]);
        let few = EventsFilter {
            limit: 2,
            ..EventsFilter::default()
        };
        let report = read_history(path, &few, None).unwrap();
        assert!(report.more);
        assert_eq!(report.last, 5);
        assert_eq!(ids(path, &few, None), [4, 5]);
    }

    #[test]
    fn one_half_that_has_just_become_the_other_is_read_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        fs::write(history_file(path), line(1, "web")).unwrap();
        fs::hard_link(history_file(path), older_history_file(path)).unwrap();
        let all = EventsFilter::default();
        assert_eq!(ids(path, &all, None), [1]);
    }
}

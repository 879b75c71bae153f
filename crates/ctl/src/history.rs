//! The file in which the shell keeps what was typed: a line each, as readline has it. Errors are no reason not to work.

use std::borrow::Cow;
use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Most lines that are kept; the oldest are dropped.
pub(crate) const MOST_LINES: usize = 10_000;

/// Most bytes that are read of a history.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// The lines of a file; none if there is no file that can be read.
pub(crate) fn read(file: &Path) -> Vec<String> {
    let mut bytes = Vec::new();
    let opened = OpenOptions::new().read(true).open(file);
    let read = opened.and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes));
    if read.is_err() {
        return Vec::new();
    }
    String::from_utf8_lossy(&bytes)
        .lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Writes it anew. What is typed may be a secret, so a new file is for its owner alone.
pub(crate) fn write<'a>(file: &Path, lines: impl Iterator<Item = Cow<'a, str>>) -> io::Result<()> {
    let mut text = String::new();
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)?
        .write_all(text.as_bytes())
}

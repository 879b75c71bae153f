//! Small files of the daemon's own, for itself alone: there as a whole or not at all.

use std::io;
use std::path::Path;

use crate::reading::{read, reason};
use crate::writing::{Access, Mode, WriteError, make_directory, write};

/// Writes one, and makes its directory if that is missing.
///
/// # Errors
/// If it cannot be written.
pub fn keep_private(path: &Path, content: &[u8]) -> Result<(), WriteError> {
    if let Some(directory) = path.parent() {
        make_directory(directory, Mode::Real)?;
    }
    write(path, content, Access::PRIVATE, Mode::Real).map(|_| ())
}

/// Reads one; none if it is not there.
///
/// # Errors
/// Why it cannot be read.
pub fn read_private(path: &Path) -> Result<Option<Vec<u8>>, String> {
    match read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(reason(&error)),
    }
}

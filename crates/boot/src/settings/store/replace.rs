//! Putting a file in the place of another, whole or not at all.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Gid, Uid, fchown};
use rustix::io::Errno;

use super::StoreError;
use super::lock::beside;
use crate::settings::random;

/// The end of the names of files that are being written.
const ENDING: &str = ".new";

/// Where a path leads, so that a link stays a link.
pub(super) fn followed(path: &Path) -> PathBuf {
    if let Ok(real) = fs::canonicalize(path) {
        return real;
    }
    // A link to what is not there yet.
    match fs::read_link(path) {
        Ok(target) => path.parent().unwrap_or(Path::new("/")).join(target),
        Err(_) => path.to_owned(),
    }
}

/// Writes a file and puts it in its place, with the owner and the mode of the one that was there. `is_first` makes a
/// file that nobody else has made; `is_as_read` tells whether the place is still as it was when the change was
/// thought out.
pub(super) fn replace(
    path: &Path,
    bytes: &[u8],
    is_first: bool,
    is_as_read: impl FnOnce() -> bool,
) -> Result<(), StoreError> {
    let write = |error: io::Error| StoreError::Write(path.to_owned(), error);
    let suffix = random::hex(8).map_err(|error| write(error.into()))?;
    let temporary = beside(path, &format!(".{suffix}{ENDING}"));
    let written = write_new(&temporary, path, bytes).map_err(write);
    let placed = written.and_then(|()| {
        if !is_as_read() {
            return Err(StoreError::Changed(path.to_owned()));
        }
        if is_first {
            return place_first(&temporary, path);
        }
        fs::rename(&temporary, path).map_err(write)
    });
    if placed.is_err() {
        // Whatever it was, a secret may be in it.
        let _ = fs::remove_file(&temporary);
    }
    placed?;
    sync_folder(path).map_err(write)
}

/// Removes a file, so that it is gone from the disk when this returns.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    fs::remove_file(path)
        .and_then(|()| sync_folder(path))
        .map_err(|error| StoreError::Write(path.to_owned(), error))
}

/// Writes a file that is on the disk when this returns.
fn write_new(temporary: &Path, like: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(temporary)?;
    file.write_all(bytes)?;
    if let Ok(before) = fs::metadata(like) {
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (before.uid(), before.gid()) {
            // Only root may give files away; whoever may replace it may as well own it.
            let (uid, gid) = (Uid::from_raw(before.uid()), Gid::from_raw(before.gid()));
            let _ = fchown(&file, Some(uid), Some(gid));
        }
        // Volumes of other systems have no modes, and say so.
        let _ = file.set_permissions(Permissions::from_mode(before.mode() & 0o777));
    }
    file.sync_all()
}

/// Puts a file where there is none, and never over one that has come meanwhile.
fn place_first(temporary: &Path, path: &Path) -> Result<(), StoreError> {
    match fs::hard_link(temporary, path) {
        Ok(()) => {
            let _ = fs::remove_file(temporary);
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(StoreError::Changed(path.to_owned()))
        }
        // There are file systems without links.
        Err(_) => {
            fs::rename(temporary, path).map_err(|error| StoreError::Write(path.to_owned(), error))
        }
    }
}

/// Makes a rename last.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) => match error.raw_os_error().map(Errno::from_raw_os_error) {
            // Not every file system can, and not everybody may read the folder.
            Some(Errno::INVAL | Errno::OPNOTSUPP | Errno::BADF | Errno::ACCESS) => Ok(()),
            _ => Err(error),
        },
        Ok(()) => Ok(()),
    }
}

/// Removes what writers left behind that were killed. Only for who has the lock.
pub(super) fn remove_leftovers(path: &Path) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return;
    };
    let beginning = format!(".{}.", name.to_string_lossy());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if is_leftover(&name.to_string_lossy(), &beginning) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a name is that of a file that was being written: a beginning, random digits, and the end.
pub(super) fn is_leftover(name: &str, beginning: &str) -> bool {
    let Some(rest) = name
        .strip_prefix(beginning)
        .and_then(|rest| rest.strip_suffix(ENDING))
    else {
        return false;
    };
    let digits = rest.rsplit('.').next().unwrap_or(rest);
    let is_alone = beginning == "." || digits.len() == rest.len();
    is_alone && digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

//! Writes files so that nobody ever sees a half of one: a sibling under another name, flushed to the disk, then renamed.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::reading::reason;

/// What cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {}", path.display(), reason(source))]
pub struct WriteError {
    /// What was to be done.
    pub action: &'static str,
    /// With which file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// It was not there.
    Made,
    /// It was another one.
    Changed,
    /// It is as it was.
    Unchanged,
}

impl Writing {
    /// For people; of a dry run, what would come of it.
    #[must_use]
    pub fn in_words(self, is_dry: bool) -> &'static str {
        match (self, is_dry) {
            (Self::Unchanged, _) => "unchanged",
            (Self::Made, false) => "made",
            (Self::Changed, false) => "changed",
            (Self::Made, true) => "would be made",
            (Self::Changed, true) => "would be changed",
        }
    }
}

/// Whether anything is written, or only said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Real,
    Dry,
}

/// Who may do what with a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Access {
    /// The bits of the mode.
    pub(crate) mode: u32,
    /// User and group; none is whoever writes.
    pub(crate) owner: Option<(u32, Option<u32>)>,
}

impl Access {
    /// For everybody to read.
    pub(crate) const PUBLIC: Self = Self {
        mode: 0o644,
        owner: None,
    };
    /// For its user alone.
    pub(crate) const PRIVATE: Self = Self {
        mode: 0o600,
        owner: None,
    };

    fn is_of(self, metadata: &fs::Metadata) -> bool {
        let owner_fits = self.owner.is_none_or(|(user, group)| {
            metadata.uid() == user && group.is_none_or(|group| metadata.gid() == group)
        });
        metadata.mode() & 0o7777 == self.mode && owner_fits
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> WriteError {
    let path = path.to_owned();
    move |source| WriteError {
        action,
        path,
        source,
    }
}

/// Makes a directory that others may look into, with those above it.
pub(crate) fn make_directory(path: &Path, mode: Mode) -> Result<(), WriteError> {
    if mode == Mode::Dry || path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_directory(parent, mode)?;
    }
    // Regardless of the umask: servers of other users read what is in it.
    match fs::create_dir(path) {
        // Another container on the same volume was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {
            return Ok(());
        }
        made => made,
    }
    .and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o755)))
    .map_err(failed("make the directory", path))
}

/// Sees to it that a file has a content and is for certain users. The directory must be there.
pub(crate) fn write(
    path: &Path,
    content: &[u8],
    access: Access,
    mode: Mode,
) -> Result<Writing, WriteError> {
    let outcome = compared(path, content, access);
    if outcome == Writing::Unchanged || mode == Mode::Dry {
        return Ok(outcome);
    }
    let sibling = sibling_of(path);
    let _alone = alone_in(path.parent().unwrap_or(Path::new(".")));
    let result = fill(&sibling, content, access)
        .and_then(|()| fs::rename(&sibling, path))
        .and_then(|()| flush_directory_of(path));
    if result.is_err() {
        let _ = fs::remove_file(&sibling);
    }
    result.map_err(failed("write", path))?;
    Ok(outcome)
}

/// What writing a file would make of it.
pub(crate) fn compared(path: &Path, content: &[u8], access: Access) -> Writing {
    // A link under this name is not followed but replaced: only what is in our directory is ours.
    let Ok(known) = fs::symlink_metadata(path) else {
        return Writing::Made;
    };
    let is_same = known.is_file()
        && known.len() == content.len() as u64
        && access.is_of(&known)
        && fs::read(path).is_ok_and(|found| found == content);
    if is_same {
        Writing::Unchanged
    } else {
        Writing::Changed
    }
}

/// Writes a file that is to take the place of another one with [`swap`], once it has been looked at.
pub(crate) fn stage(path: &Path, content: &[u8], access: Access) -> Result<(), WriteError> {
    fill(path, content, access).map_err(failed("write", path))
}

/// Puts a file in the place of another one, at once.
pub(crate) fn swap(staged: &Path, path: &Path) -> Result<(), WriteError> {
    fs::rename(staged, path)
        .and_then(|()| flush_directory_of(path))
        .map_err(failed("write", path))
}

fn fill(path: &Path, content: &[u8], access: Access) -> io::Result<()> {
    // Left over from somebody who was killed.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    if let Some((user, group)) = access.owner {
        let metadata = file.metadata()?;
        if metadata.uid() != user || group.is_some_and(|group| metadata.gid() != group) {
            chown(path, Some(user), group)?;
        }
    }
    // Regardless of the umask, and after the owner, whose change may take bits away.
    file.set_permissions(Permissions::from_mode(access.mode))?;
    file.sync_all()
}

/// Sees to it that a link in our directory leads to a name beside it.
pub(crate) fn link(path: &Path, target: &str, mode: Mode) -> Result<Writing, WriteError> {
    let known = fs::read_link(path).ok();
    if known.as_deref() == Some(Path::new(target)) {
        return Ok(Writing::Unchanged);
    }
    let outcome = if fs::symlink_metadata(path).is_ok() {
        Writing::Changed
    } else {
        Writing::Made
    };
    if mode == Mode::Dry {
        return Ok(outcome);
    }
    let sibling = sibling_of(path);
    let _ = fs::remove_file(&sibling);
    std::os::unix::fs::symlink(target, &sibling)
        .and_then(|()| fs::rename(&sibling, path))
        .and_then(|()| flush_directory_of(path))
        .map_err(failed("write the link", path))?;
    Ok(outcome)
}

/// Removes a file or link of ours; whether it was there.
pub(crate) fn remove(path: &Path, mode: Mode) -> Result<bool, WriteError> {
    if fs::symlink_metadata(path).is_err() {
        return Ok(false);
    }
    if mode == Mode::Real {
        fs::remove_file(path).map_err(failed("remove", path))?;
    }
    Ok(true)
}

/// Removes a directory of ours with what is in it.
pub(crate) fn remove_directory(path: &Path) -> Result<(), WriteError> {
    fs::remove_dir_all(path).map_err(failed("remove", path))
}

/// The name under which a file is made. It is the same each time, so a kill leaves at most one behind.
fn sibling_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.new"))
}

fn flush_directory_of(path: &Path) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    // Some network file systems cannot do this for directories, and lose nothing by it.
    match File::open(directory)?.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}

/// Holds a lock on a file while something is done that two daemons on one volume must not do at once. None where nobody can
/// write anything: what is there already can still be looked at and used.
pub(crate) fn lock(path: &Path) -> Result<Option<File>, WriteError> {
    let opened = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path);
    let file = match opened {
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => return Ok(None),
        opened => opened.map_err(failed("open the lock", path))?,
    };
    if waited_for(&file, Duration::from_millis(100), 300) {
        return Ok(Some(file));
    }
    let text = "another process has held it for 30 s";
    Err(failed("lock", path)(io::Error::other(text)))
}

/// Keeps away those who write into a directory as we do, for all of them make their files under the same names: other
/// containers on the same volume. Whoever holds this for 5 s is stuck, and not waited for any longer.
fn alone_in(directory: &Path) -> Option<File> {
    let directory = File::open(directory).ok()?;
    waited_for(&directory, Duration::from_millis(5), 1000);
    Some(directory)
}

/// Waits until a lock is ours; whether it is.
fn waited_for(file: &File, between: Duration, tries: u32) -> bool {
    for _ in 0..tries {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => std::thread::sleep(between),
            // A file system that has no locks is used by one daemon, or at its owner's risk.
            Ok(()) | Err(_) => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode_of(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn a_file_is_made_changed_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let write = |content: &[u8], access, mode| write(&path, content, access, mode).unwrap();
        assert_eq!(write(b"a", Access::PRIVATE, Mode::Dry), Writing::Made);
        assert!(!path.exists());
        assert_eq!(write(b"a", Access::PRIVATE, Mode::Real), Writing::Made);
        assert_eq!(mode_of(&path), 0o600);
        let inode = fs::metadata(&path).unwrap().ino();
        assert_eq!(write(b"a", Access::PRIVATE, Mode::Real), Writing::Unchanged);
        assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
        assert_eq!(write(b"b", Access::PRIVATE, Mode::Dry), Writing::Changed);
        assert_eq!(fs::read(&path).unwrap(), b"a");
        assert_eq!(write(b"b", Access::PRIVATE, Mode::Real), Writing::Changed);
        assert_eq!(write(b"b", Access::PUBLIC, Mode::Real), Writing::Changed);
        assert_eq!(
            (mode_of(&path), fs::read(&path).unwrap()),
            (0o644, b"b".to_vec())
        );
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(names.len(), 1, "no sibling is left: {names:?}");
    }

    #[test]
    fn many_may_write_the_same_file_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::thread::scope(|scope| {
            for writer in b'a'..=b'd' {
                let path = &path;
                scope.spawn(move || {
                    for round in 1..=20 {
                        let content = vec![writer; round * 1000];
                        write(path, &content, Access::PRIVATE, Mode::Real).unwrap();
                        let found = fs::read(path).unwrap();
                        let is_whole = found.iter().all(|byte| *byte == found[0]);
                        assert!(is_whole && !found.is_empty() && found.len().is_multiple_of(1000));
                    }
                });
            }
        });
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(names.len(), 1, "no sibling is left: {names:?}");
    }

    #[test]
    fn what_a_kill_left_behind_and_links_do_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let outside = folder.path().join("outside");
        fs::write(&outside, "theirs").unwrap();
        std::os::unix::fs::symlink(&outside, &path).unwrap();
        std::os::unix::fs::symlink(&outside, sibling_of(&path)).unwrap();
        write(&path, b"ours", Access::PUBLIC, Mode::Real).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"ours");
        assert_eq!(fs::read(&outside).unwrap(), b"theirs");
    }

    #[test]
    fn links_are_swapped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("current");
        assert_eq!(link(&path, "a", Mode::Dry).unwrap(), Writing::Made);
        assert_eq!(link(&path, "a", Mode::Real).unwrap(), Writing::Made);
        assert_eq!(link(&path, "a", Mode::Real).unwrap(), Writing::Unchanged);
        assert_eq!(link(&path, "b", Mode::Real).unwrap(), Writing::Changed);
        assert_eq!(fs::read_link(&path).unwrap(), Path::new("b"));
        assert!(remove(&path, Mode::Dry).unwrap());
        assert!(remove(&path, Mode::Real).unwrap());
        assert!(!remove(&path, Mode::Real).unwrap());
    }

    #[test]
    fn errors_name_the_file_and_the_reason() {
        let path = Path::new("/proc/no/such/file");
        let error = write(path, b"", Access::PUBLIC, Mode::Real).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot write /proc/no/such/file: it does not exist"
        );
    }
}

//! Room, owners, versions: what can be said of a path without changing anything.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat, statvfs};

use super::Found;
use crate::reading::{read, reason};

/// Most characters of a file's first word that are told.
const LONGEST_VERSION: usize = 40;

/// Whether so many bytes are free where a path is, or will be.
pub(super) fn free_space(path: &str, wanted: u64) -> Found {
    let mut place = Path::new(path);
    let space = loop {
        match statvfs(place) {
            Ok(space) => break space,
            Err(error) => match place.parent() {
                Some(parent) if error == rustix::io::Errno::NOENT => place = parent,
                _ => {
                    let reason = reason(&error.into());
                    return Found::bad(format!("cannot tell how much is free in {path}: {reason}"));
                }
            },
        }
    };
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let (free_text, wanted_text) = (size(free), size(wanted));
    if free >= wanted {
        return Found::Good(format!(
            "{path}: {free_text} are free, {wanted_text} are wanted"
        ));
    }
    Found::Bad {
        problem: format!("{path}: {free_text} are free, and {wanted_text} are wanted"),
        remedy: Some("make room there".to_owned()),
    }
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    const UNITS: [(&str, u32); 3] = [("GB", 30), ("MB", 20), ("KB", 10)];
    let (unit, shift) = UNITS
        .into_iter()
        .find(|(_, shift)| bytes >> shift > 0)
        .unwrap_or(("KB", 10));
    let tenths = (u128::from(bytes) * 10) >> shift;
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// Whether files can be made in a directory.
pub(super) fn writable(path: &str) -> Found {
    let is_directory = match fs::metadata(path) {
        Ok(metadata) => metadata.is_dir(),
        Err(error) => return unwritable(path, &error),
    };
    if !is_directory {
        return Found::bad(format!("{path} is not a directory"));
    }
    let wanted = Access::WRITE_OK | Access::EXEC_OK;
    match accessat(CWD, path, wanted, AtFlags::EACCESS) {
        Ok(()) => Found::Good(format!("{path} can be written")),
        Err(error) => unwritable(path, &error.into()),
    }
}

fn unwritable(path: &str, error: &io::Error) -> Found {
    let user = rustix::process::geteuid().as_raw();
    let remedy = if error.kind() == io::ErrorKind::NotFound {
        "mount a volume there, or make the directory".to_owned()
    } else if error.kind() == io::ErrorKind::ReadOnlyFilesystem {
        "mount it so that it can be written".to_owned()
    } else {
        format!("let user {user} write there")
    };
    Found::Bad {
        problem: format!("user {user} cannot write in {path}: {}", reason(error)),
        remedy: Some(remedy),
    }
}

/// Whether a path, if it is there, belongs to somebody.
pub(super) fn owned_by(path: &str, (uid, gid): (u32, Option<u32>)) -> Found {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Found::Good(format!("{path} is not there yet"));
        }
        Err(error) => return Found::bad(format!("cannot look at {path}: {}", reason(&error))),
    };
    let wanted = match gid {
        Some(gid) => format!("{uid}:{gid}"),
        None => uid.to_string(),
    };
    if metadata.uid() == uid && gid.is_none_or(|gid| metadata.gid() == gid) {
        return Found::Good(format!("{path} belongs to {wanted}"));
    }
    let (uid, gid) = (metadata.uid(), metadata.gid());
    Found::Bad {
        problem: format!("{path} belongs to {uid}:{gid}, and must belong to {wanted}"),
        remedy: Some(format!(
            "if nobody else needs it as it is, `chown -R {wanted} {path}`"
        )),
    }
}

/// Whether the first word of a file, if it is there, is one of these.
pub(super) fn data_version(path: &str, good: &[String]) -> Found {
    let bytes = match read(Path::new(path)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Found::Good(format!("{path} is not there yet"));
        }
        Err(error) => return Found::bad(format!("cannot read {path}: {}", reason(&error))),
    };
    let text = String::from_utf8_lossy(&bytes);
    let version = text.split_whitespace().next().unwrap_or_default();
    if good.iter().any(|known| known == version) {
        return Found::Good(format!("{path} says {version}"));
    }
    let version: String = version
        .chars()
        .filter(|it| !it.is_control())
        .take(LONGEST_VERSION)
        .collect();
    Found::bad(format!(
        "{path} says `{version}`, and {} will do",
        good.join(" or ")
    ))
}

//! Why a settings file cannot be read or written, and what to do about it.

use std::io;
use std::path::PathBuf;

use rustix::io::Errno;

use crate::settings::env_file::Problem;

/// What went wrong with a settings file.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be read.
    #[error("cannot read {}: {}{}", .0.display(), .1, remedy(.1))]
    Read(PathBuf, #[source] io::Error),
    /// It is no settings file.
    #[error("{}", problems(.0, .1))]
    Invalid(PathBuf, Vec<Problem>),
    /// Somebody else is writing.
    #[error("another process has been changing {} for {seconds} seconds: try again, or see who holds {}", .path.display(), .lock.display())]
    Busy {
        /// The settings file.
        path: PathBuf,
        /// How long it was waited for.
        seconds: u64,
        /// What the other process holds.
        lock: PathBuf,
    },
    /// It cannot be written.
    #[error("cannot write {}: {}{}", .0.display(), .1, remedy(.1))]
    Write(PathBuf, #[source] io::Error),
    /// Somebody has changed it by hand.
    #[error("{} has been changed meanwhile by somebody else; nothing was written: try again", .0.display())]
    Changed(PathBuf),
}

impl StoreError {
    /// Whether it is a place where nothing can be written by us at all.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        match self {
            Self::Write(_, error) => matches!(
                errno(error),
                Some(Errno::ROFS | Errno::ACCESS | Errno::PERM)
            ),
            Self::Read(..) | Self::Invalid(..) | Self::Busy { .. } | Self::Changed(_) => false,
        }
    }
}

fn errno(error: &io::Error) -> Option<Errno> {
    error.raw_os_error().map(Errno::from_raw_os_error)
}

fn problems(path: &std::path::Path, problems: &[Problem]) -> String {
    let mut text = String::new();
    for problem in problems {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&path.display().to_string());
        text.push_str(": ");
        text.push_str(&problem.to_string());
    }
    text
}

/// What a person could do.
fn remedy(error: &io::Error) -> String {
    let user = rustix::process::geteuid().as_raw();
    match errno(error) {
        Some(Errno::ROFS) => {
            "; put [linchpin] settings_file on a volume that can be written".to_owned()
        }
        Some(Errno::NOSPC | Errno::DQUOT) => "; make room on the volume".to_owned(),
        Some(Errno::ACCESS | Errno::PERM) => {
            format!("; this is user {user}, which needs to be able to read and write there")
        }
        Some(Errno::NOTDIR | Errno::ISDIR) => {
            "; [linchpin] settings_file must be the path of a file".to_owned()
        }
        _ => String::new(),
    }
}

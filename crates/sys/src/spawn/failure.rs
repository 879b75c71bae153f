//! What can go wrong when a process is started, in the original's words.

use std::fmt;
use std::io;

use crate::errno_name::errno_text;

/// The steps of a child between clone and exec, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Its own process group.
    ProcessGroup,
    /// Standard input, output and error.
    Descriptors,
    /// The limit of open files.
    Limits,
    /// The account is not one it may become; decided before, see [`Credentials`](crate::credentials::Credentials).
    Account,
    /// Supplementary groups.
    Groups,
    /// Group id.
    GroupId,
    /// User id.
    UserId,
    /// Working directory.
    Directory,
    /// The program itself.
    Exec,
}

impl Stage {
    const ALL: [Self; 9] = [
        Self::ProcessGroup,
        Self::Descriptors,
        Self::Limits,
        Self::Account,
        Self::Groups,
        Self::GroupId,
        Self::UserId,
        Self::Directory,
        Self::Exec,
    ];

    /// Number for the shared memory; 0 is reserved for "no failure".
    pub(super) fn to_code(self) -> i32 {
        match self {
            Self::ProcessGroup => 1,
            Self::Descriptors => 2,
            Self::Limits => 3,
            Self::Account => 4,
            Self::Groups => 5,
            Self::GroupId => 6,
            Self::UserId => 7,
            Self::Directory => 8,
            Self::Exec => 9,
        }
    }

    pub(super) fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.to_code() == code)
    }
}

/// A child came into being and could not become the program. It has exited with 127, and is still to be
/// reaped like any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecFailure {
    /// At which step.
    pub stage: Stage,
    /// The error number of that step; 0 at [`Stage::Account`].
    pub errno: i32,
    /// What the child wrote to its standard error, without `supervisor: `: `couldn't exec x: ENOEXEC`.
    pub message: String,
}

impl fmt::Display for ExecFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ExecFailure {}

/// No child came into being.
#[derive(Debug, thiserror::Error)]
#[error("cannot create a process: {}", errno_text(self.errno()))]
pub struct SpawnError {
    #[source]
    pub(super) source: io::Error,
}

impl SpawnError {
    /// The error number of the failed call.
    #[must_use]
    pub fn errno(&self) -> i32 {
        self.source.raw_os_error().unwrap_or(0)
    }

    /// The original's `spawnerr` for the process of this name.
    #[must_use]
    pub fn spawnerr(&self, process: &str) -> String {
        match self.errno() {
            libc::EAGAIN => {
                format!("Too many processes in process table to spawn '{process}'")
            }
            errno => format!(
                "unknown error during fork for '{process}': {}",
                errno_text(errno)
            ),
        }
    }
}

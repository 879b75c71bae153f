//! The daemon itself becoming another user, once, while it starts.

use crate::accounts::{Accounts, AccountsError};
use crate::credentials::Credentials;

/// What is logged, as critical, when a daemon of root has no `user=`.
pub const RUNNING_AS_ROOT: &str = "Supervisor is running as root.  Privileges were not dropped because no user is \
     specified in the config file.  If you intend to run as root, you can set user=root in the config file to \
     avoid this message.";

/// Why privileges could not be dropped; the texts are the original's, which it ends with (exit 2).
#[derive(Debug, thiserror::Error)]
pub enum PrivilegesError {
    /// The account is not one that this process may become.
    #[error("{0}")]
    Refused(String),
    /// The kernel refused the groups.
    #[error("Could not set groups of effective user")]
    Groups(#[source] std::io::Error),
    /// The kernel refused the group.
    #[error("Could not set group id of effective user")]
    GroupId(#[source] std::io::Error),
    /// The kernel refused the user.
    #[error("Could not set user id of effective user")]
    UserId(#[source] std::io::Error),
    /// The account files cannot be read.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
}

/// Whether this process runs as root, by its real user id.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

/// The effective user id.
#[must_use]
pub fn effective_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Makes the whole process the user `uid`: groups, group, user, in this order. Nothing happens if it already is,
/// by its real user id. On success the original logs `Set uid to user <uid> succeeded`.
///
/// # Errors
/// With the original's text. After an error the process may have new groups already: it should end.
pub fn drop_privileges(uid: u32, accounts: &Accounts) -> Result<(), PrivilegesError> {
    match Credentials::for_uid(uid, accounts)? {
        Credentials::Keep => Ok(()),
        Credentials::Refused { why, .. } => Err(PrivilegesError::Refused(why)),
        Credentials::Switch { uid, gid, groups } => switch(uid, gid, &groups),
    }
}

/// libc's functions on purpose, unlike in a child: they change every thread, so it does no harm if one was started
/// before. A raw call would change the calling one only.
fn switch(uid: u32, gid: u32, groups: &[u32]) -> Result<(), PrivilegesError> {
    // SAFETY: an array of as many ids as are announced.
    let answer = unsafe { libc::setgroups(groups.len(), groups.as_ptr()) };
    check(answer).map_err(PrivilegesError::Groups)?;
    // SAFETY: a number.
    let answer = unsafe { libc::setgid(gid) };
    check(answer).map_err(PrivilegesError::GroupId)?;
    // SAFETY: a number.
    let answer = unsafe { libc::setuid(uid) };
    check(answer).map_err(PrivilegesError::UserId)
}

fn check(answer: i32) -> std::io::Result<()> {
    if answer == 0 {
        Ok(())
    } else {
        Err(std::io::Error::last_os_error())
    }
}

//! Which user a child, or the daemon itself, is to become, decided by the original's rules.
//!
//! The decision is made from the account files before anything irreversible happens; carrying it out is the
//! business of [`spawn`](crate::spawn) and [`privileges`](crate::privileges).

use crate::accounts::{Accounts, AccountsError};

/// What becomes of the identity of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// It stays who it is.
    Keep,
    /// It becomes this user.
    Switch {
        /// User id.
        uid: u32,
        /// Primary group.
        gid: u32,
        /// Supplementary groups, the primary one first.
        groups: Vec<u32>,
    },
    /// It may not become that user. A child says so on its standard error and exits with 127, as the
    /// original's do.
    Refused {
        /// User id that was asked for.
        uid: u32,
        /// Why, in the original's words.
        why: String,
    },
}

impl Credentials {
    /// What the original's `drop_privileges` would do for this user id.
    ///
    /// Real user id already right: nothing at all, so that a daemon without privileges accepts `user=` with
    /// its own name.
    ///
    /// # Errors
    /// If the account files cannot be read.
    pub fn for_uid(uid: u32, accounts: &Accounts) -> Result<Self, AccountsError> {
        let refused = |why: String| Ok(Self::Refused { uid, why });
        let Some(user) = accounts.user_by_uid(uid)? else {
            return refused(format!("Can't find uid {uid}"));
        };
        let current = rustix::process::getuid().as_raw();
        if current == uid {
            return Ok(Self::Keep);
        }
        if current != 0 {
            return refused("Can't drop privilege as nonroot user".to_owned());
        }
        Ok(Self::Switch {
            uid,
            gid: user.gid,
            groups: accounts.groups_of(&user)?,
        })
    }
}

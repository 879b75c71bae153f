//! Users and groups, read from `/etc/passwd` and `/etc/group`.
//!
//! libc's look-ups are not used: in a static glibc build they load shared objects and may crash.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A line of `/etc/passwd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Home directory.
    pub home: PathBuf,
    /// Login shell.
    pub shell: PathBuf,
}

/// A line of `/etc/group`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Group id.
    pub gid: u32,
    /// Login names of the members.
    pub members: Vec<String>,
}

/// The account files could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}", path.display())]
pub struct AccountsError {
    /// Which file.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// Where accounts are looked up. Nothing is cached: each question reads the file as it is now.
#[derive(Debug, Clone)]
pub struct Accounts {
    root: PathBuf,
}

impl Accounts {
    /// The accounts of this machine.
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self::under("/")
    }

    /// The accounts of the system whose root directory is `root`.
    #[must_use]
    pub fn under(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The user with this login name.
    ///
    /// # Errors
    /// If the file exists and cannot be read.
    pub fn user_by_name(&self, name: &str) -> Result<Option<User>, AccountsError> {
        self.find_user(|user| user.name == name)
    }

    /// The first user with this id.
    ///
    /// # Errors
    /// If the file exists and cannot be read.
    pub fn user_by_uid(&self, uid: u32) -> Result<Option<User>, AccountsError> {
        self.find_user(|user| user.uid == uid)
    }

    /// The group with this name.
    ///
    /// # Errors
    /// If the file exists and cannot be read.
    pub fn group_by_name(&self, name: &str) -> Result<Option<Group>, AccountsError> {
        self.find_group(|group| group.name == name)
    }

    /// The first group with this id.
    ///
    /// # Errors
    /// If the file exists and cannot be read.
    pub fn group_by_gid(&self, gid: u32) -> Result<Option<Group>, AccountsError> {
        self.find_group(|group| group.gid == gid)
    }

    /// The groups that the original gives a process of this user: the primary one first, then every group
    /// that names the user as a member, in the order of the file.
    ///
    /// # Errors
    /// If the file exists and cannot be read.
    pub fn groups_of(&self, user: &User) -> Result<Vec<u32>, AccountsError> {
        let text = self.read("etc/group")?;
        let mut groups = vec![user.gid];
        groups.extend(
            lines(&text)
                .filter_map(parse_group)
                .filter(|group| group.members.contains(&user.name))
                .map(|group| group.gid),
        );
        Ok(groups)
    }

    fn find_user(&self, wanted: impl Fn(&User) -> bool) -> Result<Option<User>, AccountsError> {
        let text = self.read("etc/passwd")?;
        Ok(lines(&text).filter_map(parse_user).find(wanted))
    }

    fn find_group(&self, wanted: impl Fn(&Group) -> bool) -> Result<Option<Group>, AccountsError> {
        let text = self.read("etc/group")?;
        Ok(lines(&text).filter_map(parse_group).find(wanted))
    }

    /// A file that does not exist has no accounts: containers from scratch have none.
    fn read(&self, name: &str) -> Result<String, AccountsError> {
        let path = self.root.join(Path::new(name));
        match fs::read(&path) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(source) => Err(AccountsError { path, source }),
        }
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

fn parse_user(line: &str) -> Option<User> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.is_empty())?;
    let _password = fields.next()?;
    let uid = fields.next()?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    let _comment = fields.next();
    Some(User {
        name: name.to_owned(),
        uid,
        gid,
        home: fields.next().unwrap_or_default().into(),
        shell: fields.next().unwrap_or_default().into(),
    })
}

fn parse_group(line: &str) -> Option<Group> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.is_empty())?;
    let _password = fields.next()?;
    let gid = fields.next()?.parse().ok()?;
    let members = fields.next().unwrap_or_default();
    Some(Group {
        name: name.to_owned(),
        gid,
        members: members
            .split(',')
            .filter(|member| !member.is_empty())
            .map(str::to_owned)
            .collect(),
    })
}

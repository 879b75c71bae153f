//! Users and groups, read from `/etc/passwd` and `/etc/group`.
//!
//! libc's look-ups are not used: in a static glibc build they load shared objects and may crash. Where a site keeps
//! accounts elsewhere (LDAP, systemd), `getent` may be asked about whom the files do not know.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::getent::Getent;

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
    getent: Option<Getent>,
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
        Self {
            root: root.into(),
            getent: None,
        }
    }

    /// Also asks `getent`, if the system has it, about whom the files do not know. A question may then take as long
    /// as `time_limit`, and whoever is not answered about by then is unknown.
    #[must_use]
    pub fn asking_getent(self, time_limit: Duration) -> Self {
        Self {
            getent: Getent::of_this_machine(time_limit),
            ..self
        }
    }

    /// The user with this login name.
    ///
    /// # Errors
    /// If the file exists and cannot be read.
    pub fn user_by_name(&self, name: &str) -> Result<Option<User>, AccountsError> {
        self.find_user(name, |user| user.name == name)
    }

    /// The first user with this id.
    ///
    /// # Errors
    /// If the file exists and cannot be read.
    pub fn user_by_uid(&self, uid: u32) -> Result<Option<User>, AccountsError> {
        self.find_user(&uid.to_string(), |user| user.uid == uid)
    }

    /// The group with this name.
    ///
    /// # Errors
    /// If the file exists and cannot be read.
    pub fn group_by_name(&self, name: &str) -> Result<Option<Group>, AccountsError> {
        self.find_group(name, |group| group.name == name)
    }

    /// The first group with this id.
    ///
    /// # Errors
    /// If the file exists and cannot be read.
    pub fn group_by_gid(&self, gid: u32) -> Result<Option<Group>, AccountsError> {
        self.find_group(&gid.to_string(), |group| group.gid == gid)
    }

    /// The groups that the original gives a process of this user: the primary one first, then every group
    /// that names the user as a member, in the order of the file. For a user who is not in the file, those that
    /// `getent` lists count too.
    ///
    /// # Errors
    /// If the file exists and cannot be read.
    pub fn groups_of(&self, user: &User) -> Result<Vec<u32>, AccountsError> {
        let mut groups = vec![user.gid];
        let mut add = |text: &str| {
            let of_user = lines(text)
                .filter_map(parse_group)
                .filter(|group| group.members.contains(&user.name))
                .map(|group| group.gid);
            for gid in of_user {
                if !groups.contains(&gid) {
                    groups.push(gid);
                }
            }
        };
        add(&self.read("etc/group")?);
        if self.getent.is_some() {
            let users = self.read("etc/passwd")?;
            let is_in_file = lines(&users)
                .filter_map(parse_user)
                .any(|known| known.name == user.name);
            if !is_in_file {
                add(&self.ask(&["group"]).unwrap_or_default());
            }
        }
        Ok(groups)
    }

    fn find_user(
        &self,
        key: &str,
        wanted: impl Fn(&User) -> bool,
    ) -> Result<Option<User>, AccountsError> {
        let find = |text: &str| lines(text).filter_map(parse_user).find(&wanted);
        let found = find(&self.read("etc/passwd")?);
        Ok(found.or_else(|| find(&self.ask(&["passwd", key])?)))
    }

    fn find_group(
        &self,
        key: &str,
        wanted: impl Fn(&Group) -> bool,
    ) -> Result<Option<Group>, AccountsError> {
        let find = |text: &str| lines(text).filter_map(parse_group).find(&wanted);
        let found = find(&self.read("etc/group")?);
        Ok(found.or_else(|| find(&self.ask(&["group", key])?)))
    }

    fn ask(&self, question: &[&str]) -> Option<String> {
        self.getent.as_ref()?.ask(question)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::getent::testing::scripted;

    const PASSWD: &str = "\
root:x:0:0:root:/root:/bin/bash
# comment:x:1:1
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
+nis::::::
broken:x:one:1::/:
short:x:7:8
twin:x:1:2:second name of 1:/:/bin/sh
";
    const GROUP: &str = "\
root:x:0:
daemon:x:1:daemon,root
adm:x:4:syslog,root
again:x:4:root
empty:x:9:,
nomembers:x:10
";

    fn system() -> (tempfile::TempDir, Accounts) {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        fs::write(root.path().join("etc/passwd"), PASSWD).unwrap();
        fs::write(root.path().join("etc/group"), GROUP).unwrap();
        let accounts = Accounts::under(root.path());
        (root, accounts)
    }

    #[test]
    fn users_are_found_by_name_and_id() {
        let (_root, accounts) = system();
        let uid = |name| accounts.user_by_name(name).unwrap().map(|user| user.uid);
        assert_eq!(uid("root"), Some(0));
        assert_eq!(uid("twin"), Some(1));
        assert_eq!(uid("short"), Some(7));
        for name in ["broken", "# comment", "comment", "nobody", ""] {
            assert_eq!(uid(name), None, "{name}");
        }
        let name = |uid| accounts.user_by_uid(uid).unwrap().map(|user| user.name);
        assert_eq!(name(1).as_deref(), Some("daemon"));
        assert_eq!(name(4242), None);
        let daemon = accounts.user_by_uid(1).unwrap().unwrap();
        assert_eq!(daemon.home, Path::new("/usr/sbin"));
        assert_eq!(daemon.shell, Path::new("/usr/sbin/nologin"));
    }

    #[test]
    fn groups_are_found_by_name_and_id() {
        let (_root, accounts) = system();
        let group = accounts.group_by_name("adm").unwrap().unwrap();
        assert_eq!((group.gid, group.members.len()), (4, 2));
        let group = accounts.group_by_gid(9).unwrap().unwrap();
        assert_eq!((group.name.as_str(), group.members.len()), ("empty", 0));
        assert!(accounts.group_by_gid(10).unwrap().is_some());
        assert_eq!(accounts.group_by_name("none").unwrap(), None);
    }

    #[test]
    fn a_user_has_the_primary_group_first_and_each_once() {
        let (_root, accounts) = system();
        let groups = |name| {
            let user = accounts.user_by_name(name).unwrap().unwrap();
            accounts.groups_of(&user).unwrap()
        };
        assert_eq!(groups("root"), [0, 1, 4]);
        assert_eq!(groups("daemon"), [1]);
        assert_eq!(groups("twin"), [2]);
    }

    #[test]
    fn a_system_without_the_files_has_no_accounts() {
        let root = tempfile::tempdir().unwrap();
        let accounts = Accounts::under(root.path());
        assert_eq!(accounts.user_by_uid(0).unwrap(), None);
        assert_eq!(accounts.group_by_gid(0).unwrap(), None);
        fs::create_dir_all(root.path().join("etc/passwd")).unwrap();
        let error = accounts.user_by_uid(0).unwrap_err();
        assert!(error.to_string().ends_with("etc/passwd"), "{error}");
    }

    #[test]
    fn getent_is_asked_only_about_strangers() {
        let (root, accounts) = system();
        let script = format!(
            "echo \"$*\" >> {}/asked\n\
             case \"$*\" in\n\
             'passwd ldap'|'passwd 5000') echo 'ldap:*:5000:5001:Ldap:/home/ldap:/bin/sh' ;;\n\
             'group staff') echo 'staff:*:5002:ldap' ;;\n\
             group) echo 'adm:*:4:ldap'; echo 'staff:*:5002:other,ldap' ;;\n\
             *) exit 2 ;;\n\
             esac",
            root.path().display()
        );
        let accounts = Accounts {
            getent: Some(scripted(root.path(), &script)),
            ..accounts
        };
        let asked = || fs::read_to_string(root.path().join("asked")).unwrap_or_default();
        let known = accounts.user_by_name("root").unwrap().unwrap();
        assert_eq!(accounts.groups_of(&known).unwrap(), [0, 1, 4]);
        assert_eq!(accounts.user_by_name("-v").unwrap(), None);
        assert_eq!(asked(), "");

        let stranger = accounts.user_by_name("ldap").unwrap().unwrap();
        assert_eq!(accounts.user_by_uid(5000).unwrap(), Some(stranger.clone()));
        assert_eq!(accounts.groups_of(&stranger).unwrap(), [5001, 4, 5002]);
        assert_eq!(accounts.group_by_name("staff").unwrap().unwrap().gid, 5002);
        assert_eq!(accounts.user_by_name("nobody").unwrap(), None);
        assert_eq!(
            asked(),
            "passwd ldap\npasswd 5000\ngroup\ngroup staff\npasswd nobody\n"
        );
    }

    #[test]
    fn a_getent_that_hangs_is_given_up() {
        let (root, accounts) = system();
        let accounts = Accounts {
            getent: Some(Getent {
                time_limit: Duration::from_millis(50),
                ..scripted(root.path(), "exec sleep 1000")
            }),
            ..accounts
        };
        assert_eq!(accounts.user_by_name("ldap").unwrap(), None);
    }
}

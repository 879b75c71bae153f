//! What loading may know of the machine, as a trait, and the implementation over real files.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;

/// Everything outside the text that decides what a configuration means.
///
/// Loading asks only this; it never looks at the process. Paths are strings because the file is text.
pub trait World: Debug {
    /// The bytes of a file.
    ///
    /// # Errors
    /// Whatever the system says.
    fn read_file(&self, path: &str) -> std::io::Result<Vec<u8>>;

    /// Whether a path leads to something, following links.
    fn exists(&self, path: &str) -> bool;

    /// Whether a path leads to a directory.
    fn is_directory(&self, path: &str) -> bool;

    /// Whether a path leads to a regular file that somebody may execute.
    fn is_executable(&self, path: &str) -> bool;

    /// The names in a directory, without `.` and `..`; nothing if it cannot be read.
    fn list_directory(&self, path: &str) -> Vec<String>;

    /// The environment in its own order, as it was when the process started.
    fn environment(&self) -> &[(String, String)];

    /// Name of this node.
    fn host_name(&self) -> &str;

    /// Working directory.
    fn current_directory(&self) -> &str;

    /// Directory for temporary files.
    fn temporary_directory(&self) -> &str;

    /// User id of the process.
    fn user_id(&self) -> u32;

    /// User id of an account.
    fn user_by_name(&self, name: &str) -> Option<u32>;

    /// Primary group of an account; none if there is no account with this id.
    fn primary_group(&self, user_id: u32) -> Option<u32>;

    /// Group id of a group.
    fn group_by_name(&self, name: &str) -> Option<u32>;

    /// Whether there is a group with this id.
    fn group_exists(&self, group_id: u32) -> bool;

    /// Home directory of an account by name; none if there is no such account.
    fn home_of(&self, name: &str) -> Option<String>;

    /// Home directory of the account of the process, for where `HOME` is not set.
    fn own_home(&self) -> Option<String>;

    /// What `~` stands for: `HOME`, else what the account says.
    fn home(&self) -> Option<String> {
        self.variable("HOME")
            .map(str::to_owned)
            .or_else(|| self.own_home())
    }

    /// A path without `.`, `..` and doubled slashes, made absolute with the working directory.
    fn normalized(&self, path: &str) -> String {
        crate::paths::normalize(&crate::paths::join(self.current_directory(), path))
    }

    /// Whether a condition (`enabled`) is true; `variable` gives the values of names.
    ///
    /// # Errors
    /// Why that cannot be said, without any value.
    fn condition(
        &self,
        condition: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<bool, String> {
        // The words for yes and no, which need no language.
        let text = variable(condition).unwrap_or_else(|| condition.to_owned());
        crate::value::boolean(&text)
            .map_err(|_| "only true and false are understood here".to_owned())
    }

    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<&str> {
        self.environment()
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// An account of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// User id.
    pub user_id: u32,
    /// Primary group.
    pub group_id: u32,
    /// Home directory.
    pub home: String,
}

/// The real file system together with facts that the caller collected.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    /// The environment in its own order.
    pub environment: Vec<(String, String)>,
    /// Name of this node.
    pub host_name: String,
    /// Working directory, absolute.
    pub current_directory: String,
    /// Directory for temporary files.
    pub temporary_directory: String,
    /// User id of the process.
    pub user_id: u32,
    /// Accounts by name.
    pub accounts: BTreeMap<String, Account>,
    /// Group ids by name.
    pub groups: BTreeMap<String, u32>,
}

impl Machine {
    /// The directory that Python's `tempfile.gettempdir` would choose: the first of `TMPDIR`, `TEMP`,
    /// `TMP`, `/tmp`, `/var/tmp`, `/usr/tmp` that `is_usable` takes, else the working directory.
    #[must_use]
    pub fn choose_temporary_directory(
        environment: &[(String, String)],
        current_directory: &str,
        is_usable: impl Fn(&str) -> bool,
    ) -> String {
        let from_environment = ["TMPDIR", "TEMP", "TMP"].into_iter().filter_map(|name| {
            environment
                .iter()
                .find(|(key, value)| key == name && !value.is_empty())
                .map(|(_, value)| value.as_str())
        });
        from_environment
            .chain(["/tmp", "/var/tmp", "/usr/tmp"])
            .map(|directory| {
                crate::paths::normalize(&crate::paths::join(current_directory, directory))
            })
            .find(|directory| is_usable(directory))
            .unwrap_or_else(|| current_directory.to_owned())
    }

    /// An empty path leads nowhere, not to the working directory.
    fn path(&self, path: &str) -> String {
        if path.is_empty() {
            return String::new();
        }
        crate::paths::join(&self.current_directory, path)
    }
}

impl World for Machine {
    fn read_file(&self, path: &str) -> std::io::Result<Vec<u8>> {
        std::fs::read(self.path(path))
    }

    fn exists(&self, path: &str) -> bool {
        Path::new(&self.path(path)).exists()
    }

    fn is_directory(&self, path: &str) -> bool {
        Path::new(&self.path(path)).is_dir()
    }

    fn is_executable(&self, path: &str) -> bool {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(self.path(path))
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    }

    fn list_directory(&self, path: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.path(path)) else {
            return Vec::new();
        };
        entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect()
    }

    fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    fn host_name(&self) -> &str {
        &self.host_name
    }

    fn current_directory(&self) -> &str {
        &self.current_directory
    }

    fn temporary_directory(&self) -> &str {
        &self.temporary_directory
    }

    fn user_id(&self) -> u32 {
        self.user_id
    }

    fn user_by_name(&self, name: &str) -> Option<u32> {
        self.accounts.get(name).map(|account| account.user_id)
    }

    fn primary_group(&self, user_id: u32) -> Option<u32> {
        self.accounts
            .values()
            .find(|account| account.user_id == user_id)
            .map(|account| account.group_id)
    }

    fn group_by_name(&self, name: &str) -> Option<u32> {
        self.groups.get(name).copied()
    }

    fn group_exists(&self, group_id: u32) -> bool {
        self.groups.values().any(|id| *id == group_id)
    }

    fn home_of(&self, name: &str) -> Option<String> {
        self.accounts.get(name).map(|account| account.home.clone())
    }

    fn own_home(&self) -> Option<String> {
        self.accounts
            .values()
            .find(|account| account.user_id == self.user_id)
            .map(|account| account.home.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_given_directory_and_empty_ones_lead_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "text").unwrap();
        let machine = Machine {
            current_directory: folder.path().to_str().unwrap().to_owned(),
            ..Machine::default()
        };
        assert_eq!(machine.read_file("file").unwrap(), b"text");
        assert!(machine.exists("file") && machine.is_directory("."));
        assert!(!machine.is_executable("file"));
        assert_eq!(machine.list_directory("."), ["file"]);
        assert!(!machine.exists("") && !machine.is_directory(""));
        assert!(machine.read_file("").is_err());
        assert!(machine.is_executable("/bin/sh"));
    }

    #[test]
    fn temporary_directory_is_the_first_that_can_be_used() {
        let environment = vec![
            ("TMPDIR".to_owned(), String::new()),
            ("TEMP".to_owned(), "here".to_owned()),
            ("TMP".to_owned(), "/other".to_owned()),
        ];
        let choose = |usable: &str| {
            Machine::choose_temporary_directory(&environment, "/place", |path| path == usable)
        };
        assert_eq!(choose("/place/here"), "/place/here");
        assert_eq!(choose("/other"), "/other");
        assert_eq!(choose("/var/tmp"), "/var/tmp");
        assert_eq!(choose("nothing"), "/place");
    }
}

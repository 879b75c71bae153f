//! An imagined machine, to load configurations on.

use std::io;

use linchpin_config::World;

/// A machine with nothing but the files under test, in the working directory.
#[derive(Debug)]
pub struct Machine<'a> {
    files: Vec<(String, &'a [u8])>,
    environment: Vec<(String, String)>,
}

const DIRECTORY: &str = "/etc/supervisor";
/// Where the main file is.
pub const MAIN_FILE: &str = "/etc/supervisor/main.conf";

impl<'a> Machine<'a> {
    /// With these files; the first is the main one, the others can be included.
    pub fn new(files: impl Iterator<Item = &'a [u8]>) -> Self {
        let names = ["main", "a", "b", "c"].map(|name| format!("{DIRECTORY}/{name}.conf"));
        let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Self {
            files: names.into_iter().zip(files).collect(),
            environment: vec![
                variable("HOME", "/root"),
                variable("PATH", "/usr/bin:/bin"),
                variable("X", "%(here)s 100%"),
                variable("EMPTY", ""),
            ],
        }
    }
}

impl World for Machine<'_> {
    fn read_file(&self, path: &str) -> io::Result<Vec<u8>> {
        self.files
            .iter()
            .find(|(name, _)| name == path)
            .map(|(_, text)| text.to_vec())
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn exists(&self, path: &str) -> bool {
        self.is_directory(path) || self.files.iter().any(|(name, _)| name == path)
    }

    fn is_directory(&self, path: &str) -> bool {
        matches!(path, "/" | "/tmp" | "/etc" | DIRECTORY)
    }

    fn is_executable(&self, path: &str) -> bool {
        path.starts_with("/bin/")
    }

    fn list_directory(&self, path: &str) -> Vec<String> {
        let names = self.files.iter().filter_map(|(name, _)| {
            let rest = name.strip_prefix(path)?;
            Some(rest.trim_start_matches('/').to_owned())
        });
        names.collect()
    }

    fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    fn host_name(&self) -> &str {
        "host"
    }

    fn current_directory(&self) -> &str {
        DIRECTORY
    }

    fn temporary_directory(&self) -> &str {
        "/tmp"
    }

    fn user_id(&self) -> u32 {
        0
    }

    fn user_by_name(&self, name: &str) -> Option<u32> {
        (name == "root")
            .then_some(0)
            .or((name == "me").then_some(1000))
    }

    fn primary_group(&self, user_id: u32) -> Option<u32> {
        (user_id != 7).then_some(user_id)
    }

    fn group_by_name(&self, name: &str) -> Option<u32> {
        self.user_by_name(name)
    }

    fn group_exists(&self, group_id: u32) -> bool {
        group_id < 1001
    }

    fn home_of(&self, name: &str) -> Option<String> {
        (name == "me").then(|| "/home/me".to_owned())
    }

    fn own_home(&self) -> Option<String> {
        Some("/root".to_owned())
    }
}

//! A machine made of plain maps, for unit tests.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use crate::paths::{directory_of, join, normalize};
use crate::world::World;

/// Files, directories and accounts that exist.
#[derive(Debug, Default)]
pub(crate) struct TestWorld {
    files: BTreeMap<String, Vec<u8>>,
    directories: BTreeSet<String>,
    executables: BTreeSet<String>,
    environment: Vec<(String, String)>,
    pub(crate) user_id: u32,
}

impl TestWorld {
    /// A world with some files, their directories, and the variables `HOME` and `PATH`.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let mut world = Self {
            environment: vec![
                ("HOME".to_owned(), "/home/me".to_owned()),
                ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
            ],
            user_id: 1000,
            ..Self::default()
        };
        for (path, text) in files {
            world = world.with_bytes(path, text.as_bytes());
        }
        for directory in ["/", "/tmp", "/place", "/dev"] {
            world = world.with_directory(directory);
        }
        world
    }

    pub(crate) fn with_bytes(mut self, path: &str, bytes: &[u8]) -> Self {
        self.files.insert(path.to_owned(), bytes.to_vec());
        self.with_directory(directory_of(path))
    }

    pub(crate) fn with_directory(mut self, path: &str) -> Self {
        self.directories.insert(path.to_owned());
        self
    }

    pub(crate) fn with_executable(mut self, path: &str) -> Self {
        self.executables.insert(path.to_owned());
        self
    }

    pub(crate) fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn path(path: &str) -> String {
        normalize(&join("/place", path))
    }
}

impl World for TestWorld {
    fn read_file(&self, path: &str) -> io::Result<Vec<u8>> {
        self.files
            .get(&Self::path(path))
            .cloned()
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn exists(&self, path: &str) -> bool {
        self.files.contains_key(&Self::path(path)) || self.is_directory(path)
    }

    fn is_directory(&self, path: &str) -> bool {
        self.directories.contains(&Self::path(path))
    }

    fn is_executable(&self, path: &str) -> bool {
        self.executables.contains(&Self::path(path))
    }

    fn list_directory(&self, path: &str) -> Vec<String> {
        let path = Self::path(path);
        let below = |entry: &String| {
            let name = entry.strip_prefix(&path)?.trim_start_matches('/');
            (!name.is_empty() && !name.contains('/')).then(|| name.to_owned())
        };
        let mut names: Vec<String> = self
            .files
            .keys()
            .chain(&self.directories)
            .filter_map(below)
            .collect();
        // A real directory has no order.
        names.reverse();
        names
    }

    fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    fn host_name(&self) -> &str {
        "node"
    }

    fn current_directory(&self) -> &str {
        "/place"
    }

    fn temporary_directory(&self) -> &str {
        "/tmp"
    }

    fn user_id(&self) -> u32 {
        self.user_id
    }

    fn user_by_name(&self, name: &str) -> Option<u32> {
        match name {
            "root" => Some(0),
            "me" => Some(1000),
            _ => None,
        }
    }

    fn primary_group(&self, user_id: u32) -> Option<u32> {
        matches!(user_id, 0 | 1000).then_some(user_id)
    }

    fn group_by_name(&self, name: &str) -> Option<u32> {
        self.user_by_name(name)
    }

    fn group_exists(&self, group_id: u32) -> bool {
        self.primary_group(group_id).is_some()
    }

    fn home_of(&self, name: &str) -> Option<String> {
        (name == "root").then(|| "/root".to_owned())
    }

    fn own_home(&self) -> Option<String> {
        Some("/home/account".to_owned())
    }
}

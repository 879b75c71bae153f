//! The machine as it will be when the boot has made the directories that a configuration asks for.

use crate::paths::normalize;
use crate::world::World;

/// A world in which some directories are there, with those above them, whether they have been made yet or not: a
/// configuration can be looked at before its first boot.
#[derive(Debug)]
pub(crate) struct AfterBoot<'a> {
    world: &'a dyn World,
    directories: Vec<String>,
}

impl<'a> AfterBoot<'a> {
    pub(crate) fn new(world: &'a dyn World, directories: Vec<String>) -> Self {
        Self { world, directories }
    }

    fn is_made(&self, path: &str) -> bool {
        let wanted = normalize(&self.world.normalized(path));
        self.directories.iter().any(|made| {
            made.strip_prefix(wanted.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

impl World for AfterBoot<'_> {
    fn is_directory(&self, path: &str) -> bool {
        self.world.is_directory(path) || (!self.world.exists(path) && self.is_made(path))
    }

    fn read_file(&self, path: &str) -> std::io::Result<Vec<u8>> {
        self.world.read_file(path)
    }

    fn exists(&self, path: &str) -> bool {
        self.world.exists(path)
    }

    fn is_executable(&self, path: &str) -> bool {
        self.world.is_executable(path)
    }

    fn list_directory(&self, path: &str) -> Vec<String> {
        self.world.list_directory(path)
    }

    fn environment(&self) -> &[(String, String)] {
        self.world.environment()
    }

    fn host_name(&self) -> &str {
        self.world.host_name()
    }

    fn current_directory(&self) -> &str {
        self.world.current_directory()
    }

    fn temporary_directory(&self) -> &str {
        self.world.temporary_directory()
    }

    fn user_id(&self) -> u32 {
        self.world.user_id()
    }

    fn user_by_name(&self, name: &str) -> Option<u32> {
        self.world.user_by_name(name)
    }

    fn primary_group(&self, user_id: u32) -> Option<u32> {
        self.world.primary_group(user_id)
    }

    fn group_by_name(&self, name: &str) -> Option<u32> {
        self.world.group_by_name(name)
    }

    fn group_exists(&self, group_id: u32) -> bool {
        self.world.group_exists(group_id)
    }

    fn home_of(&self, name: &str) -> Option<String> {
        self.world.home_of(name)
    }

    fn own_home(&self) -> Option<String> {
        self.world.own_home()
    }

    fn condition(
        &self,
        condition: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<bool, String> {
        self.world.condition(condition, variable)
    }
}

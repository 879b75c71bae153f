//! The machine as the configuration may see it: real files, this process's environment, and the account
//! files read when they are asked for.

use std::cell::OnceCell;
use std::io;

use linchpin_config::{Machine, World};
use linchpin_sys::accounts::Accounts;

/// What loading sees.
#[derive(Debug)]
pub struct SystemWorld {
    machine: Machine,
    accounts: Accounts,
    own_home: OnceCell<Option<String>>,
}

impl SystemWorld {
    /// The machine as it is now.
    ///
    /// What of the environment is not UTF-8 is left out: a configuration is text and cannot name it.
    #[must_use]
    pub fn now() -> Self {
        let environment: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let current_directory = std::env::current_dir()
            .ok()
            .and_then(|directory| directory.into_os_string().into_string().ok())
            .unwrap_or_else(|| "/".to_owned());
        let is_usable = |directory: &str| {
            let wanted = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
            rustix::fs::access(directory, wanted).is_ok()
        };
        let temporary_directory =
            Machine::choose_temporary_directory(&environment, &current_directory, is_usable);
        Self {
            machine: Machine {
                environment,
                host_name: linchpin_sys::host::node_name(),
                current_directory,
                temporary_directory,
                user_id: rustix::process::getuid().as_raw(),
                ..Machine::default()
            },
            accounts: Accounts::of_this_machine(),
            own_home: OnceCell::new(),
        }
    }
}

impl SystemWorld {
    /// The same machine with another environment.
    pub(crate) fn with_environment(mut self, environment: Vec<(String, String)>) -> Self {
        self.machine.environment = environment;
        self
    }
}

impl World for SystemWorld {
    fn condition(
        &self,
        condition: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<bool, String> {
        linchpin_boot::language::is_true(condition, variable).map_err(|error| error.message)
    }

    fn read_file(&self, path: &str) -> io::Result<Vec<u8>> {
        self.machine.read_file(path)
    }

    fn exists(&self, path: &str) -> bool {
        self.machine.exists(path)
    }

    fn is_directory(&self, path: &str) -> bool {
        self.machine.is_directory(path)
    }

    fn is_executable(&self, path: &str) -> bool {
        self.machine.is_executable(path)
    }

    fn list_directory(&self, path: &str) -> Vec<String> {
        self.machine.list_directory(path)
    }

    fn environment(&self) -> &[(String, String)] {
        self.machine.environment()
    }

    fn host_name(&self) -> &str {
        self.machine.host_name()
    }

    fn current_directory(&self) -> &str {
        self.machine.current_directory()
    }

    fn temporary_directory(&self) -> &str {
        self.machine.temporary_directory()
    }

    fn user_id(&self) -> u32 {
        self.machine.user_id()
    }

    fn user_by_name(&self, name: &str) -> Option<u32> {
        self.accounts
            .user_by_name(name)
            .ok()
            .flatten()
            .map(|user| user.uid)
    }

    fn primary_group(&self, user_id: u32) -> Option<u32> {
        self.accounts
            .user_by_uid(user_id)
            .ok()
            .flatten()
            .map(|user| user.gid)
    }

    fn group_by_name(&self, name: &str) -> Option<u32> {
        self.accounts
            .group_by_name(name)
            .ok()
            .flatten()
            .map(|group| group.gid)
    }

    fn group_exists(&self, group_id: u32) -> bool {
        self.accounts
            .group_by_gid(group_id)
            .ok()
            .flatten()
            .is_some()
    }

    fn home_of(&self, name: &str) -> Option<String> {
        let user = self.accounts.user_by_name(name).ok().flatten()?;
        user.home.into_os_string().into_string().ok()
    }

    fn own_home(&self) -> Option<String> {
        self.own_home
            .get_or_init(|| {
                let user = self.accounts.user_by_uid(self.user_id()).ok().flatten()?;
                user.home.into_os_string().into_string().ok()
            })
            .clone()
    }
}

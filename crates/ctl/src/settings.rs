//! What the command line and `[supervisorctl]` say, as far as commands need it.

use std::fmt;
use std::path::PathBuf;

use crate::plugin::Plugin;

/// Settings of a run.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the daemon is: `unix:///path` or `http://host[:port]`.
    pub serverurl: String,
    /// User name for the daemon.
    pub username: Option<String>,
    /// Password for the daemon.
    pub password: Option<String>,
    /// What the shell prints in front of its `> `.
    pub prompt: String,
    /// Where the shell keeps what was typed.
    pub history_file: Option<PathBuf>,
    /// Further commands that the configuration asks for.
    pub plugins: Vec<Plugin>,
    /// `help` lists the commands of ours.
    pub lists_ours: bool,
    /// Ask before shutdown and reload, and for a password when one is needed.
    pub interactive: bool,
}

impl Default for Settings {
    /// What holds without a configuration file.
    fn default() -> Self {
        Self {
            serverurl: "http://localhost:9001".to_owned(),
            username: None,
            password: None,
            prompt: "supervisor".to_owned(),
            history_file: None,
            plugins: Vec::new(),
            lists_ours: false,
            interactive: false,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("serverurl", &self.serverurl)
            .field("username", &self.username)
            .field("prompt", &self.prompt)
            .field("history_file", &self.history_file)
            .field("plugins", &self.plugins)
            .field("lists_ours", &self.lists_ours)
            .field("interactive", &self.interactive)
            .finish_non_exhaustive()
    }
}

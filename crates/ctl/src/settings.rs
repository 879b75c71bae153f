//! What the command line and `[supervisorctl]` say, as far as commands need it.

use std::fmt;

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
            .field("interactive", &self.interactive)
            .finish_non_exhaustive()
    }
}

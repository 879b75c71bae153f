//! Asking the system about names that its plain files do not know.
//!
//! Accounts may be in LDAP, hosts in DNS or behind mDNS: which, says `/etc/nsswitch.conf`, and libc loads shared
//! objects for it, which a static binary must not. `getent` is a program of the system, so it may; it is run for
//! the one question, with a bound on its time and its output. Where there is none (images from scratch), only the
//! files count.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::command_path::{self, SearchPath};
use crate::helper::run_helper;
use crate::spawn::Command;

/// Most output that is read: all groups of a large site.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The program to ask. A question blocks until it is answered or the time is over.
#[derive(Debug, Clone)]
pub(crate) struct Getent {
    pub(crate) program: PathBuf,
    pub(crate) time_limit: Duration,
}

impl Getent {
    /// The system's, if it has one.
    pub(crate) fn of_this_machine(time_limit: Duration) -> Option<Self> {
        let program = command_path::find("getent", SearchPath::default()).ok()?;
        Some(Self {
            program,
            time_limit,
        })
    }

    /// What it answers; none if it cannot be asked, fails, or takes too long.
    pub(crate) fn ask(&self, question: &[&str]) -> Option<String> {
        // Nobody is called that, and it would be taken for an option.
        if question
            .iter()
            .any(|word| word.is_empty() || word.starts_with('-'))
        {
            return None;
        }
        let arguments = ["getent"].iter().chain(question).map(OsString::from);
        let mut command = Command::new(&self.program, arguments.collect());
        // Where the answers are may be told by variables.
        command.environment = std::env::vars_os().collect();
        let answer = run_helper(command, self.time_limit, MOST_BYTES).ok()?;
        Some(String::from_utf8_lossy(&answer.output).into_owned())
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use std::path::Path;

    /// A program that answers as this script does.
    ///
    /// A shell writes it: a child that another test is starting right now would for a moment have our descriptor for
    /// writing too, and a file that is open for writing cannot be executed.
    pub(crate) fn scripted(folder: &Path, script: &str) -> Getent {
        let program = folder.join("getent");
        let written = std::process::Command::new("/bin/sh")
            .args([
                "-c",
                "printf '%s\\n' '#!/bin/sh' \"$1\" > \"$0\" && chmod 755 \"$0\"",
            ])
            .args([program.as_os_str(), script.as_ref()])
            .status();
        assert!(written.unwrap().success());
        Getent {
            program,
            time_limit: Duration::from_secs(30),
        }
    }
}

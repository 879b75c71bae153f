//! An entry in passwd for a user who has none.
//!
//! Where a container runs with a user id that its image knows nothing of (OpenShift picks any), programs that look
//! themselves up fail: initdb, git, ssh, whoami. They are given copies of passwd and group with an entry more, in the run
//! directory, through `libnss_wrapper` (<https://cwrap.org/nss_wrapper.html>), if the image has it. Nothing of the system is
//! written to.

use std::fs;
use std::path::{Path, PathBuf};

use crate::writing::{Access, Mode, WriteError, Writing, make_directory, write};

/// The name of the user, and of the group.
const NAME: &str = "linchpin";

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";

/// Where the library may be, below the directories of the system's libraries.
const LIBRARY: &str = "libnss_wrapper.so";

/// What programs are given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Variables with their values; none if there is no library.
    pub variables: Vec<(String, String)>,
    /// The files, and what became of each.
    pub files: Vec<(PathBuf, Writing)>,
}

/// Who the daemon is, and whether the system knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Effective user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
    passwd: String,
    group: String,
}

impl Identity {
    /// That of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        // What cannot be read has no entries for programs either.
        let text = |path| fs::read_to_string(path).unwrap_or_default();
        Self {
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
            passwd: text(PASSWD),
            group: text(GROUP),
        }
    }

    /// Whether the user has an entry.
    #[must_use]
    pub fn is_known(&self) -> bool {
        has_id(&self.passwd, self.uid)
    }

    /// Writes files with an entry more into a directory, and says through which variables programs find them. `environment`
    /// is what programs are started with, `library` what they are given, see [`library`].
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn give_entry(
        &self,
        directory: &Path,
        environment: &[(String, String)],
        library: Option<&Path>,
        is_dry: bool,
    ) -> Result<Entry, WriteError> {
        let mode = if is_dry { Mode::Dry } else { Mode::Real };
        let value = |name: &str| {
            let mut known = environment.iter().rev();
            let found = known.find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        };
        let home =
            value("HOME").filter(|home| home.starts_with('/') && !home.contains([':', '\n']));
        let (uid, gid) = (self.uid, self.gid);
        let passwd = with_line(
            &self.passwd,
            &format!(
                "{NAME}:x:{uid}:{gid}:{NAME}:{}:/bin/sh",
                home.unwrap_or("/")
            ),
        );
        let group = if has_id(&self.group, gid) {
            self.group.clone()
        } else {
            with_line(&self.group, &format!("{NAME}:x:{gid}:"))
        };
        make_directory(directory, mode)?;
        let mut files = Vec::new();
        for (name, text) in [("passwd", passwd), ("group", group)] {
            let path = directory.join(name);
            let writing = write(&path, text.as_bytes(), Access::PUBLIC, mode)?;
            files.push((path, writing));
        }
        let mut variables = Vec::new();
        if let Some(library) = library {
            let library = library.to_string_lossy();
            let before = value("LD_PRELOAD").filter(|before| !before.trim().is_empty());
            let preload = match before {
                Some(before) if before.split([' ', ':']).any(|it| it == library) => {
                    before.to_owned()
                }
                Some(before) => format!("{before}:{library}"),
                None => library.into_owned(),
            };
            let names = ["NSS_WRAPPER_PASSWD", "NSS_WRAPPER_GROUP"];
            for (name, (path, _)) in names.into_iter().zip(&files) {
                variables.push((name.to_owned(), path.to_string_lossy().into_owned()));
            }
            variables.push(("LD_PRELOAD".to_owned(), preload));
        }
        Ok(Entry { variables, files })
    }
}

/// The library, where distributions keep it.
#[must_use]
pub fn library() -> Option<PathBuf> {
    let of_processor = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    let directories = [of_processor.as_str(), "/usr/lib64", "/usr/lib"];
    let mut files = directories
        .into_iter()
        .map(|directory| Path::new(directory).join(LIBRARY));
    files.find(|file| file.exists())
}

/// Whether one of the lines is about an id.
fn has_id(text: &str, id: u32) -> bool {
    text.lines().any(|line| {
        let field = line.split(':').nth(2);
        field.and_then(|field| field.parse().ok()) == Some(id)
    })
}

fn with_line(text: &str, line: &str) -> String {
    // A line under this name would be found instead.
    let others = text
        .lines()
        .filter(|line| !line.starts_with(&format!("{NAME}:")));
    let mut lines: Vec<&str> = others.collect();
    lines.push(line);
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(uid: u32, gid: u32) -> Identity {
        Identity {
            uid,
            gid,
            passwd: "root:x:0:0:root:/root:/bin/bash\nlinchpin:x:5:5::/:/bin/sh".to_owned(),
            group: "root:x:0:\nusers:x:100:".to_owned(),
        }
    }

    fn give(identity: &Identity, environment: &[(&str, &str)]) -> (Entry, String, String) {
        let folder = tempfile::tempdir().unwrap();
        let environment: Vec<(String, String)> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let directory = folder.path().join("identity");
        let library = Some(Path::new("/lib/it.so"));
        let dry = identity.give_entry(&directory, &environment, library, true);
        assert!(dry.is_ok() && !directory.exists());
        let entry = identity
            .give_entry(&directory, &environment, library, false)
            .unwrap();
        let read = |name: &str| fs::read_to_string(directory.join(name)).unwrap();
        let again = identity
            .give_entry(&directory, &environment, library, false)
            .unwrap();
        assert!(again.files.iter().all(|(_, it)| *it == Writing::Unchanged));
        (entry, read("passwd"), read("group"))
    }

    #[test]
    fn who_has_an_entry_is_known() {
        assert!(identity(0, 7).is_known());
        assert!(!identity(1_000_650_000, 0).is_known());
        assert!(Identity::of_this_process().passwd.contains(':'));
    }

    #[test]
    fn an_entry_is_added_and_nothing_lost() {
        let (entry, passwd, group) = give(&identity(1_000_650_000, 0), &[("HOME", "/data/home")]);
        assert_eq!(
            passwd,
            "root:x:0:0:root:/root:/bin/bash\nlinchpin:x:1000650000:0:linchpin:/data/home:/bin/sh\n"
        );
        assert_eq!(group, "root:x:0:\nusers:x:100:", "its group is known");
        let names: Vec<&str> = entry
            .variables
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(
            names,
            ["NSS_WRAPPER_PASSWD", "NSS_WRAPPER_GROUP", "LD_PRELOAD"]
        );
        assert_eq!(entry.variables[2].1, "/lib/it.so");
    }

    #[test]
    fn what_is_preloaded_already_stays_and_a_strange_home_does_no_harm() {
        let environment = [("HOME", "/a:b"), ("LD_PRELOAD", "/lib/other.so")];
        let (entry, passwd, group) = give(&identity(9, 9), &environment);
        assert!(
            passwd.ends_with("linchpin:x:9:9:linchpin:/:/bin/sh\n"),
            "{passwd}"
        );
        assert!(group.ends_with("linchpin:x:9:\n"), "{group}");
        assert_eq!(entry.variables[2].1, "/lib/other.so:/lib/it.so");
        let (again, _, _) = give(&identity(9, 9), &[("LD_PRELOAD", "/lib/it.so")]);
        assert_eq!(again.variables[2].1, "/lib/it.so");
    }
}

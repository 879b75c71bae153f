//! Which file a command means, and whether it can be run, before anything is started.
//!
//! May hang for as long as a file system does; not for a thread that has anything else to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use linchpin_python::repr;
use rustix::fs::Access;

/// Where the original looks when there is no `PATH` at all.
const DEFAULT_PATH: [&str; 3] = ["/bin", "/usr/bin", "/usr/local/bin"];

/// Why a command cannot be run, in the original's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandPathError {
    /// No such file, or none that can be seen.
    #[error("can't find command {}", repr(.0))]
    NotFound(String),
    /// The first file found is a directory.
    #[error("command at {} is a directory", repr(.0))]
    Directory(String),
    /// Nobody may execute it.
    #[error("command at {} is not executable", repr(.0))]
    NotExecutable(String),
    /// Somebody may execute it, but not the daemon's real user.
    #[error("no permission to run command {}", repr(.0))]
    NoPermission(String),
}

impl CommandPathError {
    /// Whether this is the fault `NO_FILE` on the wire; the others are `NOT_EXECUTABLE`.
    #[must_use]
    pub fn is_no_file(&self) -> bool {
        match self {
            Self::NotFound(_) => true,
            Self::Directory(_) | Self::NotExecutable(_) | Self::NoPermission(_) => false,
        }
    }
}

/// The `PATH` variables that count: the program's own wins even if it is empty, the daemon's only if it is not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SearchPath<'a> {
    /// `PATH` of the program's `environment=`.
    pub of_program: Option<&'a str>,
    /// `PATH` of the daemon itself.
    pub of_daemon: Option<&'a str>,
}

/// Finds the file of `program` and checks it.
///
/// A name with `/` is taken as it is, relative to the daemon's directory. Any other is looked for along the path,
/// where the first entry that exists is final, whatever it is.
///
/// # Errors
/// With the original's text.
pub fn find(program: &str, search: SearchPath<'_>) -> Result<PathBuf, CommandPathError> {
    let candidates = candidates(program, search);
    let Some((file, metadata)) = candidates
        .into_iter()
        .find_map(|file| fs::metadata(&file).ok().map(|metadata| (file, metadata)))
    else {
        return Err(CommandPathError::NotFound(program.to_owned()));
    };
    if metadata.is_dir() {
        Err(CommandPathError::Directory(file))
    } else if metadata.permissions().mode() & 0o111 == 0 {
        Err(CommandPathError::NotExecutable(file))
    } else if rustix::fs::access(Path::new(&file), Access::EXEC_OK).is_err() {
        // By the real user id, as the original asks; a child of another user may yet fail at exec.
        Err(CommandPathError::NoPermission(file))
    } else {
        Ok(PathBuf::from(file))
    }
}

fn candidates(program: &str, search: SearchPath<'_>) -> Vec<String> {
    if program.contains('/') {
        return vec![program.to_owned()];
    }
    let path = search
        .of_program
        .or(search.of_daemon.filter(|path| !path.is_empty()));
    match path {
        Some(path) => path.split(':').map(|entry| join(entry, program)).collect(),
        None => DEFAULT_PATH
            .iter()
            .map(|entry| join(entry, program))
            .collect(),
    }
}

/// Python's `os.path.join`: an empty entry is the current directory.
fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() || directory.ends_with('/') {
        format!("{directory}{name}")
    } else {
        format!("{directory}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new() -> Self {
            let tree = Self(tempfile::tempdir().unwrap());
            for directory in ["one", "two", "three/tool"] {
                fs::create_dir_all(tree.0.path().join(directory)).unwrap();
            }
            tree.file("one/plain", 0o644);
            tree.file("two/plain", 0o755);
            tree.file("two/tool", 0o755);
            tree
        }

        fn file(&self, name: &str, mode: u32) {
            let path = self.0.path().join(name);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }

        fn path(&self, entries: &[&str]) -> String {
            let root = self.0.path().display();
            let entries: Vec<_> = entries.iter().map(|e| format!("{root}/{e}")).collect();
            entries.join(":")
        }

        /// Looks with that path for the program; `ROOT` in the expectation is the tree.
        fn check(&self, program: &str, path: &str, expected: Result<&str, &str>) {
            let root = self.0.path().to_str().unwrap();
            let search = SearchPath {
                of_program: Some(path),
                of_daemon: Some("/bin"),
            };
            let found = find(program, search)
                .map(|path| path.to_str().unwrap().replace(root, "ROOT"))
                .map_err(|error| error.to_string().replace(root, "ROOT"));
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn first_existing_entry_is_final() {
        let tree = Tree::new();
        let path = tree.path(&["none", "two", "three"]);
        tree.check("tool", &path, Ok("ROOT/two/tool"));
        let path = tree.path(&["one", "two"]);
        let message = "command at 'ROOT/one/plain' is not executable";
        tree.check("plain", &path, Err(message));
        let path = tree.path(&["three/", "two"]);
        let message = "command at 'ROOT/three/tool' is a directory";
        tree.check("tool", &path, Err(message));
        tree.check("absent", &path, Err("can't find command 'absent'"));
    }

    #[test]
    fn a_name_with_a_slash_is_not_searched() {
        let tree = Tree::new();
        let file = tree.path(&["two/tool"]);
        tree.check(&file, "", Ok("ROOT/two/tool"));
        let message = "can't find command './no/such'";
        tree.check("./no/such", "/bin", Err(message));
        tree.check(
            "/etc/passwd/x",
            "",
            Err("can't find command '/etc/passwd/x'"),
        );
    }

    #[test]
    fn the_programs_path_wins_even_if_empty() {
        let tree = Tree::new();
        // Empty means the current directory, where there is no such file.
        tree.check("sh", "", Err("can't find command 'sh'"));
        let search = |of_program, of_daemon| SearchPath {
            of_program,
            of_daemon,
        };
        for daemon in [Some("/bin"), Some(""), None] {
            assert_eq!(find("sh", search(None, daemon)), Ok("/bin/sh".into()));
        }
        let error = find("sh", search(None, Some("/nowhere"))).unwrap_err();
        assert!(error.is_no_file());
    }

    #[test]
    fn an_empty_name_is_a_directory() {
        let error = find("", SearchPath::default()).unwrap_err();
        assert_eq!(error.to_string(), "command at '/bin/' is a directory");
        assert!(!error.is_no_file());
    }
}

//! The machine on which the answers were made: no real accounts, every directory exists, and the
//! configuration lies in a directory of its own.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use linchpin_config::World;

/// Directory of the configuration.
pub(crate) const HERE: &str = "/@here@";
/// Working directory.
pub(crate) const CWD: &str = "/@cwd@";
/// Name of the node.
const HOST: &str = "{host}";
/// Ids of made-up accounts begin here, above every id that somebody writes.
const FIRST_MADE_UP_ID: u32 = 3_000_000_000;

/// Which patterns of `[include]` find something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Includes {
    /// None.
    None,
    /// Those that lead to files below the directory of the configuration.
    BesideTheFile,
    /// The file is a fragment, and a made-up main file includes it.
    Fragment,
}

#[derive(Debug)]
pub(crate) struct ImaginedWorld {
    folder: PathBuf,
    main: String,
    main_text: Option<String>,
    includes: Includes,
    environment: Vec<(String, String)>,
    names: RefCell<HashMap<String, u32>>,
}

impl ImaginedWorld {
    pub(crate) fn new(
        config: &Path,
        includes: Includes,
        environment: Vec<(String, String)>,
    ) -> Self {
        let base = config.file_name().unwrap().to_str().unwrap();
        let is_fragment = includes == Includes::Fragment;
        Self {
            folder: config.parent().unwrap().to_owned(),
            main: format!("{HERE}/{}", if is_fragment { "main.conf" } else { base }),
            main_text: is_fragment.then(|| format!("[supervisord]\n[include]\nfiles = {base}\n")),
            includes,
            environment,
            names: RefCell::default(),
        }
    }

    pub(crate) fn main(&self) -> &str {
        &self.main
    }

    /// The name behind a made-up id, or the id.
    pub(crate) fn account(&self, id: u32) -> serde_json::Value {
        self.names
            .borrow()
            .iter()
            .find(|(_, known)| **known == id)
            .map_or(id.into(), |(name, _)| name.as_str().into())
    }

    fn made_up_id(&self, name: &str) -> u32 {
        let mut names = self.names.borrow_mut();
        let next = FIRST_MADE_UP_ID + u32::try_from(names.len()).unwrap();
        *names.entry(name.to_owned()).or_insert(next)
    }

    fn id_of(&self, name: &str) -> Option<u32> {
        match name {
            "" => None,
            "root" => Some(0),
            _ => Some(self.made_up_id(name)),
        }
    }

    fn real(&self, path: &str) -> PathBuf {
        match path.strip_prefix(HERE) {
            Some(rest) => PathBuf::from(format!("{}{rest}", self.folder.display())),
            None => PathBuf::from(path),
        }
    }

    fn is_reachable(&self, path: &str) -> bool {
        self.includes == Includes::BesideTheFile && path.starts_with(HERE)
    }
}

impl World for ImaginedWorld {
    fn read_file(&self, path: &str) -> io::Result<Vec<u8>> {
        match &self.main_text {
            Some(text) if path == self.main => Ok(text.clone().into_bytes()),
            _ => std::fs::read(self.real(path)),
        }
    }

    fn exists(&self, path: &str) -> bool {
        path == self.main
            || self.includes == Includes::Fragment
            || (self.is_reachable(path) && self.real(path).exists())
    }

    fn is_directory(&self, _path: &str) -> bool {
        true
    }

    fn is_executable(&self, _path: &str) -> bool {
        true
    }

    fn list_directory(&self, path: &str) -> Vec<String> {
        if !self.is_reachable(path) {
            return Vec::new();
        }
        let Ok(entries) = std::fs::read_dir(self.real(path)) else {
            return Vec::new();
        };
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    fn host_name(&self) -> &str {
        HOST
    }

    fn current_directory(&self) -> &str {
        CWD
    }

    fn temporary_directory(&self) -> &str {
        "/tmp"
    }

    fn user_id(&self) -> u32 {
        0
    }

    fn user_by_name(&self, name: &str) -> Option<u32> {
        self.id_of(name)
    }

    fn primary_group(&self, user_id: u32) -> Option<u32> {
        if user_id == 0 {
            return Some(0);
        }
        let account = self.account(user_id);
        let user = account
            .as_str()
            .map_or_else(|| account.to_string(), str::to_owned);
        Some(self.made_up_id(&format!("gid-of-{user}")))
    }

    fn group_by_name(&self, name: &str) -> Option<u32> {
        self.id_of(name)
    }

    fn group_exists(&self, _group_id: u32) -> bool {
        true
    }

    fn home_of(&self, _name: &str) -> Option<String> {
        None
    }

    fn own_home(&self) -> Option<String> {
        None
    }

    fn home(&self) -> Option<String> {
        Some("/home/x".to_owned())
    }

    /// A path that climbs out of the two made-up directories keeps its `..`, because nobody knows what
    /// is above them.
    fn normalized(&self, path: &str) -> String {
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("{CWD}/{path}")
        };
        for root in [HERE, CWD] {
            let Some(rest) = path.strip_prefix(root) else {
                continue;
            };
            if rest.is_empty() || rest.starts_with('/') {
                let rest = normal(rest.trim_start_matches('/'));
                return if rest == "." {
                    root.to_owned()
                } else {
                    format!("{root}/{rest}")
                };
            }
        }
        normal(&path)
    }
}

/// `os.path.normpath`.
fn normal(path: &str) -> String {
    let slashes = path.len() - path.trim_start_matches('/').len();
    let root = match slashes {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part != ".." || (root.is_empty() && parts.last().is_none_or(|last| *last == "..")) {
            parts.push(part);
        } else {
            parts.pop();
        }
    }
    let joined = format!("{root}{}", parts.join("/"));
    if joined.is_empty() {
        ".".to_owned()
    } else {
        joined
    }
}

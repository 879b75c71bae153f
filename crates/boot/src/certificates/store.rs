//! What a server is given: `current`, a link to a directory with certificate and key, and where they came from.

use std::fs;
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};

use super::Files;
use crate::writing::{
    Access, Mode, WriteError, Writing, link, make_directory, remove, remove_directory, write,
};

const CURRENT: &str = "current";
const CERTIFICATE: &str = "fullchain.pem";
pub(crate) const KEY: &str = "privkey.pem";
const SOURCE: &str = "source";

/// How names of the directories begin.
const VERSION: &str = "v-";

/// Where a pair came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Provided,
    SelfSigned,
}

impl Source {
    const ALL: [(Self, &'static str); 2] = [
        (Self::Provided, "provided\n"),
        (Self::SelfSigned, "self-signed\n"),
    ];

    fn text(self) -> &'static str {
        match self {
            Self::Provided => Self::ALL[0].1,
            Self::SelfSigned => Self::ALL[1].1,
        }
    }
}

/// The directory of one certificate.
#[derive(Debug)]
pub(super) struct Store {
    directory: PathBuf,
    key: Access,
    mode: Mode,
}

impl Store {
    pub(super) fn new(directory: &Path, owner: Option<(u32, Option<u32>)>, mode: Mode) -> Self {
        let is_for_group = owner.is_some_and(|(_, group)| group.is_some());
        Self {
            directory: directory.to_owned(),
            key: Access {
                owner,
                mode: if is_for_group {
                    0o640
                } else {
                    Access::PRIVATE.mode
                },
            },
            mode,
        }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    /// Paths that stay the same.
    pub(super) fn files(&self) -> Files {
        let current = self.directory.join(CURRENT);
        Files {
            certificate: current.join(CERTIFICATE),
            key: current.join(KEY),
        }
    }

    /// Where the present pair came from.
    pub(super) fn source(&self) -> Option<Source> {
        let text = fs::read_to_string(self.directory.join(CURRENT).join(SOURCE)).ok()?;
        let found = Source::ALL.into_iter().find(|(_, known)| *known == text);
        found.map(|(source, _)| source)
    }

    /// Gives a server a pair.
    pub(super) fn install(
        &self,
        certificate: &str,
        key: &str,
        source: Source,
    ) -> Result<Writing, WriteError> {
        let hash = digest(&SHA256, [source.text(), certificate].concat().as_bytes());
        let name: String = hash.as_ref()[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let name = format!("{VERSION}{name}");
        let version = self.directory.join(&name);
        make_directory(&version, self.mode)?;
        let write = |file: &str, content: &str, access| {
            write(&version.join(file), content.as_bytes(), access, self.mode)
        };
        let written = [
            write(KEY, key, self.key)?,
            write(CERTIFICATE, certificate, Access::PUBLIC)?,
            write(SOURCE, source.text(), Access::PUBLIC)?,
        ];
        let linked = link(&self.directory.join(CURRENT), &name, self.mode)?;
        self.remove_versions_but(Some(&name))?;
        let is_changed = written.iter().any(|it| *it != Writing::Unchanged);
        Ok(if linked == Writing::Unchanged && is_changed {
            Writing::Changed
        } else {
            linked
        })
    }

    /// Takes away what a server was given; whether there was anything.
    pub(super) fn clear(&self) -> Result<bool, WriteError> {
        let was_there = remove(&self.directory.join(CURRENT), self.mode)?;
        self.remove_versions_but(None)?;
        Ok(was_there)
    }

    /// Keys that are not used any more stay nowhere.
    fn remove_versions_but(&self, kept: Option<&str>) -> Result<(), WriteError> {
        let Ok(entries) = fs::read_dir(&self.directory) else {
            return Ok(());
        };
        if self.mode == Mode::Dry {
            return Ok(());
        }
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(VERSION) && Some(name.as_ref()) != kept {
                remove_directory(&entry.path())?;
            }
        }
        Ok(())
    }
}

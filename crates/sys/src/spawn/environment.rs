//! The environment that all children of a daemon begin with, kept in the form that the kernel takes.
//!
//! Bringing some thirty variables into that form again for each of a thousand children took longer than most
//! other steps of a start.

use std::ffi::{CString, OsString};
use std::fmt;

use super::command::{PrepareError, environment_entry};

/// Variables that many commands share.
#[derive(Debug, Default)]
pub struct Environment {
    entries: Vec<Entry>,
}

struct Entry {
    name: OsString,
    /// `name=value`
    text: CString,
}

impl fmt::Debug for Entry {
    /// Without the value, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

impl Environment {
    /// From names and values; the last of equal names counts.
    ///
    /// # Errors
    /// A NUL byte.
    pub fn new(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, PrepareError> {
        let mut entries: Vec<Entry> = Vec::new();
        for (name, value) in variables {
            let entry = Entry {
                text: environment_entry(name.clone(), &value)?,
                name,
            };
            match entries.iter_mut().find(|known| known.name == entry.name) {
                Some(known) => *known = entry,
                None => entries.push(entry),
            }
        }
        Ok(Self { entries })
    }

    /// Those that are not among `replaced`.
    pub(super) fn without<'a>(
        &'a self,
        replaced: &'a [OsString],
    ) -> impl Iterator<Item = &'a CString> {
        self.entries
            .iter()
            .filter(|entry| !replaced.contains(&entry.name))
            .map(|entry| &entry.text)
    }
}

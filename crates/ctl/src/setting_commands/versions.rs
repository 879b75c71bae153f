//! `history`, `diff` and `rollback`.

use std::collections::BTreeSet;
use std::io::Write as _;

use linchpin_boot::settings::env_file::EnvFile;
use linchpin_boot::settings::{LOCK_PATIENCE, Store, StoreError, Version, restore, shown};

use super::write::report;
use super::{Desk, Trouble};

/// All versions, with what was changed when each of them ended.
pub(super) fn history(desk: &mut Desk) -> Result<u8, Trouble> {
    let store = desk.store()?;
    let versions = store.versions()?;
    if versions.is_empty() {
        let text = format!("{} has no previous versions\n", store.path().display());
        desk.out.write_all(text.as_bytes())?;
        return Ok(0);
    }
    // One that cannot be read any more hides no other.
    let mut texts: Vec<Option<EnvFile>> = versions
        .iter()
        .map(|version| store.read_version(version).ok())
        .collect();
    texts.push(store.read().ok().flatten());
    for (index, version) in versions.iter().enumerate() {
        let changed = match (&texts[index], &texts[index + 1]) {
            (Some(old), Some(new)) => {
                let names: Vec<String> = changed_names(old, new).into_iter().collect();
                if names.is_empty() {
                    "no values".to_owned()
                } else {
                    names.join(", ")
                }
            }
            _ => "cannot be read".to_owned(),
        };
        let line = format!(
            "{:>4}  until {}  then changed: {changed}\n",
            version.number, version.until
        );
        desk.out.write_all(line.as_bytes())?;
    }
    Ok(0)
}

/// What has changed since a version.
pub(super) fn diff(desk: &mut Desk, number: Option<u64>) -> Result<u8, Trouble> {
    let store = desk.store()?;
    let version = version(&store, number)?;
    let old = store.read_version(&version)?;
    let new = store.read()?.unwrap_or_default();
    let mut text = format!(
        "since version {}, until {}\n",
        version.number, version.until
    );
    for name in changed_names(&old, &new) {
        let value = |file: &EnvFile| match (file.get(&name), desk.config.named(&name)) {
            (None, _) => "(not there)".to_owned(),
            (Some(""), _) => "(empty)".to_owned(),
            (Some(value), Some(setting)) => shown(setting, value),
            // Nobody has said that it is no secret.
            (Some(_), None) => "********".to_owned(),
        };
        let line = format!("  {name}: {} → {}\n", value(&old), value(&new));
        text.push_str(&line);
    }
    desk.out.write_all(text.as_bytes())?;
    Ok(0)
}

/// Puts a version back.
pub(super) fn rollback(desk: &mut Desk, number: Option<u64>) -> Result<u8, Trouble> {
    let store = desk.store()?;
    let version = version(&store, number)?;
    let old = store.read_version(&version)?;
    let changed = restore(&desk.config, &desk.environment, &old, LOCK_PATIENCE)?;
    let line = format!("version {} is back\n", version.number);
    desk.out.write_all(line.as_bytes())?;
    report(desk, &changed)
}

fn version(store: &Store, number: Option<u64>) -> Result<Version, Trouble> {
    let versions = store
        .versions()
        .map_err(|error: StoreError| Trouble::from(error))?;
    // A writer that was killed may have kept a version and not come to the change.
    let current = store.read().ok().flatten();
    let is_another = |version: &&Version| {
        let old = store.read_version(version).ok();
        old.is_none() || old != current
    };
    let found = match number {
        None => versions.iter().rev().find(is_another),
        Some(number) => versions.iter().find(|version| version.number == number),
    };
    found.cloned().ok_or_else(|| {
        Trouble::Unknown(match number {
            None => format!("{} has no previous versions", store.path().display()),
            Some(number) => format!("there is no version {number}; `history` shows them"),
        })
    })
}

/// Names whose values differ.
fn changed_names(old: &EnvFile, new: &EnvFile) -> BTreeSet<String> {
    old.assignments()
        .iter()
        .chain(new.assignments())
        .map(|assignment| assignment.name.as_str())
        .filter(|name| old.get(name) != new.get(name))
        .map(str::to_owned)
        .collect()
}

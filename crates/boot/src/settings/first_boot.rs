//! Secrets that are made once: at the first boot, or when an upgrade brings a new one.
//!
//! A value that is not empty is never changed, and none is made that the environment supplies. Whoever is first writes
//! under the lock; everybody else, in other containers on the same volume too, reads what that one wrote.

use std::time::Duration;

use linchpin_config::{Generate, SettingConfig, SettingsConfig};

use super::env_file::EnvFile;
use super::layers::{Layer, resolve};
use super::random;
use super::store::{Store, StoreError};

/// How often a file is read again that others change by hand, or without locks.
const MOST_ATTEMPTS: u32 = 10;

/// What was made.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Generated {
    /// The settings that got a value now.
    pub names: Vec<String>,
    /// The settings file was made for them.
    pub is_new_file: bool,
    /// What a person should know; without values.
    pub warnings: Vec<String>,
}

/// Makes what is missing, and keeps it.
///
/// # Errors
/// If the settings file cannot be read, or cannot be written for a reason other than that nothing can be written
/// there: then what could not be made stays without a value, with a warning.
pub fn generate_missing(
    config: &SettingsConfig,
    environment: &[(String, String)],
    patience: Duration,
) -> Result<Generated, StoreError> {
    let Some(path) = &config.file else {
        return Ok(Generated::default());
    };
    let store = Store::new(path, config.history);
    // Without the lock first: mostly there is nothing to do, and the volume may be read-only.
    let wanted = missing(config, store.read()?.as_ref(), environment);
    if wanted.is_empty() {
        return Ok(Generated::default());
    }
    let mut attempts = 0;
    loop {
        attempts += 1;
        match generate(config, &store, environment, patience) {
            Err(StoreError::Changed(_)) if attempts < MOST_ATTEMPTS => {}
            Err(error) if error.is_read_only() => {
                let names: Vec<&str> = wanted
                    .iter()
                    .map(|(setting, _)| setting.name.as_str())
                    .collect();
                return Ok(Generated {
                    names: Vec::new(),
                    is_new_file: false,
                    warnings: vec![format!(
                        "{} cannot be generated, because they could not be kept: {error}; or set them in the environment",
                        names.join(", ")
                    )],
                });
            }
            done => return done,
        }
    }
}

/// The settings that [`generate_missing`] would make a value for.
///
/// # Errors
/// If the settings file cannot be read.
pub fn to_generate(
    config: &SettingsConfig,
    environment: &[(String, String)],
) -> Result<Vec<String>, StoreError> {
    let Some(path) = &config.file else {
        return Ok(Vec::new());
    };
    let file = Store::new(path, config.history).read()?;
    let missing = missing(config, file.as_ref(), environment).into_iter();
    Ok(missing.map(|(setting, _)| setting.name.clone()).collect())
}

/// The settings that need a value, and how it is made.
fn missing<'c>(
    config: &'c SettingsConfig,
    file: Option<&EnvFile>,
    environment: &[(String, String)],
) -> Vec<(&'c SettingConfig, &'c Generate)> {
    let resolved = resolve(config, file, environment);
    let needs_one = |effective: &super::layers::Effective<'c>| match effective.found() {
        // Supplied from outside, even if that is nothing.
        Some(found) if found.layer == Layer::Environment => false,
        Some(found) if matches!(found.layer, Layer::File { .. }) => found.value.is_empty(),
        Some(_) | None => true,
    };
    resolved
        .settings
        .iter()
        .filter(|effective| needs_one(effective))
        .filter_map(|effective| Some((effective.setting, effective.setting.generate.as_ref()?)))
        .collect()
}

fn generate(
    config: &SettingsConfig,
    store: &Store,
    environment: &[(String, String)],
    patience: Duration,
) -> Result<Generated, StoreError> {
    let locked = store.lock(patience)?;
    let before = locked.read()?;
    let mut generated = Generated {
        names: Vec::new(),
        is_new_file: false,
        warnings: locked.warning().into_iter().collect(),
    };
    let mut file = before.clone().unwrap_or_else(beginning);
    // Somebody else may have made them while this one waited.
    for (setting, how) in missing(config, before.as_ref(), environment) {
        let unwritable = || {
            let error = std::io::Error::other("what was generated cannot be written");
            StoreError::Write(store.path().to_owned(), error)
        };
        let secret = random::secret(how)
            .map_err(|error| StoreError::Write(store.path().to_owned(), error.into()))?;
        if file.assignment(&setting.name).is_none() {
            file.add_comment(&comment(setting));
        }
        file.set(&setting.name, &secret).map_err(|_| unwritable())?;
        generated.names.push(setting.name.clone());
    }
    if !generated.names.is_empty() {
        locked.write(before.as_ref(), &file)?;
        generated.is_new_file = before.is_none();
    }
    Ok(generated)
}

/// A settings file of which nothing is there yet.
pub(super) fn beginning() -> EnvFile {
    let mut file = EnvFile::default();
    file.add_comment(
        "Settings: NAME=value in each line. Read as data: quote with '…', nothing is expanded.\n\
         `linchpin settings` shows, explains and changes them.",
    );
    file
}

fn comment(setting: &SettingConfig) -> String {
    let label = &setting.label;
    let help = if setting.help.is_empty() {
        String::new()
    } else {
        format!(": {}", setting.help)
    };
    format!("\n{label}{help} (generated)")
}

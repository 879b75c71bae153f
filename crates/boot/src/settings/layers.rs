//! Where values come from: default, settings file, environment of the process; the later beats the earlier, also when it
//! is empty. Names that a setting had before count in each of them.

use std::collections::BTreeMap;
use std::fmt;

use linchpin_config::{SettingConfig, SettingsConfig};

use super::env_file::EnvFile;

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// `default=` of its section.
    Default,
    /// The settings file.
    File {
        /// The line.
        line: usize,
    },
    /// The environment of the process.
    Environment,
}

impl Layer {
    /// As people are told, and as documents have it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File { .. } => "file",
            Self::Environment => "environment",
        }
    }
}

/// A value in a layer.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    /// The layer.
    pub layer: Layer,
    /// The name under which it is there: a former one, perhaps.
    pub name: String,
    /// The value.
    pub value: String,
}

impl fmt::Debug for Found {
    /// Without the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found")
            .field("layer", &self.layer)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A setting with all its values.
#[derive(Debug, Clone)]
pub struct Effective<'c> {
    /// What it is.
    pub setting: &'c SettingConfig,
    /// Its values; the first counts.
    pub layers: Vec<Found>,
    /// The empty setting because of which no service gets this one.
    pub dropped_with: Option<String>,
}

impl Effective<'_> {
    /// What it is set to, whether or not services get it.
    #[must_use]
    pub fn found(&self) -> Option<&Found> {
        self.layers.first()
    }

    /// What services get.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        if self.dropped_with.is_some() {
            return None;
        }
        self.found().map(|found| found.value.as_str())
    }
}

/// All settings with their values.
#[derive(Debug, Clone, Default)]
pub struct Resolved<'c> {
    /// The settings, in the order of the configuration.
    pub settings: Vec<Effective<'c>>,
    /// What a person should know; without values.
    pub notices: Vec<String>,
}

impl Resolved<'_> {
    /// A setting by its name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Effective<'_>> {
        let mut settings = self.settings.iter();
        settings.find(|setting| setting.setting.name == name)
    }

    /// What services find in their environment, and what must not be there.
    pub fn variables(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.settings
            .iter()
            .map(|setting| (setting.setting.name.as_str(), setting.value()))
    }
}

/// Finds the values of all settings.
#[must_use]
pub fn resolve<'c>(
    config: &'c SettingsConfig,
    file: Option<&EnvFile>,
    environment: &[(String, String)],
) -> Resolved<'c> {
    let outside: BTreeMap<&str, &str> = environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let mut notices = undeclared(config, file);
    let mut settings: Vec<Effective<'c>> = config
        .declared
        .iter()
        .map(|setting| Effective {
            setting,
            layers: layers(setting, file, &outside, &mut notices),
            dropped_with: None,
        })
        .collect();
    drop_incomplete_sets(&mut settings);
    Resolved { settings, notices }
}

/// The values of a setting, the one that counts first.
fn layers(
    setting: &SettingConfig,
    file: Option<&EnvFile>,
    outside: &BTreeMap<&str, &str>,
    notices: &mut Vec<String>,
) -> Vec<Found> {
    let in_environment = |name: &str| {
        outside.get(name).map(|value| Found {
            layer: Layer::Environment,
            name: name.to_owned(),
            value: (*value).to_owned(),
        })
    };
    let in_file = |name: &str| {
        file?.assignment(name).map(|assignment| Found {
            layer: Layer::File {
                line: assignment.line,
            },
            name: name.to_owned(),
            value: assignment.value.clone(),
        })
    };
    let default = setting.default.as_ref().map(|value| Found {
        layer: Layer::Default,
        name: setting.name.clone(),
        value: value.clone(),
    });
    let environment = under_any_name(setting, "the environment", in_environment, notices);
    let file = under_any_name(setting, "the settings file", in_file, notices);
    environment.into_iter().chain(file).chain(default).collect()
}

/// A value under the name of a setting, or else under one that it had before.
fn under_any_name(
    setting: &SettingConfig,
    place: &str,
    find: impl Fn(&str) -> Option<Found>,
    notices: &mut Vec<String>,
) -> Option<Found> {
    let own = find(&setting.name);
    let mut former = setting.former_names.iter().filter_map(|name| find(name));
    if let Some(own) = own {
        if let Some(former) = former.next() {
            notices.push(format!(
                "{} in {place} does not count, because {} is there too: remove it",
                former.name, own.name
            ));
        }
        return Some(own);
    }
    let found = former.next()?;
    notices.push(format!(
        "{} in {place} is the former name of {}, and counts as that: rename it",
        found.name, setting.name
    ));
    Some(found)
}

/// Names in the file that nothing declares: services do not get them.
fn undeclared(config: &SettingsConfig, file: Option<&EnvFile>) -> Vec<String> {
    let mut names: Vec<&str> = file
        .map(EnvFile::assignments)
        .unwrap_or_default()
        .iter()
        .map(|assignment| assignment.name.as_str())
        .filter(|name| config.named(name).is_none())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .map(|name| {
            format!(
                "{name} in the settings file is no setting and does not count: declare [setting:{name}], or remove it"
            )
        })
        .collect()
}

/// Takes away sets of settings of which one is empty.
fn drop_incomplete_sets(settings: &mut [Effective<'_>]) {
    let mut empty: BTreeMap<String, String> = BTreeMap::new();
    for setting in settings.iter() {
        let is_empty = setting.found().is_none_or(|found| found.value.is_empty());
        if let (true, Some(set)) = (is_empty, &setting.setting.together) {
            empty
                .entry(set.clone())
                .or_insert_with(|| setting.setting.name.clone());
        }
    }
    for setting in settings {
        if let Some(set) = &setting.setting.together {
            setting.dropped_with = empty.get(set).cloned();
        }
    }
}

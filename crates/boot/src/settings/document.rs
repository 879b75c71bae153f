//! All settings as one document, for programs and pages: what they are, what they are set to, and what is wrong. Secrets
//! are masked.

use linchpin_config::{SettingType, SettingsConfig};
use serde::Serialize;

use super::env_file::EnvFile;
use super::layers::{Effective, Layer, resolve};
use super::show::shown;
use super::validation::{Invalid, judge};

/// `GET /api/v1/settings`, and `linchpin settings list --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingsReport {
    /// The settings file; left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Why the settings file cannot be used, if it cannot; then its values are not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_error: Option<String>,
    /// Whether every setting has a good value.
    pub valid: bool,
    /// In the order of the configuration.
    pub settings: Vec<SettingStatus>,
    /// What a person should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
}

/// A setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingStatus {
    /// The variable.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// Heading under which people find it; empty is none.
    pub group: String,
    /// What it is for.
    pub help: String,
    /// As `type=` has it.
    #[serde(rename = "type")]
    pub value_type: &'static str,
    /// The words of an `enum`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// Schemes of a `url`; none is any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schemes: Vec<String>,
    /// The least of an `integer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// The greatest of an `integer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
    /// Regular expression that the whole value must match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// It must have a value that is not empty.
    pub required: bool,
    /// Its value is shown to nobody.
    pub secret: bool,
    /// Its value; left out where it has none. Masked where it is a secret or holds one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Where that comes from: `default`, `file` or `environment`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<&'static str>,
    /// The environment sets it, so that nothing that is saved counts.
    pub locked: bool,
    /// Its default, masked like the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Services do not get it, because this other one of its set is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped_with: Option<String>,
    /// The set that it is nothing without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub together: Option<String>,
    /// What is restarted when it changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// What is wrong with it, without its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Makes the document. `file` is what was read, or why it cannot be used.
#[must_use]
pub fn report(
    config: &SettingsConfig,
    file: Result<Option<EnvFile>, String>,
    environment: &[(String, String)],
) -> SettingsReport {
    let (file, file_error) = match file {
        Ok(file) => (file, None),
        Err(error) => (None, Some(error)),
    };
    let resolved = resolve(config, file.as_ref(), environment);
    let problems = judge(&resolved);
    let settings: Vec<SettingStatus> = resolved
        .settings
        .iter()
        .map(|effective| {
            let of = |problem: &&Invalid| problem.name == effective.setting.name;
            status(effective, problems.iter().find(of))
        })
        .collect();
    SettingsReport {
        file: config.file.clone(),
        valid: problems.is_empty() && file_error.is_none(),
        file_error,
        settings,
        notices: resolved.notices,
    }
}

fn status(effective: &Effective<'_>, problem: Option<&Invalid>) -> SettingStatus {
    let setting = effective.setting;
    let found = effective.found();
    let mut status = SettingStatus {
        name: setting.name.clone(),
        label: setting.label.clone(),
        group: setting.group.clone(),
        help: setting.help.clone(),
        value_type: setting.value_type.word(),
        choices: Vec::new(),
        schemes: Vec::new(),
        min: None,
        max: None,
        pattern: setting.pattern.clone(),
        required: setting.is_required,
        secret: setting.is_secret,
        value: found.map(|found| shown(setting, &found.value)),
        source: found.map(|found| found.layer.word()),
        locked: found.is_some_and(|found| found.layer == Layer::Environment),
        default: setting.default.as_ref().map(|value| shown(setting, value)),
        dropped_with: effective.dropped_with.clone(),
        together: setting.together.clone(),
        services: setting.services.clone(),
        problem: problem.map(|problem| problem.message.clone()),
    };
    match &setting.value_type {
        SettingType::Integer { min, max } => (status.min, status.max) = (*min, *max),
        SettingType::Url { schemes } => status.schemes.clone_from(schemes),
        SettingType::Enum { choices } => status.choices.clone_from(choices),
        SettingType::String
        | SettingType::Secret
        | SettingType::Boolean
        | SettingType::Port
        | SettingType::Email
        | SettingType::Duration
        | SettingType::Path => {}
    }
    status
}

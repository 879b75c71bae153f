//! Which settings a service has from us, so that a command that a service runs does not take them for what the
//! container was given from outside.

use linchpin_config::SettingsConfig;

/// Names of the settings in this environment that come from the settings file or a default, with blanks between them.
pub const GIVEN: &str = "LINCHPIN_SETTINGS";

/// What of an environment was given from outside.
#[must_use]
pub fn from_outside(environment: &[(String, String)]) -> Vec<(String, String)> {
    let given: Vec<&str> = environment
        .iter()
        .find(|(name, _)| name == GIVEN)
        .map(|(_, names)| names.split(' ').collect())
        .unwrap_or_default();
    environment
        .iter()
        .filter(|(name, _)| name != GIVEN && !given.contains(&name.as_str()))
        .cloned()
        .collect()
}

/// Settings that this process was given and that are no text, each in words. What else is no text concerns nobody here.
#[must_use]
pub fn not_text(config: &SettingsConfig) -> Vec<String> {
    let given = std::env::vars_os().filter(|(_, value)| value.to_str().is_none());
    let names = given.filter_map(|(name, _)| name.into_string().ok());
    let is_declared = |name: &String| {
        config.declared.iter().any(|setting| {
            setting.name == *name || setting.former_names.iter().any(|had| had == name)
        })
    };
    names
        .filter(is_declared)
        .map(|name| {
            format!(
                "{name} (environment) is no text, because it is not UTF-8: give it another value there, or remove it there"
            )
        })
        .collect()
}

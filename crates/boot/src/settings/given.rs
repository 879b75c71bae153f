//! Which settings a service has from us, so that a command that a service runs does not take them for what the
//! container was given from outside.

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

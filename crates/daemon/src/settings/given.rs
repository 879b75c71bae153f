//! What a service is given at its start.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

use linchpin_boot::settings::{GIVEN, Layer, Resolved};
use linchpin_sys::spawn::Environment;

/// What a service is given at its start.
pub(super) struct Given {
    pub(super) environment: Arc<Environment>,
    /// The settings in it; of those without a value there is none.
    pub(super) values: BTreeMap<String, Option<String>>,
}

impl Given {
    /// From settings, and from other variables that a boot has made.
    pub(super) fn of(resolved: &Resolved<'_>, made: &[(String, String)]) -> Arc<Self> {
        Arc::new(Self {
            environment: service_environment(resolved, made),
            values: resolved
                .variables()
                .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
                .collect(),
        })
    }

    /// The settings that are other ones in a newer one.
    pub(super) fn differing(&self, newer: &Self) -> Vec<String> {
        newer
            .values
            .iter()
            .filter(|(name, value)| self.values.get(*name) != Some(*value))
            .map(|(name, _)| name.clone())
            .collect()
    }
}

/// What services are started with: the daemon's own environment, also what of it is no text, with settings over it, and
/// what a boot has made over those. Where there are no settings, nothing is said about them.
fn service_environment(resolved: &Resolved<'_>, made: &[(String, String)]) -> Arc<Environment> {
    let is_setting = |name: &OsString| {
        name.to_str()
            .is_some_and(|name| resolved.named(name).is_some())
    };
    let has_settings = !resolved.settings.is_empty();
    let is_ours = |name: &OsString| is_setting(name) || (has_settings && name == GIVEN);
    let outside = std::env::vars_os().filter(|(name, _)| !is_ours(name));
    let set = resolved
        .variables()
        .filter_map(|(name, value)| Some((OsString::from(name), OsString::from(value?))));
    let given: Vec<&str> = resolved
        .settings
        .iter()
        .filter(|setting| setting.value().is_some())
        .filter(|setting| {
            setting
                .found()
                .is_some_and(|found| found.layer != Layer::Environment)
        })
        .map(|setting| setting.setting.name.as_str())
        .collect();
    let given = (OsString::from(GIVEN), OsString::from(given.join(" ")));
    let given = has_settings.then_some(given);
    let made = made
        .iter()
        .map(|(name, value)| (OsString::from(name), OsString::from(value)));
    // Values have no control characters, and the kernel's own texts no NUL bytes.
    Arc::new(Environment::new(outside.chain(set).chain(given).chain(made)).unwrap_or_default())
}

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
    pub(super) fn of(resolved: &Resolved<'_>) -> Arc<Self> {
        Arc::new(Self {
            environment: service_environment(resolved),
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

/// What services are started with: the daemon's own environment, also what of it is no text, with settings over it.
fn service_environment(resolved: &Resolved<'_>) -> Arc<Environment> {
    let is_setting = |name: &OsString| {
        name.to_str()
            .is_some_and(|name| resolved.named(name).is_some())
    };
    let outside = std::env::vars_os().filter(|(name, _)| name != GIVEN && !is_setting(name));
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
    // Values have no control characters, and the kernel's own texts no NUL bytes.
    Arc::new(Environment::new(outside.chain(set).chain([given])).unwrap_or_default())
}

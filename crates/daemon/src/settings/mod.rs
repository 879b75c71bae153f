//! Settings of the product: made ready before the configuration is read, and given to each service as they are when
//! it starts.

mod changing;
mod checking;
mod given;
mod loading;
mod roots;
mod starts;

use linchpin_boot::settings::{Resolved, Store};
use linchpin_config::SettingsConfig;

pub(crate) use changing::{Planned, PlannedConfigs, is_meant};
pub use checking::world_to_check;
pub(crate) use given::MadeByBoot;
pub(crate) use loading::Ready;
pub(crate) use roots::RootsChange;
pub(crate) use starts::ServiceSettings;

/// Where the settings are kept, if there is a file.
fn store(config: &SettingsConfig) -> Option<Store> {
    let path = config.file.as_ref()?;
    Some(Store::new(path, config.history))
}

/// An environment with settings over it.
fn merged(outside: &[(String, String)], resolved: &Resolved<'_>) -> Vec<(String, String)> {
    let is_setting = |name: &String| resolved.named(name).is_some();
    let mut environment: Vec<(String, String)> = outside
        .iter()
        .filter(|(name, _)| !is_setting(name))
        .cloned()
        .collect();
    let set = resolved.variables();
    environment.extend(set.filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))));
    environment
}

//! The machine as a configuration sees it that is only looked at.

use linchpin_boot::settings::resolve;
use linchpin_config::{LoadRequest, SettingType, World, load_boot, load_settings};

use super::{merged, store};
use crate::world::SystemWorld;

/// The machine as a configuration sees it that is only looked at: with its settings as they are now, and with examples
/// of those that a boot would make or people have still to supply, and of the variables that a boot sets. What is wrong is
/// told by whoever loads it.
#[must_use]
pub fn world_to_check(request: &LoadRequest) -> SystemWorld {
    let world = with_settings(request);
    let Ok(loaded) = load_boot(&world, request) else {
        return world;
    };
    let Some(roots) = loaded.boot.ca_roots else {
        return world;
    };
    let mut environment = world.environment().to_vec();
    for name in roots.variables {
        if environment.iter().all(|(known, _)| *known != name) {
            environment.push((name, format!("{}/bundle.pem", roots.output)));
        }
    }
    world.with_environment(environment)
}

fn with_settings(request: &LoadRequest) -> SystemWorld {
    let world = SystemWorld::now();
    let Ok(declared) = load_settings(&world, request) else {
        return world;
    };
    let config = declared.settings;
    if config.declared.is_empty() {
        return world;
    }
    let file = store(&config).and_then(|store| store.read().ok().flatten());
    let resolved = resolve(&config, file.as_ref(), world.environment());
    let mut environment = merged(world.environment(), &resolved);
    let lacking = resolved.settings.iter().filter(|setting| {
        setting.found().is_none_or(|found| found.value.is_empty())
            && (setting.setting.is_required || setting.setting.generate.is_some())
    });
    for setting in lacking {
        let name = setting.setting.name.clone();
        environment.retain(|(known, _)| *known != name);
        environment.push((name, example(&setting.setting.value_type)));
    }
    world.with_environment(environment)
}

/// Some value of a type.
pub(super) fn example(value_type: &SettingType) -> String {
    match value_type {
        SettingType::Integer { min, max } => {
            let number = min.or(*max).unwrap_or(1);
            number.to_string()
        }
        SettingType::Enum { choices } => choices.first().cloned().unwrap_or_default(),
        SettingType::String | SettingType::Secret => "example".to_owned(),
        SettingType::Boolean => "true".to_owned(),
        SettingType::Port => "8080".to_owned(),
        SettingType::Url { schemes } => {
            let scheme = schemes.first().map_or("http", String::as_str);
            format!("{scheme}://localhost")
        }
        SettingType::Email => "name@example.org".to_owned(),
        SettingType::Duration => "1s".to_owned(),
        SettingType::Path => "/".to_owned(),
    }
}

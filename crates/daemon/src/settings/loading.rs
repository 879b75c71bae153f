//! Reading a configuration together with the settings that it declares.
//!
//! The configuration may need values (`%(ENV_x)s`), so their declarations are read first, missing secrets are made,
//! everything is judged, and then the configuration is read with them in its environment.

use linchpin_boot::settings::{LOCK_PATIENCE, Store, generate_missing, judge, resolve};
use linchpin_config::{
    Diagnostic, LoadFailure, LoadRequest, Loaded, Reading, SettingsConfig, Severity, World, load,
    load_settings,
};

use super::given::Given;
use super::starts::{ServiceSettings, Stamp};
use super::{merged, store};
use crate::world::SystemWorld;

/// Reads a configuration, with the settings that it declares.
///
/// # Errors
/// All problems with the configuration, or with the settings.
pub(crate) fn load_with_settings(
    request: &LoadRequest,
) -> Result<(Loaded, ServiceSettings), Box<LoadFailure>> {
    let world = SystemWorld::now();
    let first = load(&world, request);
    // Most files have no settings, and are read once.
    let first = match first {
        Ok(loaded) if loaded.config.settings.declared.is_empty() => {
            return Ok((loaded, ServiceSettings::none()));
        }
        first => first,
    };
    let declared = match (load_settings(&world, request), first) {
        // What is wrong with other sections, too, is told by whoever read all of it.
        (Err(_), Err(failure)) => return Err(failure),
        (Err(failure), Ok(_)) => return Err(failure),
        (Ok(declared), Err(failure)) if declared.settings.declared.is_empty() => {
            return Err(failure);
        }
        (Ok(declared), _) => declared.settings,
    };
    let ready = Ready::make(declared, world.environment())?;
    let mut loaded = load(&world.with_environment(ready.environment), request)?;
    if !ready.generated.is_empty() {
        let names = ready.generated.join(", ");
        loaded.infos.push(format!("generated settings: {names}"));
    }
    loaded
        .doubts
        .extend(ready.warnings.into_iter().map(|text| Diagnostic {
            severity: Severity::Warning,
            place: None,
            original_text: None,
            message: text,
            help: None,
        }));
    Ok((loaded, ready.settings))
}

/// Settings that services can be started with.
struct Ready {
    settings: ServiceSettings,
    /// What the configuration is read with.
    environment: Vec<(String, String)>,
    generated: Vec<String>,
    warnings: Vec<String>,
}

impl Ready {
    fn make(
        config: SettingsConfig,
        outside: &[(String, String)],
    ) -> Result<Self, Box<LoadFailure>> {
        let made = generate_missing(&config, outside, LOCK_PATIENCE)
            .map_err(|error| failure([error.to_string()]))?;
        let store = store(&config);
        let stamp = store.as_ref().and_then(Stamp::of);
        let file = store
            .as_ref()
            .map_or(Ok(None), Store::read)
            .map_err(|error| failure([error.to_string()]))?;
        let resolved = resolve(&config, file.as_ref(), outside);
        let problems = judge(&resolved);
        if !problems.is_empty() {
            return Err(failure(problems.iter().map(ToString::to_string)));
        }
        let environment = merged(outside, &resolved);
        let warnings = made
            .warnings
            .into_iter()
            .chain(resolved.notices.iter().cloned())
            .collect();
        let now = Given::of(&resolved);
        Ok(Self {
            environment,
            generated: made.names,
            warnings,
            settings: ServiceSettings::new(config, outside.to_vec(), made.is_new_file, stamp, now),
        })
    }
}

/// A configuration that cannot be used because of its settings.
fn failure(texts: impl IntoIterator<Item = String>) -> Box<LoadFailure> {
    let problem = |text: String| Diagnostic {
        severity: Severity::Error,
        place: None,
        original_text: None,
        message: format!("settings: {text}"),
        help: None,
    };
    Box::new(LoadFailure {
        problems: texts.into_iter().map(problem).collect(),
        notices: Vec::new(),
        reading: Reading::default(),
    })
}

//! Settings made ready before the rest of the configuration is read, which may need their values (`%(ENV_x)s`): missing
//! secrets are made, and everything is judged.

use linchpin_boot::sequence::{Trouble, Work};
use linchpin_boot::settings::env_file::EnvFile;
use linchpin_boot::settings::{
    Generated, LOCK_PATIENCE, Store, StoreError, generate_missing, judge, not_text, resolve,
    to_generate,
};
use linchpin_boot::templates::{Scope, Services};
use linchpin_config::{BootConfig, SettingsConfig};

use super::checking::example;
use super::given::MadeByBoot;
use super::starts::{ServiceSettings, Source, Stamp};
use super::{merged, store};

/// Settings that services can be started with.
pub(crate) struct Ready {
    config: SettingsConfig,
    /// What the daemon was given.
    outside: Vec<(String, String)>,
    /// The settings file as it was judged.
    file: Option<EnvFile>,
    stamp: Option<Stamp>,
    is_new_file: bool,
    /// What the configuration is read with.
    pub(crate) environment: Vec<(String, String)>,
    generated: Vec<String>,
    /// Settings that have examples instead of values.
    examples: Vec<String>,
    warnings: Vec<String>,
}

impl Ready {
    /// Makes what is missing and judges everything. A dry run makes nothing, and takes examples instead.
    ///
    /// # Errors
    /// What is wrong; without values.
    pub(crate) fn make(
        config: SettingsConfig,
        outside: &[(String, String)],
        is_dry: bool,
    ) -> Result<Self, Vec<String>> {
        // It would count as not given at all, and a secret would be made although somebody supplies one.
        let strange = not_text(&config);
        if !strange.is_empty() {
            return Err(strange);
        }
        let told = |error: StoreError| vec![error.to_string()];
        let made = if is_dry {
            Generated {
                names: to_generate(&config, outside).map_err(told)?,
                ..Generated::default()
            }
        } else {
            generate_missing(&config, outside, LOCK_PATIENCE).map_err(told)?
        };
        let store = store(&config);
        let stamp = store.as_ref().and_then(Stamp::of);
        let file = store.as_ref().map_or(Ok(None), Store::read).map_err(told)?;
        let resolved = resolve(&config, file.as_ref(), outside);
        let is_to_come = |name: &String| is_dry && made.names.contains(name);
        let problems: Vec<String> = judge(&resolved)
            .iter()
            .filter(|invalid| !is_to_come(&invalid.name))
            .map(ToString::to_string)
            .collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut environment = merged(outside, &resolved);
        for setting in config.declared.iter().filter(|it| is_to_come(&it.name)) {
            environment.retain(|(name, _)| *name != setting.name);
            environment.push((setting.name.clone(), example(&setting.value_type)));
        }
        let warnings = made
            .warnings
            .into_iter()
            .chain(resolved.notices.iter().cloned())
            .collect();
        Ok(Self {
            outside: outside.to_vec(),
            stamp,
            is_new_file: made.is_new_file,
            environment,
            examples: if is_dry {
                made.names.clone()
            } else {
                Vec::new()
            },
            generated: made.names,
            warnings,
            config,
            file,
        })
    }

    /// What templates can name. `environment` is what programs are started with; of settings that are still to be made
    /// it has examples.
    pub(crate) fn scope(
        &self,
        environment: &[(String, String)],
        boot: &BootConfig,
        services: Result<Services, String>,
    ) -> Scope {
        let resolved = resolve(&self.config, self.file.as_ref(), &self.outside);
        Scope::new(&resolved, environment, boot, services)
    }

    /// Names of settings that are still to be made, of which there are examples.
    pub(crate) fn examples(&self) -> impl Iterator<Item = &str> {
        self.examples.iter().map(String::as_str)
    }

    /// What services are started with.
    pub(crate) fn for_services(self, made: MadeByBoot) -> ServiceSettings {
        let source = Source::new(self.config, self.outside, made, self.stamp, self.file);
        ServiceSettings::new(source, self.is_new_file)
    }

    /// As a step of the boot.
    ///
    /// # Errors
    /// What is wrong; without values.
    pub(crate) fn step(
        config: SettingsConfig,
        outside: &[(String, String)],
        is_dry: bool,
    ) -> Result<(Self, Work), Trouble> {
        let count = config.declared.len();
        let ready = Self::make(config, outside, is_dry).map_err(|problems| Trouble {
            problem: problems.join("; "),
            remedy: None,
            details: Vec::new(),
        })?;
        let generated = ready.generated.join(", ");
        let are = if count == 1 {
            "one setting is".to_owned()
        } else {
            format!("{count} settings are")
        };
        let work = Work {
            summary: format!("{are} as declared"),
            details: if generated.is_empty() {
                Vec::new()
            } else {
                let are = if is_dry {
                    "settings that would be generated"
                } else {
                    "generated settings"
                };
                vec![format!("{are}: {generated}")]
            },
            warnings: ready.warnings.clone(),
            is_changed: !generated.is_empty(),
        };
        Ok((ready, work))
    }
}

//! New settings before they count: what they are, and the configuration that goes with them.

use std::sync::Arc;

use linchpin_boot::settings::env_file::EnvFile;
use linchpin_boot::settings::{
    ChangeError, Draft, Edit, Resolved, SettingsReport, Store, draft, report, resolve, shown,
    without_values,
};
use linchpin_boot::templates::{Scope, services_of};
use linchpin_config::{
    CertificateConfig, Config, LoadFailure, LoadRequest, PreflightConfig, load_boot,
};
use linchpin_protocol::api::{ApplyProblem, SettingChange};

use super::given::Given;
use super::roots::{Roots, RootsChange};
use super::starts::{ServiceSettings, Source};
use super::{merged, store};
use crate::boot::read_with;
use crate::loading::Loaded;
use crate::world::SystemWorld;

/// Shorter secrets are everywhere, and no secrets.
const SHORTEST_SECRET: usize = 4;

/// A change of settings that is good by itself.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) store: Store,
    pub(crate) draft: Draft,
    /// What services get once it counts.
    pub(crate) new: Arc<Given>,
    /// Settings of which services get other values.
    pub(crate) changes: Vec<SettingChange>,
    /// Values that nobody may be shown, the old and the new ones.
    secrets: Vec<String>,
}

/// The configurations that go with settings.
#[derive(Debug)]
pub(crate) struct PlannedConfigs {
    /// With the settings of before, if that is possible.
    pub(crate) before: Option<Config>,
    pub(crate) after: Config,
    /// What templates can name, with the new settings.
    pub(crate) scope: Arc<Scope>,
    /// None if `[ca-roots]` stays as it is.
    pub(crate) roots: Option<RootsChange>,
}

impl PlannedConfigs {
    /// The certificates that the new settings make other ones, and what those of before made of them.
    pub(crate) fn changed_certificates(&self) -> (Vec<CertificateConfig>, Vec<CertificateConfig>) {
        let Some(before) = &self.before else {
            return (Vec::new(), Vec::new());
        };
        let (old, new) = (&before.boot.certificates, &self.after.boot.certificates);
        // Also those that are switched on.
        let after = new.iter().filter(|it| !old.contains(it)).cloned();
        let before = old.iter().filter(|it| !new.contains(it)).cloned();
        (after.collect(), before.collect())
    }

    /// What must be so with the new settings, and was not asked with those of before.
    pub(crate) fn new_preflights(&self) -> impl Iterator<Item = &PreflightConfig> {
        let before = self.before.as_ref();
        let new = self.after.boot.preflights.iter();
        new.filter(move |it| before.is_none_or(|before| !before.boot.preflights.contains(it)))
    }
}

impl ServiceSettings {
    /// Thinks a change out. Waits for the disk, and for commands that judge values.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub(crate) fn plan(&self, edits: &[Edit]) -> Result<Planned, Vec<ApplyProblem>> {
        let source = self.source();
        let Source {
            config, outside, ..
        } = &*source;
        let Some(store) = store(config) else {
            return Err(problems(&[ChangeError::NoFile]));
        };
        let read = store
            .read()
            .map_err(|error| problems(&[ChangeError::Store(error)]))?;
        let draft = draft(config, outside, edits, read).map_err(|errors| problems(&errors))?;
        let before = resolve(config, draft.read.as_ref(), outside);
        let after = resolve(config, Some(&draft.file), outside);
        let secrets = secrets(&before).chain(secrets(&after)).collect();
        let new = Given::of(&after, &source.made);
        let changes = self.changes(&new);
        Ok(Planned {
            store,
            new,
            changes,
            secrets,
            draft,
        })
    }

    /// All settings as they are now. Waits for the disk.
    pub(crate) fn report(&self) -> SettingsReport {
        let source = self.source();
        let file = store(&source.config).map_or(Ok(None), |store| store.read());
        let file = file.map_err(|error| error.to_string());
        report(&source.config, file, &source.outside)
    }

    /// What differs from what services that start now would get.
    fn changes(&self, new: &Given) -> Vec<SettingChange> {
        let now = self.now();
        let source = self.source();
        let value = |given: &Given, name: &str| {
            let setting = source.config.named(name)?;
            let value = given.values.get(name)?.as_ref()?;
            Some(shown(setting, value))
        };
        now.differing(new)
            .into_iter()
            .map(|name| SettingChange {
                from: value(&now, &name),
                to: value(new, &name),
                name,
            })
            .collect()
    }

    /// Reads the configuration with the settings of before and with the new ones. Waits for the disk.
    ///
    /// # Errors
    /// What is wrong with the new one.
    pub(crate) fn configs(
        &self,
        planned: &mut Planned,
        request: &LoadRequest,
    ) -> Result<PlannedConfigs, Vec<ApplyProblem>> {
        let source = self.source();
        let made = &source.made;
        let environment = |file: Option<&EnvFile>| {
            let resolved = resolve(&source.config, file, &source.outside);
            merged(&source.outside, &resolved)
        };
        let old = environment(planned.draft.read.as_ref());
        let new = environment(Some(&planned.draft.file));
        let unread = |failure: &LoadFailure| {
            let problem = |problem: &linchpin_config::Diagnostic| ApplyProblem {
                setting: None,
                message: planned.masked(&format!("the configuration: {}", problem.message)),
            };
            failure.problems.iter().map(problem).collect::<Vec<_>>()
        };
        let sections = |environment: &Vec<(String, String)>| {
            let world = SystemWorld::now().with_environment(environment.clone());
            let loaded = load_boot(&world, request).ok()?;
            let common = loaded.environment;
            Some(Roots::of(&loaded.boot, environment.clone(), common))
        };
        // What is wrong with these sections is told with all the rest.
        let roots = match sections(&new) {
            Some(after) => {
                let before = sections(&old).flatten();
                RootsChange::plan(made, before, after, old.clone()).map_err(|problem| {
                    vec![ApplyProblem {
                        setting: None,
                        message: planned.masked(&format!("[ca-roots]: {problem}")),
                    }]
                })?
            }
            None => None,
        };
        let trust = match &roots {
            Some(change) => change.trust(true),
            None => made.trust(),
        };
        let read = read_with(request, new, made, trust.as_deref());
        let (read, environment) = read.map_err(|failure| unread(&failure))?;
        let after = Loaded::new(read).config;
        let before = read_with(request, old, made, made.trust().as_deref());
        let before = before.ok().map(|(read, _)| Loaded::new(read).config);
        let resolved = resolve(&source.config, Some(&planned.draft.file), &source.outside);
        if roots.is_some() {
            planned.new = Given::with(&resolved, made, trust);
        }
        let services = Ok(services_of(&after));
        let scope = Scope::new(&resolved, &environment, &after.boot, services);
        Ok(PlannedConfigs {
            before,
            after,
            scope: Arc::new(scope),
            roots,
        })
    }

    /// The configuration that goes with a settings file. Waits for the disk.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn config_with(
        &self,
        planned: &Planned,
        request: &LoadRequest,
    ) -> Result<Config, String> {
        let source = self.source();
        let resolved = resolve(&source.config, Some(&planned.draft.file), &source.outside);
        let environment = merged(&source.outside, &resolved);
        let trust = planned.new.trust.as_deref();
        match read_with(request, environment, &source.made, trust) {
            Ok((read, _)) => Ok(Loaded::new(read).config),
            Err(failure) => Err(failure.original_text().to_owned()),
        }
    }

    /// The settings because of which a process must be restarted: they are not those that it was given, and name it.
    /// None if none does.
    pub(crate) fn restarting(
        &self,
        group: &str,
        name: &str,
        section: &str,
        new: &Given,
    ) -> Vec<String> {
        let given = self.start_of(group, name).unwrap_or_else(|| self.now());
        let mut changed = given.differing(new);
        let source = self.source();
        changed.retain(|setting| {
            let Some(setting) = source.config.named(setting) else {
                return false;
            };
            let mut services = setting.services.iter();
            services.any(|service| is_meant(service, group, name, section))
        });
        changed
    }
}

/// Whether a name in a list of services means a process: its program, itself or its group.
pub(crate) fn is_meant(service: &str, group: &str, name: &str, section: &str) -> bool {
    service == group
        || service == name
        || section.split_once(':').is_some_and(|(_, it)| it == service)
        || service
            .split_once(':')
            .is_some_and(|(of, it)| of == group && (it == name || it == "*"))
}

impl ServiceSettings {
    /// Whether a setting says who is to be restarted when it changes.
    pub(crate) fn names_services(&self, setting: &str) -> bool {
        let source = self.source();
        let named = source.config.named(setting);
        named.is_some_and(|setting| !setting.services.is_empty())
    }
}

impl Planned {
    /// A text without values that nobody may be shown.
    pub(crate) fn masked(&self, text: &str) -> String {
        let secrets: Vec<&str> = self.secrets.iter().map(String::as_str).collect();
        without_values(text, &secrets)
    }
}

fn secrets(resolved: &Resolved<'_>) -> impl Iterator<Item = String> {
    let all = resolved.settings.iter().flat_map(|effective| {
        let is_shown = |value: &str| shown(effective.setting, value) == value;
        effective
            .layers
            .iter()
            .map(|found| found.value.clone())
            .filter(move |value| value.len() >= SHORTEST_SECRET && !is_shown(value))
    });
    all.collect::<Vec<_>>().into_iter()
}

/// Errors as documents have them.
fn problems(errors: &[ChangeError]) -> Vec<ApplyProblem> {
    let mut found = Vec::new();
    for error in errors {
        match error {
            ChangeError::Invalid(all) => found.extend(all.iter().map(|invalid| ApplyProblem {
                setting: Some(invalid.name.clone()),
                message: invalid.to_string(),
            })),
            ChangeError::Unknown(name, _) | ChangeError::Unwritable(name, _) => {
                found.push(ApplyProblem {
                    setting: Some(name.clone()),
                    message: error.to_string(),
                });
            }
            ChangeError::NoFile | ChangeError::Store(_) => {
                found.push(ApplyProblem {
                    setting: None,
                    message: error.to_string(),
                });
            }
        }
    }
    found
}

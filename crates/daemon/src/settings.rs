//! Settings of the product: made ready before the configuration is read, and given to each service as they are when
//! it starts.
//!
//! The configuration may need values (`%(ENV_x)s`), so their declarations are read first, missing secrets are made,
//! everything is judged, and then the configuration is read with them in its environment. Services see the settings of
//! their own start: the file is looked at each time, and read again if it has changed.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Arc, Mutex, PoisonError};

use linchpin_boot::settings::env_file::EnvFile;
use linchpin_boot::settings::{
    GIVEN, LOCK_PATIENCE, Layer, Resolved, Store, StoreError, generate_missing, judge, resolve,
};
use linchpin_config::{
    Diagnostic, LoadFailure, LoadRequest, Loaded, Reading, SettingType, SettingsConfig, Severity,
    World, load, load_settings,
};
use linchpin_sys::spawn::Environment;

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

/// The machine as a configuration sees it that is only looked at: with its settings as they are now, and with examples
/// of those that a boot would make or people have still to supply. What is wrong is told by whoever loads it.
#[must_use]
pub fn world_to_check(request: &LoadRequest) -> SystemWorld {
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
fn example(value_type: &SettingType) -> String {
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
            settings: ServiceSettings {
                is_new_file: made.is_new_file,
                config,
                outside: outside.to_vec(),
                last: Mutex::new(Last {
                    stamp,
                    given: now,
                    complaint: None,
                }),
                starts: Mutex::default(),
            },
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

/// What a service is given at its start.
struct Given {
    environment: Arc<Environment>,
    /// The settings in it; of those without a value there is none.
    values: BTreeMap<String, Option<String>>,
}

impl Given {
    fn of(resolved: &Resolved<'_>) -> Arc<Self> {
        Arc::new(Self {
            environment: service_environment(resolved),
            values: resolved
                .variables()
                .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
                .collect(),
        })
    }

    /// The settings that are other ones in a newer one.
    fn differing(&self, newer: &Self) -> Vec<String> {
        newer
            .values
            .iter()
            .filter(|(name, value)| self.values.get(*name) != Some(*value))
            .map(|(name, _)| name.clone())
            .collect()
    }
}

/// Most processes whose start is remembered. Beyond, all are forgotten: then nothing is said to have old settings,
/// until it is started again.
const MOST_STARTS: usize = 20_000;

/// The settings as services get them.
pub(crate) struct ServiceSettings {
    config: SettingsConfig,
    /// What the daemon was given.
    outside: Vec<(String, String)>,
    /// The file was made just now.
    is_new_file: bool,
    last: Mutex<Last>,
    /// What the last start of each process was given, by group and name.
    starts: Mutex<HashMap<(String, String), Arc<Given>>>,
}

impl fmt::Debug for ServiceSettings {
    /// Without values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceSettings")
            .field("file", &self.config.file)
            .finish_non_exhaustive()
    }
}

/// What was read last.
struct Last {
    stamp: Option<Stamp>,
    given: Arc<Given>,
    /// What was said about the file, so that it is said once.
    complaint: Option<String>,
}

/// Whether a file is the one that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(store: &Store) -> Option<Self> {
        let found: Metadata = std::fs::metadata(store.path()).ok()?;
        Some(Self {
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

impl ServiceSettings {
    /// No settings: the daemon's own environment.
    pub(crate) fn none() -> Self {
        // The kernel's own texts have no NUL bytes.
        let environment = Environment::new(std::env::vars_os()).unwrap_or_default();
        Self {
            config: SettingsConfig::default(),
            outside: Vec::new(),
            is_new_file: false,
            last: Mutex::new(Last {
                stamp: None,
                given: Arc::new(Given {
                    environment: Arc::new(environment),
                    values: BTreeMap::new(),
                }),
                complaint: None,
            }),
            starts: Mutex::default(),
        }
    }

    /// Gives a file that was just made to the user as whom the daemon goes on, who would otherwise not be able to
    /// read it. One that was there is nobody's business but its owner's.
    ///
    /// # Errors
    /// Whatever the system says.
    pub(crate) fn give_to(&self, user: u32, group: Option<u32>) -> std::io::Result<()> {
        match &self.config.file {
            Some(file) if self.is_new_file => std::os::unix::fs::chown(file, Some(user), group),
            _ => Ok(()),
        }
    }

    /// What a process that starts now finds in its environment, and what there is to say about that. May wait for the
    /// disk. A file that cannot be used leaves everything as it was, because a service with old settings is better than
    /// none.
    pub(crate) fn for_a_start(
        &self,
        group: &str,
        name: &str,
    ) -> (Arc<Environment>, Option<String>) {
        let (given, complaint) = self.looked_at(true);
        if self.config.file.is_some() {
            let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
            if starts.len() >= MOST_STARTS {
                starts.clear();
            }
            starts.insert((group.to_owned(), name.to_owned()), Arc::clone(&given));
        }
        (Arc::clone(&given.environment), complaint)
    }

    /// What a command finds in its environment that belongs to a process: what the process was given, so that they
    /// understand each other.
    pub(crate) fn of_the_start(&self, group: &str, name: &str) -> Arc<Environment> {
        let known = self.start_of(group, name);
        let given = known.unwrap_or_else(|| self.looked_at(false).0);
        Arc::clone(&given.environment)
    }

    /// What a command finds that comes before a start. May wait for the disk.
    pub(crate) fn before_a_start(&self) -> Arc<Environment> {
        Arc::clone(&self.looked_at(false).0.environment)
    }

    /// Of each of some processes, the settings that have changed since its last start. May wait for the disk.
    pub(crate) fn stale(&self, processes: &[(String, String)]) -> Vec<Vec<String>> {
        let now = self.looked_at(false).0;
        processes
            .iter()
            .map(|(group, name)| {
                let start = self.start_of(group, name);
                start.map_or_else(Vec::new, |start| start.differing(&now))
            })
            .collect()
    }

    /// Whether settings can change while services run.
    pub(crate) fn can_change(&self) -> bool {
        self.config.file.is_some()
    }

    fn start_of(&self, group: &str, name: &str) -> Option<Arc<Given>> {
        let starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        starts.get(&(group.to_owned(), name.to_owned())).cloned()
    }

    /// The settings as they are now. `tells` says that what is wrong with the file can be told now; it is told once.
    fn looked_at(&self, tells: bool) -> (Arc<Given>, Option<String>) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told = None;
        if let Some(store) = store(&self.config) {
            let stamp = Stamp::of(&store);
            if stamp != last.stamp || last.complaint.is_some() {
                match self.read(&store) {
                    Ok(given) => {
                        *last = Last {
                            stamp,
                            given,
                            complaint: None,
                        };
                    }
                    Err(complaint) if tells && last.complaint.as_ref() != Some(&complaint) => {
                        last.complaint = Some(complaint.clone());
                        told = Some(complaint);
                    }
                    Err(_) => {}
                }
            }
        }
        (Arc::clone(&last.given), told)
    }

    fn read(&self, store: &Store) -> Result<Arc<Given>, String> {
        let unchanged = "services are started with the settings as they were before";
        let file: Option<EnvFile> = store
            .read()
            .map_err(|error: StoreError| format!("{error}; {unchanged}"))?;
        let resolved = resolve(&self.config, file.as_ref(), &self.outside);
        let problems: Vec<String> = judge(&resolved).iter().map(ToString::to_string).collect();
        if !problems.is_empty() {
            return Err(format!("{}; {unchanged}", problems.join("; ")));
        }
        Ok(Given::of(&resolved))
    }
}

//! Settings as services get them: as they are when they start. The file is looked at each time, and read again if it
//! has changed.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use linchpin_boot::ca_roots::Trust;
use linchpin_boot::settings::env_file::EnvFile;
use linchpin_boot::settings::{Store, StoreError, judge, resolve};
use linchpin_config::SettingsConfig;
use linchpin_sys::spawn::Environment;

use super::given::{Given, MadeByBoot};
use super::{is_meant, merged, store};
use crate::boot::set;

/// Most processes whose start is remembered. Beyond, all are forgotten: then nothing is said to have old settings,
/// until it is started again.
const MOST_STARTS: usize = 20_000;

/// The settings as services get them.
pub(crate) struct ServiceSettings {
    /// Where they come from. Held for a moment only, so that nobody waits for a disk because of it.
    source: Mutex<Arc<Source>>,
    /// The file was made just now.
    is_new_file: bool,
    /// Settings that are on trial.
    trial: Mutex<Option<Trial>>,
    /// What the last start of each process was given, by group and name.
    starts: Mutex<HashMap<(String, String), Start>>,
}

/// The last start of a process.
struct Start {
    given: Arc<Given>,
    /// Its section, such as `program:web`: settings may name it by that.
    section: String,
}

impl fmt::Debug for ServiceSettings {
    /// Without values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceSettings")
            .field("file", &self.source().config.file)
            .finish_non_exhaustive()
    }
}

/// Where settings come from: what a configuration that was read says.
pub(super) struct Source {
    pub(super) config: SettingsConfig,
    /// What the daemon was given.
    pub(super) outside: Vec<(String, String)>,
    /// What the boot has made, which is over the settings.
    pub(super) made: MadeByBoot,
    /// Held while the file is read.
    last: Mutex<Last>,
}

/// What was read last.
struct Last {
    stamp: Option<Stamp>,
    /// The file as it was when it was good.
    file: Option<EnvFile>,
    given: Arc<Given>,
    /// What was said about the file, so that it is said once.
    complaint: Option<String>,
}

/// Two versions of all settings while services are moved from one to the other. Each start gets one of them whole, and
/// that which goes with its configuration: a service that ends and starts again by itself meanwhile, too.
struct Trial {
    old: Arc<Given>,
    new: Arc<Given>,
    /// Processes that get the new ones, by group and name.
    moved: HashSet<(String, String)>,
}

/// Whether a file is the one that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    pub(super) fn of(store: &Store) -> Option<Self> {
        let found: Metadata = std::fs::metadata(store.path()).ok()?;
        Some(Self {
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

impl Source {
    /// Settings that have just been read.
    pub(super) fn new(
        config: SettingsConfig,
        outside: Vec<(String, String)>,
        made: MadeByBoot,
        stamp: Option<Stamp>,
        file: Option<EnvFile>,
    ) -> Self {
        let given = Given::of(&resolve(&config, file.as_ref(), &outside), &made);
        Self {
            config,
            outside,
            made,
            last: Mutex::new(Last {
                stamp,
                file,
                given,
                complaint: None,
            }),
        }
    }
}

impl ServiceSettings {
    pub(super) fn new(source: Source, is_new_file: bool) -> Self {
        Self {
            source: Mutex::new(Arc::new(source)),
            is_new_file,
            trial: Mutex::default(),
            starts: Mutex::default(),
        }
    }

    /// No settings: the daemon's own environment.
    pub(crate) fn none() -> Self {
        Self::without_settings(MadeByBoot::default(), Vec::new())
    }

    /// The daemon's own environment, with what the boot has made over it.
    pub(crate) fn without_settings(made: MadeByBoot, outside: Vec<(String, String)>) -> Self {
        let config = SettingsConfig::default();
        Self::new(Source::new(config, outside, made, None, None), false)
    }

    /// Goes on with what a configuration says that was read later: what starts from now on is given that.
    pub(crate) fn follow(&self, newer: &Self) {
        *self.source.lock().unwrap_or_else(PoisonError::into_inner) = newer.source();
    }

    pub(super) fn source(&self) -> Arc<Source> {
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&source)
    }

    /// Gives a file that was just made to the user as whom the daemon goes on, who would otherwise not be able to
    /// read it. One that was there is nobody's business but its owner's.
    ///
    /// # Errors
    /// Whatever the system says.
    pub(crate) fn give_to(&self, user: u32, group: Option<u32>) -> std::io::Result<()> {
        match &self.source().config.file {
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
        section: &str,
    ) -> (Arc<Environment>, Option<String>) {
        let (given, complaint) = self.now_for(group, name, true);
        if self.can_change() {
            let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
            if starts.len() >= MOST_STARTS {
                starts.clear();
            }
            let start = Start {
                given: Arc::clone(&given),
                section: section.to_owned(),
            };
            starts.insert((group.to_owned(), name.to_owned()), start);
        }
        (Arc::clone(&given.environment), complaint)
    }

    /// What a command finds in its environment that belongs to a process: what the process was given, so that they
    /// understand each other.
    pub(crate) fn of_the_start(&self, group: &str, name: &str) -> Arc<Environment> {
        let known = self.start_of(group, name);
        let given = known.unwrap_or_else(|| self.now_for(group, name, false).0);
        Arc::clone(&given.environment)
    }

    /// What a command finds that comes before a start of a process. May wait for the disk.
    pub(crate) fn before_a_start(&self, group: &str, name: &str) -> Arc<Environment> {
        Arc::clone(&self.now_for(group, name, false).0.environment)
    }

    /// From here on every start gets the settings as they are now, until its process is moved to the new ones. May wait
    /// for the disk.
    pub(crate) fn begin_trial(&self, new: Arc<Given>) {
        let old = self.looked_at(false).0;
        *self.trial() = Some(Trial {
            old,
            new,
            moved: HashSet::new(),
        });
    }

    /// These processes get the settings on trial when they start next, or no longer.
    pub(crate) fn move_in_trial(&self, processes: &[(String, String)], to_new: bool) {
        if let Some(trial) = self.trial().as_mut() {
            for process in processes {
                if to_new {
                    trial.moved.insert(process.clone());
                } else {
                    trial.moved.remove(process);
                }
            }
        }
    }

    /// The file counts again.
    pub(crate) fn end_trial(&self) {
        *self.trial() = None;
    }

    /// From here on programs that start are to trust this.
    pub(crate) fn trust(&self, trust: Option<Arc<Trust>>) {
        self.source().made.set_trust(trust);
    }

    /// What programs that start now would find in their environment, but for what tells them what to trust. May wait for the
    /// disk.
    pub(crate) fn of_programs(&self) -> Vec<(String, String)> {
        self.source().of_programs()
    }

    fn trial(&self) -> MutexGuard<'_, Option<Trial>> {
        self.trial.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a process would be given if it started now.
    fn now_for(&self, group: &str, name: &str, tells: bool) -> (Arc<Given>, Option<String>) {
        if let Some(trial) = self.trial().as_ref() {
            let process = (group.to_owned(), name.to_owned());
            let given = if trial.moved.contains(&process) {
                &trial.new
            } else {
                &trial.old
            };
            return (Arc::clone(given), None);
        }
        self.looked_at(tells)
    }

    /// What services that start now are given. May wait for the disk.
    pub(super) fn now(&self) -> Arc<Given> {
        self.looked_at(false).0
    }

    /// Of each of some processes, what has changed since its last start and concerns it: names of settings, and the section
    /// of authorities that are trusted. A setting that names its services concerns nobody else. May wait for the disk.
    pub(crate) fn stale(&self, processes: &[(String, String)]) -> Vec<Vec<String>> {
        let source = self.source();
        let now = source.looked_at(false).0;
        let starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = |process: &(String, String)| {
            let Some(start) = starts.get(process) else {
                return Vec::new();
            };
            let (group, name) = process;
            let is_concerned = |setting: &String| {
                let services = source.config.named(setting).map(|it| it.services.iter());
                services.is_none_or(|mut services| {
                    services.len() == 0
                        || services.any(|service| is_meant(service, group, name, &start.section))
                })
            };
            let mut changed = start.given.differing(&now);
            changed.retain(is_concerned);
            if start.given.trusts_others_than(&now) {
                changed.push("[ca-roots]".to_owned());
            }
            changed
        };
        processes.iter().map(of_one).collect()
    }

    /// Whether what services are given can change while they run.
    pub(crate) fn can_change(&self) -> bool {
        let source = self.source();
        source.config.file.is_some() || source.made.has_roots
    }

    pub(super) fn start_of(&self, group: &str, name: &str) -> Option<Arc<Given>> {
        let starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        let start = starts.get(&(group.to_owned(), name.to_owned()))?;
        Some(Arc::clone(&start.given))
    }

    /// The settings as they are now. `tells` says that what is wrong with the file can be told now; it is told once.
    fn looked_at(&self, tells: bool) -> (Arc<Given>, Option<String>) {
        self.source().looked_at(tells)
    }
}

impl Source {
    fn looked_at(&self, tells: bool) -> (Arc<Given>, Option<String>) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told = None;
        let is_as_trusted = |given: &Given| given.trust == self.made.trust();
        if let Some(store) = store(&self.config) {
            let stamp = Stamp::of(&store);
            if stamp != last.stamp || last.complaint.is_some() {
                match self.read(&store) {
                    Ok((file, given)) => {
                        *last = Last {
                            stamp,
                            file,
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
        if !is_as_trusted(&last.given) {
            let resolved = resolve(&self.config, last.file.as_ref(), &self.outside);
            last.given = Given::of(&resolved, &self.made);
        }
        (Arc::clone(&last.given), told)
    }

    fn of_programs(&self) -> Vec<(String, String)> {
        self.looked_at(false);
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let resolved = resolve(&self.config, last.file.as_ref(), &self.outside);
        let mut environment = merged(&self.outside, &resolved);
        set(&mut environment, self.made.common.iter().cloned());
        environment
    }

    fn read(&self, store: &Store) -> Result<(Option<EnvFile>, Arc<Given>), String> {
        let unchanged = "services are started with the settings as they were before";
        let file: Option<EnvFile> = store
            .read()
            .map_err(|error: StoreError| format!("{error}; {unchanged}"))?;
        let resolved = resolve(&self.config, file.as_ref(), &self.outside);
        let problems: Vec<String> = judge(&resolved).iter().map(ToString::to_string).collect();
        if !problems.is_empty() {
            return Err(format!("{}; {unchanged}", problems.join("; ")));
        }
        let given = Given::of(&resolved, &self.made);
        Ok((file, given))
    }
}

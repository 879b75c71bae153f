//! The first phase: everything that is made before a configuration can be read as a whole.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use linchpin_boot::proxies::agree;
use linchpin_boot::sequence::{
    CertificateState, FATAL, Part, RootsState, Sequence, Step, Trouble, Work,
};
use linchpin_boot::settings::Resolved;
use linchpin_boot::templates::{Scope, Services, services_of};
use linchpin_config::{
    BootConfig, LinchpinConfig, LoadFailure, LoadRequest, SettingsConfig, load, load_boot,
    load_settings,
};

use super::{BootReports, Booted, Looked, keep_report};
use crate::settings::{MadeByBoot, Ready, ServiceSettings};
use crate::world::SystemWorld;

/// How the first phase ended.
pub(super) enum FirstPhase {
    /// The sections that say what to make cannot be read.
    Unreadable(Box<LoadFailure>),
    /// There are none.
    NothingToMake,
    /// It was made, or the boot has failed.
    Made(Box<Made>),
}

/// What is to be done.
#[derive(Clone, Copy)]
pub(super) struct Errand<'a> {
    pub(super) steps: &'a [Step],
    /// Who wants it.
    pub(super) why: &'a str,
    /// Nothing is written.
    pub(super) is_dry: bool,
    /// Where the report goes, if it is about the whole.
    pub(super) reports: &'a BootReports,
}

/// What was made. It has values of settings in it, so nothing shows it.
pub(super) struct Made {
    file: String,
    pub(super) sequence: Sequence,
    linchpin: Option<LinchpinConfig>,
    /// None without settings.
    ready: Option<Ready>,
    /// What the daemon was given.
    outside: Vec<(String, String)>,
    /// What the configuration is read with: that of the daemon, settings, and `variables`.
    pub(super) environment: Vec<(String, String)>,
    /// What services are given over the settings.
    pub(super) variables: Vec<(String, String)>,
    /// Those of them through which programs find an entry in passwd.
    identity: Vec<(String, String)>,
    /// Whether variables about proxies agree in what services are given.
    pub(super) proxies_agree: bool,
    /// What `[supervisord]` adds to the environment of every program.
    common: Vec<(String, String)>,
    roots: Option<RootsState>,
    certificates: Vec<CertificateState>,
    new_directories: Vec<PathBuf>,
    /// The report is about the whole, and something was done.
    is_kept: bool,
    reports: BootReports,
}

impl FirstPhase {
    /// `outside` is what the daemon was given.
    pub(super) fn run(
        request: &LoadRequest,
        outside: Vec<(String, String)>,
        errand: Errand<'_>,
    ) -> Self {
        let Errand {
            steps,
            why,
            is_dry,
            reports,
        } = errand;
        let world = SystemWorld::now().with_environment(outside.clone());
        let declared = match load_settings(&world, request) {
            Ok(declared) => declared,
            Err(failure) => return Self::Unreadable(failure),
        };
        let mut made = Made {
            file: declared.file,
            sequence: Sequence::begin(why, is_dry),
            linchpin: declared.linchpin,
            ready: None,
            outside: outside.clone(),
            environment: outside,
            variables: Vec::new(),
            identity: Vec::new(),
            proxies_agree: false,
            common: Vec::new(),
            roots: None,
            certificates: Vec::new(),
            new_directories: Vec::new(),
            is_kept: !is_dry && steps == Step::ALL,
            reports: reports.clone(),
        };
        let has_settings = !declared.settings.declared.is_empty();
        if has_settings {
            made.settings(&declared.settings, steps.contains(&Step::Settings));
            if made.sequence.is_over() {
                return Self::Made(Box::new(made));
            }
        }
        let world = SystemWorld::now().with_environment(made.environment.clone());
        let loaded = match load_boot(&world, request) {
            Ok(loaded) => loaded,
            Err(failure) => {
                made.end_because(failure.original_text());
                return Self::Unreadable(failure);
            }
        };
        made.linchpin = loaded.linchpin;
        let linchpin = made.linchpin.as_ref();
        let directories = linchpin.map_or_else(Vec::new, |it| it.directories.clone());
        let is_declared = has_settings || !loaded.boot.is_empty() || !directories.is_empty();
        let is_usual = is_declared || request.entry_point.is_some();
        let gives_entry = linchpin.and_then(|it| it.passwd_entry).unwrap_or(is_usual);
        made.proxies_agree = linchpin
            .and_then(|it| it.proxy_variables)
            .unwrap_or(is_usual);
        if !is_declared && !made.proxies_agree && !gives_entry {
            return Self::NothingToMake;
        }
        made.note_new_directories();
        if gives_entry {
            made.identity(steps.contains(&Step::Identity));
        }
        if steps.contains(&Step::Directories) && !directories.is_empty() {
            let new = made.sequence.directories(&directories);
            made.new_directories.extend(new);
        }
        if made.proxies_agree {
            made.proxies(steps.contains(&Step::Proxies));
        }
        let mut of_programs = made.environment.clone();
        made.common = loaded.environment.into_iter().collect();
        set(&mut of_programs, made.common.iter().cloned());
        if steps.contains(&Step::Preflight) && loaded.boot.has_preflights() {
            made.preflights(&declared.settings, &loaded.boot, &of_programs);
        }
        let sections = made.sequence.sections(&loaded.boot, steps, &of_programs);
        let trusted = sections.variables.iter();
        made.variables = trusted
            .map(|variable| (variable.name.clone(), variable.value()))
            .chain(made.identity.iter().cloned())
            .collect();
        made.roots = sections.roots;
        made.certificates = sections.certificates;
        set(&mut made.environment, made.variables.iter().cloned());
        if steps.contains(&Step::Templates) && loaded.boot.has_templates() {
            set(&mut of_programs, made.variables.iter().cloned());
            made.templates(request, &declared.settings, &loaded.boot, of_programs);
        }
        Self::Made(Box::new(made))
    }
}

impl Made {
    /// Makes settings ready. Where only other steps are wanted their values are looked at, and nothing is made or judged.
    fn settings(&mut self, declared: &SettingsConfig, is_wanted: bool) {
        let outside = self.environment.clone();
        if !is_wanted {
            if let Ok(ready) = Ready::make(declared.clone(), &outside, true) {
                self.environment.clone_from(&ready.environment);
            }
            return;
        }
        let count = declared.declared.len();
        let part = Part {
            step: Step::Settings,
            section: Step::Settings.name(),
            why: match count {
                1 => "one setting is declared".to_owned(),
                _ => format!("{count} settings are declared"),
            },
            policy: &FATAL,
        };
        let is_dry = self.sequence.is_dry();
        let ready = self
            .sequence
            .run(&part, || Ready::step(declared.clone(), &outside, is_dry));
        if let Some(ready) = &ready {
            self.environment.clone_from(&ready.environment);
        }
        self.ready = ready;
    }

    /// Looks whether everything is as it must be. `environment` is what programs are started with.
    fn preflights(
        &mut self,
        declared: &SettingsConfig,
        boot: &BootConfig,
        environment: &[(String, String)],
    ) {
        // Which services there are may depend on what is not made yet.
        let services = Err("services are not looked at here".to_owned());
        if let Some(scope) = self.scope(declared, boot, environment.to_vec(), services) {
            self.sequence.preflights(boot, &scope);
        }
    }

    /// Makes what is made of templates. `environment` is what programs are started with.
    fn templates(
        &mut self,
        request: &LoadRequest,
        declared: &SettingsConfig,
        boot: &BootConfig,
        environment: Vec<(String, String)>,
    ) {
        let world = SystemWorld::now().with_environment(self.environment.clone());
        let services = match load(&world, request) {
            Ok(loaded) => Ok(services_of(&loaded.config)),
            Err(failure) => Err(format!(
                "which services there are is not known, because the configuration cannot be read: {}",
                failure.original_text()
            )),
        };
        if let Some(mut scope) = self.scope(declared, boot, environment, services) {
            self.sequence.templates(boot, &mut scope);
        }
    }

    /// What commands and templates can name; none if the settings are wrong, which is written down.
    fn scope(
        &mut self,
        declared: &SettingsConfig,
        boot: &BootConfig,
        mut environment: Vec<(String, String)>,
        services: Result<Services, String>,
    ) -> Option<Scope> {
        if declared.declared.is_empty() {
            return Some(Scope::new(
                &Resolved::default(),
                &environment,
                boot,
                services,
            ));
        }
        if let Some(ready) = &self.ready {
            return Some(ready.scope(&environment, boot, services));
        }
        match Ready::make(declared.clone(), &self.outside, true) {
            Ok(ready) => {
                if !self.sequence.is_dry() {
                    // Examples are good for looking at a configuration, and not for files that are used.
                    let is_example = |name: &str| ready.examples().any(|known| known == name);
                    environment.retain(|(name, _)| !is_example(name));
                }
                Some(ready.scope(&environment, boot, services))
            }
            Err(problems) => {
                self.refuse_settings(&problems);
                None
            }
        }
    }

    /// Writes down that nothing can be made of settings that are wrong.
    fn refuse_settings(&mut self, problems: &[String]) {
        let part = Part {
            step: Step::Settings,
            section: Step::Settings.name(),
            why: "files are to be made of them".to_owned(),
            policy: &FATAL,
        };
        let trouble = Trouble {
            problem: problems.join("; "),
            remedy: None,
            details: Vec::new(),
        };
        self.sequence.run::<()>(&part, || Err(trouble.clone()));
    }

    /// Gives programs an entry in passwd for a user who has none. Where only other steps are wanted nothing is written.
    fn identity(&mut self, is_wanted: bool) {
        let linchpin = self.linchpin.as_ref();
        let Some(directory) = linchpin.and_then(|it| it.run_directory.as_ref()) else {
            return;
        };
        let environment = &self.environment;
        self.identity = self.sequence.identity(directory, environment, is_wanted);
        set(&mut self.environment, self.identity.iter().cloned());
    }

    /// Makes variables about proxies agree, if there is one. Where only other steps are wanted nothing is said about it.
    fn proxies(&mut self, is_wanted: bool) {
        let environment = self.environment.iter();
        let agreed = agree(environment.map(|(name, value)| (name.as_str(), value.as_str())));
        if !agreed.is_proxied {
            return;
        }
        let part = Part {
            step: Step::Proxies,
            section: Step::Proxies.name(),
            why: "a proxy is set".to_owned(),
            policy: &FATAL,
        };
        let names: Vec<&str> = agreed
            .changes
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let work = Work {
            summary: "both spellings agree, and the loopback interface is an exception".to_owned(),
            details: if names.is_empty() {
                Vec::new()
            } else {
                vec![format!("set for programs: {}", names.join(", "))]
            },
            warnings: agreed
                .differing
                .iter()
                .map(|name| {
                    let small = name.to_lowercase();
                    format!("{name} and {small} name different proxies: that of {name} counts")
                })
                .collect(),
            is_changed: !names.is_empty(),
        };
        if is_wanted {
            self.sequence.run(&part, || Ok(((), work.clone())));
        }
        set(&mut self.environment, agreed.changes);
    }

    /// Directories of ours that are made now, and whose user is whoever makes them.
    fn note_new_directories(&mut self) {
        let Some(linchpin) = &self.linchpin else {
            return;
        };
        self.new_directories = [&linchpin.state_directory, &linchpin.run_directory]
            .into_iter()
            .flatten()
            .filter(|directory| !Path::new(directory).exists())
            .map(PathBuf::from)
            .collect();
    }

    /// Ends it, and keeps the report.
    pub(super) fn end(self) -> Booted {
        self.end_with_settings().1
    }

    /// Ends it because of something that is no step's.
    pub(super) fn end_because(mut self, problem: &str) {
        self.sequence
            .fail(format!("the configuration cannot be used: {problem}"));
        self.end();
    }

    /// Ends it with what services are given.
    pub(super) fn end_with_settings(self) -> (ServiceSettings, Booted) {
        let report = self.sequence.end();
        let is_kept = self.is_kept && !report.steps.is_empty();
        if is_kept {
            self.reports.note(&report);
        }
        let unkept = is_kept
            .then(|| keep_report(&report, self.linchpin.as_ref()))
            .flatten();
        let trust = self.roots.as_ref().and_then(|roots| roots.trust.clone());
        let made = MadeByBoot {
            left_out: report.left_out(),
            has_roots: self.roots.is_some(),
            identity: self.identity,
            trust: Mutex::new(trust.map(Arc::new)),
            common: self.common,
            proxies_agree: self.proxies_agree,
        };
        let settings = match self.ready {
            Some(ready) => ready.for_services(made),
            None => ServiceSettings::without_settings(made, self.outside),
        };
        let booted = Booted {
            file: self.file,
            report,
            unkept,
            new_directories: self.new_directories,
            looked: Looked {
                roots: self.roots,
                certificates: self.certificates,
            },
        };
        (settings, booted)
    }
}

/// Sets variables in an environment.
pub(crate) fn set(
    environment: &mut Vec<(String, String)>,
    variables: impl IntoIterator<Item = (String, String)>,
) {
    for (name, value) in variables {
        environment.retain(|(known, _)| *known != name);
        environment.push((name, value));
    }
}

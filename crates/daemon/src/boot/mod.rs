//! What is made before the programs run, and reading a configuration with it.
//!
//! Loading has two phases. The first reads our own sections alone, because the rest of the configuration (`%(ENV_x)s`,
//! included files) may need what they make: settings, then authorities and certificates, with the values of settings in
//! the environment. The second reads everything, with all that was made. A file that declares none of it is read once, and
//! what is described here does not happen.

mod certificates;
mod first_phase;
mod looking;
mod reports;
mod told;
mod trusted;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use linchpin_boot::ca_roots::Trust;
use linchpin_boot::proxies::agree;
use linchpin_boot::sequence::{BootReport, Step, keep};
use linchpin_boot::settings::from_outside;
use linchpin_config::{
    Config, Diagnostic, LinchpinConfig, LoadFailure, LoadRequest, Loaded, Reading, Severity, World,
    load,
};

use crate::settings::{MadeByBoot, ServiceSettings};
use crate::world::SystemWorld;
use first_phase::{Errand, FirstPhase, Made};

pub(crate) use certificates::{CertificateNews, Certificates, seconds};
pub(crate) use first_phase::set;
pub(crate) use looking::Looked;
pub(crate) use reports::{BootReports, report_directory};
pub(crate) use words::messages;

/// A configuration that was read, with what was made for it.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) loaded: Loaded,
    pub(crate) settings: ServiceSettings,
    /// What became of the boot, if there was anything to do.
    pub(crate) boot: Option<Booted>,
}

/// A boot that was done, or could not be.
#[derive(Debug)]
pub struct Booted {
    /// The configuration.
    pub file: String,
    /// What became of the steps.
    pub report: BootReport,
    /// Why the report is not kept.
    pub unkept: Option<String>,
    /// Directories of `[linchpin]` that were not there before.
    pub(crate) new_directories: Vec<PathBuf>,
    /// What programs trust and what servers have.
    pub(crate) looked: Looked,
}

/// Reads a configuration, after what it declares has been made. `why` says who wants it; what became of the boot is told
/// to `reports` as well.
///
/// # Errors
/// All problems with the configuration, or why the boot has failed.
pub(crate) fn read(
    request: &LoadRequest,
    why: &str,
    reports: &BootReports,
) -> Result<Read, Box<LoadFailure>> {
    let world = SystemWorld::now();
    let plain = |loaded| Read {
        loaded,
        settings: ServiceSettings::none(),
        boot: None,
    };
    // Most files have nothing to make, and are read once.
    let first = match load(&world, request) {
        Ok(loaded) if is_plain(&loaded.config, request) => return Ok(plain(loaded)),
        first => first,
    };
    let outside = world.environment().to_vec();
    let errand = Errand {
        steps: &Step::ALL,
        why,
        is_dry: false,
        reports,
    };
    match FirstPhase::run(request, outside, errand) {
        // What is wrong with other sections, too, is told by whoever read all of it.
        FirstPhase::Unreadable(failure) => Err(first.err().unwrap_or(failure)),
        FirstPhase::NothingToMake => first.map(plain),
        FirstPhase::Made(made) => second_phase(*made, request),
    }
}

/// Reads everything, with what was made.
fn second_phase(made: Made, request: &LoadRequest) -> Result<Read, Box<LoadFailure>> {
    if made.sequence.is_over() {
        let booted = made.end();
        let text = booted.report.failure().unwrap_or_default();
        return Err(failure(text, booted.unkept.is_none()));
    }
    let request = LoadRequest {
        left_out: made.sequence.report().left_out(),
        ..request.clone()
    };
    let world = SystemWorld::now().with_environment(made.environment.clone());
    match load(&world, &request) {
        Ok(mut loaded) => {
            let common = &mut loaded.config.supervisord.environment;
            let environment = &made.environment;
            add_to_common(&made.variables, made.proxies_agree, environment, common);
            let (settings, booted) = made.end_with_settings();
            Ok(Read {
                loaded,
                settings,
                boot: Some(booted),
            })
        }
        Err(failure) => {
            made.end_because(failure.original_text());
            Err(failure)
        }
    }
}

/// Whether there is nothing to do but to read it.
fn is_plain(config: &Config, request: &LoadRequest) -> bool {
    let linchpin = config.linchpin.as_ref();
    let is_entry_point = request.entry_point.is_some();
    let asks = |wanted: fn(&LinchpinConfig) -> Option<bool>| {
        linchpin.and_then(wanted).unwrap_or(is_entry_point)
    };
    config.settings.declared.is_empty()
        && config.boot.is_empty()
        && linchpin.is_none_or(|it| it.directories.is_empty())
        && !asks(|it| it.proxy_variables)
        && !asks(|it| it.passwd_entry)
}

/// What `[supervisord]` gives to every program, together with what was made.
fn add_to_common(
    variables: &[(String, String)],
    proxies_agree: bool,
    environment: &[(String, String)],
    common: &mut BTreeMap<String, String>,
) {
    // Where a value of ours counts although there is another one, it has that one in it.
    for (name, value) in variables {
        if let Some(known) = common.get_mut(name) {
            known.clone_from(value);
        }
    }
    if proxies_agree && !common.is_empty() {
        let own = common.iter();
        let outside = environment.iter();
        let outside = outside.filter(|(name, _)| !common.contains_key(name));
        let all = own.chain(outside.map(|(name, value)| (name, value)));
        let all = all.map(|(name, value)| (name.as_str(), value.as_str()));
        let changes = agree(all).changes;
        common.extend(changes);
    }
}

/// Variables of an environment.
type Variables = Vec<(String, String)>;

/// Reads everything as it is with these settings, with what was made before, and with this to trust; makes nothing. Answers
/// with what programs are started with, too.
///
/// # Errors
/// All problems with the configuration.
pub(crate) fn read_with(
    request: &LoadRequest,
    mut environment: Vec<(String, String)>,
    made: &MadeByBoot,
    trust: Option<&Trust>,
) -> Result<(Read, Variables), Box<LoadFailure>> {
    if made.proxies_agree {
        let texts = environment.iter();
        let changes = agree(texts.map(|(name, value)| (name.as_str(), value.as_str()))).changes;
        set(&mut environment, changes);
    }
    let variables_with = |common: &[(String, String)]| made.variables(trust, &environment, common);
    let with_trust = variables_with(&made.common);
    let request = LoadRequest {
        left_out: made.left_out.clone(),
        ..request.clone()
    };
    let mut all = environment.clone();
    set(&mut all, with_trust);
    let world = SystemWorld::now().with_environment(all.clone());
    let mut loaded = load(&world, &request)?;
    let common = &mut loaded.config.supervisord.environment;
    let own: Vec<(String, String)> = common.clone().into_iter().collect();
    let variables = variables_with(&own);
    let mut environment = all;
    add_to_common(&variables, made.proxies_agree, &environment, common);
    let common = common.iter();
    set(
        &mut environment,
        common.map(|(name, value)| (name.clone(), value.clone())),
    );
    let read = Read {
        loaded,
        settings: ServiceSettings::none(),
        boot: None,
    };
    Ok((read, environment))
}

/// Does what a configuration declares, or some steps of it, without reading the rest.
///
/// # Errors
/// All problems with the sections that declare it.
pub fn boot(
    request: &LoadRequest,
    steps: &[Step],
    is_dry: bool,
) -> Result<Option<Booted>, Box<LoadFailure>> {
    // A program of ours may have been started with settings, which are not what the container was given.
    let outside = from_outside(SystemWorld::now().environment());
    let errand = Errand {
        steps,
        why: "linchpin boot",
        is_dry,
        // They are kept in files, or nowhere.
        reports: &BootReports::default(),
    };
    match FirstPhase::run(request, outside, errand) {
        FirstPhase::Unreadable(failure) => Err(failure),
        FirstPhase::NothingToMake => Ok(None),
        FirstPhase::Made(made) => Ok(Some(made.end())),
    }
}

/// Keeps a report on the volume, if there is one; why not, if it cannot be.
fn keep_report(report: &BootReport, linchpin: Option<&LinchpinConfig>) -> Option<String> {
    let directory = linchpin?.report_directory()?;
    let error = keep(report, Path::new(directory)).err()?;
    Some(error.to_string())
}

/// A configuration that cannot be used because of its boot.
fn failure(text: String, is_kept: bool) -> Box<LoadFailure> {
    let problem = Diagnostic {
        severity: Severity::Error,
        place: None,
        original_text: None,
        message: text,
        help: is_kept.then(|| "`linchpin boot report` tells what was done before".to_owned()),
    };
    Box::new(LoadFailure {
        problems: vec![problem],
        notices: Vec::new(),
        reading: Reading::default(),
    })
}

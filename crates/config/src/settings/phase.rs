//! Reading the declarations of settings alone.
//!
//! The rest of a configuration may need their values (`%(ENV_x)s`), so they are read first, from the main file and
//! what it includes; what is wrong with other sections is not looked at here.

use super::SettingsConfig;
use crate::diagnostic::Diagnostic;
use crate::findings::Findings;
use crate::load::{Context, LoadFailure, LoadRequest, environment_names, file_of};
use crate::reading::{Reading, here_of, include, read_main_file};
use crate::service::LinchpinConfig;
use crate::world::World;
use crate::{service_options, settings};

/// The settings that a configuration declares, and what was said on the way.
#[derive(Debug)]
pub struct SettingsLoaded {
    /// The main file, as it was given or found.
    pub file: String,
    /// `[linchpin]`, if it is there and counts.
    pub linchpin: Option<LinchpinConfig>,
    /// The settings.
    pub settings: SettingsConfig,
    /// Whether `extensions=off` has switched them off.
    pub is_switched_off: bool,
    /// Our own warnings.
    pub doubts: Vec<Diagnostic>,
}

/// Reads the declarations of settings.
///
/// # Errors
/// If the file cannot be read, or something is wrong with a declaration or with `[linchpin]`.
pub fn load_settings(
    world: &dyn World,
    request: &LoadRequest,
) -> Result<SettingsLoaded, Box<LoadFailure>> {
    let mut findings = Findings::default();
    let mut reading = Reading::default();
    // Notices are told by whoever reads all of it.
    let notices = &mut Vec::new();
    let file = file_of(world, request, &reading.document, notices, &mut findings);
    let loaded = file.and_then(|file| {
        read_main_file(world, &file, &mut reading.document, &mut findings)?;
        let here = here_of(world, &file);
        if reading.document.section("include").is_some() {
            reading.document.replace_here(&here);
            // Names of files may need values of settings: what is wrong with them shows when everything is read.
            include(world, &file, &here, &mut reading, &mut Findings::default());
        }
        let mut context = Context {
            world,
            document: &reading.document,
            here: &here,
            extensions: true,
        };
        let environment = environment_names(world);
        let linchpin = service_options::linchpin(context, &environment, &mut findings);
        context.extensions = linchpin.extensions;
        let settings = settings::settings(
            context,
            linchpin.config.as_ref(),
            &environment,
            &mut findings,
        );
        Some((file, linchpin, settings))
    });
    findings.finish();
    match loaded {
        Some((file, linchpin, settings)) if findings.problems.is_empty() => Ok(SettingsLoaded {
            file,
            is_switched_off: !linchpin.extensions,
            linchpin: linchpin.config,
            settings,
            doubts: findings.doubts,
        }),
        _ => Err(Box::new(LoadFailure {
            problems: findings.problems,
            notices: Vec::new(),
            reading,
        })),
    }
}

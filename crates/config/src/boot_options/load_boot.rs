//! The first phase of loading: what is made before the programs run, out of a file whose other sections may depend on it.

use std::collections::BTreeMap;

use super::boot;
use crate::boot::BootConfig;
use crate::diagnostic::Diagnostic;
use crate::findings::Findings;
use crate::load::{Context, LoadFailure, LoadRequest, environment_names, file_of};
use crate::reading::{Reading, here_of, read_all};
use crate::service::LinchpinConfig;
use crate::service_options;
use crate::world::World;

/// The sections of the first phase.
#[derive(Debug)]
pub struct LoadedBoot {
    /// The file.
    pub file: String,
    /// `[linchpin]`, if it is there and counts.
    pub linchpin: Option<LinchpinConfig>,
    /// What is to be made.
    pub boot: BootConfig,
    /// What `[supervisord]` adds to the environment of every program.
    pub environment: BTreeMap<String, String>,
    /// Our own warnings.
    pub doubts: Vec<Diagnostic>,
}

/// Reads the sections of the first phase. Mistakes in others are not looked for.
///
/// # Errors
/// All problems of these sections, and of the text as such.
pub fn load_boot(world: &dyn World, request: &LoadRequest) -> Result<LoadedBoot, Box<LoadFailure>> {
    let mut findings = Findings::default();
    let mut reading = Reading::default();
    // Notices are told by whoever reads all of it.
    let notices = &mut Vec::new();
    let file = file_of(world, request, &reading.document, notices, &mut findings);
    let loaded = file.and_then(|file| {
        read_all(world, &file, &mut reading, &mut findings)?;
        let sections = sections(world, &file, &reading, &mut findings);
        Some((file, sections))
    });
    findings.finish();
    match loaded {
        Some((file, sections)) if findings.problems.is_empty() => Ok(LoadedBoot {
            file,
            linchpin: sections.linchpin,
            boot: sections.boot,
            environment: sections.environment,
            doubts: findings.doubts,
        }),
        _ => Err(Box::new(LoadFailure {
            problems: findings.problems,
            notices: Vec::new(),
            reading,
        })),
    }
}

/// What the file says, without where it is.
struct Sections {
    linchpin: Option<LinchpinConfig>,
    boot: BootConfig,
    environment: BTreeMap<String, String>,
}

fn sections(world: &dyn World, file: &str, reading: &Reading, findings: &mut Findings) -> Sections {
    let here = here_of(world, file);
    let mut environment = environment_names(world);
    let mut context = Context {
        world,
        document: &reading.document,
        here: &here,
        extensions: true,
    };
    let mut common = BTreeMap::new();
    if let Some(section) = context.document.section("supervisord") {
        // Only its `environment` matters here; what is wrong with the rest may be put right by what is made now.
        let mut ignored = Findings::default();
        let daemon =
            crate::daemon_section::supervisord(context.reader(section, &environment, &mut ignored));
        for name in &daemon.environment_order {
            environment.set(name, &daemon.section.environment[name]);
        }
        common = daemon.section.environment;
    }
    let linchpin = service_options::linchpin(context, &environment, findings);
    context.extensions = linchpin.extensions;
    let boot = boot(context, &environment, linchpin.config.as_ref(), findings);
    Sections {
        linchpin: linchpin.config,
        boot,
        environment: common,
    }
}

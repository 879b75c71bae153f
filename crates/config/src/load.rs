//! Loading: from a file name to a [`Config`], in the original's order of evaluation.
//!
//! The order matters because the first problem that the original would meet is the one whose text it
//! prints. After it we go on and collect the rest.

use std::path::PathBuf;

use crate::after_boot::AfterBoot;
use crate::command_line::DaemonOverrides;
use crate::diagnostic::Diagnostic;
use crate::document::{Document, Entry, Section};
use crate::entry_point::EntryPoint;
use crate::findings::{Findings, Statement};
use crate::model::{Config, HttpAddress, HttpServer, MainLog, Supervisord};
use crate::names::{EnvironmentNames, KnownNames};
use crate::options;
use crate::reading::{Reading, here_of, read_all};
use crate::search_path::find_config_file;
use crate::section_reader::SectionReader;
use crate::value;
use crate::world::World;
use crate::{boot_options, daemon_section, groups, plugins, servers, service_options, settings};

/// What to load.
#[derive(Debug, Clone, Default)]
pub struct LoadRequest {
    /// The file as it was given with `-c`; without one the default places are searched.
    pub file: Option<String>,
    /// Path of the program (with its directory), for the places beside it.
    pub program: String,
    /// Options of the command line, which beat the file.
    pub overrides: DaemonOverrides,
    /// The file is the entry point of a container.
    pub entry_point: Option<EntryPoint>,
    /// Services to leave out, because what they need could not be made.
    pub left_out: Vec<LeftOut>,
}

/// Services that a configuration is read without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Their names, as `services` of a section of the boot has them.
    pub services: Vec<String>,
    /// Why, such as `[certificate:web] could not be made`.
    pub why: String,
}

/// A configuration that can be used, and what was said on the way.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The original's log messages of level critical.
    pub criticals: Vec<String>,
    /// The original's log messages of level warning.
    pub warnings: Vec<String>,
    /// The original's log messages of level info.
    pub infos: Vec<String>,
    /// What the original prints on standard error before it reads anything.
    pub notices: Vec<String>,
    /// Our own warnings, which the original does not have.
    pub doubts: Vec<Diagnostic>,
    /// Further ones for whoever checks a file: it runs as it always did.
    pub remarks: Vec<Diagnostic>,
    /// What was read.
    pub reading: Reading,
}

/// A configuration that cannot be used.
#[derive(Debug)]
pub struct LoadFailure {
    /// All problems; the first is the one that the original reports. Never empty.
    pub problems: Vec<Diagnostic>,
    /// What the original prints on standard error before it reads anything.
    pub notices: Vec<String>,
    /// What was read.
    pub reading: Reading,
}

impl LoadFailure {
    /// What the original prints behind `Error: `.
    #[must_use]
    pub fn original_text(&self) -> &str {
        self.problems.first().map_or("", Diagnostic::text)
    }
}

impl std::fmt::Display for LoadFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.original_text())
    }
}

impl std::error::Error for LoadFailure {}

/// The file of a request: the one that it names, or the first that is found at the usual places. None, with the
/// original's complaint, if there is none.
pub(crate) fn file_of(
    world: &dyn World,
    request: &LoadRequest,
    document: &Document,
    notices: &mut Vec<String>,
    findings: &mut Findings,
) -> Option<String> {
    if let Some(file) = &request.file {
        return Some(file.clone());
    }
    let found = find_config_file(world, &request.program);
    notices.extend(found.notice);
    if found.file.is_none() {
        findings.problem(document, None, Statement::original(found.complaint));
    }
    found.file
}

/// Reads a configuration.
///
/// # Errors
/// All problems that were found, if there are any.
pub fn load(world: &dyn World, request: &LoadRequest) -> Result<Loaded, Box<LoadFailure>> {
    let mut findings = Findings::default();
    let mut reading = Reading::default();
    let mut notices = Vec::new();
    let file = file_of(
        world,
        request,
        &reading.document,
        &mut notices,
        &mut findings,
    );
    let config = file.and_then(|file| {
        read_all(world, &file, &mut reading, &mut findings)?;
        if let Some(entry_point) = &request.entry_point {
            entry_point.complete(&mut reading.document);
        }
        resolve(world, &file, &reading.document, request, &mut findings)
    });
    findings.finish();
    match config {
        Some(config) if findings.problems.is_empty() => Ok(Loaded {
            criticals: criticals(world, &config),
            config,
            warnings: findings.warnings,
            infos: findings.infos,
            notices,
            doubts: findings.doubts,
            remarks: findings.remarks,
            reading,
        }),
        _ => Err(Box::new(LoadFailure {
            problems: findings.problems,
            notices,
            reading,
        })),
    }
}

/// The complaint about a daemon that stays root without being asked to.
fn criticals(world: &dyn World, config: &Config) -> Vec<String> {
    if world.user_id() == 0 && config.supervisord.uid.is_none() {
        vec![
            "Supervisor is running as root.  Privileges were not dropped because no user is \
             specified in the config file.  If you intend to run as root, you can set user=root \
             in the config file to avoid this message."
                .to_owned(),
        ]
    } else {
        Vec::new()
    }
}

/// `ENV_x` for the environment of the process.
pub(crate) fn environment_names(world: &dyn World) -> EnvironmentNames {
    let mut names = EnvironmentNames::default();
    for (name, value) in world.environment() {
        names.set(name, value);
    }
    names
}

/// What all sections are read with.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) world: &'a dyn World,
    pub(crate) document: &'a Document,
    pub(crate) here: &'a str,
    /// Whether options of ours count.
    pub(crate) extensions: bool,
}

impl<'a> Context<'a> {
    pub(crate) fn reader<'f>(
        &self,
        section: &'a Section,
        environment: &'a EnvironmentNames,
        findings: &'f mut Findings,
    ) -> SectionReader<'a, 'f> {
        SectionReader {
            world: self.world,
            document: self.document,
            section,
            names: KnownNames {
                environment,
                here: self.here,
                host: self.world.host_name(),
                program: "",
                group: "",
                process: None,
                own: None,
            },
            names_section: false,
            findings,
        }
    }
}

pub(crate) fn resolve(
    world: &dyn World,
    file: &str,
    document: &Document,
    request: &LoadRequest,
    findings: &mut Findings,
) -> Option<Config> {
    let here = here_of(world, file);
    let mut environment = environment_names(world);
    let mut context = Context {
        world,
        document,
        here: &here,
        extensions: true,
    };
    // What is wrong with the section is told when it is its turn.
    let linchpin = service_options::linchpin(context, &environment, &mut Findings::default());
    let directories = linchpin.config.map(|it| it.directories).unwrap_or_default();
    let world: &dyn World = &AfterBoot::new(world, directories);
    context.world = world;
    let Some(section) = document.section("supervisord") else {
        let text = ".ini file does not include supervisord section";
        if findings.problems.is_empty() {
            findings.problem(
                document,
                None,
                Statement::original(text)
                    .message(format!("`{file}` has no [supervisord] section"))
                    .help("add a line `[supervisord]`; it may stay empty"),
            );
        }
        return None;
    };
    let mut supervisord =
        daemon_section::supervisord(context.reader(section, &environment, findings));
    for name in &supervisord.environment_order {
        environment.set(name, &supervisord.section.environment[name]);
    }
    let rpc_interfaces = plugins::plugins(
        context,
        &environment,
        &options::RPC_INTERFACE_FACTORY,
        "rpcinterface:",
        findings,
    );
    let mut linchpin = service_options::linchpin(context, &environment, findings);
    context.extensions = linchpin.extensions;
    // Their defaults come from the environment of the process, whatever `[supervisord]` adds to it.
    let outside = environment_names(world);
    let settings = settings::settings(context, linchpin.config.as_ref(), &outside, findings);
    let mut groups = groups::groups(context, &environment, findings);
    service_options::resolve(
        document,
        &mut groups.groups,
        linchpin.config.as_mut(),
        findings,
    );
    let boot = boot_options::boot(context, &environment, linchpin.config.as_ref(), findings);
    service_options::look_up_services(document, &groups.groups, &boot, findings);
    service_options::leave_out(&mut groups.groups, &request.left_out);
    let switched_off = service_options::take_out(&mut groups.groups, linchpin.config.as_mut());
    let http_servers = servers::http_servers(context, &environment, findings);
    request.overrides.apply(&mut supervisord.section);
    finish_supervisord(world, document, &mut supervisord.section, findings);
    if request.entry_point.is_some() && request.overrides.pidfile.is_none() {
        EntryPoint::without_pid_file(document, &mut supervisord.section);
    }
    Some(Config {
        file: PathBuf::from(world.normalized(file)),
        supervisord: supervisord.section,
        linchpin: linchpin.config,
        boot,
        extensions: linchpin.extensions,
        settings,
        groups: groups.groups,
        switched_off,
        server_url: server_url(&http_servers),
        http_servers,
        rpc_interfaces,
        shadowed_groups: groups.shadowed,
        shadowed_processes: groups.shadowed_processes,
    })
}

/// The steps of the original after the file is read: accounts and absolute paths.
fn finish_supervisord(
    world: &dyn World,
    document: &Document,
    supervisord: &mut Supervisord,
    findings: &mut Findings,
) {
    if let Some(user) = &supervisord.user {
        match value::user(world, user) {
            Ok(id) => {
                supervisord.uid = Some(id);
                supervisord.gid = world.primary_group(id);
            }
            Err(text) => {
                let span = document
                    .section("supervisord")
                    .and_then(|section| document.entry(section, options::SUPERVISORD_USER.name))
                    .map(Entry::value_span);
                findings.problem(
                    document,
                    span,
                    Statement::original(text)
                        .message(format!("there is no user `{user}` on this machine"))
                        .help(format!(
                            "write {}",
                            options::SUPERVISORD_USER.kind.accepts()
                        )),
                );
            }
        }
    }
    if let MainLog::File(path) = &mut supervisord.logfile {
        *path = normalized_with_home(world, path);
    }
    supervisord.pidfile = normalized_with_home(world, &supervisord.pidfile);
}

/// `~` expanded, absolute, without `.` and `..`.
pub(crate) fn normalized_with_home(world: &dyn World, path: &str) -> String {
    world.normalized(&crate::paths::expand_home(world, path))
}

fn server_url(servers: &[HttpServer]) -> Option<String> {
    let unix = servers.iter().find_map(|server| match &server.address {
        HttpAddress::Unix { file, .. } => Some(format!("unix://{file}")),
        HttpAddress::Inet { .. } => None,
    });
    unix.or_else(|| {
        servers.iter().find_map(|server| match &server.address {
            HttpAddress::Inet { host, port } => {
                let host = if host.is_empty() { "localhost" } else { host };
                Some(format!("http://{host}:{port}"))
            }
            HttpAddress::Unix { .. } => None,
        })
    })
}

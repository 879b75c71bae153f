//! Loading: from a file name to a [`Config`], in the original's order of evaluation.
//!
//! The order matters because the first problem that the original would meet is the one whose text it
//! prints. After it we go on and collect the rest.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::command_line::DaemonOverrides;
use crate::diagnostic::Diagnostic;
use crate::document::{Document, Section, SyntaxProblem, SyntaxProblemKind};
use crate::expansion::expand;
use crate::file_pattern::matching_files;
use crate::findings::{Findings, Statement};
use crate::model::{Config, HttpAddress, HttpServer, MainLog, Supervisord};
use crate::names::{EnvironmentNames, KnownNames};
use crate::options;
use crate::paths::{directory_of, join};
use crate::python_text::{repr, split_blanks};
use crate::search_path::find_config_file;
use crate::section_reader::SectionReader;
use crate::source::{FileId, SourceFile};
use crate::value;
use crate::world::World;
use crate::{daemon_section, groups, plugins, servers};

/// What to load.
#[derive(Debug, Clone, Default)]
pub struct LoadRequest {
    /// The file as it was given with `-c`; without one the default places are searched.
    pub file: Option<String>,
    /// Path of the program (with its directory), for the places beside it.
    pub program: String,
    /// Options of the command line, which beat the file.
    pub overrides: DaemonOverrides,
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

/// The text behind a configuration.
#[derive(Debug, Default)]
pub struct Reading {
    /// The sections.
    pub document: Document,
    /// The patterns of `[include] files`, made full paths.
    pub include_patterns: Vec<String>,
    /// The files that they found.
    pub included_files: Vec<String>,
}

/// Reads a configuration.
///
/// # Errors
/// All problems that were found, if there are any.
pub fn load(world: &dyn World, request: &LoadRequest) -> Result<Loaded, Box<LoadFailure>> {
    let mut findings = Findings::default();
    let mut reading = Reading::default();
    let mut notices = Vec::new();
    let file = match &request.file {
        Some(file) => Some(file.clone()),
        None => {
            let found = find_config_file(world, &request.program);
            notices.extend(found.notice);
            if found.file.is_none() {
                findings.problem(
                    &reading.document,
                    None,
                    Statement::original(found.complaint),
                );
            }
            found.file
        }
    };
    let config = file.and_then(|file| {
        read_all(world, &file, &mut reading, &mut findings)?;
        resolve(
            world,
            &file,
            &reading.document,
            &request.overrides,
            &mut findings,
        )
    });
    match config {
        Some(config) if findings.problems.is_empty() => Ok(Loaded {
            criticals: criticals(world, &config),
            config,
            warnings: findings.warnings,
            infos: findings.infos,
            notices,
            doubts: findings.doubts,
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

/// Reads the main file and what it includes; nothing if there is no text to look at.
fn read_all(
    world: &dyn World,
    file: &str,
    reading: &mut Reading,
    findings: &mut Findings,
) -> Option<()> {
    read_main_file(world, file, &mut reading.document, findings)?;
    let here = here_of(world, file);
    if reading.document.section("include").is_some() {
        reading.document.replace_here(&here);
        include(world, file, &here, reading, findings);
    }
    Some(())
}

/// Reads a main file into an empty document, for both programs.
pub(crate) fn read_main_file(
    world: &dyn World,
    file: &str,
    document: &mut Document,
    findings: &mut Findings,
) -> Option<()> {
    if !world.exists(file) {
        let text = format!("could not find config file {file}");
        findings.problem(document, None, Statement::original(text));
        return None;
    }
    let Ok(bytes) = world.read_file(file) else {
        let text = format!("could not read config file {file}");
        findings.problem(document, None, Statement::original(text));
        return None;
    };
    add_file(file, &bytes, document, findings);
    Some(())
}

/// Absolute directory of the main file.
pub(crate) fn here_of(world: &dyn World, file: &str) -> String {
    world.normalized(directory_of(file))
}

fn include(
    world: &dyn World,
    file: &str,
    here: &str,
    reading: &mut Reading,
    findings: &mut Findings,
) {
    let Reading {
        document,
        include_patterns,
        included_files,
    } = reading;
    let Some(section) = document.section("include") else {
        return;
    };
    let environment = environment_names(world);
    let mut reader = SectionReader {
        world,
        document,
        section,
        names: KnownNames {
            environment: &environment,
            here,
            host: world.host_name(),
            program: "",
            group: "",
            process: None,
            own: None,
        },
        names_section: false,
        findings,
    };
    let Some(entry) = reader.written(&options::INCLUDE_FILES) else {
        let text = ".ini file has [include] section, but no files setting";
        reader.problem(
            None,
            Statement::original(text)
                .message("[include] does not say what to include")
                .help("add `files = conf.d/*.conf`, or remove the section"),
        );
        return;
    };
    let names = reader
        .names
        .in_scope(options::INCLUDE_FILES.scope)
        .local_first();
    let files = match expand(&entry.value, &names) {
        Ok(files) => files.into_owned(),
        Err(error) => {
            reader.expansion_problem(entry, &entry.value, "include.files", &error, &names);
            return;
        }
    };
    let base = directory_of(&world.normalized(file)).to_owned();
    for pattern in split_blanks(&files) {
        let pattern = join(&base, pattern);
        let is_first_failure_ahead = findings.problems.is_empty();
        if is_first_failure_ahead {
            include_patterns.push(pattern.clone());
        }
        let found = matching_files(world, &pattern);
        if found.is_empty() {
            findings
                .warnings
                .push(format!("No file matches via include \"{pattern}\""));
        }
        for path in found {
            if is_first_failure_ahead {
                included_files.push(path.clone());
            }
            findings
                .infos
                .push(format!("Included extra file \"{path}\" during parsing"));
            // What cannot be opened, a directory for instance, is passed over without a word.
            if let Ok(bytes) = world.read_file(&path) {
                add_file(&path, &bytes, document, findings);
                let directory = world.normalized(directory_of(&path));
                document.replace_here(&directory);
            }
        }
    }
}

/// Decodes and parses a file; what is wrong with the text becomes problems.
fn add_file(name: &str, bytes: &[u8], document: &mut Document, findings: &mut Findings) {
    let text = String::from_utf8_lossy(bytes);
    let file = SourceFile::new(name, text);
    let decoding = std::str::from_utf8(bytes).err();
    let ends_with_newline = file.ends_with_newline;
    let line_count = file.lines().len();
    let problems = document.add_file(file);
    if let Some(error) = decoding {
        let before = &bytes[..error.valid_up_to()];
        let line = SourceFile::new(name, String::from_utf8_lossy(before));
        let number = line.lines().len() + usize::from(line.ends_with_newline);
        let column = line.lines().last().map_or(0, str::len);
        let column = if line.ends_with_newline { 0 } else { column };
        findings.problem(
            document,
            Some(crate::source::Span {
                file: FileId(document.files().len() - 1),
                line: number,
                start: column,
                end: column + '\u{fffd}'.len_utf8(),
            }),
            Statement::original(decoding_text(bytes, &error))
                .message("this byte is not UTF-8 text")
                .help("save the file as UTF-8"),
        );
    }
    let is_last_line_open = |line: usize| line == line_count && !ends_with_newline;
    for (index, problem) in problems.iter().enumerate() {
        let line = document.file(problem.span.file).line(problem.span.line);
        let mut statement = syntax_statement(problem, line);
        // All bad lines share one text in the original; the further ones are ours.
        if index == 0 {
            statement.original = Some(match problem.kind {
                SyntaxProblemKind::NoSectionYet => format!(
                    "File contains no section headers.\nfile: {}, line: {}\n{}",
                    repr(name),
                    problem.span.line,
                    repr(&with_end(line, is_last_line_open(problem.span.line)))
                ),
                SyntaxProblemKind::NoDelimiter | SyntaxProblemKind::NoKey => {
                    parsing_text(document, &problems, name, is_last_line_open)
                }
            });
        }
        findings.problem(document, Some(problem.span), statement);
    }
}

fn with_end(line: &str, is_open: bool) -> String {
    format!("{line}{}", if is_open { "" } else { "\n" })
}

/// The original's text for all lines that have no delimiter.
fn parsing_text(
    document: &Document,
    problems: &[SyntaxProblem],
    name: &str,
    is_last_line_open: impl Fn(usize) -> bool,
) -> String {
    let mut text = format!("Source contains parsing errors: {}", repr(name));
    for problem in problems {
        if problem.kind == SyntaxProblemKind::NoSectionYet {
            continue;
        }
        let number = problem.span.line;
        let line = with_end(
            document.file(problem.span.file).line(number),
            is_last_line_open(number),
        );
        // Writing to a string cannot fail.
        let _ = write!(text, "\n\t[line {number:2}]: {}", repr(&line));
    }
    text
}

fn syntax_statement(problem: &SyntaxProblem, line: &str) -> Statement {
    match problem.kind {
        SyntaxProblemKind::NoSectionYet if line.starts_with('\u{feff}') => {
            Statement::ours("the file begins with a byte-order mark, which hides its first section")
                .help("save the file as UTF-8 without a byte-order mark")
        }
        SyntaxProblemKind::NoSectionYet => {
            Statement::ours("this stands before the first section, so it belongs to none")
                .help("put a header such as `[supervisord]` before it")
        }
        SyntaxProblemKind::NoDelimiter if line.trim_start().starts_with('[') => {
            Statement::ours("this header has no closing bracket or no name")
                .help("write `[program:name]`")
        }
        SyntaxProblemKind::NoDelimiter => {
            Statement::ours("this is neither a header nor `key=value`").help(
                "put `;` before it if it is a comment, or indent it if it continues the value \
                 above",
            )
        }
        SyntaxProblemKind::NoKey => Statement::ours("there is no key before the `=` or `:`"),
    }
}

/// Python's text for bytes that are not UTF-8.
fn decoding_text(bytes: &[u8], error: &std::str::Utf8Error) -> String {
    let start = error.valid_up_to();
    let width = error.error_len().unwrap_or(bytes.len() - start);
    let first = bytes.get(start).copied().unwrap_or_default();
    let reason = if error.error_len().is_none() {
        "unexpected end of data"
    } else if matches!(first, 0xc2..=0xf4) {
        "invalid continuation byte"
    } else {
        "invalid start byte"
    };
    if width == 1 {
        format!("'utf-8' codec can't decode byte 0x{first:02x} in position {start}: {reason}")
    } else {
        let last = start + width - 1;
        format!("'utf-8' codec can't decode bytes in position {start}-{last}: {reason}")
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

fn resolve(
    world: &dyn World,
    file: &str,
    document: &Document,
    overrides: &DaemonOverrides,
    findings: &mut Findings,
) -> Option<Config> {
    let here = here_of(world, file);
    let context = Context {
        world,
        document,
        here: &here,
    };
    let mut environment = environment_names(world);
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
    let groups = groups::groups(context, &environment, findings);
    let http_servers = servers::http_servers(context, &environment, findings);
    overrides.apply(&mut supervisord.section);
    finish_supervisord(world, document, &mut supervisord.section, findings);
    Some(Config {
        file: PathBuf::from(world.normalized(file)),
        supervisord: supervisord.section,
        groups: groups.groups,
        server_url: server_url(&http_servers),
        http_servers,
        rpc_interfaces,
        shadowed_groups: groups.shadowed,
        shadowed_processes: groups.shadowed_processes,
        grouped_fastcgi: groups.grouped_fastcgi,
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
                    .map(crate::document::Entry::value_span);
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

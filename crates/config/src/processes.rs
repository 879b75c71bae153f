//! Reads the processes of a section, `numprocs` multiplied out.

use std::collections::BTreeMap;

use linchpin_python::signals::parse_signal;
use linchpin_python::strip;

use crate::daemon_section::{bad_list, warn_of_old_grammar};
use crate::document::{Entry, Section};
use crate::expansion::expand;
use crate::findings::{Findings, Statement};
use crate::key_value_list;
use crate::load::Context;
use crate::model::{AutoRestart, LogFile, OutputConfig, ProcessConfig};
use crate::names::{EnvironmentNames, KnownNames};
use crate::options::{self, NameScope, OptionSpec, StreamOptions};
use crate::section_reader::SectionReader;
use crate::service_options;
use crate::value::{self, WrittenLogFile};

/// Most processes that one section may ask for.
pub const MOST_PROCESSES_OF_A_PROGRAM: i64 = 100_000;

/// Options that are the same for all processes of a section.
struct Common {
    priority: i64,
    autostart: bool,
    autorestart: AutoRestart,
    startsecs: i64,
    startretries: i64,
    stopsignal: i32,
    stopwaitsecs: i64,
    stopasgroup: bool,
    killasgroup: bool,
    exitcodes: Vec<i32>,
    redirect_stderr: bool,
    numprocs: i64,
    numprocs_start: i64,
    stdout_capture: i64,
    stdout_events: bool,
    stderr_capture: i64,
    stderr_events: bool,
    serverurl: Option<String>,
    uid: Option<u32>,
    umask: Option<u32>,
}

/// The processes of a section as members of a group, sorted by name.
pub(crate) fn processes(
    context: Context<'_>,
    environment: &EnvironmentNames,
    section: &Section,
    group: &str,
    findings: &mut Findings,
) -> Vec<ProcessConfig> {
    let written_name = section.name.split_once(':').map_or("", |(_, name)| name);
    let mut reader = context.reader(section, environment, findings);
    reader.names_section = true;
    let program = match value::name(written_name) {
        Ok(name) => name,
        Err(original) => {
            let statement = Statement::original(original)
                .message(format!("`{written_name}` cannot be a name"))
                .help("write a name without blanks, colons and slashes");
            reader.problem(None, statement);
            return Vec::new();
        }
    };
    reader.names = KnownNames {
        program: &program,
        group,
        ..reader.names
    };
    let Some((common, process_name)) = common_options(&mut reader) else {
        return Vec::new();
    };
    let names = reader.names;
    let mut own = EnvironmentNames::default();
    let mut processes = Vec::new();
    let has_own_options =
        context.extensions && service_options::has_options(context.document, section);
    let problems_before = findings.problem_count();
    for number in common.numprocs_start..common.numprocs_start.saturating_add(common.numprocs) {
        let process = (number, common.numprocs);
        own.forget_known(environment);
        let mut reader = SectionReader {
            world: context.world,
            document: context.document,
            section,
            names: KnownNames {
                process: Some(process),
                own: Some(&own),
                ..names
            },
            names_section: true,
            findings,
        };
        let (variables, order) = own_environment(&mut reader);
        for name in &order {
            own.set(name, &variables[name]);
        }
        let mut reader = SectionReader {
            world: context.world,
            document: context.document,
            section,
            names: KnownNames {
                process: Some(process),
                own: Some(&own),
                ..names
            },
            names_section: true,
            findings,
        };
        let process = one_process(&mut reader, &common, &process_name, variables);
        let service = has_own_options.then(|| service_options::service(&mut reader));
        processes.extend(process.map(|process| ProcessConfig {
            service: service.flatten(),
            ..process
        }));
        // The further processes have the same mistakes.
        if findings.problem_count() > problems_before {
            break;
        }
    }
    processes.sort_by(|left, right| left.name.cmp(&right.name));
    processes
}

fn common_options(reader: &mut SectionReader<'_, '_>) -> Option<(Common, String)> {
    let world = reader.world;
    let integer = |reader: &mut SectionReader<'_, '_>, option: &OptionSpec| {
        reader.value(option, value::integer).unwrap_or_default()
    };
    let boolean = |reader: &mut SectionReader<'_, '_>, option: &OptionSpec| {
        reader.value(option, value::boolean).unwrap_or_default()
    };
    let bytes = |reader: &mut SectionReader<'_, '_>, option: &OptionSpec| {
        reader.value(option, value::byte_size).unwrap_or_default()
    };
    let priority = integer(reader, &options::PRIORITY);
    let autostart = boolean(reader, &options::AUTOSTART);
    let autorestart = reader
        .value(&options::AUTORESTART, value::auto_restart)
        .unwrap_or(AutoRestart::Unexpected);
    let startsecs = integer(reader, &options::STARTSECS);
    let startretries = integer(reader, &options::STARTRETRIES);
    let stopsignal = reader
        .value(&options::STOPSIGNAL, |text| {
            parse_signal(text).map_err(|error| error.to_string())
        })
        .unwrap_or_default();
    let stopwaitsecs = integer(reader, &options::STOPWAITSECS);
    let stopasgroup = boolean(reader, &options::STOPASGROUP);
    let killasgroup = reader
        .value(&options::KILLASGROUP, value::boolean)
        .unwrap_or(stopasgroup);
    let exitcodes = reader
        .value(&options::EXITCODES, value::exit_codes)
        .unwrap_or_default();
    let redirect_stderr = boolean(reader, &options::REDIRECT_STDERR);
    let numprocs = integer(reader, &options::NUMPROCS);
    let numprocs_start = integer(reader, &options::NUMPROCS_START);
    let stdout_capture = bytes(reader, &options::STDOUT.capture);
    let stdout_events = boolean(reader, &options::STDOUT.events_enabled);
    let stderr_capture = bytes(reader, &options::STDERR.capture);
    let stderr_events = boolean(reader, &options::STDERR.events_enabled);
    let serverurl = reader
        .text(&options::SERVERURL)
        .map(|url| url.text.into_owned())
        .filter(|url| !strip(url).eq_ignore_ascii_case("auto"));
    let uid = reader.value(&options::USER, |text| value::user(world, text));
    let umask = reader.value(&options::PROGRAM_UMASK, value::octal);
    let process_name = checked_process_name(reader, numprocs);
    if stopasgroup && !killasgroup {
        let span = reader.span(&options::KILLASGROUP);
        let statement = Statement::original("Cannot set stopasgroup=true and killasgroup=false")
            .message("`stopasgroup=true` needs `killasgroup=true`")
            .help("remove `killasgroup`; `stopasgroup` implies it");
        reader.problem(span, statement);
    }
    if numprocs > MOST_PROCESSES_OF_A_PROGRAM {
        let span = reader.span(&options::NUMPROCS);
        let statement = Statement::ours(format!(
            "`numprocs` is more than {MOST_PROCESSES_OF_A_PROGRAM}"
        ));
        reader.problem(span, statement);
        return None;
    }
    let common = Common {
        priority,
        autostart,
        autorestart,
        startsecs,
        startretries,
        stopsignal,
        stopwaitsecs,
        stopasgroup,
        killasgroup,
        exitcodes,
        redirect_stderr,
        numprocs,
        numprocs_start,
        stdout_capture,
        stdout_events,
        stderr_capture,
        stderr_events,
        serverurl,
        uid,
        umask,
    };
    Some((common, process_name))
}

/// The name as written: it is checked before anything in it is expanded.
fn checked_process_name(reader: &mut SectionReader<'_, '_>, numprocs: i64) -> String {
    let option = &options::PROCESS_NAME;
    let default = option.default.unwrap_or_default();
    let written = reader.written(option);
    let text = written.map_or(default, |entry| &entry.value);
    let name = match value::name(text) {
        Ok(name) => name,
        Err(original) => {
            let statement = Statement::original(original)
                .message(format!("`process_name` cannot be `{text}`"))
                .help(format!("write {}", option.kind.accepts()));
            reader.problem(written.map(Entry::value_span), statement);
            return default.to_owned();
        }
    };
    if numprocs > 1 && !name.contains("%(process_num)") {
        let span = written.map_or_else(
            || reader.span(&options::NUMPROCS),
            |entry| Some(entry.value_span()),
        );
        let statement = Statement::original(
            "%(process_num) must be present within process_name when numprocs > 1",
        )
        .message("several processes would have the same name")
        .help("add `process_name=%(program_name)s_%(process_num)02d`");
        reader.problem(span, statement);
    }
    name
}

/// The variables of `environment=` and the order in which they were written.
fn own_environment(reader: &mut SectionReader<'_, '_>) -> (BTreeMap<String, String>, Vec<String>) {
    let option = &options::ENVIRONMENT;
    let Some(entry) = reader.written(option) else {
        return Default::default();
    };
    let names = reader.names.in_scope(option.scope).local_first();
    let text = match expand(&entry.value, &names) {
        Ok(text) => text,
        Err(error) => {
            reader.expansion_problem(entry, &entry.value, option.name, &error, &names);
            return Default::default();
        }
    };
    match key_value_list::parse(&text) {
        Ok(list) => {
            warn_of_old_grammar(reader, entry.value_span(), &list);
            (list.pairs, list.order)
        }
        Err(original) => {
            reader.problem(Some(entry.value_span()), bad_list(original));
            Default::default()
        }
    }
}

fn one_process(
    reader: &mut SectionReader<'_, '_>,
    common: &Common,
    process_name: &str,
    environment: BTreeMap<String, String>,
) -> Option<ProcessConfig> {
    let directory = reader
        .text(&options::DIRECTORY)
        .map(|directory| directory.text.into_owned());
    let stdout = output(
        reader,
        &options::STDOUT,
        common.stdout_capture,
        common.stdout_events,
    );
    let mut stderr = output(
        reader,
        &options::STDERR,
        common.stderr_capture,
        common.stderr_events,
    );
    if common.redirect_stderr {
        if matches!(stderr.logfile, LogFile::Path(_)) {
            reader.findings.warnings.push(format!(
                "For [{}], redirect_stderr=true but stderr_logfile has also been set to a \
                 filename, the filename has been ignored",
                reader.section.name
            ));
        }
        stderr.logfile = LogFile::None;
    }
    if reader.written(&options::COMMAND).is_none() {
        let statement = Statement::original(format!(
            "program section {} does not specify a command",
            reader.section.name
        ))
        .message(format!(
            "[{}] does not say what to run",
            reader.section.name
        ))
        .help("add `command=/path/of/program arguments`");
        reader.problem(None, statement);
    }
    let command = reader.text(&options::COMMAND);
    let name = expanded_process_name(reader, process_name);
    Some(ProcessConfig {
        name: name?,
        section: reader.section.name.clone(),
        command: command?.text.into_owned(),
        directory,
        umask: common.umask,
        priority: common.priority,
        autostart: common.autostart,
        autorestart: common.autorestart,
        startsecs: common.startsecs,
        startretries: common.startretries,
        uid: common.uid,
        stdout,
        stderr,
        redirect_stderr: common.redirect_stderr,
        stopsignal: common.stopsignal,
        stopwaitsecs: common.stopwaitsecs,
        stopasgroup: common.stopasgroup,
        killasgroup: common.killasgroup,
        exitcodes: common.exitcodes.clone(),
        environment,
        serverurl: common.serverurl.clone(),
        service: None,
    })
}

fn expanded_process_name(reader: &mut SectionReader<'_, '_>, process_name: &str) -> Option<String> {
    let option = &options::PROCESS_NAME;
    let names = reader.names.in_scope(option.scope).local_first();
    match expand(process_name, &names) {
        Ok(name) => Some(name.into_owned()),
        Err(error) => {
            let entry = reader.written(option)?;
            reader.expansion_problem(entry, process_name, option.name, &error, &names);
            None
        }
    }
}

fn output(
    reader: &mut SectionReader<'_, '_>,
    stream: &StreamOptions,
    capture_maxbytes: i64,
    events_enabled: bool,
) -> OutputConfig {
    let written = log_file(reader, &stream.logfile);
    let logfile_backups = reader
        .value(&stream.backups, value::integer)
        .unwrap_or_default();
    let logfile_maxbytes = reader
        .value(&stream.maxbytes, value::byte_size)
        .unwrap_or_default();
    let mut syslog = reader
        .value(&stream.syslog, value::boolean)
        .unwrap_or_default();
    let section = &reader.section.name;
    let key = stream.logfile.name;
    let logfile = match written {
        WrittenLogFile::File(file) => file,
        WrittenLogFile::Syslog => {
            reader.findings.warnings.push(format!(
                "For [{section}], {key}=syslog but this is deprecated and will be removed.  Use \
                 {}=true to enable syslog instead.",
                stream.syslog.name
            ));
            syslog = true;
            LogFile::None
        }
    };
    if logfile == LogFile::Auto && logfile_maxbytes == 0 {
        reader.findings.warnings.push(format!(
            "For [{section}], AUTO logging used for {key} without rollover, set maxbytes > 0 to \
             avoid filling up filesystem unintentionally"
        ));
    }
    OutputConfig {
        logfile,
        logfile_maxbytes,
        logfile_backups,
        capture_maxbytes,
        events_enabled,
        syslog,
    }
}

/// A log file option. The original expands it twice, which makes a literal `%` four of them; a text
/// that only once makes sense is taken so.
fn log_file(reader: &mut SectionReader<'_, '_>, option: &OptionSpec) -> WrittenLogFile {
    let automatic = WrittenLogFile::File(LogFile::Auto);
    let Some(written) = reader.text(option) else {
        return automatic;
    };
    let names = reader.names.in_scope(NameScope::Process).local_first();
    let twice = expand(&written.text, &names);
    let text = twice.as_ref().unwrap_or(&written.text);
    value::child_log_file(reader.world, text).unwrap_or_else(|original| {
        match &twice {
            Err(error) => {
                let entry = written.entry;
                reader.expansion_problem(entry, &written.text, option.name, error, &names);
            }
            Ok(_) => reader.bad_value(option, &written, original),
        }
        automatic
    })
}

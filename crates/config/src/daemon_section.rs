//! Reads `[supervisord]`.

use std::collections::BTreeMap;

use crate::document::Entry;
use crate::expansion::expand;
use crate::findings::Statement;
use crate::key_value_list::{self, KeyValueList};
use crate::model::{LogLevel, MainLog, Supervisord};
use crate::options::{self, NameScope};
use crate::section_reader::SectionReader;
use crate::value;

/// `[supervisord]`, and in which order its environment was written.
pub(crate) struct DaemonSection {
    pub(crate) section: Supervisord,
    pub(crate) environment_order: Vec<String>,
}

/// Reads the section in the original's order.
pub(crate) fn supervisord(mut reader: SectionReader<'_, '_>) -> DaemonSection {
    let world = reader.world;
    let any_text = |text: &str| Ok(text.to_owned());
    let minfds = reader.value(&options::MINFDS, value::integer);
    let minprocs = reader.value(&options::MINPROCS, value::integer);
    let directory = reader.value(&options::SUPERVISORD_DIRECTORY, |text| {
        value::directory(world, text)
    });
    let user = reader
        .text(&options::SUPERVISORD_USER)
        .map(|user| user.text.into_owned());
    let umask = reader.value(&options::UMASK, value::octal);
    let logfile = reader.value(&options::LOGFILE, |text| value::path(world, text));
    let logfile_maxbytes = reader.value(&options::LOGFILE_MAXBYTES, value::byte_size);
    let logfile_backups = reader.value(&options::LOGFILE_BACKUPS, value::integer);
    let loglevel = reader.value(&options::LOGLEVEL, value::log_level);
    let pidfile = reader.value(&options::PIDFILE, |text| value::path(world, text));
    let identifier = reader.value(&options::IDENTIFIER, any_text);
    let nodaemon = reader.value(&options::NODAEMON, value::boolean);
    let silent = reader.value(&options::SILENT, value::boolean);
    // Unlike other defaults this one is checked too.
    let childlogdir = match reader.text(&options::CHILDLOGDIR) {
        Some(written) => match value::directory(world, &written.text) {
            Ok(path) => path,
            Err(text) => {
                reader.bad_value(&options::CHILDLOGDIR, &written, text);
                world.temporary_directory().to_owned()
            }
        },
        None => world.temporary_directory().to_owned(),
    };
    let nocleanup = reader.value(&options::NOCLEANUP, value::boolean);
    let strip_ansi = reader.value(&options::STRIP_ANSI, value::boolean);
    let environment = environment(&mut reader);
    DaemonSection {
        section: Supervisord {
            minfds: minfds.unwrap_or_default(),
            minprocs: minprocs.unwrap_or_default(),
            directory,
            user,
            uid: None,
            gid: None,
            umask: umask.unwrap_or_default(),
            logfile: main_log(logfile.unwrap_or_default()),
            logfile_maxbytes: logfile_maxbytes.unwrap_or_default(),
            logfile_backups: logfile_backups.unwrap_or_default(),
            loglevel: loglevel.unwrap_or(LogLevel::Info),
            pidfile: pidfile.unwrap_or_default(),
            identifier: identifier.unwrap_or_default(),
            nodaemon: nodaemon.unwrap_or_default(),
            silent: silent.unwrap_or_default(),
            childlogdir,
            nocleanup: nocleanup.unwrap_or_default(),
            strip_ansi: strip_ansi.unwrap_or_default(),
            environment: environment.pairs,
        },
        environment_order: environment.order,
    }
}

/// The main log from its path: only exactly `syslog` is special.
pub(crate) fn main_log(path: String) -> MainLog {
    if path == "syslog" {
        MainLog::Syslog
    } else {
        MainLog::File(path)
    }
}

/// `environment=`. 4.3.0 expands it twice, the development branch once; both readings are accepted,
/// and where both are possible but differ, the once-expanded one counts.
fn environment(reader: &mut SectionReader<'_, '_>) -> KeyValueList {
    let nothing = KeyValueList {
        pairs: BTreeMap::new(),
        order: Vec::new(),
        odd_separators: Vec::new(),
        is_old_grammar: false,
    };
    let option = &options::SUPERVISORD_ENVIRONMENT;
    let Some(entry) = reader.written(option) else {
        return nothing;
    };
    let names = reader.names.in_scope(option.scope);
    let once = expand(&entry.value, &names);
    let list = once
        .as_ref()
        .map_err(|_| String::new())
        .and_then(|text| key_value_list::parse(text));
    match list {
        Ok(list) => {
            warn_of_old_grammar(reader, entry.value_span(), &list);
            list
        }
        Err(original) => {
            refuse_environment(reader, entry, original);
            nothing
        }
    }
}

/// Reports what 4.3.0 would: it expands first with fewer names, then again.
fn refuse_environment(reader: &mut SectionReader<'_, '_>, entry: &Entry, original: String) {
    let first = reader.names.in_scope(NameScope::Here);
    let second = reader.names.in_scope(NameScope::Host).local_first();
    match expand(&entry.value, &first) {
        Err(error) => {
            let label = "supervisord.environment";
            reader.expansion_problem(entry, &entry.value, label, &error, &first);
        }
        Ok(once) => match expand(&once, &second) {
            Err(error) => reader.expansion_problem(entry, &once, "environment", &error, &second),
            Ok(twice) => {
                let original = key_value_list::parse(&twice).err().unwrap_or(original);
                reader.problem(Some(entry.value_span()), bad_list(original));
            }
        },
    }
}

/// A list that only the older grammar takes is accepted, with a word about it.
pub(crate) fn warn_of_old_grammar(
    reader: &mut SectionReader<'_, '_>,
    span: crate::source::Span,
    list: &KeyValueList,
) {
    if list.is_old_grammar {
        reader.doubt(
            Some(span),
            Statement::ours(
                "this `environment` can only be read by the rules of Supervisor 4.3 and older",
            )
            .help(
                "put double quotes around each value, and a backslash before `\"` and `\\` in it",
            ),
        );
    }
}

/// The statement about a list that cannot be read.
pub(crate) fn bad_list(original: String) -> Statement {
    let message = if original == "No closing quotation" {
        "a quotation mark in `environment` is not closed"
    } else {
        "`environment` is not a list of `KEY=\"value\"` pairs"
    };
    Statement::original(original).message(message).help(
        "put commas between the pairs, and double quotes around values that hold anything but \
         letters, digits and `_/.+-():`",
    )
}

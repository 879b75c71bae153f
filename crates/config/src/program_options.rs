//! A program that no file has: a client gives its options, as they would stand in a `[program:x]` section.

use std::collections::BTreeMap;
use std::path::Path;

use crate::diagnostic::Diagnostic;
use crate::document::Document;
use crate::findings::Findings;
use crate::load::{Context, environment_names};
use crate::model::ProcessConfig;
use crate::processes::processes;
use crate::reading::here_of;
use crate::service_options::take_apart;
use crate::world::World;

/// What a client wants to run.
#[derive(Debug, Clone, Copy)]
pub struct ProgramOptions<'a> {
    /// The part of the section's name after the colon.
    pub name: &'a str,
    /// The group that its processes will be in.
    pub group: &'a str,
    /// Keys and values. The last of equal keys counts.
    pub options: &'a [(String, String)],
    /// The main file: its directory is `%(here)s`, and messages name it.
    pub file: &'a Path,
    /// `[supervisord] environment`.
    pub environment: &'a BTreeMap<String, String>,
    /// Whether options of ours count.
    pub extensions: bool,
}

/// The processes of a program, sorted by name, and the original's warnings.
///
/// # Errors
/// The original's text about the first problem.
pub fn read_program(
    world: &dyn World,
    program: ProgramOptions<'_>,
) -> Result<(Vec<ProcessConfig>, Vec<String>), String> {
    let file = program.file.to_string_lossy();
    let section = format!("program:{}", program.name);
    let document = Document::of_options(&file, &section, program.options);
    let here = here_of(world, &file);
    let context = Context {
        world,
        document: &document,
        here: &here,
        extensions: program.extensions,
    };
    let mut environment = environment_names(world);
    for (name, value) in program.environment {
        environment.set(name, value);
    }
    let mut findings = Findings::default();
    let mut read = document.section(&section).map_or_else(Vec::new, |section| {
        processes(context, &environment, section, program.group, &mut findings)
    });
    for service in read
        .iter_mut()
        .filter_map(|process| process.service.as_mut())
    {
        take_apart(&mut service.dependencies);
    }
    findings.finish();
    match findings.problems.first().map(Diagnostic::text) {
        Some(text) => Err(text.to_owned()),
        None => Ok((read, findings.warnings)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Machine;

    fn read(name: &str, options: &[(&str, &str)]) -> Result<Vec<ProcessConfig>, String> {
        read_with(true, name, options)
    }

    fn read_with(
        extensions: bool,
        name: &str,
        options: &[(&str, &str)],
    ) -> Result<Vec<ProcessConfig>, String> {
        let options: Vec<(String, String)> = options
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let environment = BTreeMap::from([("COLOUR".to_owned(), "red".to_owned())]);
        let program = ProgramOptions {
            name,
            group: "web",
            options: &options,
            file: Path::new("/etc/supervisord.conf"),
            environment: &environment,
            extensions,
        };
        read_program(&Machine::default(), program).map(|(processes, _)| processes)
    }

    #[test]
    fn options_are_read_as_if_they_stood_in_a_file() {
        let processes = read(
            "x",
            &[
                ("Command", "/bin/x %(here)s %(ENV_COLOUR)s ; no comment"),
                ("numprocs", "2"),
                ("process_name", "%(group_name)s_%(process_num)d"),
            ],
        )
        .unwrap();
        let names: Vec<&str> = processes.iter().map(|each| each.name.as_str()).collect();
        assert_eq!(names, ["web_0", "web_1"]);
        assert_eq!(processes[0].command, "/bin/x /etc red ; no comment");
    }

    #[test]
    fn options_of_ours_are_read_unless_they_are_switched_off() {
        let options = [
            ("command", "/bin/x"),
            ("depends_on", "db:main ready, cache"),
        ];
        let with = |extensions| read_with(extensions, "x", &options).unwrap();
        let service = with(true)[0].service.clone().unwrap();
        let names: Vec<(&str, Option<&str>)> = service
            .dependencies
            .iter()
            .map(|each| (each.group.as_str(), each.process.as_deref()))
            .collect();
        assert_eq!(names, [("db", Some("main")), ("cache", None)]);
        assert_eq!(with(false)[0].service, None);
        let bad = read("x", &[("command", "/bin/x"), ("readiness", "tcp:x")]);
        assert_eq!(
            bad,
            Err("[program:x] readiness: `//` must follow `tcp:`".to_owned())
        );
    }

    #[test]
    fn problems_are_told_in_the_words_of_the_original() {
        for (name, options, expected) in [
            (
                "x",
                &[] as &[(&str, &str)],
                "program section program:x does not specify a command in section 'program:x' \
                 (file: '/etc/supervisord.conf')",
            ),
            (
                "x",
                &[("command", "/bin/x"), ("startsecs", "y")],
                "invalid literal for int() with base 10: 'y' in section 'program:x' \
                 (file: '/etc/supervisord.conf')",
            ),
            (
                "a b",
                &[("command", "/bin/x")],
                "Invalid name: 'a b' because of character: ' ' in section 'program:a b' \
                 (file: '/etc/supervisord.conf')",
            ),
        ] {
            assert_eq!(read(name, options), Err(expected.to_owned()));
        }
    }
}

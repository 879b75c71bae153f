//! `linchpin check --compat`: what a file means to the original and would mean here, where that differs.
//!
//! Only what somebody could notice with this very file is told; the differences that every file has stand in
//! `docs/compatibility.md`. A file of which nothing is said runs here as it runs there.

use crate::check::Judge;
use crate::diagnostic::{Diagnostic, Severity};
use crate::document::{Document, Entry};
use crate::key_value_list;
use crate::load::{LoadRequest, Loaded, load};
use crate::model::{Config, GroupKind, Plugin};
use crate::options::{self, Origin, SectionKind};
use crate::world::World;
use crate::{ControlRequest, load_supervisorctl};

/// What stands in for Python code that the original would load, by `module:function`.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn<'a> {
    /// For `[rpcinterface:x]`.
    pub rpc_interfaces: &'a [&'a str],
    /// For `[ctlplugin:x]`.
    pub control_plugins: &'a [&'a str],
    /// For `result_handler`.
    pub result_handlers: &'a [&'a str],
}

/// Outcome of a comparison.
#[derive(Debug)]
pub struct CompatReport {
    /// Why the original could not use the file either; then there is nothing to compare.
    pub problems: Vec<Diagnostic>,
    /// What is different. An error is a difference with which the daemon does not start.
    pub differences: Vec<Diagnostic>,
}

/// Compares, without starting anything.
#[must_use]
pub fn check_compat(
    world: &dyn World,
    request: &LoadRequest,
    built_in: BuiltIn<'_>,
) -> CompatReport {
    let loaded = match load(world, request) {
        Ok(loaded) => loaded,
        Err(failure) => {
            return CompatReport {
                problems: failure.problems,
                differences: Vec::new(),
            };
        }
    };
    let Loaded {
        config, reading, ..
    } = &loaded;
    let mut judge = Judge::new(&reading.document);
    refused_interfaces(&mut judge, config, built_in);
    foreign_result_handlers(&mut judge, config, built_in);
    environments(&mut judge, config);
    own_options(&mut judge, &reading.document);
    let control = load_supervisorctl(
        world,
        &request.program,
        &ControlRequest {
            file: request.file.clone(),
            ..ControlRequest::default()
        },
    );
    if let Ok(control) = &control {
        foreign_commands(&mut judge, &control.plugins, built_in);
    }
    CompatReport {
        problems: Vec::new(),
        differences: judge.into_warnings(),
    }
}

fn refused_interfaces(judge: &mut Judge<'_>, config: &Config, built_in: BuiltIn<'_>) {
    for interface in &config.rpc_interfaces {
        if built_in
            .rpc_interfaces
            .contains(&interface.factory.as_str())
        {
            continue;
        }
        let section = format!("rpcinterface:{}", interface.name);
        judge.say(
            Severity::Error,
            judge.span(&section, "supervisor.rpcinterface_factory"),
            format!(
                "`{}` is Python code that the original loads into the daemon; this one does not start with it",
                interface.factory
            ),
            format!(
                "remove the section; built in are {}",
                built_in.rpc_interfaces.join(", ")
            ),
        );
    }
}

fn foreign_commands(judge: &mut Judge<'_>, plugins: &[Plugin], built_in: BuiltIn<'_>) {
    for plugin in plugins {
        if built_in.control_plugins.contains(&plugin.factory.as_str()) {
            continue;
        }
        let section = format!("ctlplugin:{}", plugin.name);
        judge.say(
            Severity::Warning,
            judge.span(&section, "supervisor.ctl_factory"),
            format!(
                "the commands of `{}` are Python code, so supervisorctl does not have them",
                plugin.factory
            ),
            format!(
                "use the original's supervisorctl for them, which works with this daemon; built in are {}",
                built_in.control_plugins.join(", ")
            ),
        );
    }
}

fn foreign_result_handlers(judge: &mut Judge<'_>, config: &Config, built_in: BuiltIn<'_>) {
    for group in &config.groups {
        let GroupKind::EventListener(pool) = &group.kind else {
            continue;
        };
        if built_in
            .result_handlers
            .contains(&pool.result_handler.as_str())
        {
            continue;
        }
        let section = format!("eventlistener:{}", group.name);
        judge.say(
            Severity::Warning,
            judge.span(&section, "result_handler"),
            format!(
                "`{}` is Python code that the original asks whether a result is good; here `OK` is good and anything else is not",
                pool.result_handler
            ),
            format!(
                "have the listener answer `OK`; built in are {}",
                built_in.result_handlers.join(", ")
            ),
        );
    }
}

/// Values that the newer grammar of `environment=` reads differently from 4.3.0's.
fn environments(judge: &mut Judge<'_>, config: &Config) {
    let mut sections = vec!["supervisord"];
    sections.extend(
        crate::check::one_process_of_each_section(config)
            .map(|(_, process)| process.section.as_str()),
    );
    for section in sections {
        let Some(entry) = judge.written(section, "environment") else {
            continue;
        };
        // The raw text, because an expanded one has no place. A percent sign is no word character, and what
        // is in parentheses after it is.
        let text = entry.value.replace('%', "_");
        let Some((key, here, there)) = key_value_list::read_differently(&text) else {
            continue;
        };
        judge.say(
            Severity::Warning,
            Some(entry.value_span()),
            format!("`{key}` is `{here}` here and `{there}` in Supervisor 4.3.0; the next version of it reads the value as we do"),
            "write the value without backslashes in double quotes, without quotes inside of quotes, and as one piece",
        );
    }
}

/// Options of ours, which the original skips over without a word.
fn own_options(judge: &mut Judge<'_>, document: &Document) {
    let linchpin = document.section("linchpin");
    let is_off = linchpin
        .and_then(|section| document.entry(section, options::linchpin::EXTENSIONS.name))
        .is_some_and(|entry| crate::value::boolean(&entry.value) == Ok(false));
    if is_off {
        return;
    }
    for section in document.sections() {
        let Some(kind) = SectionKind::of(&section.name) else {
            continue;
        };
        if kind.is_ours() {
            judge.say(
                Severity::Warning,
                section.headers.first().copied(),
                format!("Supervisor skips over the section [{}]", section.name),
                "see that the file does without it where Supervisor reads it, or remove it",
            );
            continue;
        }
        let ours: Vec<&Entry> = document
            .entries(section)
            .filter(|entry| {
                kind.option(&entry.key)
                    .is_some_and(|option| option.origin == Origin::Linchpin)
            })
            .collect();
        let Some(first) = ours.first() else { continue };
        let names: Vec<String> = ours
            .iter()
            .map(|entry| format!("`{}`", entry.key))
            .collect();
        let only_waits = ours
            .iter()
            .all(|entry| entry.key == options::service::DEPENDS_ON.name);
        let consequence = if only_waits {
            " and starts it without waiting"
        } else {
            ""
        };
        judge.say(
            Severity::Warning,
            Some(first.key_span),
            format!(
                "Supervisor skips over {} in [{}]{consequence}",
                names.join(", "),
                section.name
            ),
            "see that the program does without where Supervisor reads the file; `extensions=off` in [linchpin] does the same here",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestWorld;

    const BUILT_IN: BuiltIn<'static> = BuiltIn {
        rpc_interfaces: &["supervisor.rpcinterface:make_main_rpcinterface", "a:b"],
        control_plugins: &["c:d"],
        result_handlers: &["supervisor.dispatchers:default_handler"],
    };

    fn differences(text: &str) -> Vec<(usize, Severity, String)> {
        let whole = format!("[supervisord]\n{text}");
        let world = TestWorld::new(&[("/etc/s.conf", &whole)]);
        let request = LoadRequest {
            file: Some("/etc/s.conf".to_owned()),
            ..LoadRequest::default()
        };
        let report = check_compat(&world, &request, BUILT_IN);
        assert_eq!(report.problems, [], "{text}");
        report
            .differences
            .into_iter()
            .map(|found| {
                assert!(found.help.is_some(), "no remedy: {}", found.message);
                let line = found.place.map_or(0, |place| place.line);
                (line, found.severity, found.message)
            })
            .collect()
    }

    fn check(text: &str, expected: &[(usize, Severity, &str)]) {
        let found = differences(text);
        let fits = found.len() == expected.len()
            && found.iter().zip(expected).all(|(found, expected)| {
                found.0 == expected.0 && found.1 == expected.1 && found.2.contains(expected.2)
            });
        assert!(fits, "{text}\nfound {found:#?}");
    }

    #[test]
    fn of_a_plain_file_nothing_is_said() {
        check(
            "environment=A=\"1\",B='two'\n\
             [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
             [rpcinterface:x]\nsupervisor.rpcinterface_factory=a:b\n\
             [supervisorctl]\n[ctlplugin:x]\nsupervisor.ctl_factory=c:d\n\
             [program:a]\ncommand=/bin/cat\nenvironment=A=%(ENV_HOME)s,B=\"a, b\"\n\
             [eventlistener:e]\ncommand=/bin/cat\nevents=TICK\n",
            &[],
        );
    }

    #[test]
    fn python_for_the_daemon_is_refused_and_that_for_the_client_is_not_there() {
        check(
            "[rpcinterface:x]\nsupervisor.rpcinterface_factory=my.package:make\n",
            &[(3, Severity::Error, "does not start with it")],
        );
        check(
            "[supervisorctl]\n[ctlplugin:x]\nsupervisor.ctl_factory=my.package:make\n",
            &[(4, Severity::Warning, "supervisorctl does not have them")],
        );
        check(
            "[eventlistener:e]\ncommand=/bin/cat\nevents=TICK\nresult_handler=my.package:judge\n",
            &[(5, Severity::Warning, "here `OK` is good")],
        );
    }

    #[test]
    fn values_that_the_two_grammars_read_differently_are_named() {
        check(
            "[program:a]\ncommand=/bin/cat\nenvironment=A=\"x\\\\y\"\n",
            &[(4, Severity::Warning, "`A` is `x\\y` here and `x\\\\y` in")],
        );
        check(
            "[program:a]\ncommand=/bin/cat\nenvironment=A=\"'x'\"\n",
            &[(4, Severity::Warning, "`A` is `'x'` here and `x` in")],
        );
        check(
            "environment=A=\"C:\\\"\n[program:a]\ncommand=/bin/cat\n",
            &[],
        );
    }

    #[test]
    fn options_that_the_original_skips_over_are_named() {
        check(
            "[linchpin]\nshutdown_timeout=9s\n\
             [program:a]\ncommand=/bin/cat\nreadiness=notify\nliveness=notify\nnumprocs=1\n\
             [program:b]\ncommand=/bin/cat\ndepends_on=a\n",
            &[
                (2, Severity::Warning, "the section [linchpin]"),
                (
                    6,
                    Severity::Warning,
                    "`readiness`, `liveness` in [program:a]",
                ),
                (
                    11,
                    Severity::Warning,
                    "`depends_on` in [program:b] and starts it without waiting",
                ),
            ],
        );
        check(
            "[linchpin]\nstate_directory=/s\n[ca-roots]\ndirectory=/c\n[certificate:a]\nself_signed=true\n",
            &[
                (2, Severity::Warning, "the section [linchpin]"),
                (4, Severity::Warning, "the section [ca-roots]"),
                (6, Severity::Warning, "the section [certificate:a]"),
            ],
        );
        check(
            "[linchpin]\nextensions=off\n[program:a]\ncommand=/bin/cat\nreadiness=notify\n",
            &[],
        );
    }

    #[test]
    fn a_file_that_nobody_can_use_is_not_compared() {
        let world = TestWorld::new(&[("/etc/s.conf", "[program:a]\n")]);
        let request = LoadRequest {
            file: Some("/etc/s.conf".to_owned()),
            ..LoadRequest::default()
        };
        let report = check_compat(&world, &request, BUILT_IN);
        assert!(!report.problems.is_empty() && report.differences.is_empty());
    }
}

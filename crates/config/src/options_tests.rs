//! The table of options against the reader: what the table says is what happens.

use crate::control::{ControlRequest, load_supervisorctl};
use crate::diagnostic::Diagnostic;
use crate::load::{LoadRequest, load};
use crate::options::{OptionSpec, SectionKind};
use crate::testing::TestWorld;
use crate::value_kind::ValueKind;

/// A file in which one option has a value, and everything else that it needs is there.
fn file_with(kind: SectionKind, option: &OptionSpec, value: &str) -> String {
    let mut lines = Vec::new();
    if kind != SectionKind::Supervisord {
        lines.push("[supervisord]".to_owned());
    }
    lines.push(format!("[{}]", kind.title()));
    lines.push(format!("{}={value}", option.name));
    for other in kind.options() {
        if other.is_required && other.name != option.name {
            lines.push(format!("{}={}", other.name, other.sample));
        }
    }
    // A user name needs a password, and the other way round.
    for (one, both) in [("username", "password"), ("password", "username")] {
        if option.name == one && kind.option(both).is_some() {
            lines.push(format!("{both}=x"));
        }
    }
    if kind == SectionKind::Preflight && option.name != "page_size" {
        lines.push("page_size=4KB".to_owned());
    }
    if kind == SectionKind::Certificate {
        for needed in ["certificate", "key"] {
            if option.name != needed {
                lines.push(format!("{needed}=/x"));
            }
        }
    }
    if matches!(
        kind,
        SectionKind::CaRoots | SectionKind::Certificate | SectionKind::Template
    ) {
        lines.push("[linchpin]\nstate_directory=/x".to_owned());
    }
    lines.join("\n")
}

fn problems(kind: SectionKind, text: &str) -> Vec<Diagnostic> {
    let world = TestWorld::new(&[("/s.conf", text)]).with_variable("x", "1");
    let failure = if matches!(kind, SectionKind::Supervisorctl | SectionKind::CtlPlugin) {
        let text = format!("[supervisorctl]\n{text}");
        let world = TestWorld::new(&[("/s.conf", &text)]).with_variable("x", "1");
        let request = ControlRequest {
            file: Some("/s.conf".to_owned()),
            ..ControlRequest::default()
        };
        load_supervisorctl(&world, "", &request).err()
    } else {
        let request = LoadRequest {
            file: Some("/s.conf".to_owned()),
            ..LoadRequest::default()
        };
        load(&world, &request).err()
    };
    failure.map_or_else(Vec::new, |failure| failure.problems)
}

#[test]
fn every_option_of_the_table_is_read() {
    for kind in SectionKind::ALL {
        for option in kind.options() {
            // A bare list stops no file; one with a condition is ours.
            let is_list = option.kind == ValueKind::Dependencies;
            let condition = if is_list { " ready" } else { "" };
            let value = format!("%(nobody_knows_this)s{condition}");
            let found = problems(kind, &file_with(kind, option, &value));
            assert!(
                found.iter().any(|problem| problem
                    .message
                    .contains("`nobody_knows_this` is not a name")),
                "[{}] {}: {found:#?}",
                kind.title(),
                option.name
            );
        }
    }
}

#[test]
fn every_option_knows_the_names_of_its_scope_and_no_others() {
    const ALL_NAMES: [&str; 7] = [
        "here",
        "host_node_name",
        "program_name",
        "group_name",
        "process_num",
        "numprocs",
        "ENV_x",
    ];
    for kind in SectionKind::ALL {
        for option in kind.options() {
            for name in ALL_NAMES {
                // A file with includes knows `here` everywhere; the priority of a group and what is
                // read twice know less than the table says of the second reading.
                let is_read_twice = option.name == "priority"
                    || (option.name == "user" && kind == SectionKind::FcgiProgram)
                    || (option.name == "redirect_stderr" && kind == SectionKind::EventListener);
                if kind == SectionKind::Include || is_read_twice {
                    continue;
                }
                let value = if option.kind == ValueKind::KeyValues {
                    format!("A=\"%({name})s\"")
                } else if option.kind == ValueKind::Dependencies {
                    format!("%({name})s ready")
                } else {
                    format!("%({name})s")
                };
                let found = problems(kind, &file_with(kind, option, &value));
                let is_refused = found.iter().any(|problem| {
                    problem
                        .message
                        .contains("is not a name that can be used here")
                });
                assert_eq!(
                    is_refused,
                    !option.scope.names().contains(&name),
                    "[{}] {} and {name}: {found:#?}",
                    kind.title(),
                    option.name
                );
            }
        }
    }
}

#[test]
fn every_default_can_be_written_and_gives_the_same() {
    for kind in SectionKind::ALL {
        for option in kind.options() {
            if let Some(default) = option.default {
                let found = problems(kind, &file_with(kind, option, default));
                assert!(
                    found.is_empty(),
                    "[{}] {}: {found:#?}",
                    kind.title(),
                    option.name
                );
            }
        }
    }
}

//! Reads the sections that become groups: `[group:x]`, `[program:x]`, `[eventlistener:x]` and
//! `[fcgi-program:x]`, in that order, as the original does.

use std::collections::HashSet;
use std::sync::Arc;

use crate::document::Section;
use crate::event_type::EventType;
use crate::fastcgi;
use crate::findings::{Findings, Statement};
use crate::load::Context;
use crate::model::{
    EventListenerPool, GroupConfig, GroupKind, GroupedFastCgi, ProcessConfig, ShadowedProcess,
};
use crate::names::EnvironmentNames;
use crate::options::{self, LISTENER_POOL_PRIORITY, NameScope};
use crate::plugins::{resolved_factory, unresolved};
use crate::processes::processes;
use crate::section_reader::SectionReader;
use crate::suggestion::closest;
use crate::value;

/// All groups, and what equal names hid.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    pub(crate) groups: Vec<Arc<GroupConfig>>,
    pub(crate) shadowed: Vec<Arc<GroupConfig>>,
    pub(crate) shadowed_processes: Vec<ShadowedProcess>,
}

struct GroupReader<'a, 'f> {
    context: Context<'a>,
    environment: &'a EnvironmentNames,
    findings: &'f mut Findings,
    /// Sections that a `[group:x]` took.
    taken: HashSet<&'a str>,
    found: Vec<(GroupConfig, &'a Section)>,
}

/// Reads all groups.
pub(crate) fn groups(
    context: Context<'_>,
    environment: &EnvironmentNames,
    findings: &mut Findings,
) -> Groups {
    let mut reader = GroupReader {
        context,
        environment,
        findings,
        taken: HashSet::new(),
        found: Vec::new(),
    };
    let sections = context.document.sections();
    for section in sections {
        if let Some(name) = section.name.strip_prefix("group:") {
            reader.group(section, name);
        }
    }
    for section in sections {
        if let Some(name) = section.name.strip_prefix("program:")
            && !reader.taken.contains(section.name.as_str())
        {
            reader.program(section, name);
        }
    }
    for section in sections {
        if let Some(name) = section.name.strip_prefix("eventlistener:") {
            reader.event_listener(section, name);
        }
    }
    for section in sections {
        if let Some(name) = section.name.strip_prefix("fcgi-program:")
            && !reader.taken.contains(section.name.as_str())
        {
            reader.fastcgi_program(section, name);
        }
    }
    reader.finish()
}

impl<'a> GroupReader<'a, '_> {
    fn section(&mut self, section: &'a Section) -> SectionReader<'a, '_> {
        self.context
            .reader(section, self.environment, self.findings)
    }

    fn name(&mut self, section: &'a Section, text: &str) -> Option<String> {
        match value::name(text) {
            Ok(name) => Some(name),
            Err(original) => {
                let statement = Statement::original(original)
                    .message(format!("`{text}` cannot be a name"))
                    .help("write a name without blanks, colons and slashes");
                self.section(section).problem(None, statement);
                None
            }
        }
    }

    /// The priority among the groups, which is read with fewer names than the one of the processes.
    fn priority(&mut self, section: &'a Section, default: Option<&str>) -> i64 {
        self.section(section)
            .value_or(&options::PRIORITY, NameScope::Here, default, value::integer)
            .unwrap_or_default()
    }

    fn processes(&mut self, section: &'a Section, group: &str) -> Vec<ProcessConfig> {
        processes(
            self.context,
            self.environment,
            section,
            group,
            self.findings,
        )
    }

    fn add(
        &mut self,
        section: &'a Section,
        name: String,
        priority: i64,
        kind: GroupKind,
        processes: Vec<ProcessConfig>,
    ) {
        let group = GroupConfig {
            name,
            priority,
            kind,
            processes: processes.into_iter().map(Arc::new).collect(),
            grouped_fastcgi: Vec::new(),
        };
        self.found.push((group, section));
    }

    fn program(&mut self, section: &'a Section, name: &str) {
        let name = self.name(section, name);
        let priority = self.priority(section, options::PRIORITY.default);
        let Some(name) = name else { return };
        let processes = self.processes(section, &name);
        self.add(section, name, priority, GroupKind::Program, processes);
    }

    fn group(&mut self, section: &'a Section, name: &str) {
        let name = self.name(section, name);
        let mut reader = self.section(section);
        let programs = reader.text(&options::GROUP_PROGRAMS);
        let priority = reader
            .value(&options::GROUP_PRIORITY, value::integer)
            .unwrap_or_default();
        let members = programs.map_or_else(Vec::new, |programs| value::names(&programs.text));
        let mut all = Vec::new();
        let mut grouped_fastcgi: Vec<GroupedFastCgi> = Vec::new();
        // After the first member the original speaks of the member before instead of the group.
        let mut spoken_of = section.name.clone();
        for member in members {
            let document = self.context.document;
            let program = document.section(&format!("program:{member}"));
            let fastcgi = document.section(&format!("fcgi-program:{member}"));
            let member_section = match (program, fastcgi) {
                (Some(only), None) | (None, Some(only)) => only,
                (None, None) => {
                    self.unknown_member(section, &spoken_of, &member);
                    continue;
                }
                (Some(_), Some(_)) => {
                    let statement = Statement::original(format!(
                        "[{spoken_of}] name {member} is ambiguous (exists as program and \
                         fcgi-program)"
                    ))
                    .message(format!(
                        "[{}] names `{member}`, which is both a program and an fcgi-program",
                        section.name
                    ))
                    .help("give one of the two another name");
                    let mut reader = self.section(section);
                    let span = reader.span(&options::GROUP_PROGRAMS);
                    reader.problem(span, statement);
                    continue;
                }
            };
            spoken_of.clone_from(&member_section.name);
            self.taken.insert(&member_section.name);
            if let Some(name) = &name {
                all.extend(self.processes(member_section, name));
                let is_new = |section: &str| {
                    grouped_fastcgi
                        .iter()
                        .all(|grouped| grouped.section != section)
                };
                if fastcgi.is_some() && is_new(&member_section.name) {
                    grouped_fastcgi.extend(self.grouped_socket(member_section, name, &member));
                }
            }
        }
        if let Some(name) = name {
            self.add(section, name, priority, GroupKind::Program, all);
            if let Some((group, _)) = self.found.last_mut() {
                group.grouped_fastcgi = grouped_fastcgi;
            }
        }
    }

    fn unknown_member(&mut self, section: &'a Section, spoken_of: &str, member: &str) {
        let known: Vec<&str> = self
            .context
            .document
            .sections()
            .iter()
            .filter_map(|section| {
                let name = &section.name;
                name.strip_prefix("program:")
                    .or_else(|| name.strip_prefix("fcgi-program:"))
            })
            .collect();
        let help = match closest(member, known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if member.is_empty() => "remove the comma without a name".to_owned(),
            None => format!("add a section [program:{member}], or remove the name"),
        };
        let statement = Statement::original(format!(
            "[{spoken_of}] names unknown program or fcgi-program {member}"
        ))
        .message(format!(
            "[{}] names `{member}`, but there is no such program",
            section.name
        ))
        .help(help);
        let mut reader = self.section(section);
        let span = reader.span(&options::GROUP_PROGRAMS);
        reader.problem(span, statement);
    }

    /// The socket of an fcgi-program in a group. The original never reads it, and its processes get
    /// none; so what is wrong with it stops nothing here.
    fn grouped_socket(
        &mut self,
        section: &'a Section,
        group: &str,
        program: &str,
    ) -> Option<GroupedFastCgi> {
        let mut unheard = Findings::default();
        let mut reader = self.context.reader(section, self.environment, &mut unheard);
        let socket = fastcgi::socket(&mut reader, program);
        match socket {
            Some(socket) if unheard.problems.is_empty() => Some(GroupedFastCgi {
                section: section.name.clone(),
                socket,
            }),
            _ => {
                let mut reader = self.section(section);
                let span = reader.span(&options::SOCKET);
                reader.doubt(
                    span,
                    Statement::ours(format!(
                        "[{}] has no usable socket, so its processes in group `{group}` get a \
                         plain pipe as standard input, as under Supervisor",
                        section.name
                    ))
                    .help("correct the `socket` options"),
                );
                None
            }
        }
    }

    fn event_listener(&mut self, section: &'a Section, name: &str) {
        let priority = self.priority(section, Some(LISTENER_POOL_PRIORITY));
        let mut reader = self.section(section);
        let buffer_size = reader
            .value(&options::BUFFER_SIZE, value::integer)
            .unwrap_or(1);
        if buffer_size < 1 {
            let span = reader.span(&options::BUFFER_SIZE);
            let statement = Statement::original(format!(
                "[{}] section sets invalid buffer_size ({buffer_size})",
                section.name
            ))
            .message("`buffer_size` must be at least 1")
            .help("write how many events may wait, such as `buffer_size=10`");
            reader.problem(span, statement);
        }
        let result_handler = result_handler(&mut reader);
        let events = events(&mut reader);
        let redirects = reader
            .value_in(&options::REDIRECT_STDERR, NameScope::Here, value::boolean)
            .unwrap_or_default();
        if redirects {
            let span = reader.span(&options::REDIRECT_STDERR);
            let statement = Statement::original(format!(
                "[{}] section sets redirect_stderr=true but this is not allowed because it will \
                 interfere with the eventlistener protocol",
                section.name
            ))
            .message("an event listener cannot have `redirect_stderr=true`: standard output carries its protocol")
            .help("remove `redirect_stderr`, and set `stderr_logfile` instead");
            reader.problem(span, statement);
        }
        let processes = self.processes(section, name);
        let pool = EventListenerPool {
            events,
            buffer_size,
            result_handler,
        };
        // The name of a pool is not stripped, unlike all others.
        let kind = GroupKind::EventListener(pool);
        self.add(section, name.to_owned(), priority, kind, processes);
    }

    fn fastcgi_program(&mut self, section: &'a Section, name: &str) {
        let name = self.name(section, name);
        let priority = self.priority(section, options::PRIORITY.default);
        let Some(name) = name else { return };
        let socket = fastcgi::socket(&mut self.section(section), &name);
        let processes = self.processes(section, &name);
        if let Some(socket) = socket {
            let kind = GroupKind::FastCgi(socket);
            self.add(section, name, priority, kind, processes);
        }
    }

    /// Sorts as the original starts them, and sets aside what equal names hide.
    fn finish(mut self) -> Groups {
        self.found.sort_by(|(left, _), (right, _)| {
            (left.priority, &left.name).cmp(&(right.priority, &right.name))
        });
        let mut groups = Groups::default();
        let mut seen: HashSet<String> = HashSet::new();
        for (mut group, section) in self.found {
            if !seen.insert(group.name.clone()) {
                let statement = Statement::ours(format!(
                    "another group is called `{}`, so this one never exists",
                    group.name
                ))
                .help("give it another name");
                let span = section.headers.first().copied();
                self.findings.doubt(self.context.document, span, statement);
                groups.shadowed.push(Arc::new(group));
                continue;
            }
            let hidden = take_hidden_processes(&mut group);
            if let Some(first) = hidden.first() {
                let statement = Statement::ours(format!(
                    "group `{}` has several processes called `{}`, of which only the last one \
                     exists",
                    group.name, first.process.name
                ))
                .help("make `process_name` different for each");
                let span = section.headers.first().copied();
                self.findings.doubt(self.context.document, span, statement);
            }
            groups.shadowed_processes.extend(hidden);
            groups.groups.push(Arc::new(group));
        }
        groups
    }
}

/// Takes out the processes whose name a later one has too.
fn take_hidden_processes(group: &mut GroupConfig) -> Vec<ShadowedProcess> {
    let mut later: HashSet<&str> = HashSet::new();
    let is_hidden: Vec<bool> = group
        .processes
        .iter()
        .rev()
        .map(|process| !later.insert(&process.name))
        .collect();
    if !is_hidden.contains(&true) {
        return Vec::new();
    }
    let mut hidden = Vec::new();
    let mut kept = Vec::new();
    let count = group.processes.len();
    for (position, process) in group.processes.drain(..).enumerate() {
        if is_hidden[count - 1 - position] {
            hidden.push(ShadowedProcess {
                group: group.name.clone(),
                position,
                process,
            });
        } else {
            kept.push(process);
        }
    }
    group.processes = kept;
    hidden
}

fn result_handler(reader: &mut SectionReader<'_, '_>) -> String {
    let option = &options::RESULT_HANDLER;
    let default = option.default.unwrap_or_default().to_owned();
    let Some(written) = reader.text(option) else {
        return default;
    };
    resolved_factory(&written.text).unwrap_or_else(|| {
        let statement = unresolved(&written.text, &reader.section.name);
        reader.problem(Some(written.entry.value_span()), statement);
        default
    })
}

fn events(reader: &mut SectionReader<'_, '_>) -> Vec<EventType> {
    let is_written = reader.written(&options::EVENTS).is_some();
    let text = reader.text(&options::EVENTS);
    let section = &reader.section.name;
    let names: Vec<String> = text
        .as_ref()
        .map_or_else(Vec::new, |events| value::names(&events.text))
        .iter()
        .map(|name| name.to_uppercase())
        .collect();
    if names.is_empty() {
        // A text that could not be expanded was reported already.
        if text.is_some() || !is_written {
            let statement =
                Statement::original(format!("[{section}] section requires an \"events\" line"))
                    .message(format!("[{section}] does not say which events it wants"))
                    .help("add, for example, `events=PROCESS_STATE`");
            let span = reader.span(&options::EVENTS);
            reader.problem(span, statement);
        }
        return Vec::new();
    }
    let span = reader.span(&options::EVENTS);
    let mut events = Vec::with_capacity(names.len());
    for name in &names {
        if let Some(event) = EventType::from_name(name) {
            events.push(event);
            continue;
        }
        let known = EventType::ALL.iter().map(|event| event.name());
        let help = match closest(name, known.clone()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("known are {}", known.collect::<Vec<_>>().join(", ")),
        };
        let statement =
            Statement::original(format!("Unknown event type {name} in [{section}] events"))
                .message(format!("there is no event type `{name}`"))
                .help(help);
        reader.problem(span, statement);
    }
    events.sort_unstable_by_key(|event| event.name());
    events.dedup();
    events
}

//! Puts the processes of the configuration in the place of the written names of `depends_on` and
//! `exit_code_from`, and sees to it that nothing waits for itself.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::cycles::{Circle, Graph, Item};
use super::names::{Named, Names};
use super::own::{Mistake, placed};
use crate::document::{Document, Entry};
use crate::findings::{Findings, Statement};
use crate::model::{GroupConfig, ProcessConfig};
use crate::options::{linchpin, service};
use crate::service::{Condition, Dependency, LinchpinConfig, ServiceConfig};
use crate::source::Span;

/// A `depends_on` entry of a section: the same for all its processes.
type Place<'a> = (&'a str, usize);

/// What a written dependency of a process has become.
type Resolved = Option<(Item, Condition, Vec<Named>)>;

/// Resolves the names of all groups.
pub(crate) fn resolve(
    document: &Document,
    groups: &mut [Arc<GroupConfig>],
    linchpin: Option<&mut LinchpinConfig>,
    findings: &mut Findings,
) {
    let needs_names = linchpin
        .as_ref()
        .is_some_and(|linchpin| linchpin.exit_code_from.is_some());
    let has_dependencies = groups
        .iter()
        .flat_map(|group| &group.processes)
        .any(|process| !written(process).is_empty());
    if !needs_names && !has_dependencies {
        return;
    }
    let mut resolver = Resolver {
        document,
        groups,
        names: Names::new(groups),
        items: Vec::new(),
        item_of: HashMap::new(),
        findings,
    };
    if let Some(linchpin) = linchpin
        && let Some(written) = &linchpin.exit_code_from
    {
        linchpin.exit_code_from = resolver.exit_code_from(written);
    }
    if !has_dependencies {
        return;
    }
    let mut resolved = resolver.all();
    let dropped = resolver.without_circles(&resolved);
    for meaning in resolved.values_mut().flatten() {
        if meaning
            .as_ref()
            .is_some_and(|(item, _, _)| dropped.contains(item))
        {
            *meaning = None;
        }
    }
    let named: BTreeMap<(usize, usize), Vec<Dependency>> = resolved
        .into_iter()
        .map(|(place, meanings)| (place, resolver.dependencies(meanings)))
        .collect();
    for ((group, process), dependencies) in named {
        let process = &mut Arc::make_mut(&mut groups[group]).processes[process];
        let service = &mut Arc::make_mut(process).service;
        if let Some(options) = service {
            options.dependencies = dependencies;
            if **options == ServiceConfig::default() {
                *service = None;
            }
        }
    }
}

fn written(process: &ProcessConfig) -> &[Dependency] {
    process
        .service
        .as_ref()
        .map_or(&[][..], |service| &service.dependencies)
}

struct Resolver<'a, 'f> {
    document: &'a Document,
    groups: &'a [Arc<GroupConfig>],
    names: Names<'a>,
    items: Vec<WrittenItem<'a>>,
    item_of: HashMap<Place<'a>, Item>,
    findings: &'f mut Findings,
}

/// An entry of `depends_on`, as the first process of its section has it.
struct WrittenItem<'a> {
    section: &'a str,
    name: &'a str,
    condition: Condition,
}

impl<'a> Resolver<'a, '_> {
    fn exit_code_from(&mut self, written: &str) -> Option<String> {
        let mistake = match self.names.meaning(written) {
            Ok(found) => match self.only_process(&found) {
                Some((group, process)) => {
                    let group = &self.groups[group];
                    let process = &group.processes[process].name;
                    return Some(format!("{}:{process}", group.name));
                }
                None => Mistake::new(format!("`{written}` are several processes"))
                    .help("write `group:process`"),
            },
            Err(mistake) => mistake,
        };
        let option = &linchpin::EXIT_CODE_FROM;
        let entry = self.entry("linchpin", option.name);
        let message = placed("linchpin", option, &mistake.message);
        let statement = Statement::ours(message).help(mistake.help.unwrap_or_default());
        let span = entry.map(Entry::value_span);
        self.findings.own_problem(self.document, span, statement);
        None
    }

    fn only_process(&self, found: &[Named]) -> Option<(usize, usize)> {
        let [named] = found else { return None };
        match named.process {
            Some(process) => Some((named.group, process)),
            None if self.groups[named.group].processes.len() == 1 => Some((named.group, 0)),
            None => None,
        }
    }

    fn entry(&self, section: &str, key: &str) -> Option<&'a Entry> {
        let section = self.document.section(section)?;
        self.document.entry(section, key)
    }

    /// Where an entry of `depends_on` stands.
    fn span(&self, section: &str, name: &str) -> Option<Span> {
        let entry = self.entry(section, service::DEPENDS_ON.name)?;
        let is_whole = |start: usize| {
            let is_border = |character: char| character == ',' || character.is_whitespace();
            let (before, after) = (&entry.value[..start], &entry.value[start + name.len()..]);
            before.chars().next_back().is_none_or(is_border)
                && after.chars().next().is_none_or(is_border)
        };
        let mut places = entry.value.match_indices(name).map(|(start, _)| start);
        Some(match places.find(|start| is_whole(*start)) {
            Some(start) => entry.span_of(start, start + name.len()),
            None => entry.value_span(),
        })
    }

    /// What the names of all processes mean, by group and process.
    fn all(&mut self) -> BTreeMap<(usize, usize), Vec<Resolved>> {
        let mut all = BTreeMap::new();
        for (group_place, group) in self.groups.iter().enumerate() {
            for (place, process) in group.processes.iter().enumerate() {
                let written = written(process);
                if written.is_empty() {
                    continue;
                }
                let meanings = written
                    .iter()
                    .enumerate()
                    .map(|(index, dependency)| self.meaning(process, index, dependency))
                    .collect();
                all.insert((group_place, place), meanings);
            }
        }
        all
    }

    fn meaning(
        &mut self,
        process: &'a ProcessConfig,
        index: usize,
        dependency: &'a Dependency,
    ) -> Resolved {
        let section = process.section.as_str();
        let items = &mut self.items;
        let item = *self.item_of.entry((section, index)).or_insert_with(|| {
            items.push(WrittenItem {
                section,
                name: &dependency.group,
                condition: dependency.condition,
            });
            items.len() - 1
        });
        match self.names.meaning(&dependency.group) {
            Ok(found) => Some((item, dependency.condition, found)),
            Err(mistake) => {
                self.unknown(section, dependency, mistake);
                None
            }
        }
    }

    fn unknown(&mut self, section: &str, dependency: &Dependency, mistake: Mistake) {
        let option = &service::DEPENDS_ON;
        let span = self.span(section, &dependency.group);
        let is_binding = dependency.condition != Condition::Order;
        let consequence = if is_binding {
            ""
        } else {
            ", so nothing is waited for"
        };
        let message = placed(
            section,
            option,
            &format!("{}{consequence}", mistake.message),
        );
        let statement = Statement::ours(message).help(mistake.help.unwrap_or_default());
        if is_binding {
            self.findings.own_problem(self.document, span, statement);
        } else {
            self.findings.remark(self.document, span, statement);
        }
    }

    /// Reports what waits for itself. Answers which bare dependencies must be passed over so that nothing does.
    fn without_circles(
        &mut self,
        resolved: &BTreeMap<(usize, usize), Vec<Resolved>>,
    ) -> HashSet<Item> {
        let nodes = Nodes::new(self.groups);
        let mut graph = Graph::new(nodes.count);
        for (group_place, group) in self.groups.iter().enumerate() {
            for place in 0..group.processes.len() {
                graph.add(
                    nodes.group(group_place),
                    nodes.process(group_place, place),
                    None,
                );
            }
        }
        for ((group, process), meanings) in resolved {
            for (item, _, found) in meanings.iter().flatten() {
                for named in found {
                    let to = match named.process {
                        Some(process) => nodes.process(named.group, process),
                        None => nodes.group(named.group),
                    };
                    graph.add(nodes.process(*group, *process), to, Some(*item));
                }
            }
        }
        let mut dropped = HashSet::new();
        let mut told: HashSet<BTreeSet<Item>> = HashSet::new();
        while let Some(circle) = graph.circle(&dropped) {
            let items: Vec<Item> = circle.iter().filter_map(|(_, item)| *item).collect();
            let bare = items
                .iter()
                .rev()
                .find(|item| self.items[**item].condition == Condition::Order);
            let Some(dropping) = bare.or(items.last()).copied() else {
                // Members do not lead to their group by themselves.
                break;
            };
            dropped.insert(dropping);
            if told.insert(items.iter().copied().collect()) {
                self.tell(&nodes, self.as_in_file(circle), bare.copied());
            }
        }
        dropped
    }

    /// A circle that begins with the dependency that is written first.
    fn as_in_file(&self, mut circle: Circle) -> Circle {
        let place = |item: Option<Item>| {
            let WrittenItem { section, name, .. } = self.items[item?];
            let span = self.span(section, name)?;
            Some((span.file.0, span.line, span.start))
        };
        let first = (0..circle.len())
            .filter(|position| circle[*position].1.is_some())
            .min_by_key(|position| place(circle[*position].1));
        circle.rotate_left(first.unwrap_or(0));
        circle
    }

    fn tell(&mut self, nodes: &Nodes, circle: Circle, bare: Option<Item>) {
        let mut path: Vec<String> = circle
            .iter()
            .filter_map(|(node, _)| nodes.process_of(*node))
            .map(|(group, process)| self.names.title(group, process))
            .collect();
        path.extend(path.first().cloned());
        let path = path.join(" → ");
        let items: Vec<Item> = circle.into_iter().filter_map(|(_, item)| item).collect();
        let Some(first) = bare.or(items.first().copied()) else {
            return;
        };
        let WrittenItem { section, name, .. } = self.items[first];
        let span = self.span(section, name);
        let option = &service::DEPENDS_ON;
        if bare.is_some() {
            let message =
                format!("this would wait for itself ({path}), so `{name}` is passed over");
            let statement = Statement::ours(placed(section, option, &message));
            let statement = statement.help(format!("remove `{name}`"));
            self.findings.remark(self.document, span, statement);
            return;
        }
        let message = format!("this waits for itself: {path}");
        let statement = Statement::ours(placed(section, option, &message));
        let help = self.ways_out(&items);
        self.findings
            .own_problem(self.document, span, statement.help(help));
    }

    /// The dependencies of which one must go.
    fn ways_out(&self, items: &[Item]) -> String {
        let described: Vec<String> = items
            .iter()
            .map(|item| {
                let WrittenItem { section, name, .. } = self.items[*item];
                let line = self.span(section, name).map_or_else(String::new, |span| {
                    format!(" ({}:{})", self.document.file(span.file).name, span.line)
                });
                format!("`{name}` in [{section}]{line}")
            })
            .collect();
        match described.as_slice() {
            [only] => format!("remove {only}"),
            all => format!("remove one of these: {}", all.join(", ")),
        }
    }

    fn dependencies(&self, meanings: Vec<Resolved>) -> Vec<Dependency> {
        let mut dependencies: Vec<Dependency> = Vec::new();
        for (_, condition, found) in meanings.into_iter().flatten() {
            for named in found {
                let group = &self.groups[named.group];
                let process = named.process.map(|process| &group.processes[process].name);
                let dependency = Dependency {
                    group: group.name.clone(),
                    process: process.cloned(),
                    condition,
                };
                if !dependencies.contains(&dependency) {
                    dependencies.push(dependency);
                }
            }
        }
        dependencies
    }
}

/// Processes and groups as nodes: first all processes, then all groups.
struct Nodes {
    /// The node of the first process of each group.
    first: Vec<usize>,
    processes: usize,
    count: usize,
}

impl Nodes {
    fn new(groups: &[Arc<GroupConfig>]) -> Self {
        let mut first = Vec::with_capacity(groups.len());
        let mut processes = 0;
        for group in groups {
            first.push(processes);
            processes += group.processes.len();
        }
        Self {
            first,
            processes,
            count: processes + groups.len(),
        }
    }

    fn process(&self, group: usize, process: usize) -> usize {
        self.first[group] + process
    }

    fn group(&self, group: usize) -> usize {
        self.processes + group
    }

    /// Group and process of a node; none for a group.
    fn process_of(&self, node: usize) -> Option<(usize, usize)> {
        if node >= self.processes {
            return None;
        }
        let group = self.first.partition_point(|first| *first <= node) - 1;
        Some((group, node - self.first[group]))
    }
}

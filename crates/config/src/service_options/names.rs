//! Which processes a written name means, among all groups of a configuration.

use std::collections::HashMap;
use std::sync::Arc;

use super::own::Mistake;
use crate::model::GroupConfig;
use crate::suggestion::closest;

/// What a name means: a group, or one of its processes; by their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Named {
    pub(super) group: usize,
    /// None is the whole group.
    pub(super) process: Option<usize>,
}

/// All names of a configuration.
#[derive(Debug)]
pub(super) struct Names<'a> {
    groups: &'a [Arc<GroupConfig>],
    by_group: HashMap<&'a str, usize>,
    /// Processes and whole programs by their names, in any group.
    by_member: HashMap<&'a str, Vec<Named>>,
}

impl<'a> Names<'a> {
    pub(super) fn new(groups: &'a [Arc<GroupConfig>]) -> Self {
        let mut names = Self {
            groups,
            by_group: HashMap::new(),
            by_member: HashMap::new(),
        };
        for (position, group) in groups.iter().enumerate() {
            names.by_group.insert(&group.name, position);
            for named in members(position, group) {
                for name in names_of(group, named) {
                    let known = names.by_member.entry(name).or_default();
                    // A process may be called like its program.
                    if known.last() != Some(&named) {
                        known.push(named);
                    }
                }
            }
        }
        names
    }

    /// What a name means. Several processes of one group are those of a program that shares its group.
    pub(super) fn meaning(&self, written: &str) -> Result<Vec<Named>, Mistake> {
        match written.split_once(':') {
            Some((group, process)) => self.in_group(group, process),
            None => self.anywhere(written),
        }
    }

    fn in_group(&self, name: &str, process: &str) -> Result<Vec<Named>, Mistake> {
        let Some(group) = self.by_group.get(name).copied() else {
            return Err(self.unknown_group(name));
        };
        if process == "*" {
            return Ok(vec![Named {
                group,
                process: None,
            }]);
        }
        let found = self.members_called(process, group);
        if !found.is_empty() {
            return Ok(found);
        }
        let message = format!("there is no `{process}` in the group `{name}`");
        let known = self.groups[group].processes.iter();
        let known = known.map(|process| process.name.as_str());
        let mistake = Mistake::new(message);
        Err(match (closest(process, known), is_condition(process)) {
            (_, true) => mistake.help(format!("write a blank before it: `{name} {process}`")),
            (Some(meant), _) => mistake.help(format!("did you mean `{name}:{meant}`?")),
            (None, _) => mistake.help(format!("write `{name}` for all of the group")),
        })
    }

    fn anywhere(&self, name: &str) -> Result<Vec<Named>, Mistake> {
        if let Some(group) = self.by_group.get(name).copied() {
            return Ok(vec![Named {
                group,
                process: None,
            }]);
        }
        let Some(found) = self.by_member.get(name) else {
            return Err(self.unknown(name));
        };
        let mut groups: Vec<usize> = found.iter().map(|named| named.group).collect();
        groups.dedup();
        match groups.as_slice() {
            [group] => Ok(self.members_called(name, *group)),
            _ => {
                let choices = groups
                    .iter()
                    .map(|group| format!("`{}:{name}`", self.groups[*group].name))
                    .collect::<Vec<String>>()
                    .join(" or ");
                Err(
                    Mistake::new(format!("several groups have a process `{name}`"))
                        .help(format!("write {choices}")),
                )
            }
        }
    }

    /// The process of a name in a group, or else the processes of a program of that name.
    fn members_called(&self, name: &str, group: usize) -> Vec<Named> {
        let all = self.by_member.get(name).map_or(&[][..], Vec::as_slice);
        let here = || all.iter().copied().filter(|named| named.group == group);
        let exact = here().find(|named| {
            named
                .process
                .is_some_and(|process| self.groups[group].processes[process].name == name)
        });
        exact.map_or_else(|| here().collect(), |exact| vec![exact])
    }

    fn unknown_group(&self, name: &str) -> Mistake {
        let mistake = Mistake::new(format!("there is no group `{name}`"));
        match closest(name, self.by_group.keys().copied()) {
            Some(meant) => mistake.help(format!("did you mean `{meant}`?")),
            None => mistake.help("write the name of a group of this configuration"),
        }
    }

    fn unknown(&self, name: &str) -> Mistake {
        let mistake = Mistake::new(format!("there is no group or process `{name}`"));
        let mut known: Vec<&str> = self.by_group.keys().copied().collect();
        known.extend(self.by_member.keys().copied());
        // The first of equally close ones is taken.
        known.sort_unstable();
        match closest(name, known) {
            Some(meant) => mistake.help(format!("did you mean `{meant}`?")),
            None => mistake.help("write the name of a group or process of this configuration"),
        }
    }

    /// A process for people: `group:process`, or one name if both are the same.
    pub(super) fn title(&self, group: usize, process: usize) -> String {
        let group = &self.groups[group];
        let process = &group.processes[process].name;
        if *process == group.name {
            process.clone()
        } else {
            format!("{}:{process}", group.name)
        }
    }
}

fn is_condition(word: &str) -> bool {
    super::dependencies::condition(word).is_some()
}

fn members(position: usize, group: &GroupConfig) -> impl Iterator<Item = Named> {
    (0..group.processes.len()).map(move |process| Named {
        group: position,
        process: Some(process),
    })
}

/// A process is called by its own name and by that of its program.
fn names_of(group: &GroupConfig, named: Named) -> impl Iterator<Item = &str> {
    let process = named
        .process
        .and_then(|process| group.processes.get(process));
    process.into_iter().flat_map(|process| {
        let program = process.section.split_once(':').map(|(_, name)| name);
        [Some(process.name.as_str()), program].into_iter().flatten()
    })
}

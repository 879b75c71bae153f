//! The names that `%(name)s` may use, by the place where it stands.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::expansion::{Names, Value};
use crate::options::NameScope;

/// `ENV_x` names in the order in which they became known.
#[derive(Debug, Default, Clone)]
pub(crate) struct EnvironmentNames {
    entries: Vec<(String, String)>,
    positions: HashMap<String, usize>,
}

impl EnvironmentNames {
    /// Makes a variable known, or known anew.
    pub(crate) fn set(&mut self, variable: &str, value: &str) {
        let name = format!("ENV_{variable}");
        if let Some(position) = self.positions.get(&name) {
            value.clone_into(&mut self.entries[*position].1);
        } else {
            self.positions.insert(name.clone(), self.entries.len());
            self.entries.push((name, value.to_owned()));
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.positions
            .get(name)
            .map(|position| self.entries[*position].1.as_str())
    }

    /// Drops what another table knows as well.
    pub(crate) fn forget_known(&mut self, other: &Self) {
        let kept: Vec<(String, String)> = self
            .entries
            .drain(..)
            .filter(|(name, _)| other.get(name).is_none())
            .collect();
        self.positions = kept
            .iter()
            .enumerate()
            .map(|(position, (name, _))| (name.clone(), position))
            .collect();
        self.entries = kept;
    }
}

/// Everything that names can stand for while a section is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownNames<'a> {
    /// `ENV_x`: the daemon's environment, and `[supervisord] environment` once that is read.
    pub(crate) environment: &'a EnvironmentNames,
    /// Directory of the main file.
    pub(crate) here: &'a str,
    /// Name of this node.
    pub(crate) host: &'a str,
    /// Name of the program.
    pub(crate) program: &'a str,
    /// Name of its group.
    pub(crate) group: &'a str,
    /// `process_num` and `numprocs`.
    pub(crate) process: Option<(i64, i64)>,
    /// `ENV_x` from the process's own environment.
    pub(crate) own: Option<&'a EnvironmentNames>,
}

impl<'a> KnownNames<'a> {
    /// The names of a scope.
    pub(crate) fn in_scope(&self, scope: NameScope) -> ScopedNames<'a> {
        let here = ("here", Value::Text(self.here));
        let program = ("program_name", Value::Text(self.program));
        let group = ("group_name", Value::Text(self.group));
        let host = ("host_node_name", Value::Text(self.host));
        let mut local = match scope {
            NameScope::Environment => Vec::new(),
            NameScope::Here => vec![here],
            NameScope::Host => vec![here, host],
            NameScope::Socket => vec![program, here],
            NameScope::Program | NameScope::ProcessOnly | NameScope::Process => {
                vec![here, program, host, group]
            }
        };
        let is_about_a_process = matches!(scope, NameScope::ProcessOnly | NameScope::Process);
        if let (true, Some((number, count))) = (is_about_a_process, self.process) {
            local.push(("process_num", Value::Number(number)));
            local.push(("numprocs", Value::Number(count)));
        }
        ScopedNames {
            environment: self.environment,
            local,
            own: if is_about_a_process { self.own } else { None },
            is_local_first: false,
        }
    }
}

/// The names that one value may use.
#[derive(Debug)]
pub(crate) struct ScopedNames<'a> {
    environment: &'a EnvironmentNames,
    local: Vec<(&'static str, Value<'a>)>,
    own: Option<&'a EnvironmentNames>,
    /// The original's dictionary begins with the local names; seen where a dictionary is printed.
    is_local_first: bool,
}

impl ScopedNames<'_> {
    /// As in a second pass of the original, whose dictionary has another order.
    pub(crate) fn local_first(mut self) -> Self {
        self.is_local_first = true;
        self
    }
}

impl Names for ScopedNames<'_> {
    fn value(&self, name: &str) -> Option<Value<'_>> {
        if let Some((_, value)) = self.local.iter().find(|(known, _)| *known == name) {
            return Some(*value);
        }
        self.own
            .and_then(|own| own.get(name))
            .or_else(|| self.environment.get(name))
            .map(Value::Text)
    }

    fn all(&self) -> Vec<(Cow<'_, str>, Value<'_>)> {
        let local = self
            .local
            .iter()
            .map(|(name, value)| (Cow::Borrowed(*name), *value));
        let environment = self.environment.entries.iter().map(|(name, value)| {
            let own = self.own.and_then(|own| own.get(name));
            (
                Cow::Borrowed(name.as_str()),
                Value::Text(own.unwrap_or(value)),
            )
        });
        let own = self
            .own
            .iter()
            .flat_map(|own| &own.entries)
            .filter(|(name, _)| self.environment.get(name).is_none())
            .map(|(name, value)| (Cow::Borrowed(name.as_str()), Value::Text(value)));
        if self.is_local_first {
            local.chain(environment).chain(own).collect()
        } else {
            environment.chain(local).chain(own).collect()
        }
    }
}

//! Reads `[rpcinterface:x]` and `[ctlplugin:x]`, and the names of Python functions.

use std::collections::BTreeMap;

use linchpin_python::strip;

use crate::findings::{Findings, Statement};
use crate::load::Context;
use crate::model::Plugin;
use crate::names::EnvironmentNames;
use crate::options::{NameScope, OptionSpec};

/// Functions of the `supervisor` package that a file may name.
const KNOWN_FUNCTIONS: [(&str, &str); 2] = [
    ("supervisor.rpcinterface", "make_main_rpcinterface"),
    ("supervisor.dispatchers", "default_handler"),
];

/// A factory in its canonical form; none if the original could not resolve it.
///
/// What lies outside the `supervisor` package cannot be judged here and stays as it is written.
pub(crate) fn resolved_factory(text: &str) -> Option<String> {
    let (module, function) = text.split_once(':')?;
    if !text.starts_with("supervisor.") {
        return Some(strip(text).to_owned());
    }
    let function = without_extras(strip(function));
    KNOWN_FUNCTIONS
        .iter()
        .find(|known| **known == (strip(module), function))
        .map(|(module, function)| format!("{module}:{function}"))
}

/// Python's entry points may end with a list in brackets, which means nothing here.
fn without_extras(function: &str) -> &str {
    match function.split_once('[') {
        Some((before, extras)) if extras.ends_with(']') && !extras.contains('\n') => strip(before),
        _ => function,
    }
}

/// The statement about a factory that cannot be resolved.
pub(crate) fn unresolved(text: &str, section: &str) -> Statement {
    Statement::original(format!("{text} cannot be resolved within [{section}]"))
        .message(format!("`{text}` names no known function"))
        .help("write `module:function`")
}

/// All sections of a kind of plugin.
pub(crate) fn plugins(
    context: Context<'_>,
    environment: &EnvironmentNames,
    option: &OptionSpec,
    prefix: &str,
    findings: &mut Findings,
) -> Vec<Plugin> {
    let mut plugins = Vec::new();
    for section in context.document.sections() {
        let Some(name) = section.name.strip_prefix(prefix) else {
            continue;
        };
        let mut reader = context.reader(section, environment, findings);
        let factory = if reader.written(option).is_none() {
            let text = format!(
                "section [{}] does not specify a {}",
                section.name, option.name
            );
            reader.problem(
                None,
                Statement::original(text)
                    .message(format!("[{}] needs `{}`", section.name, option.name))
                    .help(format!("add `{}={}`", option.name, option.sample)),
            );
            None
        } else {
            reader.text(option).and_then(|written| {
                let resolved = resolved_factory(&written.text);
                if resolved.is_none() {
                    let span = written.entry.value_span();
                    reader.problem(Some(span), unresolved(&written.text, &section.name));
                }
                resolved
            })
        };
        let mut further = BTreeMap::new();
        for entry in context.document.entries(section) {
            if entry.key == option.name {
                continue;
            }
            let names = reader.names.in_scope(NameScope::Environment);
            match crate::expansion::expand(&entry.value, &names) {
                Ok(text) => {
                    further.insert(entry.key.clone(), text.into_owned());
                }
                Err(error) => {
                    let label = format!("{}.{}", section.name, entry.key);
                    reader.expansion_problem(entry, &entry.value, &label, &error, &names);
                }
            }
        }
        plugins.extend(factory.map(|factory| Plugin {
            name: name.to_owned(),
            factory,
            options: further,
        }));
    }
    plugins
}

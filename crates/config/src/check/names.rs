//! Names that nothing reads: misspelt options and sections, and options in the wrong section.

use super::Judge;
use crate::document::Section;
use crate::options::SectionKind;
use crate::suggestion::closest;

pub(super) fn judge(judge: &mut Judge<'_>) {
    for (section, kind) in judge.sections() {
        if judge.is_full() {
            return;
        }
        match kind {
            None => unknown_section(judge, section),
            Some(SectionKind::Default) => unknown_defaults(judge, section),
            Some(kind) if kind.takes_any_key() => {}
            Some(kind) => unknown_options(judge, section, kind),
        }
    }
}

fn unknown_section(judge: &mut Judge<'_>, section: &Section) {
    let name = &section.name;
    let help = match meant_section(name) {
        Some(meant) => format!("did you mean `[{meant}]`?"),
        None => "remove it, unless a plugin or another program reads it from this file".to_owned(),
    };
    let span = section.headers.first().copied();
    judge.warn(span, format!("nothing reads the section `[{name}]`"), help);
}

fn meant_section(name: &str) -> Option<String> {
    const PREFIXES: [&str; 8] = [
        "program",
        "fcgi-program",
        "eventlistener",
        "group",
        "rpcinterface",
        "ctlplugin",
        "setting",
        "certificate",
    ];
    const WHOLE: [&str; 7] = [
        "supervisord",
        "supervisorctl",
        "unix_http_server",
        "inet_http_server",
        "include",
        "linchpin",
        "ca-roots",
    ];
    if let Some((prefix, rest)) = name.split_once(':') {
        let meant = closest(prefix.trim(), PREFIXES)?;
        return Some(format!("{meant}:{}", rest.trim()));
    }
    if let Some(prefix) = PREFIXES.iter().find(|prefix| {
        name.strip_prefix(**prefix)
            .is_some_and(|rest| rest.starts_with([' ', '-', '_', '.', '=']))
    }) {
        return Some(format!("{prefix}:{}", &name[prefix.len() + 1..]));
    }
    // `supervisord` and `supervisorctl` are close to each other and to `supervisor`.
    if name.eq_ignore_ascii_case("supervisor") {
        return Some("supervisord".to_owned());
    }
    closest(name, WHOLE).map(str::to_owned)
}

fn unknown_options(judge: &mut Judge<'_>, section: &Section, kind: SectionKind) {
    for entry in &section.entries {
        if judge.is_full() {
            return;
        }
        if kind.option(&entry.key).is_some() || is_a_default(judge, &entry.key) {
            continue;
        }
        let key = &entry.key;
        let elsewhere: Vec<&str> = SectionKind::ALL
            .into_iter()
            .filter(|other| other.option(key).is_some())
            .map(SectionKind::title)
            .collect();
        let known = kind.options().map(|option| option.name);
        let help = if let Some(meant) = closest(key, known) {
            format!("did you mean `{meant}`?")
        } else if elsewhere.is_empty() {
            "remove it, unless another program reads it from this file".to_owned()
        } else {
            format!("it is an option of [{}]", elsewhere.join("], ["))
        };
        let message = format!("nothing reads `{key}` in [{}]", section.name);
        let rule = format!("unknown option {} {key}", kind.title());
        judge.warn_of_kind(rule, Some(entry.key_span), message, help);
    }
}

/// Keys that came from `[DEFAULT]` are judged there.
fn is_a_default(judge: &Judge<'_>, key: &str) -> bool {
    judge
        .document
        .defaults()
        .entry(key)
        .is_some_and(|default| default.is_rewritten)
}

fn unknown_defaults(judge: &mut Judge<'_>, section: &Section) {
    for entry in &section.entries {
        let is_known = SectionKind::ALL
            .into_iter()
            .any(|kind| kind.option(&entry.key).is_some());
        if !is_known {
            let known = SectionKind::ALL
                .into_iter()
                .flat_map(SectionKind::options)
                .map(|option| option.name);
            let help = match closest(&entry.key, known) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "remove it".to_owned(),
            };
            let message = format!("no section reads `{}`", entry.key);
            judge.warn(Some(entry.key_span), message, help);
        }
    }
    let plugin = judge
        .document
        .sections()
        .iter()
        .find(|section| SectionKind::of(&section.name).is_some_and(SectionKind::takes_any_key));
    if let (Some(plugin), Some(entry)) = (plugin, section.entries.first()) {
        let message = format!(
            "keys of [DEFAULT] are passed to [{}] too, and Supervisor cannot start with them",
            plugin.name
        );
        judge.warn(
            Some(entry.key_span),
            message,
            "write the option into each section that needs it",
        );
    }
}

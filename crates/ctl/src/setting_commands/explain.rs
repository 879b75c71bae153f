//! `explain`: what a setting is, and why it has its value.

use std::fmt::Write as _;
use std::io::Write as _;

use linchpin_boot::settings::{Effective, Found, Invalid, Layer, judge, shown};
use linchpin_config::{SettingConfig, SettingType};

use super::{Desk, Trouble, exit};

pub(super) fn explain(desk: &mut Desk, names: &[String]) -> Result<u8, Trouble> {
    let mut own_names = Vec::new();
    for name in names {
        own_names.push(desk.setting(name)?.name.clone());
    }
    let resolved = desk.resolved()?;
    let problems = judge(&resolved);
    let mut texts = Vec::new();
    let mut code = 0;
    for name in &own_names {
        let problem = problems.iter().find(|problem| problem.name == *name);
        if problem.is_some() {
            code = exit::INVALID;
        }
        if let Some(effective) = resolved.named(name) {
            texts.push(about(effective, problem, desk.config.file.as_deref()));
        }
    }
    let text = texts.join("\n");
    desk.out.write_all(text.as_bytes())?;
    Ok(code)
}

/// Writing to a string cannot fail.
fn about(effective: &Effective<'_>, problem: Option<&Invalid>, file: Option<&str>) -> String {
    let setting = effective.setting;
    let mut text = setting.name.clone();
    if setting.label != setting.name {
        let _ = write!(text, ": {}", setting.label);
    }
    text.push('\n');
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(text, "  {key:13}{value}");
    };
    if !setting.help.is_empty() {
        line("", &setting.help);
    }
    line("type", &type_words(setting));
    line("value", &value_words(effective));
    let of = |is: fn(Layer) -> bool| effective.layers.iter().find(|found| is(found.layer));
    let environment = of(|layer| layer == Layer::Environment);
    line("environment", &layer_words(effective, environment, None));
    let in_file = of(|layer| matches!(layer, Layer::File { .. }));
    line("file", &layer_words(effective, in_file, file));
    let default = of(|layer| layer == Layer::Default);
    line("default", &layer_words(effective, default, None));
    if !setting.former_names.is_empty() {
        line("formerly", &setting.former_names.join(", "));
    }
    if let Some(set) = &setting.together {
        line(
            "together",
            &format!("all settings of the set {set}, or none"),
        );
    }
    if setting.generate.is_some() {
        line("generated", "once, where nobody supplies it");
    }
    if !setting.services.is_empty() {
        line("restarts", &setting.services.join(", "));
    }
    if let Some(problem) = problem {
        line("wrong", &problem.to_string());
    }
    text
}

fn type_words(setting: &SettingConfig) -> String {
    let mut words = setting.value_type.word().to_owned();
    let more = match &setting.value_type {
        SettingType::Integer { min, max } => {
            let bound =
                |word: &str, bound: &Option<i64>| bound.map(|bound| format!("{word} {bound}"));
            let bounds = [bound("at least", min), bound("at most", max)];
            bounds.into_iter().flatten().collect::<Vec<_>>().join(", ")
        }
        SettingType::Url { schemes } => schemes
            .iter()
            .map(|scheme| format!("{scheme}://"))
            .collect::<Vec<_>>()
            .join(", "),
        SettingType::Enum { choices } => choices.join(", "),
        SettingType::String
        | SettingType::Secret
        | SettingType::Boolean
        | SettingType::Port
        | SettingType::Email
        | SettingType::Duration
        | SettingType::Path => String::new(),
    };
    if !more.is_empty() {
        let _ = write!(words, " ({more})");
    }
    if let Some(pattern) = &setting.pattern {
        let _ = write!(words, ", like {pattern}");
    }
    if let Some(validation) = &setting.validation {
        let _ = write!(words, ", judged by `{}`", validation.command);
    }
    if setting.is_required {
        words.push_str(", required");
    }
    if setting.is_secret && setting.value_type != SettingType::Secret {
        words.push_str(", secret");
    }
    words
}

fn value_words(effective: &Effective<'_>) -> String {
    match (&effective.dropped_with, effective.found()) {
        (Some(empty), _) => {
            format!("services do not get it, because {empty} of its set is empty")
        }
        (None, None) => "services do not get it: it is set nowhere".to_owned(),
        (None, Some(found)) => format!(
            "{}, from the {}",
            words(effective.setting, &found.value),
            match found.layer {
                Layer::Environment =>
                    "environment, which beats the settings file and locks it".to_owned(),
                layer @ (Layer::File { .. } | Layer::Default) => layer.word().to_owned(),
            }
        ),
    }
}

fn layer_words(effective: &Effective<'_>, found: Option<&Found>, place: Option<&str>) -> String {
    let Some(found) = found else {
        return "not set".to_owned();
    };
    let mut text = words(effective.setting, &found.value);
    if let (Layer::File { line }, Some(place)) = (found.layer, place) {
        let _ = write!(text, " ({place}:{line})");
    }
    if found.name != effective.setting.name {
        let _ = write!(text, " as {}", found.name);
    }
    text
}

fn words(setting: &SettingConfig, value: &str) -> String {
    if value.is_empty() {
        return "empty".to_owned();
    }
    shown(setting, value)
}

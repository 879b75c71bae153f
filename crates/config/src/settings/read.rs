//! Reads `[setting:NAME]`.

use std::collections::BTreeMap;

use super::alphabet::alphabet;
use super::name::{NameProblem, check_name};
use super::value::whole;
use super::{Encoding, Generate, SettingConfig, SettingType, SettingsConfig, Validation};
use crate::document::Section;
use crate::findings::{Findings, Statement};
use crate::load::Context;
use crate::names::EnvironmentNames;
use crate::options::{OptionSpec, SectionKind, setting as options};
use crate::service::LinchpinConfig;
use crate::service_options::{
    Mistake, OwnReader, boolean, command, some_count, some_duration, word,
};
use crate::value::integer;

/// The words of `type`.
pub(crate) const TYPES: [&str; 10] = [
    "string", "secret", "bool", "integer", "port", "url", "email", "duration", "enum", "path",
];

/// Most settings of a configuration.
const MOST_SETTINGS: usize = 2000;

/// Longest secret that is made.
const LONGEST_SECRET: u32 = 4096;

/// All settings. Nothing if options of ours do not count.
pub(crate) fn settings(
    context: Context<'_>,
    linchpin: Option<&LinchpinConfig>,
    environment: &EnvironmentNames,
    findings: &mut Findings,
) -> SettingsConfig {
    let mut settings = SettingsConfig::default();
    if !context.extensions {
        return settings;
    }
    if let Some(linchpin) = linchpin {
        settings.file.clone_from(&linchpin.settings_file);
        settings.history = linchpin.settings_history;
    }
    // Who has a name, to tell who else wants it.
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    for section in context.document.sections() {
        if SectionKind::of(&section.name) != Some(SectionKind::Setting) {
            continue;
        }
        let mut reader = context.reader(section, environment, findings);
        let mut own = OwnReader {
            reader: &mut reader,
        };
        if settings.declared.len() >= MOST_SETTINGS {
            let message = format!("these are more than {MOST_SETTINGS} settings");
            own.section_problem(Statement::ours(message).help("declare fewer"));
            return settings;
        }
        if let Some(setting) = setting(&mut own, section, settings.file.is_some()) {
            claim(&mut own, &setting, &mut owners);
            settings.declared.push(setting);
        }
    }
    settings
}

fn setting(
    own: &mut OwnReader<'_, '_, '_>,
    section: &Section,
    has_file: bool,
) -> Option<SettingConfig> {
    let name = section.name.strip_prefix("setting:")?;
    if let Err(problem) = check_name(name) {
        own.section_problem(bad_name(name, problem));
        return None;
    }
    let value_type = value_type(own);
    let text = |own: &mut OwnReader<'_, '_, '_>, option: &OptionSpec| {
        own.if_written(option, |text| Ok(one_line(text)))
            .unwrap_or_default()
    };
    let mut setting = SettingConfig {
        name: name.to_owned(),
        is_secret: own
            .if_written(&options::SECRET, boolean)
            .unwrap_or(value_type == SettingType::Secret),
        value_type,
        default: None,
        is_required: own.value(&options::REQUIRED, boolean).unwrap_or_default(),
        group: text(own, &options::GROUP),
        label: Some(text(own, &options::LABEL))
            .filter(|label| !label.is_empty())
            .unwrap_or_else(|| name.to_owned()),
        help: text(own, &options::HELP),
        pattern: own.if_written(&options::PATTERN, pattern).flatten(),
        validation: validation(own),
        former_names: own
            .if_written(&options::FORMER_NAMES, former_names)
            .unwrap_or_default(),
        together: own
            .if_written(&options::TOGETHER, |text| {
                Ok(Some(text.trim().to_owned()).filter(|set| !set.is_empty()))
            })
            .flatten(),
        services: own
            .if_written(&options::SERVICES, |text| Ok(words(text)))
            .unwrap_or_default(),
        generate: generate(own, has_file),
    };
    let default = own.if_written(&options::DEFAULT, |text| {
        let text = one_line(text);
        match setting.check_value(&text) {
            Ok(()) => Ok(text),
            Err(what) => Err(Mistake::new(format!("the default {what}"))
                .help("write a default that the setting itself allows, or none")),
        }
    });
    setting.default = default;
    Some(setting)
}

fn bad_name(name: &str, problem: NameProblem) -> Statement {
    match problem {
        NameProblem::NotAName => Statement::ours(format!("`{name}` cannot be a setting"))
            .help("a setting is a variable: letters, digits and `_`, and no digit first"),
        NameProblem::Dangerous => Statement::ours(format!(
            "`{name}` cannot be a setting: it decides which code runs, or is ours to give"
        ))
        .help("set it in the environment of the container, or in `environment=` of a program"),
    }
}

fn value_type(own: &mut OwnReader<'_, '_, '_>) -> SettingType {
    let number = |own: &mut OwnReader<'_, '_, '_>, option: &OptionSpec| {
        own.if_written(option, |text| {
            integer(text).map_err(|_| Mistake::new(format!("`{text}` is no whole number")))
        })
    };
    let min = number(own, &options::MIN);
    let max = number(own, &options::MAX);
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        own.option_problem(
            &options::MAX,
            Statement::ours("no number is at least `min` and at most `max`")
                .help("write a `max` that is not less than `min`"),
        );
    }
    let schemes = own
        .if_written(&options::SCHEMES, |text| {
            Ok(words(&text.to_ascii_lowercase())
                .iter()
                .map(|word| word.trim_end_matches("://").to_owned())
                .collect())
        })
        .unwrap_or_default();
    let choices: Vec<String> = own
        .if_written(&options::CHOICES, |text| Ok(words(text)))
        .unwrap_or_default();
    let has_choices = !choices.is_empty();
    let known = [
        ("string", SettingType::String),
        ("secret", SettingType::Secret),
        ("bool", SettingType::Boolean),
        ("integer", SettingType::Integer { min, max }),
        ("port", SettingType::Port),
        ("url", SettingType::Url { schemes }),
        ("email", SettingType::Email),
        ("duration", SettingType::Duration),
        ("enum", SettingType::Enum { choices }),
        ("path", SettingType::Path),
    ];
    let positions: Vec<(&'static str, usize)> = known
        .iter()
        .enumerate()
        .map(|(position, (word, _))| (*word, position))
        .collect();
    let position = own
        .value(&options::TYPE, |text| word(text, &positions))
        .unwrap_or_default();
    let value_type = known
        .into_iter()
        .nth(position)
        .map_or(SettingType::String, |(_, value_type)| value_type);
    if matches!(value_type, SettingType::Enum { .. }) && !has_choices {
        own.option_problem(
            &options::TYPE,
            Statement::ours("an `enum` needs choices").help("add `choices=one,two`"),
        );
    }
    value_type
}

fn pattern(text: &str) -> Result<Option<String>, Mistake> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match (
        crate::expression::regular_expression(text),
        whole(text).is_some(),
    ) {
        (Err(error), _) => Err(Mistake::new(format!(
            "`{text}` is no regular expression: {error}"
        ))),
        (Ok(_), false) => Err(Mistake::new(format!(
            "`{text}` is too large a regular expression"
        ))),
        (Ok(_), true) => Ok(Some(text.to_owned())),
    }
}

fn validation(own: &mut OwnReader<'_, '_, '_>) -> Option<Validation> {
    let timeout = own
        .value(&options::VALIDATE_TIMEOUT, some_duration)
        .unwrap_or_default();
    let command = own.if_written(&options::VALIDATE, command).flatten()?;
    Some(Validation { command, timeout })
}

fn former_names(text: &str) -> Result<Vec<String>, Mistake> {
    let names = words(text);
    for name in &names {
        if check_name(name).is_err() {
            return Err(Mistake::new(format!("`{name}` cannot be a setting"))
                .help("a setting is a variable: letters, digits and `_`, and no digit first"));
        }
    }
    Ok(names)
}

fn generate(own: &mut OwnReader<'_, '_, '_>, has_file: bool) -> Option<Generate> {
    const ENCODINGS: [(&str, u8); 4] = [("text", 0), ("hex", 1), ("base64", 2), ("base64url", 3)];
    let is_wanted = own.value(&options::GENERATE, boolean).unwrap_or_default();
    let length = own.value(&options::GENERATE_LENGTH, |text| {
        let length = some_count(text)?;
        if length > LONGEST_SECRET {
            return Err(
                Mistake::new(format!("this is more than {LONGEST_SECRET}")).help("write less")
            );
        }
        Ok(length)
    });
    let characters = own.value(&options::GENERATE_ALPHABET, |text| {
        alphabet(text.trim()).map_err(Mistake::new)
    });
    let encoding = own.value(&options::GENERATE_ENCODING, |text| word(text, &ENCODINGS));
    if !is_wanted {
        return None;
    }
    if !has_file {
        own.option_problem(
            &options::GENERATE,
            Statement::ours("there is no settings file in which a generated value could be kept")
                .help("set `settings_file` in [linchpin], on a volume that outlives the container"),
        );
    }
    let is_text = own
        .reader
        .written(&options::TYPE)
        .is_none_or(|entry| matches!(entry.value.trim(), "string" | "secret"));
    if !is_text {
        own.option_problem(
            &options::GENERATE,
            Statement::ours("only a `string` or a `secret` can be generated")
                .help("write `type=secret`, or remove it"),
        );
    }
    Some(Generate {
        encoding: match encoding? {
            0 => Encoding::Text(characters?),
            1 => Encoding::Hex,
            2 => Encoding::Base64,
            _ => Encoding::Base64Url,
        },
        length: length?,
    })
}

/// Reports names that two settings want.
fn claim(
    own: &mut OwnReader<'_, '_, '_>,
    setting: &SettingConfig,
    owners: &mut BTreeMap<String, String>,
) {
    let names = std::iter::once(&setting.name).chain(&setting.former_names);
    for name in names {
        if let Some(owner) = owners.insert(name.clone(), setting.name.clone()) {
            let message = format!(
                "`{name}` is a name of two settings, {owner} and {}",
                setting.name
            );
            let help = "leave it to one of them";
            own.section_problem(Statement::ours(message).help(help));
        }
    }
}

/// What commas and line ends separate.
fn words(text: &str) -> Vec<String> {
    text.split([',', '\n'])
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A text that may go over several lines.
fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text
        .split('\n')
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join(" ")
}

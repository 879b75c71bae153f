//! Settings that make no sense: options that decide nothing, defaults that are no secrets, services that are not there.

use super::Judge;
use crate::model::Config;
use crate::options::{OptionSpec, linchpin, setting as options};
use crate::settings::{Encoding, SettingConfig, SettingType};
use crate::suggestion::closest;

/// Fewest bits of a secret that nobody guesses.
const FEWEST_BITS: u32 = 64;

pub(super) fn judge(judge: &mut Judge<'_>, config: &Config) {
    let settings = &config.settings;
    for setting in &settings.declared {
        let mut of = Setting {
            judge,
            section: format!("setting:{}", setting.name),
            setting,
        };
        of.alone();
        of.defaults();
        of.generated();
        of.services(config);
    }
    if let Some(entry) = judge.written("linchpin", linchpin::SETTINGS_FILE.name)
        && settings.declared.is_empty()
        && config.extensions
    {
        judge.warn(
            Some(entry.key_span),
            "`settings_file` has nothing to keep: the configuration declares no settings",
            "declare them in sections `[setting:NAME]`; what is not declared does not count",
        );
    }
    if let Some(entry) = judge.written("linchpin", linchpin::SETTINGS_HISTORY.name)
        && settings.file.is_none()
        && config.extensions
    {
        judge.warn(
            Some(entry.key_span),
            "`settings_history` decides nothing without `settings_file`",
            "set `settings_file`, or remove it",
        );
    }
}

/// One setting.
struct Setting<'j, 'd, 'c> {
    judge: &'j mut Judge<'d>,
    section: String,
    setting: &'c SettingConfig,
}

impl Setting<'_, '_, '_> {
    /// Warns of an option, if it is written.
    fn warn(&mut self, option: &OptionSpec, message: impl Into<String>, help: impl Into<String>) {
        if let Some(entry) = self.judge.written(&self.section, option.name) {
            self.judge.warn(Some(entry.key_span), message, help);
        }
    }

    /// Options that decide something about another one, which is not there.
    fn alone(&mut self) {
        let value_type = &self.setting.value_type;
        let generate = self.setting.generate.as_ref();
        let is_text = generate.is_some_and(|how| matches!(how.encoding, Encoding::Text(_)));
        let needed: [(bool, &str, &[&OptionSpec]); 6] = [
            (
                matches!(value_type, SettingType::Integer { .. }),
                "type=integer",
                &[&options::MIN, &options::MAX],
            ),
            (
                matches!(value_type, SettingType::Url { .. }),
                "type=url",
                &[&options::SCHEMES],
            ),
            (
                matches!(value_type, SettingType::Enum { .. }),
                "type=enum",
                &[&options::CHOICES],
            ),
            (
                self.setting.validation.is_some(),
                "validate",
                &[&options::VALIDATE_TIMEOUT],
            ),
            (
                generate.is_some(),
                "generate=true",
                &[&options::GENERATE_LENGTH, &options::GENERATE_ENCODING],
            ),
            (
                is_text,
                if generate.is_some() {
                    "generate_encoding=text"
                } else {
                    "generate=true"
                },
                &[&options::GENERATE_ALPHABET],
            ),
        ];
        for (is_there, what, options) in needed {
            for option in options.iter().filter(|_| !is_there) {
                self.warn(
                    option,
                    format!("`{}` decides nothing without `{what}`", option.name),
                    format!("write `{what}`, or remove it"),
                );
            }
        }
    }

    fn defaults(&mut self) {
        let setting = self.setting;
        let has_default = setting
            .default
            .as_ref()
            .is_some_and(|default| !default.is_empty());
        if setting.is_secret && has_default {
            self.warn(
                &options::DEFAULT,
                "a secret that stands in this file is known to everybody who reads it",
                "write `generate=true` instead, or `required=true` to have people supply it",
            );
        }
        if setting.is_required && setting.together.is_some() {
            self.warn(
                &options::TOGETHER,
                "a setting that is required cannot be left out together with others",
                "remove `required`, or `together`",
            );
        }
        if setting.generate.is_some() && has_default {
            self.warn(
                &options::DEFAULT,
                "a default decides nothing where a value is generated",
                "remove it, or `generate`",
            );
        }
    }

    fn generated(&mut self) {
        let Some(generate) = &self.setting.generate else {
            return;
        };
        let bits = generate.bits();
        if bits < FEWEST_BITS {
            self.warn(
                &options::GENERATE,
                format!("a value of {bits} random bits can be guessed"),
                format!("make `generate_length` or `generate_alphabet` larger, for {FEWEST_BITS} bits at least"),
            );
        }
    }

    fn services(&mut self, config: &Config) {
        let processes = || {
            config
                .groups
                .iter()
                .flat_map(|group| group.processes.iter())
        };
        let programs = || {
            processes()
                .filter_map(|process| process.section.split_once(':'))
                .map(|(_, program)| program)
        };
        for service in &self.setting.services {
            let (group, process) = match service.split_once(':') {
                Some((group, process)) => (Some(group), process),
                None => (None, service.as_str()),
            };
            let is_there = match group {
                Some(group) => config.groups.iter().any(|known| {
                    known.name == group
                        && (process == "*"
                            || known.processes.iter().any(|known| known.name == process))
                }),
                None => {
                    config.groups.iter().any(|known| known.name == process)
                        || processes().any(|known| known.name == process)
                        || programs().any(|known| known == process)
                }
            };
            // What `enabled` has switched off may be there when settings change.
            let is_switched_off = config.switched_off.iter().any(|known| {
                group.is_none_or(|group| known.group == group)
                    && (known.name == process || process == "*" || known.group == process)
            });
            if is_there || is_switched_off {
                continue;
            }
            let names = config
                .groups
                .iter()
                .map(|group| group.name.as_str())
                .chain(programs());
            let help = match closest(service, names) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "name programs, processes or groups of this configuration".to_owned(),
            };
            self.warn(
                &options::SERVICES,
                format!("there is no service `{service}` that could be restarted"),
                help,
            );
        }
    }
}

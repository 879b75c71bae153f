//! Everything that templates can name, put together from what the boot knows.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use linchpin_config::{BootConfig, CaRootsConfig, CertificateConfig, Config};
use minijinja::value::Value;

use super::language::{Names, Problem, escaped_forms, render};
use crate::ca_roots;
use crate::certificates;
use crate::settings::{MASK, Resolved, shown, without_passwords, without_values};

/// What templates can name. `Debug` shows no values.
pub struct Scope {
    names: Names,
    /// The same with secrets masked, for what people are shown.
    masked: Names,
    /// What must not be seen in what others write.
    secrets: Vec<String>,
    /// What commands are given: the environment of services, and over it the settings.
    variables: Vec<(String, Option<String>)>,
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

/// Which services there are, by name, and whether each is enabled.
pub type Services = BTreeMap<String, bool>;

/// The services of a configuration: its programs and groups.
#[must_use]
pub fn services_of(config: &Config) -> Services {
    let mut services = Services::new();
    for group in &config.groups {
        services.insert(group.name.clone(), true);
        for process in &group.processes {
            if let Some((_, program)) = process.section.split_once(':') {
                services.insert(program.to_owned(), true);
            }
        }
    }
    for off in &config.switched_off {
        for name in [&off.group, &off.name] {
            services.entry(name.clone()).or_insert(false);
        }
    }
    services
}

impl Scope {
    /// `environment` is what services would be started with, with settings or without; what it has under the name of a
    /// setting without a value is an example of one that is still to be made. `services` says why, if it is not known which
    /// there are.
    #[must_use]
    pub fn new(
        settings: &Resolved<'_>,
        environment: &[(String, String)],
        boot: &BootConfig,
        services: Result<Services, String>,
    ) -> Self {
        let mut scope = Self {
            names: Names::default(),
            masked: Names::default(),
            secrets: Vec::new(),
            variables: Vec::new(),
        };
        for (name, value) in environment {
            scope.variables.push((name.clone(), Some(value.clone())));
            scope.variable(name, Some(value), &shown_variable(name, value));
        }
        for effective in &settings.settings {
            let setting = effective.setting;
            // Also values that do not count are nobody's business.
            for found in &effective.layers {
                scope.note_secret(&found.value, &shown(setting, &found.value));
            }
            let mut examples = environment.iter().filter(|(name, _)| *name == setting.name);
            let example = || examples.next_back().map(|(_, value)| value.as_str());
            let value = effective.value().or_else(example);
            let mask = value.map_or_else(String::new, |value| shown(setting, value));
            scope.variable(&setting.name, value, &mask);
            scope
                .variables
                .push((setting.name.clone(), value.map(str::to_owned)));
        }
        match services {
            Ok(services) => scope.names.services = Some(services),
            Err(why) => scope.names.services_unknown = why,
        }
        scope.look_again(boot);
        scope
    }

    /// Looks again which of the files are there that other steps of the boot make.
    pub fn look_again(&mut self, boot: &BootConfig) {
        let certificates = boot.certificates.iter().map(|config| {
            let parts = certificate(config);
            (config.name.clone(), parts)
        });
        self.names.certificates = certificates.collect();
        self.names.ca_roots = boot.ca_roots.as_ref().map(roots).unwrap_or_default();
        self.masked = Names {
            variables: std::mem::take(&mut self.masked.variables),
            ..self.names.clone()
        };
    }

    fn variable(&mut self, name: &str, value: Option<&str>, mask: &str) {
        let value = value.map(str::to_owned);
        if let Some(value) = &value {
            self.note_secret(value, mask);
        }
        let masked = value.is_some().then(|| mask.to_owned());
        self.masked.variables.insert(name.to_owned(), masked);
        self.names.variables.insert(name.to_owned(), value);
    }

    /// Notes what of a value people are not shown.
    fn note_secret(&mut self, value: &str, mask: &str) {
        if value == mask {
            return;
        }
        for secret in masked_parts(value, mask) {
            // Shorter ones are everywhere, and no secrets.
            if secret.len() >= 4 {
                self.secrets.extend(escaped_forms(secret));
            }
        }
    }

    /// The text that comes of a template.
    pub(super) fn render(&self, source: &str) -> Result<String, Problem> {
        render(source, &self.names)
    }

    /// The same with secrets masked; none where a template cannot do without them.
    pub(super) fn render_masked(&self, source: &str) -> Option<String> {
        render(source, &self.masked).ok()
    }

    /// A text of others without secrets.
    pub(crate) fn without_secrets(&self, text: &str) -> String {
        let secrets: Vec<&str> = self.secrets.iter().map(String::as_str).collect();
        without_values(text, &secrets)
    }

    /// What commands are given: the environment of services.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let variables = self.variables.iter();
        variables.map(|(name, value)| (name.as_str(), value.as_deref()))
    }
}

/// The parts of a value in whose place a mask stands.
fn masked_parts<'v>(value: &'v str, mask: &str) -> Vec<&'v str> {
    let mut pieces = mask.split(MASK);
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = value.strip_prefix(first) else {
        return vec![value];
    };
    let mut parts = Vec::new();
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        let is_last = pieces.peek().is_none();
        let end = if is_last {
            rest.strip_suffix(piece).map(str::len)
        } else {
            rest.find(piece)
        };
        let Some(end) = end else {
            return vec![value];
        };
        parts.push(&rest[..end]);
        rest = &rest[end + piece.len()..];
    }
    parts
}

/// A variable that no setting declares, as people may see it.
fn shown_variable(name: &str, value: &str) -> String {
    const SECRET: [&str; 7] = [
        "pass",
        "pwd",
        "secret",
        "token",
        "key",
        "credential",
        "salt",
    ];
    const PATHS: [&str; 4] = ["_file", "_path", "_dir", "_sock"];
    if value.is_empty() {
        return String::new();
    }
    let name = name.to_lowercase();
    let is_path = matches!(name.as_str(), "pwd" | "oldpwd")
        || PATHS.iter().any(|ending| name.ends_with(ending));
    if !is_path && SECRET.iter().any(|word| name.contains(word)) {
        return MASK.to_owned();
    }
    if value.contains("://") {
        return without_passwords(value);
    }
    value.to_owned()
}

fn path(path: &Path) -> Value {
    Value::from(path.to_string_lossy().as_ref())
}

fn certificate(config: &CertificateConfig) -> BTreeMap<String, Value> {
    let files = certificates::files_of(config);
    let names = config
        .names
        .iter()
        .map(|name| Value::from(name.to_string()));
    BTreeMap::from([
        ("certificate".to_owned(), path(&files.certificate)),
        ("key".to_owned(), path(&files.key)),
        (
            "exists".to_owned(),
            Value::from(files.certificate.exists() && files.key.exists()),
        ),
        ("names".to_owned(), names.collect()),
        (
            "authority".to_owned(),
            path(&certificates::authority_of(config)),
        ),
    ])
}

fn roots(config: &CaRootsConfig) -> BTreeMap<String, Value> {
    let files = ca_roots::files_of(config);
    let exists = files.iter().any(|(_, file)| file.exists());
    let mut parts: BTreeMap<String, Value> = files
        .into_iter()
        .map(|(name, file)| (name.to_owned(), path(&file)))
        .collect();
    parts.insert("exists".to_owned(), Value::from(exists));
    parts
}

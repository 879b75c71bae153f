//! What a template can name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use linchpin_config::closest;
use minijinja::value::{Enumerator, Object, Value};

use super::words::FUNCTIONS;
use crate::language::words::Unset;

/// The name that was looked for last and is not there. The engine says that something is undefined, and not what.
#[derive(Debug, Clone, Default)]
pub(super) struct Misses(Arc<Mutex<Option<Miss>>>);

/// A name that is not there.
#[derive(Debug, Clone)]
pub(super) struct Miss {
    /// With what stands before it.
    pub(super) name: String,
    /// What to write instead.
    pub(super) help: String,
}

impl Misses {
    fn note(&self, miss: Miss) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(miss);
    }

    pub(super) fn last(&self) -> Option<Miss> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Everything that is known under names of its own; `certificate.web`, say.
pub(super) struct Branch {
    /// What stands before the dot.
    path: String,
    values: BTreeMap<String, Value>,
    misses: Misses,
    /// Why there may be less than there should be.
    excuse: Option<String>,
}

impl fmt::Debug for Branch {
    /// Without values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Branch").field(&self.path).finish()
    }
}

impl Branch {
    pub(super) fn value(path: &str, values: BTreeMap<String, Value>, misses: &Misses) -> Value {
        Self::with_excuse(path, values, misses, None)
    }

    fn with_excuse(
        path: &str,
        values: BTreeMap<String, Value>,
        misses: &Misses,
        excuse: Option<String>,
    ) -> Value {
        Value::from_object(Self {
            path: path.to_owned(),
            values,
            misses: misses.clone(),
            excuse,
        })
    }
}

impl Object for Branch {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        let found = self.values.get(key);
        if found.is_none() {
            let help = match &self.excuse {
                Some(excuse) => excuse.clone(),
                None => suggestion(key, self.values.keys().map(String::as_str)),
            };
            self.misses.note(Miss {
                name: format!("{}.{key}", self.path),
                help,
            });
        }
        found.cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.values.keys().map(Value::from).collect())
    }
}

/// "did you mean", or what there is.
fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    if let Some(meant) = closest(name, known.clone()) {
        return format!("did you mean `{meant}`?");
    }
    let known: Vec<&str> = known.collect();
    match known.len() {
        0 => "there is none".to_owned(),
        1..=12 => format!("there is: {}", known.join(", ")),
        _ => String::new(),
    }
}

/// Variables as a template finds them; those without a value are settings that nobody has set.
pub(crate) type Variables = BTreeMap<String, Option<String>>;

/// Names that settings and variables cannot have at the top, because something else has them.
pub(super) const TOP: [&str; 5] = ["env", "services", "service", "certificate", "ca_roots"];

/// All names at the top.
#[derive(Debug)]
pub(super) struct Root {
    top: BTreeMap<&'static str, Value>,
    variables: Arc<Branch>,
    misses: Misses,
}

/// What [`Root`] is made of.
#[derive(Clone, Default)]
pub(crate) struct Names {
    /// Settings, and the environment.
    pub(crate) variables: Variables,
    /// The parts of each certificate.
    pub(crate) certificates: BTreeMap<String, BTreeMap<String, Value>>,
    /// The files of the authorities.
    pub(crate) ca_roots: BTreeMap<String, Value>,
    /// Whether each service is enabled, or why that is not known.
    pub(crate) services: Option<BTreeMap<String, bool>>,
    /// Why `services` is not known.
    pub(crate) services_unknown: String,
}

impl fmt::Debug for Names {
    /// Without values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names")
            .field("variables", &self.variables.keys())
            .finish_non_exhaustive()
    }
}

impl Root {
    pub(super) fn new(names: &Names, misses: &Misses) -> Self {
        let variables = names
            .variables
            .iter()
            .map(|(name, value)| {
                let value = match value {
                    Some(value) => Value::from(value.as_str()),
                    None => Value::from_object(Unset { name: name.clone() }),
                };
                (name.clone(), value)
            })
            .collect();
        let mut top = BTreeMap::new();
        let certificates = names
            .certificates
            .iter()
            .map(|(name, parts)| {
                let path = format!("certificate.{name}");
                (name.clone(), Branch::value(&path, parts.clone(), misses))
            })
            .collect();
        top.insert(
            "certificate",
            Branch::value("certificate", certificates, misses),
        );
        top.insert(
            "ca_roots",
            Branch::value("ca_roots", names.ca_roots.clone(), misses),
        );
        let services = names.services.iter().flatten();
        let service = services
            .clone()
            .map(|(name, enabled)| {
                let parts = BTreeMap::from([("enabled".to_owned(), Value::from(*enabled))]);
                (
                    name.clone(),
                    Branch::value(&format!("service.{name}"), parts, misses),
                )
            })
            .collect();
        let excuse = names
            .services
            .is_none()
            .then(|| names.services_unknown.clone());
        top.insert(
            "service",
            Branch::with_excuse("service", service, misses, excuse),
        );
        if names.services.is_some() {
            let enabled = services.filter(|(_, enabled)| **enabled);
            top.insert(
                "services",
                enabled
                    .map(|(name, _)| Value::from(name.as_str()))
                    .collect(),
            );
        }
        Self {
            top,
            variables: Arc::new(Branch {
                path: "env".to_owned(),
                values: variables,
                misses: misses.clone(),
                excuse: None,
            }),
            misses: misses.clone(),
        }
    }
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        if name == "env" {
            return Some(Value::from_dyn_object(Arc::clone(&self.variables)));
        }
        if let Some(value) = self.top.get(name) {
            return Some(value.clone());
        }
        // Functions are looked for here first, and are not missing.
        if FUNCTIONS.contains(&name) {
            return None;
        }
        let found = self.variables.values.get(name);
        if found.is_none() {
            let help = if name == "services" {
                self.services_help()
            } else {
                let known = self.variables.values.keys().map(String::as_str);
                match closest(name, known.chain(TOP)) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!(
                        "declare [setting:{name}], or write `{name} | default(\"\")` for what may be missing"
                    ),
                }
            };
            self.misses.note(Miss {
                name: name.to_owned(),
                help,
            });
        }
        found.cloned()
    }
}

impl Root {
    fn services_help(&self) -> String {
        let service = self.top.get("service");
        let branch = service.and_then(|service| service.downcast_object_ref::<Branch>());
        branch
            .and_then(|branch| branch.excuse.clone())
            .unwrap_or_default()
    }
}

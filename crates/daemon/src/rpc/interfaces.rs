//! Which RPC interfaces are configured, and under which names their methods are called.
//!
//! In the original an interface is Python code that `[rpcinterface:x]` names, and `x` is the namespace of its
//! methods. Here those that many people use are built in, under the same names; all others are refused when
//! the daemon starts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use linchpin_config::{Config, Plugin};
use linchpin_protocol::{Fault, method_names};

/// An interface that is built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What `supervisorctl` and everybody else uses.
    Main,
    /// Of the package `supervisor_twiddler`: changes groups while they are at work.
    Twiddler,
    /// Of the package `supervisor_cache`: keeps what clients store.
    Cache,
    /// Ours. No section asks for it; it is listed where there is a `[linchpin]` section.
    Linchpin,
}

/// The Python functions whose place each takes.
pub(crate) const FACTORIES: [(&str, Kind); 3] = [
    ("supervisor.rpcinterface:make_main_rpcinterface", Kind::Main),
    (
        "supervisor_twiddler.rpcinterface:make_twiddler_rpcinterface",
        Kind::Twiddler,
    ),
    (
        "supervisor_cache.rpcinterface:make_cache_rpcinterface",
        Kind::Cache,
    ),
];

/// Values of `supervisor.rpcinterface_factory` that are built in.
pub const RPC_INTERFACES: [&str; 3] = [FACTORIES[0].0, FACTORIES[1].0, FACTORIES[2].0];

/// The fault of `supervisor_twiddler` for a method that its whitelist does not have. The original knows no
/// name for the number.
const NOT_IN_WHITELIST: i32 = 230;

impl Kind {
    /// The interface that takes the place of a Python function.
    pub(crate) fn of_factory(factory: &str) -> Option<Self> {
        FACTORIES
            .iter()
            .find(|(known, _)| *known == factory)
            .map(|(_, kind)| *kind)
    }

    /// The namespace that its methods have in the table of methods.
    fn namespace(self) -> &'static str {
        match self {
            Self::Main => "supervisor",
            Self::Twiddler => "twiddler",
            Self::Cache => "cache",
            Self::Linchpin => "linchpin",
        }
    }
}

/// A section.
#[derive(Debug)]
struct Interface {
    /// The namespace that its methods have for clients.
    namespace: String,
    kind: Kind,
    /// The only methods that may be called; none allows all.
    whitelist: Vec<String>,
}

impl Interface {
    /// The method `name`, which a client called `method`.
    fn called<'a>(&self, method: &'a str, name: &str) -> Called<'a> {
        let namespace = self.kind.namespace();
        let whitelist = &self.whitelist;
        Called {
            is_allowed: whitelist.is_empty() || whitelist.iter().any(|allowed| allowed == name),
            name: if self.namespace == namespace {
                Cow::Borrowed(method)
            } else {
                Cow::Owned(format!("{namespace}.{name}"))
            },
            kind: Some(self.kind),
        }
    }
}

/// A method that a client named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Called<'a> {
    /// Its name in the table of methods; one that is not there is not published either.
    pub(crate) name: Cow<'a, str>,
    /// Whose it is; none for `system`.
    pub(crate) kind: Option<Kind>,
    /// It is in the whitelist, or there is none.
    is_allowed: bool,
}

impl Called<'_> {
    /// # Errors
    /// If the method may not be called.
    pub(crate) fn check_allowed(&self) -> Result<(), Fault> {
        if self.is_allowed {
            return Ok(());
        }
        let name = self.name.split_once('.').map_or("", |(_, name)| name);
        Err(Fault {
            code: NOT_IN_WHITELIST,
            text: format!("UNKNOWN: {name}"),
        })
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Interfaces {
    all: Vec<Interface>,
    /// Clients are told of our own methods, too.
    lists_ours: bool,
    /// The main file, and `[supervisord] environment`: for programs that clients add.
    pub(crate) file: PathBuf,
    pub(crate) environment: BTreeMap<String, String>,
    /// Whether options of ours count in such programs.
    pub(crate) extensions: bool,
}

impl Interfaces {
    /// Those of a configuration.
    pub(crate) fn of_config(config: &Config) -> Self {
        let interface = |plugin: &Plugin| {
            Some(Interface {
                namespace: plugin.name.clone(),
                kind: Kind::of_factory(&plugin.factory)?,
                whitelist: plugin
                    .options
                    .get("whitelist")
                    .map_or_else(Vec::new, |list| names(list)),
            })
        };
        Self {
            all: config.rpc_interfaces.iter().filter_map(interface).collect(),
            lists_ours: config.linchpin.is_some(),
            file: config.file.clone(),
            environment: config.supervisord.environment.clone(),
            extensions: config.extensions,
        }
    }

    /// The main one alone, under its usual name.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn main() -> Self {
        let main = Interface {
            namespace: Kind::Main.namespace().to_owned(),
            kind: Kind::Main,
            whitelist: Vec::new(),
        };
        Self {
            all: vec![main],
            ..Self::default()
        }
    }

    /// Finds a method by the name that clients use.
    pub(crate) fn find<'a>(&self, method: &'a str) -> Option<Called<'a>> {
        let (namespace, name) = method.split_once('.')?;
        if namespace == "system" {
            return Some(Called {
                name: Cow::Borrowed(method),
                kind: None,
                is_allowed: true,
            });
        }
        if let Some(interface) = self.all.iter().find(|each| each.namespace == namespace) {
            return Some(interface.called(method, name));
        }
        (namespace == Kind::Linchpin.namespace()).then_some(Called {
            name: Cow::Borrowed(method),
            kind: Some(Kind::Linchpin),
            is_allowed: true,
        })
    }

    /// The names of all methods, sorted.
    pub(crate) fn method_names(&self) -> Vec<Cow<'static, str>> {
        let mut names = Vec::new();
        for method in method_names() {
            let Some((namespace, name)) = method.split_once('.') else {
                continue;
            };
            let is_listed = namespace == "system"
                || (namespace == Kind::Linchpin.namespace() && self.lists_ours);
            if is_listed {
                names.push(Cow::Borrowed(method));
            }
            for interface in &self.all {
                if interface.kind.namespace() != namespace {
                    continue;
                }
                names.push(if interface.namespace == namespace {
                    Cow::Borrowed(method)
                } else {
                    Cow::Owned(format!("{}.{name}", interface.namespace))
                });
            }
        }
        names.sort_unstable();
        names
    }
}

/// A list of names, as Python's `list_of_strings` reads it.
fn names(list: &str) -> Vec<String> {
    list.split(',')
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Interfaces by namespace, kind and whitelist.
    pub(crate) fn interfaces(all: &[(&str, Kind, &str)]) -> Interfaces {
        let all = all.iter().map(|(namespace, kind, whitelist)| Interface {
            namespace: (*namespace).to_owned(),
            kind: *kind,
            whitelist: names(whitelist),
        });
        Interfaces {
            all: all.collect(),
            ..Interfaces::default()
        }
    }

    #[test]
    fn methods_exist_under_the_names_of_their_sections() {
        let interfaces = interfaces(&[
            ("supervisor", Kind::Main, ""),
            ("tw", Kind::Twiddler, "log, getGroupNames"),
        ]);
        for (method, expected) in [
            ("supervisor.getState", Some(("supervisor.getState", true))),
            ("system.listMethods", Some(("system.listMethods", true))),
            ("tw.log", Some(("twiddler.log", true))),
            ("tw.getAPIVersion", Some(("twiddler.getAPIVersion", false))),
            ("twiddler.log", None),
            ("cache.store", None),
            ("linchpin.why", Some(("linchpin.why", true))),
            ("nonsense", None),
        ] {
            let found = interfaces.find(method);
            let seen = found
                .as_ref()
                .map(|called| (called.name.as_ref(), called.check_allowed().is_ok()));
            assert_eq!(seen, expected, "{method}");
        }
        let names = interfaces.method_names();
        let of_twiddler: Vec<_> = names.iter().filter(|name| name.starts_with("tw")).collect();
        assert_eq!(of_twiddler.len(), 5);
        assert!(of_twiddler.iter().all(|name| name.starts_with("tw.")));
        assert!(!names.iter().any(|name| name.starts_with("cache.")));
        assert!(names.is_sorted());
        assert!(!names.iter().any(|name| name.starts_with("linchpin.")));
        let with_ours = Interfaces {
            lists_ours: true,
            ..interfaces
        };
        let ours = with_ours.method_names();
        assert!(ours.iter().any(|name| name == "linchpin.why"));
    }
}

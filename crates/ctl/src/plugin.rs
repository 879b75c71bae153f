//! `[ctlplugin:x]`: further commands, of which a few widespread ones are here.
//!
//! The original loads a Python package for each such section. We cannot; what the packages below offer is built in under
//! their names, and of every other one we say that it is missing when a command is not known.

use linchpin_config::Plugin as Section;

const SERIAL_RESTART: &str =
    "supervisorserialrestart.controllerplugin:make_serialrestart_controllerplugin";
const QUICK: &str = "supervisor_quick:make_quick_controllerplugin";
const WILDCARDS: &str = "supervisorwildcards.controllerplugin:make_wildcards_controllerplugin";

/// Values of `supervisor.ctl_factory` that are built in.
pub const PLUGINS: [&str; 3] = [SERIAL_RESTART, QUICK, WILDCARDS];

/// What a section stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `serialrestart`, of the package supervisor-serialrestart.
    SerialRestart,
    /// `quickstart`, `quickstop` and `quickrestart`, of supervisor-quick. Looks this often for the state to change.
    Quick { looks: u32 },
    /// `mstart`, `mstop` and `mrestart`, of supervisor-wildcards. Patterns may have to match the name of the group too.
    Wildcards { matches_group: bool },
    /// Something else.
    Unknown,
}

/// A `[ctlplugin:x]` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugin {
    /// The `x`.
    pub(crate) name: String,
    /// What it names as the source of its commands.
    pub(crate) factory: String,
    pub(crate) kind: Kind,
}

impl Plugin {
    /// What a section of the configuration means.
    #[must_use]
    pub fn of_section(section: &Section) -> Self {
        let number = |key: &str, default| {
            let value = section.options.get(key);
            value.map_or(Some(default), |value| linchpin_python::exact_int(value))
        };
        let kind = match section.factory.as_str() {
            SERIAL_RESTART => Kind::SerialRestart,
            QUICK => Kind::Quick {
                looks: number("retries", DEFAULT_LOOKS)
                    .and_then(|looks| u32::try_from(looks).ok())
                    .unwrap_or(0),
            },
            WILDCARDS => Kind::Wildcards {
                matches_group: number("match_group", 0) != Some(0),
            },
            _ => Kind::Unknown,
        };
        Self {
            name: section.name.clone(),
            factory: section.factory.clone(),
            kind,
        }
    }

    /// The commands that it brings.
    pub(crate) fn commands(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::SerialRestart => &["serialrestart"],
            Kind::Quick { .. } => &["quickrestart", "quickstart", "quickstop"],
            Kind::Wildcards { .. } => &["mrestart", "mstart", "mstop"],
            Kind::Unknown => &[],
        }
    }

    /// What there is to say when a command is not known.
    pub(crate) fn complaint(&self) -> Option<String> {
        (self.kind == Kind::Unknown).then(|| {
            format!(
                "[ctlplugin:{}] asks for commands of the Python package behind {}, which this supervisorctl cannot load",
                self.name, self.factory
            )
        })
    }
}

/// How often supervisor-quick looks.
const DEFAULT_LOOKS: i64 = 30;

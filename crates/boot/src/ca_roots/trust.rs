//! What came of the folder, in as few words as programs have to be told of it: which variables they get follows from that
//! and from what else they are given, which may be another one at each start.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use linchpin_config::CaRootsConfig;

use super::variables::{Variable, variables};

/// What programs that start now are to trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    config: CaRootsConfig,
    /// The bundle of the system.
    system: Option<PathBuf>,
    /// Tells what is trusted from what was; none where nothing is but what the system trusts anyway.
    content: Option<u64>,
}

impl Trust {
    /// `bundle` is everything that is trusted, if there is something of the folder in it.
    pub(super) fn new(
        config: &CaRootsConfig,
        system: Option<&Path>,
        bundle: Option<&[u8]>,
    ) -> Self {
        let content = bundle.map(|bundle| {
            let mut hasher = DefaultHasher::new();
            bundle.hash(&mut hasher);
            hasher.finish()
        });
        Self {
            config: config.clone(),
            system: system.map(Path::to_owned),
            content,
        }
    }

    /// Whether there is something to trust besides what the system trusts.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.content.is_some()
    }

    /// Whether other certificates are trusted.
    #[must_use]
    pub fn differs_from(&self, other: &Self) -> bool {
        self.content != other.content
    }

    /// What asked for it.
    #[must_use]
    pub fn config(&self) -> &CaRootsConfig {
        &self.config
    }

    /// The names of the variables for programs that are started with these, each with whether more is in it than ours.
    #[must_use]
    pub fn names(&self, environment: &[(String, String)]) -> Vec<(String, bool)> {
        let variables = self.variables(environment).into_iter();
        variables
            .map(|variable| (variable.name.clone(), variable.is_added()))
            .collect()
    }

    /// The variables for programs that are started with these.
    #[must_use]
    pub fn variables(&self, environment: &[(String, String)]) -> Vec<Variable> {
        self.judged(environment).0
    }

    /// The variables, and why some are not set.
    pub(super) fn judged(&self, environment: &[(String, String)]) -> (Vec<Variable>, Vec<String>) {
        if !self.is_any() {
            return (Vec::new(), Vec::new());
        }
        let output = Path::new(&self.config.output);
        variables(&self.config, output, self.system.as_deref(), environment)
    }
}

//! `[ca-roots]` as new settings make it: its folder may be named by one, and the variables through which programs learn what
//! to trust may be settings themselves.

use std::fmt;
use std::sync::Arc;

use linchpin_boot::ca_roots::Trust;
use linchpin_boot::sequence::{RootsState, expected_roots, look_after_roots};
use linchpin_config::{BootConfig, CaRootsConfig};

use super::given::MadeByBoot;
use crate::boot::{seconds, set};

/// From what there is to what an apply makes of it.
#[derive(Debug, Clone)]
pub(crate) struct RootsChange {
    /// None if nothing asked for it.
    before: Option<Roots>,
    /// None if nothing asks for it any more.
    after: Option<Roots>,
    /// What programs were to trust.
    old: Option<Arc<Trust>>,
    /// What they are to trust.
    pub(super) new: Option<Arc<Trust>>,
}

/// What is to be made, for programs that are started with this. It may have secrets in it, so nothing shows it.
#[derive(Clone)]
pub(super) struct Roots {
    pub(super) config: CaRootsConfig,
    pub(super) environment: Vec<(String, String)>,
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roots")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Roots {
    /// What a configuration says, and what programs are started with as far as it is known before that is made.
    pub(super) fn of(
        boot: &BootConfig,
        mut environment: Vec<(String, String)>,
        common: impl IntoIterator<Item = (String, String)>,
    ) -> Option<Self> {
        set(&mut environment, common);
        let config = boot.ca_roots.clone()?;
        Some(Self {
            config,
            environment,
        })
    }

    fn look_after(&self) -> RootsState {
        look_after_roots(&self.config, &self.environment, seconds())
    }
}

impl RootsChange {
    /// Finds out what would be made, without making it; none if it stays as it is. `before` and `after` are what the
    /// configuration says with the settings of before and with the new ones, `environment` is what programs are started with now.
    ///
    /// # Errors
    /// Why it cannot be made.
    pub(super) fn plan(
        made: &MadeByBoot,
        before: Option<Roots>,
        after: Option<Roots>,
        environment: Vec<(String, String)>,
    ) -> Result<Option<Self>, String> {
        let old = made.trust();
        let before = match &old {
            // What is at work counts, and not what somebody has written into the settings file since.
            Some(trust) => Some(Roots {
                config: trust.config().clone(),
                environment: before.map_or(environment, |roots| roots.environment),
            }),
            None => before,
        };
        let sets = |roots: &Roots| match &old {
            Some(trust) => trust.names(&roots.environment),
            None => Vec::new(),
        };
        let config = |roots: &Option<Roots>| roots.as_ref().map(|roots| roots.config.clone());
        let is_same = config(&before) == config(&after)
            && before.as_ref().map(sets) == after.as_ref().map(sets);
        if is_same {
            return Ok(None);
        }
        let new = match &after {
            Some(roots) => {
                let state = expected_roots(&roots.config, &roots.environment, seconds());
                match (state.trust, state.problem) {
                    (Some(trust), _) => Some(Arc::new(trust)),
                    (None, problem) => return Err(problem.unwrap_or_default()),
                }
            }
            None => None,
        };
        Ok(Some(Self {
            before,
            after,
            old,
            new,
        }))
    }

    /// Makes what is wanted. Waits for the disk.
    ///
    /// # Errors
    /// Why it cannot be made.
    pub(crate) fn make(&self) -> Result<(), String> {
        made(self.after.as_ref())
    }

    /// Makes what there was before. Waits for the disk.
    ///
    /// # Errors
    /// Why it cannot be made.
    pub(crate) fn put_back(&self) -> Result<(), String> {
        made(self.before.as_ref())
    }

    /// What programs are to trust, with the new settings or with those of before.
    pub(crate) fn trust(&self, is_forward: bool) -> Option<Arc<Trust>> {
        let trust = if is_forward { &self.new } else { &self.old };
        trust.clone()
    }
}

/// The files stay where nothing asks for them any more: programs that run have been told of them.
fn made(roots: Option<&Roots>) -> Result<(), String> {
    let problem = roots.and_then(|roots| roots.look_after().problem);
    problem.map_or(Ok(()), |problem| Err(format!("[ca-roots]: {problem}")))
}

//! What a service is given at its start.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError};

use linchpin_boot::ca_roots::Trust;
use linchpin_boot::proxies::agree;
use linchpin_boot::settings::{GIVEN, Layer, Resolved};
use linchpin_config::LeftOut;
use linchpin_sys::spawn::Environment;

/// What a boot has made that services are given over settings.
#[derive(Default)]
pub(crate) struct MadeByBoot {
    /// What programs are to trust, as it is now. Held for a moment only.
    pub(crate) trust: Mutex<Option<Arc<Trust>>>,
    /// Something asks for that, so that it may become another one.
    pub(crate) has_roots: bool,
    /// Variables through which programs find an entry in passwd for the user of the daemon.
    pub(crate) identity: Vec<(String, String)>,
    /// What `[supervisord]` adds to the environment of every program.
    pub(crate) common: Vec<(String, String)>,
    /// Services that are left out because of what could not be made.
    pub(crate) left_out: Vec<LeftOut>,
    /// Whether variables about proxies agree. They may be settings, so this is done for each start.
    pub(crate) proxies_agree: bool,
}

impl MadeByBoot {
    pub(super) fn trust(&self) -> Option<Arc<Trust>> {
        let trust = self.trust.lock().unwrap_or_else(PoisonError::into_inner);
        trust.clone()
    }

    pub(super) fn set_trust(&self, trust: Option<Arc<Trust>>) {
        let mut known = self.trust.lock().unwrap_or_else(PoisonError::into_inner);
        *known = trust;
    }

    /// The variables for programs that are started with these, and with what `[supervisord]` adds: that somebody sets one of
    /// them counts.
    pub(crate) fn variables(
        &self,
        trust: Option<&Trust>,
        environment: &[(String, String)],
        common: &[(String, String)],
    ) -> Vec<(String, String)> {
        let mut given = self.identity.clone();
        let Some(trust) = trust else {
            return given;
        };
        let is_common = |name: &String| common.iter().any(|(known, _)| known == name);
        let others = environment.iter().filter(|(name, _)| !is_common(name));
        let all: Vec<(String, String)> = others.chain(common).cloned().collect();
        let variables = trust.variables(&all);
        let variables = variables.iter();
        given.extend(variables.map(|variable| (variable.name.clone(), variable.value())));
        given
    }
}

/// What a service is given at its start.
pub(crate) struct Given {
    pub(super) environment: Arc<Environment>,
    /// The settings in it; of those without a value there is none.
    pub(super) values: BTreeMap<String, Option<String>>,
    /// What it is to trust.
    pub(super) trust: Option<Arc<Trust>>,
}

impl std::fmt::Debug for Given {
    /// Without values.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Given").finish_non_exhaustive()
    }
}

impl Given {
    /// From settings, and from what a boot has made.
    pub(super) fn of(resolved: &Resolved<'_>, made: &MadeByBoot) -> Arc<Self> {
        Self::with(resolved, made, made.trust())
    }

    /// The same with something else to trust.
    pub(super) fn with(
        resolved: &Resolved<'_>,
        made: &MadeByBoot,
        trust: Option<Arc<Trust>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            environment: service_environment(resolved, made, trust.as_deref()),
            values: resolved
                .variables()
                .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
                .collect(),
            trust,
        })
    }

    /// Whether a newer one has other certificates to trust.
    pub(super) fn trusts_others_than(&self, newer: &Self) -> bool {
        match (&self.trust, &newer.trust) {
            (Some(old), Some(new)) => new.differs_from(old),
            (None, Some(trust)) | (Some(trust), None) => trust.is_any(),
            (None, None) => false,
        }
    }

    /// The settings that are other ones in a newer one.
    pub(super) fn differing(&self, newer: &Self) -> Vec<String> {
        newer
            .values
            .iter()
            .filter(|(name, value)| self.values.get(*name) != Some(*value))
            .map(|(name, _)| name.clone())
            .collect()
    }
}

/// What services are started with: the daemon's own environment, also what of it is no text, with settings over it, and
/// what a boot has made over those. Where there are no settings, nothing is said about them.
fn service_environment(
    resolved: &Resolved<'_>,
    made: &MadeByBoot,
    trust: Option<&Trust>,
) -> Arc<Environment> {
    let is_setting = |name: &OsString| {
        name.to_str()
            .is_some_and(|name| resolved.named(name).is_some())
    };
    let has_settings = !resolved.settings.is_empty();
    let is_ours = |name: &OsString| is_setting(name) || (has_settings && name == GIVEN);
    let outside = std::env::vars_os().filter(|(name, _)| !is_ours(name));
    let set = resolved
        .variables()
        .filter_map(|(name, value)| Some((OsString::from(name), OsString::from(value?))));
    let given: Vec<&str> = resolved
        .settings
        .iter()
        .filter(|setting| setting.value().is_some())
        .filter(|setting| {
            setting
                .found()
                .is_some_and(|found| found.layer != Layer::Environment)
        })
        .map(|setting| setting.setting.name.as_str())
        .collect();
    let given = (OsString::from(GIVEN), OsString::from(given.join(" ")));
    let given = has_settings.then_some(given);
    let mut all: Vec<(OsString, OsString)> = outside.chain(set).chain(given).collect();
    if trust.is_some() || !made.identity.is_empty() {
        let texts = all.iter();
        let texts = texts.filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)));
        let texts: Vec<(String, String)> = texts
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let variables = made.variables(trust, &texts, &made.common).into_iter();
        all.extend(variables.map(|(name, value)| (name.into(), value.into())));
    }
    if made.proxies_agree {
        let texts = all.iter();
        let texts = texts.filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)));
        let changes = agree(texts).changes.into_iter();
        let changes: Vec<_> = changes
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        all.extend(changes);
    }
    // Values have no control characters, and the kernel's own texts no NUL bytes.
    Arc::new(Environment::new(all).unwrap_or_default())
}

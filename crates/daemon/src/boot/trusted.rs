//! What is known of the authorities that programs trust, and what there is to say when that changes.

use linchpin_boot::ca_roots::Trust;
use linchpin_boot::sequence::RootsState;
use linchpin_config::{CaRootsConfig, OnFailure};
use linchpin_log::LogLevel;

use super::told::Told;

/// What follows for programs that run.
const STALE: &str =
    "programs that run trust what they did when they were started, until they are restarted";

/// What follows for the configuration.
const UNREAD: &str = "what the configuration says with them (`%(ENV_x)s`, `enabled`) counts after `supervisorctl update`";

/// What follows for services that were left out.
const LEFT_OUT: &str =
    "what was left out because of [ca-roots] comes back with `supervisorctl update`";

/// What is known.
#[derive(Debug, Default)]
pub(super) struct Trusted {
    trust: Option<Trust>,
    told: Told,
    /// The last look has failed.
    has_failed: bool,
    /// The boot left services out because of it.
    has_left_out: bool,
    /// Nobody has looked since somebody else has made it.
    is_unknown: bool,
}

impl Trusted {
    /// What a boot has found and told of.
    pub(super) fn of(state: Option<RootsState>, now: i64) -> Self {
        let mut trusted = Self::default();
        if let Some(state) = state {
            trusted
                .told
                .all(state.problem.as_deref(), &state.warnings, now);
            trusted.has_failed = state.problem.is_some();
            let skips = state.config.policy.on_failure == OnFailure::Skip;
            trusted.has_left_out = trusted.has_failed && skips;
            trusted.trust = state.trust;
        }
        trusted
    }

    /// Somebody else has made it, for another configuration, and sees to what programs are to trust.
    pub(super) fn forget(&mut self) {
        self.is_unknown = true;
    }

    /// Whether nobody has looked since then.
    pub(super) fn is_unknown(&self) -> bool {
        self.is_unknown
    }

    /// Takes what a look has found: what the log is to be told, and what is to be trusted from here on, if that is something
    /// else.
    pub(super) fn take(
        &mut self,
        state: RootsState,
        config: Option<&CaRootsConfig>,
        now: i64,
    ) -> (Vec<(LogLevel, String)>, Option<Trust>) {
        if config != Some(&state.config) {
            // It was found for a configuration that is another one now.
            return (Vec::new(), None);
        }
        self.is_unknown = false;
        let changed = self.changed(state.trust);
        let mut lines = Vec::new();
        if changed.is_some() {
            let text = format!("[ca-roots] has changed: {}; {STALE}", state.summary);
            lines.push((LogLevel::Info, text));
        } else if self.has_failed && state.problem.is_none() {
            let text = format!("[ca-roots] is as it should be again: {}", state.summary);
            lines.push((LogLevel::Info, text));
        }
        if let Some((Some(is_any), _)) = &changed {
            lines.push((LogLevel::Info, variables(*is_any)));
        }
        self.has_failed = state.problem.is_some();
        if !self.has_failed && std::mem::take(&mut self.has_left_out) {
            lines.push((LogLevel::Info, LEFT_OUT.to_owned()));
        }
        let (problem, is_new) = (state.problem.as_deref(), changed.is_some());
        for (level, text) in self.told.not_yet(problem, &state.warnings, is_new, now) {
            lines.push((level, format!("[ca-roots] {text}")));
        }
        (lines, changed.map(|(_, trust)| trust))
    }

    /// Takes what a boot has found that was done while programs run: what it has not told of itself.
    pub(super) fn follow(
        &mut self,
        state: Option<RootsState>,
        now: i64,
    ) -> Vec<(LogLevel, String)> {
        let old = self.trust.take();
        *self = Self::of(state, now);
        let differs = match (&old, &self.trust) {
            (Some(old), Some(new)) => new.differs_from(old),
            (Some(one), None) | (None, Some(one)) => one.is_any(),
            (None, None) => false,
        };
        if !differs {
            return Vec::new();
        }
        let text = format!("[ca-roots] has changed: {STALE}");
        vec![(LogLevel::Info, text)]
    }

    /// What is to be trusted, if that is something else, and whether there is something at all, if that is new.
    fn changed(&mut self, trust: Option<Trust>) -> Option<(Option<bool>, Trust)> {
        let trust = trust?;
        let was_any = self.trust.as_ref().is_some_and(Trust::is_any);
        let is_same = match &self.trust {
            Some(old) => !trust.differs_from(old),
            None => !trust.is_any(),
        };
        self.trust = Some(trust.clone());
        let is_any = trust.is_any();
        (!is_same).then(|| ((was_any != is_any).then_some(is_any), trust))
    }
}

/// What becomes of the variables.
fn variables(is_any: bool) -> String {
    if is_any {
        format!(
            "programs that start from here on find variables that name the files of [ca-roots]; {UNREAD}"
        )
    } else {
        format!(
            "programs that start from here on find no variables of [ca-roots], as there is nothing to trust; {UNREAD}"
        )
    }
}

#[cfg(test)]
mod tests {
    use linchpin_boot::sequence::look_after_roots;
    use linchpin_config::{StepPolicy, SystemBundle};

    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[test]
    fn what_changes_is_told_with_what_follows_and_what_is_of_another_configuration_does_not_count()
    {
        let place = tempfile::tempdir().unwrap();
        let text = |name: &str| place.path().join(name).display().to_string();
        let config = CaRootsConfig {
            directory: text("folder"),
            output: text("output"),
            system_bundle: SystemBundle::None,
            java_trust_store: false,
            variables: vec!["SSL_CERT_FILE".to_owned()],
            policy: StepPolicy::on_failure(OnFailure::Warn),
        };
        let look = |config: &CaRootsConfig| look_after_roots(config, &[], NOW);
        let mut trusted = Trusted::of(Some(look(&config)), NOW);
        let mut take = |state: RootsState| {
            let (lines, trust) = trusted.take(state, Some(&config), NOW);
            (lines.len(), trust.map(|trust| trust.is_any()))
        };
        assert_eq!(take(look(&config)), (0, None), "nothing has changed");
        std::fs::create_dir(text("folder")).unwrap();
        let own = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        std::fs::write(text("folder/a.pem"), own.cert.pem()).unwrap();
        let other = CaRootsConfig {
            directory: text("other"),
            ..config.clone()
        };
        assert_eq!(take(look(&other)), (0, None));
        assert_eq!(take(look(&config)), (2, Some(true)), "and variables");
        assert_eq!(take(look(&config)), (0, None));
        let failed = RootsState {
            trust: None,
            problem: Some("the volume is away".to_owned()),
            ..look(&config)
        };
        assert_eq!(take(failed.clone()), (1, None), "what there was stays");
        assert_eq!(take(failed), (0, None), "told today");
        assert_eq!(take(look(&config)), (1, None), "well again");
        std::fs::remove_file(text("folder/a.pem")).unwrap();
        assert_eq!(take(look(&config)), (2, Some(false)));
        let skips = CaRootsConfig {
            policy: StepPolicy::on_failure(OnFailure::Skip),
            ..config
        };
        let failed = RootsState {
            problem: Some("the volume is away".to_owned()),
            ..look(&skips)
        };
        let mut trusted = Trusted::of(Some(failed), NOW);
        let (lines, _) = trusted.take(look(&skips), Some(&skips), NOW);
        let is_told = |(_, text): &(LogLevel, String)| text.contains("supervisorctl update");
        assert!(lines.iter().any(is_told), "{lines:?}");
        let (lines, _) = trusted.take(look(&skips), Some(&skips), NOW);
        assert_eq!(lines, []);
    }
}

//! Options of ours that mean nothing together.

use super::{Judge, dependencies, one_process_of_each_section};
use crate::model::{AutoRestart, Config, ProcessConfig};
use crate::options::service as options;
use crate::options::{OptionSpec, Origin, SectionKind, linchpin};
use crate::service::{Condition, Importance, OnEnd, ProbeKind, ServiceConfig};
use crate::world::World;

pub(super) fn judge(judge: &mut Judge<'_>, world: &dyn World, config: &Config) {
    if is_switched_off(judge) {
        return;
    }
    let without = ServiceConfig::default();
    for (_, process) in one_process_of_each_section(config) {
        let service = process.service.as_deref().unwrap_or(&without);
        let mut of = Section {
            judge,
            process,
            service,
        };
        of.alone();
        of.twice();
        of.ends();
        of.restarts();
        of.oneshot();
        of.certificates(world);
        dependencies::judge(judge, config, process, service);
    }
    dependencies::markers(judge, config);
    if let Some(linchpin) = &config.linchpin
        && linchpin.state_directory.is_none()
        && let Some(entry) = judge.written("linchpin", linchpin::HISTORY_MAXBYTES.name)
    {
        judge.warn(
            Some(entry.key_span),
            "`history_maxbytes` decides nothing without `state_directory`",
            "set `state_directory`, or remove it",
        );
    }
}

/// Says that options of ours do not count, where they do not.
fn is_switched_off(judge: &mut Judge<'_>) -> bool {
    let is_off = judge
        .written("linchpin", linchpin::EXTENSIONS.name)
        .is_some_and(|entry| crate::value::boolean(&entry.value) == Ok(false));
    if !is_off {
        return false;
    }
    for (section, kind) in judge.sections() {
        let Some(kind) = kind else { continue };
        for entry in &section.entries {
            let is_ours = kind
                .option(&entry.key)
                .is_some_and(|option| option.origin == Origin::Linchpin);
            if is_ours && kind != SectionKind::Linchpin {
                judge.warn_of_kind(
                    "switched off".to_owned(),
                    Some(entry.key_span),
                    format!("`{}` does not count with `extensions=off`", entry.key),
                    "remove it, or `extensions=off` in [linchpin]",
                );
            }
        }
    }
    true
}

/// One section with options of ours.
struct Section<'j, 'd, 'c> {
    judge: &'j mut Judge<'d>,
    process: &'c ProcessConfig,
    service: &'c ServiceConfig,
}

impl Section<'_, '_, '_> {
    /// Warns of an option, if it is written.
    fn warn(&mut self, option: &OptionSpec, message: impl Into<String>, help: impl Into<String>) {
        if let Some(entry) = self.judge.written(&self.process.section, option.name) {
            self.judge.warn(Some(entry.key_span), message, help);
        }
    }

    fn is_written(&self, option: &OptionSpec) -> bool {
        self.judge
            .written(&self.process.section, option.name)
            .is_some()
    }

    /// Options that decide something about another one, which is not there.
    fn alone(&mut self) {
        let service = self.service;
        let hooks = &service.hooks;
        let needed: [(bool, &OptionSpec, &[&OptionSpec]); 11] = [
            (
                service.readiness.is_none(),
                &options::READINESS,
                &[
                    &options::READINESS_INTERVAL,
                    &options::READINESS_TIMEOUT,
                    &options::READINESS_SUCCESSES,
                    &options::READINESS_FAILURES,
                    &options::READY_WITHIN,
                ],
            ),
            (
                service.liveness.is_none(),
                &options::LIVENESS,
                &[
                    &options::LIVENESS_INTERVAL,
                    &options::LIVENESS_TIMEOUT,
                    &options::LIVENESS_FAILURES,
                    &options::LIVENESS_START_PERIOD,
                    &options::LIVENESS_RESTARTS,
                ],
            ),
            (
                service.dependencies.is_empty(),
                &options::DEPENDS_ON,
                &[
                    &options::DEPENDS_TIMEOUT,
                    &options::ON_DEPENDENCY_FAILED,
                    &options::ON_DEPENDENCY_LOST,
                ],
            ),
            (
                service.memory_max == 0,
                &options::MEMORY_MAX,
                &[&options::MEMORY_INTERVAL],
            ),
            (!service.oneshot, &options::ONESHOT, &[&options::MARKER]),
            (
                hooks.pre_start.is_none(),
                &options::PRE_START.command,
                &[&options::PRE_START.timeout],
            ),
            (
                hooks.post_start.is_none(),
                &options::POST_START.command,
                &[&options::POST_START.timeout],
            ),
            (
                hooks.pre_stop.is_none(),
                &options::PRE_STOP.command,
                &[&options::PRE_STOP.timeout],
            ),
            (
                hooks.post_stop.is_none(),
                &options::POST_STOP.command,
                &[&options::POST_STOP.timeout],
            ),
            (
                hooks.stop_command.is_none(),
                &options::STOP_COMMAND.command,
                &[&options::STOP_COMMAND.timeout],
            ),
            (
                hooks.reload_command.is_none(),
                &options::RELOAD_COMMAND.command,
                &[&options::RELOAD_COMMAND.timeout],
            ),
        ];
        for (is_missing, other, options) in needed {
            for option in options.iter().filter(|_| is_missing) {
                self.warn(
                    option,
                    format!("`{}` decides nothing without `{}`", option.name, other.name),
                    format!("set `{}`, or remove it", other.name),
                );
            }
        }
        let only_orders = !service.dependencies.is_empty()
            && service
                .dependencies
                .iter()
                .all(|dependency| dependency.condition == Condition::Order);
        for option in [&options::ON_DEPENDENCY_FAILED, &options::ON_DEPENDENCY_LOST] {
            if only_orders {
                self.warn(
                    option,
                    format!(
                        "`{}` decides nothing: no name in `depends_on` has a condition",
                        option.name
                    ),
                    "write, for example, `depends_on=name ready`",
                );
            }
        }
    }

    /// Two options of which one alone counts.
    fn twice(&mut self) {
        let hooks = &self.service.hooks;
        if hooks.reload_command.is_some() {
            self.warn(
                &options::RELOAD_SIGNAL,
                "`reload_signal` is not sent: `reload_command` runs instead",
                "remove one of the two",
            );
        }
        if hooks.stop_command.is_some() {
            self.warn(
                &crate::options::STOPSIGNAL,
                "`stopsignal` is not sent: `stop_command` runs instead",
                "remove one of the two",
            );
        }
        for alias in options::RESTART_DELAY.aliases {
            if self.is_written(&options::RESTART_DELAY)
                && let Some(entry) = self.judge.written(&self.process.section, alias)
            {
                self.judge.warn(
                    Some(entry.key_span),
                    format!(
                        "`{alias}` does not count beside `restart_delay`, which means the same"
                    ),
                    "remove one of the two",
                );
            }
        }
    }

    fn ends(&mut self) {
        let service = self.service;
        let ignores = service.on_fatal == OnEnd::Ignore && service.on_exit == OnEnd::Ignore;
        if service.importance == Importance::Essential && ignores {
            self.warn(
                &options::IMPORTANCE,
                "`importance=essential` decides nothing: `on_fatal` and `on_exit` are `ignore`",
                "remove one of the three",
            );
        }
        let shuts_down = [
            (&options::ON_FATAL, service.on_fatal),
            (&options::ON_EXIT, service.on_exit),
        ];
        for (option, on_end) in shuts_down {
            if service.importance == Importance::Optional && on_end == OnEnd::Shutdown {
                self.warn(
                    option,
                    format!(
                        "the end of an optional program ends the daemon with `{}=shutdown`",
                        option.name
                    ),
                    "remove one of the two",
                );
            }
        }
        if service.on_exit == OnEnd::Shutdown && self.process.autorestart == AutoRestart::Always {
            self.warn(
                &options::ON_EXIT,
                "`on_exit` never comes into play: with `autorestart=true` the program is always started again",
                "set `autorestart` to `false` or `unexpected`",
            );
        }
        if service.on_fatal == OnEnd::Shutdown && !service.fatal_retry.is_zero() {
            self.warn(
                &options::FATAL_RETRY,
                "`fatal_retry` starts the program again, so FATAL never ends the daemon as `on_fatal=shutdown` says",
                "remove `fatal_retry`, or set `on_fatal=ignore`",
            );
        }
    }

    fn restarts(&mut self) {
        let Some(policy) = &self.service.restart else {
            return;
        };
        if policy.delay.is_zero() {
            self.warn(
                &options::RESTART_DELAY,
                "the program is started again without any wait, however often it fails",
                "write how long the first wait is, such as `restart_delay=1s`",
            );
        }
        let is_raised = self.is_written(&options::RESTART_DELAY)
            && self
                .judge
                .written(&self.process.section, options::RESTART_DELAY_MAX.name)
                .and_then(|entry| crate::service_options::duration(&entry.value).ok())
                .is_some_and(|written| written < policy.delay);
        if is_raised {
            self.warn(
                &options::RESTART_DELAY_MAX,
                "`restart_delay_max` is shorter than `restart_delay`, so every wait is as long as that",
                "make it longer, or remove it",
            );
        }
        self.warn(
            &crate::options::STARTRETRIES,
            "`startretries` decides nothing beside options of `restart_`",
            "set `restart_limit` instead",
        );
    }

    fn oneshot(&mut self) {
        if self.service.oneshot && self.process.autorestart == AutoRestart::Always {
            self.warn(
                &crate::options::AUTORESTART,
                "`autorestart` decides nothing for a oneshot, which is never started again after success",
                "remove it, or `oneshot`",
            );
        }
    }

    /// Files of certificates that are not there.
    fn certificates(&mut self, world: &dyn World) {
        let checks = [
            (&options::READINESS, &self.service.readiness),
            (&options::LIVENESS, &self.service.liveness),
        ];
        for (option, checks) in checks {
            for probe in checks.iter().flat_map(|checks| &checks.probes) {
                let ProbeKind::Http(http) = &probe.kind else {
                    continue;
                };
                if let Some(path) = http.ca.as_ref().filter(|path| !world.exists(path)) {
                    self.warn(
                        option,
                        format!("there is no file `{path}`, so the probe never passes"),
                        "correct the path of `ca=`",
                    );
                }
            }
        }
    }
}

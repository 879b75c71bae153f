//! Certificates and trusted authorities as long as the daemon runs: looked at again when something changes where they are
//! provided, and once an hour, so that one of our own is renewed before it ends and nobody is surprised by the end of
//! another.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use linchpin_boot::ca_roots::Trust;
use linchpin_boot::certificates::Origin;
use linchpin_boot::sequence::CertificateState;
use linchpin_config::{BootConfig, CertificateConfig};
use linchpin_log::LogLevel;
use linchpin_protocol::api::{CertificateOrigin, CertificateStatus};
use linchpin_sys::pipe::{NonBlocking, Pipe};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::looking::{Looked, Subjects};
use super::told::Told;
use super::trusted::Trusted;
use crate::settings::ServiceSettings;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// The certificates and the trusted authorities of a configuration.
#[derive(Debug)]
pub(crate) struct Certificates {
    subjects: Subjects,
    /// What the environment of programs is made of.
    settings: Arc<ServiceSettings>,
    states: Vec<Known>,
    trusted: Trusted,
    sender: UnboundedSender<Looked>,
    news: UnboundedReceiver<Looked>,
    /// The thread ends when this is closed.
    thread: Option<OwnedFd>,
}

/// What is known of one.
#[derive(Debug)]
struct Known {
    state: CertificateState,
    /// When it was looked at, in seconds since 1970.
    checked: i64,
    told: Told,
}

impl Known {
    /// What a boot has found and told of.
    fn told_of(state: CertificateState, now: i64) -> Self {
        let mut told = Told::default();
        told.all(state.problem.as_deref(), &state.warnings, now);
        Self {
            checked: now,
            told,
            state,
        }
    }
}

/// What is new about certificates.
#[derive(Debug, Default)]
pub(crate) struct CertificateNews {
    /// For the main log.
    pub(crate) lines: Vec<(LogLevel, String)>,
    /// Those that have changed, with the services that use them.
    pub(crate) changed: Vec<(String, Vec<String>)>,
    /// What programs that start are to trust from here on, if that is something else.
    pub(crate) trust: Option<Trust>,
}

impl Certificates {
    /// Those of a configuration, as its boot has found them.
    pub(crate) fn new(boot: &BootConfig, settings: Arc<ServiceSettings>, looked: Looked) -> Self {
        let (sender, news) = unbounded_channel();
        let mut certificates = Self {
            subjects: Subjects::of(boot),
            settings,
            states: Vec::new(),
            trusted: Trusted::of(looked.roots, seconds()),
            sender,
            news,
            thread: None,
        };
        certificates.know(looked.certificates, seconds());
        certificates
    }

    /// Begins to look after them; why that is not possible.
    pub(crate) fn begin(&mut self) -> std::io::Result<()> {
        self.thread = None;
        if self.subjects.are_none() {
            return Ok(());
        }
        let Pipe { reader, writer } = Pipe::new(NonBlocking::Neither)?;
        let (subjects, sender) = (self.subjects.clone(), self.sender.clone());
        let settings = Arc::clone(&self.settings);
        // After an apply nothing is known of those that it has made.
        let is_all_known = self.states.len() == subjects.certificates.len()
            && (subjects.roots.is_none() || !self.trusted.is_unknown());
        std::thread::Builder::new()
            .name("certificates".to_owned())
            .spawn(move || subjects.look_after(&settings, &reader, &sender, is_all_known))?;
        self.thread = Some(writer);
        Ok(())
    }

    /// Goes on with those of a configuration that was read later. True if the thread is to begin anew.
    pub(crate) fn follow(&mut self, boot: &BootConfig, looked: Looked) -> (CertificateNews, bool) {
        let is_other = !self.subjects.are_those_of(boot);
        self.subjects = Subjects::of(boot);
        let now = seconds();
        let mut news = self.take_certificates(looked.certificates, now);
        // The boot has told of everything itself, and programs that start have what it has found.
        news.lines = self.trusted.follow(looked.roots, now);
        let configs = &self.subjects.certificates;
        let is_there = |known: &Known| configs.iter().any(|it| it.name == known.state.name);
        self.states.retain(is_there);
        (news, is_other)
    }

    /// Goes on with those of a configuration that an apply has made, which has looked after them and moves their services.
    /// True if the thread is to begin anew.
    pub(crate) fn replace(&mut self, boot: &BootConfig) -> bool {
        let is_other = !self.subjects.are_those_of(boot);
        if is_other {
            let old = std::mem::replace(&mut self.subjects, Subjects::of(boot));
            if old.roots != self.subjects.roots {
                self.trusted.forget();
            }
            let (old, configs) = (&old.certificates, &self.subjects.certificates);
            // Of one that was made anew nothing is known, so that nobody is told of what the thread finds.
            let is_as_it_was = |known: &Known| {
                let is_it = |it: &&CertificateConfig| it.name == known.state.name;
                old.iter().find(is_it) == configs.iter().find(is_it)
            };
            self.states.retain(is_as_it_was);
        }
        is_other
    }

    /// Waits until they have been looked at.
    pub(crate) async fn looked_at(&mut self) -> Looked {
        match self.news.recv().await {
            Some(looked) => looked,
            // We have a sender ourselves.
            None => std::future::pending().await,
        }
    }

    /// Takes what a look has found; `now` is in seconds since 1970.
    pub(crate) fn take(&mut self, looked: Looked, now: i64) -> CertificateNews {
        let mut news = self.take_certificates(looked.certificates, now);
        if let Some(state) = looked.roots {
            let config = self.subjects.roots.as_ref();
            let (lines, trust) = self.trusted.take(state, config, now);
            news.lines.extend(lines);
            news.trust = trust;
        }
        news
    }

    fn take_certificates(&mut self, states: Vec<CertificateState>, now: i64) -> CertificateNews {
        let mut news = CertificateNews::default();
        for mut state in states {
            let known = self.states.iter().find(|it| it.state.name == state.name);
            let mut told = known.map(|known| known.told.clone()).unwrap_or_default();
            let mut is_changed = state.is_changed;
            if let Some(known) = known.map(|known| &known.state) {
                if state.problem.is_some() && !state.is_changed {
                    // Nothing was taken away: a server has what it had.
                    state.origin = known.origin;
                    state.until = known.until;
                }
                // Perhaps it was somebody else who has changed it.
                is_changed |= state.until != known.until;
            }
            let name = format!("[certificate:{}]", state.name);
            if is_changed {
                let text = format!("{name} has changed: {}", state.summary);
                news.lines.push((LogLevel::Info, text));
                news.changed
                    .push((state.name.clone(), state.services.clone()));
            }
            let problem = state.problem.as_deref();
            let lines = told.not_yet(problem, &state.warnings, is_changed, now);
            let lines = lines.into_iter();
            let lines = lines.map(|(level, text)| (level, format!("{name} {text}")));
            news.lines.extend(lines);
            let known = Known {
                checked: now,
                told,
                state,
            };
            match self
                .states
                .iter_mut()
                .find(|it| it.state.name == known.state.name)
            {
                Some(place) => *place = known,
                None => self.states.push(known),
            }
        }
        news
    }

    /// Takes what a boot has found, which has told of it.
    fn know(&mut self, states: Vec<CertificateState>, now: i64) {
        let known = states.into_iter().map(|state| Known::told_of(state, now));
        self.states = known.collect();
    }

    /// For documents.
    pub(crate) fn statuses(&self) -> Vec<CertificateStatus> {
        let now = seconds();
        let status = |known: &Known| {
            let state = &known.state;
            CertificateStatus {
                name: state.name.clone(),
                origin: match state.origin {
                    Origin::Provided => CertificateOrigin::Provided,
                    Origin::Previous => CertificateOrigin::Previous,
                    Origin::SelfSigned => CertificateOrigin::SelfSigned,
                    Origin::None => CertificateOrigin::None,
                },
                until: state.until.map(|until| until.saturating_mul(1000)),
                days_left: state
                    .until
                    .map(|until| until.saturating_sub(now).div_euclid(DAY)),
                warnings: state.warnings.clone(),
                problem: state.problem.clone(),
                checked: known.checked.saturating_mul(1000),
            }
        };
        self.states.iter().map(status).collect()
    }
}

/// Seconds since 1970.
pub(crate) fn seconds() -> i64 {
    crate::services::milliseconds().div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificates(states: Vec<CertificateState>) -> Certificates {
        let looked = Looked {
            certificates: states,
            roots: None,
        };
        let settings = Arc::new(ServiceSettings::none());
        Certificates::new(&BootConfig::default(), settings, looked)
    }

    fn state(until: i64) -> CertificateState {
        CertificateState {
            name: "web".to_owned(),
            origin: Origin::Provided,
            until: Some(until),
            warnings: vec!["it ends soon".to_owned()],
            problem: None,
            is_changed: false,
            summary: "the provided one is used".to_owned(),
            services: vec!["caddy".to_owned()],
        }
    }

    #[test]
    fn what_is_amiss_is_told_once_a_day_and_at_each_change() {
        let mut certificates = certificates(Vec::new());
        let mut lines = |state, now| certificates.take_certificates(vec![state], now).lines.len();
        assert_eq!(lines(state(90 * DAY), 5 * DAY), 1, "the first look");
        assert_eq!(lines(state(90 * DAY), 5 * DAY + 3600), 0);
        assert_eq!(lines(state(90 * DAY), 6 * DAY), 1, "the next day");
        assert_eq!(lines(state(91 * DAY), 6 * DAY), 2, "another one");
        let mut other = state(91 * DAY);
        other.warnings.push("it is weak".to_owned());
        assert_eq!(lines(other, 6 * DAY), 1, "something else");
        let fewer_days = CertificateState {
            warnings: vec!["it ends in 19 days".to_owned()],
            ..state(91 * DAY)
        };
        assert_eq!(lines(fewer_days.clone(), 6 * DAY), 1);
        let text = "it ends in 18 days".to_owned();
        assert_eq!(
            lines(
                CertificateState {
                    warnings: vec![text],
                    ..fewer_days
                },
                6 * DAY
            ),
            0
        );
        let well = CertificateState {
            warnings: Vec::new(),
            ..state(91 * DAY)
        };
        assert_eq!(lines(well, 7 * DAY), 0);
    }

    #[test]
    fn a_look_that_fails_says_nothing_about_what_a_server_has() {
        let mut certificates = certificates(vec![state(90 * DAY)]);
        let failed = CertificateState {
            origin: Origin::None,
            until: None,
            warnings: Vec::new(),
            problem: Some("the volume is away".to_owned()),
            ..state(0)
        };
        let news = certificates.take_certificates(vec![failed.clone()], 5 * DAY);
        assert!(news.changed.is_empty());
        assert_eq!(news.lines.len(), 1);
        assert_eq!(certificates.statuses()[0].until, Some(90 * DAY * 1000));
        let gone = CertificateState {
            is_changed: true,
            ..failed
        };
        let news = certificates.take_certificates(vec![gone], 5 * DAY);
        assert_eq!(news.changed, [("web".to_owned(), vec!["caddy".to_owned()])]);
        assert_eq!(certificates.statuses()[0].days_left, None);
    }
}

//! Certificates as long as the daemon runs: looked at again when something changes where they are provided, and once an
//! hour, so that one of our own is renewed before it ends and nobody is surprised by the end of another.
//!
//! A thread of its own does that, because the files may be on a volume that hangs. It sleeps until there is something to do,
//! and is there only where the configuration has certificates.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::time::Duration;

use linchpin_boot::certificates::Origin;
use linchpin_boot::sequence::{CertificateState, look_after};
use linchpin_config::CertificateConfig;
use linchpin_log::LogLevel;
use linchpin_protocol::api::{CertificateOrigin, CertificateStatus};
use linchpin_sys::directory_watch::{DirectoryWatch, Waited};
use linchpin_sys::pipe::{NonBlocking, Pipe};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How often all are looked at.
const PERIOD: Duration = Duration::from_secs(3600);

/// Whoever provides a certificate and its key does so one after the other: this long nothing must change, and no longer
/// than so often it is waited for.
const QUIET: Duration = Duration::from_millis(500);
const MOST_WAITS: u32 = 20;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// The certificates of a configuration.
#[derive(Debug)]
pub(crate) struct Certificates {
    configs: Vec<CertificateConfig>,
    states: Vec<Known>,
    sender: UnboundedSender<Vec<CertificateState>>,
    news: UnboundedReceiver<Vec<CertificateState>>,
    /// The thread ends when this is closed.
    thread: Option<OwnedFd>,
}

/// What is known of one.
#[derive(Debug)]
struct Known {
    state: CertificateState,
    /// When it was looked at, in seconds since 1970.
    checked: i64,
    /// What is to be seen to, with the day on which the log was told; without numbers, because days that are left change.
    told: BTreeMap<String, i64>,
}

impl Known {
    /// What a boot has found and told of.
    fn told_of(state: CertificateState, now: i64) -> Self {
        let lines = lines_of(&state);
        let told = lines
            .iter()
            .map(|(_, text)| (without_numbers(text), now.div_euclid(DAY)));
        Self {
            told: told.collect(),
            checked: now,
            state,
        }
    }
}

/// What is to be seen to.
fn lines_of(state: &CertificateState) -> Vec<(LogLevel, &str)> {
    let problem = state.problem.iter().map(|text| (LogLevel::Error, text));
    let warnings = state.warnings.iter().map(|text| (LogLevel::Warn, text));
    let lines = problem.chain(warnings);
    lines.map(|(level, text)| (level, text.as_str())).collect()
}

fn without_numbers(text: &str) -> String {
    text.replace(|character: char| character.is_ascii_digit(), "")
}

/// What is new about certificates.
#[derive(Debug, Default)]
pub(crate) struct CertificateNews {
    /// For the main log.
    pub(crate) lines: Vec<(LogLevel, String)>,
    /// Those that have changed, with the services that use them.
    pub(crate) changed: Vec<(String, Vec<String>)>,
}

impl Certificates {
    /// Those of a configuration, as its boot has found them.
    pub(crate) fn new(configs: &[CertificateConfig], states: Vec<CertificateState>) -> Self {
        let (sender, news) = unbounded_channel();
        let mut certificates = Self {
            configs: configs.to_vec(),
            states: Vec::new(),
            sender,
            news,
            thread: None,
        };
        certificates.know(states, seconds());
        certificates
    }

    /// Begins to look after them; why that is not possible.
    pub(crate) fn begin(&mut self) -> std::io::Result<()> {
        self.thread = None;
        if self.configs.is_empty() {
            return Ok(());
        }
        let Pipe { reader, writer } = Pipe::new(NonBlocking::Neither)?;
        let (configs, sender) = (self.configs.clone(), self.sender.clone());
        // After an apply nothing is known of those that it has made.
        let is_all_known = self.states.len() == configs.len();
        std::thread::Builder::new()
            .name("certificates".to_owned())
            .spawn(move || look_after_all(&configs, &reader, &sender, is_all_known))?;
        self.thread = Some(writer);
        Ok(())
    }

    /// Goes on with those of a configuration that was read later. True if the thread is to begin anew.
    pub(crate) fn follow(
        &mut self,
        configs: &[CertificateConfig],
        states: Vec<CertificateState>,
    ) -> (CertificateNews, bool) {
        let is_other = self.configs != configs;
        self.configs = configs.to_vec();
        let mut news = self.take(states, seconds());
        // The boot has told of everything itself.
        news.lines.clear();
        let is_there = |known: &Known| configs.iter().any(|it| it.name == known.state.name);
        self.states.retain(is_there);
        (news, is_other)
    }

    /// Goes on with those of a configuration that an apply has made, which has looked after them and moves their services.
    /// True if the thread is to begin anew.
    pub(crate) fn replace(&mut self, configs: &[CertificateConfig]) -> bool {
        let is_other = self.configs != configs;
        if is_other {
            let old = std::mem::replace(&mut self.configs, configs.to_vec());
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
    pub(crate) async fn looked_at(&mut self) -> Vec<CertificateState> {
        match self.news.recv().await {
            Some(states) => states,
            // We have a sender ourselves.
            None => std::future::pending().await,
        }
    }

    /// Takes what a look has found; `now` is in seconds since 1970.
    pub(crate) fn take(&mut self, states: Vec<CertificateState>, now: i64) -> CertificateNews {
        let mut news = CertificateNews::default();
        for mut state in states {
            let known = self.states.iter().find(|it| it.state.name == state.name);
            let told = known.map(|known| known.told.clone()).unwrap_or_default();
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
            let known = Known::told_of(state, now);
            for (level, text) in lines_of(&known.state) {
                let day = told.get(&without_numbers(text));
                if is_changed || day.is_none_or(|day| *day != now.div_euclid(DAY)) {
                    news.lines.push((level, format!("{name} {text}")));
                }
            }
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

/// What the thread does.
fn look_after_all(
    configs: &[CertificateConfig],
    wanted: &OwnedFd,
    sender: &UnboundedSender<Vec<CertificateState>>,
    is_all_known: bool,
) {
    let mut longest = if is_all_known { PERIOD } else { Duration::ZERO };
    // Without news of changes there is still the period.
    let watch = DirectoryWatch::new().unwrap_or_else(|_| DirectoryWatch::blind());
    loop {
        for directory in directories(configs) {
            // One that is not there yet is tried again with the next look.
            let _ = watch.add(directory);
        }
        match watch.wait(wanted.as_fd(), longest) {
            Ok(Waited::Unwanted) | Err(_) => return,
            Ok(Waited::TimedOut) => {}
            Ok(Waited::Changed) => {
                for _ in 0..MOST_WAITS {
                    match watch.wait(wanted.as_fd(), QUIET) {
                        Ok(Waited::Unwanted) | Err(_) => return,
                        Ok(Waited::TimedOut) => break,
                        Ok(Waited::Changed) => {}
                    }
                }
            }
        }
        longest = PERIOD;
        let now = seconds();
        let states = configs.iter().map(|config| look_after(config, now));
        if sender.send(states.collect()).is_err() {
            return;
        }
    }
}

/// Where certificates are provided, apart from where we write ourselves.
fn directories(configs: &[CertificateConfig]) -> BTreeSet<&Path> {
    let is_ours = |path: &Path| {
        configs.iter().any(|config| {
            let output = Path::new(&config.output).parent();
            output.is_some_and(|output| path.starts_with(output))
        })
    };
    let provided = configs.iter().filter_map(|config| config.provided.as_ref());
    let files = provided.flat_map(|files| [&files.certificate, &files.key]);
    let directories = files.filter_map(|file| Path::new(file).parent());
    directories.filter(|path| !is_ours(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let mut certificates = Certificates::new(&[], Vec::new());
        let mut lines = |state, now| certificates.take(vec![state], now).lines.len();
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
        let mut certificates = Certificates::new(&[], vec![state(90 * DAY)]);
        let failed = CertificateState {
            origin: Origin::None,
            until: None,
            warnings: Vec::new(),
            problem: Some("the volume is away".to_owned()),
            ..state(0)
        };
        let news = certificates.take(vec![failed.clone()], 5 * DAY);
        assert!(news.changed.is_empty());
        assert_eq!(news.lines.len(), 1);
        assert_eq!(certificates.statuses()[0].until, Some(90 * DAY * 1000));
        let gone = CertificateState {
            is_changed: true,
            ..failed
        };
        let news = certificates.take(vec![gone], 5 * DAY);
        assert_eq!(news.changed, [("web".to_owned(), vec!["caddy".to_owned()])]);
        assert_eq!(certificates.statuses()[0].days_left, None);
    }
}

//! Certificates and trusted authorities that change while services run: whoever uses a certificate reads it again.

use std::sync::Arc;

use linchpin_core::{Command, Outcome, Target};
use linchpin_log::LogLevel;
use linchpin_protocol::make_namespec;

use super::Shell;
use crate::boot::{CertificateNews, Looked, seconds};
use crate::control::{Control, Reply, Request};
use crate::loading::Loaded;
use crate::rpc::fault_of;

/// A service that is to read something again.
#[derive(Debug)]
struct Reader {
    /// As people name it.
    name: String,
    target: Target,
    /// It can do so while it runs.
    can_reload: bool,
}

impl Shell {
    pub(super) fn begin_certificates(&mut self) {
        if let Err(error) = self.certificates.begin() {
            self.logs.log(
                LogLevel::Warn,
                format!("certificates and trusted authorities are looked at only when the configuration is read: {error}"),
            );
        }
    }

    /// Takes what the thread has found.
    pub(super) fn take_certificates(&mut self, looked: Looked) {
        let mut news = self.certificates.take(looked, seconds());
        if let Some(trust) = news.trust.take() {
            self.site.settings.trust(Some(Arc::new(trust)));
        }
        self.tell_of_certificates(news);
    }

    /// Goes on with the certificates of a configuration that was read.
    pub(super) fn follow_certificates(&mut self, loaded: &mut Loaded) {
        let looked = std::mem::take(&mut loaded.looked);
        let (news, is_other) = self.certificates.follow(&loaded.config.boot, looked);
        if is_other {
            self.begin_certificates();
        }
        self.tell_of_certificates(news);
    }

    fn tell_of_certificates(&mut self, news: CertificateNews) {
        for (level, text) in news.lines {
            self.logs.log(level, text);
        }
        for (name, services) in news.changed {
            let why = format!("[certificate:{name}] has changed");
            self.read_again(&services, &why);
        }
    }

    /// Has services that run read something again: by their own way, or else by a restart, one after the other.
    fn read_again(&self, services: &[String], why: &str) {
        let mut ids: Vec<_> = services
            .iter()
            .flat_map(|name| self.meant_by(name))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let running = ids.into_iter().filter_map(|id| {
            // What is not there reads it when it starts.
            let view = self.core.process(id)?;
            view.pid?;
            let service = view.config.service.as_ref();
            let can_reload = service.is_some_and(|service| {
                service.reload_signal.is_some() || service.hooks.reload_command.is_some()
            });
            let (group, name) = (view.group.to_owned(), view.config.name.clone());
            let verb = if can_reload {
                "reloading"
            } else {
                "restarting"
            };
            let known_as = make_namespec(&group, &name).into_owned();
            let text = format!("{verb} {known_as}, because {why}");
            self.logs.log(LogLevel::Info, text);
            Some(Reader {
                name: known_as,
                target: Target::Process { group, name },
                can_reload,
            })
        });
        let readers: Vec<Reader> = running.collect();
        if !readers.is_empty() {
            let (control, logs) = (self.control.clone(), self.logs.clone());
            tokio::spawn(async move {
                for reader in readers {
                    if let Some(text) = read_again(&control, reader).await {
                        logs.log(LogLevel::Error, text);
                    }
                }
            });
        }
    }
}

/// Has one service read again; what went wrong.
async fn read_again(control: &Control, reader: Reader) -> Option<String> {
    let Reader {
        name,
        target,
        can_reload,
    } = reader;
    let ask = async |command| control.ask(Request::Command(command)).await;
    if can_reload {
        let reply = ask(Command::ReloadService {
            target: target.clone(),
        })
        .await;
        return failure(&name, "reloaded", &reply);
    }
    let stop = Command::Stop {
        target: target.clone(),
        wait: true,
    };
    if let text @ Some(_) = failure(&name, "stopped", &ask(stop).await) {
        return text;
    }
    let start = Command::Start {
        target: target.clone(),
        wait: false,
    };
    failure(&name, "started again", &ask(start).await)
}

/// What to say of an answer that is a failure.
fn failure(name: &str, what: &str, reply: &Reply) -> Option<String> {
    let Reply::Outcome(Outcome::Failed(failure)) = reply else {
        return None;
    };
    let fault = fault_of(failure.clone());
    Some(format!("{name} cannot be {what}: {}", fault.text))
}

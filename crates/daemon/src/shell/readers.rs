//! Services that run and use something that has changed: they read it again, by their own way or by a restart.

use std::sync::Arc;

use linchpin_config::{OnChange, TemplateConfig};
use linchpin_core::{Command, Outcome, Target};
use linchpin_log::LogLevel;
use linchpin_protocol::make_namespec;

use super::Shell;
use crate::apply::difference;
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
    /// Has services read again what was made anew of templates when a configuration was read. Groups that are other ones in
    /// it wait for the `update` that brings them.
    pub(super) fn tell_of_templates(&self, loaded: &Loaded) {
        if loaded.changed_templates.is_empty() {
            return;
        }
        let groups = self.core.groups();
        let at_work: Vec<_> = groups.map(|group| Arc::clone(group.config)).collect();
        let difference = difference(&at_work, &loaded.config);
        let others = [difference.changed, difference.removed].concat();
        let templates = loaded.config.boot.templates.iter();
        let is_changed = |it: &&TemplateConfig| loaded.changed_templates.contains(&it.name);
        for template in templates.filter(is_changed) {
            let why = format!("what is made of [template:{}] has changed", template.name);
            let services = &template.policy.services;
            self.read_again(services, &others, &why, template.on_change);
        }
    }

    /// Has services that run read something again, apart from those of some groups: by their own way, or else by a restart,
    /// one after the other.
    pub(super) fn read_again(
        &self,
        services: &[String],
        except: &[String],
        why: &str,
        on_change: OnChange,
    ) {
        if on_change == OnChange::Nothing {
            return;
        }
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
            if except.iter().any(|group| group == view.group) {
                return None;
            }
            let service = view.config.service.as_ref();
            let has_a_way = service.is_some_and(|service| {
                service.reload_signal.is_some() || service.hooks.reload_command.is_some()
            });
            let can_reload = has_a_way && on_change == OnChange::Reload;
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

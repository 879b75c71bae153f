//! What can be done from the status page, and the sentence that tells what came of it: the original's.
//!
//! Everything goes the way of the XML-RPC calls, so that both get the same faults.

use linchpin_core::Target;
use linchpin_protocol::{Call, Fault, FaultCode};
use linchpin_sys::time::{format_ctime, wall};

use super::super::percent;
use super::form::Form;
use crate::control::{Control, Reply, Request};
use crate::rpc::Rpc;

/// Something that a person, or a script in a person's place, wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Refresh,
    StopAll,
    RestartAll,
    Process {
        name: String,
        verb: Verb,
    },
    /// The original looks for the process before it finds out that there is no such action.
    Unknown {
        name: String,
    },
}

/// What can be done with a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Start,
    Stop,
    Restart,
    ClearLog,
}

/// There is no such action: HTTP 500, as in the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoSuchAction;

impl Action {
    /// The action that a form asks for, if it asks for one.
    pub(crate) fn read(form: &Form) -> Result<Option<Self>, NoSuchAction> {
        let Some(word) = form.action.as_deref() else {
            return Ok(None);
        };
        let for_all = [Self::Refresh, Self::StopAll, Self::RestartAll];
        if let Some(action) = for_all.into_iter().find(|action| action.word() == word) {
            return Ok(Some(action));
        }
        let name = form.processname.clone().ok_or(NoSuchAction)?;
        let verb = Verb::ALL.into_iter().find(|verb| verb.word() == word);
        Ok(Some(match verb {
            Some(verb) => Self::Process { name, verb },
            None => Self::Unknown { name },
        }))
    }

    /// The word in URLs.
    fn word(&self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::StopAll => "stopall",
            Self::RestartAll => "restartall",
            Self::Process { verb, .. } => verb.word(),
            Self::Unknown { .. } => "",
        }
    }

    /// The words on buttons.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Refresh => "Refresh",
            Self::StopAll => "Stop All",
            Self::RestartAll => "Restart All",
            Self::Process { verb, .. } => verb.label(),
            Self::Unknown { .. } => "",
        }
    }

    /// The address, seen from any page, that asks for it. Bookmarks and scripts have it.
    pub(crate) fn address(&self) -> String {
        let word = self.word();
        match self {
            Self::Refresh | Self::StopAll | Self::RestartAll => {
                format!("index.html?action={word}")
            }
            Self::Process { name, .. } | Self::Unknown { name } => {
                let name = percent::encode(name);
                format!("index.html?processname={name}&action={word}")
            }
        }
    }

    /// Whether anything is different afterwards.
    pub(crate) fn changes_something(&self) -> bool {
        match self {
            Self::Refresh | Self::Unknown { .. } => false,
            Self::StopAll | Self::RestartAll | Self::Process { .. } => true,
        }
    }

    /// Does it, however long that takes, and tells what came of it.
    pub(crate) async fn carry_out(
        self,
        control: &Control,
        rpc: &Rpc,
    ) -> Result<String, NoSuchAction> {
        let now = || format_ctime(wall().div_euclid(1_000_000_000));
        Ok(match self {
            Self::Refresh => format!("Page refreshed at {}", now()),
            Self::StopAll => {
                let stopped = call(rpc, Call::StopAllProcesses { wait: true }).await;
                told(stopped, || format!("All stopped at {}", now()))
            }
            Self::RestartAll => {
                // What becomes of the single steps is not told, as in the original.
                let _ = call(rpc, Call::StopAllProcesses { wait: true }).await;
                let _ = call(rpc, Call::StartAllProcesses { wait: true }).await;
                format!("All restarted at {}", now())
            }
            Self::Process { name, verb } if exists(control, &name).await => {
                verb.carry_out(name, rpc).await
            }
            Self::Unknown { name } if exists(control, &name).await => return Err(NoSuchAction),
            Self::Process { name, .. } | Self::Unknown { name } => {
                format!("No such process named {name}")
            }
        })
    }
}

impl Verb {
    const ALL: [Self; 4] = [Self::Start, Self::Stop, Self::Restart, Self::ClearLog];

    fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::ClearLog => "clearlog",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Start => "Start",
            Self::Stop => "Stop",
            Self::Restart => "Restart",
            Self::ClearLog => "Clear Log",
        }
    }

    async fn carry_out(self, name: String, rpc: &Rpc) -> String {
        let start = || Call::StartProcess {
            name: name.clone(),
            wait: true,
        };
        let stop = || Call::StopProcess {
            name: name.clone(),
            wait: true,
        };
        match self {
            Self::Start => match call(rpc, start()).await {
                Ok(()) => format!("Process {name} started"),
                Err(fault) => format!("ERROR: Process {name}: {}", why_not_started(&fault)),
            },
            Self::Stop => {
                let stopped = call(rpc, stop()).await;
                told(stopped, || format!("Process {name} stopped"))
            }
            Self::Restart => {
                let _ = call(rpc, stop()).await;
                let _ = call(rpc, start()).await;
                format!("Process {name} restarted")
            }
            Self::ClearLog => {
                let cleared = call(rpc, Call::ClearProcessLogs { name: name.clone() }).await;
                told(cleared, || format!("Log for {name} cleared"))
            }
        }
    }
}

/// `group:*` is no process, although a call about it would work.
async fn exists(control: &Control, name: &str) -> bool {
    let Target::Process { group, name } = Target::parse(name) else {
        return false;
    };
    let reply = control.ask(Request::Process { group, name }).await;
    matches!(reply, Reply::Process(Some(_)))
}

async fn call(rpc: &Rpc, call: Call) -> Result<(), Fault> {
    rpc.carry_out(call).await.0.map(|_| ())
}

fn told(result: Result<(), Fault>, success: impl FnOnce() -> String) -> String {
    match result {
        Ok(()) => success(),
        Err(fault) => unexpected(&fault),
    }
}

/// A fault for which the original has no words of its own.
pub(crate) fn unexpected(fault: &Fault) -> String {
    format!("unexpected rpc fault [{}] {}", fault.code, fault.text)
}

fn why_not_started(fault: &Fault) -> String {
    let known = [
        (FaultCode::NoFile, "no such file"),
        (FaultCode::NotExecutable, "file not executable"),
        (FaultCode::AlreadyStarted, "already started"),
        (FaultCode::SpawnError, "spawn error"),
        (FaultCode::AbnormalTermination, "abnormal termination"),
    ];
    known
        .iter()
        .find(|(code, _)| code.code() == fault.code)
        .map_or_else(|| unexpected(fault), |(_, text)| (*text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_read_from_forms() {
        let read = |query| Action::read(&Form::read(query, ""));
        let name = || "x".to_owned();
        let restart = Action::Process {
            name: name(),
            verb: Verb::Restart,
        };
        assert_eq!(read("message=hello"), Ok(None));
        assert_eq!(read("processname=x"), Ok(None));
        assert_eq!(read("action=stopall"), Ok(Some(Action::StopAll)));
        assert_eq!(restart.address(), "index.html?processname=x&action=restart");
        assert_eq!(read("action=restart&processname=x"), Ok(Some(restart)));
        assert_eq!(
            read("action=dance&processname=x"),
            Ok(Some(Action::Unknown { name: name() }))
        );
        assert_eq!(read("action=restart"), Err(NoSuchAction));
        assert_eq!(read("action=Refresh"), Err(NoSuchAction));
    }
}

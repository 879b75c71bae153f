//! Every method, one arm each.

use linchpin_core::{Command, DaemonState, Target};
use linchpin_protocol::{
    API_VERSION, Call, Fault, FaultCode, SUPERVISOR_VERSION, method_help, method_names,
    method_signature,
};
use linchpin_sys::signals::parse_signal;

use super::answered::Status;
use super::faults::result_of;
use super::log_reading::Range;
use super::{Answered, Context};
use crate::control::{LogFileReply, Reply, Request, StdinReply, Stream};

impl Context<'_> {
    /// Carries out a call; `system.multicall` is not for here.
    pub(crate) async fn carry_out(&mut self, call: Call) -> Result<Answered, Fault> {
        let state = match &call {
            Call::ListMethods
            | Call::MethodHelp { .. }
            | Call::MethodSignature { .. }
            | Call::Multicall { .. }
            | Call::SendRemoteCommEvent { .. } => None,
            _ => Some(self.running().await?),
        };
        match call {
            Call::GetApiVersion => Ok(Answered::Text(API_VERSION.to_owned())),
            Call::GetSupervisorVersion => Ok(Answered::Text(SUPERVISOR_VERSION.to_owned())),
            Call::GetIdentification => Ok(Answered::Text(self.shared.identity.identifier.clone())),
            Call::GetPid => Ok(Answered::Number(i64::from(self.shared.identity.pid))),
            Call::GetState => {
                let (code, name) =
                    state.unwrap_or((DaemonState::Running.code(), DaemonState::Running.name()));
                Ok(Answered::State { code, name })
            }

            Call::GetProcessInfo { name } => self.process_info(&name).await,
            Call::GetAllProcessInfo => match self.ask(Request::Processes).await {
                Reply::Processes(all) => Ok(Answered::Processes(all)),
                other => Err(unexpected(&other)),
            },
            Call::GetAllConfigInfo => match self.ask(Request::Configurations).await {
                Reply::Configurations(mut all) => {
                    all.sort_by(|a, b| a.process.name.cmp(&b.process.name));
                    Ok(Answered::Configurations(all))
                }
                other => Err(unexpected(&other)),
            },

            Call::StartProcess { name, wait } => {
                self.start(Target::parse(&name), &name, wait).await
            }
            Call::StartProcessGroup { name, wait } => {
                self.start(Target::Group(name.clone()), &name, wait).await
            }
            Call::StartAllProcesses { wait } => self.start(Target::All, "", wait).await,
            Call::StopProcess { name, wait } => self.stop(Target::parse(&name), &name, wait).await,
            Call::StopProcessGroup { name, wait } => {
                self.stop(Target::Group(name.clone()), &name, wait).await
            }
            Call::StopAllProcesses { wait } => self.stop(Target::All, "", wait).await,
            Call::SignalProcess { name, signal } => {
                self.signal(Target::parse(&name), &name, &signal).await
            }
            Call::SignalProcessGroup { name, signal } => {
                self.signal(Target::Group(name.clone()), &name, &signal)
                    .await
            }
            Call::SignalAllProcesses { signal } => self.signal(Target::All, "", &signal).await,

            Call::ReloadConfig => match self.ask(Request::Reread).await {
                Reply::CannotReread(text) => Err(Fault::with(FaultCode::CantReread, text)),
                reply => outcome(reply, ""),
            },
            Call::AddProcessGroup { name } => {
                let command = Command::AddGroup { name: name.clone() };
                outcome(self.ask(Request::Command(command)).await, &name)
            }
            Call::RemoveProcessGroup { name } => {
                let command = Command::RemoveGroup { name: name.clone() };
                outcome(self.ask(Request::Command(command)).await, &name)
            }
            Call::Shutdown => outcome(self.ask(Request::Shutdown { restart: false }).await, ""),
            Call::Restart => outcome(self.ask(Request::Shutdown { restart: true }).await, ""),

            Call::ReadLog { offset, length } => {
                let reply = self.ask(Request::MainLogFile).await;
                match log_file(reply, "")? {
                    Some(path) => self.read_log(path, Range { offset, length }).await,
                    None => Err(Fault::bare(FaultCode::NoFile)),
                }
            }
            Call::ReadProcessStdoutLog {
                name,
                offset,
                length,
            } => {
                let range = Range { offset, length };
                self.read_process_log(&name, Stream::Stdout, range).await
            }
            Call::ReadProcessStderrLog {
                name,
                offset,
                length,
            } => {
                let range = Range { offset, length };
                self.read_process_log(&name, Stream::Stderr, range).await
            }
            Call::TailProcessStdoutLog {
                name,
                offset,
                length,
            } => {
                let range = Range { offset, length };
                self.tail_process_log(&name, Stream::Stdout, range).await
            }
            Call::TailProcessStderrLog {
                name,
                offset,
                length,
            } => {
                let range = Range { offset, length };
                self.tail_process_log(&name, Stream::Stderr, range).await
            }
            Call::ClearLog => self.clear_main_log().await,
            Call::ClearProcessLogs { name } => {
                let (group, process) = one_process(&name)?;
                let target = Target::Process {
                    group,
                    name: process,
                };
                outcome(self.ask(Request::ClearLogs(target)).await, &name)
            }
            Call::ClearAllProcessLogs => {
                outcome(self.ask(Request::ClearLogs(Target::All)).await, "")
            }

            Call::SendProcessStdin { name, chars } => self.write_stdin(&name, chars).await,
            Call::SendRemoteCommEvent { kind, data } => {
                let request = Request::RemoteCommunication { kind, data };
                outcome(self.ask(request).await, "")
            }

            Call::ListMethods => {
                let mut names = method_names();
                names.retain(|name| self.is_published(name));
                Ok(Answered::Names(names))
            }
            Call::MethodHelp { name } => {
                self.published(&name)?;
                method_help(&name).map(Answered::Text)
            }
            Call::MethodSignature { name } => {
                self.published(&name)?;
                method_signature(&name).map(Answered::Names)
            }
            Call::Multicall { .. } => Err(Fault::bare(FaultCode::IncorrectParameters)),
        }
    }

    async fn ask(&self, request: Request) -> Reply {
        self.shared.control.ask(request).await
    }

    /// The daemon's state, if it takes calls.
    async fn running(&self) -> Result<(i32, &'static str), Fault> {
        match self.ask(Request::State).await {
            Reply::State { code, name } if code >= DaemonState::Running.code() => Ok((code, name)),
            Reply::State { .. } => Err(Fault::bare(FaultCode::ShutdownState)),
            other => Err(unexpected(&other)),
        }
    }

    fn is_published(&self, name: &str) -> bool {
        self.shared.has_supervisor || !name.starts_with("supervisor.")
    }

    fn published(&self, name: &str) -> Result<(), Fault> {
        if self.is_published(name) {
            Ok(())
        } else {
            Err(Fault::bare(FaultCode::SignatureUnsupported))
        }
    }

    async fn process_info(&self, name: &str) -> Result<Answered, Fault> {
        let (group, process) = one_process(name)?;
        let request = Request::Process {
            group,
            name: process,
        };
        match self.ask(request).await {
            Reply::Process(Some(process)) => Ok(Answered::Process(process)),
            Reply::Process(None) => Err(Fault::with(FaultCode::BadName, name)),
            other => Err(unexpected(&other)),
        }
    }

    async fn start(&self, target: Target, name: &str, wait: bool) -> Result<Answered, Fault> {
        let name = group_of(&target).unwrap_or(name).to_owned();
        let command = Command::Start { target, wait };
        outcome(self.ask(Request::Command(command)).await, &name)
    }

    async fn stop(&self, target: Target, name: &str, wait: bool) -> Result<Answered, Fault> {
        let name = group_of(&target).unwrap_or(name).to_owned();
        let command = Command::Stop { target, wait };
        outcome(self.ask(Request::Command(command)).await, &name)
    }

    async fn signal(&self, target: Target, name: &str, signal: &str) -> Result<Answered, Fault> {
        let name = group_of(&target).unwrap_or(name).to_owned();
        match parse_signal(signal) {
            Ok(signal) => {
                let command = Command::Signal { target, signal };
                outcome(self.ask(Request::Command(command)).await, &name)
            }
            Err(_) => {
                let fault = Fault::with(FaultCode::BadSignal, signal);
                self.bad_signal(target, &name, fault).await
            }
        }
    }

    /// What is wrong with a signal is told of each process that would have got it; a wrong name comes first.
    async fn bad_signal(
        &self,
        target: Target,
        name: &str,
        fault: Fault,
    ) -> Result<Answered, Fault> {
        let wanted = match target {
            Target::Process { .. } => {
                return self.process_info(name).await.and(Err(fault));
            }
            Target::Group(group) => Some(group),
            Target::All => None,
        };
        let all = match self.ask(Request::Processes).await {
            Reply::Processes(all) => all,
            other => return Err(unexpected(&other)),
        };
        let mut members = all
            .into_iter()
            .filter(|process| wanted.as_ref().is_none_or(|group| process.group == *group))
            .peekable();
        if wanted.is_some() && members.peek().is_none() {
            return Err(Fault::with(FaultCode::BadName, name));
        }
        let results = members
            .filter(|process| process.state.is_signallable())
            .map(|process| Status::new(process.name, process.group, Err(fault.clone())))
            .collect();
        Ok(Answered::Results(results))
    }

    async fn find_log(&self, name: &str, stream: Stream) -> Result<Option<String>, Fault> {
        let (group, process) = one_process(name)?;
        let request = Request::LogFile {
            group,
            name: process,
            stream,
        };
        log_file(self.ask(request).await, name)
    }

    async fn read_process_log(
        &mut self,
        name: &str,
        stream: Stream,
        range: Range,
    ) -> Result<Answered, Fault> {
        match self.find_log(name, stream).await? {
            Some(path) => self.read_log(path, range).await,
            None => Err(Fault::bare(FaultCode::NoFile)),
        }
    }

    async fn tail_process_log(
        &mut self,
        name: &str,
        stream: Stream,
        range: Range,
    ) -> Result<Answered, Fault> {
        match self.find_log(name, stream).await? {
            Some(path) => self.tail_log(path, range).await,
            None => Ok(Answered::Tail(linchpin_protocol::TailResult::default())),
        }
    }

    async fn clear_main_log(&mut self) -> Result<Answered, Fault> {
        let no_file = || Err(Fault::bare(FaultCode::NoFile));
        let Some(path) = log_file(self.ask(Request::MainLogFile).await, "")? else {
            return no_file();
        };
        if !self.log_exists(path).await? {
            return no_file();
        }
        match self.ask(Request::ClearMainLog).await {
            Reply::LogCleared(Ok(())) => Ok(Answered::True),
            Reply::LogCleared(Err(_)) => Err(Fault::bare(FaultCode::Failed)),
            other => Err(unexpected(&other)),
        }
    }

    async fn write_stdin(&self, name: &str, chars: String) -> Result<Answered, Fault> {
        let (group, process) = one_process(name)?;
        let request = Request::WriteStdin {
            group,
            name: process,
            data: chars.into_bytes(),
        };
        match self.ask(request).await {
            Reply::Stdin(StdinReply::Accepted) => Ok(Answered::True),
            Reply::Stdin(StdinReply::NoProcess) => Err(Fault::with(FaultCode::BadName, name)),
            Reply::Stdin(StdinReply::NotRunning) => Err(Fault::with(FaultCode::NotRunning, name)),
            Reply::Stdin(StdinReply::Closed) => Err(Fault::with(FaultCode::NoFile, name)),
            Reply::Stdin(StdinReply::Full) => Err(Fault::with(
                FaultCode::Failed,
                format_args!("{name} does not read its standard input"),
            )),
            other => Err(unexpected(&other)),
        }
    }
}

/// The name in faults of a call about a group: `startProcess('g:*')` complains of `g`.
fn group_of(target: &Target) -> Option<&str> {
    match target {
        Target::Group(name) => Some(name),
        Target::Process { .. } | Target::All => None,
    }
}

/// Group and process of a name that must not mean a whole group.
fn one_process(name: &str) -> Result<(String, String), Fault> {
    match Target::parse(name) {
        Target::Process { group, name } => Ok((group, name)),
        Target::Group(_) | Target::All => Err(Fault::with(FaultCode::BadName, name)),
    }
}

/// The path of a log, or that there is none.
fn log_file(reply: Reply, name: &str) -> Result<Option<String>, Fault> {
    match reply {
        Reply::LogFile(LogFileReply::Path(path)) => Ok(Some(path)),
        Reply::LogFile(LogFileReply::NoLog) => Ok(None),
        Reply::LogFile(LogFileReply::NoProcess) => Err(Fault::with(FaultCode::BadName, name)),
        other => Err(unexpected(&other)),
    }
}

fn outcome(reply: Reply, name: &str) -> Result<Answered, Fault> {
    match reply {
        Reply::Outcome(outcome) => result_of(outcome, name),
        other => Err(unexpected(&other)),
    }
}

/// When the supervision has ended there is nobody to ask; any other reply is a mistake of ours.
fn unexpected(reply: &Reply) -> Fault {
    match reply {
        Reply::Gone => Fault::bare(FaultCode::ShutdownState),
        other => Fault::with(
            FaultCode::Failed,
            format_args!("unexpected reply {other:?}"),
        ),
    }
}

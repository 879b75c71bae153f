//! Every method, one arm each.

use std::borrow::Cow;

use linchpin_core::{Command, DaemonState, Target};
use linchpin_protocol::{
    API_VERSION, Call, Fault, FaultCode, SUPERVISOR_VERSION, api, method_help, method_signature,
};
use linchpin_python::signals::parse_signal;

use super::answered::Status;
use super::faults::result_of;
use super::log_reading::Range;
use super::{Answered, Context, cache, twiddler};
use crate::api::{EventsQuestion, Trouble};
use crate::control::{LogFileReply, ProcessInfo, Reply, Request, StdinReply, Stream};

impl Context<'_> {
    /// Carries out a call; `system.multicall` is not for here.
    pub(crate) async fn carry_out(&mut self, call: Call) -> Result<Answered, Fault> {
        match call {
            Call::GetApiVersion => Ok(Answered::Text(API_VERSION.to_owned())),
            Call::GetSupervisorVersion => Ok(Answered::Text(SUPERVISOR_VERSION.to_owned())),
            Call::GetIdentification => Ok(Answered::Text(self.shared.identity.identifier.clone())),
            Call::GetPid => Ok(Answered::Number(i64::from(self.shared.identity.pid))),
            Call::GetState => {
                let (code, name) = self.running().await?;
                Ok(Answered::State { code, name })
            }

            Call::GetProcessInfo { name } => self.process_info(&name).await,
            Call::GetAllProcessInfo => Ok(Answered::Processes(self.processes().await?)),
            Call::GetAllConfigInfo => {
                let reply = self.ask(Request::Configurations).await;
                let Reply::Configurations(mut all) = reply else {
                    return Err(nobody());
                };
                all.sort_by(|a, b| a.process.name.cmp(&b.process.name));
                Ok(Answered::Configurations(all))
            }

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

            Call::ReloadConfig => outcome(self.ask(Request::Reread).await, ""),
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

            Call::TwiddlerAddProgramToGroup {
                group,
                program,
                options,
            } => self.add_program(group, program, options).await,
            Call::TwiddlerGetApiVersion => Ok(Answered::Text(twiddler::API_VERSION.to_owned())),
            Call::TwiddlerGetGroupNames => self.group_names().await,
            Call::TwiddlerLog { message, level } => self.log_for_client(message, level.as_deref()),
            Call::TwiddlerRemoveProcessFromGroup { group, process } => {
                self.remove_process(group, process).await
            }

            Call::CacheClear => Ok(self.shared.cache.clear()),
            Call::CacheDelete { key } => self.shared.cache.delete(&key),
            Call::CacheFetch { key } => self.shared.cache.fetch(&key),
            Call::CacheGetApiVersion => Ok(Answered::Text(cache::API_VERSION.to_owned())),
            Call::CacheGetCount => Ok(self.shared.cache.count()),
            Call::CacheGetKeys => Ok(self.shared.cache.keys()),
            Call::CacheStore { key, data } => self.shared.cache.store(&key, data),

            Call::LinchpinEvents {
                since,
                service,
                limit,
                after,
                wait,
            } => {
                let question = EventsQuestion {
                    since,
                    service,
                    limit: Some(limit),
                    after,
                    wait: Some(wait),
                };
                self.events(question).await
            }
            Call::LinchpinGetVersion => Ok(Answered::Text(env!("CARGO_PKG_VERSION").to_owned())),
            Call::LinchpinReload { name } => {
                let target = Target::parse(&name);
                let command = Command::ReloadService { target };
                outcome(self.ask(Request::Command(command)).await, &name)
            }
            Call::LinchpinStatus { measure } => document(self.shared.api.status(measure).await),
            Call::LinchpinWhy { name } => document(self.shared.api.why(&name).await),

            Call::ListMethods => Ok(Answered::Names(self.shared.interfaces.method_names())),
            Call::MethodHelp { name } => method_help(&self.documented(&name)?).map(Answered::Text),
            Call::MethodSignature { name } => {
                let types = method_signature(&self.documented(&name)?)?;
                Ok(Answered::Names(
                    types.into_iter().map(Cow::Borrowed).collect(),
                ))
            }
            Call::Multicall { .. } => Err(Fault::bare(FaultCode::IncorrectParameters)),
        }
    }

    async fn events(&self, question: EventsQuestion) -> Result<Answered, Fault> {
        match question.understood() {
            Ok((filter, wait)) => document(self.shared.api.events(filter, wait).await),
            Err(because) => Err(Fault::with(FaultCode::BadArguments, because)),
        }
    }

    async fn ask(&self, request: Request) -> Reply {
        self.shared.control.ask(request).await
    }

    /// The daemon's state, if it takes calls.
    pub(crate) async fn running(&self) -> Result<(i32, &'static str), Fault> {
        let Reply::State { code, name } = self.ask(Request::State).await else {
            return Err(nobody());
        };
        if code < DaemonState::Running.code() {
            return Err(Fault::bare(FaultCode::ShutdownState));
        }
        Ok((code, name))
    }

    async fn processes(&self) -> Result<Vec<ProcessInfo>, Fault> {
        let Reply::Processes(all) = self.ask(Request::Processes).await else {
            return Err(nobody());
        };
        Ok(all)
    }

    /// Fails when the daemon is going down, but not when it is to begin anew.
    pub(crate) async fn not_shut_down(&self) -> Result<(), Fault> {
        let Reply::State { code, .. } = self.ask(Request::State).await else {
            return Err(nobody());
        };
        if code == DaemonState::Shutdown.code() {
            return Err(Fault::bare(FaultCode::ShutdownState));
        }
        Ok(())
    }

    /// The name in the table of a method that clients can call.
    fn documented<'n>(&self, name: &'n str) -> Result<Cow<'n, str>, Fault> {
        self.shared
            .interfaces
            .find(name)
            .map(|called| called.name)
            .ok_or_else(|| Fault::bare(FaultCode::SignatureUnsupported))
    }

    async fn process_info(&self, name: &str) -> Result<Answered, Fault> {
        let (group, process) = one_process(name)?;
        let request = Request::Process {
            group,
            name: process,
        };
        let Reply::Process(found) = self.ask(request).await else {
            return Err(nobody());
        };
        found
            .map(Answered::Process)
            .ok_or_else(|| Fault::with(FaultCode::BadName, name))
    }

    async fn start(&self, target: Target, name: &str, wait: bool) -> Result<Answered, Fault> {
        let command = Command::Start { target, wait };
        outcome(self.ask(Request::Command(command)).await, name)
    }

    async fn stop(&self, target: Target, name: &str, wait: bool) -> Result<Answered, Fault> {
        let command = Command::Stop { target, wait };
        outcome(self.ask(Request::Command(command)).await, name)
    }

    async fn signal(&self, target: Target, name: &str, signal: &str) -> Result<Answered, Fault> {
        match parse_signal(signal) {
            Ok(signal) => {
                let command = Command::Signal { target, signal };
                outcome(self.ask(Request::Command(command)).await, name)
            }
            Err(_) => {
                let fault = Fault::with(FaultCode::BadSignal, signal);
                self.bad_signal(target, name, fault).await
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
        let is_single = matches!(target, Target::Process { .. });
        let reply = self.ask(Request::Targets(target)).await;
        let Reply::Processes(members) = reply else {
            return outcome(reply, name);
        };
        if is_single {
            return Err(fault);
        }
        let results = members
            .into_iter()
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
        let Reply::LogCleared(result) = self.ask(Request::ClearMainLog).await else {
            return Err(nobody());
        };
        match result {
            Ok(()) => Ok(Answered::True),
            Err(_) => Err(Fault::bare(FaultCode::Failed)),
        }
    }

    async fn write_stdin(&self, name: &str, chars: String) -> Result<Answered, Fault> {
        let (group, process) = one_process(name)?;
        let request = Request::WriteStdin {
            group,
            name: process,
            data: chars.into_bytes(),
        };
        let Reply::Stdin(reply) = self.ask(request).await else {
            return Err(nobody());
        };
        match reply {
            StdinReply::Accepted => Ok(Answered::True),
            StdinReply::NoProcess => Err(Fault::with(FaultCode::BadName, name)),
            StdinReply::NotRunning => Err(Fault::with(FaultCode::NotRunning, name)),
            StdinReply::Closed => Err(Fault::with(FaultCode::NoFile, name)),
            StdinReply::Full => Err(Fault::with(
                FaultCode::Failed,
                format_args!("{name} does not read its standard input"),
            )),
        }
    }
}

/// Group and process of a name that must not mean a whole group.
fn one_process(name: &str) -> Result<(String, String), Fault> {
    match Target::parse(name) {
        Target::Process { group, name } => Ok((group, name)),
        Target::Group(_) | Target::Several(_) | Target::All => {
            Err(Fault::with(FaultCode::BadName, name))
        }
    }
}

/// The path of a log, or that there is none.
fn log_file(reply: Reply, name: &str) -> Result<Option<String>, Fault> {
    let Reply::LogFile(reply) = reply else {
        return Err(nobody());
    };
    match reply {
        LogFileReply::Path(path) => Ok(Some(path)),
        LogFileReply::NoLog => Ok(None),
        LogFileReply::NoProcess => Err(Fault::with(FaultCode::BadName, name)),
    }
}

fn outcome(reply: Reply, name: &str) -> Result<Answered, Fault> {
    if let Reply::CannotReread(text) = reply {
        return Err(Fault::with(FaultCode::CantReread, text));
    }
    let Reply::Outcome(outcome) = reply else {
        return Err(nobody());
    };
    result_of(outcome, name)
}

/// A document of ours goes as text, which every client can read.
fn document<T: serde::Serialize>(document: Result<T, Trouble>) -> Result<Answered, Fault> {
    match document {
        Ok(document) => Ok(Answered::Text(api::write(&document))),
        Err(Trouble::NoSuchName(name)) => Err(Fault::with(FaultCode::BadName, name)),
        Err(Trouble::Ending) => Err(nobody()),
    }
}

/// The supervision has ended: the only reply that a question may get beside its own.
fn nobody() -> Fault {
    Fault::bare(FaultCode::ShutdownState)
}

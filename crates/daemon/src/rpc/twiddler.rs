//! The `twiddler` interface: groups are changed while they are at work. Its rules are those of the package
//! `supervisor_twiddler`; what becomes of a process is decided by the core.

use std::sync::Arc;

use linchpin_config::{ProgramOptions, read_program};
use linchpin_core::{Command, Outcome, Target};
use linchpin_log::LogLevel;
use linchpin_protocol::{Fault, FaultCode, Value};

use super::faults::fault_of;
use super::{Answered, Context};
use crate::control::{Reply, Request};
use crate::loading::with_daemon_environment;
use crate::world::SystemWorld;

pub(crate) const API_VERSION: &str = "1.0";

/// The levels of the main log.
const LEVELS: [LogLevel; 7] = [
    LogLevel::Blather,
    LogLevel::Trace,
    LogLevel::Debug,
    LogLevel::Info,
    LogLevel::Warn,
    LogLevel::Error,
    LogLevel::Critical,
];

impl Context<'_> {
    pub(crate) async fn group_names(&self) -> Result<Answered, Fault> {
        let Reply::Groups(names) = self.shared.control.ask(Request::Groups).await else {
            return Err(Fault::bare(FaultCode::ShutdownState));
        };
        let names = names.into_iter().map(Value::String).collect();
        Ok(Answered::Value(Value::Array(names)))
    }

    /// Writes a line to the main log; the level is a number or its four letters.
    pub(crate) fn log_for_client(
        &self,
        line: String,
        level: Option<&str>,
    ) -> Result<Answered, Fault> {
        let level = match level {
            None => Some(LogLevel::Info),
            Some(wanted) => LEVELS.into_iter().find(|level| {
                level.number().to_string() == wanted || level.code().eq_ignore_ascii_case(wanted)
            }),
        };
        let level = level.ok_or_else(|| Fault::bare(FaultCode::IncorrectParameters))?;
        self.shared.journal.log(level, line);
        Ok(Answered::True)
    }

    pub(crate) async fn add_program(
        &self,
        group: String,
        program: String,
        options: Vec<(String, String)>,
    ) -> Result<Answered, Fault> {
        // Whether there is such a group comes first, as in the original; the core looks again.
        let target = Request::Targets(Target::Group(group.clone()));
        if let Reply::Outcome(_) = self.shared.control.ask(target).await {
            return Err(Fault::with(
                FaultCode::BadName,
                format_args!("group: {group}"),
            ));
        }
        let shared = Arc::clone(self.shared);
        let in_group = group.clone();
        // Account files may be slow.
        let read = tokio::task::spawn_blocking(move || {
            let interfaces = &shared.interfaces;
            let program = ProgramOptions {
                name: &program,
                group: &in_group,
                options: &options,
                file: &interfaces.file,
                environment: &interfaces.environment,
                extensions: interfaces.extensions,
            };
            let (mut processes, warnings) = read_program(&SystemWorld::now(), program)?;
            for process in &mut processes {
                with_daemon_environment(process, &interfaces.environment);
            }
            Ok::<_, String>((processes, warnings))
        })
        .await;
        let (processes, warnings) = match read {
            Ok(Ok(read)) => read,
            Ok(Err(text)) => return Err(Fault::with(FaultCode::IncorrectParameters, text)),
            Err(error) => return Err(Fault::with(FaultCode::Failed, error)),
        };
        for warning in warnings {
            self.shared.journal.log(LogLevel::Warn, warning);
        }
        let processes = processes.into_iter().map(Arc::new).collect();
        self.change(Command::AddProcesses { group, processes })
            .await
    }

    pub(crate) async fn remove_process(
        &self,
        group: String,
        name: String,
    ) -> Result<Answered, Fault> {
        self.change(Command::RemoveProcess { group, name }).await
    }

    async fn change(&self, command: Command) -> Result<Answered, Fault> {
        let Reply::Outcome(outcome) = self.shared.control.ask(Request::Command(command)).await
        else {
            return Err(Fault::bare(FaultCode::ShutdownState));
        };
        match outcome {
            Outcome::Failed(failure) => Err(fault_of(failure)),
            Outcome::Done | Outcome::Many(_) | Outcome::Reloaded { .. } => Ok(Answered::True),
        }
    }
}

//! A call with its arguments checked: the border between text and types.

use crate::arguments::Arguments;
use crate::fault::{Fault, FaultCode};
use crate::method::{Method, find_method};
use crate::value::Value;

/// A call that can be carried out. The comments tell the defaults; meanings are in the table.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    missing_docs,
    reason = "the fields are the parameters that the table documents"
)]
pub enum Call {
    /// `cache.clear`
    CacheClear,
    /// `cache.delete`
    CacheDelete { key: Value },
    /// `cache.fetch`
    CacheFetch { key: Value },
    /// `cache.getAPIVersion`
    CacheGetApiVersion,
    /// `cache.getCount`
    CacheGetCount,
    /// `cache.getKeys`
    CacheGetKeys,
    /// `cache.store`
    CacheStore { key: Value, data: Value },
    /// `linchpin.events`, all of them by default
    LinchpinEvents {
        since: Option<String>,
        service: Option<String>,
        limit: i64,
        after: Option<String>,
        wait: i64,
    },
    /// `linchpin.getVersion`
    LinchpinGetVersion,
    /// `linchpin.reload`
    LinchpinReload { name: String },
    /// `linchpin.status`, measures by default
    LinchpinStatus { measure: bool },
    /// `linchpin.why`
    LinchpinWhy { name: String },
    /// `supervisor.addProcessGroup`
    AddProcessGroup { name: String },
    /// `supervisor.clearAllProcessLogs`
    ClearAllProcessLogs,
    /// `supervisor.clearLog`
    ClearLog,
    /// `supervisor.clearProcessLogs`
    ClearProcessLogs { name: String },
    /// `supervisor.getAPIVersion`
    GetApiVersion,
    /// `supervisor.getAllConfigInfo`
    GetAllConfigInfo,
    /// `supervisor.getAllProcessInfo`
    GetAllProcessInfo,
    /// `supervisor.getIdentification`
    GetIdentification,
    /// `supervisor.getPID`
    GetPid,
    /// `supervisor.getProcessInfo`
    GetProcessInfo { name: String },
    /// `supervisor.getState`
    GetState,
    /// `supervisor.getSupervisorVersion`
    GetSupervisorVersion,
    /// `supervisor.readLog`
    ReadLog { offset: i64, length: i64 },
    /// `supervisor.readProcessStderrLog`
    ReadProcessStderrLog {
        name: String,
        offset: i64,
        length: i64,
    },
    /// `supervisor.readProcessStdoutLog`
    ReadProcessStdoutLog {
        name: String,
        offset: i64,
        length: i64,
    },
    /// `supervisor.reloadConfig`
    ReloadConfig,
    /// `supervisor.removeProcessGroup`
    RemoveProcessGroup { name: String },
    /// `supervisor.restart`
    Restart,
    /// `supervisor.sendProcessStdin`
    SendProcessStdin { name: String, chars: String },
    /// `supervisor.sendRemoteCommEvent`
    SendRemoteCommEvent { kind: String, data: String },
    /// `supervisor.shutdown`
    Shutdown,
    /// `supervisor.signalAllProcesses`
    SignalAllProcesses { signal: String },
    /// `supervisor.signalProcess`
    SignalProcess { name: String, signal: String },
    /// `supervisor.signalProcessGroup`
    SignalProcessGroup { name: String, signal: String },
    /// `supervisor.startAllProcesses`, waits by default
    StartAllProcesses { wait: bool },
    /// `supervisor.startProcess`, waits by default
    StartProcess { name: String, wait: bool },
    /// `supervisor.startProcessGroup`, waits by default
    StartProcessGroup { name: String, wait: bool },
    /// `supervisor.stopAllProcesses`, waits by default
    StopAllProcesses { wait: bool },
    /// `supervisor.stopProcess`, waits by default
    StopProcess { name: String, wait: bool },
    /// `supervisor.stopProcessGroup`, waits by default
    StopProcessGroup { name: String, wait: bool },
    /// `supervisor.tailProcessStderrLog`
    TailProcessStderrLog {
        name: String,
        offset: i64,
        length: i64,
    },
    /// `supervisor.tailProcessStdoutLog`
    TailProcessStdoutLog {
        name: String,
        offset: i64,
        length: i64,
    },
    /// `system.listMethods`
    ListMethods,
    /// `system.methodHelp`
    MethodHelp { name: String },
    /// `system.methodSignature`
    MethodSignature { name: String },
    /// `system.multicall`
    Multicall { calls: Vec<MulticallItem> },
    /// `twiddler.addProgramToGroup`
    TwiddlerAddProgramToGroup {
        group: String,
        program: String,
        options: Vec<(String, String)>,
    },
    /// `twiddler.getAPIVersion`
    TwiddlerGetApiVersion,
    /// `twiddler.getGroupNames`
    TwiddlerGetGroupNames,
    /// `twiddler.log`, by default with level INFO
    TwiddlerLog {
        message: String,
        level: Option<String>,
    },
    /// `twiddler.removeProcessFromGroup`
    TwiddlerRemoveProcessFromGroup { group: String, process: String },
}

/// One call of a `system.multicall`: a name and parameters, or the fault that takes its place.
#[derive(Debug, Clone, PartialEq)]
pub struct MulticallItem {
    /// Checked with [`Call::parse`] when its turn comes.
    pub call: Result<(String, Vec<Value>), Fault>,
}

impl MulticallItem {
    fn new(item: Value) -> Self {
        let fault = |extra| Err(Fault::with(FaultCode::IncorrectParameters, extra));
        let Value::Struct(members) = item else {
            return Self {
                call: fault("No methodName"),
            };
        };
        let mut name = None;
        let mut parameters = Value::Array(Vec::new());
        for (member, value) in members {
            match member.as_str() {
                "methodName" => name = Some(value),
                "params" => parameters = value,
                _ => {}
            }
        }
        Self {
            call: match (name, parameters) {
                (Some(Value::String(name)), _) if name == Method::Multicall.name() => {
                    fault("Recursive system.multicall forbidden")
                }
                (Some(Value::String(name)), Value::Array(parameters)) => Ok((name, parameters)),
                (None | Some(Value::Nil), _) => fault("No methodName"),
                (Some(_), _) => Err(Fault::bare(FaultCode::IncorrectParameters)),
            },
        }
    }
}

impl Call {
    /// Finds the method and checks number and types of the arguments.
    ///
    /// # Errors
    ///
    /// UNKNOWN_METHOD or INCORRECT_PARAMETERS.
    pub fn parse(method: &str, parameters: Vec<Value>) -> Result<Self, Fault> {
        let spec = find_method(method).ok_or_else(|| Fault::bare(FaultCode::UnknownMethod))?;
        let mut arguments = Arguments::new(spec, parameters)?;
        let args = &mut arguments;
        Ok(match spec.method {
            Method::CacheClear => Self::CacheClear,
            Method::CacheDelete => Self::CacheDelete { key: args.next()? },
            Method::CacheFetch => Self::CacheFetch { key: args.next()? },
            Method::CacheGetApiVersion => Self::CacheGetApiVersion,
            Method::CacheGetCount => Self::CacheGetCount,
            Method::CacheGetKeys => Self::CacheGetKeys,
            Method::CacheStore => Self::CacheStore {
                key: args.next()?,
                data: args.next()?,
            },
            Method::LinchpinEvents => Self::LinchpinEvents {
                since: args.text_or_number_if_given()?,
                service: args.text_or_number_if_given()?,
                limit: args.int_or(0)?,
                after: args.text_or_number_if_given()?,
                wait: args.int_or(0)?,
            },
            Method::LinchpinGetVersion => Self::LinchpinGetVersion,
            Method::LinchpinReload => Self::LinchpinReload { name: args.text()? },
            Method::LinchpinStatus => Self::LinchpinStatus {
                measure: args.truth_or(true)?,
            },
            Method::LinchpinWhy => Self::LinchpinWhy { name: args.text()? },
            Method::AddProcessGroup => Self::AddProcessGroup { name: args.text()? },
            Method::ClearAllProcessLogs => Self::ClearAllProcessLogs,
            Method::ClearLog => Self::ClearLog,
            Method::ClearProcessLogs => Self::ClearProcessLogs { name: args.text()? },
            Method::GetApiVersion => Self::GetApiVersion,
            Method::GetAllConfigInfo => Self::GetAllConfigInfo,
            Method::GetAllProcessInfo => Self::GetAllProcessInfo,
            Method::GetIdentification => Self::GetIdentification,
            Method::GetPid => Self::GetPid,
            Method::GetProcessInfo => Self::GetProcessInfo { name: args.text()? },
            Method::GetState => Self::GetState,
            Method::GetSupervisorVersion => Self::GetSupervisorVersion,
            Method::ReadLog => Self::ReadLog {
                offset: args.int()?,
                length: args.int()?,
            },
            Method::ReadProcessStderrLog => Self::ReadProcessStderrLog {
                name: args.text()?,
                offset: args.int()?,
                length: args.int()?,
            },
            Method::ReadProcessStdoutLog => Self::ReadProcessStdoutLog {
                name: args.text()?,
                offset: args.int()?,
                length: args.int()?,
            },
            Method::ReloadConfig => Self::ReloadConfig,
            Method::RemoveProcessGroup => Self::RemoveProcessGroup { name: args.text()? },
            Method::Restart => Self::Restart,
            Method::SendProcessStdin => Self::SendProcessStdin {
                name: args.text()?,
                chars: args.characters()?,
            },
            Method::SendRemoteCommEvent => Self::SendRemoteCommEvent {
                kind: args.text_or_number()?,
                data: args.text_or_number()?,
            },
            Method::Shutdown => Self::Shutdown,
            Method::SignalAllProcesses => Self::SignalAllProcesses {
                signal: args.text_or_number()?,
            },
            Method::SignalProcess => Self::SignalProcess {
                name: args.text()?,
                signal: args.text_or_number()?,
            },
            Method::SignalProcessGroup => Self::SignalProcessGroup {
                name: args.text()?,
                signal: args.text_or_number()?,
            },
            Method::StartAllProcesses => Self::StartAllProcesses {
                wait: args.truth_or(true)?,
            },
            Method::StartProcess => Self::StartProcess {
                name: args.text()?,
                wait: args.truth_or(true)?,
            },
            Method::StartProcessGroup => Self::StartProcessGroup {
                name: args.text()?,
                wait: args.truth_or(true)?,
            },
            Method::StopAllProcesses => Self::StopAllProcesses {
                wait: args.truth_or(true)?,
            },
            Method::StopProcess => Self::StopProcess {
                name: args.text()?,
                wait: args.truth_or(true)?,
            },
            Method::StopProcessGroup => Self::StopProcessGroup {
                name: args.text()?,
                wait: args.truth_or(true)?,
            },
            Method::TailProcessStderrLog => Self::TailProcessStderrLog {
                name: args.text()?,
                offset: args.int()?,
                length: args.int()?,
            },
            Method::TailProcessStdoutLog => Self::TailProcessStdoutLog {
                name: args.text()?,
                offset: args.int()?,
                length: args.int()?,
            },
            Method::ListMethods => Self::ListMethods,
            Method::MethodHelp => Self::MethodHelp { name: args.text()? },
            Method::MethodSignature => Self::MethodSignature { name: args.text()? },
            Method::Multicall => Self::Multicall {
                calls: args.array()?.into_iter().map(MulticallItem::new).collect(),
            },
            Method::TwiddlerAddProgramToGroup => Self::TwiddlerAddProgramToGroup {
                group: args.text_or_number()?,
                program: args.text_or_number()?,
                options: args.options()?,
            },
            Method::TwiddlerGetApiVersion => Self::TwiddlerGetApiVersion,
            Method::TwiddlerGetGroupNames => Self::TwiddlerGetGroupNames,
            Method::TwiddlerLog => Self::TwiddlerLog {
                message: args.text_or_number()?,
                level: args.text_or_number_if_given()?,
            },
            Method::TwiddlerRemoveProcessFromGroup => Self::TwiddlerRemoveProcessFromGroup {
                group: args.text_or_number()?,
                process: args.text_or_number()?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, parameters: Vec<Value>, expected: Result<Call, &str>) {
        let call = Call::parse(method, parameters).map_err(|fault| fault.text);
        assert_eq!(call, expected.map_err(str::to_owned), "{method}");
    }

    #[test]
    fn arguments_are_counted_and_typed() {
        let start = |wait| {
            Ok(Call::StartProcess {
                name: "x".to_owned(),
                wait,
            })
        };
        let name = "supervisor.startProcess";
        check(name, vec!["x".into()], start(true));
        check(name, vec!["x".into(), false.into()], start(false));
        check(name, vec!["x".into(), Value::Int(0)], start(false));
        check(name, vec!["x".into(), Value::Nil], start(false));
        let incorrect = Err("INCORRECT_PARAMETERS");
        check(name, vec![], incorrect.clone());
        check(name, vec![Value::Int(1)], incorrect.clone());
        check(
            name,
            vec!["x".into(), Value::Array(vec![])],
            incorrect.clone(),
        );
        check(
            name,
            vec!["x".into(), true.into(), true.into()],
            incorrect.clone(),
        );
        check("supervisor.getState", vec![Value::Nil], incorrect.clone());
        let read = |offset| Ok(Call::ReadLog { offset, length: 0 });
        let name = "supervisor.readMainLog";
        check(name, vec!["-5".into(), Value::Int(0)], read(-5));
        check(name, vec![Value::Double(7.9), false.into()], read(7));
        check(name, vec!["x".into(), Value::Int(0)], incorrect);
        check(
            "supervisor.signalAllProcesses",
            vec![Value::Int(1)],
            Ok(Call::SignalAllProcesses {
                signal: "1".to_owned(),
            }),
        );
        check(
            "supervisor.sendProcessStdin",
            vec!["x".into(), Value::Int(5)],
            Err("INCORRECT_PARAMETERS: 5"),
        );
    }

    #[test]
    fn only_published_methods_exist() {
        for name in [
            "",
            "supervisor",
            "supervisor._update",
            "a.b.c",
            "supervisor.getstate",
        ] {
            check(name, vec![], Err("UNKNOWN_METHOD"));
        }
    }

    #[test]
    fn each_call_of_a_multicall_has_its_own_fault() {
        let item = |members: Vec<(&str, Value)>| {
            let members = members.into_iter().map(|(k, v)| (k.to_owned(), v));
            MulticallItem::new(Value::Struct(members.collect()))
                .call
                .map_err(|fault| fault.text)
        };
        assert_eq!(
            item(vec![("methodName", "a.b".into())]),
            Ok(("a.b".to_owned(), vec![]))
        );
        assert_eq!(
            item(vec![]),
            Err("INCORRECT_PARAMETERS: No methodName".to_owned())
        );
        assert_eq!(
            item(vec![("methodName", "system.multicall".into())]),
            Err("INCORRECT_PARAMETERS: Recursive system.multicall forbidden".to_owned())
        );
        assert_eq!(
            item(vec![("methodName", "a.b".into()), ("params", "x".into())]),
            Err("INCORRECT_PARAMETERS".to_owned())
        );
    }
}

//! Methods as data: what is published, with which parameters, and what `system.methodHelp` and
//! `system.methodSignature` say about it. The table itself is in `method_table.rs`.

use std::fmt::Write as _;

use crate::fault::{Fault, FaultCode};
use crate::method_table::METHODS;

macro_rules! methods {
    ($($variant:ident = $name:literal;)*) => {
        /// A method, without its aliases.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Method {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl Method {
            /// Namespace and name, as called.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

methods! {
    CacheClear = "cache.clear";
    CacheDelete = "cache.delete";
    CacheFetch = "cache.fetch";
    CacheGetApiVersion = "cache.getAPIVersion";
    CacheGetCount = "cache.getCount";
    CacheGetKeys = "cache.getKeys";
    CacheStore = "cache.store";
    LinchpinEvents = "linchpin.events";
    LinchpinGetVersion = "linchpin.getVersion";
    LinchpinReload = "linchpin.reload";
    LinchpinStatus = "linchpin.status";
    LinchpinWhy = "linchpin.why";
    AddProcessGroup = "supervisor.addProcessGroup";
    ClearAllProcessLogs = "supervisor.clearAllProcessLogs";
    ClearLog = "supervisor.clearLog";
    ClearProcessLogs = "supervisor.clearProcessLogs";
    GetApiVersion = "supervisor.getAPIVersion";
    GetAllConfigInfo = "supervisor.getAllConfigInfo";
    GetAllProcessInfo = "supervisor.getAllProcessInfo";
    GetIdentification = "supervisor.getIdentification";
    GetPid = "supervisor.getPID";
    GetProcessInfo = "supervisor.getProcessInfo";
    GetState = "supervisor.getState";
    GetSupervisorVersion = "supervisor.getSupervisorVersion";
    ReadLog = "supervisor.readLog";
    ReadProcessStderrLog = "supervisor.readProcessStderrLog";
    ReadProcessStdoutLog = "supervisor.readProcessStdoutLog";
    ReloadConfig = "supervisor.reloadConfig";
    RemoveProcessGroup = "supervisor.removeProcessGroup";
    Restart = "supervisor.restart";
    SendProcessStdin = "supervisor.sendProcessStdin";
    SendRemoteCommEvent = "supervisor.sendRemoteCommEvent";
    Shutdown = "supervisor.shutdown";
    SignalAllProcesses = "supervisor.signalAllProcesses";
    SignalProcess = "supervisor.signalProcess";
    SignalProcessGroup = "supervisor.signalProcessGroup";
    StartAllProcesses = "supervisor.startAllProcesses";
    StartProcess = "supervisor.startProcess";
    StartProcessGroup = "supervisor.startProcessGroup";
    StopAllProcesses = "supervisor.stopAllProcesses";
    StopProcess = "supervisor.stopProcess";
    StopProcessGroup = "supervisor.stopProcessGroup";
    TailProcessStderrLog = "supervisor.tailProcessStderrLog";
    TailProcessStdoutLog = "supervisor.tailProcessStdoutLog";
    ListMethods = "system.listMethods";
    MethodHelp = "system.methodHelp";
    MethodSignature = "system.methodSignature";
    Multicall = "system.multicall";
    TwiddlerAddProgramToGroup = "twiddler.addProgramToGroup";
    TwiddlerGetApiVersion = "twiddler.getAPIVersion";
    TwiddlerGetGroupNames = "twiddler.getGroupNames";
    TwiddlerLog = "twiddler.log";
    TwiddlerRemoveProcessFromGroup = "twiddler.removeProcessFromGroup";
}

/// Type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterType {
    /// Text.
    String,
    /// A number, or text that is one.
    Int,
    /// True or false; numbers count as in Python.
    Boolean,
    /// A list.
    Array,
    /// Named members.
    Struct,
    /// Text or a number.
    StringOrInt,
}

impl ParameterType {
    /// The word in signatures.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Struct => "struct",
            Self::StringOrInt => "string|int",
        }
    }
}

/// Type of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnType {
    /// Text.
    String,
    /// A number.
    Int,
    /// True or false.
    Boolean,
    /// Named members.
    Struct,
    /// A list.
    Array,
}

impl ReturnType {
    /// The word in signatures.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Boolean => "boolean",
            Self::Struct => "struct",
            Self::Array => "array",
        }
    }
}

/// A parameter of a method.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name in the documentation; calls go by position.
    pub name: &'static str,
    /// Its type.
    pub kind: ParameterType,
    /// What stands in when it is left out, as text; none makes it obligatory.
    pub default: Option<&'static str>,
    /// One line of help.
    pub help: &'static str,
}

/// Everything there is to say about a method.
#[derive(Debug, Clone, Copy)]
pub struct MethodSpec {
    /// Which one.
    pub method: Method,
    /// Older names of the same method.
    pub aliases: &'static [&'static str],
    /// Parameters in order.
    pub parameters: &'static [Parameter],
    /// Type of the result.
    pub returns: ReturnType,
    /// Name of the result and a line of help.
    pub result: (&'static str, &'static str),
    /// Faults besides INCORRECT_PARAMETERS and SHUTDOWN_STATE.
    pub faults: &'static [FaultCode],
    /// What it does.
    pub help: &'static str,
}

impl MethodSpec {
    /// Its own name and the older ones.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.method.name()).chain(self.aliases.iter().copied())
    }
}

/// The method of a name or an older name. Names are exact: one dot, case counts.
#[must_use]
pub fn find_method(name: &str) -> Option<&'static MethodSpec> {
    METHODS
        .iter()
        .find(|spec| spec.names().any(|known| known == name))
}

/// All names, older ones too, sorted: the result of `system.listMethods`.
#[must_use]
pub fn method_names() -> Vec<&'static str> {
    let mut names: Vec<&str> = METHODS.iter().flat_map(MethodSpec::names).collect();
    names.sort_unstable();
    names
}

/// The result of `system.methodHelp`: what the method does, then `@param type name text` and
/// `@return type name text` lines, which clients take apart.
///
/// # Errors
///
/// SIGNATURE_UNSUPPORTED when there is no such method.
pub fn method_help(name: &str) -> Result<String, Fault> {
    let spec = documented(name)?;
    let mut text = format!("{}\n\n", spec.help);
    for parameter in spec.parameters {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "@param {} {} {}",
            parameter.kind.name(),
            parameter.name,
            parameter.help
        );
    }
    let (result, help) = spec.result;
    let _ = writeln!(text, "@return {} {result} {help}", spec.returns.name());
    Ok(text)
}

/// The result of `system.methodSignature`: type of the result, then those of the parameters.
///
/// # Errors
///
/// SIGNATURE_UNSUPPORTED when there is no such method.
pub fn method_signature(name: &str) -> Result<Vec<&'static str>, Fault> {
    let spec = documented(name)?;
    let parameters = spec.parameters.iter().map(|p| p.kind.name());
    Ok(std::iter::once(spec.returns.name())
        .chain(parameters)
        .collect())
}

fn documented(name: &str) -> Result<&'static MethodSpec, Fault> {
    find_method(name).ok_or_else(|| Fault::bare(FaultCode::SignatureUnsupported))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_method() {
        let names = method_names();
        let count = |prefix: &str| names.iter().filter(|name| name.starts_with(prefix)).count();
        assert_eq!(count("supervisor.") + count("system."), 41);
        assert_eq!(count("twiddler."), 5);
        assert_eq!(count("cache."), 7);
        for name in names {
            assert!(find_method(name).is_some(), "{name}");
        }
        assert!(find_method("supervisor._update").is_none());
        assert!(find_method("getVersion").is_none());
        assert!(find_method("supervisor.options.exit").is_none());
    }

    #[test]
    fn help_has_the_lines_that_clients_take_apart() {
        assert_eq!(
            method_help("supervisor.startProcess").unwrap(),
            "Starts a process, or every process of a group with `group:*`.\n\n\
             @param string name Name of the process, `group:name`, or `group:*`\n\
             @param boolean wait Answer only when the process is RUNNING or has failed to get there\n\
             @return boolean result Always true; an array of results for `group:*`\n"
        );
        assert_eq!(
            method_signature("supervisor.readProcessLog").unwrap(),
            ["string", "string", "int", "int"]
        );
        assert_eq!(
            method_help("x").unwrap_err().to_string(),
            "SIGNATURE_UNSUPPORTED"
        );
    }

    #[test]
    fn optional_parameters_come_last() {
        for spec in METHODS {
            let first = spec.parameters.iter().position(|p| p.default.is_some());
            let from_there = first.map_or(&[][..], |at| &spec.parameters[at..]);
            assert!(from_there.iter().all(|p| p.default.is_some()));
        }
    }
}

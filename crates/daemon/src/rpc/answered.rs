//! Results of calls, before they are XML. Plain data that can go to a worker.

use std::borrow::Cow;

use linchpin_core::ProcessResult;
use linchpin_protocol::{
    Fault, ReloadResult, StatusResult, TailResult, Value, ValueWriter, WriteError, WriteValue,
};

use super::cache::weight;
use super::config_conversion::config_info;
use super::faults::fault_of;
use super::process_conversion::{local_stop_stamp, process_info};
use crate::control::{Configuration, ProcessInfo};

/// The result of a call.
#[derive(Debug)]
pub(crate) enum Answered {
    True,
    Number(i64),
    Text(String),
    /// Of `getState`.
    State {
        code: i32,
        name: &'static str,
    },
    Process(Box<ProcessInfo>),
    Processes(Vec<ProcessInfo>),
    Configurations(Vec<Configuration>),
    /// What became of each process of several.
    Results(Vec<Status>),
    Reloaded(ReloadResult),
    Tail(TailResult<'static>),
    Names(Vec<Cow<'static, str>>),
    /// Of any type.
    Value(Value),
    /// Of `system.multicall`.
    Many(Vec<Result<Answered, Fault>>),
}

/// What became of one process of several.
#[derive(Debug)]
pub(crate) struct Status {
    name: String,
    group: String,
    result: Result<(), Fault>,
}

impl Status {
    pub(crate) fn new(name: String, group: String, result: Result<(), Fault>) -> Self {
        Self {
            name,
            group,
            result,
        }
    }
}

impl From<ProcessResult> for Status {
    fn from(result: ProcessResult) -> Self {
        Self {
            name: result.name,
            group: result.group,
            result: result.result.map_err(fault_of),
        }
    }
}

/// About how many bytes of XML a process or a configuration makes, beside its texts.
const STRUCT_BYTES: usize = 1200;

impl Answered {
    /// Whether it is the only news of something that was done. Of several calls each was looked at.
    pub(crate) fn must_be_told(&self) -> bool {
        match self {
            Self::True
            | Self::Number(_)
            | Self::State { .. }
            | Self::Results(_)
            | Self::Reloaded(_)
            | Self::Many(_) => true,
            Self::Text(_)
            | Self::Process(_)
            | Self::Processes(_)
            | Self::Configurations(_)
            | Self::Tail(_)
            | Self::Names(_)
            | Self::Value(_) => false,
        }
    }

    /// About how many bytes of XML it makes.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::True | Self::Number(_) | Self::State { .. } => 64,
            Self::Text(text) => 64 + text.len(),
            Self::Process(_) => STRUCT_BYTES,
            Self::Processes(all) => all.len() * STRUCT_BYTES,
            // They have more members and longer texts.
            Self::Configurations(all) => 3 * all.len() * STRUCT_BYTES,
            Self::Results(all) => all.len() * STRUCT_BYTES / 4,
            Self::Reloaded(ReloadResult {
                added,
                changed,
                removed,
            }) => 64 * (added.len() + changed.len() + removed.len()),
            Self::Tail(tail) => 64 + tail.text.len(),
            Self::Names(names) => 64 * names.len(),
            Self::Value(value) => weight(value),
            Self::Many(items) => items.iter().map(weight_of_item).sum(),
        }
    }
}

/// The same for one item of a multicall.
pub(crate) fn weight_of_item(item: &Result<Answered, Fault>) -> usize {
    match item {
        Ok(answered) => answered.weight(),
        Err(fault) => 128 + fault.text.len(),
    }
}

impl WriteValue for Answered {
    fn write_value(&self, writer: &mut ValueWriter<'_>) -> Result<(), WriteError> {
        match self {
            Self::True => writer.bool(true),
            Self::Number(number) => writer.int_capped(*number),
            Self::Text(text) => writer.string(text),
            Self::State { code, name } => {
                return writer.structure(|out| {
                    out.int_capped("statecode", i64::from(*code))?;
                    out.string("statename", name)
                });
            }
            Self::Process(process) => {
                return process_info(process, local_stop_stamp).write_value(writer);
            }
            Self::Processes(all) => {
                return writer.array(|out| {
                    all.iter().try_for_each(|process| {
                        process_info(process, local_stop_stamp).write_value(out)
                    })
                });
            }
            Self::Configurations(all) => {
                return writer.array(|out| {
                    all.iter()
                        .try_for_each(|configuration| config_info(configuration).write_value(out))
                });
            }
            Self::Results(all) => {
                return writer.array(|out| {
                    all.iter().try_for_each(|status| {
                        let result = status.result.as_ref().map(|&()| ());
                        StatusResult::new(status.group.as_str(), status.name.as_str(), result)
                            .write_value(out)
                    })
                });
            }
            Self::Reloaded(result) => return result.write_value(writer),
            Self::Tail(tail) => return tail.write_value(writer),
            Self::Names(names) => return names.write_value(writer),
            Self::Value(value) => return value.write_value(writer),
            Self::Many(items) => {
                return writer.array(|out| {
                    items.iter().try_for_each(|item| match item {
                        Ok(answered) => answered.write_value(out),
                        Err(fault) => fault.write_value(out),
                    })
                });
            }
        }
        Ok(())
    }
}

//! The struct of `getProcessInfo`.

use std::borrow::Cow;

use crate::value_reader::{ReadValue, ValueReader};
use crate::value_writer::{ValueWriter, WriteError, WriteValue};
use crate::xml::ReadError;

/// What there is to know about one process. Borrowed on both sides: from the daemon's state when
/// written, from the answer when read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProcessInfo<'a> {
    /// Name of the process.
    pub name: Cow<'a, str>,
    /// Name of its group.
    pub group: Cow<'a, str>,
    /// Epoch second of the last start; 0 is never. Capped to 32 bits, like the next two.
    pub start: i64,
    /// Epoch second of the last end; 0 is never.
    pub stop: i64,
    /// Epoch second of the answer.
    pub now: i64,
    /// Number of the state, see [`ProcessState`](crate::ProcessState).
    pub state: i64,
    /// Name of the state.
    pub statename: Cow<'a, str>,
    /// Why the last start failed; empty where it did not.
    pub spawnerr: Cow<'a, str>,
    /// Exit status of the last end, -1 after a signal, 0 when unset.
    pub exitstatus: i64,
    /// Path of the log of standard output; empty is none. Sent twice: as `logfile` too.
    pub stdout_logfile: Cow<'a, str>,
    /// Path of the log of standard error; empty is none.
    pub stderr_logfile: Cow<'a, str>,
    /// Process id; 0 when nothing runs.
    pub pid: i64,
    /// The state in words.
    pub description: Cow<'a, str>,
}

impl WriteValue for ProcessInfo<'_> {
    fn write_value(&self, writer: &mut ValueWriter<'_>) -> Result<(), WriteError> {
        writer.structure(|out| {
            out.string("name", &self.name)?;
            out.string("group", &self.group)?;
            out.int_capped("start", self.start)?;
            out.int_capped("stop", self.stop)?;
            out.int_capped("now", self.now)?;
            out.int_capped("state", self.state)?;
            out.string("statename", &self.statename)?;
            out.string("spawnerr", &self.spawnerr)?;
            out.int_capped("exitstatus", self.exitstatus)?;
            out.string("logfile", &self.stdout_logfile)?;
            out.string("stdout_logfile", &self.stdout_logfile)?;
            out.string("stderr_logfile", &self.stderr_logfile)?;
            out.int_capped("pid", self.pid)?;
            out.string("description", &self.description)
        })
    }
}

impl<'a> ReadValue<'a> for ProcessInfo<'a> {
    fn read_value(reader: &mut ValueReader<'a>) -> Result<Self, ReadError> {
        let mut info = Self::default();
        reader.structure(|name, reader| {
            match name {
                "name" => info.name = Cow::read_value(reader)?,
                "group" => info.group = Cow::read_value(reader)?,
                "start" => info.start = i64::read_value(reader)?,
                "stop" => info.stop = i64::read_value(reader)?,
                "now" => info.now = i64::read_value(reader)?,
                "state" => info.state = i64::read_value(reader)?,
                "statename" => info.statename = Cow::read_value(reader)?,
                "spawnerr" => info.spawnerr = Cow::read_value(reader)?,
                "exitstatus" => info.exitstatus = i64::read_value(reader)?,
                "stdout_logfile" => info.stdout_logfile = Cow::read_value(reader)?,
                "stderr_logfile" => info.stderr_logfile = Cow::read_value(reader)?,
                "pid" => info.pid = i64::read_value(reader)?,
                "description" => info.description = Cow::read_value(reader)?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(info)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::write_answer;
    use crate::value::Value;
    use crate::value_reader::read_answer;

    fn info() -> ProcessInfo<'static> {
        ProcessInfo {
            name: "cat".into(),
            group: "animals".into(),
            start: 1_700_000_000,
            stop: 1,
            now: 1 << 33,
            state: 20,
            statename: "RUNNING".into(),
            spawnerr: "a & b".into(),
            exitstatus: -1,
            stdout_logfile: "/log".into(),
            stderr_logfile: "".into(),
            pid: 7,
            description: "pid 7, uptime 0:00:01".into(),
        }
    }

    #[test]
    fn the_wire_has_fourteen_members_in_the_originals_order() {
        let document = String::from_utf8(write_answer(&info()).unwrap()).unwrap();
        let Ok(Ok(Value::Struct(members))) = read_answer(&document) else {
            panic!("no struct: {document}");
        };
        let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names.join(" "),
            "name group start stop now state statename spawnerr exitstatus logfile stdout_logfile \
             stderr_logfile pid description"
        );
    }

    #[test]
    fn what_is_written_is_read_with_times_capped() {
        let document = String::from_utf8(write_answer(&info()).unwrap()).unwrap();
        let read: ProcessInfo<'_> = read_answer(&document).unwrap().unwrap();
        assert_eq!(read.now, i64::from(i32::MAX));
        assert_eq!(
            ProcessInfo {
                now: 1 << 33,
                ..read
            },
            info()
        );
    }
}

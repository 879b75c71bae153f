//! The struct of `getAllConfigInfo`.

use std::borrow::Cow;

use crate::value::Value;
use crate::value_reader::{ReadValue, ValueReader};
use crate::value_writer::{StructWriter, ValueWriter, WriteError, WriteValue};
use crate::xml::ReadError;

/// One configured process. Absent texts cross the wire as `none`, generated logs as `auto`.
///
/// Numbers are capped to 32 bits: in the original a `maxbytes` of 2 GB makes the whole call fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigInfo<'a> {
    /// Name of the process.
    pub name: Cow<'a, str>,
    /// Name of its group.
    pub group: Cow<'a, str>,
    /// A group of this name is active.
    pub inuse: bool,
    /// Priority of the group.
    pub group_prio: i64,
    /// Priority within the group.
    pub process_prio: i64,
    /// Started with the daemon.
    pub autostart: bool,
    /// Started again after an end.
    pub autorestart: AutorestartInfo,
    /// Working directory.
    pub directory: Option<Cow<'a, str>>,
    /// User id.
    pub uid: Option<i64>,
    /// Command line as written.
    pub command: Cow<'a, str>,
    /// Expected exit statuses.
    pub exitcodes: Cow<'a, [i64]>,
    /// SIGKILL goes to the process group.
    pub killasgroup: bool,
    /// Standard error goes where standard output goes.
    pub redirect_stderr: bool,
    /// Failed starts before giving up.
    pub startretries: i64,
    /// Seconds after which a start counts as a success.
    pub startsecs: i64,
    /// Number of the stop signal.
    pub stopsignal: i64,
    /// Seconds before SIGKILL.
    pub stopwaitsecs: i64,
    /// `SUPERVISOR_SERVER_URL`, where the section sets one.
    pub serverurl: Option<Cow<'a, str>>,
    /// Standard output.
    pub stdout: OutputInfo<'a>,
    /// Standard error.
    pub stderr: OutputInfo<'a>,
}

/// `autorestart`. The original's released version does not send it, its development version fails
/// the whole call for `true`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutorestartInfo {
    /// `false`
    Never,
    /// The string `unexpected`.
    Unexpected,
    /// `true`
    Always,
}

/// One output stream of a [`ConfigInfo`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutputInfo<'a> {
    /// Most bytes of one captured communication.
    pub capture_maxbytes: i64,
    /// PROCESS_LOG events are emitted.
    pub events_enabled: bool,
    /// Path, `auto`, or none.
    pub logfile: Option<Cow<'a, str>>,
    /// Rotated files kept.
    pub logfile_backups: i64,
    /// Size in bytes at which the log is rotated.
    pub logfile_maxbytes: i64,
    /// Copied to the system log.
    pub syslog: bool,
}

const NONE: &str = "none";

impl OutputInfo<'_> {
    /// `names` are capture_maxbytes, events_enabled, logfile, logfile_backups, logfile_maxbytes,
    /// syslog with the stream in front.
    fn write(
        &self,
        out: &mut StructWriter<'_, '_>,
        names: [&'static str; 6],
    ) -> Result<(), WriteError> {
        let [capture, events, logfile, backups, maxbytes, syslog] = names;
        out.int_capped(capture, self.capture_maxbytes)?;
        out.bool(events, self.events_enabled)?;
        out.string(logfile, self.logfile.as_deref().unwrap_or(NONE))?;
        out.int_capped(backups, self.logfile_backups)?;
        out.int_capped(maxbytes, self.logfile_maxbytes)?;
        out.bool(syslog, self.syslog)
    }
}

impl WriteValue for ConfigInfo<'_> {
    fn write_value(&self, writer: &mut ValueWriter<'_>) -> Result<(), WriteError> {
        writer.structure(|out| {
            out.bool("autostart", self.autostart)?;
            out.string("directory", self.directory.as_deref().unwrap_or(NONE))?;
            match self.uid {
                Some(uid) => out.int_capped("uid", uid)?,
                None => out.string("uid", NONE)?,
            }
            out.string("command", &self.command)?;
            out.member("exitcodes", |w| self.exitcodes.as_ref().write_value(w))?;
            out.string("group", &self.group)?;
            out.int_capped("group_prio", self.group_prio)?;
            out.bool("inuse", self.inuse)?;
            out.bool("killasgroup", self.killasgroup)?;
            out.string("name", &self.name)?;
            out.int_capped("process_prio", self.process_prio)?;
            out.bool("redirect_stderr", self.redirect_stderr)?;
            out.int_capped("startretries", self.startretries)?;
            out.int_capped("startsecs", self.startsecs)?;
            self.stdout.write(
                out,
                [
                    "stdout_capture_maxbytes",
                    "stdout_events_enabled",
                    "stdout_logfile",
                    "stdout_logfile_backups",
                    "stdout_logfile_maxbytes",
                    "stdout_syslog",
                ],
            )?;
            out.int_capped("stopsignal", self.stopsignal)?;
            out.int_capped("stopwaitsecs", self.stopwaitsecs)?;
            self.stderr.write(
                out,
                [
                    "stderr_capture_maxbytes",
                    "stderr_events_enabled",
                    "stderr_logfile",
                    "stderr_logfile_backups",
                    "stderr_logfile_maxbytes",
                    "stderr_syslog",
                ],
            )?;
            out.string("serverurl", self.serverurl.as_deref().unwrap_or(NONE))?;
            match self.autorestart {
                AutorestartInfo::Never => out.bool("autorestart", false),
                AutorestartInfo::Unexpected => out.string("autorestart", "unexpected"),
                AutorestartInfo::Always => out.bool("autorestart", true),
            }
        })
    }
}

impl Default for ConfigInfo<'_> {
    fn default() -> Self {
        Self {
            name: Cow::Borrowed(""),
            group: Cow::Borrowed(""),
            inuse: false,
            group_prio: 0,
            process_prio: 0,
            autostart: false,
            autorestart: AutorestartInfo::Unexpected,
            directory: None,
            uid: None,
            command: Cow::Borrowed(""),
            exitcodes: Cow::Borrowed(&[]),
            killasgroup: false,
            redirect_stderr: false,
            startretries: 0,
            startsecs: 0,
            stopsignal: 0,
            stopwaitsecs: 0,
            serverurl: None,
            stdout: OutputInfo::default(),
            stderr: OutputInfo::default(),
        }
    }
}

fn text_or_none<'a>(reader: &mut ValueReader<'a>) -> Result<Option<Cow<'a, str>>, ReadError> {
    let text = Cow::read_value(reader)?;
    Ok((text != NONE).then_some(text))
}

impl<'a> ReadValue<'a> for ConfigInfo<'a> {
    fn read_value(reader: &mut ValueReader<'a>) -> Result<Self, ReadError> {
        let mut info = Self::default();
        reader.structure(|name, reader| {
            match name {
                "autostart" => info.autostart = bool::read_value(reader)?,
                "directory" => info.directory = text_or_none(reader)?,
                "uid" => info.uid = i64::from_value(&Value::read_value(reader)?),
                "command" => info.command = Cow::read_value(reader)?,
                "exitcodes" => info.exitcodes = Cow::Owned(Vec::read_value(reader)?),
                "group" => info.group = Cow::read_value(reader)?,
                "group_prio" => info.group_prio = i64::read_value(reader)?,
                "inuse" => info.inuse = bool::read_value(reader)?,
                "killasgroup" => info.killasgroup = bool::read_value(reader)?,
                "name" => info.name = Cow::read_value(reader)?,
                "process_prio" => info.process_prio = i64::read_value(reader)?,
                "redirect_stderr" => info.redirect_stderr = bool::read_value(reader)?,
                "startretries" => info.startretries = i64::read_value(reader)?,
                "startsecs" => info.startsecs = i64::read_value(reader)?,
                "stopsignal" => info.stopsignal = i64::read_value(reader)?,
                "stopwaitsecs" => info.stopwaitsecs = i64::read_value(reader)?,
                "serverurl" => info.serverurl = text_or_none(reader)?,
                "autorestart" => {
                    info.autorestart = match Value::read_value(reader)? {
                        Value::Bool(true) => AutorestartInfo::Always,
                        Value::Bool(false) => AutorestartInfo::Never,
                        Value::Nil
                        | Value::Int(_)
                        | Value::Double(_)
                        | Value::String(_)
                        | Value::DateTime(_)
                        | Value::Array(_)
                        | Value::Struct(_) => AutorestartInfo::Unexpected,
                    }
                }
                _ => {
                    let output = match name.split_at_checked("stdout_".len()) {
                        Some(("stdout_", option)) => Some((&mut info.stdout, option)),
                        Some(("stderr_", option)) => Some((&mut info.stderr, option)),
                        Some(_) | None => None,
                    };
                    match output {
                        Some((output, "capture_maxbytes")) => {
                            output.capture_maxbytes = i64::read_value(reader)?;
                        }
                        Some((output, "events_enabled")) => {
                            output.events_enabled = bool::read_value(reader)?;
                        }
                        Some((output, "logfile")) => output.logfile = text_or_none(reader)?,
                        Some((output, "logfile_backups")) => {
                            output.logfile_backups = i64::read_value(reader)?;
                        }
                        Some((output, "logfile_maxbytes")) => {
                            output.logfile_maxbytes = i64::read_value(reader)?;
                        }
                        Some((output, "syslog")) => output.syslog = bool::read_value(reader)?,
                        Some(_) | None => reader.skip()?,
                    }
                }
            }
            Ok(())
        })?;
        Ok(info)
    }
}

/// A number, where the wire may hold a word in its place.
trait FromValue: Sized {
    fn from_value(value: &Value) -> Option<Self>;
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Int(number) => Some(*number),
            Value::Nil
            | Value::Bool(_)
            | Value::Double(_)
            | Value::String(_)
            | Value::DateTime(_)
            | Value::Array(_)
            | Value::Struct(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::write_answer;
    use crate::value_reader::read_answer;

    fn info() -> ConfigInfo<'static> {
        ConfigInfo {
            name: "cat".into(),
            group: "animals".into(),
            inuse: true,
            group_prio: 999,
            process_prio: -1,
            autostart: true,
            autorestart: AutorestartInfo::Always,
            directory: None,
            uid: Some(1000),
            command: "/bin/cat".into(),
            exitcodes: vec![0, 2].into(),
            killasgroup: false,
            redirect_stderr: true,
            startretries: 3,
            startsecs: 1,
            stopsignal: 15,
            stopwaitsecs: 10,
            serverurl: None,
            stdout: OutputInfo {
                logfile: Some("auto".into()),
                logfile_maxbytes: 1 << 31,
                ..OutputInfo::default()
            },
            stderr: OutputInfo::default(),
        }
    }

    #[test]
    fn what_is_written_is_read_with_sizes_capped() {
        let document = String::from_utf8(write_answer(&[info()].as_slice()).unwrap()).unwrap();
        let mut read: Vec<ConfigInfo<'_>> = read_answer(&document).unwrap().unwrap();
        assert_eq!(read[0].stdout.logfile_maxbytes, i64::from(i32::MAX));
        read[0].stdout.logfile_maxbytes = 1 << 31;
        assert_eq!(read, [info()]);
    }

    #[test]
    fn the_wire_has_thirty_members_and_none_is_a_word() {
        let document = String::from_utf8(write_answer(&info()).unwrap()).unwrap();
        let value: Value = read_answer(&document).unwrap().unwrap();
        let Value::Struct(members) = &value else {
            panic!("no struct: {document}");
        };
        assert_eq!(members.len(), 30);
        assert_eq!(value.member("directory"), Some(&Value::from("none")));
        assert_eq!(value.member("stdout_logfile"), Some(&Value::from("auto")));
        assert_eq!(value.member("stderr_logfile"), Some(&Value::from("none")));
        assert_eq!(value.member("autorestart"), Some(&Value::Bool(true)));
    }
}

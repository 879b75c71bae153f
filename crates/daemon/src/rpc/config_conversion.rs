//! The struct of `getAllConfigInfo`.

use std::borrow::Cow;

use linchpin_config::{AutoRestart, LogFile, OutputConfig};
use linchpin_protocol::{AutorestartInfo, ConfigInfo, OutputInfo};

use crate::control::Configuration;

/// What goes over the wire about the configuration of a process.
pub(crate) fn config_info(configuration: &Configuration) -> ConfigInfo<'_> {
    let process = &configuration.process;
    let text = |text: &'_ Option<String>| text.clone().map(Cow::Owned);
    ConfigInfo {
        name: Cow::Borrowed(&process.name),
        group: Cow::Borrowed(&configuration.group),
        inuse: configuration.in_use,
        group_prio: configuration.group_priority,
        process_prio: process.priority,
        autostart: process.autostart,
        autorestart: match process.autorestart {
            AutoRestart::Never => AutorestartInfo::Never,
            AutoRestart::Unexpected => AutorestartInfo::Unexpected,
            AutoRestart::Always => AutorestartInfo::Always,
        },
        directory: text(&process.directory),
        uid: process.uid.map(i64::from),
        command: Cow::Borrowed(&process.command),
        exitcodes: process.exitcodes.iter().copied().map(i64::from).collect(),
        killasgroup: process.killasgroup,
        redirect_stderr: process.redirect_stderr,
        startretries: process.startretries,
        startsecs: process.startsecs,
        stopsignal: i64::from(process.stopsignal),
        stopwaitsecs: process.stopwaitsecs,
        serverurl: text(&process.serverurl),
        stdout: output_info(&process.stdout, configuration.auto_stdout.as_deref()),
        stderr: output_info(&process.stderr, configuration.auto_stderr.as_deref()),
    }
}

/// `in_use` is the name that an AUTO log has been given.
fn output_info<'a>(output: &'a OutputConfig, in_use: Option<&'a str>) -> OutputInfo<'a> {
    OutputInfo {
        capture_maxbytes: output.capture_maxbytes,
        events_enabled: output.events_enabled,
        logfile: match &output.logfile {
            LogFile::None => None,
            LogFile::Auto => Some(Cow::Borrowed(in_use.unwrap_or("auto"))),
            LogFile::Path(path) => Some(Cow::Borrowed(path)),
        },
        logfile_backups: output.logfile_backups,
        logfile_maxbytes: output.logfile_maxbytes,
        syslog: output.syslog,
    }
}

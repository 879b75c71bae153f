//! Log files that cannot be rotated, are rotated twice, or are not there.

use std::collections::HashMap;

use super::combinations::is_none;
use super::{Judge, one_process_of_each_section};
use crate::model::{Config, LogFile, MainLog, OutputConfig};

pub(super) fn judge(judge: &mut Judge<'_>, config: &Config) {
    if let MainLog::File(path) = &config.supervisord.logfile
        && is_special(path)
        && config.supervisord.logfile_maxbytes > 0
    {
        let span = judge.span("supervisord", "logfile");
        judge.warn(
            span,
            format!("`{path}` cannot be rotated, and Supervisor ends when it tries"),
            "add `logfile_maxbytes=0`",
        );
    }
    for (_, process) in one_process_of_each_section(config) {
        stream(judge, &process.section, "stdout", &process.stdout, false);
        stream(
            judge,
            &process.section,
            "stderr",
            &process.stderr,
            process.redirect_stderr,
        );
    }
    shared(judge, config);
}

/// Devices and other processes' descriptors, which cannot be renamed or truncated.
fn is_special(path: &str) -> bool {
    path.starts_with("/dev/") || path.starts_with("/proc/")
}

fn stream(
    judge: &mut Judge<'_>,
    section: &str,
    name: &str,
    output: &OutputConfig,
    is_redirected: bool,
) {
    let file_key = format!("{name}_logfile");
    let bytes_key = format!("{name}_logfile_maxbytes");
    if let LogFile::Path(path) = &output.logfile
        && is_special(path)
        && output.logfile_maxbytes > 0
        && path != "/dev/null"
    {
        let span = judge.span(section, &file_key);
        judge.warn(
            span,
            format!("`{path}` cannot be rotated, so writing to it fails"),
            format!("add `{bytes_key}=0`"),
        );
    }
    if is_none(&output.logfile)
        && !output.syslog
        && !is_redirected
        && output.logfile_maxbytes > 0
        && let Some(entry) = judge.written(section, &bytes_key)
        && judge.written(section, &file_key).is_some()
    {
        judge.warn(
            Some(entry.key_span),
            format!("`{bytes_key}` has no effect: `{file_key}` is no file"),
            format!("remove it, or set `{file_key}` to a path"),
        );
    }
}

/// Two writers that rotate one file rename it under each other's hands.
fn shared(judge: &mut Judge<'_>, config: &Config) {
    let mut first_user: HashMap<&str, String> = HashMap::new();
    if let MainLog::File(path) = &config.supervisord.logfile
        && config.supervisord.logfile_maxbytes > 0
    {
        first_user.insert(path, "the daemon itself".to_owned());
    }
    for group in &config.groups {
        for process in &group.processes {
            for (stream, output) in [("stdout", &process.stdout), ("stderr", &process.stderr)] {
                let LogFile::Path(path) = &output.logfile else {
                    continue;
                };
                if output.logfile_maxbytes <= 0 || is_special(path) {
                    continue;
                }
                let user = format!("{stream} of `{}`", process.name);
                if let Some(other) = first_user.get(path.as_str()) {
                    let span = judge.span(&process.section, &format!("{stream}_logfile"));
                    let help = if other.ends_with(&format!("`{}`", process.name)) {
                        "set `redirect_stderr=true` and remove `stderr_logfile`".to_owned()
                    } else {
                        format!(
                            "give each a file of its own, or set `{stream}_logfile_maxbytes=0` for all"
                        )
                    };
                    let message = format!(
                        "`{path}` is written and rotated by {other} and by {user}, so lines get lost"
                    );
                    judge.warn(span, message, help);
                } else {
                    first_user.insert(path, user);
                }
            }
        }
    }
}

//! The last lines that a service wrote.

use std::io;
use std::path::PathBuf;

use linchpin_config::LogFile;
use linchpin_log::{decode_lossy, read_file};
use linchpin_protocol::api::LastOutput;
use tokio::time::timeout;

use crate::control::{Control, LogFileReply, Reply, Request, Stream, Writer};
use crate::http::Budget;
use crate::http::limits::LOG_READ_TIME;

/// Most lines that are told.
const LINES_MAX: usize = 10;

/// Most bytes that are looked at for them.
const BYTES_MAX: i64 = 8 * 1024;

/// The last lines of a service's standard error, or of its standard output where both go there.
pub(super) async fn last_output(control: &Control, budget: &Budget, writer: &Writer) -> LastOutput {
    let config = &writer.config;
    let (stream, name, output) = if config.redirect_stderr {
        (Stream::Stdout, "stdout", &config.stdout)
    } else {
        (Stream::Stderr, "stderr", &config.stderr)
    };
    let mut found = LastOutput {
        stream: name.to_owned(),
        file: None,
        lines: Vec::new(),
        note: None,
    };
    if output.logfile == LogFile::None {
        let section = &config.section;
        found.note = Some(format!(
            "it is not kept ({name}_logfile=NONE in [{section}])"
        ));
        return found;
    }
    let request = Request::LogFile {
        group: writer.group.clone(),
        name: config.name.clone(),
        stream,
    };
    let Reply::LogFile(LogFileReply::Path(path)) = control.ask(request).await else {
        found.note = Some("there is no log".to_owned());
        return found;
    };
    found.file = Some(path.clone());
    let look = move || {
        let path = PathBuf::from(path);
        match std::fs::metadata(&path) {
            Ok(metadata) if !metadata.is_file() => Err("it is passed on and not kept".to_owned()),
            Ok(_) => read_file(&path, -BYTES_MAX, 0).map_err(|error| error.to_string()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(format!("the log cannot be read: {error}")),
        }
    };
    match timeout(LOG_READ_TIME, budget.look(look)).await {
        Ok(Some(Ok(bytes))) => {
            let is_cut = i64::try_from(bytes.len()).is_ok_and(|length| length >= BYTES_MAX);
            found.lines = last_lines(&decode_lossy(&bytes), is_cut);
            if found.lines.is_empty() {
                found.note = Some("it has written nothing".to_owned());
            }
        }
        Ok(Some(Err(text))) => found.note = Some(text),
        Ok(None) | Err(_) => found.note = Some("the log cannot be read in time".to_owned()),
    }
    found
}

/// The last lines of a text whose first one may be cut. Control characters, which could do things to a terminal,
/// are left out.
fn last_lines(text: &str, is_cut: bool) -> Vec<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    if is_cut && lines.len() > 1 {
        lines.remove(0);
    }
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    let first = lines.len().saturating_sub(LINES_MAX);
    lines
        .drain(..)
        .skip(first)
        .map(|line| {
            line.chars()
                .filter(|character| *character == '\t' || !character.is_control())
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, is_cut: bool, expected: &[&str]) {
        assert_eq!(last_lines(text, is_cut), expected, "{text:?}");
    }

    #[test]
    fn the_last_lines_are_told_without_what_a_terminal_would_do_something_with() {
        check("", false, &[]);
        check("a\nb", false, &["a", "b"]);
        check("a\nb\n\n \n", false, &["a", "b"]);
        check("cut\nb\n", true, &["b"]);
        check("one long line", true, &["one long line"]);
        check("\u{1b}[31mred\r\n\tx\u{7}\n", false, &["[31mred", "\tx"]);
        let many: String = (0..30).map(|number| format!("{number}\n")).collect();
        let last: Vec<String> = (20..30).map(|number| number.to_string()).collect();
        assert_eq!(last_lines(&many, false), last);
    }
}

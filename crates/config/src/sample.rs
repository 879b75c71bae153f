//! The sample file that `echo_supervisord_conf` prints, made from the table of options.

use std::fmt::Write as _;

use crate::options::{OptionSpec, SectionKind};

const INTRODUCTION: &str = "\
; A configuration file with every option of Supervisor.
;
; Lines that begin with a semicolon are comments: remove it to use the option.
;
; What surprises people most:
;  - A comment behind a value needs a blank before its semicolon: \"a=b ;comment\".
;    The same holds inside quotes, so \"sh -c 'a ; b'\" is cut off at the semicolon.
;  - A percent sign begins an expansion, such as %(here)s or %(ENV_HOME)s. Write %%
;    where one is meant.
;  - Neither ~ nor $HOME means anything in a command, and quotes around a whole value
;    are part of it.
;
; The paths in /tmp suit a first try only: other users can write there, and some
; systems remove old files from it, sockets included.
";

/// Sections of the sample: kind, name, and whether the header stands without a comment sign.
const SECTIONS: [(SectionKind, &str, bool); 9] = [
    (SectionKind::UnixHttpServer, "unix_http_server", true),
    (SectionKind::InetHttpServer, "inet_http_server", false),
    (SectionKind::Supervisord, "supervisord", true),
    (SectionKind::RpcInterface, "rpcinterface:supervisor", true),
    (SectionKind::Supervisorctl, "supervisorctl", true),
    (SectionKind::Program, "program:theprogramname", false),
    (
        SectionKind::EventListener,
        "eventlistener:theeventlistenername",
        false,
    ),
    (SectionKind::Group, "group:thegroupname", false),
    (SectionKind::Include, "include", false),
];

/// Column at which explanations begin.
const EXPLANATION_COLUMN: usize = 38;

/// The sample file.
#[must_use]
pub fn sample_configuration() -> String {
    let mut text = INTRODUCTION.to_owned();
    for (kind, name, is_active) in SECTIONS {
        text.push('\n');
        for line in wrapped(kind.about(), 84) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "; {line}");
        }
        let _ = writeln!(text, "{}[{name}]", if is_active { "" } else { ";" });
        for option in kind.options() {
            let is_active = is_active && option.is_active_in_sample;
            let left = format!(
                "{}{}={}",
                if is_active { "" } else { ";" },
                option.name,
                sample_value(kind, option)
            );
            let _ = writeln!(
                text,
                "{left:EXPLANATION_COLUMN$} ; {}",
                explanation(kind, option)
            );
        }
    }
    text
}

/// A pool of listeners starts before everything else.
fn sample_value(kind: SectionKind, option: &OptionSpec) -> &'static str {
    if kind == SectionKind::EventListener && option.name == "priority" {
        "-1"
    } else {
        option.sample
    }
}

/// The first sentence of the help and the default.
fn explanation(kind: SectionKind, option: &OptionSpec) -> String {
    let sentence = option.help.split(". ").next().unwrap_or(option.help);
    let sentence = sentence.trim_end_matches('.').replace('`', "");
    let default = match option.default {
        _ if option.is_required => "required".to_owned(),
        Some(_) if kind == SectionKind::EventListener && option.name == "priority" => {
            "default -1".to_owned()
        }
        Some("") => "default empty".to_owned(),
        Some(default) => format!("default {default}"),
        None => format!("default: {}", option.default_note.replace('`', "")),
    };
    format!("{sentence} ({default})")
}

/// Text broken into lines at blanks.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        let is_full = lines
            .last()
            .is_some_and(|line| !line.is_empty() && line.len() + 1 + word.len() > most);
        if is_full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

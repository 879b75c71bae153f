//! The sample file that `echo_supervisord_conf` prints, made from the table of options.
//!
//! The explanations are ours. What stands before them is the original's, line by line: image recipes turn options on
//! and off in it with `sed`.

use std::fmt::Write as _;

use crate::options::{CTL_SERVERURL, OptionSpec, Origin, SERVER_PORT, SectionKind};

const INTRODUCTION: &str = "\
; Sample supervisor config file, with every section that most people need.
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

/// Options that the original does not show.
const NOT_SHOWN: [(SectionKind, &str); 5] = [
    (SectionKind::Program, "numprocs_start"),
    (SectionKind::EventListener, "numprocs_start"),
    (SectionKind::EventListener, "result_handler"),
    (SectionKind::EventListener, "stdout_capture_maxbytes"),
    (SectionKind::EventListener, "stderr_capture_maxbytes"),
];

/// Values that suit a listener better than a program.
const OF_LISTENERS: [(&str, &str); 3] = [
    ("command", "/bin/eventlistener"),
    ("priority", "-1"),
    ("redirect_stderr", "false"),
];

/// Where the options that only a listener has stand in its section: behind this one.
const BEFORE_THOSE_OF_LISTENERS: &str = "numprocs";

/// Keys that the original sets off from their values.
const SET_OFF: [&str; 2] = ["supervisor.rpcinterface_factory", "files"];

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
        for option in shown_options(kind) {
            let sign = if is_active && option.is_active_in_sample {
                ""
            } else {
                ";"
            };
            let equals = if SET_OFF.contains(&option.name) {
                " = "
            } else {
                "="
            };
            let left = format!(
                "{sign}{}{equals}{}",
                option.name,
                sample_value(kind, option)
            );
            line(&mut text, &left, &explanation(kind, option));
            if kind == SectionKind::Supervisorctl && option.name == CTL_SERVERURL.name {
                let tcp = format!(";{}=http://{}", option.name, SERVER_PORT.sample);
                line(&mut text, &tcp, "The same for an inet_http_server");
            }
        }
    }
    text
}

fn line(text: &mut String, left: &str, explanation: &str) {
    let _ = writeln!(text, "{left:EXPLANATION_COLUMN$} ; {explanation}");
}

/// The options of a section in the order of the sample, which shows Supervisor's alone.
fn shown_options(kind: SectionKind) -> Vec<&'static OptionSpec> {
    let mut options: Vec<&OptionSpec> = kind
        .options()
        .filter(|option| option.origin == Origin::Supervisor)
        .filter(|option| !NOT_SHOWN.contains(&(kind, option.name)))
        .collect();
    if kind == SectionKind::EventListener {
        let own = options
            .iter()
            .take_while(|option| SectionKind::Program.option(option.name).is_none())
            .count();
        let position = options
            .iter()
            .position(|option| option.name == BEFORE_THOSE_OF_LISTENERS);
        if let Some(position) = position {
            options[..=position].rotate_left(own);
        }
    }
    options
}

fn sample_value(kind: SectionKind, option: &OptionSpec) -> &'static str {
    let of_listeners = OF_LISTENERS
        .iter()
        .find(|(name, _)| kind == SectionKind::EventListener && *name == option.name);
    of_listeners.map_or(option.sample, |(_, value)| value)
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

//! The command line and the section of supervisorctl.

use linchpin_python::repr;

use crate::command_line::{check_seen, help_text};
use crate::findings::{Findings, Statement};
use crate::getopt::{CommandOption, getopt};
use crate::load::{Context, LoadFailure, environment_names, normalized_with_home};
use crate::model::Supervisorctl;
use crate::options;
use crate::plugins::plugins;
use crate::reading::{Reading, here_of, read_main_file};
use crate::search_path::search_path;
use crate::value;
use crate::world::World;

/// The options of supervisorctl.
pub static CONTROL_OPTIONS: [CommandOption; 8] = [
    CommandOption::with_value(
        Some('c'),
        "configuration",
        "FILENAME",
        "read this configuration file instead of searching for one",
    ),
    CommandOption::flag(Some('h'), "help", "print this text and exit"),
    CommandOption::flag(Some('?'), "", "print this text and exit"),
    CommandOption::flag(
        Some('i'),
        "interactive",
        "start an interactive shell, as without a command; with one, ask before shutdown and reload",
    ),
    CommandOption::with_value(
        Some('s'),
        "serverurl",
        "URL",
        "where the daemon listens (default http://localhost:9001)",
    ),
    CommandOption::with_value(
        Some('u'),
        "username",
        "NAME",
        "user name to give to the daemon",
    ),
    CommandOption::with_value(
        Some('p'),
        "password",
        "WORD",
        "password to give to the daemon",
    ),
    CommandOption::with_value(
        Some('r'),
        "history_file",
        "FILENAME",
        "keep the history of the shell in this file",
    ),
];

/// What supervisorctl is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlCommand {
    /// Print the help text on standard output and exit with 0.
    Help,
    /// Run a command or a shell.
    Run(Box<ControlRequest>),
}

/// The command line of supervisorctl.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ControlRequest {
    /// `-c`, as it was written.
    pub file: Option<String>,
    /// `-i`
    pub interactive: bool,
    /// `-s`
    pub serverurl: Option<String>,
    /// `-u`
    pub username: Option<String>,
    /// `-p`
    pub password: Option<String>,
    /// `-r`. The original reads this option and then forgets it.
    pub history_file: Option<String>,
    /// The words of the command; none opens a shell.
    pub command: Vec<String>,
}

impl std::fmt::Debug for ControlRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ControlRequest")
            .field("file", &self.file)
            .field("interactive", &self.interactive)
            .field("serverurl", &self.serverurl)
            .field("username", &self.username)
            .field("history_file", &self.history_file)
            .field("command", &self.command)
            .finish_non_exhaustive()
    }
}

/// Reads the words of supervisorctl's command line, without the program's name.
///
/// # Errors
/// The original's message, to be printed by [`usage_error`](crate::usage_error).
pub fn parse_supervisorctl_args(words: &[String]) -> Result<ControlCommand, String> {
    let (given, command) = getopt(words, &CONTROL_OPTIONS)?;
    let mut request = ControlRequest {
        command,
        ..ControlRequest::default()
    };
    let mut seen = Vec::new();
    for option in given {
        let text = option.value.clone();
        if option.name == "-h" || option.name == "-?" || option.name == "--help" {
            return Ok(ControlCommand::Help);
        }
        if CONTROL_OPTIONS[option.index].long == "serverurl" {
            value::url(&text).map_err(|reason| {
                format!(
                    "invalid value for {} {}: {reason}",
                    option.name,
                    repr(&text)
                )
            })?;
        }
        check_seen(&mut seen, &option)?;
        match CONTROL_OPTIONS[option.index].long {
            "configuration" => request.file = Some(text),
            "interactive" => request.interactive = true,
            "serverurl" => request.serverurl = Some(text),
            "username" => request.username = Some(text),
            "password" => request.password = Some(text),
            _ => request.history_file = Some(text),
        }
    }
    request.interactive |= request.command.is_empty();
    Ok(ControlCommand::Run(Box::new(request)))
}

/// Help text of supervisorctl.
#[must_use]
pub fn supervisorctl_help(program: &str) -> String {
    let mut text = help_text(
        program,
        "supervisorctl -- control applications that supervisord runs.",
        " [command [arguments]]",
        &CONTROL_OPTIONS,
    );
    text.push_str(
        "\nWithout a command a shell is opened. The command \"help\" lists the commands.\n",
    );
    text
}

/// What supervisorctl works with: the command line over `[supervisorctl]` over the defaults.
///
/// Without `-c` the default places are searched, and no file at all is fine. `[include]` is not
/// followed, as in the original. `program` is the path of the program with its directory.
///
/// # Errors
/// All problems of the section and of the plugins, if there are any.
pub fn load_supervisorctl(
    world: &dyn World,
    program: &str,
    request: &ControlRequest,
) -> Result<Supervisorctl, Box<LoadFailure>> {
    let file = request.file.clone().or_else(|| {
        search_path(program)
            .into_iter()
            .find(|place| world.exists(place))
    });
    let mut findings = Findings::default();
    let mut reading = Reading::default();
    let mut section = Supervisorctl {
        serverurl: options::CTL_SERVERURL
            .default
            .unwrap_or_default()
            .to_owned(),
        username: None,
        password: None,
        prompt: options::CTL_PROMPT.default.unwrap_or_default().to_owned(),
        history_file: None,
        plugins: Vec::new(),
        knows_linchpin: false,
    };
    if let Some(file) = file
        && read_main_file(world, &file, &mut reading.document, &mut findings).is_some()
    {
        read_section(world, &file, &reading, &mut section, &mut findings);
        section.knows_linchpin = reading.document.section("linchpin").is_some();
    }
    if !findings.problems.is_empty() {
        return Err(Box::new(LoadFailure {
            problems: findings.problems,
            notices: Vec::new(),
            reading,
        }));
    }
    if let Some(url) = &request.serverurl {
        section.serverurl.clone_from(url);
    }
    section.username = request.username.clone().or(section.username);
    section.password = request.password.clone().or(section.password);
    if let Some(history) = &request.history_file {
        section.history_file = Some(normalized_with_home(world, history));
    }
    Ok(section)
}

fn read_section(
    world: &dyn World,
    file: &str,
    reading: &Reading,
    target: &mut Supervisorctl,
    findings: &mut Findings,
) {
    let document = &reading.document;
    let here = here_of(world, file);
    let environment = environment_names(world);
    let context = Context {
        world,
        document,
        here: &here,
        extensions: true,
    };
    let Some(section) = document.section("supervisorctl") else {
        if findings.problems.is_empty() {
            let text = ".ini file does not include supervisorctl section";
            findings.problem(
                document,
                None,
                Statement::original(text)
                    .message(format!("`{file}` has no [supervisorctl] section"))
                    .help("add a line `[supervisorctl]`; it may stay empty"),
            );
        }
        return;
    };
    let mut reader = context.reader(section, &environment, findings);
    if let Some(url) = reader.text(&options::CTL_SERVERURL) {
        target.serverurl = match url.text.strip_prefix("unix://") {
            Some(path) => format!("unix://{}", normalized_with_home(world, path)),
            None => url.text.into_owned(),
        };
    }
    if let Some(prompt) = reader.text(&options::CTL_PROMPT) {
        target.prompt = prompt.text.into_owned();
    }
    target.username = reader
        .text(&options::CTL_USERNAME)
        .map(|name| name.text.into_owned());
    target.password = reader
        .text(&options::CTL_PASSWORD)
        .map(|word| word.text.into_owned());
    target.history_file = reader
        .text(&options::CTL_HISTORY_FILE)
        .filter(|path| !path.text.is_empty())
        .map(|path| normalized_with_home(world, &path.text));
    target.plugins = plugins(
        context,
        &environment,
        &options::CTL_PLUGIN_FACTORY,
        "ctlplugin:",
        findings,
    );
}

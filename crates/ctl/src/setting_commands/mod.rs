//! `linchpin settings`: what is set, why, and changes of it. Works on the files, with or without a daemon; `plan` and
//! `apply` ask the daemon.
//!
//! Secrets are masked in everything that is printed, unless a person asks for one by name; they are taken from standard
//! input or a file and never from an argument, which everybody on the machine could see.

mod apply;
mod arguments;
mod explain;
mod list;
mod versions;
mod write;

use std::io::{self, BufWriter, Write as _};

use linchpin_boot::settings::{self, ChangeError, Resolved, Store, StoreError, resolve};
use linchpin_config::{
    LoadFailure, LoadRequest, SettingConfig, SettingsConfig, World, load_settings, render_all,
};

use crate::run::path_of;
use arguments::{Asked, Command};

/// Exit statuses; 4 is also that of `linchpin status` for a name that nobody has.
mod exit {
    /// Something cannot be read or written.
    pub(super) const FAILURE: u8 = 1;
    /// The command line or the configuration is wrong.
    pub(super) const USAGE: u8 = 2;
    /// A value is wrong, or not there.
    pub(super) const INVALID: u8 = 3;
    /// There is no such setting or version.
    pub(super) const UNKNOWN: u8 = 4;
    /// What was applied did not come up.
    pub(super) const NOT_APPLIED: u8 = 5;
    /// Another apply is under way.
    pub(super) const BUSY: u8 = 6;
}

/// Why a command did not do what it was told.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("{0}")]
    Usage(String),
    #[error("{}", configuration_text(.0))]
    Configuration(Box<LoadFailure>),
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
    /// Something else cannot be read.
    #[error("{0}")]
    Input(String),
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    Unknown(String),
    /// The daemon does not answer, or not as expected.
    #[error("{0}")]
    Daemon(String),
    #[error("{0}")]
    Busy(String),
}

impl Trouble {
    fn exit(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Configuration(_) => exit::USAGE,
            Self::Change(ChangeError::Unknown(..)) | Self::Unknown(_) => exit::UNKNOWN,
            Self::Change(ChangeError::Invalid(_) | ChangeError::Unwritable(..))
            | Self::Invalid(_) => exit::INVALID,
            Self::Change(ChangeError::NoFile) => exit::USAGE,
            Self::Change(ChangeError::Store(_))
            | Self::Store(_)
            | Self::Output(_)
            | Self::Daemon(_)
            | Self::Input(_) => exit::FAILURE,
            Self::Busy(_) => exit::BUSY,
        }
    }
}

fn configuration_text(failure: &LoadFailure) -> String {
    let text = render_all(&failure.problems);
    format!("the configuration cannot be used:\n{}", text.trim_end())
}

/// What a command works with.
struct Desk {
    config: SettingsConfig,
    /// What was given from outside.
    environment: Vec<(String, String)>,
    out: BufWriter<io::Stdout>,
}

impl Desk {
    fn setting(&self, name: &str) -> Result<&SettingConfig, Trouble> {
        self.config.named(name).ok_or_else(|| {
            let known = self.config.declared.iter().map(|known| known.name.as_str());
            let meant = linchpin_config::closest(name, known);
            Trouble::Change(ChangeError::Unknown(
                name.to_owned(),
                meant.map(str::to_owned),
            ))
        })
    }

    fn store(&self) -> Result<Store, Trouble> {
        let path = self.config.file.as_ref().ok_or(ChangeError::NoFile)?;
        Ok(Store::new(path, self.config.history))
    }

    /// All values as they are now.
    fn resolved(&self) -> Result<Resolved<'_>, Trouble> {
        let file = match &self.config.file {
            Some(_) => self.store()?.read()?,
            None => None,
        };
        Ok(resolve(&self.config, file.as_ref(), &self.environment))
    }
}

/// Runs `linchpin settings`, answers on standard output and tells the exit status. `called` is what was typed to ask;
/// `words` is the rest of the command line.
pub fn manage_settings(world: &dyn World, called: &str, words: &[String]) -> u8 {
    let done = run(world, called, words);
    match done {
        Ok(code) => code,
        // Whoever has stopped reading has read enough.
        Err(Trouble::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(trouble) => {
            let hint = if matches!(trouble, Trouble::Usage(_)) {
                format!("\nTry '{called} --help'.")
            } else {
                String::new()
            };
            complain(&format!("Error: {trouble}{hint}"));
            trouble.exit()
        }
    }
}

fn run(world: &dyn World, called: &str, words: &[String]) -> Result<u8, Trouble> {
    let Some(asked) = Asked::read(words)? else {
        let mut out = io::stdout();
        out.write_all(arguments::help(called).as_bytes())?;
        out.flush()?;
        return Ok(0);
    };
    let request = LoadRequest {
        file: asked.configuration.clone(),
        program: path_of(world, called),
        ..LoadRequest::default()
    };
    let loaded = load_settings(world, &request).map_err(Trouble::Configuration)?;
    if loaded.settings.declared.is_empty() {
        let why = if loaded.is_switched_off {
            "`extensions=off` in [linchpin] switches its settings off"
        } else {
            "it has no section [setting:NAME]"
        };
        return Err(Trouble::Unknown(format!(
            "{} declares no settings: {why}",
            loaded.file
        )));
    }
    let mut desk = Desk {
        config: loaded.settings,
        environment: settings::from_outside(world.environment()),
        out: BufWriter::new(io::stdout()),
    };
    let code = match &asked.command {
        Command::List { json: false } => list::list(&mut desk),
        Command::List { json: true } => list::document(&mut desk),
        Command::Plan(wanted) => {
            let daemon = apply::Daemon::find(world, called, &asked)?;
            apply::plan(&mut desk, &daemon, wanted)
        }
        Command::Apply(wanted) => {
            let daemon = apply::Daemon::find(world, called, &asked)?;
            apply::apply(&mut desk, &daemon, wanted)
        }
        Command::Get { name, reveals } => list::get(&mut desk, name, *reveals),
        Command::Explain { names } => explain::explain(&mut desk, names),
        Command::Set { values } => write::set(&mut desk, values),
        Command::Unset { names } => write::unset(&mut desk, names),
        Command::Generate => write::generate(&mut desk),
        Command::Diff { version } => versions::diff(&mut desk, *version),
        Command::History => versions::history(&mut desk),
        Command::Rollback { version } => versions::rollback(&mut desk, *version),
    }?;
    desk.out.flush()?;
    Ok(code)
}

/// Says something on standard error.
fn complain(text: &str) {
    // The exit status says it too.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Says what a person should know.
fn warn<'a>(texts: impl IntoIterator<Item = &'a String>) {
    for text in texts {
        complain(&format!("Warning: {text}"));
    }
}

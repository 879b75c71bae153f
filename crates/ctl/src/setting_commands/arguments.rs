//! The command line of `linchpin settings`.

use lexopt::{Arg, Parser, ValueExt as _};

use super::Trouble;
use crate::people::parse_length;

/// What was written.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) configuration: Option<String>,
    pub(super) command: Command,
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Command {
    List { json: bool },
    Plan(Wanted),
    Apply(Wanted),
    Get { name: String, reveals: bool },
    Set { values: Vec<(String, Source)> },
    Unset { names: Vec<String> },
    Explain { names: Vec<String> },
    Diff { version: Option<u64> },
    History,
    Rollback { version: Option<u64> },
    Generate,
}

/// What is to be planned or applied.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) values: Vec<(String, Source)>,
    pub(super) unset: Vec<String>,
    /// Seconds.
    pub(super) timeout: Option<u64>,
    pub(super) json: bool,
}

/// Where a new value comes from.
pub(super) enum Source {
    Argument(String),
    StandardInput,
    File(String),
}

impl std::fmt::Debug for Source {
    /// Without a value.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Argument(_) => "Argument",
            Self::StandardInput => "StandardInput",
            Self::File(_) => "File",
        })
    }
}

impl From<lexopt::Error> for Trouble {
    fn from(error: lexopt::Error) -> Self {
        // What was not expected may be a value.
        let is_unexpected = matches!(
            error,
            lexopt::Error::UnexpectedArgument(_) | lexopt::Error::UnexpectedValue { .. }
        );
        Self::Usage(if is_unexpected {
            "there are more words than this command takes".to_owned()
        } else {
            error.to_string()
        })
    }
}

const COMMANDS: [&str; 11] = [
    "list", "plan", "apply", "get", "set", "unset", "explain", "diff", "history", "rollback",
    "generate",
];

impl Asked {
    /// None if help is wanted.
    pub(super) fn read(words: &[String]) -> Result<Option<Self>, Trouble> {
        let mut configuration = None;
        let mut command: Option<String> = None;
        let mut names: Vec<String> = Vec::new();
        let (mut reveals, mut file) = (false, None);
        let mut wanted = Wanted {
            values: Vec::new(),
            unset: Vec::new(),
            timeout: None,
            json: false,
        };
        let mut parser = Parser::from_args(words);
        while let Some(argument) = parser.next()? {
            let is = |name: &str| command.as_deref() == Some(name);
            let is_change = is("plan") || is("apply");
            match argument {
                Arg::Short('h') | Arg::Long("help") => return Ok(None),
                Arg::Short('c') | Arg::Long("configuration") => {
                    configuration = Some(parser.value()?.string()?);
                }
                Arg::Long("reveal") if is("get") => reveals = true,
                Arg::Long("json") if is("list") || is_change => wanted.json = true,
                Arg::Long("unset") if is_change => wanted.unset.push(parser.value()?.string()?),
                Arg::Long("timeout") if is("apply") => {
                    let Some(length) = parse_length(&parser.value()?.string()?) else {
                        return usage("--timeout is a length of time such as 30s or 2m");
                    };
                    wanted.timeout = Some(length.as_secs());
                }
                Arg::Long("from") if is_change => {
                    let word = parser.value()?.string()?;
                    let Some((name, path)) = word.split_once('=') else {
                        return usage(
                            "write --from NAME=FILE, or --from NAME=- for standard input",
                        );
                    };
                    let source = match path {
                        "-" => Source::StandardInput,
                        path => Source::File(path.to_owned()),
                    };
                    wanted.values.push((name.to_owned(), source));
                }
                Arg::Long("from") if is("set") => file = Some(parser.value()?.string()?),
                Arg::Value(word) if command.is_none() => {
                    let word = word.string()?;
                    if !COMMANDS.contains(&word.as_str()) {
                        let meant = linchpin_config::closest(&word, COMMANDS);
                        let hint = meant.map(|meant| format!("; did you mean {meant}?"));
                        return Err(Trouble::Usage(format!(
                            "there is no command {word}{}",
                            hint.unwrap_or_default()
                        )));
                    }
                    command = Some(word);
                }
                Arg::Value(word) => names.push(word.string()?),
                other @ (Arg::Short(_) | Arg::Long(_)) => return Err(other.unexpected().into()),
            }
        }
        let command = command.as_deref().unwrap_or("list");
        let command = match (command, names.as_slice()) {
            ("list", []) => Command::List { json: wanted.json },
            ("plan" | "apply", _) => {
                for word in names {
                    let Some((name, value)) = word.split_once('=') else {
                        return usage("write NAME=VALUE..., --from NAME=FILE or --unset NAME");
                    };
                    let source = Source::Argument(value.to_owned());
                    wanted.values.push((name.to_owned(), source));
                }
                if command == "plan" {
                    Command::Plan(wanted)
                } else {
                    Command::Apply(wanted)
                }
            }
            ("get", [name]) => Command::Get {
                name: name.clone(),
                reveals,
            },
            ("get", _) => return usage("which setting? get NAME"),
            ("set", _) => Command::Set {
                values: values(names, file)?,
            },
            ("unset" | "explain", []) => return usage("which settings? Name them"),
            ("unset", _) => Command::Unset { names },
            ("explain", _) => Command::Explain { names },
            ("diff", version @ ([] | [_])) => Command::Diff {
                version: number(version)?,
            },
            ("rollback", version @ ([] | [_])) => Command::Rollback {
                version: number(version)?,
            },
            ("history", []) => Command::History,
            ("generate", []) => Command::Generate,
            _ => return usage("there are more words than this command takes"),
        };
        Ok(Some(Self {
            configuration,
            command,
        }))
    }
}

fn usage<T>(text: &str) -> Result<T, Trouble> {
    Err(Trouble::Usage(text.to_owned()))
}

fn number(words: &[String]) -> Result<Option<u64>, Trouble> {
    let Some(word) = words.first() else {
        return Ok(None);
    };
    match word.parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) => usage("a version is a number; `history` shows them"),
    }
}

/// `NAME VALUE`, `NAME -`, `NAME --from FILE`, or several `NAME=VALUE`.
fn values(words: Vec<String>, file: Option<String>) -> Result<Vec<(String, Source)>, Trouble> {
    let forms = "write set NAME VALUE, set NAME -, set NAME --from FILE, or set NAME=VALUE...";
    if words.is_empty() {
        return usage(forms);
    }
    if !words[0].contains('=') {
        let mut words = words.into_iter();
        let name = words.next().unwrap_or_default();
        let source = match (words.next(), file) {
            (None, Some(file)) => Source::File(file),
            (Some(word), None) if word == "-" => Source::StandardInput,
            (Some(word), None) => Source::Argument(word),
            _ => return usage(forms),
        };
        if words.next().is_some() {
            return usage("a value is one word: put it in quotes, or write NAME=VALUE for several");
        }
        return Ok(vec![(name, source)]);
    }
    if file.is_some() {
        return usage(forms);
    }
    words
        .into_iter()
        .map(|word| match word.split_once('=') {
            Some((name, value)) => Ok((name.to_owned(), Source::Argument(value.to_owned()))),
            None => usage(forms),
        })
        .collect()
}

/// The help.
pub(super) fn help(called: &str) -> String {
    format!(
        "Usage: {called} [-c FILE] [COMMAND]

Settings of the product, which the configuration declares in [setting:NAME] and keeps in [linchpin] settings_file.
What the environment sets beats that file, and the file beats defaults. Secrets are shown to nobody.

  list [--json]             all settings, their values and where these come from; exits with 3 if one is wrong
  get NAME [--reveal]       the value that services get; a secret only with --reveal
  explain NAME...           what a setting is, and why it has its value
  set NAME VALUE            change a value; several at once: set NAME=VALUE...
  set NAME -                read the value from standard input: for secrets, which must not be arguments
  set NAME --from FILE      read the value from a file
  unset NAME...             remove it from the settings file
  apply [CHANGE...]         save and restart: change values, restart what they are about, wait until it is ready, and
                            put everything back if it does not come up; --timeout TIME for that (60s), --json
                            for machines. Without a change it applies what is in the file
  plan [CHANGE...]          what apply would do; nothing is done
                            CHANGE is NAME=VALUE, --from NAME=FILE (- is standard input) or --unset NAME
  history                   previous versions of the settings file
  diff [NUMBER]             what has changed since a previous version (the last one)
  rollback [NUMBER]         put a previous version back (the last one)
  generate                  make the secrets that are missing, as a boot does

  -c, --configuration FILE  the configuration; without it, it is looked for as supervisord does

A running service keeps its values until it is restarted. Exits with 0 if all went well, 1 if a file cannot be read
or written or the daemon does not answer, 2 if the command line or the configuration is wrong, 3 if a value is wrong
or missing, 4 if there is no such setting or version, 5 if what was applied did not come up, 6 if another apply is
under way.
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Command, String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        match Asked::read(&words) {
            Ok(asked) => Ok(asked.unwrap().command),
            Err(trouble) => Err(trouble.to_string()),
        }
    }

    fn written(words: &[&str]) -> Vec<(String, String)> {
        let Command::Set { values } = read(words).unwrap() else {
            panic!("{words:?}");
        };
        let text = |source| match source {
            Source::Argument(value) => value,
            Source::StandardInput => "<stdin>".to_owned(),
            Source::File(file) => format!("<{file}>"),
        };
        values
            .into_iter()
            .map(|(name, source)| (name, text(source)))
            .collect()
    }

    #[test]
    fn values_come_in_several_forms() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(written(&["set", "A", "b=c"]), [pair("A", "b=c")]);
        assert_eq!(written(&["set", "A", ""]), [pair("A", "")]);
        assert_eq!(written(&["set", "A", "-"]), [pair("A", "<stdin>")]);
        assert_eq!(written(&["set", "A", "--", "--x"]), [pair("A", "--x")]);
        assert_eq!(written(&["set", "A", "--from", "f"]), [pair("A", "<f>")]);
        assert_eq!(
            written(&["set", "A=1=2", "B="]),
            [pair("A", "1=2"), pair("B", "")]
        );
    }

    #[test]
    fn mistakes_are_told_without_what_may_be_a_value() {
        for (words, expected) in [
            (&["set"][..], "write set NAME VALUE"),
            (&["set", "A"], "write set NAME VALUE"),
            (&["set", "A", "geheim", "x"], "a value is one word"),
            (&["set", "A=geheim", "x"], "write set NAME VALUE"),
            (&["set", "A=geheim", "--from", "x"], "write set NAME VALUE"),
            (&["get"], "which setting?"),
            (&["get", "A", "B"], "which setting?"),
            (&["unset"], "which settings?"),
            (&["lsit"], "there is no command lsit; did you mean list?"),
            (&["rollback", "x"], "a version is a number"),
            (&["history", "x"], "there are more words"),
            (&["list", "--reveal"], "invalid option '--reveal'"),
            (&["apply", "A"], "write NAME=VALUE..."),
            (&["apply", "--from", "A"], "write --from NAME=FILE"),
            (&["apply", "--timeout", "geheim"], "--timeout is a length"),
            (&["plan", "--timeout", "1"], "invalid option '--timeout'"),
        ] {
            let said = read(words).unwrap_err();
            assert!(said.starts_with(expected), "{words:?}: {said}");
            assert!(!said.contains("geheim"));
        }
        assert!(matches!(read(&[]), Ok(Command::List { json: false })));
    }
}

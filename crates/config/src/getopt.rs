//! Command-line options with the habits of Python's `getopt`.
//!
//! Long options may be shortened to any unique prefix, short ones may be bundled, a value may follow
//! directly or as the next word, and everything from the first word that is no option on is left over.

/// An option of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandOption {
    /// One letter; none if there is only the long form.
    pub short: Option<char>,
    /// Word after two dashes; empty if there is only the short form.
    pub long: &'static str,
    /// What its value is called in help texts; none if it takes no value.
    pub value_name: Option<&'static str>,
    /// One sentence for the help text.
    pub help: &'static str,
}

impl CommandOption {
    /// An option without a value.
    pub(crate) const fn flag(short: Option<char>, long: &'static str, help: &'static str) -> Self {
        Self {
            short,
            long,
            value_name: None,
            help,
        }
    }

    /// An option with a value.
    pub(crate) const fn with_value(
        short: Option<char>,
        long: &'static str,
        value_name: &'static str,
        help: &'static str,
    ) -> Self {
        Self {
            short,
            long,
            value_name: Some(value_name),
            help,
        }
    }
}

/// An option that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GivenOption {
    /// Position in the table.
    pub(crate) index: usize,
    /// Its full name with dashes, in the form (short or long) that was used.
    pub(crate) name: String,
    /// Its value; empty for options without.
    pub(crate) value: String,
}

/// Splits words into options and the rest.
///
/// # Errors
/// Python's message.
pub(crate) fn getopt(
    words: &[String],
    table: &[CommandOption],
) -> Result<(Vec<GivenOption>, Vec<String>), String> {
    let mut given = Vec::new();
    let mut rest = words;
    while let [word, after @ ..] = rest {
        if !word.starts_with('-') || word == "-" {
            break;
        }
        rest = after;
        if word == "--" {
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            given.push(long_option(long, table, &mut rest)?);
        } else {
            short_options(&word[1..], table, &mut rest, &mut given)?;
        }
    }
    Ok((given, rest.to_vec()))
}

fn long_option(
    word: &str,
    table: &[CommandOption],
    rest: &mut &[String],
) -> Result<GivenOption, String> {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word, None),
    };
    let possible: Vec<usize> = (0..table.len())
        .filter(|index| !table[*index].long.is_empty() && table[*index].long.starts_with(name))
        .collect();
    let exact = possible.iter().find(|index| table[**index].long == name);
    let index = match (exact, possible.as_slice()) {
        (Some(index), _) => *index,
        (None, []) => return Err(format!("option --{name} not recognized")),
        (None, [only]) => *only,
        (None, _) => return Err(format!("option --{name} not a unique prefix")),
    };
    let full = table[index].long;
    let value = match (table[index].value_name, value) {
        (Some(_), Some(value)) => value.to_owned(),
        (Some(_), None) => {
            take_word(rest).ok_or_else(|| format!("option --{full} requires argument"))?
        }
        (None, Some(_)) => return Err(format!("option --{full} must not have an argument")),
        (None, None) => String::new(),
    };
    Ok(GivenOption {
        index,
        name: format!("--{full}"),
        value,
    })
}

fn short_options(
    letters: &str,
    table: &[CommandOption],
    rest: &mut &[String],
    given: &mut Vec<GivenOption>,
) -> Result<(), String> {
    let mut characters = letters.chars();
    while let Some(letter) = characters.next() {
        let index = table
            .iter()
            .position(|option| option.short == Some(letter))
            .ok_or_else(|| format!("option -{letter} not recognized"))?;
        let mut value = String::new();
        if table[index].value_name.is_some() {
            value = characters.as_str().to_owned();
            characters = "".chars();
            if value.is_empty() {
                value =
                    take_word(rest).ok_or_else(|| format!("option -{letter} requires argument"))?;
            }
        }
        given.push(GivenOption {
            index,
            name: format!("-{letter}"),
            value,
        });
    }
    Ok(())
}

fn take_word(rest: &mut &[String]) -> Option<String> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    Some(first.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [CommandOption; 4] = [
        CommandOption::with_value(Some('c'), "configuration", "FILE", ""),
        CommandOption::flag(Some('n'), "nodaemon", ""),
        CommandOption::flag(None, "nocleanup", ""),
        CommandOption::with_value(None, "log", "FILE", ""),
    ];

    /// Checks the outcome as `name=value` words, then the rest behind `|`.
    fn check(words: &str, expected: &str) {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let shown = match getopt(&words, &TABLE) {
            Ok((given, rest)) => {
                let given: Vec<String> = given
                    .iter()
                    .map(|option| format!("{}={}", option.name, option.value))
                    .collect();
                format!("{} | {}", given.join(" "), rest.join(" "))
            }
            Err(error) => error,
        };
        assert_eq!(shown, expected, "{words:?}");
    }

    #[test]
    fn options_are_taken_apart_as_in_python() {
        check("-nc FILE a -n", "-n= -c=FILE | a -n");
        check("-ncFILE", "-n= -c=FILE | ");
        check("--conf FILE --nod", "--configuration=FILE --nodaemon= | ");
        check("--configuration=a=b", "--configuration=a=b | ");
        check("--configuration=", "--configuration= | ");
        check("-n -- -c", "-n= | -c");
        check("- -n", " | - -n");
    }

    #[test]
    fn errors_read_as_in_python() {
        check("-x", "option -x not recognized");
        check("--no", "option --no not a unique prefix");
        check("--zzz", "option --zzz not recognized");
        check("--log", "option --log requires argument");
        check("-c", "option -c requires argument");
        check(
            "--nodaemon=1",
            "option --nodaemon must not have an argument",
        );
        check("-nx", "option -x not recognized");
    }
}

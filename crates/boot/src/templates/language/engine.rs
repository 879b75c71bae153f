//! Renders one template.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use linchpin_config::closest;
use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

use super::scope::{Misses, Names, Root};
use super::words::{self, FILTERS, FUNCTIONS};
use crate::language::words::{MOST_WORDS, count_of_words};

/// Steps that a template may take; a page of configuration takes some hundreds.
const FUEL: u64 = 1_000_000;

/// Largest result, in bytes.
const LARGEST_RESULT: usize = 4 << 20;

/// Why a template has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The line, from 1; none if it is about the whole.
    pub(crate) line: Option<usize>,
    /// What is wrong, without any value.
    pub(crate) message: String,
}

impl Problem {
    fn whole(message: impl Into<String>) -> Self {
        Self {
            line: None,
            message: message.into(),
        }
    }
}

/// The text that comes of a template.
pub(crate) fn render(source: &str, names: &Names) -> Result<String, Problem> {
    // The engine panics at some texts that are no templates; a template may be anything, and a boot must go on.
    catch_unwind(AssertUnwindSafe(|| render_within(source, names)))
        .unwrap_or_else(|_| Err(Problem::whole("this cannot be read as a template")))
}

fn render_within(source: &str, names: &Names) -> Result<String, Problem> {
    bounded(source)?;
    let misses = Misses::default();
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_keep_trailing_newline(true);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_formatter(|out, _, value| {
        out.write_str(&words::text(value)?)
            .map_err(|_| Error::from(ErrorKind::WriteFailure))
    });
    words::add(&mut environment, &misses);
    let told = |error: &Error| told(error, source, &misses);
    let template = environment
        .template_from_str(source)
        .map_err(|error| told(&error))?;
    let root = Value::from_object(Root::new(names, &misses));
    let mut output = Limited::default();
    template
        .render_captured_to(root, &mut output)
        .map_err(|error| {
            if output.is_full {
                let megabytes = LARGEST_RESULT >> 20;
                return Problem::whole(format!("the result is larger than {megabytes} MiB"));
            }
            told(&error)
        })?;
    let text =
        String::from_utf8(output.bytes).map_err(|_| Problem::whole("the result is no text"))?;
    match text.split_once('\0') {
        None => Ok(text),
        Some((before, _)) => Err(Problem::whole(format!(
            "line {} of the result has a NUL character, which no file of text has",
            before.matches('\n').count() + 1
        ))),
    }
}

/// Most branches of all its conditions together, each of which is a level of a tree.
const MOST_BRANCHES: usize = 200;

/// Refuses what would be too deep for a stack.
fn bounded(source: &str) -> Result<(), Problem> {
    let mut at = 0;
    let mut branches = 0;
    while let Some(begin) = source[at..].find('{') {
        let begin = at + begin;
        let end_mark = match source.as_bytes().get(begin + 1) {
            Some(b'%') => "%}",
            Some(b'{') => "}}",
            Some(b'#') => {
                // What is remarked is nothing to read.
                at = source[begin..]
                    .find("#}")
                    .map_or(source.len(), |end| begin + end + 2);
                continue;
            }
            _ => {
                at = begin + 1;
                continue;
            }
        };
        let inside = &source[begin + 2..];
        let tag = &inside[..end_of_tag(inside, end_mark)];
        let line = || Some(source[..begin].matches('\n').count() + 1);
        if count_of_words(tag) > MOST_WORDS {
            return Err(Problem {
                line: line(),
                message: format!(
                    "there are more than {MOST_WORDS} words and signs between the braces"
                ),
            });
        }
        let word = tag.trim_start_matches(['-', '+']).trim_start();
        branches += usize::from(word.starts_with("elif"));
        if branches > MOST_BRANCHES {
            return Err(Problem {
                line: line(),
                message: format!("there are more than {MOST_BRANCHES} `elif`"),
            });
        }
        at = begin + 2 + tag.len();
        let is_raw = end_mark == "%}" && word.trim_end_matches(['-', '+']).trim_end() == "raw";
        if is_raw && let Some(end) = source[at..].find("endraw") {
            at += end;
        }
    }
    Ok(())
}

/// Where a tag ends: at its mark outside of strings, or with the text.
fn end_of_tag(text: &str, mark: &str) -> usize {
    let mut quote = None;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match quote {
            Some(_) if character == '\\' => {
                characters.next();
            }
            Some(end) if character == end => quote = None,
            None if text[at..].starts_with(mark) => return at,
            None if matches!(character, '\'' | '"') => quote = Some(character),
            Some(_) | None => {}
        }
    }
    text.len()
}

/// A result of a bounded size.
#[derive(Default)]
struct Limited {
    bytes: Vec<u8>,
    is_full: bool,
}

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > LARGEST_RESULT {
            self.is_full = true;
            return Err(io::Error::other("full"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An error of the engine, without the values that it may quote.
fn told(error: &Error, source: &str, misses: &Misses) -> Problem {
    let line = error.line();
    let detail = error.detail().unwrap_or_default();
    let kind = error.kind();
    let is_of_nothing = kind == ErrorKind::InvalidOperation && detail.ends_with("undefined");
    let message = if kind == ErrorKind::UndefinedError || is_of_nothing {
        undefined(line, source, misses)
    } else if kind == ErrorKind::UnknownFilter {
        unknown("filter", detail, &FILTERS)
    } else if kind == ErrorKind::UnknownFunction {
        unknown("function", detail, &FUNCTIONS)
    } else if kind == ErrorKind::OutOfFuel {
        format!("it takes more than {FUEL} steps")
    } else if detail.starts_with("unable to calculate") {
        // The one message of the engine that has values in it.
        "this cannot be calculated".to_owned()
    } else if detail.is_empty() {
        kind.to_string()
    } else if kind == ErrorKind::InvalidOperation {
        detail.to_owned()
    } else {
        format!("{kind}: {detail}")
    };
    Problem { line, message }
}

/// `detail` is `filter x is unknown`.
fn unknown(what: &str, detail: &str, known: &[&str]) -> String {
    let name = detail
        .strip_suffix(" is unknown")
        .map_or(detail, |name| name.strip_prefix("filter ").unwrap_or(name));
    let help = match closest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("there is: {}", known.join(", ")),
    };
    format!("there is no {what} `{name}`; {help}")
}

/// Which name is not there. The last one that was looked for in vain is it, if it stands where the error is.
fn undefined(line: Option<usize>, source: &str, misses: &Misses) -> String {
    let text = line.and_then(|line| source.lines().nth(line.saturating_sub(1)));
    let miss = misses.last().filter(|miss| {
        let word = miss.name.rsplit('.').next().unwrap_or_default();
        text.is_none_or(|text| text.contains(word))
    });
    match miss {
        Some(miss) if miss.help.is_empty() => format!("there is no `{}`", miss.name),
        Some(miss) => format!("there is no `{}`; {}", miss.name, miss.help),
        None => "something here is not there".to_owned(),
    }
}

//! Filters and functions of templates.

use std::borrow::Cow;

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};

use super::address_parts::parts_of;
use super::escaping::{self, Escape};
use super::scope::Misses;
use crate::language::words::{self, QUESTIONS, UNSET_MARK, Unset, is_missing};

/// Names of all functions.
pub(super) const FUNCTIONS: [&str; 4] = [QUESTIONS[0], QUESTIONS[1], QUESTIONS[2], "url"];

/// Names of all filters, for who misspells one.
pub(super) const FILTERS: [&str; 18] = [
    "caddy",
    "default",
    "escape",
    "first",
    "indent",
    "ini",
    "int",
    "join",
    "json",
    "last",
    "length",
    "lower",
    "replace",
    "shell",
    "split",
    "trim",
    "upper",
    "urlencode",
];

fn wrong(what: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, what)
}

/// A value as a text; an error for what is none.
pub(super) fn text(value: &Value) -> Result<Cow<'_, str>, Error> {
    if let Some(unset) = value.downcast_object_ref::<Unset>() {
        return Err(wrong(no_value(&unset.name)));
    }
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    if let Some(text) = value.as_str() {
        let mut pieces = text.split(UNSET_MARK);
        return match (pieces.next(), pieces.next(), pieces.next()) {
            (Some(_), Some(name), Some(_)) => Err(wrong(no_value(name))),
            _ => Ok(Cow::Borrowed(text)),
        };
    }
    let kind = value.kind();
    if kind == ValueKind::Number {
        Ok(Cow::Owned(value.to_string()))
    } else if kind == ValueKind::Bool {
        // Not with a capital, as the engine would have it.
        Ok(Cow::Borrowed(if value.is_true() {
            "true"
        } else {
            "false"
        }))
    } else if kind == ValueKind::None {
        Err(wrong("there is no value"))
    } else if is_list(kind) {
        Err(wrong(
            "this is a list: write its items one by one, or `| join(\", \")`",
        ))
    } else {
        Err(wrong(
            "this is no text but has parts: name one of them, such as `.name`",
        ))
    }
}

fn is_list(kind: ValueKind) -> bool {
    matches!(kind, ValueKind::Seq | ValueKind::Iterable)
}

/// What is said of a setting without a value.
pub(super) fn no_value(name: &str) -> String {
    format!(
        "the setting {name} has no value: set it, ask `is_set({name})` before, or write `{name} | default(\"\")`"
    )
}

/// A value as JSON, with what is in it.
fn json(value: &Value) -> Result<String, Error> {
    if value.is_none() {
        return Ok("null".to_owned());
    }
    if matches!(value.kind(), ValueKind::Bool | ValueKind::Number) {
        return Ok(text(value)?.into_owned());
    }
    if is_list(value.kind()) {
        let items: Result<Vec<String>, Error> = value.try_iter()?.map(|item| json(&item)).collect();
        return Ok(format!("[{}]", items?.join(", ")));
    }
    escaping::json(&text(value)?).map_err(wrong)
}

pub(super) fn add(environment: &mut Environment<'_>, misses: &Misses) {
    words::add_questions(environment);
    words::add_tests(environment);
    let misses = misses.clone();
    environment.add_function("url", move |address: &Value| parts_of(address, &misses));
    let escapes: [(&'static str, Escape); 4] = [
        ("shell", escaping::shell),
        ("urlencode", escaping::url),
        ("caddy", escaping::caddy),
        ("ini", escaping::ini),
    ];
    for (name, escape) in escapes {
        environment.add_filter(name, move |value: &Value| {
            escape(&text(value)?).map_err(wrong)
        });
    }
    environment.add_filter("json", json);
    environment.add_filter("yaml", json);
    environment.add_filter("lower", |value: &Value| {
        Ok::<_, Error>(text(value)?.to_lowercase())
    });
    environment.add_filter("upper", |value: &Value| {
        Ok::<_, Error>(text(value)?.to_uppercase())
    });
    environment.add_filter("trim", |value: &Value| {
        Ok::<_, Error>(text(value)?.trim().to_owned())
    });
    environment.add_filter("replace", |value: &Value, from: &str, to: &str| {
        Ok::<_, Error>(text(value)?.replace(from, to))
    });
    environment.add_filter("split", |value: &Value, separator: &str| {
        let text = text(value)?;
        let pieces = text
            .split(separator)
            .map(str::trim)
            .filter(|piece| !piece.is_empty());
        Ok::<_, Error>(pieces.map(Value::from).collect::<Value>())
    });
    environment.add_filter("join", |value: &Value, separator: &str| {
        let pieces: Result<Vec<String>, Error> = value
            .try_iter()?
            .map(|item| text(&item).map(Cow::into_owned))
            .collect();
        Ok::<_, Error>(pieces?.join(separator))
    });
    environment.add_filter("indent", |value: &Value, width: usize| {
        let blanks = " ".repeat(width.min(80));
        Ok::<_, Error>(text(value)?.replace('\n', &format!("\n{blanks}")))
    });
    environment.add_filter("int", |value: &Value| {
        let number = text(value)?.trim().parse::<i64>();
        number.map_err(|_| wrong("this is no whole number"))
    });
    environment.add_filter("length", |value: &Value| {
        if is_missing(value) || value.as_str().is_some() {
            return Ok(text(value)?.chars().count());
        }
        value.len().ok_or_else(|| wrong("this has no length"))
    });
    environment.add_filter("first", |value: &Value| {
        value
            .try_iter()?
            .next()
            .ok_or_else(|| wrong("the list is empty"))
    });
    environment.add_filter("last", |value: &Value| {
        value
            .try_iter()?
            .last()
            .ok_or_else(|| wrong("the list is empty"))
    });
}

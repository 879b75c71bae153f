//! Words that conditions and templates have in common.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};

use super::address::Address;

/// Names of the functions that [`add_questions`] adds.
pub(crate) const QUESTIONS: [&str; 3] = ["is_local", "is_set", "on"];

/// A setting without a value: it counts as not being there, and is told from what nobody knows.
///
/// It is an object because an undefined value of the engine could not be asked whether it is true where names are
/// strict, and `none` would become a word in a text that it is joined to.
#[derive(Debug)]
pub(crate) struct Unset {
    pub(crate) name: String,
}

/// Stands in a text where a setting without a value was joined to it. No file of text has this character.
pub(crate) const UNSET_MARK: char = '\0';

impl Object for Unset {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        false
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{UNSET_MARK}{}{UNSET_MARK}", self.name)
    }
}

/// Whether there is no value.
pub(crate) fn is_missing(value: &Value) -> bool {
    value.is_undefined() || value.is_none() || value.downcast_object_ref::<Unset>().is_some()
}

/// `is_local`, `is_set` and `on`.
pub(crate) fn add_questions(environment: &mut Environment<'_>) {
    environment.add_function("is_local", is_local);
    environment.add_function("is_set", |value: &Value| {
        !is_missing(value) && value.as_str() != Some("")
    });
    environment.add_function("on", |value: &Value| {
        truth(value).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidOperation,
                "on() wants a word for yes or no",
            )
        })
    });
}

/// The filter `default`, and tests.
pub(crate) fn add_tests(environment: &mut Environment<'_>) {
    environment.add_filter("default", |value: &Value, other: &Value| {
        if is_missing(value) { other } else { value }.clone()
    });
    environment.add_test("defined", |value: &Value| !is_missing(value));
    environment.add_test("undefined", is_missing);
    environment.add_test("startingwith", |text: String, start: String| {
        text.starts_with(&start)
    });
    environment.add_test("endingwith", |text: String, end: String| {
        text.ends_with(&end)
    });
}

fn is_local(address: &Value) -> Result<bool, Error> {
    if is_missing(address) {
        return Ok(true);
    }
    let wrong = |what| Error::new(ErrorKind::InvalidOperation, what);
    let text = address
        .as_str()
        .ok_or_else(|| wrong("is_local() wants an address"))?;
    Address::read(text)
        .map(|address| address.is_local())
        .ok_or_else(|| wrong("is_local() was given something that is no address"))
}

/// Words count as what they say, and not by being there: `0` and `false` are no.
pub(crate) fn truth(value: &Value) -> Option<bool> {
    if is_missing(value) {
        return Some(false);
    }
    if value.kind() == ValueKind::Bool {
        return Some(value.is_true());
    }
    match value.as_str()?.trim().to_ascii_lowercase().as_str() {
        "" | "0" | "false" | "no" | "off" => Some(false),
        "1" | "true" | "yes" | "on" => Some(true),
        _ => None,
    }
}

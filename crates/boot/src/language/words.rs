//! Words that conditions and templates have in common.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};

use super::address::Address;

/// Most words and signs of an expression. Each can be a level of its tree, which the engine walks by recursion, also
/// where it has a limit for brackets: a stack has room for several times as many.
pub(crate) const MOST_WORDS: usize = 500;

/// Words, numbers and signs of an expression; a string is one.
pub(crate) fn count_of_words(expression: &str) -> usize {
    let mut count = 0;
    let (mut quote, mut in_word) = (None, false);
    let mut characters = expression.chars();
    while let Some(character) = characters.next() {
        if let Some(end) = quote {
            if character == '\\' {
                characters.next();
            } else if character == end {
                quote = None;
            }
            continue;
        }
        let is_of_word = character.is_alphanumeric() || character == '_';
        if (is_of_word && !in_word) || !(is_of_word || character.is_whitespace()) {
            count += 1;
        }
        in_word = is_of_word;
        if matches!(character, '\'' | '"') {
            quote = Some(character);
        }
    }
    count
}

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

#[cfg(test)]
mod tests {
    use super::count_of_words;

    #[test]
    fn words_and_signs_are_counted() {
        for (expression, count) in [
            ("", 0),
            ("a1_b", 1),
            ("not a and b", 4),
            ("a.b(c)", 6),
            ("--a", 3),
            (r#"'a b' ~ "c\" d""#, 3),
        ] {
            assert_eq!(count_of_words(expression), count, "{expression}");
        }
    }
}

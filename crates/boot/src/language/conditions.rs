//! Conditions: `enabled=is_local(REDIS_URL) and EMBEDDED != "0"`.

use std::collections::BTreeMap;

use minijinja::{Environment, Error, UndefinedBehavior};

use super::words::{self, MOST_WORDS, count_of_words, truth};

/// Steps that a condition may take.
const FUEL: u64 = 20_000;

/// Longest condition, in bytes.
const LENGTH_MAX: usize = 4096;

/// Why a condition has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConditionError {
    /// What is wrong, without any value.
    pub message: String,
}

impl ConditionError {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

/// Whether a condition holds. `variable` gives the value of a name: a setting or a variable of the environment; what
/// has none is undefined, which counts as false, and as pointing nowhere.
///
/// Functions: `is_local(address)`, whether an address leads to this machine only; `is_set(value)`, whether it is there
/// and not empty; `on(value)`, whether it is a word for yes. All of Jinja's operators, tests and filters work.
///
/// # Errors
/// If it cannot be read, takes too long, or comes to something that is neither yes nor no.
pub fn is_true(
    condition: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<bool, ConditionError> {
    if condition.len() > LENGTH_MAX {
        return Err(ConditionError::new(format!(
            "it is longer than {LENGTH_MAX} bytes"
        )));
    }
    if closes_too_much(condition) {
        return Err(ConditionError::new(
            "a bracket or brace is closed that is not open",
        ));
    }
    if count_of_words(condition) > MOST_WORDS {
        return Err(ConditionError::new(format!(
            "it has more than {MOST_WORDS} words and signs"
        )));
    }
    let mut environment = Environment::empty();
    add_words(&mut environment);
    let expression = environment
        .compile_expression(condition)
        .map_err(|error| told(&error))?;
    let names = expression.undeclared_variables(false);
    let variables: BTreeMap<String, String> = names
        .into_iter()
        .filter_map(|name| variable(&name).map(|value| (name, value)))
        .collect();
    let value = expression.eval(variables).map_err(|error| told(&error))?;
    truth(&value)
        .ok_or_else(|| ConditionError::new("it comes to something that is neither yes nor no"))
}

/// Whether more is closed than is open, outside of strings.
///
/// The engine takes `}}` where nothing is open for the end of a piece of a template, also where the whole text is an
/// expression, and panics at whatever follows.
fn closes_too_much(condition: &str) -> bool {
    let mut open = 0_u32;
    let mut quote = None;
    let mut characters = condition.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(_), '\\') => {
                characters.next();
            }
            (Some(end), _) if character == end => quote = None,
            (None, '\'' | '"') => quote = Some(character),
            (None, '(' | '[' | '{') => open += 1,
            (None, ')' | ']' | '}') => match open.checked_sub(1) {
                Some(left) => open = left,
                None => return true,
            },
            _ => {}
        }
    }
    false
}

fn add_words(environment: &mut Environment<'_>) {
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("lower", |text: String| text.to_lowercase());
    words::add_tests(environment);
    words::add_questions(environment);
}

/// The engine's own words, without the value that it may quote.
fn told(error: &Error) -> ConditionError {
    let detail = error.detail().map(|detail| format!(": {detail}"));
    ConditionError::new(format!("{}{}", error.kind(), detail.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(condition: &str) -> Result<bool, String> {
        let variable = |name: &str| {
            let value = match name {
                "OUTSIDE" => "redis://:secret@10.0.0.5",
                "HERE" => "redis://127.0.0.1:6379",
                "NOTHING" => "",
                "ZERO" | "Zero" => "0",
                "YES" => "Yes",
                "MODE" => "single",
                _ => return None,
            };
            Some(value.to_owned())
        };
        is_true(condition, &variable).map_err(|error| error.to_string())
    }

    #[test]
    fn conditions_say_yes_or_no() {
        for (condition, expected) in [
            ("true", true),
            ("false", false),
            ("is_local(HERE)", true),
            ("is_local(OUTSIDE)", false),
            ("is_local(UNKNOWN)", true),
            ("is_local(NOTHING)", true),
            ("not is_local(OUTSIDE)", true),
            ("is_local(HERE) and ZERO != '0'", false),
            ("ZERO", false),
            ("YES", true),
            ("UNKNOWN", false),
            ("NOTHING", false),
            ("on(ZERO)", false),
            ("on(ZERO) or on(YES)", true),
            ("is_set(NOTHING)", false),
            ("is_set(ZERO)", true),
            ("MODE == 'single'", true),
            ("MODE in ['single', 'double']", true),
            ("MODE is startingwith('si')", true),
            ("UNKNOWN is defined", false),
            ("UNKNOWN | default('x') == 'x'", true),
            ("MODE | lower == 'single'", true),
        ] {
            assert_eq!(ask(condition), Ok(expected), "{condition}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_values() {
        for condition in [
            "",
            "is_local(",
            "MODE",
            "1",
            "on(MODE)",
            "is_local(5)",
            "unknown_function()",
            "OUTSIDE",
            "OUTSIDE | nothing",
            "range(1000000)",
            "true and",
            "}}%",
            "true -}} x",
            "{}}}%",
            "){}}%",
        ] {
            let told = ask(condition).unwrap_err();
            assert!(
                !told.contains("secret") && !told.contains("single"),
                "{condition}: {told}"
            );
        }
        assert!(ask(&"1 + ".repeat(2000)).is_err());
    }

    #[test]
    fn no_condition_is_too_deep_for_the_stack_of_a_thread() {
        for deep in [
            format!("HERE{}", ".b".repeat(2000)),
            "not ".repeat(1000) + "HERE",
            "-".repeat(4000) + "1",
            "(".repeat(4000),
            format!("1{}", " if 1 else 1".repeat(300)),
        ] {
            let told = ask(&deep).unwrap_err();
            assert!(told.contains("500 words"), "{told}");
            // As many as there may be.
            let _ = ask(&deep.chars().take(490).collect::<String>());
        }
    }

    #[test]
    fn what_is_closed_in_a_string_was_not_open() {
        for (condition, expected) in [
            (r#""}}%" == "}}%""#, true),
            (r"'\'}}' == 'x'", false),
            ("[1, [2]] == [1, [2]]", true),
        ] {
            assert_eq!(ask(condition), Ok(expected), "{condition}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_gets_an_answer(text in "[a-z()\\[\\]'\"|.,+*%~ 0-9=!<>{}-]{0,80}") {
            let _ = ask(&text);
        }
    }
}

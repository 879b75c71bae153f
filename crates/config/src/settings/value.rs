//! Whether a value fits its setting. What is said never contains the value.

use super::{SettingConfig, SettingType, Url};
use crate::expression::regular_expression;
use crate::service_options::duration;
use crate::value::boolean;

/// Most bytes of a value: the kernel takes 128 KiB for a variable with its name.
const MOST_BYTES: usize = 100 * 1024;

impl SettingConfig {
    /// Whether a value can be this setting's. An empty one is none, so it can; [`SettingConfig::is_required`]
    /// decides about that.
    ///
    /// # Errors
    /// What is wrong with it, in words that do not contain it.
    pub fn check_value(&self, value: &str) -> Result<(), String> {
        check_text(value)?;
        if value.is_empty() {
            return Ok(());
        }
        self.value_type.check(value)?;
        match &self.pattern {
            Some(pattern) if !matches_whole(pattern, value) => {
                Err(format!("does not match the pattern `{pattern}`"))
            }
            _ => Ok(()),
        }
    }
}

/// What no setting can have, whatever its type.
fn check_text(value: &str) -> Result<(), String> {
    if value.len() > MOST_BYTES {
        return Err(format!("is longer than {} KiB", MOST_BYTES / 1024));
    }
    if value.contains(char::is_control) {
        return Err("has a control character, such as a tab or a line end".to_owned());
    }
    Ok(())
}

/// A pattern that does not compile has been reported; it matches nothing.
fn matches_whole(pattern: &str, value: &str) -> bool {
    whole(pattern).is_some_and(|expression| expression.is_match(value))
}

/// The expression for the whole of a value; none if the pattern is none.
pub(super) fn whole(pattern: &str) -> Option<regex_lite::Regex> {
    // On its own first: `a)(b` would make sense in brackets.
    regular_expression(pattern).ok()?;
    regular_expression(&format!("^(?:{pattern})$")).ok()
}

impl SettingType {
    /// Whether a value that is not empty is of this type.
    fn check(&self, value: &str) -> Result<(), String> {
        let is = |is: bool, what: &str| if is { Ok(()) } else { Err(what.to_owned()) };
        match self {
            Self::String | Self::Secret => Ok(()),
            Self::Boolean => is(
                boolean(value).is_ok(),
                "is neither yes nor no: write `true` or `false`",
            ),
            Self::Integer { min, max } => integer(value, *min, *max),
            Self::Port => is(
                value.bytes().all(|byte| byte.is_ascii_digit())
                    && value.parse::<u16>().is_ok_and(|port| port > 0),
                "is no port from 1 to 65535",
            ),
            Self::Url { schemes } => url(value, schemes),
            Self::Email => is(
                is_email(value),
                "is no e-mail address such as `name@example.org`",
            ),
            Self::Duration => is(
                duration(value).is_ok(),
                "is no duration: write a number with `ms`, `s`, `m` or `h` behind it",
            ),
            Self::Enum { choices } => is(
                choices.iter().any(|choice| choice == value),
                &format!("is none of the choices: {}", choices.join(", ")),
            ),
            Self::Path => is(value.starts_with('/'), "is no absolute path"),
        }
    }
}

fn integer(value: &str, min: Option<i64>, max: Option<i64>) -> Result<(), String> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let number = value
        .parse::<i64>()
        .ok()
        .filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .ok_or("is no whole number")?;
    if let Some(min) = min.filter(|min| number < *min) {
        return Err(format!("is less than {min}"));
    }
    if let Some(max) = max.filter(|max| number > *max) {
        return Err(format!("is more than {max}"));
    }
    Ok(())
}

fn url(value: &str, schemes: &[String]) -> Result<(), String> {
    let url = Url::parse(value).map_err(|problem| format!("is no URL: {}", problem.0))?;
    let scheme = url.scheme.to_ascii_lowercase();
    if schemes.is_empty() || schemes.contains(&scheme) {
        return Ok(());
    }
    Err(format!("must begin with {}://", schemes.join(":// or ")))
}

/// One `@`, something before it, and a host behind it.
fn is_email(value: &str) -> bool {
    let Some((local, host)) = value.rsplit_once('@') else {
        return false;
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .chars()
                .all(|character| character.is_alphanumeric() || character == '-')
    };
    let is_unfit = |character: char| {
        character.is_whitespace() || matches!(character, '@' | ',' | ';' | '<' | '>' | '(' | ')')
    };
    !local.is_empty() && !local.contains(is_unfit) && host.split('.').all(is_label)
}

//! Values as people are shown them: secrets are not.

use linchpin_config::{SettingConfig, SettingType, Url};

/// What stands for a secret.
pub(crate) const MASK: &str = "********";

/// A value for people. Of a secret nothing is shown but that there is one; of a URL no password.
#[must_use]
pub fn shown(setting: &SettingConfig, value: &str) -> String {
    if value.is_empty() {
        return String::new();
    }
    if setting.is_secret {
        return MASK.to_owned();
    }
    match setting.value_type {
        SettingType::Url { .. } => without_passwords(value),
        SettingType::String
        | SettingType::Secret
        | SettingType::Boolean
        | SettingType::Integer { .. }
        | SettingType::Port
        | SettingType::Email
        | SettingType::Duration
        | SettingType::Enum { .. }
        | SettingType::Path => value.to_owned(),
    }
}

/// A URL without what is a password in it; nothing of it where that cannot be told.
pub(crate) fn without_passwords(value: &str) -> String {
    let Ok(url) = Url::parse(value) else {
        return MASK.to_owned();
    };
    let authority = &value[url.scheme.len() + 3..value.len() - url.rest.len()];
    let authority = match (url.user_info, url.password()) {
        (Some(user_info), Some(_)) => {
            let user = user_info.split_once(':').map_or("", |(user, _)| user);
            format!("{user}:{MASK}{}", &authority[user_info.len()..])
        }
        // A token alone.
        (Some(user_info), None) if !user_info.is_empty() => {
            format!("{MASK}{}", &authority[user_info.len()..])
        }
        _ => authority.to_owned(),
    };
    format!("{}://{authority}{}", url.scheme, without_secrets(url.rest))
}

/// Path and query without the values of parameters that sound like secrets.
fn without_secrets(rest: &str) -> String {
    let Some((path, query)) = rest.split_once('?') else {
        return rest.to_owned();
    };
    let parameters: Vec<String> = query
        .split('&')
        .map(|parameter| {
            let Some((name, _)) = parameter.split_once('=') else {
                return parameter.to_owned();
            };
            let lower = name.to_lowercase();
            let is_secret = ["pass", "pwd", "secret", "token", "key", "sig", "auth"]
                .iter()
                .any(|word| lower.contains(word));
            if is_secret {
                format!("{name}={MASK}")
            } else {
                parameter.to_owned()
            }
        })
        .collect();
    format!("{path}?{}", parameters.join("&"))
}

/// A text without the values that must not be in it.
#[must_use]
pub fn without_values(text: &str, values: &[&str]) -> String {
    let mut values = values.to_vec();
    values.retain(|value| !value.is_empty());
    // What holds another one goes first.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values
        .into_iter()
        .fold(text.to_owned(), |text, value| text.replace(value, MASK))
}

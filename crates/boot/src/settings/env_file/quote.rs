//! How a value is written.

/// A value as it stands behind the `=`: plain if it is harmless everywhere, else in quotes.
///
/// A value with control characters cannot be written; [`super::EnvFile::set`] finds that when it reads back.
#[must_use]
pub fn quoted(value: &str) -> String {
    let is_harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:@%+,=-".contains(&byte);
    if value.bytes().all(is_harmless) {
        return value.to_owned();
    }
    if !value.contains('\'') {
        return format!("'{value}'");
    }
    let mut quoted = String::with_capacity(value.len() + 2);
    quoted.push('"');
    for character in value.chars() {
        if matches!(character, '\\' | '"' | '$' | '`') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

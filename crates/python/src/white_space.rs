//! What Python takes for a blank.

/// `str.isspace` of one character: Unicode white space and the four ASCII separators.
#[must_use]
pub fn is_space(character: char) -> bool {
    character.is_whitespace() || is_separator(character)
}

/// The separators, which are blanks to `strip` but not to `int`.
pub(crate) fn is_separator(character: char) -> bool {
    ('\u{1c}'..='\u{1f}').contains(&character)
}

/// `str.strip()`.
#[must_use]
pub fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// `str.rstrip()`.
#[must_use]
pub fn strip_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// `str.split()` without an argument.
pub fn split_blanks(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

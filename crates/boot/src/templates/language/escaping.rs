//! Texts as they stand in files of other languages.

use std::fmt::Write as _;

use super::address_parts::decoded;

/// What a text cannot be written as, and why; in words without the text.
pub(super) type Escaped = Result<String, &'static str>;

/// Writes a text as another language wants it.
pub(super) type Escape = fn(&str) -> Escaped;

/// A word of a POSIX shell.
pub(super) fn shell(text: &str) -> Escaped {
    Ok(format!("'{}'", text.replace('\'', r"'\''")))
}

/// A string of JSON. It is one of YAML as well, because nothing is written as it is that YAML calls unprintable.
pub(super) fn json(text: &str) -> Escaped {
    let mut escaped = String::with_capacity(text.len() + 2);
    escaped.push('"');
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "\\u{:04x}", u32::from(character));
            }
            _ => escaped.push(character),
        }
    }
    escaped.push('"');
    Ok(escaped)
}

/// A part of a URL: everything but letters, digits and `-._~` is written as `%XX`.
pub(super) fn url(text: &str) -> Escaped {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    Ok(escaped)
}

/// A word of a Caddyfile.
///
/// In double quotes a backslash is itself before anything but a quote, so there is no way to write one that stands
/// before a quote or at the end; in backquotes everything is itself. Variables are put in before any of this is read.
pub(super) fn caddy(text: &str) -> Escaped {
    if text.contains("{$") {
        return Err("a Caddyfile would take `{$` in it for a variable");
    }
    if text.contains('\r') {
        return Err("a Caddyfile would lose a carriage return in it");
    }
    if text == "{" || text == "}" {
        return Err("a Caddyfile would take it for the begin or the end of a block");
    }
    if !has_lost_backslash(text) {
        return Ok(format!("\"{}\"", text.replace('"', "\\\"")));
    }
    if text.contains('`') {
        return Err(
            "a Caddyfile has no way to write a backslash before a quote together with a backquote",
        );
    }
    Ok(format!("`{text}`"))
}

/// Whether an odd number of backslashes stands before a quote or at the end.
fn has_lost_backslash(text: &str) -> bool {
    let mut odd = false;
    for character in text.chars() {
        match character {
            '\\' => odd = !odd,
            '"' if odd => return true,
            _ => odd = false,
        }
    }
    odd
}

/// A value in a file of Supervisor.
pub(super) fn ini(text: &str) -> Escaped {
    if text.contains(['\n', '\r']) {
        return Err("a line of a configuration file would end in it");
    }
    if text.contains(" ;") || text.contains("\t;") || text.contains(" #") || text.contains("\t#") {
        return Err(
            "a configuration file would take what follows ` ;` or ` #` in it for a comment",
        );
    }
    if text.trim() != text {
        return Err("a configuration file would lose blanks around it");
    }
    Ok(text.replace('%', "%%"))
}

/// A text as it may stand in a file: as it is, and in all of these forms.
pub(crate) fn escaped_forms(text: &str) -> Vec<String> {
    let escapes: [Escape; 4] = [json, url, caddy, ini];
    let mut forms = vec![text.to_owned(), decoded(text), text.replace('\'', r"'\''")];
    for escape in escapes {
        if let Ok(form) = escape(text) {
            // The quotes may be those of a longer text.
            forms.push(form.trim_matches(['"', '`']).to_owned());
        }
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_written_as_each_language_wants_them() {
        let written = |escape: Escape, text| escape(text).unwrap();
        assert_eq!(written(shell, "it's"), r"'it'\''s'");
        assert_eq!(
            written(json, "a\"\\\n\u{1}\u{85}é"),
            "\"a\\\"\\\\\\n\\u0001\\u0085é\""
        );
        assert_eq!(written(url, "a b/ü"), "a%20b%2F%C3%BC");
        assert_eq!(written(caddy, "a b"), "\"a b\"");
        assert_eq!(written(caddy, r#"a\b"c"#), r#""a\b\"c""#);
        assert_eq!(written(caddy, r"C:\"), r"`C:\`");
        assert_eq!(written(caddy, r"C:\\"), r#""C:\\""#);
        assert_eq!(written(ini, "100%"), "100%%");
    }

    #[test]
    fn what_a_language_cannot_say_is_an_error() {
        for (escape, text) in [
            (caddy as Escape, "{$HOME}"),
            (caddy, "`\\"),
            (caddy, "{"),
            (caddy, "a\rb"),
            (ini, "a\nb"),
            (ini, "a ;b"),
            (ini, " a"),
        ] {
            assert!(escape(text).is_err(), "{text:?}");
        }
    }
}

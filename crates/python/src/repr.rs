//! How Python's `repr` and `ascii` quote, because the original's messages contain `%r`.

use std::fmt::Write as _;

fn quote_for(has_single: bool, has_double: bool) -> char {
    if has_single && !has_double { '"' } else { '\'' }
}

/// `repr()` of a text.
#[must_use]
pub fn repr(text: &str) -> String {
    let quote = quote_for(text.contains('\''), text.contains('"'));
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push(quote);
    for character in text.chars() {
        match character {
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            _ if character == quote => {
                quoted.push('\\');
                quoted.push(character);
            }
            _ if is_printable(character) => quoted.push(character),
            _ => push_escape(&mut quoted, character),
        }
    }
    quoted.push(quote);
    quoted
}

/// `ascii()` of a text: `repr` with everything outside ASCII escaped.
#[must_use]
pub fn ascii(text: &str) -> String {
    let mut escaped = String::new();
    for character in repr(text).chars() {
        if character.is_ascii() {
            escaped.push(character);
        } else {
            push_escape(&mut escaped, character);
        }
    }
    escaped
}

/// `repr()` of a list of texts.
#[must_use]
pub fn repr_list(items: &[String]) -> String {
    let quoted: Vec<String> = items.iter().map(|item| repr(item)).collect();
    format!("[{}]", quoted.join(", "))
}

/// `repr()` of bytes: `b'…'`.
#[must_use]
pub fn repr_bytes(bytes: &[u8]) -> String {
    let quote = quote_for(bytes.contains(&b'\''), bytes.contains(&b'"'));
    let mut quoted = String::with_capacity(bytes.len() + 3);
    quoted.push('b');
    quoted.push(quote);
    for &byte in bytes {
        match byte {
            b'\\' => quoted.push_str("\\\\"),
            b'\n' => quoted.push_str("\\n"),
            b'\r' => quoted.push_str("\\r"),
            b'\t' => quoted.push_str("\\t"),
            _ if char::from(byte) == quote => {
                quoted.push('\\');
                quoted.push(quote);
            }
            b' '..=b'~' => quoted.push(char::from(byte)),
            _ => push_escape(&mut quoted, char::from(byte)),
        }
    }
    quoted.push(quote);
    quoted
}

fn push_escape(target: &mut String, character: char) {
    let code = u32::from(character);
    // Writing to a string cannot fail.
    let _ = match code {
        0..=0xff => write!(target, "\\x{code:02x}"),
        0x100..=0xffff => write!(target, "\\u{code:04x}"),
        _ => write!(target, "\\U{code:08x}"),
    };
}

/// `str.isprintable` of one character.
///
/// The standard library escapes the same Unicode categories when it debug-prints the inside of a
/// string, so ask it instead of carrying a table.
fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return (' '..='~').contains(&character);
    }
    // Behind a letter, because a combining mark is escaped only at the start of a string.
    let mut pair = String::from("a");
    pair.push(character);
    !pair.escape_debug().any(|escaped| escaped == '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_as_in_python() {
        for (text, expected) in [
            ("plain", "'plain'"),
            ("it's", "\"it's\""),
            ("both ' and \"", "'both \\' and \"'"),
            ("tab\tline\n", "'tab\\tline\\n'"),
            ("\u{feff}[a]\n", "'\\ufeff[a]\\n'"),
            ("caf\u{e9} \u{65e5}", "'caf\u{e9} \u{65e5}'"),
            ("\u{a0}\u{7f}\u{1}\u{85}", "'\\xa0\\x7f\\x01\\x85'"),
            ("e\u{301}", "'e\u{301}'"),
            ("\u{301}\u{200b}", "'\u{301}\\u200b'"),
            ("\u{1f600}\u{e0001}", "'\u{1f600}\\U000e0001'"),
            ("back\\slash", "'back\\\\slash'"),
        ] {
            assert_eq!(repr(text), expected);
        }
        assert_eq!(
            ascii("\u{e9}\u{65e5}\u{1f600}'"),
            "\"\\xe9\\u65e5\\U0001f600'\""
        );
        assert_eq!(repr_list(&["a".to_owned(), "'".to_owned()]), "['a', \"'\"]");
    }

    #[test]
    fn bytes_are_quoted_as_in_python() {
        for (bytes, expected) in [
            (b"READY\n".as_slice(), "b'READY\\n'"),
            (b"\xff\x00'", "b\"\\xff\\x00'\""),
            (b"'\"\\", "b'\\'\"\\\\'"),
        ] {
            assert_eq!(repr_bytes(bytes), expected);
        }
    }
}

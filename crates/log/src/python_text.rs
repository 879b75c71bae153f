//! Python's `repr` of names and bytes, as it shows in the original's log texts.

use std::borrow::Cow;
use std::fmt::Write as _;

fn quote_for(has_single: bool, has_double: bool) -> char {
    if has_single && !has_double { '"' } else { '\'' }
}

/// `repr` of a text. Letters beyond ASCII stay as they are, control characters are escaped.
pub(crate) fn repr_text(text: &str) -> String {
    let quote = quote_for(text.contains('\''), text.contains('"'));
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if character == quote => {
                out.push('\\');
                out.push(character);
            }
            _ if u32::from(character) < 0x20 || (0x7f..0xa1).contains(&u32::from(character)) => {
                let _ = write!(out, "\\x{:02x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push(quote);
    out
}

/// `repr` of bytes: `b'…'`.
pub(crate) fn repr_bytes(bytes: &[u8]) -> String {
    let quote = quote_for(bytes.contains(&b'\''), bytes.contains(&b'"'));
    let mut out = String::with_capacity(bytes.len() + 3);
    out.push('b');
    out.push(quote);
    for &byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ if char::from(byte) == quote => {
                out.push('\\');
                out.push(quote);
            }
            0x20..=0x7e => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push(quote);
    out
}

/// Text of output for the main log: itself, or `Undecodable: b'…'`.
pub(crate) fn text_or_undecodable(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(format!("Undecodable: {}", repr_bytes(bytes))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bytes_read_as_in_python() {
        for (text, expected) in [
            ("cat", "'cat'"),
            ("it's", "\"it's\""),
            ("a'b\"c", "'a\\'b\"c'"),
            ("a\\\n\u{1}é\u{85}", "'a\\\\\\n\\x01é\\x85'"),
        ] {
            assert_eq!(repr_text(text), expected);
        }
        for (bytes, expected) in [
            (b"READY\n".as_slice(), "b'READY\\n'"),
            (b"\xff\x00'", "b\"\\xff\\x00'\""),
            (b"'\"\\", "b'\\'\"\\\\'"),
        ] {
            assert_eq!(repr_bytes(bytes), expected);
        }
        assert_eq!(text_or_undecodable(b"\xff"), "Undecodable: b'\\xff'");
    }
}

//! The escapes of URLs.

/// Undoes `%41`; what is no such escape stays, and what is no UTF-8 is replaced, as in Python's `unquote`.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let digit = |at: usize| {
        let byte = char::from(*bytes.get(at)?);
        byte.to_digit(16).and_then(|digit| u8::try_from(digit).ok())
    };
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(high * 16 + low);
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Escapes everything but letters, digits and `_.-~/`, as Python's `quote`.
pub(crate) fn encode(text: &str) -> String {
    const DIGITS: [u8; 16] = *b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            let halves = [byte >> 4, byte & 15];
            encoded.extend(halves.map(|half| char::from(DIGITS[usize::from(half)])));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_nothing_else() {
        for (text, expected) in [
            ("/logtail/a%3Ab", "/logtail/a:b"),
            ("%2f%2F", "//"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("%c3%a4", "ä"),
            ("%ff", "\u{fffd}"),
            ("", ""),
        ] {
            assert_eq!(decode(text), expected);
        }
    }

    #[test]
    fn escapes_are_made_as_python_makes_them() {
        for (text, expected) in [
            ("animals:cat", "animals%3Acat"),
            (
                "Page refreshed at Wed Nov 25 21:28:24 2026",
                "Page%20refreshed%20at%20Wed%20Nov%2025%2021%3A28%3A24%202026",
            ),
            ("a/b_c.d-e~f", "a/b_c.d-e~f"),
            ("ä&<\"", "%C3%A4%26%3C%22"),
        ] {
            assert_eq!(encode(text), expected);
            assert_eq!(decode(expected), text);
        }
    }
}

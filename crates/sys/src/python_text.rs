//! How Python's `repr` quotes a string, because the original's messages contain `%r`.

/// `repr()` of a string.
pub(crate) fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
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

fn push_escape(target: &mut String, character: char) {
    let code = u32::from(character);
    let escape = match code {
        0..=0xff => format!("\\x{code:02x}"),
        0x100..=0xffff => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    };
    target.push_str(&escape);
}

/// `str.isprintable` of one character: the standard library escapes the same Unicode categories.
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
    use super::repr;

    #[test]
    fn quotes_like_python() {
        let cases = [
            ("plain", "'plain'"),
            ("it's", "\"it's\""),
            ("'\"", "'\\'\"'"),
            ("a\nb\t\\", "'a\\nb\\t\\\\'"),
            ("\u{7f}\u{1}", "'\\x7f\\x01'"),
            ("grüße 日本", "'grüße 日本'"),
            ("\u{200b}", "'\\u200b'"),
        ];
        for (text, expected) in cases {
            assert_eq!(repr(text), expected);
        }
    }
}

//! Text as Python sees it: what counts as a blank, how `repr` quotes, how `int()` reads.
//!
//! The configuration language was defined by a Python program, so its error texts and its idea of a
//! number come from there. Nothing here knows about sections or options.

/// Whether Python's `str.isspace` holds: Unicode white space and the four ASCII separators.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// `str.strip()`.
pub(crate) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// `str.rstrip()`.
pub(crate) fn strip_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// `str.split()` without an argument.
pub(crate) fn split_blanks(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

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

/// `ascii()` of a string: `repr` with everything outside ASCII escaped.
pub(crate) fn ascii(text: &str) -> String {
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

/// `repr()` of a list of strings.
pub(crate) fn repr_list(items: &[String]) -> String {
    let quoted: Vec<String> = items.iter().map(|item| repr(item)).collect();
    format!("[{}]", quoted.join(", "))
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

/// `str.isprintable` of one character.
///
/// The standard library escapes the same Unicode categories when it debug-prints the inside of a
/// string, so ask it instead of carrying a table.
fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return (' '..='~').contains(&character);
    }
    let mut pair = String::from("a");
    pair.push(character);
    !pair.escape_debug().any(|escaped| escaped == '\\')
}

/// Longest piece of a bad number that Python repeats in its message.
const MOST_REPEATED_CHARACTERS: usize = 200;

/// Python's `int(text, base)` for base 8 and 10; what does not fit is clamped.
///
/// # Errors
/// Python's message, without a prefix.
pub(crate) fn int(text: &str, base: u32) -> Result<i64, String> {
    // Here Python takes the four ASCII separators for no blanks.
    let stripped = text.trim_matches(|character: char| {
        is_space(character) && !('\u{1c}'..='\u{1f}').contains(&character)
    });
    parse_int(stripped, base).ok_or_else(|| {
        let repeated: String = repr(text).chars().take(MOST_REPEATED_CHARACTERS).collect();
        format!("invalid literal for int() with base {base}: {repeated}")
    })
}

fn parse_int(text: &str, base: u32) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let digits = match (base, digits.get(..2)) {
        (8, Some("0o" | "0O")) => {
            let rest = &digits[2..];
            rest.strip_prefix('_').unwrap_or(rest)
        }
        _ => digits,
    };
    let mut value: i64 = 0;
    let mut after_digit = false;
    for character in digits.chars() {
        if character == '_' {
            if !after_digit {
                return None;
            }
            after_digit = false;
            continue;
        }
        let digit = i64::from(digit_value(character).filter(|digit| *digit < base)?);
        value = value.saturating_mul(i64::from(base));
        value = if negative {
            value.saturating_sub(digit)
        } else {
            value.saturating_add(digit)
        };
        after_digit = true;
    }
    after_digit.then_some(value)
}

/// Zeros of the decimal digit ranges outside ASCII that people's input methods produce.
const OTHER_ZEROS: [char; 8] = [
    '\u{0660}', '\u{06f0}', '\u{07c0}', '\u{0966}', '\u{09e6}', '\u{0e50}', '\u{1040}', '\u{ff10}',
];

fn digit_value(character: char) -> Option<u32> {
    if let Some(digit) = character.to_digit(10) {
        return Some(digit);
    }
    OTHER_ZEROS.iter().find_map(|zero| {
        u32::from(character)
            .checked_sub(u32::from(*zero))
            .filter(|digit| *digit < 10)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repr_quotes_as_python_does() {
        for (text, expected) in [
            ("plain", "'plain'"),
            ("it's", "\"it's\""),
            ("both ' and \"", "'both \\' and \"'"),
            ("tab\tline\n", "'tab\\tline\\n'"),
            ("\u{feff}[a]\n", "'\\ufeff[a]\\n'"),
            ("caf\u{e9} \u{65e5}", "'caf\u{e9} \u{65e5}'"),
            ("\u{a0}\u{7f}\u{1}", "'\\xa0\\x7f\\x01'"),
            ("e\u{301}", "'e\u{301}'"),
            ("\u{301}", "'\u{301}'"),
            ("\u{1f600}\u{e0001}", "'\u{1f600}\\U000e0001'"),
            ("back\\slash", "'back\\\\slash'"),
        ] {
            assert_eq!(repr(text), expected);
        }
        assert_eq!(
            ascii("\u{e9}\u{65e5}\u{1f600}'"),
            "\"\\xe9\\u65e5\\U0001f600'\""
        );
    }

    #[test]
    fn int_reads_what_python_reads() {
        for (text, base, expected) in [
            ("7", 10, Some(7)),
            (" -7\t", 10, Some(-7)),
            ("+1_000", 10, Some(1000)),
            ("007", 10, Some(7)),
            ("\u{661}\u{662}", 10, Some(12)),
            ("99999999999999999999", 10, Some(i64::MAX)),
            ("-99999999999999999999", 10, Some(i64::MIN)),
            ("1__0", 10, None),
            ("_1", 10, None),
            ("1_", 10, None),
            ("", 10, None),
            ("-", 10, None),
            ("- 1", 10, None),
            ("1.5", 10, None),
            ("0x10", 10, None),
            ("022", 8, Some(18)),
            ("0o22", 8, Some(18)),
            ("0O_22", 8, Some(18)),
            ("-0o22", 8, Some(-18)),
            ("0o", 8, None),
            ("0", 8, Some(0)),
            ("8", 8, None),
        ] {
            assert_eq!(int(text, base).ok(), expected, "int({text:?}, {base})");
        }
    }

    #[test]
    fn int_repeats_the_text_in_its_error() {
        assert_eq!(
            int("ten", 10),
            Err("invalid literal for int() with base 10: 'ten'".to_owned())
        );
        let long = "x".repeat(500);
        assert_eq!(
            int(&long, 10).unwrap_err().len(),
            "invalid literal for int() with base 10: ".len() + MOST_REPEATED_CHARACTERS
        );
    }
}

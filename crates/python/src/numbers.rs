//! How Python reads and prints numbers.

use crate::repr::repr;
use crate::white_space::{is_separator, is_space};

/// Longest piece of a bad number that Python repeats in its message.
const MOST_REPEATED_CHARACTERS: usize = 200;

/// `int(text, base)` for base 8 and 10; what does not fit is clamped.
///
/// # Errors
/// Python's message, without a prefix.
pub fn int(text: &str, base: u32) -> Result<i64, String> {
    parse_int(text, base)
        .map(|number| number.clamped)
        .ok_or_else(|| {
            let repeated: String = repr(text).chars().take(MOST_REPEATED_CHARACTERS).collect();
            format!("invalid literal for int() with base {base}: {repeated}")
        })
}

/// `int(text)`; none too where the number is beyond 64 bits.
#[must_use]
pub fn exact_int(text: &str) -> Option<i64> {
    parse_int(text, 10)
        .filter(|number| number.is_exact)
        .map(|number| number.clamped)
}

struct Int {
    clamped: i64,
    is_exact: bool,
}

fn parse_int(text: &str, base: u32) -> Option<Int> {
    let text = strip(text);
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
    let base_factor = i64::from(base);
    let mut number = Int {
        clamped: 0,
        is_exact: true,
    };
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
        let digit = if negative { -digit } else { digit };
        let exact = number
            .clamped
            .checked_mul(base_factor)
            .and_then(|shifted| shifted.checked_add(digit));
        match exact {
            Some(exact) if number.is_exact => number.clamped = exact,
            Some(_) | None => {
                number.is_exact = false;
                number.clamped = if negative { i64::MIN } else { i64::MAX };
            }
        }
        after_digit = true;
    }
    after_digit.then_some(number)
}

/// `float(text)`.
#[must_use]
pub fn float(text: &str) -> Option<f64> {
    let text = strip(text);
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut after_digit = false;
    while let Some(character) = characters.next() {
        let digit = digit_value(character).and_then(|digit| char::from_digit(digit, 10));
        if character == '_' {
            let before_digit = characters
                .peek()
                .is_some_and(|next| digit_value(*next).is_some());
            if !(after_digit && before_digit) {
                return None;
            }
        } else {
            plain.push(digit.unwrap_or(character));
        }
        after_digit = digit.is_some();
    }
    plain.parse().ok()
}

/// The white space around numbers: not the four ASCII separators.
fn strip(text: &str) -> &str {
    text.trim_matches(|character| is_space(character) && !is_separator(character))
}

/// Zeros of the decimal digit ranges outside ASCII that people's input methods produce.
const OTHER_ZEROS: [char; 8] = [
    '\u{0660}', '\u{06f0}', '\u{07c0}', '\u{0966}', '\u{09e6}', '\u{0e50}', '\u{1040}', '\u{ff10}',
];

fn digit_value(character: char) -> Option<u32> {
    if character.is_ascii() {
        return character.to_digit(10);
    }
    OTHER_ZEROS.iter().find_map(|zero| {
        u32::from(character)
            .checked_sub(u32::from(*zero))
            .filter(|digit| *digit < 10)
    })
}

/// `repr()` of a float.
#[must_use]
pub fn repr_float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    // Rust and Python both print the shortest digits that read back; they differ in when and how
    // they write an exponent.
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if value != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let plain = format!("{value}");
    if plain.contains('.') {
        plain
    } else {
        plain + ".0"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("+-5", 10, None),
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

    #[test]
    fn exact_int_holds_64_bits() {
        for (text, expected) in [
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("92233720368547758080", None),
            ("5 ", Some(5)),
            ("x", None),
        ] {
            assert_eq!(exact_int(text), expected, "{text}");
        }
    }

    #[test]
    fn float_reads_what_python_reads() {
        for (text, expected) in [
            (" 1.5\n", Some(1.5)),
            ("1_0.2_5e1_0", Some(10.25e10)),
            (".5", Some(0.5)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("\u{661}.\u{665}", Some(1.5)),
            ("1_.5", None),
            ("1e_5", None),
            ("_1", None),
            ("0x1", None),
            ("", None),
        ] {
            assert_eq!(float(text), expected, "{text}");
        }
    }

    #[test]
    fn floats_look_as_in_python() {
        for (value, expected) in [
            (0.0, "0.0"),
            (1.5, "1.5"),
            (-2.0, "-2.0"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (1.5e-5, "1.5e-05"),
            (0.0001, "0.0001"),
            (1e100, "1e+100"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(repr_float(value), expected);
        }
    }
}

//! Python's `%` operator with a mapping on its right side: `%(name)s` and everything else printf can do.
//!
//! Values are strings and whole numbers. A conversion without a name sees the whole mapping, as in
//! Python, so `date +%s` does not fail but prints a dictionary.

use std::borrow::Cow;
use std::fmt::Write as _;

use linchpin_python::{ascii, repr};

/// Widest field and longest precision that are filled; the original stops only where memory ends.
const MOST_FIELD_CHARACTERS: usize = 65_536;

/// A value that a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// A string.
    Text(&'a str),
    /// A whole number.
    Number(i64),
}

/// The names that a text may use.
pub(crate) trait Names {
    /// What a name stands for.
    fn value(&self, name: &str) -> Option<Value<'_>>;

    /// All names with their values, in the order in which the original's dictionary holds them.
    fn all(&self) -> Vec<(Cow<'_, str>, Value<'_>)>;
}

/// Why a text cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpansionError {
    /// What is wrong.
    pub(crate) kind: ExpansionErrorKind,
    /// First byte of the offending conversion.
    pub(crate) start: usize,
    /// Byte after it.
    pub(crate) end: usize,
}

/// What is wrong with a conversion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExpansionErrorKind {
    /// No such name.
    UnknownName(String),
    /// Python's description of a malformed conversion.
    BadFormat(String),
}

impl ExpansionError {
    /// The original's message for a text with a label such as `program:x.command`.
    pub(crate) fn original_text(&self, text: &str, label: &str, names: &dyn Names) -> String {
        match &self.kind {
            ExpansionErrorKind::UnknownName(name) => format!(
                "Format string {} for {} contains names ({}) which cannot be expanded. \
                 Available names: {}",
                repr(text),
                repr(label),
                repr(name),
                sorted_names(names).join(", ")
            ),
            ExpansionErrorKind::BadFormat(reason) => format!(
                "Format string {} for {} is badly formatted: {reason}",
                repr(text),
                repr(label)
            ),
        }
    }
}

/// The names that may be used, sorted.
pub(crate) fn sorted_names(names: &dyn Names) -> Vec<String> {
    let mut sorted: Vec<String> = names
        .all()
        .into_iter()
        .map(|(name, _)| name.into_owned())
        .collect();
    sorted.sort_unstable();
    sorted.dedup();
    sorted
}

/// Expands a text.
pub(crate) fn expand<'a>(text: &'a str, names: &dyn Names) -> Result<Cow<'a, str>, ExpansionError> {
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    let mut formatter = Formatter {
        text,
        at: 0,
        names,
        pending: Pending::Mapping,
        output: String::with_capacity(text.len()),
    };
    formatter.run()?;
    Ok(Cow::Owned(formatter.output))
}

/// The argument that the next conversion without a name takes.
///
/// A named conversion puts its value in the place of the mapping, and each argument can be taken once;
/// that is how CPython works, and texts with both kinds behave accordingly.
#[derive(Clone, Copy)]
enum Pending<'a> {
    Mapping,
    Value(Value<'a>),
    Taken,
}

#[derive(Clone, Copy)]
enum Argument<'a> {
    Mapping,
    Value(Value<'a>),
}

impl Argument<'_> {
    fn type_name(self) -> &'static str {
        match self {
            Self::Mapping => "dict",
            Self::Value(Value::Text(_)) => "str",
            Self::Value(Value::Number(_)) => "int",
        }
    }
}

#[derive(Default, Clone, Copy)]
struct Flags {
    left: bool,
    plus: bool,
    blank: bool,
    alternate: bool,
    zero: bool,
}

struct Formatter<'a, 'n> {
    text: &'a str,
    at: usize,
    names: &'n dyn Names,
    pending: Pending<'n>,
    output: String,
}

impl<'a, 'n> Formatter<'a, 'n> {
    fn run(&mut self) -> Result<(), ExpansionError> {
        while let Some(found) = self.text[self.at..].find('%') {
            let start = self.at + found;
            self.output.push_str(&self.text[self.at..start]);
            self.at = start + 1;
            self.conversion().map_err(|kind| ExpansionError {
                kind,
                start,
                end: self.at,
            })?;
        }
        self.output.push_str(&self.text[self.at..]);
        Ok(())
    }

    fn next(&mut self) -> Result<char, ExpansionErrorKind> {
        let character = self.text[self.at..]
            .chars()
            .next()
            .ok_or_else(|| bad("incomplete format"))?;
        self.at += character.len_utf8();
        Ok(character)
    }

    fn conversion(&mut self) -> Result<(), ExpansionErrorKind> {
        let mut character = self.next()?;
        if character == '%' {
            self.output.push('%');
            return Ok(());
        }
        if character == '(' {
            let name = self.name()?;
            let value = self
                .names
                .value(name)
                .ok_or_else(|| ExpansionErrorKind::UnknownName(name.to_owned()))?;
            self.pending = Pending::Value(value);
            character = self.next()?;
        }
        let mut flags = Flags::default();
        loop {
            match character {
                '-' => flags.left = true,
                '+' => flags.plus = true,
                ' ' => flags.blank = true,
                '#' => flags.alternate = true,
                '0' => flags.zero = true,
                _ => break,
            }
            character = self.next()?;
        }
        let mut width = 0;
        if character == '*' {
            width = self.star(&mut flags)?;
            character = self.next()?;
        } else if character.is_ascii_digit() {
            (width, character) = self.digits(character, "width too big")?;
        }
        let mut precision = None;
        if character == '.' {
            character = self.next()?;
            if character == '*' {
                precision = Some(self.star(&mut Flags::default())?);
                character = self.next()?;
            } else if character.is_ascii_digit() {
                let digits;
                (digits, character) = self.digits(character, "precision too big")?;
                precision = Some(digits);
            } else {
                precision = Some(0);
            }
        }
        if matches!(character, 'h' | 'l' | 'L') {
            character = self.next()?;
        }
        self.write(character, flags, width, precision)
    }

    /// The name in parentheses, which may hold balanced ones.
    fn name(&mut self) -> Result<&'a str, ExpansionErrorKind> {
        let start = self.at;
        let mut depth = 1;
        for (offset, byte) in self.text.as_bytes()[start..].iter().enumerate() {
            match byte {
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.at = start + offset + 1;
                let text: &'a str = self.text;
                return Ok(&text[start..start + offset]);
            }
        }
        self.at = self.text.len();
        Err(bad("incomplete format key"))
    }

    /// A width or precision taken from the arguments.
    fn star(&mut self, flags: &mut Flags) -> Result<usize, ExpansionErrorKind> {
        let Argument::Value(Value::Number(number)) = self.argument()? else {
            return Err(bad("* wants int"));
        };
        if number < 0 {
            flags.left = true;
        }
        bounded(number.unsigned_abs(), "width too big")
    }

    fn digits(&mut self, first: char, too_big: &str) -> Result<(usize, char), ExpansionErrorKind> {
        let mut number: u64 = 0;
        let mut character = first;
        while let Some(digit) = character.to_digit(10) {
            number = number.saturating_mul(10).saturating_add(u64::from(digit));
            character = self.next()?;
        }
        Ok((bounded(number, too_big)?, character))
    }

    fn argument(&mut self) -> Result<Argument<'n>, ExpansionErrorKind> {
        match std::mem::replace(&mut self.pending, Pending::Taken) {
            Pending::Mapping => Ok(Argument::Mapping),
            Pending::Value(value) => Ok(Argument::Value(value)),
            Pending::Taken => Err(bad("not enough arguments for format string")),
        }
    }

    fn write(
        &mut self,
        conversion: char,
        flags: Flags,
        width: usize,
        precision: Option<usize>,
    ) -> Result<(), ExpansionErrorKind> {
        let argument = self.argument()?;
        if let Argument::Value(Value::Text(text)) = argument {
            let body = text_body(conversion, text, precision)
                .unwrap_or_else(|| Err(self.unsupported(conversion)))?;
            self.pad(&body, flags, width);
            return Ok(());
        }
        let type_name = argument.type_name();
        match (conversion, argument) {
            ('s' | 'r' | 'a', Argument::Mapping) => {
                let whole = mapping_repr(self.names, conversion == 'a');
                let body = cut(&whole, precision);
                self.pad(&body, flags, width);
            }
            ('s' | 'r' | 'a', Argument::Value(Value::Number(number))) => {
                let body = cut(&number.to_string(), precision);
                self.pad(&body, flags, width);
            }
            ('c', Argument::Value(Value::Number(number))) => {
                let character = u32::try_from(number)
                    .ok()
                    .and_then(char::from_u32)
                    .ok_or_else(|| bad("%c arg not in range(0x110000)"))?;
                self.pad(&character.to_string(), flags, width);
            }
            ('d' | 'i' | 'u', Argument::Value(Value::Number(number))) => {
                self.number(
                    number < 0,
                    "",
                    &number.unsigned_abs().to_string(),
                    flags,
                    width,
                    precision,
                );
            }
            ('x' | 'X' | 'o', Argument::Value(Value::Number(number))) => {
                let magnitude = number.unsigned_abs();
                let (prefix, digits) = match conversion {
                    'x' => ("0x", format!("{magnitude:x}")),
                    'X' => ("0X", format!("{magnitude:X}")),
                    _ => ("0o", format!("{magnitude:o}")),
                };
                let prefix = if flags.alternate { prefix } else { "" };
                self.number(number < 0, prefix, &digits, flags, width, precision);
            }
            ('e' | 'E' | 'f' | 'F' | 'g' | 'G', Argument::Value(Value::Number(number))) => {
                let digits =
                    float_body(conversion, number, flags.alternate, precision.unwrap_or(6));
                self.number(number < 0, "", &digits, flags, width, None);
            }
            _ => {
                let error = type_error(conversion, type_name);
                return Err(error.unwrap_or_else(|| self.unsupported(conversion)));
            }
        }
        Ok(())
    }

    fn unsupported(&self, conversion: char) -> ExpansionErrorKind {
        let shown = if ('\u{1f}'..'\u{7f}').contains(&conversion) {
            conversion
        } else {
            '?'
        };
        let index = self.text[..self.at].chars().count() - 1;
        ExpansionErrorKind::BadFormat(format!(
            "unsupported format character '{shown}' (0x{:x}) at index {index}",
            u32::from(conversion)
        ))
    }

    fn number(
        &mut self,
        is_negative: bool,
        prefix: &str,
        digits: &str,
        flags: Flags,
        width: usize,
        precision: Option<usize>,
    ) {
        let sign = match (is_negative, flags.plus, flags.blank) {
            (true, _, _) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        };
        let mut zeros = precision.unwrap_or(0).saturating_sub(digits.len());
        if flags.zero && !flags.left {
            let used = sign.len() + prefix.len() + digits.len() + zeros;
            zeros += width.saturating_sub(used);
        }
        let body = format!("{sign}{prefix}{:0<zeros$}{digits}", "");
        self.pad(&body, flags, width);
    }

    fn pad(&mut self, body: &str, flags: Flags, width: usize) {
        let missing = width.saturating_sub(body.chars().count());
        // Writing to a string cannot fail.
        let _ = if flags.left {
            write!(self.output, "{body}{:missing$}", "")
        } else {
            write!(self.output, "{:missing$}{body}", "")
        };
    }
}

fn bad(reason: &str) -> ExpansionErrorKind {
    ExpansionErrorKind::BadFormat(reason.to_owned())
}

fn bounded(number: u64, too_big: &str) -> Result<usize, ExpansionErrorKind> {
    usize::try_from(number)
        .ok()
        .filter(|number| *number <= MOST_FIELD_CHARACTERS)
        .ok_or_else(|| bad(too_big))
}

fn cut(text: &str, precision: Option<usize>) -> String {
    match precision {
        Some(most) => text.chars().take(most).collect(),
        None => text.to_owned(),
    }
}

/// A conversion of a string; none if there is no such conversion at all.
fn text_body(
    conversion: char,
    text: &str,
    precision: Option<usize>,
) -> Option<Result<String, ExpansionErrorKind>> {
    match conversion {
        's' => Some(Ok(cut(text, precision))),
        'r' => Some(Ok(cut(&repr(text), precision))),
        'a' => Some(Ok(cut(&ascii(text), precision))),
        'c' if text.chars().count() == 1 => Some(Ok(text.to_owned())),
        _ => type_error(conversion, "str").map(Err),
    }
}

/// Python's complaint about a wrong type; none if there is no such conversion.
fn type_error(conversion: char, type_name: &str) -> Option<ExpansionErrorKind> {
    let reason = match conversion {
        'd' | 'i' | 'u' => {
            format!("%{conversion} format: a real number is required, not {type_name}")
        }
        'x' | 'X' | 'o' => format!("%{conversion} format: an integer is required, not {type_name}"),
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => format!("must be real number, not {type_name}"),
        'c' => "%c requires int or char".to_owned(),
        _ => return None,
    };
    Some(ExpansionErrorKind::BadFormat(reason))
}

fn mapping_repr(names: &dyn Names, only_ascii: bool) -> String {
    let quoted = |text: &str| if only_ascii { ascii(text) } else { repr(text) };
    let pairs: Vec<String> = names
        .all()
        .into_iter()
        .map(|(name, value)| match value {
            Value::Text(text) => format!("{}: {}", quoted(&name), quoted(text)),
            Value::Number(number) => format!("{}: {number}", quoted(&name)),
        })
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

/// The magnitude of a whole number in one of the floating-point notations.
fn float_body(conversion: char, number: i64, alternate: bool, precision: usize) -> String {
    #[expect(
        clippy::cast_precision_loss,
        reason = "Python converts to a double here as well"
    )]
    let value = number.unsigned_abs() as f64;
    let body = match conversion {
        'f' | 'F' => fixed(value, precision, alternate),
        'e' | 'E' => scientific(value, precision, alternate),
        _ => general(value, precision.max(1), alternate),
    };
    if conversion.is_ascii_uppercase() {
        body.to_ascii_uppercase()
    } else {
        body
    }
}

fn fixed(value: f64, precision: usize, alternate: bool) -> String {
    let mut body = format!("{value:.precision$}");
    if precision == 0 && alternate {
        body.push('.');
    }
    body
}

fn scientific(value: f64, precision: usize, alternate: bool) -> String {
    let rust = format!("{value:.precision$e}");
    let (mantissa, exponent) = rust.split_once('e').unwrap_or((&rust, "0"));
    let point = if precision == 0 && alternate { "." } else { "" };
    format!("{mantissa}{point}e+{exponent:0>2}")
}

fn general(value: f64, precision: usize, alternate: bool) -> String {
    let rounded = format!("{value:.*e}", precision - 1);
    let exponent: usize = rounded
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or(0);
    let body = if exponent < precision {
        fixed(value, precision - 1 - exponent, alternate)
    } else {
        scientific(value, precision - 1, alternate)
    };
    if alternate || !body.contains('.') {
        return body;
    }
    let (mantissa, tail) = match body.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, format!("e{exponent}")),
        None => (body.as_str(), String::new()),
    };
    let trimmed = mantissa.trim_end_matches('0').trim_end_matches('.');
    format!("{trimmed}{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pair;

    impl Names for Pair {
        fn value(&self, name: &str) -> Option<Value<'_>> {
            match name {
                "a" => Some(Value::Text("str")),
                "n" => Some(Value::Number(7)),
                "m" => Some(Value::Number(-255)),
                "big" => Some(Value::Number(123_456_789)),
                "c" => Some(Value::Text("x")),
                "(a)" => Some(Value::Text("inner")),
                _ => None,
            }
        }

        fn all(&self) -> Vec<(Cow<'_, str>, Value<'_>)> {
            vec![
                (Cow::Borrowed("n"), Value::Number(7)),
                (Cow::Borrowed("a"), Value::Text("s'")),
            ]
        }
    }

    #[test]
    fn conversions_print_as_in_python() {
        for (text, expected) in [
            ("plain", "plain"),
            ("%%", "%"),
            ("%(a)s|%(n)s", "str|7"),
            ("%(n)02d", "07"),
            ("%(n)x %(n)#x %(n)#X %(n)#o", "7 0x7 0X7 0o7"),
            ("%(m)x %(m)#x %(m)d", "-ff -0xff -255"),
            ("%(n)+d|%(n) d|%(n)-5d|%(n)5d", "+7| 7|7    |    7"),
            ("%(n)5.3d|%(n)05.3d|%(n)+5.3d", "  007|00007| +007"),
            ("%(n)020x", "00000000000000000007"),
            ("%(n)#020x", "0x000000000000000007"),
            ("%(n)-020d|", "7                   |"),
            ("%(n).5x|%(n)#.5x", "00007|0x00007"),
            (
                "%(n)f|%(n)5.2f|%(n)010.2f|%(n)+.3f",
                "7.000000| 7.00|0000007.00|+7.000",
            ),
            ("%(n).0f|%(n)#.0f", "7|7."),
            ("%(n)e|%(n).3E", "7.000000e+00|7.000E+00"),
            (
                "%(n)g|%(n)#g|%(big)g|%(big).3G",
                "7|7.00000|1.23457e+08|1.23E+08",
            ),
            ("%(m)08.3f", "-255.000"),
            ("%(n)c|%(n)5c|%(c)c", "\u{7}|    \u{7}|x"),
            (
                "%(a)r|%(a).0s|%(a).2s|%(a)6s|%(a)-6s|",
                "'str'||st|   str|str   |",
            ),
            ("%(a)hs|%(n)ld|%(n)i|%(n)u", "str|7|7|7"),
            ("%((a))s", "inner"),
            ("%s", "{'n': 7, 'a': \"s'\"}"),
            ("%.5s|", "{'n':|"),
            ("date +%%Y%%m", "date +%Y%m"),
        ] {
            assert_eq!(expand(text, &Pair).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn errors_read_as_in_python() {
        for (text, expected) in [
            ("%", "incomplete format"),
            ("%(", "incomplete format key"),
            ("%(a", "incomplete format key"),
            ("%(a)", "incomplete format"),
            (
                "%(a)U",
                "unsupported format character 'U' (0x55) at index 4",
            ),
            ("%U", "unsupported format character 'U' (0x55) at index 1"),
            (
                "\u{e9}%\u{e9}",
                "unsupported format character '?' (0xe9) at index 2",
            ),
            ("%\n", "unsupported format character '?' (0xa) at index 1"),
            (
                "100% CPU",
                "unsupported format character 'C' (0x43) at index 5",
            ),
            ("%5%", "unsupported format character '%' (0x25) at index 2"),
            (
                "%(a)%%s",
                "unsupported format character '%' (0x25) at index 4",
            ),
            (
                "%#(n)x",
                "unsupported format character '(' (0x28) at index 2",
            ),
            (
                "%(a)lls",
                "unsupported format character 'l' (0x6c) at index 5",
            ),
            (
                "%(a).-1s",
                "unsupported format character '-' (0x2d) at index 5",
            ),
            (
                "%(n)b",
                "unsupported format character 'b' (0x62) at index 4",
            ),
            ("%d", "%d format: a real number is required, not dict"),
            ("%(a)i", "%i format: a real number is required, not str"),
            ("%(a)x", "%x format: an integer is required, not str"),
            ("%(a)f", "must be real number, not str"),
            ("%(a)c", "%c requires int or char"),
            ("%(m)c", "%c arg not in range(0x110000)"),
            ("%s%5%", "not enough arguments for format string"),
            ("%*d", "* wants int"),
            ("%(n)*d", "not enough arguments for format string"),
            ("%s %s", "not enough arguments for format string"),
            ("%(a)s %s", "not enough arguments for format string"),
            ("%(a)99999999999999999999s", "width too big"),
            ("%(a).99999999999999999999s", "precision too big"),
        ] {
            assert_eq!(
                expand(text, &Pair).map_err(|error| error.kind),
                Err(ExpansionErrorKind::BadFormat(expected.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn an_unknown_name_is_told_with_its_place() {
        let error = expand("ab %(b)s c", &Pair).unwrap_err();
        assert_eq!((error.start, error.end), (3, 7));
        assert_eq!(
            error.original_text("ab %(b)s c", "program:x.command", &Pair),
            "Format string 'ab %(b)s c' for 'program:x.command' contains names ('b') which cannot \
             be expanded. Available names: a, n"
        );
    }
}

//! Writing values, byte for byte as Python's `xmlrpc.client` does, straight into a buffer.

use std::borrow::Cow;

use linchpin_python::repr_float;
use thiserror::Error;

use crate::value::Value;

/// Why a value could not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WriteError {
    /// XML-RPC integers have 32 bits. Whoever writes a number that may be larger must decide: our
    /// structs cap theirs, as the original caps its timestamps.
    #[error("int exceeds XML-RPC limits")]
    IntOutOfRange,
}

/// Something that can be written as one value.
pub trait WriteValue {
    /// Writes `<value>…</value>`.
    ///
    /// # Errors
    ///
    /// See [`WriteError`].
    fn write_value(&self, writer: &mut ValueWriter<'_>) -> Result<(), WriteError>;
}

/// Appends values to a buffer.
#[derive(Debug)]
pub struct ValueWriter<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> ValueWriter<'o> {
    /// A writer that appends to `out`.
    #[must_use]
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Writes a boolean.
    pub fn bool(&mut self, value: bool) {
        self.raw(if value {
            b"<value><boolean>1</boolean></value>\n"
        } else {
            b"<value><boolean>0</boolean></value>\n"
        });
    }

    /// Writes an integer.
    ///
    /// # Errors
    ///
    /// When it does not fit 32 bits.
    pub fn int(&mut self, value: i64) -> Result<(), WriteError> {
        let value = i32::try_from(value).map_err(|_| WriteError::IntOutOfRange)?;
        self.int32(value);
        Ok(())
    }

    /// Writes an integer, and the nearest one that fits where it does not.
    pub fn int_capped(&mut self, value: i64) {
        let limit = if value < 0 { i32::MIN } else { i32::MAX };
        self.int32(i32::try_from(value).unwrap_or(limit));
    }

    fn int32(&mut self, value: i32) {
        self.raw(b"<value><int>");
        append_int(self.out, value);
        self.raw(b"</int></value>\n");
    }

    /// Writes a floating-point number.
    pub fn double(&mut self, value: f64) {
        self.raw(b"<value><double>");
        self.raw(repr_float(value).as_bytes());
        self.raw(b"</double></value>\n");
    }

    /// Writes a string. Characters that XML forbids become U+FFFD: the original sends them as they
    /// are, and no client can read the answer (a coloured log line is enough).
    pub fn string(&mut self, value: &str) {
        self.raw(b"<value><string>");
        append_escaped(self.out, value);
        self.raw(b"</string></value>\n");
    }

    /// Writes a time from its text.
    pub fn date_time(&mut self, value: &str) {
        self.raw(b"<value><dateTime.iso8601>");
        append_escaped(self.out, value);
        self.raw(b"</dateTime.iso8601></value>\n");
    }

    /// Writes `<nil/>`.
    pub fn nil(&mut self) {
        self.raw(b"<value><nil/></value>");
    }

    /// Writes an array; `items` writes its values.
    ///
    /// # Errors
    ///
    /// What `items` returns.
    pub fn array(
        &mut self,
        items: impl FnOnce(&mut ValueWriter<'_>) -> Result<(), WriteError>,
    ) -> Result<(), WriteError> {
        self.raw(b"<value><array><data>\n");
        items(self)?;
        self.raw(b"</data></array></value>\n");
        Ok(())
    }

    /// Writes a struct; `members` writes its members.
    ///
    /// # Errors
    ///
    /// What `members` returns.
    pub fn structure(
        &mut self,
        members: impl FnOnce(&mut StructWriter<'_, 'o>) -> Result<(), WriteError>,
    ) -> Result<(), WriteError> {
        self.raw(b"<value><struct>\n");
        members(&mut StructWriter { writer: self })?;
        self.raw(b"</struct></value>\n");
        Ok(())
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        append_escaped(self.out, text);
    }
}

/// Appends members to a struct.
#[derive(Debug)]
pub struct StructWriter<'w, 'o> {
    writer: &'w mut ValueWriter<'o>,
}

impl<'o> StructWriter<'_, 'o> {
    /// Writes a member of any type.
    ///
    /// # Errors
    ///
    /// What `value` returns.
    pub fn member(
        &mut self,
        name: &str,
        value: impl FnOnce(&mut ValueWriter<'o>) -> Result<(), WriteError>,
    ) -> Result<(), WriteError> {
        self.writer.raw(b"<member>\n<name>");
        append_escaped(self.writer.out, name);
        self.writer.raw(b"</name>\n");
        value(self.writer)?;
        self.writer.raw(b"</member>\n");
        Ok(())
    }

    /// Writes a string member.
    ///
    /// # Errors
    ///
    /// None today.
    pub fn string(&mut self, name: &str, value: &str) -> Result<(), WriteError> {
        self.member(name, |writer| {
            writer.string(value);
            Ok(())
        })
    }

    /// Writes a boolean member.
    ///
    /// # Errors
    ///
    /// None today.
    pub fn bool(&mut self, name: &str, value: bool) -> Result<(), WriteError> {
        self.member(name, |writer| {
            writer.bool(value);
            Ok(())
        })
    }

    /// Writes an integer member, capped to 32 bits.
    ///
    /// # Errors
    ///
    /// None today.
    pub fn int_capped(&mut self, name: &str, value: i64) -> Result<(), WriteError> {
        self.member(name, |writer| {
            writer.int_capped(value);
            Ok(())
        })
    }
}

/// Decimal digits without going through the formatting machinery: six integers for each of a
/// thousand processes are a third of the answer.
fn append_int(out: &mut Vec<u8>, value: i32) {
    let mut digits = [0_u8; 10];
    let mut first = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        first -= 1;
        // `rest % 10` is a single digit.
        digits[first] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[first..]);
}

fn append_escaped(out: &mut Vec<u8>, text: &str) {
    const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();
    let bytes = text.as_bytes();
    let mut copied = 0;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let (replacement, length): (&[u8], usize) = match byte {
            b'&' => (b"&amp;", 1),
            b'<' => (b"&lt;", 1),
            b'>' => (b"&gt;", 1),
            0..=8 | 11 | 12 | 14..=31 => (REPLACEMENT, 1),
            0xef if matches!(bytes[at..], [0xef, 0xbf, 0xbe | 0xbf, ..]) => (REPLACEMENT, 3),
            _ => {
                at += 1;
                continue;
            }
        };
        out.extend_from_slice(&bytes[copied..at]);
        out.extend_from_slice(replacement);
        at += length;
        copied = at;
    }
    out.extend_from_slice(&bytes[copied..]);
}

impl WriteValue for Value {
    fn write_value(&self, writer: &mut ValueWriter<'_>) -> Result<(), WriteError> {
        match self {
            Self::Nil => writer.nil(),
            Self::Bool(value) => writer.bool(*value),
            Self::Int(value) => writer.int(*value)?,
            Self::Double(value) => writer.double(*value),
            Self::String(value) => writer.string(value),
            Self::DateTime(value) => writer.date_time(value),
            Self::Array(items) => items.as_slice().write_value(writer)?,
            Self::Struct(members) => writer.structure(|out| {
                members
                    .iter()
                    .try_for_each(|(name, value)| out.member(name, |w| value.write_value(w)))
            })?,
        }
        Ok(())
    }
}

impl<T: WriteValue> WriteValue for [T] {
    fn write_value(&self, writer: &mut ValueWriter<'_>) -> Result<(), WriteError> {
        writer.array(|out| self.iter().try_for_each(|item| item.write_value(out)))
    }
}

impl<T: WriteValue> WriteValue for Vec<T> {
    fn write_value(&self, writer: &mut ValueWriter<'_>) -> Result<(), WriteError> {
        self.as_slice().write_value(writer)
    }
}

impl<T: WriteValue + ?Sized> WriteValue for &T {
    fn write_value(&self, writer: &mut ValueWriter<'_>) -> Result<(), WriteError> {
        (**self).write_value(writer)
    }
}

impl WriteValue for str {
    fn write_value(&self, writer: &mut ValueWriter<'_>) -> Result<(), WriteError> {
        writer.string(self);
        Ok(())
    }
}

impl WriteValue for String {
    fn write_value(&self, writer: &mut ValueWriter<'_>) -> Result<(), WriteError> {
        writer.string(self);
        Ok(())
    }
}

impl WriteValue for Cow<'_, str> {
    fn write_value(&self, writer: &mut ValueWriter<'_>) -> Result<(), WriteError> {
        writer.string(self);
        Ok(())
    }
}

impl WriteValue for bool {
    fn write_value(&self, writer: &mut ValueWriter<'_>) -> Result<(), WriteError> {
        writer.bool(*self);
        Ok(())
    }
}

impl WriteValue for i64 {
    fn write_value(&self, writer: &mut ValueWriter<'_>) -> Result<(), WriteError> {
        writer.int(*self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: impl WriteValue, expected: &str) {
        let mut out = Vec::new();
        value.write_value(&mut ValueWriter::new(&mut out)).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn scalars_look_as_python_prints_them() {
        check(true, "<value><boolean>1</boolean></value>\n");
        check(0_i64, "<value><int>0</int></value>\n");
        check(
            -2_147_483_648_i64,
            "<value><int>-2147483648</int></value>\n",
        );
        check(2_147_483_647_i64, "<value><int>2147483647</int></value>\n");
        check(
            "a<b>&\"'\r\n",
            "<value><string>a&lt;b&gt;&amp;\"'\r\n</string></value>\n",
        );
        check("", "<value><string></string></value>\n");
        check(
            Value::Double(1e16),
            "<value><double>1e+16</double></value>\n",
        );
        check(Value::Nil, "<value><nil/></value>");
    }

    #[test]
    fn characters_that_xml_forbids_are_replaced() {
        check(
            "\u{1b}[31mred\u{0}\u{ffff}\u{fffd}\u{ef00}é",
            "<value><string>\u{fffd}[31mred\u{fffd}\u{fffd}\u{fffd}\u{ef00}é</string></value>\n",
        );
    }

    #[test]
    fn an_integer_of_more_than_32_bits_is_an_error_or_capped() {
        let mut out = Vec::new();
        let mut writer = ValueWriter::new(&mut out);
        assert_eq!(writer.int(1 << 31), Err(WriteError::IntOutOfRange));
        writer.int_capped(1 << 40);
        writer.int_capped(-(1 << 40));
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "<value><int>2147483647</int></value>\n<value><int>-2147483648</int></value>\n"
        );
    }

    #[test]
    fn containers_nest() {
        check(
            Value::Struct(vec![(
                "k&".to_owned(),
                Value::Array(vec![Value::Bool(false)]),
            )]),
            "<value><struct>\n<member>\n<name>k&amp;</name>\n<value><array><data>\n\
             <value><boolean>0</boolean></value>\n</data></array></value>\n</member>\n\
             </struct></value>\n",
        );
        check(
            Vec::<Value>::new(),
            "<value><array><data>\n</data></array></value>\n",
        );
    }
}

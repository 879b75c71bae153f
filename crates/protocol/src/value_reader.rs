//! Reading an answer straight into what the caller wants, without a tree in between.
//!
//! This is the client's side; it is as tolerant as Python's `xmlrpc.client` and more so towards
//! control characters. Requests have rules of their own: see `request.rs`.

use std::borrow::Cow;

use linchpin_python::base64;

use crate::fault::Fault;
use crate::value::Value;
use crate::xml::{Forbidden, ReadError, Tag, Tokens};

/// Something that can be read from one value.
pub trait ReadValue<'a>: Sized {
    /// Reads what is inside `<value>`, up to and with `</value>`.
    ///
    /// # Errors
    ///
    /// When the document is broken or holds something else.
    fn read_value(reader: &mut ValueReader<'a>) -> Result<Self, ReadError>;
}

/// Walks through the values of an answer.
#[derive(Debug)]
pub struct ValueReader<'a> {
    tokens: Tokens<'a>,
    /// The value that comes next, if it was read with its member.
    already_read: Option<Scalar<'a>>,
}

/// What a `<value>` holds.
enum Content<'a> {
    Scalar(Scalar<'a>),
    Array,
    Struct,
}

/// A value without parts: its type and its text.
#[derive(Debug)]
struct Scalar<'a> {
    kind: &'a str,
    text: Cow<'a, str>,
}

/// Reads an answer.
///
/// # Errors
///
/// When the document is no answer, or its value is of another shape.
pub fn read_answer<'a, T: ReadValue<'a>>(document: &'a str) -> Result<Result<T, Fault>, ReadError> {
    let mut reader = ValueReader {
        tokens: Tokens::new(document, Forbidden::Keep)?,
        already_read: None,
    };
    reader.expect_start("methodResponse")?;
    let answer = match reader.tokens.tag()? {
        Tag::Start("params") => {
            reader.expect_start("param")?;
            reader.expect_start("value")?;
            let value = T::read_value(&mut reader)?;
            reader.expect_end("param")?;
            reader.expect_end("params")?;
            Ok(value)
        }
        Tag::Start("fault") => {
            reader.expect_start("value")?;
            let fault = Fault::read_value(&mut reader)?;
            reader.expect_end("fault")?;
            Err(fault)
        }
        Tag::Start(_) | Tag::End(_) | Tag::Eof => {
            return Err(not_xml_rpc("neither params nor fault"));
        }
    };
    reader.expect_end("methodResponse")?;
    match reader.tokens.tag()? {
        Tag::Eof => Ok(answer),
        Tag::Start(_) | Tag::End(_) => Err(not_xml_rpc("something after the answer")),
    }
}

fn not_xml_rpc(what: &'static str) -> ReadError {
    ReadError::NotXmlRpc { what }
}

impl<'a> ValueReader<'a> {
    fn expect_start(&mut self, name: &'static str) -> Result<(), ReadError> {
        match self.tokens.tag()? {
            Tag::Start(found) if found == name => Ok(()),
            Tag::Start(_) | Tag::End(_) | Tag::Eof => Err(not_xml_rpc("an element is missing")),
        }
    }

    fn expect_end(&mut self, name: &'static str) -> Result<(), ReadError> {
        match self.tokens.tag()? {
            Tag::End(found) if found == name => Ok(()),
            Tag::Start(_) | Tag::End(_) | Tag::Eof => Err(not_xml_rpc("an element too many")),
        }
    }

    fn content(&mut self) -> Result<Content<'a>, ReadError> {
        if let Some(scalar) = self.already_read.take() {
            return Ok(Content::Scalar(scalar));
        }
        let (text, tag) = self.tokens.text_then_tag()?;
        match tag {
            Tag::End(_) => Ok(Content::Scalar(Scalar {
                kind: "string",
                text,
            })),
            Tag::Start("array") => Ok(Content::Array),
            Tag::Start("struct") => Ok(Content::Struct),
            Tag::Start(kind) => {
                let (text, tag) = self.tokens.text_then_tag()?;
                match tag {
                    Tag::End(_) => {}
                    Tag::Start(_) | Tag::Eof => {
                        return Err(not_xml_rpc("an element inside a scalar"));
                    }
                }
                self.expect_end("value")?;
                Ok(Content::Scalar(Scalar { kind, text }))
            }
            Tag::Eof => Err(not_xml_rpc("the document ends inside a value")),
        }
    }

    fn scalar(&mut self) -> Result<Scalar<'a>, ReadError> {
        match self.content()? {
            Content::Scalar(scalar) => Ok(scalar),
            Content::Array | Content::Struct => Err(not_xml_rpc("an array or struct as a scalar")),
        }
    }

    /// Reads an array; `item` is called for each value and must read it.
    ///
    /// # Errors
    ///
    /// When there is something else, or what `item` returns.
    pub fn array(
        &mut self,
        item: impl FnMut(&mut Self) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        match self.content()? {
            Content::Array => self.array_items(item),
            Content::Scalar(_) | Content::Struct => Err(not_xml_rpc("an array is missing")),
        }
    }

    fn array_items(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        self.expect_start("data")?;
        loop {
            match self.tokens.tag()? {
                Tag::Start("value") => item(self)?,
                Tag::End("data") => break,
                Tag::Start(_) | Tag::End(_) | Tag::Eof => {
                    return Err(not_xml_rpc("an array of something else than values"));
                }
            }
        }
        self.expect_end("array")?;
        self.expect_end("value")
    }

    /// Reads a struct; `member` is called with each name and must read the value, or
    /// [`skip`](Self::skip) it.
    ///
    /// # Errors
    ///
    /// When there is something else, or what `member` returns.
    pub fn structure(
        &mut self,
        member: impl FnMut(&str, &mut Self) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        match self.content()? {
            Content::Struct => self.struct_members(member),
            Content::Scalar(_) | Content::Array => Err(not_xml_rpc("a struct is missing")),
        }
    }

    fn struct_members(
        &mut self,
        mut member: impl FnMut(&str, &mut Self) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        loop {
            if let Some(plain) = self.tokens.plain_member() {
                self.already_read = Some(Scalar {
                    kind: plain.kind,
                    text: Cow::Borrowed(plain.text),
                });
                member(plain.name, self)?;
                self.already_read = None;
                continue;
            }
            match self.tokens.tag()? {
                Tag::Start("member") => {
                    self.expect_start("name")?;
                    let (name, tag) = self.tokens.text_then_tag()?;
                    if tag != Tag::End("name") {
                        return Err(not_xml_rpc("an element inside a name"));
                    }
                    self.expect_start("value")?;
                    member(&name, self)?;
                    self.expect_end("member")?;
                }
                Tag::End("struct") => break,
                Tag::Start(_) | Tag::End(_) | Tag::Eof => {
                    return Err(not_xml_rpc("a struct of something else than members"));
                }
            }
        }
        self.expect_end("value")
    }

    /// Reads a value and forgets it.
    ///
    /// # Errors
    ///
    /// When the document is broken.
    pub fn skip(&mut self) -> Result<(), ReadError> {
        match self.content()? {
            Content::Scalar(_) => Ok(()),
            Content::Array => self.array_items(Self::skip),
            Content::Struct => self.struct_members(|_, reader| reader.skip()),
        }
    }
}

impl Scalar<'_> {
    fn bad(&self, kind: &'static str) -> ReadError {
        ReadError::BadScalar {
            kind,
            text: self.text.chars().take(80).collect(),
        }
    }

    fn int(&self) -> Result<i64, ReadError> {
        self.text.trim().parse().map_err(|_| self.bad("int"))
    }

    fn bool(&self) -> Result<bool, ReadError> {
        match self.text.trim() {
            "1" => Ok(true),
            "0" => Ok(false),
            _ => Err(self.bad("boolean")),
        }
    }
}

impl<'a> ReadValue<'a> for Value {
    fn read_value(reader: &mut ValueReader<'a>) -> Result<Self, ReadError> {
        match reader.content()? {
            Content::Scalar(scalar) => Ok(match scalar.kind {
                "int" | "i1" | "i2" | "i4" | "i8" => Self::Int(scalar.int()?),
                "boolean" => Self::Bool(scalar.bool()?),
                "double" => Self::Double(
                    scalar
                        .text
                        .trim()
                        .parse()
                        .map_err(|_| scalar.bad("double"))?,
                ),
                "dateTime.iso8601" => Self::DateTime(scalar.text.into_owned()),
                "base64" => {
                    Self::String(base64::decode_text(&scalar.text).ok_or(scalar.bad("base64"))?)
                }
                "nil" => Self::Nil,
                "string" => Self::String(scalar.text.into_owned()),
                _ => return Err(not_xml_rpc("an unknown type")),
            }),
            Content::Array => {
                let mut items = Vec::new();
                reader.array_items(|reader| {
                    items.push(Self::read_value(reader)?);
                    Ok(())
                })?;
                Ok(Self::Array(items))
            }
            Content::Struct => {
                let mut members = Vec::new();
                reader.struct_members(|name, reader| {
                    members.push((name.to_owned(), Self::read_value(reader)?));
                    Ok(())
                })?;
                Ok(Self::Struct(members))
            }
        }
    }
}

impl<'a> ReadValue<'a> for Cow<'a, str> {
    fn read_value(reader: &mut ValueReader<'a>) -> Result<Self, ReadError> {
        Ok(reader.scalar()?.text)
    }
}

impl<'a> ReadValue<'a> for String {
    fn read_value(reader: &mut ValueReader<'a>) -> Result<Self, ReadError> {
        Ok(reader.scalar()?.text.into_owned())
    }
}

impl<'a> ReadValue<'a> for i64 {
    fn read_value(reader: &mut ValueReader<'a>) -> Result<Self, ReadError> {
        reader.scalar()?.int()
    }
}

impl<'a> ReadValue<'a> for bool {
    fn read_value(reader: &mut ValueReader<'a>) -> Result<Self, ReadError> {
        reader.scalar()?.bool()
    }
}

impl<'a, T: ReadValue<'a>> ReadValue<'a> for Vec<T> {
    fn read_value(reader: &mut ValueReader<'a>) -> Result<Self, ReadError> {
        let mut items = Self::new();
        reader.array(|reader| {
            items.push(T::read_value(reader)?);
            Ok(())
        })?;
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{write_answer, write_fault};
    use crate::fault::FaultCode;

    fn round_trip(value: Value) {
        let document = String::from_utf8(write_answer(&value).unwrap()).unwrap();
        assert_eq!(read_answer::<Value>(&document), Ok(Ok(value)));
    }

    #[test]
    fn what_is_written_can_be_read() {
        round_trip(Value::Nil);
        round_trip(Value::Int(-5));
        round_trip(Value::Bool(true));
        round_trip(Value::Double(0.1));
        round_trip(Value::String("a<&>\"é\n".to_owned()));
        round_trip(Value::DateTime("20261123T23:20:03".to_owned()));
        round_trip(Value::Array(vec![
            Value::Struct(vec![("a".to_owned(), Value::Array(vec![]))]),
            Value::Struct(vec![]),
        ]));
    }

    #[test]
    fn faults_are_read() {
        let fault = Fault::with(FaultCode::BadName, "x");
        let document = String::from_utf8(write_fault(&fault)).unwrap();
        assert_eq!(read_answer::<bool>(&document), Ok(Err(fault)));
    }

    #[test]
    fn a_value_without_a_type_is_a_string() {
        let document = "<methodResponse><params><param><value>x y</value></param></params>\
                        </methodResponse>";
        assert_eq!(read_answer::<String>(document), Ok(Ok("x y".to_owned())));
    }

    #[test]
    fn the_form_does_not_matter() {
        let usual = "<methodResponse>\n<params>\n<param>\n<value><struct>\n<member>\n<name>a</name>\n\
                     <value><int>5</int></value>\n</member>\n<member>\n<name>b</name>\n\
                     <value><string>x</string></value>\n</member>\n</struct></value>\n</param>\n\
                     </params>\n</methodResponse>\n";
        let expected = Value::Struct(vec![
            ("a".to_owned(), Value::Int(5)),
            ("b".to_owned(), Value::from("x")),
        ]);
        for document in [
            usual.to_owned(),
            usual.replace('\n', ""),
            usual.replace('\n', "\r\n  "),
            usual.replace("<name>", "<name x='1'>"),
            usual.replace("<member>", "<!-- c --><member >"),
            usual.replace("</member>", "</member >"),
            usual.replace("<int>5", "<int><![CDATA[5]]>"),
            usual.replace("<string>x</string>", "&#120;"),
        ] {
            assert_eq!(
                read_answer(&document),
                Ok(Ok(expected.clone())),
                "{document}"
            );
        }
        for document in [
            usual.replace("</value>\n</member>", "</value>\n</value>"),
            usual.replace("</member>\n</struct>", "</struct>"),
            usual.replace("</name>\n<value>", "</name>\n"),
            usual.replace("string>", "struct>"),
            usual.replace("int>", "array>"),
            usual.replace("string>", "strung>"),
            usual.replace("name>", "nome>"),
        ] {
            assert!(read_answer::<Value>(&document).is_err(), "{document}");
        }
    }

    #[test]
    fn other_shapes_are_errors() {
        for document in [
            "<html/>",
            "<methodResponse/>",
            "<methodResponse><params/></methodResponse>",
            "<methodResponse><params><param><value><int>x</int></value></param></params>\
             </methodResponse>",
            "<methodResponse><params><param><value><array><data><value><int>1</int></value>\
             </data></array></value></param></params></methodResponse>",
        ] {
            assert!(read_answer::<i64>(document).is_err(), "{document}");
        }
    }
}

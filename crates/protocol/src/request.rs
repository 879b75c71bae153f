//! Reading a call, with all the habits of the original's reader.
//!
//! The original walks over the elements as they close and turns each into a Python value by its tag
//! alone, wherever it stands. So do we: an element becomes its *content*, a value without a type is
//! text, an unknown tag (`i8` too) gives its text, only `1` is a true boolean, and `<params>` may be
//! missing. Whatever fails there with a Python exception is an error here (HTTP 400).

use std::borrow::Cow;

use linchpin_python::{base64, exact_int, float};

use crate::limits::{MAX_MEMBERS, MAX_VALUES};
use crate::value::Value;
use crate::xml::{Forbidden, ReadError, Tag, Tokens};

/// A call as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Name of the method, as written.
    pub method: String,
    /// Parameters in order.
    pub parameters: Vec<Value>,
}

/// An element that is open.
struct Open<'a> {
    tag: &'a str,
    /// Text before the first child.
    text: Cow<'a, str>,
    children: Vec<Closed>,
}

/// An element that is closed: what it stands for, and the children of elements without a meaning
/// of their own (`member` needs them).
struct Closed {
    content: Value,
    children: Vec<Closed>,
}

/// Reads a call.
///
/// # Errors
///
/// When the text is no XML, has no method name, or a value does not fit its type: HTTP 400.
pub fn read_request(document: &str) -> Result<Request, ReadError> {
    let mut tokens = Tokens::new(document, Forbidden::Refuse)?;
    let mut stack: Vec<Open<'_>> = Vec::with_capacity(16);
    let mut method = None;
    let mut parameters = Vec::new();
    let mut values = 0_usize;
    loop {
        let (text, tag) = tokens.text_then_tag()?;
        if let Some(open) = stack.last_mut()
            && open.children.is_empty()
        {
            open.text = text;
        }
        match tag {
            Tag::Start(tag) => {
                values += usize::from(tag == "value");
                if values > MAX_VALUES {
                    return Err(ReadError::TooManyValues);
                }
                stack.push(Open {
                    tag,
                    text: Cow::Borrowed(""),
                    children: Vec::new(),
                });
            }
            Tag::End(_) => {
                let Some(element) = stack.pop() else {
                    break;
                };
                match element.tag {
                    "methodName" => method = Some(element.text.clone().into_owned()),
                    "params" => {
                        let mut children = element.children;
                        parameters = children.drain(..).map(|child| child.content).collect();
                        continue_with(&mut stack, Closed::empty());
                        continue;
                    }
                    _ => {}
                }
                let closed = close(element)?;
                continue_with(&mut stack, closed);
            }
            Tag::Eof => break,
        }
    }
    match method {
        Some(method) if !method.is_empty() => Ok(Request { method, parameters }),
        Some(_) | None => Err(ReadError::NotXmlRpc {
            what: "no method name",
        }),
    }
}

fn continue_with(stack: &mut [Open<'_>], closed: Closed) {
    if let Some(parent) = stack.last_mut() {
        parent.children.push(closed);
    }
}

impl Closed {
    fn empty() -> Self {
        Self::of(Value::Nil)
    }

    fn of(content: Value) -> Self {
        Self {
            content,
            children: Vec::new(),
        }
    }
}

fn close(element: Open<'_>) -> Result<Closed, ReadError> {
    let Open {
        tag,
        text,
        mut children,
    } = element;
    let bad = |kind| ReadError::BadScalar {
        kind,
        text: text.chars().take(80).collect(),
    };
    Ok(Closed::of(match tag {
        "int" | "i4" => Value::Int(exact_int(&text).ok_or_else(|| bad("int"))?),
        "boolean" => Value::Bool(text == "1"),
        "string" => Value::String(text.into_owned()),
        "double" => Value::Double(float(&text).ok_or_else(|| bad("double"))?),
        "dateTime.iso8601" if is_date_time(&text) => Value::DateTime(text.into_owned()),
        "dateTime.iso8601" => return Err(bad("dateTime.iso8601")),
        "base64" => Value::String(base64::decode_text(&text).ok_or_else(|| bad("base64"))?),
        "data" => Value::Array(children.into_iter().map(|child| child.content).collect()),
        "struct" => structure(children)?,
        "array" | "param" if children.is_empty() => {
            return Err(ReadError::NotXmlRpc {
                what: "an empty array or parameter",
            });
        }
        "value" if children.is_empty() => Value::String(text.into_owned()),
        "array" | "param" | "value" => children.swap_remove(0).content,
        _ => {
            let content = if text.is_empty() {
                Value::Nil
            } else {
                Value::String(text.into_owned())
            };
            return Ok(Closed { content, children });
        }
    }))
}

/// A struct is made of anything that has exactly two children: a name and a value.
fn structure(children: Vec<Closed>) -> Result<Value, ReadError> {
    if children.len() > MAX_MEMBERS {
        return Err(ReadError::NotXmlRpc {
            what: "a struct of too many members",
        });
    }
    let mut members: Vec<(String, Value)> = Vec::with_capacity(children.len());
    for member in children {
        let Ok([name, value]) = <[Closed; 2]>::try_from(member.children) else {
            return Err(ReadError::NotXmlRpc {
                what: "a member that is not a name and a value",
            });
        };
        let name = match name.content {
            Value::String(name) => name,
            Value::Nil => String::new(),
            Value::Bool(_)
            | Value::Int(_)
            | Value::Double(_)
            | Value::DateTime(_)
            | Value::Array(_)
            | Value::Struct(_) => {
                return Err(ReadError::NotXmlRpc {
                    what: "a member whose name is no text",
                });
            }
        };
        match members.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value.content,
            None => members.push((name, value.content)),
        }
    }
    Ok(Value::Struct(members))
}

fn is_date_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 17
        && bytes.iter().enumerate().all(|(index, byte)| match index {
            8 => *byte == b'T',
            11 | 14 => *byte == b':',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(inside: &str) -> Result<Vec<Value>, ReadError> {
        read_request(&format!(
            "<?xml version='1.0'?><methodCall><methodName>a.b</methodName><params>{inside}\
             </params></methodCall>"
        ))
        .map(|request| request.parameters)
    }

    fn check(value: &str, expected: Value) {
        assert_eq!(
            parameters(&format!("<param><value>{value}</value></param>")),
            Ok(vec![expected]),
            "{value}"
        );
    }

    #[test]
    fn values_are_read_as_the_original_reads_them() {
        check("<int>5</int>", Value::Int(5));
        check("<i4> -5 </i4>", Value::Int(-5));
        check("<int>1_000</int>", Value::Int(1000));
        check("<i8>5</i8>", Value::from("5"));
        check("<boolean>1</boolean>", Value::Bool(true));
        check("<boolean>true</boolean>", Value::Bool(false));
        check("<boolean/>", Value::Bool(false));
        check("<string>x</string>", Value::from("x"));
        check("<string/>", Value::from(""));
        check(
            "plain & simple".replace('&', "&amp;").as_str(),
            Value::from("plain & simple"),
        );
        check("", Value::from(""));
        check(" <int>5</int> ", Value::Int(5));
        check("<nil/>", Value::Nil);
        check("<double>1.5</double>", Value::Double(1.5));
        check("<base64>aGk=\n</base64>", Value::from("hi"));
        check(
            "<dateTime.iso8601>20261123T23:20:03</dateTime.iso8601>",
            Value::DateTime("20261123T23:20:03".to_owned()),
        );
        check(
            "<array><data><value>a</value><value><int>1</int></value></data></array>",
            Value::Array(vec![Value::from("a"), Value::Int(1)]),
        );
        check("<array><data/></array>", Value::Array(vec![]));
        check("<struct/>", Value::Struct(vec![]));
        check(
            "<struct><member><name>k</name><value><i4>1</i4></value></member>\
             <member><name/><value>v</value></member>\
             <member><name>k</name><value>last</value></member></struct>",
            Value::Struct(vec![
                ("k".to_owned(), Value::from("last")),
                (String::new(), Value::from("v")),
            ]),
        );
        check("a<!-- c -->b<![CDATA[<c>]]>", Value::from("ab<c>"));
    }

    #[test]
    fn params_may_be_missing() {
        let request = read_request("<methodCall><methodName>a.b</methodName></methodCall>");
        assert_eq!(
            request,
            Ok(Request {
                method: "a.b".to_owned(),
                parameters: vec![]
            })
        );
    }

    #[test]
    fn what_the_original_cannot_read_is_an_error() {
        for inside in [
            "<param/>",
            "<param><value><int>x</int></value></param>",
            "<param><value><int/></value></param>",
            "<param><value><double>x</double></value></param>",
            "<param><value><array/></value></param>",
            "<param><value><struct><member><name>k</name></member></struct></value></param>",
            "<param><value><base64>a</base64></value></param>",
            "<param><value><dateTime.iso8601>now</dateTime.iso8601></value></param>",
            "<param><value>&bomb;</value></param>",
        ] {
            assert!(parameters(inside).is_err(), "{inside}");
        }
        for document in [
            "",
            "hello",
            "<methodCall/>",
            "<methodCall><methodName/></methodCall>",
            "<methodCall><methodName>a</methodName>",
        ] {
            assert!(read_request(document).is_err(), "{document}");
        }
    }

    #[test]
    fn the_number_of_values_is_bounded() {
        let inside = "<param><value/></param>".repeat(MAX_VALUES + 1);
        assert_eq!(parameters(&inside), Err(ReadError::TooManyValues));
    }
}

//! The part of XML that XML-RPC uses, on the events of quick-xml.
//!
//! quick-xml finds markup and text, checks that tags match and never expands the entities of a
//! DOCTYPE; here is what it leaves to its users and expat demands: one root element, names, forbidden
//! characters, the place of declarations, and the bound on depth.
//!
//! Answers have one shortcut, [`Tokens::plain_member`], for `supervisorctl status`: the answer of
//! `getAllProcessInfo` for 1,000 processes is 1.3 MB in 143,000 events. Read into structs it takes
//! 5.6 ms by events alone (quick-xml's own part is 3.6 ms), 1.8 ms with the shortcut; the reader that was
//! written by hand before took 0.8 ms. quick-xml adds 30 KB to a binary of 3.1 MB; built for speed
//! instead of size it would be 39 KB more, for 0.9 ms less without the shortcut. Requests, which come
//! from anybody, always go through the events.

use std::borrow::Cow;
use std::io::BufRead as _;

use quick_xml::errors::IllFormedError;
use quick_xml::escape::{resolve_xml_entity, unescape};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Error as XmlError, Reader};
use thiserror::Error;

use crate::limits::MAX_DEPTH;

/// Why a document could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadError {
    /// Not well-formed XML.
    #[error("malformed XML at byte {offset}: {what}")]
    Malformed {
        /// What was found.
        what: &'static str,
        /// Where, from the start of the document.
        offset: usize,
    },
    /// Well-formed, but not what XML-RPC allows here.
    #[error("not XML-RPC: {what}")]
    NotXmlRpc {
        /// What was wrong.
        what: &'static str,
    },
    /// A scalar whose text does not fit its type.
    #[error("'{text}' is not a valid {kind}")]
    BadScalar {
        /// The type.
        kind: &'static str,
        /// The text.
        text: String,
    },
    /// Elements are nested deeper than [`MAX_DEPTH`].
    #[error("elements are nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// More values than [`MAX_VALUES`](crate::MAX_VALUES).
    #[error("more than {} values", crate::limits::MAX_VALUES)]
    TooManyValues,
}

/// A start or end tag. `<a/>` is reported as a start and an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag<'a> {
    Start(&'a str),
    End(&'a str),
    /// The root element is closed and nothing follows.
    Eof,
}

/// Whether characters that XML forbids are refused (requests, as the original's expat does) or kept
/// (answers: the original's daemon sends escape sequences of logs as they are).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forbidden {
    Refuse,
    Keep,
}

/// A member of a struct that holds a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlainMember<'a> {
    pub(crate) name: &'a str,
    /// The type of the value, by its tag.
    pub(crate) kind: &'a str,
    pub(crate) text: &'a str,
}

#[derive(Debug)]
pub(crate) struct Tokens<'a> {
    /// Without the byte order mark, which the reader does not count either.
    document: &'a str,
    reader: Reader<&'a [u8]>,
    open: Vec<&'a str>,
    /// The name of a `<a/>` whose end is still to be reported.
    pending_end: Option<&'a str>,
    seen_root: bool,
    forbidden: Forbidden,
}

impl<'a> Tokens<'a> {
    /// # Errors
    ///
    /// When there are forbidden characters, and they are refused.
    pub(crate) fn new(document: &'a str, forbidden: Forbidden) -> Result<Self, ReadError> {
        if forbidden == Forbidden::Refuse
            && let Some(offset) = first_forbidden(document)
        {
            return Err(ReadError::Malformed {
                what: "a character that XML does not allow",
                offset,
            });
        }
        let mut reader = Reader::from_str(document);
        reader.config_mut().check_comments = true;
        Ok(Self {
            document: document.strip_prefix('\u{feff}').unwrap_or(document),
            reader,
            open: Vec::with_capacity(16),
            pending_end: None,
            seen_root: false,
            forbidden,
        })
    }

    /// How far the reader is.
    fn position(&self) -> usize {
        // It counts bytes of a text in memory.
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    fn malformed(&self, what: &'static str) -> ReadError {
        ReadError::Malformed {
            what,
            offset: self.position(),
        }
    }

    /// The next tag; only white space, comments and the like may come before it.
    pub(crate) fn tag(&mut self) -> Result<Tag<'a>, ReadError> {
        // Most events would be line breaks between tags. The reader skips them at less cost.
        self.reader.config_mut().trim_text_start = true;
        let read = self.text_then_tag();
        self.reader.config_mut().trim_text_start = false;
        let (text, tag) = read?;
        if text.bytes().all(|byte| byte.is_ascii_whitespace()) {
            Ok(tag)
        } else {
            Err(ReadError::NotXmlRpc {
                what: "text between elements",
            })
        }
    }

    /// All text up to the next tag, and that tag. Comments split nothing; CDATA is text.
    pub(crate) fn text_then_tag(&mut self) -> Result<(Cow<'a, str>, Tag<'a>), ReadError> {
        let mut text = Cow::Borrowed("");
        if let Some(name) = self.pending_end.take() {
            return Ok((text, Tag::End(name)));
        }
        loop {
            let event = self.reader.read_event();
            let more = match event.map_err(|error| self.explained(&error))? {
                Event::Start(tag) => {
                    let name = self.name(&tag, ">")?;
                    if self.open.len() >= MAX_DEPTH {
                        return Err(ReadError::TooDeep);
                    }
                    self.open.push(name);
                    return Ok((text, Tag::Start(name)));
                }
                Event::Empty(tag) => {
                    let name = self.name(&tag, "/>")?;
                    self.pending_end = Some(name);
                    return Ok((text, Tag::Start(name)));
                }
                Event::End(_) => {
                    // The reader has compared the names.
                    let name = self.open.pop().unwrap_or_default();
                    return Ok((text, Tag::End(name)));
                }
                Event::Text(plain) => {
                    if self.open.is_empty() && !plain.bytes().all(|b| b.is_ascii_whitespace()) {
                        return Err(self.outside());
                    }
                    if self.forbidden == Forbidden::Refuse && plain.contains("]]>") {
                        return Err(self.malformed("']]>' outside a CDATA section"));
                    }
                    plain.xml10_content()
                }
                Event::CData(_) | Event::GeneralRef(_) if self.open.is_empty() => {
                    return Err(self.outside());
                }
                Event::CData(plain) => plain.xml10_content(),
                Event::GeneralRef(reference) => {
                    let resolved = resolve(&reference);
                    Cow::Owned(resolved.ok_or_else(|| {
                        self.malformed("undefined entity or bad character reference")
                    })?)
                }
                Event::Comment(_) => continue,
                Event::PI(instruction) if is_name(instruction.target()) => continue,
                Event::PI(_) => {
                    return Err(self.malformed("a processing instruction without a name"));
                }
                Event::DocType(_) if self.seen_root => {
                    return Err(self.malformed("a declaration inside the document"));
                }
                Event::DocType(_) => continue,
                Event::Decl(declaration) => {
                    if self.position() != "<?".len() + declaration.len() + "?>".len() {
                        return Err(self.malformed("an XML declaration that is not at the start"));
                    }
                    continue;
                }
                Event::Eof if self.open.is_empty() && self.seen_root => {
                    return Ok((text, Tag::Eof));
                }
                Event::Eof => return Err(self.malformed("the document ends too early")),
            };
            append(&mut text, more);
        }
    }

    /// A whole member that holds a scalar, where that comes next in the form in which everybody writes
    /// it. None, and nothing consumed, for any other form: the events read the same from it.
    pub(crate) fn plain_member(&mut self) -> Option<PlainMember<'a>> {
        // The deepest of its elements stands three levels below.
        if self.pending_end.is_some() || self.open.len() + 3 > MAX_DEPTH {
            return None;
        }
        let rest = self.document.get(self.position()..)?;
        let inside = rest.trim_ascii_start().strip_prefix("<member>")?;
        let ("name", name, behind) = plain_element(inside.trim_ascii_start())? else {
            return None;
        };
        let value = behind.trim_ascii_start().strip_prefix("<value>")?;
        let (kind, text, behind) = plain_element(value)?;
        if matches!(kind, "array" | "struct") {
            return None;
        }
        let behind = behind.strip_prefix("</value>")?;
        let behind = behind.trim_ascii_start().strip_prefix("</member>")?;
        self.reader.stream().consume(rest.len() - behind.len());
        Some(PlainMember { name, kind, text })
    }

    /// The name of the tag that was just read, which ends like this.
    fn name(&mut self, tag: &BytesStart<'_>, end: &str) -> Result<&'a str, ReadError> {
        if self.open.is_empty() && self.seen_root {
            return Err(self.malformed("a second root element"));
        }
        self.seen_root = true;
        let length = tag.name().as_ref().len();
        // The event lends its name only for as long as it lives itself; the document does for longer.
        let name = self
            .position()
            .checked_sub(end.len() + tag.len())
            .and_then(|start| self.document.get(start..start + length))
            .filter(|name| is_name(name))
            .ok_or_else(|| self.malformed("a bad tag name"))?;
        if length < tag.len() {
            for attribute in tag.attributes() {
                let is_sound = attribute.is_ok_and(|attribute| {
                    is_name(attribute.key.as_ref())
                        && !attribute.value.contains('<')
                        && unescape(&attribute.value).is_ok()
                });
                if !is_sound {
                    return Err(self.malformed("a bad attribute"));
                }
            }
        }
        Ok(name)
    }

    fn outside(&self) -> ReadError {
        self.malformed("text outside the root element")
    }

    /// The reader's complaint, in few words.
    fn explained(&self, error: &XmlError) -> ReadError {
        let what = match error {
            XmlError::Syntax(_) => "markup without an end",
            XmlError::IllFormed(IllFormedError::UnclosedReference) => "'&' without a ';'",
            XmlError::IllFormed(IllFormedError::DoubleHyphenInComment) => "'--' in a comment",
            XmlError::IllFormed(_) => "an end tag that matches no start tag",
            XmlError::Io(_)
            | XmlError::InvalidAttr(_)
            | XmlError::Encoding(_)
            | XmlError::Escape(_)
            | XmlError::Namespace(_) => "not well-formed",
        };
        ReadError::Malformed {
            what,
            offset: usize::try_from(self.reader.error_position()).unwrap_or(usize::MAX),
        }
    }
}

/// Name and text of `<name>text</name>`, and what is behind, where a text begins with an element that
/// has a name of small letters, no attributes, and nothing to resolve.
fn plain_element(text: &str) -> Option<(&str, &str, &str)> {
    let tag = text.strip_prefix('<')?;
    let length = tag.bytes().position(|byte| !byte.is_ascii_lowercase())?;
    let (name, behind) = tag.split_at(length);
    let inside = behind.strip_prefix('>').filter(|_| length > 0)?;
    let length = inside
        .bytes()
        .position(|byte| matches!(byte, b'<' | b'&' | b'\r'))?;
    let (text, end) = inside.split_at(length);
    let behind = end.strip_prefix("</")?.strip_prefix(name)?;
    Some((name, text, behind.strip_prefix('>')?))
}

fn append<'a>(text: &mut Cow<'a, str>, more: Cow<'a, str>) {
    if text.is_empty() {
        *text = more;
    } else if !more.is_empty() {
        text.to_mut().push_str(&more);
    }
}

/// Names of elements and attributes. Letters beyond ASCII are taken as they come.
fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes
        .first()
        .is_some_and(|first| !matches!(first, b'0'..=b'9' | b'-' | b'.'))
        && bytes.iter().all(|byte| {
            matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b':' | b'-' | b'.' | 0x80..)
        })
}

/// A character reference or one of the five predefined entities; none for anything else.
fn resolve(reference: &BytesRef<'_>) -> Option<String> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => is_allowed(character).then(|| character.to_string()),
        Ok(None) => resolve_xml_entity(reference).map(str::to_owned),
        Err(_) => None,
    }
}

fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Where the first character is that no document may hold.
fn first_forbidden(document: &str) -> Option<usize> {
    document
        .char_indices()
        .find(|(_, character)| !is_allowed(*character))
        .map(|(offset, _)| offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything in one line: tags as they come, text in between.
    fn flatten(document: &str) -> Result<String, ReadError> {
        let mut tokens = Tokens::new(document, Forbidden::Refuse)?;
        let mut out = String::new();
        loop {
            let (text, tag) = tokens.text_then_tag()?;
            out.push_str(&text);
            match tag {
                Tag::Start(name) => out.extend(["(", name, " "]),
                Tag::End(name) => out.extend([name, ")"]),
                Tag::Eof => return Ok(out),
            }
        }
    }

    fn check(document: &str, expected: &str) {
        assert_eq!(flatten(document).as_deref(), Ok(expected), "{document}");
    }

    #[test]
    fn well_formed_documents_are_read() {
        check("<a>x</a>", "(a xa)");
        check("<?xml version='1.0'?>\n<a/>", "\n(a a)");
        check("<a b='1>2' c=\"/\">x</a >", "(a xa)");
        check(
            "<a>1&lt;&#65;&#x42;&amp;&quot;&apos;&gt;</a>",
            "(a 1<AB&\"'>a)",
        );
        check("<a>1<!-- & < -->2<![CDATA[<&]]>3</a>", "(a 12<&3a)");
        check("<a>\r\n\r.</a>", "(a \n\n.a)");
        check(
            "<!DOCTYPE a [<!ENTITY x \"]>\">]><a><b/></a>\n",
            "(a (b b)a)\n",
        );
        check("\u{feff}<a>\u{e9}\u{ef00}</a>", "(a \u{e9}\u{ef00}a)");
    }

    #[test]
    fn broken_documents_are_refused() {
        for document in [
            "",
            "x",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><b/>",
            "<a/>x",
            "<a>&nbsp;</a>",
            "<a>&</a>",
            "<a>&#0;</a>",
            "<a>&#xd800;</a>",
            "<a>&#+5;</a>",
            "<a>\u{1b}[0m</a>",
            "<a>\u{ffff}</a>",
            "<a",
            "<a b='x",
            "<!-- x",
            "<![CDATA[x]]>",
            "<a><![CDATA[x</a>",
            "<a><!DOCTYPE b></a>",
            "< a/>",
            "<1/>",
            "<a<b/>",
            "<a/ >",
            "<a b/>",
            "<a b='<'/>",
            "<a b='1' b='2'/>",
            " <?xml version='1.0'?><a/>",
            "<a><!-- x -- y --></a>",
            "<a>&#27;</a>",
            "<a>\u{1b}</a>",
            "<!-- \u{1b} --><a/>",
            "\u{feff}\u{feff}<a/>",
            "<a/><!DOCTYPE a>",
            "&amp;<a/>",
        ] {
            assert!(flatten(document).is_err(), "{document:?} was read");
        }
    }

    #[test]
    fn offsets_are_those_of_the_document() {
        for (document, expected) in [
            ("<a>é\u{1b}</a>", 5),
            ("<a>&x;</a>", 6),
            ("<a></b>", 3),
            ("<a><b", 3),
        ] {
            match flatten(document) {
                Err(ReadError::Malformed { offset, .. }) => {
                    assert_eq!(offset, expected, "{document}");
                }
                other => panic!("{document}: {other:?}"),
            }
        }
    }

    #[test]
    fn depth_is_bounded() {
        let document = "<a>".repeat(MAX_DEPTH + 1);
        assert_eq!(flatten(&document), Err(ReadError::TooDeep));
    }

    #[test]
    fn an_answer_may_hold_escape_sequences() {
        let mut tokens = Tokens::new("<a>\u{1b}[0m</a>", Forbidden::Keep).unwrap();
        assert_eq!(tokens.tag(), Ok(Tag::Start("a")));
        assert_eq!(
            tokens.text_then_tag(),
            Ok((Cow::Borrowed("\u{1b}[0m"), Tag::End("a")))
        );
    }
}

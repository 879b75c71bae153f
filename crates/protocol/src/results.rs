//! Smaller results: one status of a group operation, a reload's three lists, a piece of a log.

use std::borrow::Cow;

use crate::fault::{Fault, FaultCode};
use crate::value::Value;
use crate::value_reader::{ReadValue, ValueReader};
use crate::value_writer::{ValueWriter, WriteError, WriteValue};
use crate::xml::ReadError;

/// What became of one process in an operation on several.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatusResult<'a> {
    /// Name of the process.
    pub name: Cow<'a, str>,
    /// Name of its group.
    pub group: Cow<'a, str>,
    /// Code of a fault, or [`FaultCode::Success`].
    pub status: i64,
    /// Text of the fault, or `OK`.
    pub description: Cow<'a, str>,
}

impl<'a> StatusResult<'a> {
    /// A result from the outcome of the single operation.
    #[must_use]
    pub fn new(
        group: impl Into<Cow<'a, str>>,
        name: impl Into<Cow<'a, str>>,
        outcome: Result<(), &'a Fault>,
    ) -> Self {
        let (status, description) = match outcome {
            Ok(()) => (FaultCode::Success.code(), "OK"),
            Err(fault) => (fault.code, fault.text.as_str()),
        };
        Self {
            name: name.into(),
            group: group.into(),
            status: i64::from(status),
            description: Cow::Borrowed(description),
        }
    }

    /// The status as a code, if we know it.
    #[must_use]
    pub fn kind(&self) -> Option<FaultCode> {
        FaultCode::from_code(i32::try_from(self.status).ok()?)
    }
}

impl WriteValue for StatusResult<'_> {
    fn write_value(&self, writer: &mut ValueWriter<'_>) -> Result<(), WriteError> {
        writer.structure(|out| {
            out.string("name", &self.name)?;
            out.string("group", &self.group)?;
            out.int_capped("status", self.status)?;
            out.string("description", &self.description)
        })
    }
}

impl<'a> ReadValue<'a> for StatusResult<'a> {
    fn read_value(reader: &mut ValueReader<'a>) -> Result<Self, ReadError> {
        let mut result = Self::default();
        reader.structure(|name, reader| {
            match name {
                "name" => result.name = Cow::read_value(reader)?,
                "group" => result.group = Cow::read_value(reader)?,
                "status" => result.status = i64::read_value(reader)?,
                "description" => result.description = Cow::read_value(reader)?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(result)
    }
}

/// Result of `reloadConfig`: names of groups, sent as `[[added, changed, removed]]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReloadResult {
    /// In the file, not active.
    pub added: Vec<String>,
    /// Active, and different in the file.
    pub changed: Vec<String>,
    /// Active, no longer in the file.
    pub removed: Vec<String>,
}

impl WriteValue for ReloadResult {
    fn write_value(&self, writer: &mut ValueWriter<'_>) -> Result<(), WriteError> {
        writer.array(|outer| {
            outer.array(|inner| {
                self.added.write_value(inner)?;
                self.changed.write_value(inner)?;
                self.removed.write_value(inner)
            })
        })
    }
}

impl<'a> ReadValue<'a> for ReloadResult {
    fn read_value(reader: &mut ValueReader<'a>) -> Result<Self, ReadError> {
        let lists: Vec<Vec<Vec<String>>> = Vec::read_value(reader)?;
        let first = lists.into_iter().next();
        match <[Vec<String>; 3]>::try_from(first.unwrap_or_default()) {
            Ok([added, changed, removed]) => Ok(Self {
                added,
                changed,
                removed,
            }),
            Err(_) => Err(ReadError::NotXmlRpc {
                what: "not the three lists of a reload",
            }),
        }
    }
}

/// Result of `tailProcessStdoutLog` and its like: `[bytes, offset, overflow]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TailResult<'a> {
    /// The end of the log, as text.
    pub text: Cow<'a, str>,
    /// Size of the log: where to go on. Capped to 32 bits.
    pub offset: i64,
    /// There was more than was asked for.
    pub overflow: bool,
}

impl WriteValue for TailResult<'_> {
    fn write_value(&self, writer: &mut ValueWriter<'_>) -> Result<(), WriteError> {
        writer.array(|out| {
            out.string(&self.text);
            out.int_capped(self.offset);
            out.bool(self.overflow);
            Ok(())
        })
    }
}

impl<'a> ReadValue<'a> for TailResult<'a> {
    fn read_value(reader: &mut ValueReader<'a>) -> Result<Self, ReadError> {
        let items: Vec<Value> = Vec::read_value(reader)?;
        match <[Value; 3]>::try_from(items) {
            Ok(
                [
                    Value::String(text),
                    Value::Int(offset),
                    Value::Bool(overflow),
                ],
            ) => Ok(Self {
                text: Cow::Owned(text),
                offset,
                overflow,
            }),
            Ok(_) | Err(_) => Err(ReadError::NotXmlRpc {
                what: "not the three parts of a log's end",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::write_answer;
    use crate::value_reader::read_answer;

    #[test]
    fn results_are_read_as_they_were_written() {
        let fault = Fault::with(FaultCode::NotRunning, "x");
        let results = vec![
            StatusResult::new("g", "a", Ok(())),
            StatusResult::new("g", "b", Err(&fault)),
        ];
        let document = String::from_utf8(write_answer(&results).unwrap()).unwrap();
        assert_eq!(read_answer(&document), Ok(Ok(results)));

        let reload = ReloadResult {
            added: vec!["a".to_owned()],
            changed: vec![],
            removed: vec!["b".to_owned(), "c".to_owned()],
        };
        let document = String::from_utf8(write_answer(&reload).unwrap()).unwrap();
        assert_eq!(read_answer(&document), Ok(Ok(reload)));

        let tail = TailResult {
            text: "x".into(),
            offset: 5,
            overflow: true,
        };
        let document = String::from_utf8(write_answer(&tail).unwrap()).unwrap();
        assert_eq!(read_answer(&document), Ok(Ok(tail)));
    }
}

//! Checking the arguments of a call against the table and taking them out by type.
//!
//! The original finds a wrong type out by failing somewhere (HTTP 500); here every wrong argument is
//! the fault INCORRECT_PARAMETERS. What works there by Python's habits keeps working: numbers for
//! truth, digits for numbers, a number for the name of a signal.

use linchpin_python::exact_int;

use crate::fault::{Fault, FaultCode};
use crate::method::MethodSpec;
use crate::value::Value;

/// The arguments of a call that are not taken yet.
#[derive(Debug)]
pub(crate) struct Arguments {
    values: std::vec::IntoIter<Value>,
}

fn incorrect() -> Fault {
    Fault::bare(FaultCode::IncorrectParameters)
}

impl Arguments {
    /// Checks how many there are.
    pub(crate) fn new(spec: &MethodSpec, values: Vec<Value>) -> Result<Self, Fault> {
        let obligatory = spec.parameters.iter().filter(|p| p.default.is_none());
        if (obligatory.count()..=spec.parameters.len()).contains(&values.len()) {
            Ok(Self {
                values: values.into_iter(),
            })
        } else {
            Err(incorrect())
        }
    }

    pub(crate) fn next(&mut self) -> Result<Value, Fault> {
        self.values.next().ok_or_else(incorrect)
    }

    pub(crate) fn text(&mut self) -> Result<String, Fault> {
        match self.next()? {
            Value::String(text) => Ok(text),
            Value::Nil
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Double(_)
            | Value::DateTime(_)
            | Value::Array(_)
            | Value::Struct(_) => Err(incorrect()),
        }
    }

    /// Text, or a number as its digits.
    pub(crate) fn text_or_number(&mut self) -> Result<String, Fault> {
        match self.next()? {
            Value::String(text) => Ok(text),
            Value::Int(number) => Ok(number.to_string()),
            Value::Nil
            | Value::Bool(_)
            | Value::Double(_)
            | Value::DateTime(_)
            | Value::Array(_)
            | Value::Struct(_) => Err(incorrect()),
        }
    }

    /// The same, or none where the argument was left out.
    pub(crate) fn text_or_number_if_given(&mut self) -> Result<Option<String>, Fault> {
        if self.values.as_slice().is_empty() {
            return Ok(None);
        }
        self.text_or_number().map(Some)
    }

    /// Options of a section, whose values the original takes as Python prints them. What is nothing is
    /// left out.
    pub(crate) fn options(&mut self) -> Result<Vec<(String, String)>, Fault> {
        let Value::Struct(members) = self.next()? else {
            return Err(incorrect());
        };
        let mut options = Vec::with_capacity(members.len());
        for (name, value) in members {
            let text = match value {
                Value::String(text) => text,
                Value::Int(number) => number.to_string(),
                Value::Bool(true) => "True".to_owned(),
                Value::Bool(false) => "False".to_owned(),
                Value::Nil => continue,
                Value::Double(_) | Value::DateTime(_) | Value::Array(_) | Value::Struct(_) => {
                    return Err(incorrect());
                }
            };
            options.push((name, text));
        }
        Ok(options)
    }

    /// Text for a process. The original repeats a wrong value in the fault.
    pub(crate) fn characters(&mut self) -> Result<String, Fault> {
        let repeat = |value: &str| Fault::with(FaultCode::IncorrectParameters, value);
        match self.next()? {
            Value::String(text) => Ok(text),
            Value::Bool(true) => Err(repeat("True")),
            Value::Bool(false) => Err(repeat("False")),
            Value::Int(number) => Err(repeat(&number.to_string())),
            Value::Nil
            | Value::Double(_)
            | Value::DateTime(_)
            | Value::Array(_)
            | Value::Struct(_) => Err(incorrect()),
        }
    }

    pub(crate) fn int(&mut self) -> Result<i64, Fault> {
        match self.next()? {
            Value::Int(number) => Ok(number),
            Value::Bool(value) => Ok(i64::from(value)),
            Value::String(text) => exact_int(&text).ok_or_else(incorrect),
            Value::Double(number) => truncate(number).ok_or_else(incorrect),
            Value::Nil | Value::DateTime(_) | Value::Array(_) | Value::Struct(_) => {
                Err(incorrect())
            }
        }
    }

    /// A number, or the default where the argument was left out.
    pub(crate) fn int_or(&mut self, default: i64) -> Result<i64, Fault> {
        if self.values.as_slice().is_empty() {
            return Ok(default);
        }
        self.int()
    }

    /// Truth, or the default where the argument was left out.
    pub(crate) fn truth_or(&mut self, default: bool) -> Result<bool, Fault> {
        match self.values.next() {
            None => Ok(default),
            Some(Value::Bool(value)) => Ok(value),
            Some(Value::Int(number)) => Ok(number != 0),
            Some(Value::String(text)) => Ok(!text.is_empty()),
            Some(Value::Nil) => Ok(false),
            Some(Value::Double(_) | Value::DateTime(_) | Value::Array(_) | Value::Struct(_)) => {
                Err(incorrect())
            }
        }
    }

    pub(crate) fn array(&mut self) -> Result<Vec<Value>, Fault> {
        match self.next()? {
            Value::Array(items) => Ok(items),
            Value::Nil
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Double(_)
            | Value::String(_)
            | Value::DateTime(_)
            | Value::Struct(_) => Err(incorrect()),
        }
    }
}

/// `int()` of a float, within what a double holds exactly.
fn truncate(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.abs() > EXACT || number.is_nan() {
        return None;
    }
    format!("{:.0}", number.trunc()).parse().ok()
}

//! One XML-RPC value of any type.

/// A value as it crosses the wire.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `<nil/>`, or an element without text where the original reads none.
    Nil,
    /// `<boolean>`
    Bool(bool),
    /// `<int>` or `<i4>`. Only 32 bits can be written.
    Int(i64),
    /// `<double>`
    Double(f64),
    /// `<string>`, a value without a type, and `<base64>`, which is read as text.
    String(String),
    /// `<dateTime.iso8601>`, as its text: `20261123T23:20:03`.
    DateTime(String),
    /// `<array>`
    Array(Vec<Value>),
    /// `<struct>`, in the order of the document; a repeated name keeps its first place and its last
    /// value.
    Struct(Vec<(String, Value)>),
}

impl Value {
    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            Self::Nil
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Double(_)
            | Self::DateTime(_)
            | Self::Array(_)
            | Self::Struct(_) => None,
        }
    }

    /// The member of a struct.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Struct(members) => members
                .iter()
                .find(|(member, _)| member == name)
                .map(|(_, value)| value),
            Self::Nil
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Double(_)
            | Self::String(_)
            | Self::DateTime(_)
            | Self::Array(_) => None,
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<Vec<Value>> for Value {
    fn from(value: Vec<Value>) -> Self {
        Self::Array(value)
    }
}

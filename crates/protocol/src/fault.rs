//! Faults: the one table of codes and names.

use std::fmt;

use crate::value_reader::{ReadValue, ValueReader};
use crate::value_writer::{ValueWriter, WriteError, WriteValue};
use crate::xml::ReadError;

macro_rules! fault_codes {
    ($($variant:ident = $code:literal, $name:literal, $meaning:literal;)*) => {
        /// What a fault is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum FaultCode {
            $(#[doc = $meaning] $variant,)*
        }

        impl FaultCode {
            /// All of them, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The number on the wire.
            #[must_use]
            pub const fn code(self) -> i32 {
                match self { $(Self::$variant => $code,)* }
            }

            /// The name that begins the text of the fault.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// One sentence for the reference.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// The code of a number.
            #[must_use]
            pub const fn from_code(code: i32) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

fault_codes! {
    UnknownMethod = 1, "UNKNOWN_METHOD", "There is no such method.";
    IncorrectParameters = 2, "INCORRECT_PARAMETERS", "Wrong number of parameters, or a parameter of the wrong type.";
    BadArguments = 3, "BAD_ARGUMENTS", "The parameters contradict each other.";
    SignatureUnsupported = 4, "SIGNATURE_UNSUPPORTED", "No documentation for a method of this name.";
    ShutdownState = 6, "SHUTDOWN_STATE", "The daemon is restarting or shutting down.";
    BadName = 10, "BAD_NAME", "There is no process or group of this name.";
    BadSignal = 11, "BAD_SIGNAL", "There is no signal of this name.";
    NoFile = 20, "NO_FILE", "A file is missing, or none is configured.";
    NotExecutable = 21, "NOT_EXECUTABLE", "The command cannot be executed.";
    Failed = 30, "FAILED", "The operation failed.";
    AbnormalTermination = 40, "ABNORMAL_TERMINATION", "The process left STARTING for something other than RUNNING.";
    SpawnError = 50, "SPAWN_ERROR", "The process could not be started, or ended too soon.";
    AlreadyStarted = 60, "ALREADY_STARTED", "The process is running already.";
    NotRunning = 70, "NOT_RUNNING", "The process is not running.";
    Success = 80, "SUCCESS", "Not a fault: the status of a success in an array of results.";
    AlreadyAdded = 90, "ALREADY_ADDED", "The group is active already.";
    StillRunning = 91, "STILL_RUNNING", "A process of the group is still running.";
    CantReread = 92, "CANT_REREAD", "The configuration has errors, or cannot be read while settings are being applied.";
}

/// A fault: a number and its text, `NAME` or `NAME: more`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The number. Peers may send numbers that are not in [`FaultCode`].
    pub code: i32,
    /// The whole text.
    pub text: String,
}

impl Fault {
    /// `NAME`
    #[must_use]
    pub fn bare(code: FaultCode) -> Self {
        Self {
            code: code.code(),
            text: code.name().to_owned(),
        }
    }

    /// `NAME: extra`
    #[must_use]
    pub fn with(code: FaultCode, extra: impl fmt::Display) -> Self {
        Self {
            code: code.code(),
            text: format!("{}: {extra}", code.name()),
        }
    }

    /// The code, if we know it.
    #[must_use]
    pub fn kind(&self) -> Option<FaultCode> {
        FaultCode::from_code(self.code)
    }

    /// Writes the struct of a fault; cannot fail, since a code has 32 bits.
    pub(crate) fn write_struct(&self, writer: &mut ValueWriter<'_>) {
        let written = writer.structure(|out| {
            out.int_capped("faultCode", i64::from(self.code))?;
            out.string("faultString", &self.text)
        });
        debug_assert_eq!(written, Ok(()));
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Fault {}

/// The struct `{faultCode, faultString}`, as it stands in a fault and among the results of
/// `system.multicall`.
impl WriteValue for Fault {
    fn write_value(&self, writer: &mut ValueWriter<'_>) -> Result<(), WriteError> {
        self.write_struct(writer);
        Ok(())
    }
}

impl<'a> ReadValue<'a> for Fault {
    fn read_value(reader: &mut ValueReader<'a>) -> Result<Self, ReadError> {
        let mut code = 0;
        let mut text = String::new();
        reader.structure(|name, reader| {
            match name {
                "faultCode" => {
                    code = i32::try_from(i64::read_value(reader)?).unwrap_or_default();
                }
                "faultString" => text = String::read_value(reader)?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(Self { code, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_the_name_and_perhaps_more() {
        assert_eq!(Fault::bare(FaultCode::BadName).to_string(), "BAD_NAME");
        let fault = Fault::with(FaultCode::CantReread, "no file");
        assert_eq!(fault.to_string(), "CANT_REREAD: no file");
        assert_eq!(fault.kind(), Some(FaultCode::CantReread));
    }

    #[test]
    fn codes_and_numbers_agree() {
        for &code in FaultCode::ALL {
            assert_eq!(FaultCode::from_code(code.code()), Some(code));
        }
        assert_eq!(FaultCode::from_code(5), None);
    }
}

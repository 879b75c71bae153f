//! Levels of the main log, with Supervisor's numbers and codes.

/// How important a line of the main log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LogLevel {
    /// `blather`
    Blather = 3,
    /// `trace`
    Trace = 5,
    /// `debug`; from here downwards child output is copied into the main log
    Debug = 10,
    /// `info`
    Info = 20,
    /// `warn`
    Warn = 30,
    /// `error`
    Error = 40,
    /// `critical`
    Critical = 50,
}

impl LogLevel {
    /// The four letters that stand in a log line.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Blather => "BLAT",
            Self::Trace => "TRAC",
            Self::Debug => "DEBG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERRO",
            Self::Critical => "CRIT",
        }
    }

    /// Supervisor's number.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Blather => 3,
            Self::Trace => 5,
            Self::Debug => 10,
            Self::Info => 20,
            Self::Warn => 30,
            Self::Error => 40,
            Self::Critical => 50,
        }
    }
}

//! Levels of the main log, from the words of one crate into those of another.

use linchpin_log::LogLevel;

/// The level of the log thread for a level of the configuration.
pub(crate) fn level(level: linchpin_config::LogLevel) -> LogLevel {
    match level {
        linchpin_config::LogLevel::Blather => LogLevel::Blather,
        linchpin_config::LogLevel::Trace => LogLevel::Trace,
        linchpin_config::LogLevel::Debug => LogLevel::Debug,
        linchpin_config::LogLevel::Info => LogLevel::Info,
        linchpin_config::LogLevel::Warn => LogLevel::Warn,
        linchpin_config::LogLevel::Error => LogLevel::Error,
        linchpin_config::LogLevel::Critical => LogLevel::Critical,
    }
}

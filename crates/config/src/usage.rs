//! The form in which supervisord and supervisorctl refuse to start.

/// Exit status for errors of usage and configuration.
pub const USAGE_EXIT_STATUS: u8 = 2;

/// What goes to standard error: the message, and where help is.
#[must_use]
pub fn usage_error(program: &str, message: &str) -> String {
    format!("Error: {message}\nFor help, use {program} -h\n")
}

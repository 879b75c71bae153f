//! `tail` and `maintail`

use std::io;

use linchpin_protocol::client::ClientError;
use linchpin_protocol::{FaultCode, WriteValue};
use linchpin_python::{exact_int, repr};

use crate::controller::Controller;
use crate::error::CommandError;
use crate::exit_code::ExitCode;

/// How much of a log is shown without a number.
const DEFAULT_BYTES: i64 = 1600;

/// How much to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Amount {
    /// The last so many bytes; 0 is everything, less is from that offset on.
    Bytes(i64),
    /// Whatever comes, too.
    Follow,
}

impl Amount {
    /// `-f` or `-N`, with its dash. What Python takes for a number is one, so `--5` asks for
    /// everything from byte 5 on.
    fn parse(modifier: &str) -> Option<Self> {
        match modifier.strip_prefix('-')? {
            "f" => Some(Self::Follow),
            number => exact_int(number).map(Self::Bytes),
        }
    }
}

pub(super) fn tail(controller: &mut Controller<'_>, arguments: &str) -> Result<(), CommandError> {
    if !controller.upcheck()? {
        return Ok(());
    }
    let mut words: Vec<&str> = arguments.split_whitespace().collect();
    if words.is_empty() {
        return controller.misused("Error: too few arguments", "tail", ExitCode::Generic);
    }
    if words.len() > 3 {
        return controller.misused("Error: too many arguments", "tail", ExitCode::Generic);
    }
    let modifier = words[0].starts_with('-').then(|| words.remove(0));
    let (name, channel) = match words.as_slice() {
        [] => return complain(controller, "Error: tail requires process name"),
        [name] => (*name, "stdout"),
        [name, .., channel] => {
            let lower = channel.to_lowercase();
            match lower.as_str() {
                "stdout" => (*name, "stdout"),
                "stderr" => (*name, "stderr"),
                other => {
                    let complaint = format!("Error: bad channel {}", repr(other));
                    return complain(controller, &complaint);
                }
            }
        }
    };
    let amount = match modifier.map(|modifier| (modifier, Amount::parse(modifier))) {
        None => Amount::Bytes(DEFAULT_BYTES),
        Some((_, Some(amount))) => amount,
        Some((modifier, None)) => {
            return complain(controller, &format!("Error: bad argument {modifier}"));
        }
    };
    match amount {
        Amount::Follow => follow(controller, &format!("/logtail/{name}/{channel}")),
        Amount::Bytes(bytes) => {
            let method = match channel {
                "stderr" => "supervisor.readProcessStderrLog",
                _ => "supervisor.readProcessStdoutLog",
            };
            let offset = bytes.saturating_neg();
            show(controller, name, method, &[&name, &offset, &0_i64])
        }
    }
}

pub(super) fn maintail(
    controller: &mut Controller<'_>,
    arguments: &str,
) -> Result<(), CommandError> {
    if !controller.upcheck()? {
        return Ok(());
    }
    let words: Vec<&str> = arguments.split_whitespace().collect();
    let amount = match words.as_slice() {
        [] => Amount::Bytes(DEFAULT_BYTES),
        [modifier] => match Amount::parse(modifier) {
            Some(amount) => amount,
            None => return complain(controller, &format!("Error: bad argument {modifier}")),
        },
        _ => {
            let complaint = "Error: too many arguments";
            return controller.misused(complaint, "maintail", ExitCode::Generic);
        }
    };
    match amount {
        Amount::Follow => follow(controller, "/mainlogtail"),
        Amount::Bytes(bytes) => {
            let offset = bytes.saturating_neg();
            show(
                controller,
                "supervisord",
                "supervisor.readLog",
                &[&offset, &0_i64],
            )
        }
    }
}

fn complain(controller: &mut Controller<'_>, complaint: &str) -> Result<(), CommandError> {
    controller.exit = ExitCode::Generic;
    controller.out.line(complaint);
    Ok(())
}

fn show(
    controller: &mut Controller<'_>,
    name: &str,
    method: &str,
    parameters: &[&dyn WriteValue],
) -> Result<(), CommandError> {
    match controller
        .session
        .call::<std::borrow::Cow<'_, str>>(method, parameters)
    {
        Ok(text) => controller.out.line(text),
        Err(error) => {
            controller.exit = ExitCode::Generic;
            let words = match error.fault_code() {
                Some(FaultCode::NoFile) => "no log file",
                Some(FaultCode::Failed) => "unknown error reading log",
                Some(FaultCode::BadName) => "no such process name",
                Some(_) | None => return Err(error),
            };
            controller.out.line(format_args!("{name}: ERROR ({words})"));
        }
    }
    Ok(())
}

/// Follows a log until the daemon closes it or the person interrupts us. A log that cannot be had
/// is a line on standard error and no failure, as in the original.
fn follow(controller: &mut Controller<'_>, path: &str) -> Result<(), CommandError> {
    controller.out.line_now("==> Press Ctrl-C to exit <==");
    controller.listen_for_interrupts()?;
    let url = format!("{}{path}", controller.session.url());
    let out = &mut controller.out;
    let mut piece = |bytes: &[u8]| -> io::Result<()> { out.bytes_now(bytes) };
    let outcome = controller
        .session
        .client()
        .and_then(|client| client.follow(path, &mut piece));
    match outcome {
        Ok(()) => Ok(()),
        Err(ClientError::Interrupted) => {
            controller.out.line_now("");
            Ok(())
        }
        Err(ClientError::Io {
            what: "cannot write",
            source,
        }) => Err(source.into()),
        Err(error) => {
            if let Some(words) = trouble_with_log(&error) {
                writeln!(controller.errors, "{url} {words}")?;
            }
            Ok(())
        }
    }
}

/// What is said of a log that cannot be followed (any more). The end of the daemon is the end of the log and no trouble.
pub(super) fn trouble_with_log(error: &ClientError) -> Option<String> {
    if error.io_kind() == Some(io::ErrorKind::UnexpectedEof) {
        return None;
    }
    if let ClientError::Status { status, .. } = error {
        return Some(format!("Cannot read, status code {status}"));
    }
    Some(format!("Cannot connect, error: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_what_python_takes_for_numbers() {
        for (modifier, expected) in [
            ("-f", Some(Amount::Follow)),
            ("-100", Some(Amount::Bytes(100))),
            ("-0", Some(Amount::Bytes(0))),
            ("--5", Some(Amount::Bytes(-5))),
            ("-1_000", Some(Amount::Bytes(1000))),
            ("-", None),
            ("-x", None),
            ("5", None),
        ] {
            assert_eq!(Amount::parse(modifier), expected, "{modifier}");
        }
    }
}

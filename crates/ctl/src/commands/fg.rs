//! `fg`: a process in the foreground. What it writes is shown, what is typed is sent to it.

use std::io::{self, Write};
use std::os::fd::AsFd as _;

use linchpin_protocol::client::{ClientError, Follower};
use linchpin_protocol::{Fault, FaultCode, ProcessInfo};
use linchpin_python::repr;

use crate::commands::logs::trouble_with_log;
use crate::controller::Controller;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::input::Typed;
use crate::interrupts::Ready;

const RUNNING: &str = "RUNNING";

pub(super) fn fg(controller: &mut Controller<'_>, arguments: &str) -> Result<(), CommandError> {
    if !controller.upcheck()? {
        return Ok(());
    }
    let names: Vec<&str> = arguments.split_whitespace().collect();
    let complaint = match names.as_slice() {
        [] => {
            let complaint = "ERROR: no process name supplied";
            return controller.misused(complaint, "fg", ExitCode::Generic);
        }
        [name] => match is_running(controller, name) {
            Ok(true) => return attach(controller, name),
            Ok(false) => "ERROR: process not running",
            Err(error) => match error.fault() {
                Some(fault) if fault.kind() == Some(FaultCode::BadName) => {
                    "ERROR: bad process name supplied"
                }
                Some(fault) => {
                    let words = python_words(fault);
                    controller.out.line(format_args!("ERROR: {words}"));
                    return Ok(());
                }
                None => return Err(error),
            },
        },
        _ => "ERROR: too many process names supplied",
    };
    controller.exit = ExitCode::Generic;
    controller.out.line(complaint);
    Ok(())
}

fn is_running(controller: &mut Controller<'_>, name: &str) -> Result<bool, CommandError> {
    let info: ProcessInfo<'_> = controller
        .session
        .call("supervisor.getProcessInfo", &[&name])?;
    Ok(info.statename == RUNNING)
}

/// How the original shows a fault that it has no words for.
fn python_words(fault: &Fault) -> String {
    format!("<Fault {}: {}>", fault.code, repr(&fault.text))
}

/// A log that is shown, and what it is called in complaints.
struct Stream {
    follower: Follower,
    url: String,
}

fn attach(controller: &mut Controller<'_>, name: &str) -> Result<(), CommandError> {
    controller.out.line_now("==> Press Ctrl-C to exit <==");
    let interrupts = controller.listen_for_interrupts()?;
    let mut streams = Vec::new();
    for channel in ["stdout", "stderr"] {
        let path = format!("/logtail/{name}/{channel}");
        let url = format!("{}{path}", controller.session.url());
        let follower = controller
            .session
            .client()
            .and_then(|client| client.follower(&path));
        match follower {
            Ok(follower) => streams.push(Stream { follower, url }),
            Err(error) => complain(controller.errors, &url, &error)?,
        }
    }
    loop {
        // A line that came together with the one before is not waited for again.
        while let Some(line) = controller.input.line_at_hand() {
            if !send(controller, name, &line)? {
                return Ok(());
            }
        }
        let typed = controller.input.descriptor();
        let watched: Vec<_> = typed
            .into_iter()
            .chain(streams.iter().map(|stream| stream.follower.as_fd()))
            .collect();
        let readable = match interrupts.wait_for(&watched)? {
            Ready::Interrupted => break,
            Ready::Readable(readable) => readable,
        };
        let mut readable = readable.into_iter();
        let is_typed = typed.is_none() || readable.next() == Some(true);
        // Output before input, so that an answer is not shown behind the end.
        show(controller, &mut streams, readable)?;
        if is_typed && !controller.input.fill()? {
            match controller.input.last_line() {
                Typed::Line(line) if !send(controller, name, &line)? => return Ok(()),
                Typed::Line(_) | Typed::End | Typed::Interrupted => break,
            }
        }
    }
    controller.out.line("Exiting foreground");
    Ok(())
}

/// Shows what has come, and lets go of what has ended.
fn show(
    controller: &mut Controller<'_>,
    streams: &mut Vec<Stream>,
    readable: impl Iterator<Item = bool>,
) -> Result<(), CommandError> {
    let mut readable = readable;
    let mut kept = Vec::new();
    for mut stream in streams.drain(..) {
        let is_open = if readable.next() == Some(true) {
            let out = &mut controller.out;
            let mut piece = |bytes: &[u8]| -> io::Result<()> { out.bytes_now(bytes) };
            match stream.follower.read_once(&mut piece) {
                Ok(is_open) => is_open,
                Err(error) => {
                    complain(controller.errors, &stream.url, &error)?;
                    false
                }
            }
        } else {
            true
        };
        if is_open {
            kept.push(stream);
        }
    }
    *streams = kept;
    Ok(())
}

fn complain(errors: &mut dyn Write, url: &str, error: &ClientError) -> io::Result<()> {
    match trouble_with_log(error) {
        Some(words) => writeln!(errors, "{url} {words}"),
        None => Ok(()),
    }
}

/// Sends a line. False when there is no process any more, which is then said.
fn send(controller: &mut Controller<'_>, name: &str, line: &str) -> Result<bool, CommandError> {
    let text = format!("{line}\n");
    let sent = controller
        .session
        .command("supervisor.sendProcessStdin", &[&name, &text]);
    let complaint = match sent {
        Ok(()) if is_running(controller, name)? => return Ok(true),
        Ok(()) => "Process got killed".to_owned(),
        Err(error) => match error.fault() {
            Some(fault) if fault.kind() == Some(FaultCode::NotRunning) => {
                "Process got killed".to_owned()
            }
            Some(fault) => format!("ERROR: {}", python_words(fault)),
            None => return Err(error),
        },
    };
    controller.out.line(complaint);
    controller.out.line("Exiting foreground");
    Ok(false)
}

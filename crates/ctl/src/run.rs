//! The program as a whole: command line, configuration, streams of the process, exit code.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Read, Write as _};
use std::net::IpAddr;
use std::time::Duration;

use linchpin_config::{
    ControlCommand, USAGE_EXIT_STATUS, World, load_supervisorctl, parse_supervisorctl_args,
    supervisorctl_help, usage_error,
};
use linchpin_protocol::client::resolve_literal;

use crate::controller::{Controller, Streams};
use crate::plugin::Plugin;
use crate::settings::Settings;

/// Bytes of output that are gathered before they are written.
const OUTPUT_BYTES: usize = 64 * 1024;

/// Terminals that cannot move their cursor; there the system edits the line, and Ctrl-C is a signal as anywhere else.
const PLAIN_TERMINALS: [&str; 3] = ["dumb", "cons25", "emacs"];

/// Runs `supervisorctl` and tells the exit code.
///
/// `program` is what was typed to start it, for messages; `words` is the command line without it.
pub fn run(world: &dyn World, program: &str, words: &[String]) -> u8 {
    let request = match parse_supervisorctl_args(words) {
        Ok(ControlCommand::Run(request)) => request,
        Ok(ControlCommand::Help) => {
            let text = supervisorctl_help(program);
            return u8::from(io::stdout().write_all(text.as_bytes()).is_err());
        }
        Err(message) => return refuse(program, &message),
    };
    let section = match load_supervisorctl(world, &path_of(world, program), &request) {
        Ok(section) => section,
        Err(failure) => return refuse(program, failure.original_text()),
    };
    let settings = Settings {
        serverurl: section.serverurl,
        username: section.username,
        password: section.password,
        prompt: section.prompt,
        history_file: section.history_file.map(Into::into),
        plugins: section.plugins.iter().map(Plugin::of_section).collect(),
        lists_ours: section.knows_linchpin,
        interactive: request.interactive,
    };
    let stdin = rustix::stdio::stdin();
    let mut input = Unbuffered;
    let mut output = BufWriter::with_capacity(OUTPUT_BYTES, io::stdout().lock());
    let mut errors = io::stderr().lock();
    let streams = Streams {
        input: &mut input,
        input_descriptor: Some(stdin),
        output: &mut output,
        errors: &mut errors,
        has_terminal: File::open("/dev/tty").is_ok(),
        can_edit: stdin.is_terminal()
            && io::stdout().is_terminal()
            && world
                .variable("TERM")
                .is_some_and(|term| !PLAIN_TERMINALS.contains(&term)),
    };
    let mut controller = Controller::with_resolver(settings, streams, resolve);
    // `-i` with a command opens no shell, whatever its help has always said: scripts rely on the
    // exit code. It only makes the command ask, as the shell does.
    let exit = if request.command.is_empty() {
        controller.run_shell()
    } else {
        controller.run_command(&request.command.join(" "))
    };
    drop(controller);
    // When nobody reads us there is nobody to tell.
    let _ = output.flush();
    exit.code()
}

/// Standard input as it is.
#[derive(Debug)]
struct Unbuffered;

impl Read for Unbuffered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(rustix::stdio::stdin(), buffer)?)
    }
}

/// Where the program is: a configuration file is looked for beside its folder. Python's launcher is
/// told; we look along PATH as the shell has done. `linchpin supervisorctl` is two words.
pub(crate) fn path_of(world: &dyn World, program: &str) -> String {
    let word = program.split(' ').next().unwrap_or(program);
    if word.contains('/') {
        return word.to_owned();
    }
    world
        .variable("PATH")
        .unwrap_or_default()
        .split(':')
        .map(|folder| format!("{folder}/{word}"))
        .find(|path| world.is_executable(path))
        .unwrap_or_else(|| word.to_owned())
}

fn refuse(program: &str, message: &str) -> u8 {
    let text = usage_error(program, message);
    // The exit code says it too.
    let _ = io::stderr().write_all(text.as_bytes());
    USAGE_EXIT_STATUS
}

/// How long looking up the name of a server may take.
const LOOK_UP_LIMIT: Duration = Duration::from_secs(10);

/// Addresses, `localhost`, what /etc/hosts knows, and what the system finds out.
pub(crate) fn resolve(host: &str) -> Vec<IpAddr> {
    let literal = resolve_literal(host);
    if !literal.is_empty() {
        return literal;
    }
    match linchpin_sys::host::look_up_ipv4(host, LOOK_UP_LIMIT) {
        Ok(address) => vec![address.into()],
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use linchpin_config::Machine;

    use super::*;

    #[test]
    fn the_program_is_found_as_the_shell_found_it() {
        let world = Machine {
            environment: vec![("PATH".to_owned(), "/nonexistent:/bin".to_owned())],
            ..Machine::default()
        };
        for (program, expected) in [
            ("sh", "/bin/sh"),
            ("sh supervisorctl", "/bin/sh"),
            ("./x", "./x"),
            ("/a/b supervisorctl", "/a/b"),
            ("no-such-program-anywhere", "no-such-program-anywhere"),
        ] {
            assert_eq!(path_of(&world, program), expected);
        }
    }
}

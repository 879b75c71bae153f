//! `run`: the entry point of a container, with a file, or with one command as its only service.

use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt as _};
use linchpin_config::{
    DaemonOverrides, EntryPoint, FIRST_PROCESS_SOCKET, SingleCommand, USAGE_EXIT_STATUS,
};
use linchpin_daemon::Invocation;

/// What is run.
#[derive(Debug)]
enum Request {
    Command(SingleCommand),
    File(String, EntryPoint),
}

pub(crate) fn run(called: &str, arguments: &[String]) -> ExitCode {
    match read(arguments) {
        Ok(Some(request)) => {
            let mut invocation = Invocation {
                program: called.to_owned(),
                path: called.to_owned(),
                file: None,
                overrides: DaemonOverrides::default(),
                command: None,
                entry_point: None,
            };
            match request {
                Request::Command(command) => invocation.command = Some(command),
                Request::File(file, entry_point) => {
                    invocation.file = Some(file);
                    invocation.entry_point = Some(entry_point);
                    invocation.overrides.nodaemon = true;
                }
            }
            ExitCode::from(invocation.run())
        }
        Ok(None) => crate::say(&help(called)),
        Err(mistake) => {
            crate::complain(&format!("Error: {mistake}\nTry '{called} --help'."));
            ExitCode::from(USAGE_EXIT_STATUS)
        }
    }
}

/// None if help is wanted.
fn read(arguments: &[String]) -> Result<Option<Request>, lexopt::Error> {
    let mut file = None;
    let mut command = SingleCommand {
        words: Vec::new(),
        name: None,
        restarts: false,
        options: Vec::new(),
        socket: None,
        is_verbose: false,
    };
    let mut parser = Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Short('c') | Arg::Long("configuration") => {
                file = Some(parser.value()?.string()?);
            }
            Arg::Short('n') | Arg::Long("name") => {
                let name = parser.value()?.string()?;
                if name.is_empty() || name.contains([':', '/', ']', ' ', '\n']) {
                    return Err(format!("`{name}` is no name for a service").into());
                }
                command.name = Some(name);
            }
            Arg::Short('r') | Arg::Long("restart") => command.restarts = true,
            Arg::Short('o') | Arg::Long("option") => {
                let option = parser.value()?.string()?;
                let Some((key, value)) = option.split_once('=') else {
                    return Err(format!("`{option}` is not of the form KEY=VALUE").into());
                };
                let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
                command.options.push((key, value));
            }
            Arg::Long("socket") => command.socket = Some(parser.value()?.string()?),
            Arg::Short('v') | Arg::Long("verbose") => command.is_verbose = true,
            Arg::Value(first) => {
                command.words.push(first.string()?);
                for word in parser.raw_args()? {
                    command.words.push(word.string()?);
                }
            }
            other @ (Arg::Short(_) | Arg::Long(_)) => return Err(other.unexpected()),
        }
    }
    let usual_socket =
        (std::process::id() == 1 && is_writable("/run")).then(|| FIRST_PROCESS_SOCKET.to_owned());
    let is_about_command = command.name.is_some()
        || command.restarts
        || command.is_verbose
        || !command.options.is_empty();
    match file {
        Some(_) if !command.words.is_empty() => {
            Err("either a file (-c) or a command, not both".into())
        }
        Some(_) if is_about_command => {
            Err("-n, -r, -o and -v are for a command; a file says all of that itself".into())
        }
        Some(file) => Ok(Some(Request::File(
            file,
            EntryPoint {
                socket: command.socket,
                usual_socket,
            },
        ))),
        None if command.words.is_empty() => Err("which command, or which file (-c FILE)?".into()),
        None => {
            command.socket = command.socket.or(usual_socket);
            Ok(Some(Request::Command(command)))
        }
    }
}

fn is_writable(directory: &str) -> bool {
    rustix::fs::access(directory, rustix::fs::Access::WRITE_OK).is_ok()
}

fn help(called: &str) -> String {
    format!(
        "Usage: {called} -c FILE [--socket PATH]
       {called} [options] [--] COMMAND [ARGUMENT...]

With a file: the entry point of a container. As `supervisord -n -c FILE`, and where the file does not say otherwise, the
log goes to standard error, there is no pid file, a program that is given up (FATAL) ends the container with its exit
status (on_fatal=ignore or importance=optional: it does not), and there is a control socket.

With a command: runs one command as the only service of a container and ends with it, with its exit status (128 and the signal's
number if one ended it). As process 1 it reaps orphans. SIGTERM, SIGINT and SIGQUIT stop the command, with SIGKILL after
stopwaitsecs; SIGHUP, SIGUSR1 and SIGUSR2 are passed on. The command's standard input is not connected.

  -c, --configuration FILE the file
  -n, --name NAME          name of the service (default: that of the program)
  -r, --restart            start it again whenever it ends; end only if it cannot be started
  -o, --option KEY=VALUE   any option of a [program:x] section, such as stopwaitsecs=5, readiness=tcp://localhost:80
      --socket PATH        listen there for `linchpin status -s unix://PATH` and others. Without it: `socket` of
                           [linchpin], linchpin.sock in its `run_directory`, or, for process 1 and if it may write
                           there, {FIRST_PROCESS_SOCKET}
  -v, --verbose            tell on standard error what happens, and not only what goes wrong
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_line(line: &str) -> Result<SingleCommand, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match read(&words) {
            Ok(Some(Request::Command(command))) => Ok(command),
            Ok(other) => Err(format!("{other:?}")),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn options_end_with_the_first_word_of_the_command() {
        let command = read_line("-r -o startsecs=5 sh -c -r -- x").unwrap();
        assert!(command.restarts);
        assert_eq!(command.words, ["sh", "-c", "-r", "--", "x"]);
        assert_eq!(command.options, [("startsecs".to_owned(), "5".to_owned())]);
        assert_eq!(read_line("-v -- -x y").unwrap().words, ["-x", "y"]);
        for (line, expected) in [
            ("", "which command, or which file (-c FILE)?"),
            ("-c x.conf sh", "either a file (-c) or a command, not both"),
            (
                "-c x.conf -r",
                "-n, -r, -o and -v are for a command; a file says all of that itself",
            ),
            (
                "-c x.conf --socket /s",
                "Some(File(\"x.conf\", EntryPoint { socket: Some(\"/s\"), usual_socket: None }))",
            ),
            (
                "-o startsecs sh",
                "`startsecs` is not of the form KEY=VALUE",
            ),
            ("-n a:b sh", "`a:b` is no name for a service"),
            ("--wrong sh", "invalid option '--wrong'"),
        ] {
            assert_eq!(read_line(line).unwrap_err(), expected);
        }
    }
}

//! `run -- COMMAND`: one command as a container's only service.

use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt as _};
use linchpin_config::{DaemonOverrides, SingleCommand, USAGE_EXIT_STATUS};
use linchpin_daemon::Invocation;

/// Where the first process of a container listens for `linchpin status` and others, if it may write there.
const FIRST_PROCESS_SOCKET: &str = "/run/linchpin.sock";

pub(crate) fn run(called: &str, arguments: &[String]) -> ExitCode {
    match read(arguments) {
        Ok(Some(command)) => {
            let invocation = Invocation {
                program: called.to_owned(),
                path: called.to_owned(),
                file: None,
                overrides: DaemonOverrides::default(),
                command: Some(command),
            };
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
fn read(arguments: &[String]) -> Result<Option<SingleCommand>, lexopt::Error> {
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
    if command.words.is_empty() {
        return Err("which command? For a file: supervisord -n -c FILE".into());
    }
    if command.socket.is_none() && std::process::id() == 1 && is_writable("/run") {
        command.socket = Some(FIRST_PROCESS_SOCKET.to_owned());
    }
    Ok(Some(command))
}

fn is_writable(directory: &str) -> bool {
    rustix::fs::access(directory, rustix::fs::Access::WRITE_OK).is_ok()
}

fn help(called: &str) -> String {
    format!(
        "Usage: {called} [options] [--] COMMAND [ARGUMENT...]

Runs one command as the only service of a container and ends with it, with its exit status (128 and the signal's
number if one ended it). As process 1 it reaps orphans. SIGTERM, SIGINT and SIGQUIT stop the command, with SIGKILL after
stopwaitsecs; SIGHUP, SIGUSR1 and SIGUSR2 are passed on. The command's standard input is not connected.

  -n, --name NAME          name of the service (default: that of the program)
  -r, --restart            start it again whenever it ends; end only if it cannot be started
  -o, --option KEY=VALUE   any option of a [program:x] section, such as stopwaitsecs=5, readiness=tcp://localhost:80
      --socket PATH        listen there for `linchpin status -s unix://PATH` and others; process 1 listens at
                           {FIRST_PROCESS_SOCKET} if it may write there
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
            Ok(command) => Ok(command.unwrap()),
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
            ("", "which command? For a file: supervisord -n -c FILE"),
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

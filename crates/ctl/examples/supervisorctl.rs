//! A client for trying out and for the tests beside this crate: takes an address, `-u` and `-p` and a
//! command. The real command line belongs to the binary.

use std::io::{BufWriter, Write as _};

use linchpin_ctl::{Controller, Settings, Streams};

fn main() -> std::process::ExitCode {
    let mut settings = Settings::default();
    let mut words = std::env::args().skip(1).peekable();
    while let Some(option) = words.next_if(|word| word.starts_with('-')) {
        let mut value = || words.next().unwrap_or_default();
        match option.as_str() {
            "-s" => settings.serverurl = value(),
            "-u" => settings.username = Some(value()),
            "-p" => settings.password = Some(value()),
            "-i" => settings.interactive = true,
            _ => return std::process::ExitCode::from(2),
        }
    }
    let line = words.collect::<Vec<String>>().join(" ");
    settings.interactive |= line.is_empty();
    let mut input = std::io::stdin().lock();
    let mut output = BufWriter::new(std::io::stdout().lock());
    let mut errors = std::io::stderr().lock();
    let mut controller = Controller::new(
        settings,
        Streams {
            input: &mut input,
            output: &mut output,
            errors: &mut errors,
        },
    );
    let exit = if line.is_empty() {
        controller.run_shell()
    } else {
        controller.run_command(&line)
    };
    drop(controller);
    if output.flush().is_err() {
        return std::process::ExitCode::FAILURE;
    }
    std::process::ExitCode::from(exit.code())
}

//! The client alone, for trying it out without the whole binary.

use linchpin_config::Machine;

fn main() -> std::process::ExitCode {
    let words: Vec<String> = std::env::args().collect();
    let (program, words) = words.split_first().expect("a program has a name");
    let world = Machine {
        environment: std::env::vars().collect(),
        current_directory: std::env::current_dir()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        temporary_directory: "/tmp".to_owned(),
        ..Machine::default()
    };
    std::process::ExitCode::from(linchpin_ctl::run(&world, program, words))
}

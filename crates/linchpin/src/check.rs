//! `check FILE`: what is wrong, or likely to be, without starting anything.

use std::process::ExitCode;

use linchpin_config::{LoadRequest, load};
use linchpin_daemon::SystemWorld;

pub(crate) fn run(called: &str, arguments: &[String]) -> ExitCode {
    let [file] = arguments else {
        crate::complain(&format!("Usage: {called} FILE"));
        return ExitCode::from(2);
    };
    let world = SystemWorld::now();
    let request = LoadRequest {
        file: Some(file.clone()),
        ..LoadRequest::default()
    };
    let report = linchpin_config::check(&world, &request);
    let text = report.to_string();
    crate::say(&text);
    if report.has_errors() {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    }
}

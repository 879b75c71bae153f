//! `why`, which the original does not have.

use linchpin_protocol::FaultCode;
use linchpin_protocol::api::{self, WhyReport};

use crate::controller::Controller;
use crate::error::CommandError;
use crate::exit_code::ExitCode;

pub(super) fn why(controller: &mut Controller<'_>, arguments: &str) -> Result<(), CommandError> {
    if arguments.is_empty() {
        return controller.misused(
            "Error: why requires a process name",
            "why",
            ExitCode::InvalidArguments,
        );
    }
    if !controller.upcheck()? {
        return Ok(());
    }
    for name in arguments.split_whitespace() {
        let answer = controller.session.call::<String>("linchpin.why", &[&name]);
        let complaint = match answer {
            Ok(text) => match api::read::<WhyReport>(&text) {
                Ok(report) => {
                    let text = crate::people::why_text(&report);
                    controller.out.line(text.trim_end());
                    continue;
                }
                Err(error) => error.to_string(),
            },
            Err(error) => match error.fault_code() {
                Some(FaultCode::BadName) => format!("{name}: ERROR (no such process or group)"),
                Some(FaultCode::UnknownMethod) => {
                    "Sorry, this daemon is not Linchpin and cannot explain anything".to_owned()
                }
                _ => return Err(error),
            },
        };
        controller.exit = ExitCode::Generic;
        controller.out.line(complaint);
    }
    Ok(())
}

//! `why NAME` in a script: an explanation, in full.

use std::fmt::Write as _;

use linchpin_core::{Explanation, Now, Supervisor, Surroundings, Target, Wall};

/// What a service's explanation says, a line for each part of it.
pub(crate) fn tell(supervisor: &Supervisor, name: &str, now: Now) -> String {
    let Target::Process { group, name } = Target::parse(name) else {
        panic!("one process is explained");
    };
    let view = supervisor
        .process_named(&group, &name)
        .expect("a known process");
    let surroundings = Surroundings {
        path: Some("/usr/bin:/bin"),
    };
    let explanation = supervisor
        .explain(view.id, now, surroundings)
        .expect("a known process");
    text(&explanation)
}

fn text(explanation: &Explanation) -> String {
    let mut text = format!("  {}\n", explanation.summary);
    for cause in &explanation.causes {
        let indent = "  ".repeat(usize::from(cause.depth) + 2);
        let at = cause
            .at
            .map_or(String::new(), |at| format!("[{}] ", seconds(at)));
        let _ = writeln!(text, "{indent}{}: {at}{}", cause.name, cause.text);
    }
    for check in &explanation.checks {
        let _ = writeln!(
            text,
            "    {} {}: {:?} {}",
            check.purpose.name(),
            check.probe,
            check.passes,
            check.text
        );
    }
    if let Some(status) = &explanation.status {
        let _ = writeln!(text, "    says: {status}");
    }
    for coming in &explanation.next {
        let when = coming
            .in_ms
            .map_or(String::new(), |ms| format!(" in {ms} ms"));
        let _ = writeln!(text, "    next{when}: {}", coming.text);
    }
    for advice in &explanation.advice {
        let _ = writeln!(text, "    advice: {advice}");
    }
    text
}

fn seconds(at: Wall) -> String {
    let milliseconds = at.0.div_euclid(1_000_000);
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

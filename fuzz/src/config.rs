//! What must be true of any configuration file: it is loaded or refused in words, and what the words point at
//! exists.

use linchpin_config::{
    Diagnostic, LoadRequest, Loaded, check, diff, load, render_all, render_failure,
};

use crate::machine::{MAIN_FILE, Machine};

fn request() -> LoadRequest {
    LoadRequest {
        file: Some(MAIN_FILE.to_owned()),
        program: "/usr/bin/supervisord".to_owned(),
        ..LoadRequest::default()
    }
}

/// Files, separated by NUL bytes; the first is the main one.
pub fn file(data: &[u8]) {
    let machine = Machine::new(data.split(|byte| *byte == 0));
    hold(&machine);
}

/// The value of an option that is expanded, and of one in which a list of such values is.
pub fn expansion(data: &[u8]) {
    // A line's end would end the value; the reader of files has a target of its own.
    let value: Vec<u8> = data
        .iter()
        .map(|byte| {
            if matches!(byte, b'\n' | b'\r' | 0) {
                b' '
            } else {
                *byte
            }
        })
        .collect();
    let mut text =
        b"[supervisord]\n[program:x]\nnumprocs=2\nprocess_name=%(process_num)d\ncommand=c "
            .to_vec();
    text.extend(&value);
    text.extend(b"\nenvironment=A=");
    text.extend(&value);
    text.extend(b"\ndirectory=/");
    text.extend(&value);
    text.push(b'\n');
    hold(&Machine::new(std::iter::once(text.as_slice())));
}

fn hold(machine: &Machine<'_>) {
    let request = request();
    match load(machine, &request) {
        Ok(loaded) => hold_loaded(machine, &request, &loaded),
        Err(failure) => {
            let text = render_failure("/usr/bin/supervisord", &failure);
            assert!(text.starts_with("Error: "), "{text}");
            assert!(!failure.problems.is_empty(), "refused without a reason");
            hold_diagnostics(&failure.problems);
        }
    }
    let report = check(machine, &request);
    hold_diagnostics(&report.problems);
    hold_diagnostics(&report.warnings);
}

fn hold_loaded(machine: &Machine<'_>, request: &LoadRequest, loaded: &Loaded) {
    hold_diagnostics(&loaded.doubts);
    let again = load(machine, request).expect("what loads once loads again");
    assert_eq!(again.config, loaded.config, "the same text means the same");
    let difference = diff(&loaded.config, &again.config);
    assert!(
        difference.added.is_empty()
            && difference.changed.is_empty()
            && difference.removed.is_empty()
    );
    for group in &loaded.config.groups {
        let mut names: Vec<&str> = group
            .processes
            .iter()
            .map(|process| process.name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(
            names.len(),
            group.processes.len(),
            "names are unique in {}",
            group.name
        );
    }
}

fn hold_diagnostics(diagnostics: &[Diagnostic]) {
    // That the places can be shown is what would go wrong here.
    let text = render_all(diagnostics);
    assert_eq!(text.is_empty(), diagnostics.is_empty());
}

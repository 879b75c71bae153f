//! The text of `-h`.

/// What `-h`, `-?` and `--help` print.
///
/// The form is the original's, `-x/--long VALUE -- words`, because people and tests look for it.
pub(crate) fn usage(program: &str) -> String {
    format!(
        "\
supervisorctl -- control applications that supervisord keeps running.

Usage: {program} [options] [action [arguments]]

Options:
-c/--configuration FILENAME -- read this configuration file; without it the usual
     places are searched, and having none is fine
-h/--help -- print this text (-? does the same)
-i/--interactive -- start an interactive shell, which is also what happens when there
     is no action; with an action, ask before shutdown and reload as the shell does
-s/--serverurl URL -- where the daemon listens, http://host:port or unix:///path
     (http://localhost:9001 if neither this nor the file says)
-u/--username USERNAME -- who to be for the daemon
-p/--password PASSWORD -- how to prove it
-r/--history_file FILENAME -- where the shell keeps what was typed

The action \"help\" lists all actions, \"help start\" explains one of them.
"
    )
}

#[cfg(test)]
mod tests {
    use linchpin_config::CONTROL_OPTIONS;

    use super::*;

    #[test]
    fn every_option_is_explained() {
        let text = usage("supervisorctl");
        for option in CONTROL_OPTIONS.iter().filter(|o| !o.long.is_empty()) {
            let short = option.short.unwrap();
            let form = format!("\n-{short}/--{}", option.long);
            assert!(text.contains(&form), "{form}");
        }
        assert!(text.contains("-?"));
    }
}

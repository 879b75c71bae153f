//! `help`: the texts, and the list of commands in columns.

use crate::controller::Controller;
use crate::error::CommandError;

/// Widest line of the list of commands.
const LIST_WIDTH: usize = 79;

/// Commands and their help. Tabs are the original's: people have seen these columns for years.
const TOPICS: &[(&str, &str)] = &[
    (
        "add",
        "add <name> [...]\tActivates any updates in config for process/group",
    ),
    ("avail", "avail\t\t\tDisplay all configured processes"),
    (
        "clear",
        "clear <name>\t\tClear a process' log files.\n\
         clear <name> <name>\tClear multiple process' log files\n\
         clear all\t\tClear all process' log files",
    ),
    ("exit", "exit\tExit the supervisor shell."),
    (
        "fg",
        "fg <process>\tConnect to a process in foreground mode\n\t\tCtrl-C to exit",
    ),
    (
        "maintail",
        "maintail -f \tContinuous tail of supervisor main log file (Ctrl-C to exit)\n\
         maintail -100\tlast 100 *bytes* of supervisord main log file\n\
         maintail\tlast 1600 *bytes* of supervisor main log file\n",
    ),
    (
        "open",
        "open <url>\tConnect to a remote supervisord process.\n\
         \t\t(for UNIX domain socket, use unix:///socket/path)",
    ),
    (
        "pid",
        "pid\t\t\tGet the PID of supervisord.\n\
         pid <name>\t\tGet the PID of a single child process by name.\n\
         pid all\t\t\tGet the PID of every child process, one per line.",
    ),
    ("quit", "quit\tExit the supervisor shell."),
    ("reload", "reload \t\tRestart the remote supervisord."),
    (
        "remove",
        "remove <name> [...]\tRemoves process/group from active config",
    ),
    (
        "reread",
        "reread \t\t\tReload the daemon's configuration files without add/remove",
    ),
    (
        "restart",
        "restart <name>\t\tRestart a process\n\
         restart <gname>:*\tRestart all processes in a group\n\
         restart <name> <name>\tRestart multiple processes or groups\n\
         restart all\t\tRestart all processes\n\
         Note: restart does not reread config files. For that, see reread and update.",
    ),
    ("shutdown", "shutdown \tShut the remote supervisord down."),
    (
        "signal",
        "signal <signal name> <name>\t\tSignal a process\n\
         signal <signal name> <gname>:*\t\tSignal all processes in a group\n\
         signal <signal name> <name> <name>\tSignal multiple processes or groups\n\
         signal <signal name> all\t\tSignal all processes",
    ),
    (
        "start",
        "start <name>\t\tStart a process\n\
         start <gname>:*\t\tStart all processes in a group\n\
         start <name> <name>\tStart multiple processes or groups\n\
         start all\t\tStart all processes",
    ),
    (
        "status",
        "status <name>\t\tGet status for a single process\n\
         status <gname>:*\tGet status for all processes in a group\n\
         status <name> <name>\tGet status for multiple named processes\n\
         status\t\t\tGet all process status info",
    ),
    (
        "stop",
        "stop <name>\t\tStop a process\n\
         stop <gname>:*\t\tStop all processes in a group\n\
         stop <name> <name>\tStop multiple processes or groups\n\
         stop all\t\tStop all processes",
    ),
    (
        "tail",
        "tail [-f] <name> [stdout|stderr] (default stdout)\n\
         Ex:\n\
         tail -f <name>\t\tContinuous tail of named process stdout\n\
         \t\t\tCtrl-C to exit.\n\
         tail -100 <name>\tlast 100 *bytes* of process stdout\n\
         tail <name> stderr\tlast 1600 *bytes* of process stderr",
    ),
    (
        "update",
        "update\t\t\tReload config and add/remove as necessary, and will restart affected programs\n\
         update all\t\tReload config and add/remove as necessary, and will restart affected programs\n\
         update <gname> [...]\tUpdate specific groups",
    ),
    (
        "version",
        "version\t\t\tShow the version of the remote supervisord process",
    ),
];

const HELP: &str =
    "help\t\tPrint a list of available actions\nhelp <action>\tPrint help for <action>";

/// The help of the commands that plugins bring; quick has none.
const TOPICS_OF_PLUGINS: &[(&str, &str)] = &[
    ("mrestart", MRESTART),
    ("mstart", MSTART),
    ("mstop", MSTOP),
    ("serialrestart", SERIALRESTART),
];

/// The help of what only our daemon can do. `help` lists it where the file has a section of ours, so that all else is as
/// it was.
const TOPICS_OF_OURS: &[(&str, &str)] = &[(
    "why",
    "why <name>\t\tExplain why a process is in its state, what comes next, what you could do\n\
     why <gname>:*\t\tExplain all processes in a group",
)];

const MRESTART: &str =
    "mrestart <pattern> [...]\tRestart processes by patterns of their names, all at the same time";
const MSTART: &str =
    "mstart <pattern> [...]\tStart processes by patterns of their names, all at the same time";
const MSTOP: &str =
    "mstop <pattern> [...]\tStop processes by patterns of their names, all at the same time";
const SERIALRESTART: &str = "serialrestart <name>\t\tRestart a process\n\
     serialrestart <gname>:*\t\tRestart all processes in a group\n\
     serialrestart <pattern> [...]\tRestart processes by patterns of their names\n\
     serialrestart all\t\tRestart all processes\n\
     Note: one process after the other; restart stops all of them first.";

/// The commands that are always there.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TOPICS.iter().map(|(name, _)| *name)
}

/// The help of a command.
pub(crate) fn help_text(name: &str) -> Option<&'static str> {
    TOPICS
        .iter()
        .chain(TOPICS_OF_PLUGINS)
        .chain(TOPICS_OF_OURS)
        .find(|(topic, _)| *topic == name)
        .map(|(_, text)| *text)
}

/// `help`
pub(crate) fn help(controller: &mut Controller<'_>, topic: &str) -> Result<(), CommandError> {
    match topic {
        "" => {
            list(controller, "default", &names().collect::<Vec<_>>());
            if controller.settings.lists_ours {
                let ours: Vec<&str> = TOPICS_OF_OURS.iter().map(|(name, _)| *name).collect();
                list(controller, "linchpin", &ours);
            }
            for plugin in controller.settings.plugins.clone() {
                let documented: Vec<&str> = TOPICS_OF_PLUGINS
                    .iter()
                    .map(|(name, _)| *name)
                    .filter(|name| plugin.commands().contains(name))
                    .collect();
                list(controller, &plugin.name, &documented);
            }
        }
        "help" => controller.out.line(HELP),
        topic => {
            let is_there = crate::commands::find(topic, &controller.settings.plugins).is_some();
            match help_text(topic).filter(|_| is_there) {
                Some(text) => controller.out.line(text),
                None => controller.out.line(format_args!("*** No help on {topic}")),
            }
        }
    }
    Ok(())
}

/// The commands of a plugin, if it has any that can be explained.
fn list(controller: &mut Controller<'_>, plugin: &str, names: &[&str]) {
    controller.out.line("");
    if names.is_empty() {
        return;
    }
    let header = format!("{plugin} commands (type help <topic>):");
    controller.out.line(&header);
    controller.out.line("=".repeat(header.chars().count()));
    for line in columns(names, LIST_WIDTH) {
        controller.out.line(line);
    }
    controller.out.line("");
}

/// Sets words in columns, down before across, in as few lines as fit the width.
fn columns(words: &[&str], width: usize) -> Vec<String> {
    let rows = (1..=words.len())
        .find(|rows| {
            let widths = column_widths(words, *rows);
            widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1) <= width
        })
        .unwrap_or(words.len());
    let widths = column_widths(words, rows);
    (0..rows)
        .map(|row| {
            let cells: Vec<String> = words
                .iter()
                .skip(row)
                .step_by(rows)
                .zip(&widths)
                .map(|(word, width)| format!("{word:<width$}"))
                .collect();
            cells.join("  ")
        })
        .collect()
}

fn column_widths(words: &[&str], rows: usize) -> Vec<usize> {
    words
        .chunks(rows)
        .map(|column| column.iter().map(|word| word.len()).max().unwrap_or(0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_down_before_across() {
        assert_eq!(
            columns(&["a", "bb", "c", "d", "e"], 10),
            ["a   c  e", "bb  d"]
        );
        assert_eq!(columns(&["a", "b"], 79), ["a  b"]);
        assert_eq!(columns(&["long", "word"], 3), ["long", "word"]);
    }

    #[test]
    fn topics_are_sorted_and_each_is_a_command() {
        assert!(TOPICS.is_sorted_by_key(|(name, _)| *name));
        for (name, _) in TOPICS {
            assert!(crate::commands::find(name, &[]).is_some(), "{name}");
        }
    }
}

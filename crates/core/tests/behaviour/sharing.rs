//! What is kept of a configuration that is read again and again.

use std::sync::Arc;

use linchpin_config::{Config, ProcessConfig};
use linchpin_core::{
    Action, Actions, Command, Event, Monotonic, Now, OperationId, Supervisor, Wall,
};

use crate::support;

/// A configuration of one program, read anew.
fn read(command: &str) -> Config {
    let mut process = support::process("web");
    process.autostart = false;
    command.clone_into(&mut process.command);
    support::config(vec![support::group("web", 999, vec![process])])
}

/// Does this, and answers with the configuration of the process that comes of it.
fn added(
    supervisor: &mut Supervisor,
    events: impl IntoIterator<Item = Event>,
) -> Arc<ProcessConfig> {
    let now = Now {
        monotonic: Monotonic(1),
        wall: Wall(1),
    };
    let mut actions = Actions::new();
    for event in events {
        supervisor.handle(event, now, &mut actions);
    }
    let mut found = actions.drain(..).filter_map(|action| {
        if let Action::ProcessAdded { config, .. } = action {
            Some(config)
        } else {
            None
        }
    });
    found.next().expect("a process is added")
}

/// What `supervisorctl` does: the file is read again, and the group removed and added.
fn again(file: Config) -> [Event; 3] {
    let name = || "web".to_owned();
    let commands = [
        Command::Reload {
            config: Box::new(file),
        },
        Command::RemoveGroup { name: name() },
        Command::AddGroup { name: name() },
    ];
    let mut number = 0;
    commands.map(|command| {
        number += 1;
        Event::Command {
            operation: OperationId(number),
            command,
        }
    })
}

#[test]
fn what_nobody_has_changed_is_kept_once() {
    let mut supervisor = Supervisor::new(&read("/bin/web"));
    let first = added(&mut supervisor, [Event::Boot]);
    let same = added(&mut supervisor, again(read("/bin/web")));
    assert!(Arc::ptr_eq(&first, &same));
    let other = added(&mut supervisor, again(read("/bin/other")));
    assert_eq!(other.command, "/bin/other");
}

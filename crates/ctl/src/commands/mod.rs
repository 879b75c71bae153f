//! The commands, by name.

mod config_changes;
mod daemon;
mod fg;
mod logs;
mod operations;
mod quick;
mod serialrestart;
mod status;
mod why;
mod wildcards;

use crate::controller::{Controller, Flow};
use crate::error::CommandError;
use crate::plugin::Plugin;
use crate::topics;

type Command = fn(&mut Controller<'_>, &str) -> Result<Flow, CommandError>;

/// Everything that can be completed: the commands, with those of plugins.
pub(crate) fn vocabulary(plugins: &[Plugin]) -> Vec<&'static str> {
    let of_plugins = plugins.iter().flat_map(Plugin::commands).copied();
    std::iter::once("help")
        .chain(topics::names())
        .chain(of_plugins)
        .collect()
}

/// The command of a name. Names are whole and their case counts. Those of plugins exist where a plugin brings them.
pub(crate) fn find(name: &str, plugins: &[Plugin]) -> Option<Command> {
    /// Commands after which the shell goes on.
    macro_rules! going_on {
        ($command:path) => {
            |controller, arguments| $command(controller, arguments).map(|()| Flow::Continue)
        };
    }
    Some(match name {
        "add" => going_on!(config_changes::add),
        "avail" => going_on!(config_changes::avail),
        "clear" => going_on!(operations::clear),
        "exit" | "quit" | "EOF" => leave,
        "fg" => going_on!(fg::fg),
        "help" => going_on!(topics::help),
        "maintail" => going_on!(logs::maintail),
        "open" => going_on!(daemon::open),
        "pid" => going_on!(daemon::pid),
        "reload" => going_on!(daemon::reload),
        "remove" => going_on!(config_changes::remove),
        "reread" => going_on!(config_changes::reread),
        "restart" => going_on!(operations::restart),
        "shutdown" => going_on!(daemon::shutdown),
        "signal" => going_on!(operations::signal),
        "start" => going_on!(operations::start),
        "status" => going_on!(status::status),
        "stop" => going_on!(operations::stop),
        "tail" => going_on!(logs::tail),
        "update" => going_on!(config_changes::update),
        "version" => going_on!(daemon::version),
        "why" => going_on!(why::why),
        _ if !plugins
            .iter()
            .any(|plugin| plugin.commands().contains(&name)) =>
        {
            return None;
        }
        "mrestart" => going_on!(wildcards::mrestart),
        "mstart" => going_on!(wildcards::mstart),
        "mstop" => going_on!(wildcards::mstop),
        "quickrestart" => going_on!(quick::quickrestart),
        "quickstart" => going_on!(quick::quickstart),
        "quickstop" => going_on!(quick::quickstop),
        "serialrestart" => going_on!(serialrestart::serialrestart),
        _ => return None,
    })
}

fn leave(controller: &mut Controller<'_>, _arguments: &str) -> Result<Flow, CommandError> {
    controller.out.line("");
    Ok(Flow::Leave)
}

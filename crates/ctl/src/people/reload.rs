//! `linchpin reload`

use std::io::Write as _;

use linchpin_config::World;
use linchpin_protocol::Value;

use super::arguments::Asked;
use super::connection::{Daemon, places};
use super::{Out, Trouble, exit};

pub(super) fn reload(
    world: &dyn World,
    called: &str,
    asked: &Asked,
    out: &mut Out,
) -> Result<u8, Trouble> {
    let mut daemon = Daemon::find(&places(world, called, asked)?)?;
    let mut code = 0;
    for name in &asked.names {
        let answer = match daemon.call::<Value>("linchpin.reload", &[&name.as_str()]) {
            Err(trouble @ Trouble::NoSuchName(_)) => return Err(trouble),
            answer => answer,
        };
        let results = match answer {
            Ok(Value::Array(results)) => results.iter().map(result).collect(),
            Ok(_) => vec![(name.clone(), Ok(()))],
            Err(trouble) => vec![(name.clone(), Err(trouble.to_string()))],
        };
        for (name, result) in results {
            match result {
                Ok(()) => writeln!(out.to, "{name}: reloaded")?,
                Err(why) => {
                    writeln!(out.to, "{name}: not reloaded: {why}")?;
                    code = exit::FAILURE;
                }
            }
        }
    }
    Ok(code)
}

/// What came of one process of a group.
fn result(value: &Value) -> (String, Result<(), String>) {
    let fields = if let Value::Struct(fields) = value {
        fields.as_slice()
    } else {
        &[]
    };
    let field = |wanted: &str| {
        let found = fields.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value)
    };
    let text = |name| field(name).and_then(Value::as_str).unwrap_or_default();
    let name = linchpin_protocol::make_namespec(text("group"), text("name")).into_owned();
    let result = match field("status") {
        Some(Value::Int(80)) => Ok(()),
        _ => Err(text("description").to_owned()),
    };
    (name, result)
}

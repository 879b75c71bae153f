//! `status`

use std::borrow::Cow;

use linchpin_protocol::{Namespec, ProcessState, ReadError, ReadValue, ValueReader, make_namespec};

use crate::controller::Controller;
use crate::error::CommandError;
use crate::exit_code::ExitCode;

/// Narrowest column of names.
const MIN_NAME_WIDTH: usize = 30;

/// What a line of the table needs of a `getProcessInfo` struct; the rest of it is read over.
#[derive(Debug, Default)]
struct Row<'a> {
    name: Cow<'a, str>,
    group: Cow<'a, str>,
    state: i64,
    statename: Cow<'a, str>,
    description: Cow<'a, str>,
}

impl<'a> ReadValue<'a> for Row<'a> {
    fn read_value(reader: &mut ValueReader<'a>) -> Result<Self, ReadError> {
        let mut row = Self::default();
        reader.structure(|name, reader| {
            match name {
                "name" => row.name = Cow::read_value(reader)?,
                "group" => row.group = Cow::read_value(reader)?,
                "state" => row.state = i64::read_value(reader)?,
                "statename" => row.statename = Cow::read_value(reader)?,
                "description" => row.description = Cow::read_value(reader)?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(row)
    }
}

pub(super) fn status(controller: &mut Controller<'_>, arguments: &str) -> Result<(), CommandError> {
    if !controller.upcheck()? {
        controller.exit = ExitCode::Unknown;
        return Ok(());
    }
    let rows: Vec<Row<'_>> = controller
        .session
        .call("supervisor.getAllProcessInfo", &[])?;
    let names: Vec<&str> = arguments.split_whitespace().collect();
    let mut shown: Vec<&Row<'_>> = Vec::with_capacity(rows.len());
    if names.is_empty() || names.contains(&"all") {
        shown.extend(&rows);
    } else {
        for name in names {
            let wanted = Namespec::parse(name);
            let before = shown.len();
            shown.extend(rows.iter().filter(|row| {
                row.group == wanted.group
                    && wanted.process.is_none_or(|process| row.name == process)
            }));
            if shown.len() == before {
                controller.exit = ExitCode::Unknown;
                controller.out.line(match wanted.process {
                    None => format!("{}: ERROR (no such group)", wanted.group),
                    Some(_) => format!("{name}: ERROR (no such process)"),
                });
            }
        }
    }
    let namespecs: Vec<Cow<'_, str>> = shown
        .iter()
        .map(|row| make_namespec(&row.group, &row.name))
        .collect();
    let longest = namespecs.iter().map(|name| name.chars().count()).max();
    let width = longest.unwrap_or(0).max(MIN_NAME_WIDTH) + 3;
    for (row, name) in shown.iter().zip(&namespecs) {
        controller.out.line(format_args!(
            "{name:<width$}{:<10}{}",
            row.statename, row.description
        ));
    }
    let something_is_down = shown
        .iter()
        .any(|row| ProcessState::from_code(row.state).is_some_and(ProcessState::is_stopped));
    if something_is_down {
        controller.exit = ExitCode::NotRunningStatus;
    }
    Ok(())
}

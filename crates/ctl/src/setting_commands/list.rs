//! `list` and `get`.

use std::io::Write as _;

use linchpin_boot::settings::{Effective, judge, report, shown};
use linchpin_protocol::api::write_indented;

use super::{Desk, Trouble, complain, exit, warn};

/// Longest value in the list; `get` and `explain` show all of it.
const MOST_CHARACTERS: usize = 60;

/// The document of `GET /api/v1/settings`.
pub(super) fn document(desk: &mut Desk) -> Result<u8, Trouble> {
    let file = match &desk.config.file {
        Some(_) => desk.store()?.read().map_err(|error| error.to_string()),
        None => Ok(None),
    };
    let report = report(&desk.config, file, &desk.environment);
    writeln!(desk.out, "{}", write_indented(&report))?;
    Ok(if report.valid { 0 } else { exit::INVALID })
}

/// All settings in columns, by group.
pub(super) fn list(desk: &mut Desk) -> Result<u8, Trouble> {
    let resolved = desk.resolved()?;
    let mut groups: Vec<&str> = Vec::new();
    for effective in &resolved.settings {
        if !groups.contains(&effective.setting.group.as_str()) {
            groups.push(&effective.setting.group);
        }
    }
    let rows: Vec<(&str, [String; 3])> = resolved
        .settings
        .iter()
        .map(|effective| (effective.setting.group.as_str(), row(effective)))
        .collect();
    let width = |column: usize| {
        let widths = rows.iter().map(|(_, row)| row[column].chars().count());
        widths.max().unwrap_or_default()
    };
    let (names, values) = (width(0), width(1));
    let mut text = String::new();
    for group in groups {
        if !group.is_empty() {
            text.push_str(group);
            text.push('\n');
        }
        let indent = if group.is_empty() { "" } else { "  " };
        for (_, [name, value, source]) in rows.iter().filter(|(of, _)| *of == group) {
            let line = format!("{indent}{name:names$}  {value:values$}  {source}");
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    let problems = judge(&resolved);
    let notices = resolved.notices.clone();
    desk.out.write_all(text.as_bytes())?;
    desk.out.flush()?;
    warn(&notices);
    for problem in &problems {
        complain(&format!("Error: {problem}"));
    }
    Ok(if problems.is_empty() {
        0
    } else {
        exit::INVALID
    })
}

/// Name, value and where that comes from.
fn row(effective: &Effective<'_>) -> [String; 3] {
    let name = effective.setting.name.clone();
    let Some(found) = effective.found() else {
        return [name, "(not set)".to_owned(), String::new()];
    };
    let source = found.layer.word();
    let source = match &effective.dropped_with {
        Some(empty) => format!("{source}; left out, because {empty} is empty"),
        None => source.to_owned(),
    };
    let value = shown(effective.setting, &found.value);
    let value = match value.chars().count() {
        0 => "(empty)".to_owned(),
        count if count > MOST_CHARACTERS => {
            let beginning: String = value.chars().take(MOST_CHARACTERS - 1).collect();
            format!("{beginning}…")
        }
        _ => value,
    };
    [name, value, source]
}

/// The value that services get.
pub(super) fn get(desk: &mut Desk, name: &str, reveals: bool) -> Result<u8, Trouble> {
    let name = desk.setting(name)?.name.clone();
    let resolved = desk.resolved()?;
    let Some(effective) = resolved.named(&name) else {
        return Ok(exit::UNKNOWN);
    };
    let Some(value) = effective.value() else {
        return Err(Trouble::Invalid(match &effective.dropped_with {
            Some(empty) => format!("{name} is left out, because {empty} is empty"),
            None => format!("{name} is not set"),
        }));
    };
    if !reveals && shown(effective.setting, value) != value {
        return Err(Trouble::Invalid(format!(
            "{name} holds a secret, which is printed only with --reveal"
        )));
    }
    let line = format!("{value}\n");
    desk.out.write_all(line.as_bytes())?;
    Ok(0)
}

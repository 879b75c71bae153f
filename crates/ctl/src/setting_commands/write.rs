//! `set`, `unset` and `generate`.

use std::io::{self, Read as _, Write as _};

use linchpin_boot::settings::{
    Changed, Edit, LOCK_PATIENCE, change, generate_missing, not_text, shown,
};
use linchpin_sys::terminal::{is_terminal, read_password};

use super::arguments::Source;
use super::{Desk, Trouble, warn};

/// Most bytes of a value that are read.
const MOST_BYTES: u64 = 1 << 20;

pub(super) fn set(desk: &mut Desk, values: &[(String, Source)]) -> Result<u8, Trouble> {
    let mut edits = Vec::new();
    for (name, source) in values {
        edits.push(Edit::Set(name.clone(), value_of(desk, name, source)?));
    }
    let changed = change(&desk.config, &desk.environment, &edits, LOCK_PATIENCE)?;
    report(desk, &changed)
}

/// A value from where it comes from. Secrets do not come from arguments.
pub(super) fn value_of(desk: &Desk, name: &str, source: &Source) -> Result<String, Trouble> {
    let setting = desk.setting(name)?;
    Ok(match source {
        // Also a URL with a password in it.
        Source::Argument(value) if shown(setting, value) != *value => {
            return Err(Trouble::Usage(format!(
                "the value of {0} is or holds a secret, which must not be an argument, because others see those: \
                 `set {0} -` reads it from standard input, `set {0} --from FILE` from a file; with plan and apply, \
                 `--from {0}=-` and `--from {0}=FILE` do",
                setting.name
            )));
        }
        Source::Argument(value) => value.clone(),
        Source::StandardInput => from_input(&setting.name)?,
        Source::File(path) => {
            let file = std::fs::File::open(path);
            file.and_then(read_value)
                .map_err(|error| Trouble::Input(format!("cannot read {path}: {error}")))?
        }
    })
}

pub(super) fn unset(desk: &mut Desk, names: &[String]) -> Result<u8, Trouble> {
    let edits: Vec<Edit> = names.iter().cloned().map(Edit::Unset).collect();
    let changed = change(&desk.config, &desk.environment, &edits, LOCK_PATIENCE)?;
    report(desk, &changed)
}

pub(super) fn generate(desk: &mut Desk) -> Result<u8, Trouble> {
    let strange = not_text(&desk.config);
    if !strange.is_empty() {
        return Err(Trouble::Invalid(strange.join("\n")));
    }
    let made = generate_missing(&desk.config, &desk.environment, LOCK_PATIENCE)?;
    warn(&made.warnings);
    let text = if made.names.is_empty() {
        "nothing was missing that could be generated\n".to_owned()
    } else {
        format!("generated: {}\n", made.names.join(", "))
    };
    let text = if made.warnings.is_empty() || !made.names.is_empty() {
        text
    } else {
        String::new()
    };
    desk.out.write_all(text.as_bytes())?;
    Ok(0)
}

/// Tells what was changed, and what has to be restarted for it.
pub(super) fn report(desk: &mut Desk, changed: &Changed) -> Result<u8, Trouble> {
    warn(&changed.warnings);
    let mut text = if changed.names.is_empty() {
        "no setting has changed\n".to_owned()
    } else {
        format!("changed: {}\n", changed.names.join(", "))
    };
    if !changed.services.is_empty() {
        text.push_str("to be restarted for it: ");
        text.push_str(&changed.services.join(", "));
        text.push('\n');
    }
    desk.out.write_all(text.as_bytes())?;
    Ok(0)
}

fn from_input(name: &str) -> Result<String, Trouble> {
    let input = io::stdin();
    let value = if is_terminal(&input) {
        read_password(&format!("{name}: "))
    } else {
        read_value(input.lock())
    };
    value.map_err(|error| Trouble::Input(format!("cannot read standard input: {error}")))
}

/// A value without the line end that editors and `echo` put behind it.
fn read_value(input: impl io::Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    input.take(MOST_BYTES).read_to_end(&mut bytes)?;
    let mut value = String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))?;
    if value.ends_with('\n') {
        value.pop();
        if value.ends_with('\r') {
            value.pop();
        }
    }
    Ok(value)
}

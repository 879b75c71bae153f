//! Reads the sections about what is made before the programs run.

mod ca_roots;
mod certificates;
mod host_names;
mod load_boot;
mod policy;
mod preflight;
mod templates;
#[cfg(test)]
mod tests;

pub use load_boot::{LoadedBoot, load_boot};

use crate::boot::{BootConfig, StepOff};
use crate::findings::{Findings, Statement};
use crate::load::Context;
use crate::names::EnvironmentNames;
use crate::options::linchpin as options;
use crate::service::LinchpinConfig;
use crate::service_options::OwnReader;

/// Reads all of them; nothing where options of ours do not count.
pub(crate) fn boot(
    context: Context<'_>,
    environment: &EnvironmentNames,
    linchpin: Option<&LinchpinConfig>,
    findings: &mut Findings,
) -> BootConfig {
    if !context.extensions {
        return BootConfig::default();
    }
    let mut off = Vec::new();
    let mut found = Found {
        findings,
        off: &mut off,
    };
    BootConfig {
        preflights: preflight::preflights(context, environment, &mut found),
        ca_roots: ca_roots::ca_roots(context, environment, linchpin, &mut found),
        certificates: certificates::certificates(context, environment, linchpin, &mut found),
        templates: templates::templates(context, environment, linchpin, &mut found),
        off,
    }
}

/// What is found out beside the sections themselves.
struct Found<'f> {
    findings: &'f mut Findings,
    /// Those that are switched off, which are read like all others, so that a mistake shows before they are switched on.
    off: &'f mut Vec<StepOff>,
}

impl Found<'_> {
    /// What was read of a section, unless it is switched off.
    fn unless_off<T>(&mut self, section: &str, condition: Option<String>, read: T) -> Option<T> {
        let Some(condition) = condition else {
            return Some(read);
        };
        self.off.push(StepOff {
            section: section.to_owned(),
            condition,
        });
        None
    }
}

/// Longest name of a section that names a directory.
const LONGEST_NAME: usize = 100;

/// The name of a section, which becomes that of a directory.
fn name(own: &mut OwnReader<'_, '_, '_>, what: &str, sample: &str) -> Option<String> {
    let section = &own.reader.section.name;
    let (_, name) = section.split_once(':')?;
    let name = name.trim();
    let is_good = (1..=LONGEST_NAME).contains(&name.len())
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    if is_good {
        return Some(name.to_owned());
    }
    let statement = Statement::ours(format!("[{section}]: this cannot be the name of a {what}"))
        .help(format!(
            "use letters, digits, `-`, `_` and `.`, such as `[{what}:{sample}]`"
        ));
    let span = own.reader.header();
    let document = own.reader.document;
    own.reader.findings.own_problem(document, span, statement);
    None
}

/// Reports that a section needs a directory to write to, and there is none.
fn lacks_directory(own: &mut OwnReader<'_, '_, '_>, option: &'static str, why: &str) {
    let section = &own.reader.section.name;
    let message = format!("[{section}] needs a directory for {why}");
    let help = format!(
        "write `{option}={}` into [linchpin]",
        if option == options::STATE_DIRECTORY.name {
            options::STATE_DIRECTORY.sample
        } else {
            options::RUN_DIRECTORY.sample
        }
    );
    let span = own.reader.header();
    own.reader.findings.own_problem(
        own.reader.document,
        span,
        Statement::ours(message).help(help),
    );
}

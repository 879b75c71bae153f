//! Reads the sections about what is made before the programs run.

mod ca_roots;
mod certificates;
mod host_names;
mod load_boot;
mod policy;
#[cfg(test)]
mod tests;

pub use load_boot::{LoadedBoot, load_boot};

use crate::boot::BootConfig;
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
    BootConfig {
        ca_roots: ca_roots::ca_roots(context, environment, linchpin, findings),
        certificates: certificates::certificates(context, environment, linchpin, findings),
    }
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

//! Templates: files made of settings, certificates and what else the boot knows.
//!
//! A change has two halves. [`prepare()`] makes everything beside its place and has it looked at by whoever will read it;
//! nothing that is used has changed until then. [`Prepared::commit`] puts it in place, each file at once, and keeps what was
//! there before; [`restore`] puts that back, also for a process that did not live to do it itself. If one template fails,
//! none is put in place.

mod commit;
mod difference;
mod kept;
mod language;
mod listing;
mod made_list;
mod prepare;
mod report;
mod scope;
mod sources;
#[cfg(test)]
mod tests;
mod validate;

pub use kept::{RestoreError, restore};
pub(crate) use made_list::files_of;
pub use prepare::{Prepared, prepare};
pub use report::{FileChange, FileReport, Outcome, Report};
pub use scope::{Scope, Services, services_of};

use linchpin_config::TemplateConfig;

/// Makes all of them, or none if one fails. A dry run only tells.
#[must_use]
pub fn make(templates: &[TemplateConfig], scope: &Scope, is_dry: bool) -> Vec<Report> {
    prepare(templates, scope, is_dry).commit()
}

//! Services that sections of the boot name: whether they are there, and those that are left out because what they need
//! could not be made.
//!
//! They are left out like those that `enabled` switches off, so a reread brings them back when what they need is there.

use std::sync::Arc;

use super::names::{Named, Names};
use super::own::placed;
use crate::boot::BootConfig;
use crate::document::{Document, Entry};
use crate::findings::{Findings, Statement};
use crate::load::LeftOut;
use crate::model::GroupConfig;
use crate::options::boot as options;

/// Reports names in sections of the boot that no service has.
pub(crate) fn look_up_services(
    document: &Document,
    groups: &[Arc<GroupConfig>],
    boot: &BootConfig,
    findings: &mut Findings,
) {
    let mut names = None;
    for (section, policy) in boot.policies() {
        for service in &policy.services {
            let names = names.get_or_insert_with(|| Names::new(groups));
            let Err(mistake) = names.meaning(service) else {
                continue;
            };
            // The option has this name in every section of the boot.
            let option = &options::CERTIFICATE_SERVICES;
            let entry = document
                .section(&section)
                .and_then(|section| document.entry(section, option.name));
            let message = placed(&section, option, &mistake.message);
            let statement = Statement::ours(message).help(mistake.help.unwrap_or_default());
            let span = entry.map(Entry::value_span);
            if boot.templates.is_empty() && boot.off.is_empty() {
                findings.own_problem(document, span, statement);
            } else {
                // It may be in a file that is made of a template, now or with other settings.
                findings.remark(document, span, statement);
            }
        }
    }
}

/// Marks services as switched off.
pub(crate) fn leave_out(groups: &mut [Arc<GroupConfig>], left_out: &[LeftOut]) {
    let mut marks: Vec<(Named, &str)> = Vec::new();
    if left_out.is_empty() {
        return;
    }
    let names = Names::new(groups);
    for each in left_out {
        for service in &each.services {
            let found = names.meaning(service).unwrap_or_default();
            marks.extend(found.into_iter().map(|named| (named, each.why.as_str())));
        }
    }
    for (named, why) in marks {
        let group = Arc::make_mut(&mut groups[named.group]);
        for (place, process) in group.processes.iter_mut().enumerate() {
            if named.process.is_none_or(|wanted| wanted == place) {
                let service = &mut Arc::make_mut(process).service;
                service.get_or_insert_default().condition_against = Some(why.to_owned());
            }
        }
    }
}

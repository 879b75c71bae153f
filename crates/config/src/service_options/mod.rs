//! Reads what Supervisor's language does not have: what a service is beyond its process, and `[linchpin]`.
//!
//! Supervisor skips over all of it, so nothing here changes how its own options are read, in which order, or
//! what it says about them. A mistake in an option of ours is an error of ours; a `depends_on` without
//! conditions, which unmodified files contain, is the one exception (see [`dependencies`]).

mod checks;
mod cycles;
mod dependencies;
mod enabled;
mod http;
mod left_out;
mod life;
mod linchpin;
mod names;
mod own;
mod probes;
mod resolve;
#[cfg(test)]
mod resolve_tests;
#[cfg(test)]
mod tests;
mod values;

pub(crate) use dependencies::take_apart;
pub(crate) use enabled::{condition_against, take_out};
pub(crate) use left_out::{leave_out, look_up_services};
pub(crate) use linchpin::linchpin;
pub(crate) use own::{Mistake, OwnReader};
pub(crate) use resolve::resolve;
pub(crate) use values::{
    boolean, bytes, command, count, duration, file, some_count, some_duration, word,
};

use crate::document::{Document, Section};
use crate::options::{Origin, SectionKind, service as options};
use crate::section_reader::SectionReader;
use crate::service::{OnDependencyFailed, OnDependencyLost, ServiceConfig};

/// Whether a section has any option of ours.
pub(crate) fn has_options(document: &Document, section: &Section) -> bool {
    let Some(kind) = SectionKind::of(&section.name) else {
        return false;
    };
    document.entries(section).any(|entry| {
        kind.option(&entry.key)
            .is_some_and(|option| option.origin == Origin::Linchpin)
    })
}

/// The options of ours of one process; none if they say nothing beyond the defaults.
pub(crate) fn service(reader: &mut SectionReader<'_, '_>) -> Option<Box<ServiceConfig>> {
    let kind = SectionKind::of(&reader.section.name);
    let mut service = ServiceConfig::default();
    let mut own = OwnReader { reader };
    service.condition_against = enabled::condition_against(&mut own, &options::ENABLED);
    if kind != Some(SectionKind::EventListener) {
        depends(&mut own, &mut service);
        life::oneshot(&mut own, &mut service);
    }
    checks::checks(&mut own, &mut service);
    life::restarts(&mut own, &mut service);
    life::importance(&mut own, &mut service);
    life::hooks(&mut own, &mut service);
    (service != ServiceConfig::default()).then(|| Box::new(service))
}

fn depends(own: &mut OwnReader<'_, '_, '_>, service: &mut ServiceConfig) {
    const FAILED: [(&str, OnDependencyFailed); 2] = [
        ("wait", OnDependencyFailed::Wait),
        ("fail", OnDependencyFailed::Fail),
    ];
    const LOST: [(&str, OnDependencyLost); 3] = [
        ("keep", OnDependencyLost::Keep),
        ("restart", OnDependencyLost::Restart),
        ("stop", OnDependencyLost::Stop),
    ];
    service.dependencies = dependencies::dependencies(own);
    service.depends_timeout = own
        .value(&options::DEPENDS_TIMEOUT, duration)
        .unwrap_or_default();
    service.on_dependency_failed = own
        .value(&options::ON_DEPENDENCY_FAILED, |text| word(text, &FAILED))
        .unwrap_or(OnDependencyFailed::Wait);
    service.on_dependency_lost = own
        .value(&options::ON_DEPENDENCY_LOST, |text| word(text, &LOST))
        .unwrap_or(OnDependencyLost::Keep);
}

//! Reads `readiness` and `liveness` with their rhythm.

use super::own::{Mistake, OwnReader};
use super::probes::probe;
use super::values::{count, duration, some_count, some_duration};
use crate::options::{OptionSpec, service as options};
use crate::service::{Checks, Probe, ProbeKind, ServiceConfig};

/// Most probes of one purpose.
const MOST_PROBES: usize = 32;

/// Puts the checks of a section into a configuration.
pub(super) fn checks(own: &mut OwnReader<'_, '_, '_>, service: &mut ServiceConfig) {
    let readiness = Checks {
        probes: probes(own, &options::READINESS, |_| Ok(())),
        interval: own
            .value(&options::READINESS_INTERVAL, duration)
            .unwrap_or_default(),
        timeout: own
            .value(&options::READINESS_TIMEOUT, some_duration)
            .unwrap_or_default(),
        successes: own
            .value(&options::READINESS_SUCCESSES, some_count)
            .unwrap_or(1),
        failures: own
            .value(&options::READINESS_FAILURES, some_count)
            .unwrap_or(1),
    };
    service.readiness = (!readiness.probes.is_empty()).then_some(readiness);
    service.ready_within = own
        .value(&options::READY_WITHIN, duration)
        .unwrap_or_default();
    let liveness = Checks {
        probes: probes(own, &options::LIVENESS, can_be_repeated),
        interval: own
            .value(&options::LIVENESS_INTERVAL, some_duration)
            .unwrap_or_default(),
        timeout: own
            .value(&options::LIVENESS_TIMEOUT, some_duration)
            .unwrap_or_default(),
        successes: 1,
        failures: own
            .value(&options::LIVENESS_FAILURES, some_count)
            .unwrap_or(1),
    };
    service.liveness = (!liveness.probes.is_empty()).then_some(liveness);
    service.liveness_start_period = own
        .value(&options::LIVENESS_START_PERIOD, duration)
        .unwrap_or_default();
    service.liveness_restarts = own
        .value(&options::LIVENESS_RESTARTS, count)
        .unwrap_or_default();
}

fn probes(
    own: &mut OwnReader<'_, '_, '_>,
    option: &OptionSpec,
    suits: impl Fn(&ProbeKind) -> Result<(), Mistake>,
) -> Vec<Probe> {
    let world = own.reader.world;
    let mut probes = own.lines(option, |piece| {
        let kind = probe(world, &piece.text)?;
        suits(&kind)?;
        Ok(Probe {
            // As written: what a name stands for may be a secret, and this is shown.
            text: piece.written.to_owned(),
            kind,
        })
    });
    if probes.len() > MOST_PROBES {
        probes.truncate(MOST_PROBES);
        if let Some(span) = own.reader.span(option) {
            let message = format!("these are more than {MOST_PROBES} probes");
            let statement = crate::findings::Statement::ours(message);
            let help = "put several questions into one command, with `exec:`";
            own.problem(option, span, statement.help(help));
        }
    }
    probes
}

/// What is said once cannot show that a service still works.
fn can_be_repeated(kind: &ProbeKind) -> Result<(), Mistake> {
    let name = match kind {
        ProbeKind::Log { .. } => "log:",
        ProbeKind::Descriptor(_) => "fd:",
        ProbeKind::Tcp { .. }
        | ProbeKind::Unix { .. }
        | ProbeKind::Http(_)
        | ProbeKind::Exec { .. }
        | ProbeKind::File { .. }
        | ProbeKind::Notify => return Ok(()),
    };
    Err(Mistake::new(format!(
        "`{name}` says something once, so it cannot show that the program still works"
    ))
    .help("use it for `readiness`, and ask here with `tcp:`, `http:`, `exec:` or `notify`"))
}

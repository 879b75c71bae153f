//! Reads what every section of the boot says about its failure, and about the services that need it.

use crate::boot::{OnFailure, StepPolicy};
use crate::findings::Statement;
use crate::options::OptionSpec;
use crate::service_options::{OwnReader, word};

/// `on_failure` and `services` of a section.
pub(super) fn policy(
    own: &mut OwnReader<'_, '_, '_>,
    on_failure: &OptionSpec,
    services: &OptionSpec,
) -> StepPolicy {
    const WORDS: [(&str, OnFailure); 3] = [
        ("fatal", OnFailure::Fatal),
        ("warn", OnFailure::Warn),
        ("skip", OnFailure::Skip),
    ];
    let policy = StepPolicy {
        on_failure: own
            .value(on_failure, |text| word(text, &WORDS))
            .unwrap_or(OnFailure::Fatal),
        services: own
            .if_written(services, |text| Ok(names(text)))
            .unwrap_or_default(),
    };
    if policy.on_failure == OnFailure::Skip && policy.services.is_empty() {
        own.option_problem(
            on_failure,
            Statement::ours("`skip` needs the services that are left out then")
                .help("add `services=` with their names, or write `warn`"),
        );
    }
    policy
}

/// What commas and line ends separate.
fn names(text: &str) -> Vec<String> {
    text.split([',', '\n'])
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

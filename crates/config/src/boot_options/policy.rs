//! Reads what every section of the boot says about its failure, and about the services that need it.

use std::time::Duration;

use crate::boot::{OnFailure, StepPolicy};
use crate::findings::Statement;
use crate::options::{OptionSpec, boot as options};
use crate::service_options::{Mistake, OwnReader, condition_against, count, duration, word};

/// Most attempts, and the longest wait before one: a boot must come to an end.
const MOST_RETRIES: u32 = 100;
const LONGEST_DELAY: Duration = Duration::from_secs(300);

/// The condition by which a section is switched off.
pub(super) fn off(own: &mut OwnReader<'_, '_, '_>) -> Option<String> {
    condition_against(own, &options::STEP_ENABLED)
}

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
        retries: own.value(&options::RETRIES, retries).unwrap_or_default(),
        retry_delay: own.value(&options::RETRY_DELAY, delay).unwrap_or_default(),
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

fn retries(text: &str) -> Result<u32, Mistake> {
    match count(text)? {
        retries @ 0..=MOST_RETRIES => Ok(retries),
        _ => Err(Mistake::new(format!(
            "more than {MOST_RETRIES} attempts are not made"
        ))),
    }
}

fn delay(text: &str) -> Result<Duration, Mistake> {
    let delay = duration(text)?;
    if delay > LONGEST_DELAY {
        return Err(Mistake::new("this is longer than 5 minutes").help("write `5m` at most"));
    }
    Ok(delay)
}

/// What commas and line ends separate.
pub(super) fn names(text: &str) -> Vec<String> {
    text.split([',', '\n'])
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

//! A deterministic simulator of the core: a virtual clock, a fake operating system, and histories that a
//! seed makes.
//!
//! A history is a random configuration and a list of stimuli (processes end, starts fail or hang, clocks
//! jump, people stop and start and reload at the worst moment). After each event every [`Invariant`] is
//! checked; at the end everything comes to rest and the daemon is shut down. What fails is replayed from
//! its seed and shrunk to the few stimuli that matter.
//!
//! The simulator knows the core only from outside, by its public interface, as the shell does.

mod applying;
mod checker;
mod checks;
mod configuration;
mod dependencies;
mod generator;
mod history;
mod invariants;
mod listeners;
mod lives;
mod random;
mod seen;
mod shrink;
mod start;
mod stimulus;
mod transcript;
mod world;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use generator::Generator;
use history::{Beginning, History};
pub(crate) use invariants::{Invariant, Violation};
use random::Random;
use stimulus::Stimulus;

/// A history that went wrong.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) seed: u64,
    pub(crate) violation: Violation,
    /// How many stimuli led to it, and how many of them are needed.
    pub(crate) stimuli: (usize, usize),
    /// What happens in the shrunk history, line by line.
    pub(crate) transcript: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.transcript)?;
        writeln!(f, "{}", self.violation)?;
        let (all, needed) = self.stimuli;
        write!(
            f,
            "seed {}: {all} stimuli, of which the {needed} above are needed",
            self.seed
        )
    }
}

/// Makes the history of a seed, with at least this many events, and returns how many there were.
pub(crate) fn simulate(seed: u64, events: usize) -> Result<usize, Box<Broken>> {
    let mut random = Random::new(seed);
    let beginning = Beginning {
        seed,
        config: configuration::configuration(&mut random),
        answers_at_once: random.percent(60),
    };
    let mut stimuli = Vec::new();
    let result = guarded(|| invent(&beginning, &mut random, events, &mut stimuli));
    match result {
        Ok(count) => Ok(count),
        Err(violation) => Err(Box::new(explain(&beginning, &stimuli, violation))),
    }
}

fn invent(
    beginning: &Beginning,
    random: &mut Random,
    events: usize,
    stimuli: &mut Vec<Stimulus>,
) -> Result<usize, Violation> {
    let generator = Generator::new(random, events);
    let mut history = History::begin(beginning, false)?;
    while history.events < events {
        let stimulus = generator.next(random, &history);
        stimuli.push(stimulus.clone());
        history.apply(&stimulus)?;
    }
    history.end(beginning.seed)?;
    history.compare_twin()?;
    Ok(history.events)
}

/// Plays these stimuli, and returns what went wrong and what happened.
fn replay(
    beginning: &Beginning,
    stimuli: &[Stimulus],
    with_transcript: bool,
) -> (Option<Violation>, String) {
    let mut transcript = String::new();
    let result = guarded(|| {
        let mut history = History::begin(beginning, with_transcript)?;
        let result = guarded(|| {
            for stimulus in stimuli {
                history.apply(stimulus)?;
            }
            history.end(beginning.seed)?;
            history.compare_twin()
        });
        transcript = history.transcript.take().unwrap_or_default();
        result
    });
    (result.err(), transcript)
}

fn explain(beginning: &Beginning, stimuli: &[Stimulus], violation: Violation) -> Broken {
    // Shrinking a panic makes hundreds of them.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let is_same = |candidate: &[Stimulus]| {
        replay(beginning, candidate, false)
            .0
            .is_some_and(|other| other.invariant == violation.invariant)
    };
    let needed = shrink::shrink(stimuli, is_same);
    let (shrunk, transcript) = replay(beginning, &needed, true);
    std::panic::set_hook(hook);
    Broken {
        seed: beginning.seed,
        stimuli: (stimuli.len(), needed.len()),
        violation: shrunk.unwrap_or(violation),
        transcript,
    }
}

/// A panic is a violation like others.
fn guarded<T>(work: impl FnOnce() -> Result<T, Violation>) -> Result<T, Violation> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()))
                .unwrap_or_default();
            Err(Invariant::NoPanic.broken(text))
        }
    }
}

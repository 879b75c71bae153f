//! What is to be seen to, and was told: the log hears of it once a day.

use std::collections::BTreeMap;

use linchpin_log::LogLevel;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Each text with the day on which the log was told; without numbers, because days that are left change.
#[derive(Debug, Clone, Default)]
pub(super) struct Told(BTreeMap<String, i64>);

impl Told {
    /// Knows that all of this was told.
    pub(super) fn all(&mut self, problem: Option<&str>, warnings: &[String], now: i64) {
        self.not_yet(problem, warnings, false, now);
    }

    /// What is to be told of this now; with `anew` all of it. `now` is in seconds since 1970.
    pub(super) fn not_yet(
        &mut self,
        problem: Option<&str>,
        warnings: &[String],
        anew: bool,
        now: i64,
    ) -> Vec<(LogLevel, String)> {
        let today = now.div_euclid(DAY);
        let problem = problem.map(|text| (LogLevel::Error, text.to_owned()));
        let warnings = warnings.iter().map(|text| (LogLevel::Warn, text.clone()));
        let before = std::mem::take(&mut self.0);
        let mut lines = Vec::new();
        for (level, text) in problem.into_iter().chain(warnings) {
            let known_as = without_numbers(&text);
            if anew || before.get(&known_as) != Some(&today) {
                lines.push((level, text));
            }
            self.0.insert(known_as, today);
        }
        lines
    }
}

fn without_numbers(text: &str) -> String {
    text.replace(|character: char| character.is_ascii_digit(), "")
}

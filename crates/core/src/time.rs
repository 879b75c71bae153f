//! Time as it comes in from outside. The core never reads a clock.

use std::ops::Add;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Nanoseconds on a clock that never jumps; its zero has no meaning.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Monotonic(pub u64);

/// Nanoseconds since 1970 by the system's clock, which may jump either way.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Wall(pub i64);

/// The moment at which an event happened, by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Now {
    /// Decides: every timer and every "how long" uses this clock, so that setting the system's clock
    /// changes nothing.
    pub monotonic: Monotonic,
    /// Tells: what people and clients are shown.
    pub wall: Wall,
}

impl Monotonic {
    /// How long it is since `earlier`; zero if that lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Monotonic {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)),
        )
    }
}

impl Wall {
    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }
}

/// A count of seconds as written in a configuration: negative counts as none.
pub(crate) fn seconds(count: i64) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(0))
}

/// A length of time for people: "80 ms", "3.9 s", "12 s", "5 min", "2 h 5 min".
pub(crate) fn in_words(length: Duration) -> String {
    let milliseconds = length.as_millis();
    let seconds = length.as_secs();
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..10_000 => match (milliseconds % 1_000) / 100 {
            0 => format!("{seconds} s"),
            tenths => format!("{seconds}.{tenths} s"),
        },
        10_000..100_000 => format!("{seconds} s"),
        100_000..3_600_000 => match seconds % 60 {
            0 => format!("{} min", seconds / 60),
            rest => format!("{} min {rest} s", seconds / 60),
        },
        _ => match (seconds % 3_600) / 60 {
            0 => format!("{} h", seconds / 3_600),
            minutes => format!("{} h {minutes} min", seconds / 3_600),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_as_people_read_them() {
        for (milliseconds, words) in [
            (0, "0 ms"),
            (80, "80 ms"),
            (1_000, "1 s"),
            (3_999, "3.9 s"),
            (12_300, "12 s"),
            (99_999, "99 s"),
            (120_000, "2 min"),
            (125_000, "2 min 5 s"),
            (3_600_000, "1 h"),
            (7_500_000, "2 h 5 min"),
        ] {
            assert_eq!(in_words(Duration::from_millis(milliseconds)), words);
        }
    }
}

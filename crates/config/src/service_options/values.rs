//! Values of options of ours: durations, counts, fractions, words, ends.

use std::time::Duration;

use linchpin_python::signals::parse_signal;
use linchpin_python::strip;

use super::own::Mistake;
use crate::paths::expand_home;
use crate::service::EndPattern;
use crate::suggestion::closest;
use crate::value;
use crate::value_kind::ValueKind;
use crate::world::World;

/// Longest duration that can be written: about 136 years, far from where arithmetic on times would overflow.
const LONGEST_SECONDS: f64 = 4_294_967_295.0;

/// A length of time: a number of seconds, or one with a unit.
pub(crate) fn duration(text: &str) -> Result<Duration, Mistake> {
    let bad = || Mistake::new(format!("`{text}` is no duration"));
    let lower = strip(text).to_lowercase();
    let (number, factor) = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)]
        .into_iter()
        .find_map(|(unit, factor)| Some((lower.strip_suffix(unit)?, factor)))
        .unwrap_or((&lower, 1.0));
    let seconds = decimal(number.trim_end()).ok_or_else(bad)? * factor;
    if seconds > LONGEST_SECONDS {
        return Err(Mistake::new(format!("`{text}` is too long"))
            .help("write a shorter duration; where 0 is no limit, write 0"));
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| bad())
}

/// A length of time that cannot be zero.
pub(crate) fn some_duration(text: &str) -> Result<Duration, Mistake> {
    let duration = duration(text)?;
    if duration.is_zero() {
        return Err(Mistake::new("this must be more than 0"));
    }
    Ok(duration)
}

/// Digits, perhaps with a point among them.
fn decimal(text: &str) -> Option<f64> {
    let is_decimal = text
        .chars()
        .all(|character| character.is_ascii_digit() || character == '.')
        && text.contains(|character: char| character.is_ascii_digit());
    is_decimal.then(|| text.parse().ok()).flatten()
}

/// A whole number from 0.
pub(crate) fn count(text: &str) -> Result<u32, Mistake> {
    value::integer(text)
        .ok()
        .and_then(|number| u32::try_from(number).ok())
        .ok_or_else(|| Mistake::new(format!("`{text}` is no whole number from 0")))
}

/// A whole number from 1.
pub(crate) fn some_count(text: &str) -> Result<u32, Mistake> {
    match count(text)? {
        0 => Err(Mistake::new("this must be at least 1").help("write a whole number from 1")),
        number => Ok(number),
    }
}

/// A part of one, in thousandths.
pub(crate) fn per_mille(text: &str) -> Result<u32, Mistake> {
    let bad = || Mistake::new(format!("`{text}` is no number from 0 to 1"));
    let part = decimal(strip(text)).ok_or_else(bad)?;
    if part > 1.0 {
        return Err(bad());
    }
    // Between 0 and 1000 now.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the bounds were checked"
    )]
    let thousandths = (part * 1000.0).round() as u32;
    Ok(thousandths)
}

/// A number of bytes from 0.
pub(crate) fn bytes(text: &str) -> Result<u64, Mistake> {
    value::byte_size(text)
        .ok()
        .and_then(|bytes| u64::try_from(bytes).ok())
        .ok_or_else(|| Mistake::new(format!("`{text}` is no size")))
}

/// Yes or no.
pub(crate) fn boolean(text: &str) -> Result<bool, Mistake> {
    value::boolean(text).map_err(|_| Mistake::new(format!("`{text}` is neither yes nor no")))
}

/// A signal.
pub(crate) fn signal(text: &str) -> Result<i32, Mistake> {
    parse_signal(text).map_err(|_| {
        let mistake = Mistake::new(format!("`{text}` is no signal"));
        match closest(text, ValueKind::Signal.words()) {
            Some(meant) => mistake.help(format!("did you mean `{meant}`?")),
            None => mistake,
        }
    })
}

/// One word of a few.
pub(crate) fn word<T: Copy>(text: &str, words: &[(&'static str, T)]) -> Result<T, Mistake> {
    let lower = strip(text).to_lowercase();
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == lower) {
        return Ok(*value);
    }
    let mistake = Mistake::new(format!("`{text}` means nothing here"));
    let known = words.iter().map(|(word, _)| *word);
    Err(match closest(&lower, known) {
        Some(meant) => mistake.help(format!("did you mean `{meant}`?")),
        None => mistake,
    })
}

/// Exit statuses and signals with commas between them.
pub(crate) fn ends(text: &str) -> Result<Vec<EndPattern>, Mistake> {
    let mut ends = Vec::new();
    let mut offset = 0;
    for item in text.split(',') {
        let word = strip(item);
        let start = offset + (item.len() - item.trim_start().len());
        offset += item.len() + 1;
        if word.is_empty() {
            continue;
        }
        let range = start..start + word.len();
        let end = if word.starts_with(|first: char| first.is_ascii_digit() || first == '-') {
            value::integer(word)
                .ok()
                .and_then(|code| i32::try_from(code).ok())
                .filter(|code| (0..=255).contains(code))
                .map(EndPattern::Code)
                .ok_or_else(|| Mistake::new(format!("`{word}` is no exit status")))
        } else {
            signal(word).map(EndPattern::Signal)
        };
        ends.push(end.map_err(|mistake| mistake.at(range))?);
    }
    Ok(ends)
}

/// A path of a file, absolute; empty is none.
pub(crate) fn file(world: &dyn World, text: &str) -> Option<String> {
    let text = strip(text);
    (!text.is_empty()).then(|| world.normalized(&expand_home(world, text)))
}

/// A command line that can be split into words; empty is none.
pub(crate) fn command(text: &str) -> Result<Option<String>, Mistake> {
    let text = strip(text);
    if text.is_empty() {
        return Ok(None);
    }
    splits_into_words(text)?;
    Ok(Some(text.to_owned()))
}

/// Whether a command line can be split into words.
pub(crate) fn splits_into_words(text: &str) -> Result<(), Mistake> {
    match linchpin_python::shlex::split(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(Mistake::new(format!(
            "this command cannot be split into words ({error})"
        ))
        .help("close the quotation mark, or double the backslash")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_or_are_seconds() {
        for (text, expected) in [
            ("500ms", Some(500)),
            ("2s", Some(2000)),
            (" 1.5 h ", Some(5_400_000)),
            ("5M", Some(300_000)),
            ("0.25", Some(250)),
            ("10", Some(10_000)),
            ("0", Some(0)),
            (".5s", Some(500)),
            ("", None),
            ("s", None),
            (".", None),
            ("-1", None),
            ("1e3", None),
            ("1.2.3", None),
            ("inf", None),
            ("1d", None),
            ("1m30s", None),
            ("99999999999", None),
        ] {
            let found = duration(text).ok().map(|found| found.as_millis());
            assert_eq!(found, expected, "{text:?}");
        }
        assert!(some_duration("0ms").is_err());
    }

    #[test]
    fn numbers_stay_in_their_bounds() {
        for (text, expected) in [
            ("0", Some(0)),
            (" 3 ", Some(3)),
            ("-1", None),
            ("x", None),
            ("4294967296", None),
        ] {
            assert_eq!(count(text).ok(), expected, "{text}");
        }
        assert!(some_count("0").is_err());
        for (text, expected) in [
            ("0", Some(0)),
            ("0.1", Some(100)),
            ("1", Some(1000)),
            ("1.01", None),
            ("-0.1", None),
            ("10%", None),
        ] {
            assert_eq!(per_mille(text).ok(), expected, "{text}");
        }
        assert_eq!(bytes("512MB").ok(), Some(512 << 20));
        assert_eq!(bytes("-1").ok(), None);
    }

    #[test]
    fn ends_are_codes_and_signals() {
        assert_eq!(
            ends("64, 78,SIGILL, term,").unwrap(),
            [
                EndPattern::Code(64),
                EndPattern::Code(78),
                EndPattern::Signal(4),
                EndPattern::Signal(15)
            ]
        );
        assert_eq!(ends("").unwrap(), []);
        for (text, range) in [("1, 256", 3..6), ("SIGIL", 0..5), ("-1", 0..2)] {
            assert_eq!(ends(text).unwrap_err().range, Some(range), "{text}");
        }
    }

    #[test]
    fn words_are_suggested() {
        let words = [("wait", 1), ("fail", 2)];
        assert_eq!(word("Wait", &words), Ok(1));
        let help = word("fial", &words).unwrap_err().help;
        assert_eq!(help.as_deref(), Some("did you mean `fail`?"));
    }
}

//! Moments as people write and read them, in the time zone of this machine.

use std::time::Duration;

use linchpin_sys::time::LocalTime;

const DAY: i64 = 86_400;

/// A length of time: a number with `s`, `m`, `h` or `d`; without a unit it is seconds.
pub(crate) fn parse_length(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    let number: u64 = digits.trim_end().parse().ok()?;
    Some(Duration::from_secs(number.checked_mul(factor)?))
}

/// A moment, in milliseconds since 1970: so long ago, a time of the day, a date, or both, or `@SECONDS`.
pub(super) fn parse_moment(text: &str, now: i64) -> Option<i64> {
    let text = text.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.parse::<i64>().ok()?.checked_mul(1000);
    }
    let ago = text.strip_suffix("ago").unwrap_or(text).trim_end();
    if let Some(length) = parse_length(ago) {
        let length = i64::try_from(length.as_millis()).ok()?;
        return now.checked_sub(length);
    }
    let now_seconds = now.div_euclid(1000);
    let here = LocalTime::at(now_seconds);
    let today = days_of(i64::from(here.year), here.month.into(), here.day.into());
    let seconds = match text.split_once([' ', 'T']) {
        Some((date, time)) => parse_date(date)? * DAY + parse_time(time.trim())?,
        None if text.contains(':') => {
            let time = parse_time(text)?;
            let is_to_come = at_home(today * DAY + time) > now_seconds;
            (today - i64::from(is_to_come)) * DAY + time
        }
        None => parse_date(text)? * DAY,
    };
    at_home(seconds).checked_mul(1000)
}

/// Seconds since 1970 when clocks here show so many seconds since 1970.
fn at_home(shown: i64) -> i64 {
    // The offset that counts is that of the moment itself; a look there and back finds it, but for the hour that is
    // shown twice a year.
    let near = shown - LocalTime::at(shown).utc_offset_seconds;
    shown - LocalTime::at(near).utc_offset_seconds
}

fn parse_time(text: &str) -> Option<i64> {
    let parts: Vec<i64> = numbers(text, ':')?;
    match parts[..] {
        [hour @ 0..24, minute @ 0..60] => Some(hour * 3600 + minute * 60),
        [hour @ 0..24, minute @ 0..60, second @ 0..60] => Some(hour * 3600 + minute * 60 + second),
        _ => None,
    }
}

fn parse_date(text: &str) -> Option<i64> {
    match numbers(text, '-')?[..] {
        [year @ 1970..10_000, month @ 1..=12, day @ 1..=31] => Some(days_of(year, month, day)),
        _ => None,
    }
}

fn numbers(text: &str, between: char) -> Option<Vec<i64>> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split(between)
        .map(|part| is_number(part).then(|| part.parse().ok())?)
        .collect()
}

/// Days since 1970 of a date of our calendar.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // From March on, every five months have 153 days.
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// Date and time to the millisecond.
pub(super) fn full(milliseconds: i64) -> String {
    let thousandths = milliseconds.rem_euclid(1000);
    format!(
        "{}.{thousandths:03}",
        LocalTime::at(milliseconds.div_euclid(1000)).log_stamp()
    )
}

/// The time of the day, with the date in front of it if that is not today.
pub(super) fn short(milliseconds: i64, now: i64) -> String {
    let at = LocalTime::at(milliseconds.div_euclid(1000));
    let today = LocalTime::at(now.div_euclid(1000));
    let stamp = at.log_stamp();
    if (at.year, at.month, at.day) == (today.year, today.month, today.day) {
        stamp
            .split_once(' ')
            .map_or(stamp.clone(), |(_, time)| time.to_owned())
    } else {
        stamp
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read() {
        for (text, expected) in [
            ("10m", Some(600)),
            ("2h", Some(7200)),
            ("1d", Some(86_400)),
            ("45", Some(45)),
            ("45s", Some(45)),
            ("", None),
            ("m", None),
            ("5w", None),
            ("-5m", None),
            ("99999999999999999d", None),
        ] {
            assert_eq!(
                parse_length(text),
                expected.map(Duration::from_secs),
                "{text}"
            );
        }
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(days_of(1970, 1, 1), 0);
        assert_eq!(days_of(2000, 2, 29), 11_016);
        assert_eq!(days_of(2000, 3, 1), 11_017);
        assert_eq!(days_of(2026, 11, 26), 20_783);
    }

    #[test]
    fn a_moment_that_is_shown_is_read_back() {
        let now = 1_795_684_745_000;
        for moment in [0, 951_782_400_000, 1_795_684_000_000, now] {
            let shown = full(moment);
            assert_eq!(parse_moment(&shown[..19], now), Some(moment), "{shown}");
        }
        assert_eq!(parse_moment("@5", now), Some(5000));
        assert_eq!(parse_moment("10m", now), Some(now - 600_000));
        assert_eq!(parse_moment("10m ago", now), Some(now - 600_000));
        for wrong in [
            "yesterday",
            "25:00",
            "2026-13-01",
            "2026-1",
            "12:00 2026-01-01",
            "",
        ] {
            assert_eq!(parse_moment(wrong, now), None, "{wrong}");
        }
    }

    #[test]
    fn a_time_of_the_day_is_the_latest_that_is_over() {
        let now = 1_795_684_745_000;
        for text in ["00:00", "23:59:59", "12:30"] {
            let moment = parse_moment(text, now).unwrap();
            assert!(moment <= now && now - moment < 86_400_000, "{text}");
            assert!(full(moment).contains(text), "{text}");
        }
    }
}

//! Dates, for people.

/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;

/// The day of a time in seconds since 1970, in UTC, such as `2027-01-31`.
pub(crate) fn day_of(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02}")
}

/// A time in milliseconds since 1970, in UTC, such as `2027-01-31T23:59:59.999Z`.
pub(crate) fn timestamp(milliseconds: i64) -> String {
    let seconds = milliseconds.div_euclid(1000);
    let of_day = seconds.rem_euclid(DAY);
    format!(
        "{}T{:02}:{:02}:{:02}.{:03}Z",
        day_of(seconds),
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60,
        milliseconds.rem_euclid(1000)
    )
}

/// Whole days from one time to another; negative if it is past.
pub(crate) fn days_until(end: i64, now: i64) -> i64 {
    end.saturating_sub(now).div_euclid(DAY)
}

/// Year, month and day of a day since 1970, in the Gregorian calendar.
///
/// Years begin in March here, so that the day that only some have is the last of one.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    const DAYS_OF_ERA: i64 = 146_097;
    let shifted = days + 719_468;
    let era = shifted.div_euclid(DAYS_OF_ERA);
    let day_of_era = shifted.rem_euclid(DAYS_OF_ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_798_761_599, "2026-12-31"),
            (1_798_761_600, "2027-01-01"),
            (4_107_542_400, "2100-03-01"),
            (253_402_300_799, "9999-12-31"),
        ] {
            assert_eq!(day_of(seconds), expected);
        }
    }

    #[test]
    fn moments_are_told_to_the_millisecond() {
        for (milliseconds, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (1_798_761_599_042, "2026-12-31T23:59:59.042Z"),
        ] {
            assert_eq!(timestamp(milliseconds), expected);
        }
    }

    #[test]
    fn what_is_past_has_negative_days() {
        assert_eq!(days_until(10 * DAY, DAY), 9);
        assert_eq!(days_until(DAY, DAY + 1), -1);
        assert_eq!(days_until(DAY, DAY), 0);
    }
}

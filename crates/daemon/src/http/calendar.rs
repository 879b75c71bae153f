//! Calendar arithmetic for the few dates that clients see. Knows no time zones: callers add the offset.

use std::time::{SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// A moment taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CivilTime {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: u8,
    pub(crate) day: u8,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
    /// Three letters.
    pub(crate) weekday: &'static str,
}

impl CivilTime {
    /// Of seconds since 1970, to which the offset of a time zone may have been added.
    pub(crate) fn of_seconds(seconds: i64) -> Self {
        let days = seconds.div_euclid(86_400);
        let of_day = seconds.rem_euclid(86_400);
        // Days are counted from the first of March of the year 0, so that the leap day is a year's last;
        // 146,097 days are 400 years.
        let shifted = days.saturating_add(719_468);
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: small(month),
            day: small(day),
            hour: small(of_day / 3_600),
            minute: small(of_day / 60 % 60),
            second: small(of_day % 60),
            weekday: usize::try_from(days.rem_euclid(7))
                .ok()
                .and_then(|index| WEEKDAYS.get(index).copied())
                .unwrap_or("Thu"),
        }
    }

    /// In UTC; moments before 1970 count as 1970.
    pub(crate) fn of(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::of_seconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    /// Three letters.
    pub(crate) fn month_name(&self) -> &'static str {
        MONTHS
            .get(usize::from(self.month).wrapping_sub(1))
            .copied()
            .unwrap_or("Jan")
    }

    /// `Mon, 23 Nov 2026 23:35:06 GMT`, for headers; of a time in UTC.
    pub(crate) fn http_date(&self) -> String {
        format!(
            "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
            self.weekday,
            self.day,
            self.month_name(),
            self.year,
            self.hour,
            self.minute,
            self.second
        )
    }

    /// Seconds since 1970 of a date as [`http_date`](Self::http_date) writes it. What stands behind a
    /// semicolon, as some clients add it, is ignored.
    pub(crate) fn parse_http_date(text: &str) -> Option<i64> {
        let text = text.split(';').next()?;
        let (_, date) = text.split_once(", ")?;
        let words: Vec<&str> = date.split_whitespace().collect();
        let [day, month, year, time, "GMT"] = words.as_slice() else {
            return None;
        };
        let day: i64 = day.parse().ok().filter(|day| (1..=31).contains(day))?;
        let month = MONTHS.iter().position(|name| name == month)?;
        let year: i64 = year.parse().ok().filter(|year| (0..=9999).contains(year))?;
        let mut seconds = 0;
        let mut parts = time.split(':');
        for most in [23, 59, 60] {
            let part: i64 = parts.next()?.parse().ok()?;
            seconds = seconds * 60 + Some(part).filter(|part| (0..=most).contains(part))?;
        }
        // As in `of_seconds`: years begin in March.
        let month = i64::try_from(month).ok()?;
        let (year, shifted_month) = if month < 2 {
            (year - 1, month + 10)
        } else {
            (year, month - 2)
        };
        let days = year * 365 + year.div_euclid(4) - year.div_euclid(100)
            + year.div_euclid(400)
            + (153 * shifted_month + 2) / 5
            + day
            - 1
            - 719_468;
        parts.next().is_none().then_some(days * 86_400 + seconds)
    }

    /// `23/Nov/2026:23:35:06 +0000`; of a time in UTC.
    pub(crate) fn access_log_date(&self) -> String {
        format!(
            "{:02}/{}/{:04}:{:02}:{:02}:{:02} +0000",
            self.day,
            self.month_name(),
            self.year,
            self.hour,
            self.minute,
            self.second
        )
    }
}

/// Parts of dates are small by construction.
fn small(number: i64) -> u8 {
    u8::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_taken_apart() {
        for (seconds, expected) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_795_476_906, "Mon, 23 Nov 2026 23:35:06 GMT"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        ] {
            assert_eq!(CivilTime::of_seconds(seconds).http_date(), expected);
            assert_eq!(CivilTime::parse_http_date(expected), Some(seconds));
        }
        for seconds in (0..4_200_000_000).step_by(86_400 * 13 + 12_345) {
            let date = CivilTime::of_seconds(seconds).http_date();
            assert_eq!(CivilTime::parse_http_date(&date), Some(seconds), "{date}");
        }
        for text in [
            "",
            "yesterday",
            "Thu, 32 Jan 1970 00:00:00 GMT",
            "Thu, 01 Jam 1970 00:00:00 GMT",
            "Thu, 01 Jan 1970 24:00:00 GMT",
            "Thu, 01 Jan 1970 00:00 GMT",
            "Thu, 01 Jan 1970 00:00:00 CET",
        ] {
            assert_eq!(CivilTime::parse_http_date(text), None, "{text}");
        }
        let with_length = "Thu, 01 Jan 1970 00:00:00 GMT; length=7";
        assert_eq!(CivilTime::parse_http_date(with_length), Some(0));
        // What no clock says is no reason to fail.
        let _ = CivilTime::of_seconds(i64::MAX).http_date();
        let _ = CivilTime::of_seconds(i64::MIN).http_date();
    }
}

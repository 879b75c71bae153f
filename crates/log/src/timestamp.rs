//! Local time as log lines show it. The offset from UTC comes from `sys`; the calendar is computed
//! here.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds that local time is ahead of UTC at a moment (seconds since 1970).
pub type UtcOffset = fn(i64) -> i64;

/// Formats moments; remembers the last second, since lines come in bursts.
#[derive(Debug, Clone)]
pub(crate) struct Timestamps {
    utc_offset: UtcOffset,
    second: i64,
    text: String,
}

struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Timestamps {
    pub(crate) fn new(utc_offset: UtcOffset) -> Self {
        Self {
            utc_offset,
            second: i64::MIN,
            text: String::new(),
        }
    }

    /// Appends `YYYY-MM-DD HH:MM:SS,mmm`.
    pub(crate) fn append(&mut self, time: SystemTime, line: &mut String) {
        let (second, millisecond) = split(time);
        if second != self.second {
            self.second = second;
            self.text.clear();
            let civil = self.civil(second);
            let Civil {
                year,
                month,
                day,
                hour,
                minute,
                second,
            } = civil;
            let _ = write!(
                self.text,
                "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
            );
        }
        line.push_str(&self.text);
        let _ = write!(line, ",{millisecond:03}");
    }

    /// Appends `Mmm dd hh:mm:ss`, as syslog messages have it.
    pub(crate) fn append_syslog(&self, time: SystemTime, line: &mut String) {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let civil = self.civil(split(time).0);
        let month = usize::try_from(civil.month - 1)
            .ok()
            .and_then(|index| MONTHS.get(index))
            .unwrap_or(&"Jan");
        let _ = write!(
            line,
            "{month} {:2} {:02}:{:02}:{:02}",
            civil.day, civil.hour, civil.minute, civil.second
        );
    }

    fn civil(&self, second: i64) -> Civil {
        civil(second + (self.utc_offset)(second))
    }
}

fn split(time: SystemTime) -> (i64, u32) {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (
            i64::try_from(after.as_secs()).unwrap_or(i64::MAX / 2),
            after.subsec_millis(),
        ),
        // A clock before 1970: the second is rounded down.
        Err(before) => {
            let before = before.duration();
            let seconds = i64::try_from(before.as_secs()).unwrap_or(i64::MAX / 2);
            match before.subsec_millis() {
                0 => (-seconds, 0),
                millis => (-seconds - 1, 1000 - millis),
            }
        }
    }
}

/// Gregorian calendar, by counting days from the first of March of year 0.
fn civil(local_second: i64) -> Civil {
    let days = local_second.div_euclid(86_400);
    let in_day = local_second.rem_euclid(86_400);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
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
    Civil {
        year,
        month,
        day,
        hour: in_day / 3_600,
        minute: in_day / 60 % 60,
        second: in_day % 60,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn check(second: i64, nanosecond: u32, expected: &str) {
        let time = if second >= 0 {
            UNIX_EPOCH + Duration::new(second.unsigned_abs(), nanosecond)
        } else {
            UNIX_EPOCH - Duration::from_secs(second.unsigned_abs())
                + Duration::from_nanos(u64::from(nanosecond))
        };
        let mut stamps = Timestamps::new(|_| 3_600);
        let mut line = String::new();
        stamps.append(time, &mut line);
        assert_eq!(line, expected);
    }

    #[test]
    fn a_moment_reads_as_local_time_with_milliseconds() {
        check(0, 0, "1970-01-01 01:00:00,000");
        check(951_782_399, 999_999_999, "2000-02-29 00:59:59,999");
        check(951_865_200, 1_000_000, "2000-03-01 00:00:00,001");
        check(1_735_685_999, 0, "2024-12-31 23:59:59,000");
        check(1_735_686_000, 0, "2025-01-01 00:00:00,000");
        check(4_107_538_799, 0, "2100-02-28 23:59:59,000");
        check(4_107_538_800, 0, "2100-03-01 00:00:00,000");
        check(-3_601, 500_000_000, "1969-12-31 23:59:59,500");
    }

    #[test]
    fn syslog_pads_the_day_with_a_blank() {
        let mut line = String::new();
        Timestamps::new(|_| 0).append_syslog(UNIX_EPOCH + Duration::from_secs(3_661), &mut line);
        assert_eq!(line, "Jan  1 01:01:01");
    }
}

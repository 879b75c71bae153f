//! The clocks, and local time as the original prints it.

use std::mem::MaybeUninit;
use std::sync::Once;

use rustix::time::{ClockId, Timespec, clock_gettime};

const NANOSECONDS: i64 = 1_000_000_000;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

unsafe extern "C" {
    /// Reads the time zone from `TZ` or `/etc/localtime`; libc's own declaration is missing.
    fn tzset();
}

/// Nanoseconds on a clock that never jumps. It stands still while the machine sleeps.
#[must_use]
pub fn monotonic() -> u64 {
    u64::try_from(nanoseconds(clock_gettime(ClockId::Monotonic))).unwrap_or(0)
}

/// Nanoseconds since 1970 by the system's clock, which may jump either way.
#[must_use]
pub fn wall() -> i64 {
    nanoseconds(clock_gettime(ClockId::Realtime))
}

fn nanoseconds(time: Timespec) -> i64 {
    time.tv_sec
        .saturating_mul(NANOSECONDS)
        .saturating_add(time.tv_nsec)
}

/// A moment as clock and calendar of this machine's time zone show it.
///
/// Making one costs a look into libc's time zone table, under a lock: callers that format many moments of the
/// same second keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// Such as 2026.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60.
    pub second: u8,
    /// 0 is Sunday.
    pub weekday: u8,
    /// How many seconds local time is ahead of UTC.
    pub utc_offset_seconds: i64,
}

impl LocalTime {
    /// The local time at this many seconds since 1970. Years beyond what libc can tell are shown as 1970.
    #[must_use]
    pub fn at(wall_seconds: i64) -> Self {
        static ZONE: Once = Once::new();
        ZONE.call_once(|| {
            // SAFETY: nothing in this program changes the environment while threads run (`clippy.toml` forbids
            // `set_var`), and the variables of libc that this sets are read by nobody else.
            unsafe { tzset() };
        });
        let seconds = wall_seconds;
        let mut parts = MaybeUninit::<libc::tm>::zeroed();
        // SAFETY: one number to read, one `tm` to write.
        let answer = unsafe { libc::localtime_r(&raw const seconds, parts.as_mut_ptr()) };
        if answer.is_null() && wall_seconds != 0 {
            return Self::at(0);
        }
        // SAFETY: zeroed bytes are a valid `tm`, and so is what libc wrote.
        let parts = unsafe { parts.assume_init() };
        let small = |number: i32| u8::try_from(number).unwrap_or(0);
        Self {
            year: parts.tm_year.saturating_add(1900),
            month: small(parts.tm_mon + 1),
            day: small(parts.tm_mday),
            hour: small(parts.tm_hour),
            minute: small(parts.tm_min),
            second: small(parts.tm_sec),
            weekday: small(parts.tm_wday),
            utc_offset_seconds: parts.tm_gmtoff,
        }
    }

    fn month_name(&self) -> &'static str {
        let index = usize::from(self.month).saturating_sub(1);
        MONTHS.get(index).copied().unwrap_or("???")
    }

    fn weekday_name(&self) -> &'static str {
        let index = usize::from(self.weekday);
        WEEKDAYS.get(index).copied().unwrap_or("???")
    }

    /// `YYYY-MM-DD HH:MM:SS`, the first part of a log line.
    #[must_use]
    pub fn log_stamp(&self) -> String {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            ..
        } = self;
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }

    /// `%b %d %I:%M %p`, as in `Nov 23 08:37 PM`: when a process stopped.
    #[must_use]
    pub fn stop_stamp(&self) -> String {
        let (name, day, minute) = (self.month_name(), self.day, self.minute);
        let half = if self.hour < 12 { "AM" } else { "PM" };
        let hour = match self.hour % 12 {
            0 => 12,
            hour => hour,
        };
        format!("{name} {day:02} {hour:02}:{minute:02} {half}")
    }

    /// `ctime` without its newline: `Mon Nov  2 20:37:01 2026`.
    #[must_use]
    pub fn ctime(&self) -> String {
        let (weekday, month) = (self.weekday_name(), self.month_name());
        let Self {
            year,
            day,
            hour,
            minute,
            second,
            ..
        } = self;
        format!("{weekday} {month} {day:>2} {hour:02}:{minute:02}:{second:02} {year}")
    }
}

/// `YYYY-MM-DD HH:MM:SS,mmm` of a moment in nanoseconds since 1970.
#[must_use]
pub fn format_log_stamp(wall: i64) -> String {
    let milliseconds = wall.rem_euclid(NANOSECONDS) / 1_000_000;
    let stamp = LocalTime::at(wall.div_euclid(NANOSECONDS)).log_stamp();
    format!("{stamp},{milliseconds:03}")
}

/// `Nov 23 08:37 PM` of a moment in seconds since 1970.
#[must_use]
pub fn format_stop_stamp(wall_seconds: i64) -> String {
    LocalTime::at(wall_seconds).stop_stamp()
}

/// `Mon Nov  2 20:37:01 2026` of a moment in seconds since 1970.
#[must_use]
pub fn format_ctime(wall_seconds: i64) -> String {
    LocalTime::at(wall_seconds).ctime()
}

/// How many seconds local time is ahead of UTC at this many seconds since 1970.
#[must_use]
pub fn utc_offset(wall_seconds: i64) -> i64 {
    LocalTime::at(wall_seconds).utc_offset_seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW_YEARS_EVE: LocalTime = LocalTime {
        year: 2026,
        month: 12,
        day: 31,
        hour: 23,
        minute: 5,
        second: 9,
        weekday: 4,
        utc_offset_seconds: 0,
    };

    #[test]
    fn moments_are_printed_like_the_original() {
        assert_eq!(NEW_YEARS_EVE.log_stamp(), "2026-12-31 23:05:09");
        assert_eq!(NEW_YEARS_EVE.stop_stamp(), "Dec 31 11:05 PM");
        assert_eq!(NEW_YEARS_EVE.ctime(), "Thu Dec 31 23:05:09 2026");
        let early = LocalTime {
            day: 2,
            month: 1,
            hour: 0,
            ..NEW_YEARS_EVE
        };
        assert_eq!(early.stop_stamp(), "Jan 02 12:05 AM");
        assert_eq!(early.ctime(), "Thu Jan  2 00:05:09 2026");
        let noon = LocalTime {
            hour: 12,
            ..NEW_YEARS_EVE
        };
        assert_eq!(noon.stop_stamp(), "Dec 31 12:05 PM");
    }

    #[test]
    fn local_time_is_utc_and_its_offset() {
        for seconds in [0, 1_700_000_000, 1_782_000_000, -86_400] {
            let local = LocalTime::at(seconds);
            let shifted = seconds + local.utc_offset_seconds;
            assert_eq!(i64::from(local.second), shifted.rem_euclid(60));
            assert_eq!(
                i64::from(local.minute),
                shifted.div_euclid(60).rem_euclid(60)
            );
            assert_eq!(
                i64::from(local.hour),
                shifted.div_euclid(3600).rem_euclid(24)
            );
            let weekday = (shifted.div_euclid(86_400) + 4).rem_euclid(7);
            assert_eq!(i64::from(local.weekday), weekday);
        }
        assert_eq!(LocalTime::at(i64::MAX), LocalTime::at(0));
    }

    #[test]
    fn milliseconds_are_those_of_the_second() {
        assert!(format_log_stamp(1_700_000_000_123_999_999).ends_with(",123"));
        assert!(format_log_stamp(-1).ends_with(",999"));
    }

    #[test]
    fn clocks_run() {
        let before = monotonic();
        assert!(monotonic() >= before);
        assert!(wall() > 1_700_000_000 * NANOSECONDS);
    }
}

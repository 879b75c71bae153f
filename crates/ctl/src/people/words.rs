//! Lengths of time and sizes as people say them.

/// `850 ms`, `5 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`.
pub(super) fn length(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let two = |first: u64, unit: &str, second: u64, smaller: &str| {
        if second == 0 {
            format!("{first} {unit}")
        } else {
            format!("{first} {unit} {second} {smaller}")
        }
    };
    match seconds {
        0 => format!("{milliseconds} ms"),
        1..60 => format!("{seconds} s"),
        60..3600 => two(seconds / 60, "min", seconds % 60, "s"),
        3600..86_400 => two(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

/// `712 KB`, `12.3 MB`, `1.8 GB`; a kilobyte is 1024 bytes.
pub(super) fn size(bytes: u64) -> String {
    let tenths = |unit: u64| {
        let tenths = bytes.saturating_mul(10) / unit;
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    match bytes {
        0..0x10_0000 => format!("{} KB", bytes >> 10),
        0x10_0000..0x4000_0000 => format!("{} MB", tenths(0x10_0000)),
        _ => format!("{} GB", tenths(0x4000_0000)),
    }
}

/// Processor time: `0.12 s`, `4.5 s`, `3 min 2 s`.
pub(super) fn processor_time(milliseconds: u64) -> String {
    if milliseconds >= 60_000 {
        return length(milliseconds);
    }
    let hundredths = milliseconds / 10;
    format!("{}.{:02} s", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_at_most_two_units() {
        for (milliseconds, expected) in [
            (0, "0 ms"),
            (850, "850 ms"),
            (5_900, "5 s"),
            (60_000, "1 min"),
            (200_000, "3 min 20 s"),
            (7_500_000, "2 h 5 min"),
            (86_400_000, "1 d"),
            (360_000_000, "4 d 4 h"),
        ] {
            assert_eq!(length(milliseconds), expected);
        }
        assert_eq!(processor_time(120), "0.12 s");
        assert_eq!(processor_time(182_000), "3 min 2 s");
    }

    #[test]
    fn sizes_have_three_digits_or_so() {
        for (bytes, expected) in [
            (0, "0 KB"),
            (145_000, "141 KB"),
            (12_900_000, "12.3 MB"),
            (1_932_735_283, "1.7 GB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }
}

//! Local time in a zone of our choice. The zone is read once, so each test is a process of its own.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

use linchpin_sys::time::{
    LocalTime, format_ctime, format_log_stamp, format_stop_stamp, utc_offset,
};

/// Runs the rest of a test in a process whose `TZ` is `zone`; whether this is that process.
fn in_zone(zone: &str, test: &str) -> bool {
    const MARK: &str = "LINCHPIN_TEST_IN_OWN_PROCESS";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(MARK, "1")
        .env("TZ", zone)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(text.contains("1 passed"), "{text}");
    false
}

/// Central Europe by its rule, so that no time zone files are needed.
const CENTRAL_EUROPE: &str = "CET-1CEST,M3.5.0,M10.5.0/3";
/// 2026-03-29 01:00 UTC: 02:00 becomes 03:00.
const SUMMER_BEGINS: i64 = 1_774_746_000;

#[test]
fn summer_time_begins_between_two_seconds() {
    if !in_zone(CENTRAL_EUROPE, "summer_time_begins_between_two_seconds") {
        return;
    }
    assert_eq!(utc_offset(SUMMER_BEGINS - 1), 3600);
    assert_eq!(utc_offset(SUMMER_BEGINS), 7200);
    assert_eq!(format_ctime(SUMMER_BEGINS - 1), "Sun Mar 29 01:59:59 2026");
    assert_eq!(format_ctime(SUMMER_BEGINS), "Sun Mar 29 03:00:00 2026");
    let stamp = format_log_stamp(SUMMER_BEGINS * 1_000_000_000 + 7_000_000);
    assert_eq!(stamp, "2026-03-29 03:00:00,007");
    assert_eq!(format_stop_stamp(SUMMER_BEGINS), "Mar 29 03:00 AM");
}

#[test]
fn zones_west_of_greenwich_are_behind() {
    if !in_zone("XXX3:30", "zones_west_of_greenwich_are_behind") {
        return;
    }
    let epoch = LocalTime::at(0);
    assert_eq!(epoch.utc_offset_seconds, -12_600);
    assert_eq!(epoch.log_stamp(), "1969-12-31 20:30:00");
    assert_eq!(epoch.stop_stamp(), "Dec 31 08:30 PM");
}

#[test]
fn an_unknown_zone_is_utc() {
    if !in_zone("No/Such/Zone", "an_unknown_zone_is_utc") {
        return;
    }
    assert_eq!(format_ctime(1_790_000_000), "Mon Sep 21 14:13:20 2026");
}

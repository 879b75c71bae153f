//! A question about the history, as clients write it.

use std::time::Duration;

use linchpin_protocol::api::{EVENTS_MAX, EventsFilter};

/// The words of a question. Empty ones were not meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EventsQuestion {
    /// Seconds since 1970, with a fraction if wanted.
    pub(crate) since: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) limit: Option<i64>,
    /// An id.
    pub(crate) after: Option<String>,
    /// Seconds.
    pub(crate) wait: Option<i64>,
}

impl EventsQuestion {
    /// What it means, and how long to wait.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn understood(self) -> Result<(EventsFilter, Duration), String> {
        let written = |text: Option<String>| text.filter(|text| !text.is_empty());
        let since = match written(self.since) {
            None => None,
            Some(text) => Some(
                milliseconds(&text)
                    .ok_or_else(|| format!("since is no number of seconds: {text}"))?,
            ),
        };
        let after = match written(self.after) {
            None => None,
            Some(text) => Some(
                text.parse()
                    .map_err(|_| format!("after is no id of an entry: {text}"))?,
            ),
        };
        let limit = match self.limit.unwrap_or(0) {
            0 => EVENTS_MAX,
            limit => usize::try_from(limit)
                .map_err(|_| format!("limit is negative: {limit}"))?
                .min(EVENTS_MAX),
        };
        let wait =
            u64::try_from(self.wait.unwrap_or(0)).map_err(|_| "wait is negative".to_owned())?;
        let filter = EventsFilter {
            service: written(self.service),
            since,
            after,
            limit,
        };
        Ok((filter, Duration::from_secs(wait)))
    }
}

/// Seconds with up to three decimals that count, as milliseconds.
fn milliseconds(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let thousandths: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    seconds.checked_mul(1000)?.checked_add(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_seconds_with_a_fraction() {
        for (text, expected) in [
            ("0", Some(0)),
            ("1700000000", Some(1_700_000_000_000)),
            ("1700000000.5", Some(1_700_000_000_500)),
            ("1700000000.123456", Some(1_700_000_000_123)),
            ("1700000000.", Some(1_700_000_000_000)),
            ("yesterday", None),
            ("1.x", None),
            ("1.-5", None),
            ("", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_written_is_everything() {
        let (filter, wait) = EventsQuestion::default().understood().unwrap();
        assert_eq!(filter, EventsFilter::default());
        assert_eq!(wait, Duration::ZERO);
        let question = EventsQuestion {
            since: Some(String::new()),
            service: Some("web".to_owned()),
            limit: Some(5),
            after: Some("7".to_owned()),
            wait: Some(2),
        };
        let (filter, wait) = question.understood().unwrap();
        assert_eq!(filter.service.as_deref(), Some("web"));
        assert_eq!((filter.limit, filter.after), (5, Some(7)));
        assert_eq!(wait, Duration::from_secs(2));
        for question in [
            EventsQuestion {
                limit: Some(-1),
                ..EventsQuestion::default()
            },
            EventsQuestion {
                after: Some("x".to_owned()),
                ..EventsQuestion::default()
            },
            EventsQuestion {
                wait: Some(-1),
                ..EventsQuestion::default()
            },
        ] {
            assert!(question.clone().understood().is_err(), "{question:?}");
        }
    }
}

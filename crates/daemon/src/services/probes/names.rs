//! Addresses of the hosts that probes name.
//!
//! A probe runs each second and its host hardly ever moves, so what was found is used for [`NAME_FRESH_TIME`], and only
//! then, or after an attempt that failed, is the system asked again. If it has no answer then, as when DNS is
//! down, the old one is used: that something cannot be looked up says nothing about the service.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use linchpin_sys::host;
use tokio::time::Instant;

use super::limits::{MOST_NAME_THREADS, MOST_NAMES, NAME_FRESH_TIME, NAME_TIME};
use crate::services::workers::Workers;

/// How long an answer is used at least, also when nobody can be reached there.
const LEAST: Duration = Duration::from_secs(5);

/// How long it is believed at least that there is no such name.
const LEAST_UNKNOWN: Duration = Duration::from_millis(100);

type LookUp = fn(&str, Duration) -> Option<Vec<IpAddr>>;

/// The names that are known.
#[derive(Debug)]
pub(super) struct Names {
    workers: Workers,
    look_up: LookUp,
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    /// None for a name that nobody knows.
    addresses: Vec<IpAddr>,
    looked_up: Instant,
    /// When to ask again.
    stale: Instant,
}

impl Names {
    pub(super) fn new() -> Self {
        Self::asking(|host, limit| host::look_up(host, limit).ok())
    }

    fn asking(look_up: LookUp) -> Self {
        Self {
            workers: Workers::new("names", MOST_NAME_THREADS),
            look_up,
            known: Mutex::default(),
        }
    }

    /// The addresses of a host, at least one, in the order in which they are to be tried; none if nobody knows
    /// it. Takes at most about `limit`, and half of it if there is an old answer to fall back on.
    pub(super) async fn addresses(&self, host: &str, limit: Duration) -> Option<Vec<IpAddr>> {
        if let Ok(address) = host.parse() {
            return Some(vec![address]);
        }
        let began = Instant::now();
        let old = self.known().get(host).cloned();
        if let Some(known) = &old
            && began < known.stale
        {
            return some(known.addresses.clone());
        }
        let old = old.and_then(|known| some(known.addresses));
        let limit = if old.is_some() { limit / 2 } else { limit };
        let (name, look_up) = (host.to_owned(), self.look_up);
        let question = self
            .workers
            .run(host, move || look_up(&name, NAME_TIME.min(limit)));
        let answer = tokio::time::timeout(limit, question).await;
        let found = answer.ok().flatten().flatten().or(old);
        let now = Instant::now();
        let pause = match &found {
            Some(_) => NAME_FRESH_TIME,
            None => LEAST_UNKNOWN.max(now - began),
        };
        self.remember(
            host,
            Known {
                addresses: found.clone().unwrap_or_default(),
                looked_up: now,
                stale: now + pause,
            },
        );
        found
    }

    /// Nobody was reached at the addresses of this host: it may have moved.
    pub(super) fn doubt(&self, host: &str) {
        if let Some(known) = self.known().get_mut(host) {
            known.stale = known.stale.min(known.looked_up + LEAST);
        }
    }

    fn remember(&self, host: &str, new: Known) {
        let mut known = self.known();
        if known.len() >= MOST_NAMES && !known.contains_key(host) {
            let oldest = known.iter().min_by_key(|(_, known)| known.looked_up);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                known.remove(&oldest);
            }
        }
        known.insert(host.to_owned(), new);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn some(addresses: Vec<IpAddr>) -> Option<Vec<IpAddr>> {
    (!addresses.is_empty()).then_some(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicU8, Ordering};

    const LIMIT: Duration = Duration::from_secs(3);

    fn address(last: u8) -> Option<Vec<IpAddr>> {
        Some(vec![Ipv4Addr::new(10, 0, 0, last).into()])
    }

    #[tokio::test]
    async fn addresses_need_no_look() {
        let names = Names::asking(|_, _| None);
        let found = names.addresses("::1", LIMIT).await;
        assert_eq!(found, Some(vec!["::1".parse().unwrap()]));
        assert_eq!(names.addresses("gone", LIMIT).await, None);
    }

    #[tokio::test]
    async fn an_answer_is_kept_until_it_is_old_or_doubted() {
        static ASKED: AtomicU8 = AtomicU8::new(0);
        let names = Names::asking(|_, _| address(ASKED.fetch_add(1, Ordering::SeqCst)));
        let now = || names.addresses("db", LIMIT);
        assert_eq!(now().await, address(0));
        assert_eq!(now().await, address(0));
        tokio::time::pause();
        tokio::time::advance(LEAST).await;
        assert_eq!(now().await, address(0));
        tokio::time::resume();
        names.doubt("db");
        assert_eq!(now().await, address(1));
        names.doubt("db");
        assert_eq!(now().await, address(1));
        tokio::time::pause();
        tokio::time::advance(NAME_FRESH_TIME).await;
        tokio::time::resume();
        assert_eq!(now().await, address(2));
    }

    #[tokio::test]
    async fn an_old_answer_is_better_than_none() {
        static ASKED: AtomicU8 = AtomicU8::new(0);
        let names = Names::asking(|_, _| match ASKED.fetch_add(1, Ordering::SeqCst) {
            1 => None,
            number => address(number),
        });
        assert_eq!(names.addresses("db", LIMIT).await, address(0));
        tokio::time::pause();
        tokio::time::advance(NAME_FRESH_TIME).await;
        tokio::time::resume();
        assert_eq!(names.addresses("db", LIMIT).await, address(0));
        assert_eq!(ASKED.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn only_so_many_names_are_remembered() {
        let names = Names::asking(|_, _| address(1));
        for number in 0..MOST_NAMES + 3 {
            names.addresses(&format!("host{number}"), LIMIT).await;
        }
        assert_eq!(names.known().len(), MOST_NAMES);
        assert!(!names.known().contains_key("host2"));
        assert!(names.known().contains_key("host3"));
    }
}

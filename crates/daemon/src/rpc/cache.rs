//! The `cache` interface: what clients store for each other. Its rules are those of the package
//! `supervisor_cache`.
//!
//! There, each HTTP server has a cache of its own, which nobody wants; here all share one. It is gone when the
//! daemon ends or begins anew, as there.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use linchpin_protocol::{Fault, FaultCode, Value};

use super::Answered;
use crate::http::limits::{MAX_CACHE_BYTES, MAX_CACHE_KEYS};

pub(crate) const API_VERSION: &str = "0.2";

/// What is stored.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<Stored>);

#[derive(Debug, Default)]
struct Stored {
    by_key: BTreeMap<String, Value>,
    bytes: usize,
}

impl Cache {
    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self) -> Answered {
        Answered::Number(i64::try_from(self.stored().by_key.len()).unwrap_or(i64::MAX))
    }

    pub(crate) fn keys(&self) -> Answered {
        let keys = self
            .stored()
            .by_key
            .keys()
            .cloned()
            .map(Value::String)
            .collect();
        Answered::Value(Value::Array(keys))
    }

    pub(crate) fn clear(&self) -> Answered {
        *self.stored() = Stored::default();
        Answered::True
    }

    pub(crate) fn delete(&self, key: &Value) -> Result<Answered, Fault> {
        self.stored().delete(checked(key)?);
        Ok(Answered::True)
    }

    pub(crate) fn fetch(&self, key: &Value) -> Result<Answered, Fault> {
        let value = self.stored().by_key.get(checked(key)?).cloned();
        value
            .map(Answered::Value)
            .ok_or_else(|| Fault::bare(FaultCode::BadName))
    }

    pub(crate) fn store(&self, key: &Value, data: Value) -> Result<Answered, Fault> {
        self.stored().store(checked(key)?, data)
    }
}

impl Stored {
    fn delete(&mut self, key: &str) {
        if let Some(value) = self.by_key.remove(key) {
            let bytes = key.len() + weight(&value);
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }

    fn store(&mut self, key: &str, value: Value) -> Result<Answered, Fault> {
        let replaced = self
            .by_key
            .get(key)
            .map_or(0, |old| key.len() + weight(old));
        let bytes = (self.bytes - replaced.min(self.bytes))
            .saturating_add(key.len())
            .saturating_add(weight(&value));
        let is_new = !self.by_key.contains_key(key);
        if bytes > MAX_CACHE_BYTES || (is_new && self.by_key.len() >= MAX_CACHE_KEYS) {
            return Err(Fault::with(
                FaultCode::Failed,
                format_args!(
                    "the cache holds {MAX_CACHE_KEYS} keys and {MAX_CACHE_BYTES} bytes; delete something first"
                ),
            ));
        }
        self.bytes = bytes;
        self.by_key.insert(key.to_owned(), value);
        Ok(Answered::True)
    }
}

fn checked(key: &Value) -> Result<&str, Fault> {
    key.as_str()
        .filter(|key| !key.is_empty())
        .ok_or_else(|| Fault::with(FaultCode::BadName, "Cache key must be a non-empty string"))
}

/// About how many bytes a value takes.
pub(crate) fn weight(value: &Value) -> usize {
    const EACH: usize = size_of::<Value>();
    EACH + match value {
        Value::Nil | Value::Bool(_) | Value::Int(_) | Value::Double(_) => 0,
        Value::String(text) | Value::DateTime(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Struct(members) => members
            .iter()
            .map(|(name, value)| EACH + name.len() + weight(value))
            .sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(cache: &Cache, key: impl Into<Value>, data: impl Into<Value>) -> Result<(), String> {
        let result = cache.store(&key.into(), data.into());
        result.map(|_| ()).map_err(|fault| fault.text)
    }

    #[test]
    fn the_cache_has_its_limits_and_gets_room_again() {
        let cache = Cache::default();
        let large = "x".repeat(MAX_CACHE_BYTES / 2);
        assert_eq!(store(&cache, "a", large.clone()), Ok(()));
        assert_eq!(
            store(&cache, "a", large.clone()),
            Ok(()),
            "in its own place"
        );
        assert!(store(&cache, "b", large.clone()).is_err());
        let _ = cache.delete(&"a".into());
        assert_eq!(store(&cache, "b", large), Ok(()));
        let _ = cache.clear();
        for number in 0..MAX_CACHE_KEYS {
            assert_eq!(store(&cache, number.to_string(), 1), Ok(()));
        }
        assert!(store(&cache, "one more", 1).is_err());
        assert_eq!(store(&cache, "7", 2), Ok(()), "an old key");
        assert_eq!(
            store(&cache, 7, 2),
            Err("BAD_NAME: Cache key must be a non-empty string".to_owned())
        );
    }
}

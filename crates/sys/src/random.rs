//! A number that nobody guesses, for what need not be secret.

use rustix::rand::{GetRandomFlags, getrandom};

/// A random number. It never waits: a kernel that has no randomness yet, at boot, gives the time instead,
/// which differs from machine to machine too.
#[must_use]
pub fn seed() -> u64 {
    let mut bytes = [0; 8];
    // So few bytes come at once or not at all.
    match getrandom(&mut bytes[..], GetRandomFlags::NONBLOCK) {
        Ok(count) if count == bytes.len() => u64::from_ne_bytes(bytes),
        Ok(_) | Err(_) => crate::time::monotonic() ^ crate::time::wall().unsigned_abs(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_the_same() {
        assert_ne!(seed(), seed());
    }
}

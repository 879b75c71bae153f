//! What shows that a posted form was on a page of ours: a secret that other sites cannot read.
//!
//! The browser's own word for where a request comes from (`Origin` against `Host`) is not enough: many
//! reverse proxies put another `Host` in the request.

use std::sync::Arc;

use rustix::rand::{GetRandomFlags, getrandom};
use subtle::ConstantTimeEq as _;

/// 128 bits.
const BYTES: usize = 16;

/// The secret of one run of the daemon.
#[derive(Clone)]
pub(crate) struct Token(Option<Arc<str>>);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Token {
    /// A new one. Where the system has no randomness to give, no form is ever accepted by its token; those
    /// that the browser vouches for still are.
    pub(crate) fn new() -> Self {
        let mut bytes = [0; BYTES];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match getrandom(rest, GetRandomFlags::NONBLOCK) {
                Ok(count) => filled += count,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return Self(None),
            }
        }
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(Some(digits.into()))
    }

    /// To be put into a form.
    pub(crate) fn text(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// Whether `given` is it.
    pub(crate) fn is(&self, given: Option<&str>) -> bool {
        match (&self.0, given) {
            (Some(token), Some(given)) => token.as_bytes().ct_eq(given.as_bytes()).into(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_itself_is_accepted() {
        let token = Token::new();
        assert_eq!(token.text().len(), 2 * BYTES);
        assert!(token.is(Some(token.text())));
        for given in [
            None,
            Some(""),
            Some(Token::new().text()),
            Some(&token.text()[1..]),
        ] {
            assert!(!token.is(given), "{given:?}");
        }
        assert!(!Token(None).is(Some("")));
        assert!(!format!("{token:?}").contains(token.text()));
    }
}

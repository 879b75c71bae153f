//! Basic authentication, as the original has it: one user, a password in clear or as `{SHA}` and its SHA-1
//! in hexadecimal.

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use linchpin_config::Credentials;
use linchpin_python::base64;
use sha1::{Digest, Sha1};
use subtle::{Choice, ConstantTimeEq};

/// What a request's credentials are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The right ones.
    Accepted,
    /// None, wrong ones, or another scheme than Basic: 401.
    Refused,
    /// Not base64, or without a colon: 400. (The original means that and mostly answers 500.)
    Malformed,
}

/// Looks at the credentials of a request.
pub(crate) fn check(expected: &Credentials, headers: &HeaderMap) -> Verdict {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Verdict::Refused;
    };
    let mut parts = value.as_bytes().splitn(2, |byte| *byte == b' ');
    let (Some(scheme), Some(encoded)) = (parts.next(), parts.next()) else {
        return Verdict::Refused;
    };
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return Verdict::Refused;
    }
    let Some(given) = base64::decode(encoded) else {
        return Verdict::Malformed;
    };
    let Some(colon) = given.iter().position(|byte| *byte == b':') else {
        return Verdict::Malformed;
    };
    let (username, password) = (&given[..colon], &given[colon + 1..]);
    // Both are always looked at, so that the time tells nothing about either.
    let accepted = same(username, expected.username.as_bytes())
        & match expected.password.strip_prefix("{SHA}") {
            Some(hexadecimal) => same(&hex_sha1(password), hexadecimal.as_bytes()),
            None => same(password, expected.password.as_bytes()),
        };
    if bool::from(accepted) {
        Verdict::Accepted
    } else {
        Verdict::Refused
    }
}

/// Compares digests of both sides: of equal length whatever the lengths of the texts are.
fn same(given: &[u8], expected: &[u8]) -> Choice {
    Sha1::digest(given)
        .as_slice()
        .ct_eq(Sha1::digest(expected).as_slice())
}

fn hex_sha1(text: &[u8]) -> Vec<u8> {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    Sha1::digest(text)
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn verdict(expected_password: &str, header: Option<&str>) -> Verdict {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(header).unwrap());
        }
        let credentials = Credentials {
            username: "user".to_owned(),
            password: expected_password.to_owned(),
        };
        check(&credentials, &headers)
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", base64::encode(text.as_bytes()))
    }

    #[test]
    fn passwords_in_clear_and_hashed_are_compared() {
        let sha = "{SHA}9d4e1e23bd5b727046a9e3b4b7db57bd8d6ee684";
        for (password, given, expected) in [
            ("pass", "user:pass", Verdict::Accepted),
            ("pa:ss", "user:pa:ss", Verdict::Accepted),
            ("", "user:", Verdict::Accepted),
            ("päss", "user:päss", Verdict::Accepted),
            ("pass", "user:past", Verdict::Refused),
            ("pass", "User:pass", Verdict::Refused),
            ("pass", "user:pass\n", Verdict::Refused),
            ("pass", "user:", Verdict::Refused),
            ("pass", ":", Verdict::Refused),
            ("pass", "user", Verdict::Malformed),
            (sha, "user:pass", Verdict::Accepted),
            (sha, "user:past", Verdict::Refused),
            (
                sha,
                "user:9d4e1e23bd5b727046a9e3b4b7db57bd8d6ee684",
                Verdict::Refused,
            ),
        ] {
            assert_eq!(
                verdict(password, Some(&basic(given))),
                expected,
                "{password} {given}"
            );
        }
    }

    #[test]
    fn odd_headers_are_refused_or_malformed() {
        for (header, expected) in [
            (None, Verdict::Refused),
            (Some(""), Verdict::Refused),
            (Some("Basic"), Verdict::Refused),
            (Some("Digest dXNlcjpwYXNz"), Verdict::Refused),
            (Some("bAsIc dXNlcjpwYXNz"), Verdict::Accepted),
            (Some("Basic  dXNlcjpwYXNz "), Verdict::Accepted),
            (Some("Basic dXNlcjpwYXN"), Verdict::Malformed),
            (Some("Basic !"), Verdict::Malformed),
            (Some("Basic =="), Verdict::Malformed),
        ] {
            assert_eq!(verdict("pass", header), expected, "{header:?}");
        }
    }
}

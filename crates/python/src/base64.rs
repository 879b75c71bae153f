//! Base64 as Python's `base64.decodebytes` reads it.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

/// Bits behind the last whole byte are of no account.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Decodes. What is not in the alphabet is skipped, line breaks above all, and so is whatever stands
/// behind a complete padding. None when the padding is wrong.
#[must_use]
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut symbols: Vec<u8> = Vec::with_capacity(text.len());
    let mut equals_signs = 0;
    for &byte in text {
        match byte {
            b'=' => {
                equals_signs += 1;
                let in_group = symbols.len() % 4;
                if in_group >= 2 && in_group + equals_signs >= 4 {
                    symbols.extend(std::iter::repeat_n(b'=', 4 - in_group));
                    break;
                }
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => {
                equals_signs = 0;
                symbols.push(byte);
            }
            _ => {}
        }
    }
    LENIENT.decode(symbols).ok()
}

/// Decodes text. None too when the bytes are no UTF-8.
#[must_use]
pub fn decode_text(text: &str) -> Option<String> {
    String::from_utf8(decode(text.as_bytes())?).ok()
}

/// Encodes on one line.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_are_skipped_and_wrong_padding_is_refused() {
        assert_eq!(decode(b"aGVs\n bG8=\n").as_deref(), Some(&b"hello"[..]));
        assert_eq!(decode(b"aGVsbG9=").as_deref(), Some(&b"hello"[..]));
        assert_eq!(decode(b"/w==x").as_deref(), Some(&b"\xff"[..]));
        assert_eq!(decode(b"").as_deref(), Some(&b""[..]));
        assert_eq!(decode(b"aGVsbG8"), None);
        assert_eq!(decode_text("/w=="), None);
        assert_eq!(decode_text("w6k=").as_deref(), Some("é"));
        assert_eq!(encode(b"user:pass"), "dXNlcjpwYXNz");
    }
}

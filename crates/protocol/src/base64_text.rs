//! Base64 as XML-RPC carries it: text in, text out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Decodes like Python's `decodebytes`: what is not in the alphabet is skipped (line breaks above
/// all). None when the padding is wrong or the bytes are no UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    let symbols: Vec<u8> = text
        .bytes()
        .filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
        .collect();
    String::from_utf8(STANDARD.decode(symbols).ok()?).ok()
}

/// Encodes on one line.
pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_are_skipped_and_wrong_padding_is_refused() {
        assert_eq!(decode("aGVs\n bG8=\n").as_deref(), Some("hello"));
        assert_eq!(decode("").as_deref(), Some(""));
        assert_eq!(decode("aGVsbG8"), None);
        assert_eq!(decode("/w=="), None);
        assert_eq!(encode(b"user:pass"), "dXNlcjpwYXNz");
    }
}

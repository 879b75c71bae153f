//! Output of processes as the original shows it in its log and in events.

use std::borrow::Cow;

use crate::repr::repr_bytes;

/// The bytes as text, or `Undecodable: b'…'` where they are no UTF-8.
#[must_use]
pub fn text_or_undecodable(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(format!("Undecodable: {}", repr_bytes(bytes))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_quoted() {
        assert_eq!(text_or_undecodable("é\n".as_bytes()), "é\n");
        assert_eq!(text_or_undecodable(b"\xff"), "Undecodable: b'\\xff'");
    }
}

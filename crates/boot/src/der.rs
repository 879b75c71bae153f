//! Writes DER.

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTETS: u8 = 0x04;
pub(crate) const BMP_STRING: u8 = 0x1e;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
/// `[0] EXPLICIT`
pub(crate) const EXPLICIT: u8 = 0xa0;

/// A value of DER.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut element = vec![tag];
    let length = content.len().to_be_bytes();
    let significant = length.iter().position(|byte| *byte != 0);
    let digits = &length[significant.unwrap_or(length.len() - 1)..];
    if content.len() >= 0x80 {
        // At most 8 bytes.
        element.push(0x80 | digits.len().to_le_bytes()[0]);
    }
    element.extend_from_slice(digits);
    element.extend_from_slice(content);
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_der() {
        for (length, head) in [
            (0, vec![4, 0]),
            (127, vec![4, 127]),
            (128, vec![4, 0x81, 128]),
            (256, vec![4, 0x82, 1, 0]),
            (65_536, vec![4, 0x83, 1, 0, 0]),
        ] {
            let content = vec![7; length];
            let element = element(OCTETS, &content);
            assert_eq!(element[..head.len()], head, "{length}");
            assert_eq!(element[head.len()..], content);
        }
    }
}

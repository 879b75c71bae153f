//! Random numbers from the kernel, and secrets made of them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use linchpin_config::{Encoding, Generate};
use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

/// So many random bytes. Waits while the kernel has not gathered enough randomness, which is shortly after it started.
fn bytes(count: usize) -> Result<Vec<u8>, Errno> {
    let mut bytes = vec![0; count];
    let mut filled = 0;
    while filled < count {
        match getrandom(&mut bytes[filled..], GetRandomFlags::empty()) {
            Ok(more) => filled += more,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

/// So many random bytes, two digits each.
pub(super) fn hex(count: usize) -> Result<String, Errno> {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let digits = |byte: u8| [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
    Ok(bytes(count)?
        .into_iter()
        .flat_map(digits)
        .map(char::from)
        .collect())
}

/// A new secret.
pub(super) fn secret(generate: &Generate) -> Result<String, Errno> {
    let length = usize::try_from(generate.length).unwrap_or(usize::MAX);
    match &generate.encoding {
        Encoding::Text(alphabet) => text(alphabet.as_bytes(), length),
        Encoding::Hex => hex(length),
        Encoding::Base64 => Ok(STANDARD.encode(bytes(length)?)),
        Encoding::Base64Url => Ok(URL_SAFE_NO_PAD.encode(bytes(length)?)),
    }
}

/// Characters of an alphabet, each as likely as any other.
fn text(alphabet: &[u8], length: usize) -> Result<String, Errno> {
    let size = alphabet.len().clamp(1, 256);
    // Bytes from here on would make the first characters likelier.
    let bound = 256 - 256 % size;
    let mut text = String::with_capacity(length);
    while text.len() < length {
        for byte in bytes(length - text.len())? {
            let byte = usize::from(byte);
            if byte < bound {
                text.push(char::from(alphabet[byte % size]));
            }
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(encoding: Encoding, length: u32) -> String {
        secret(&Generate { encoding, length }).unwrap()
    }

    #[test]
    fn secrets_have_their_length_and_their_characters() {
        let alphabet = "-ABCxyz09";
        let text = made(Encoding::Text(alphabet.to_owned()), 3000);
        assert_eq!(text.len(), 3000);
        for character in alphabet.chars() {
            // 333 are expected; a fair alphabet is this far away once in 10^20 runs.
            let count = text.matches(character).count();
            assert!((170..500).contains(&count), "{character}: {count}");
        }
        assert!(text.chars().all(|character| alphabet.contains(character)));
        let hex = made(Encoding::Hex, 16);
        assert!(hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(made(Encoding::Base64, 756).len(), 1008);
        let url = made(Encoding::Base64Url, 32);
        assert!(url.len() == 43 && !url.contains(['+', '/', '=']), "{url}");
        assert_ne!(made(Encoding::Hex, 16), made(Encoding::Hex, 16));
    }
}

//! Alphabets: `A-Za-z0-9` and the like.

/// The characters that a text means, each once and in order.
///
/// # Errors
/// What is wrong with it.
pub(super) fn alphabet(text: &str) -> Result<String, &'static str> {
    let bytes = text.as_bytes();
    let is_visible = |byte: &u8| byte.is_ascii_graphic();
    if !bytes.iter().all(is_visible) {
        return Err("an alphabet has visible ASCII characters only");
    }
    let mut characters = Vec::new();
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] => break,
            [first, b'-', last, more @ ..] => {
                if first > last {
                    return Err("a range of the alphabet ends before it begins");
                }
                characters.extend(*first..=*last);
                more
            }
            [one, more @ ..] => {
                characters.push(*one);
                more
            }
        };
    }
    characters.sort_unstable();
    characters.dedup();
    if characters.len() < 2 {
        return Err("an alphabet has at least two characters");
    }
    Ok(characters.into_iter().map(char::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_single_characters() {
        for (text, expected) in [
            ("0-9", Some("0123456789")),
            ("c-aab", None),
            ("a-cxb", Some("abcx")),
            ("ab-", Some("-ab")),
            ("-ab", Some("-ab")),
            ("aa", None),
            ("a b", None),
            ("äö", None),
            ("", None),
        ] {
            assert_eq!(alphabet(text).ok().as_deref(), expected, "{text}");
        }
        assert_eq!(alphabet("A-Za-z0-9").unwrap().len(), 62);
    }
}

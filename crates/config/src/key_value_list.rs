//! The `KEY=value,KEY2="other value"` grammar of `environment=`.
//!
//! The rule is the newer one of Supervisor's development branch (quotes and backslashes as in a POSIX
//! shell). A text that it refuses is read again as 4.3.0 did, so that everything 4.3.0 loads is
//! loaded.

use std::collections::BTreeMap;

use linchpin_python::shlex::{Grammar, tokens};

/// What words are made of besides letters, digits and `_`.
const WORD_CHARACTERS: &str = "/.+-():";

/// What a text gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KeyValueList {
    /// The pairs; the last of equal keys wins.
    pub(crate) pairs: BTreeMap<String, String>,
    /// The keys in the order of their first appearance.
    pub(crate) order: Vec<String>,
    /// Keys whose value is followed by something else than a comma, and what it is.
    pub(crate) odd_separators: Vec<(String, String)>,
    /// Only the grammar of 4.3.0 takes this text.
    pub(crate) is_old_grammar: bool,
}

/// Reads a list.
///
/// # Errors
/// The message of 4.3.0.
pub(crate) fn parse(text: &str) -> Result<KeyValueList, String> {
    if let Ok(tokens) = tokens(text, Grammar::Posix, WORD_CHARACTERS)
        && let Some(list) = pairs(&tokens, false)
    {
        return Ok(list);
    }
    let tokens =
        tokens(text, Grammar::Legacy, WORD_CHARACTERS).map_err(|error| error.to_string())?;
    pairs(&tokens, true)
        .ok_or_else(|| format!("Unexpected end of key/value pairs in value '{text}'"))
}

/// The first key whose value the two grammars read differently, with both values: ours and that of 4.3.0.
/// None as well where only one of them takes the text, because then that one is used.
pub(crate) fn read_differently(text: &str) -> Option<(String, String, String)> {
    let ours = pairs(&tokens(text, Grammar::Posix, WORD_CHARACTERS).ok()?, false)?;
    let theirs = pairs(&tokens(text, Grammar::Legacy, WORD_CHARACTERS).ok()?, true)?;
    ours.order.iter().find_map(|key| {
        let (here, there) = (&ours.pairs[key], theirs.pairs.get(key)?);
        (here != there).then(|| (key.clone(), here.clone(), there.clone()))
    })
}

/// Takes tokens four at a time: key, equals sign, value, and a separator that nobody looks at.
fn pairs(tokens: &[String], is_old_grammar: bool) -> Option<KeyValueList> {
    let mut list = KeyValueList {
        pairs: BTreeMap::new(),
        order: Vec::new(),
        odd_separators: Vec::new(),
        is_old_grammar,
    };
    for item in tokens.chunks(4) {
        let [key, equals, value, separator @ ..] = item else {
            return None;
        };
        if let Some(separator) = separator.first().filter(|separator| *separator != ",") {
            list.odd_separators.push((key.clone(), separator.clone()));
        }
        if equals != "=" {
            return None;
        }
        let value = if is_old_grammar {
            value.trim_matches(['\'', '"'])
        } else {
            value
        };
        if list.pairs.insert(key.clone(), value.to_owned()).is_none() {
            list.order.push(key.clone());
        }
    }
    Some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, &str)]) {
        let list = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let found: Vec<(&str, &str)> = list
            .order
            .iter()
            .map(|key| (key.as_str(), list.pairs[key].as_str()))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn pairs_are_read() {
        check("", &[]);
        check("A=1", &[("A", "1")]);
        check("A=1,B=two", &[("A", "1"), ("B", "two")]);
        check("A = 1 ,\n B = 2,", &[("A", "1"), ("B", "2")]);
        check("A=1;B=2|C=3", &[("A", "1"), ("B", "2"), ("C", "3")]);
        check("A=\"x, y=z\",B='q'", &[("A", "x, y=z"), ("B", "q")]);
        check("A=\"\",B=1", &[("A", ""), ("B", "1")]);
        check(
            "A=/usr/bin:/bin,B=a.b+c-(d)",
            &[("A", "/usr/bin:/bin"), ("B", "a.b+c-(d)")],
        );
        check("A=1,A=2", &[("A", "2")]);
        check("A=1 # comment\n,B=2", &[("A", "1"), ("B", "2")]);
        check("A=$HOME", &[("A", "$")]);
        check("A=~/x", &[("A", "~")]);
    }

    #[test]
    fn quotes_and_backslashes_follow_the_newer_grammar() {
        check("A=\"1\"\"2\"", &[("A", "12")]);
        check("A=\"x\"y", &[("A", "xy")]);
        check("A=\"'x'\"", &[("A", "'x'")]);
        check("A=\"a\\\"b\\\\c\\d\"", &[("A", "a\"b\\c\\d")]);
        check("A='a\\b'", &[("A", "a\\b")]);
        check("A=a\\,b", &[("A", "a,b")]);
        check("A=caf\u{e9}", &[("A", "caf\u{e9}")]);
    }

    #[test]
    fn what_only_the_old_grammar_takes_is_read_by_it() {
        let list = parse("A=it's,B=\"x\"").expect("4.3.0 reads this");
        assert!(list.is_old_grammar);
        assert_eq!(list.pairs["A"], "it's");
        let list = parse("A=\"C:\\\"").expect("4.3.0 reads this");
        assert_eq!(list.pairs["A"], "C:\\");
    }

    #[test]
    fn errors_are_those_of_4_3() {
        for (text, expected) in [
            ("A", "Unexpected end of key/value pairs in value 'A'"),
            ("A=", "Unexpected end of key/value pairs in value 'A='"),
            (
                "A=foo@bar",
                "Unexpected end of key/value pairs in value 'A=foo@bar'",
            ),
            (
                "A=1 B=2",
                "Unexpected end of key/value pairs in value 'A=1 B=2'",
            ),
            ("A=\"x", "No closing quotation"),
        ] {
            assert_eq!(parse(text), Err(expected.to_owned()), "{text}");
        }
    }
}

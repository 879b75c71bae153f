//! The `KEY=value,KEY2="other value"` grammar of `environment=`.
//!
//! The rule is the newer one of Supervisor's development branch (quotes and backslashes as in a POSIX
//! shell). A text that it refuses is read again as 4.3.0 did, so that everything 4.3.0 loads is
//! loaded.

use std::collections::BTreeMap;

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
    if let Ok(tokens) = Lexer::new(text, Grammar::Posix).tokens()
        && let Some(list) = pairs(&tokens, false)
    {
        return Ok(list);
    }
    let tokens = Lexer::new(text, Grammar::Legacy).tokens()?;
    pairs(&tokens, true)
        .ok_or_else(|| format!("Unexpected end of key/value pairs in value '{text}'"))
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Grammar {
    Posix,
    Legacy,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Blank,
    Word,
    Quote(char),
    /// After a backslash, with the state to go back to.
    Escape(Option<char>),
}

/// Python's `shlex` with the word characters that Supervisor gives it.
struct Lexer {
    characters: Vec<char>,
    at: usize,
    grammar: Grammar,
}

impl Lexer {
    fn new(text: &str, grammar: Grammar) -> Self {
        Self {
            characters: text.chars().collect(),
            at: 0,
            grammar,
        }
    }

    fn is_word(&self, character: char) -> bool {
        character.is_ascii_alphanumeric()
            || matches!(character, '_' | '/' | '.' | '+' | '-' | '(' | ')' | ':')
            || (self.grammar == Grammar::Posix
                && matches!(character, '\u{c0}'..='\u{ff}')
                && !matches!(character, '\u{d7}' | '\u{f7}'))
    }

    fn tokens(mut self) -> Result<Vec<String>, String> {
        let mut tokens = Vec::new();
        while let Some(token) = self.token()? {
            tokens.push(token);
        }
        Ok(tokens)
    }

    fn skip_comment(&mut self) {
        while self.at < self.characters.len() {
            self.at += 1;
            if self.characters[self.at - 1] == '\n' {
                break;
            }
        }
    }

    fn token(&mut self) -> Result<Option<String>, String> {
        let posix = self.grammar == Grammar::Posix;
        let mut state = State::Blank;
        let mut token = String::new();
        let mut is_quoted = false;
        while let Some(character) = self.characters.get(self.at).copied() {
            self.at += 1;
            let is_blank = matches!(character, ' ' | '\t' | '\r' | '\n');
            match state {
                State::Blank => match character {
                    _ if is_blank => {}
                    '#' => self.skip_comment(),
                    '\\' if posix => state = State::Escape(None),
                    '\'' | '"' => {
                        if !posix {
                            token.push(character);
                        }
                        state = State::Quote(character);
                    }
                    _ => {
                        token.push(character);
                        if !self.is_word(character) {
                            return Ok(Some(token));
                        }
                        state = State::Word;
                    }
                },
                State::Quote(quote) => {
                    is_quoted = true;
                    if character == quote {
                        if !posix {
                            token.push(character);
                            return Ok(Some(token));
                        }
                        state = State::Word;
                    } else if posix && character == '\\' && quote == '"' {
                        state = State::Escape(Some(quote));
                    } else {
                        token.push(character);
                    }
                }
                State::Escape(quote) => {
                    if let Some(quote) = quote
                        && character != '\\'
                        && character != quote
                    {
                        token.push('\\');
                    }
                    token.push(character);
                    state = quote.map_or(State::Word, State::Quote);
                }
                State::Word => match character {
                    _ if is_blank => {
                        if !token.is_empty() || (posix && is_quoted) {
                            return Ok(Some(token));
                        }
                        state = State::Blank;
                    }
                    '#' => {
                        self.skip_comment();
                        if posix {
                            if !token.is_empty() || is_quoted {
                                return Ok(Some(token));
                            }
                            state = State::Blank;
                        }
                    }
                    '\'' | '"' if posix => state = State::Quote(character),
                    '\\' if posix => state = State::Escape(None),
                    '\'' | '"' => token.push(character),
                    _ if self.is_word(character) => token.push(character),
                    _ => {
                        self.at -= 1;
                        if !token.is_empty() || (posix && is_quoted) {
                            return Ok(Some(token));
                        }
                        state = State::Blank;
                    }
                },
            }
        }
        match state {
            State::Quote(_) => Err("No closing quotation".to_owned()),
            State::Escape(_) => Err("No escaped character".to_owned()),
            State::Blank | State::Word => {
                Ok((!token.is_empty() || (posix && is_quoted)).then_some(token))
            }
        }
    }
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

//! Python's `shlex`: words of a command line, and tokens of lists.
//!
//! No crate reads like it: those for shell words drop what follows a `#`, join lines at a backslash,
//! and drop the backslash of `"\$"`.

use thiserror::Error;

/// Why a text cannot be taken apart, in Python's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ShlexError {
    /// A quotation that does not end.
    #[error("No closing quotation")]
    OpenQuotation,
    /// A backslash at the very end.
    #[error("No escaped character")]
    OpenEscape,
}

/// Which of the two languages of `shlex` is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// Quotes disappear and may stand inside a word; a backslash escapes.
    Posix,
    /// Quotes stay around what they quote, and end a token; a backslash is like any other character.
    Legacy,
}

/// `shlex.split(text)`: quotes and backslashes as in a POSIX shell, nothing else is special.
///
/// # Errors
/// An open quotation or escape.
pub fn split(text: &str) -> Result<Vec<String>, ShlexError> {
    Lexer::new(text, Grammar::Posix, Words::BetweenBlanks).collect()
}

/// `shlex.quote(text)`: what [`split`] makes one word of, which is the text.
#[must_use]
pub fn quote(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@%+=:,./-_".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

/// `list(shlex.shlex(text, posix=…))`: words of letters, digits, `_` and `more_word_characters`,
/// quoted text, and every other character by itself; `#` begins a comment.
///
/// # Errors
/// An open quotation or escape.
pub fn tokens(
    text: &str,
    grammar: Grammar,
    more_word_characters: &str,
) -> Result<Vec<String>, ShlexError> {
    Lexer::new(text, grammar, Words::Of(more_word_characters)).collect()
}

/// What words are made of.
#[derive(Clone, Copy)]
enum Words<'a> {
    /// Everything but blanks; there are no comments.
    BetweenBlanks,
    /// The usual characters and these.
    Of(&'a str),
}

/// Where the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Blank,
    Word,
    Quote(char),
    /// After a backslash, with the quotation to go back to.
    Escape(Option<char>),
}

struct Lexer<'a> {
    rest: std::str::Chars<'a>,
    grammar: Grammar,
    words: Words<'a>,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str, grammar: Grammar, words: Words<'a>) -> Self {
        Self {
            rest: text.chars(),
            grammar,
            words,
        }
    }

    fn is_word(&self, character: char) -> bool {
        match self.words {
            Words::BetweenBlanks => true,
            Words::Of(more) => {
                character.is_ascii_alphanumeric()
                    || character == '_'
                    || more.contains(character)
                    || (self.grammar == Grammar::Posix
                        && matches!(character, '\u{c0}'..='\u{ff}')
                        && !matches!(character, '\u{d7}' | '\u{f7}'))
            }
        }
    }

    fn is_comment(&self, character: char) -> bool {
        character == '#' && matches!(self.words, Words::Of(_))
    }

    fn skip_comment(&mut self) {
        self.rest.by_ref().find(|character| *character == '\n');
    }

    fn token(&mut self) -> Result<Option<String>, ShlexError> {
        let posix = self.grammar == Grammar::Posix;
        let mut state = State::Blank;
        let mut token = String::new();
        let mut is_quoted = false;
        loop {
            let before = self.rest.clone();
            let Some(character) = self.rest.next() else {
                break;
            };
            let is_blank = matches!(character, ' ' | '\t' | '\r' | '\n');
            match state {
                State::Blank => match character {
                    _ if is_blank => {}
                    _ if self.is_comment(character) => self.skip_comment(),
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
                    // Behind a quote only itself and the backslash can be escaped.
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
                    _ if is_blank => return Ok(Some(token)),
                    _ if self.is_comment(character) => {
                        self.skip_comment();
                        if posix {
                            return Ok(Some(token));
                        }
                    }
                    '\'' | '"' if posix => state = State::Quote(character),
                    '\\' if posix => state = State::Escape(None),
                    '\'' | '"' => token.push(character),
                    _ if self.is_word(character) => token.push(character),
                    _ => {
                        // The next token.
                        self.rest = before;
                        return Ok(Some(token));
                    }
                },
            }
        }
        match state {
            State::Quote(_) => Err(ShlexError::OpenQuotation),
            State::Escape(_) => Err(ShlexError::OpenEscape),
            State::Blank | State::Word => {
                Ok((!token.is_empty() || (posix && is_quoted)).then_some(token))
            }
        }
    }
}

impl Iterator for Lexer<'_> {
    type Item = Result<String, ShlexError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.token().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(split(text).unwrap(), expected, "{text}");
    }

    #[test]
    fn words_are_split_like_python() {
        check("", &[]);
        check("  \t\n ", &[]);
        check("a b\tc\nd\re", &["a", "b", "c", "d", "e"]);
        check("a 'b c' d", &["a", "b c", "d"]);
        check("a\"b c\"d", &["ab cd"]);
        check("'' \"\" a", &["", "", "a"]);
        check("a''", &["a"]);
        check("# not a comment", &["#", "not", "a", "comment"]);
        check("a #b", &["a", "#b"]);
        check(r"a\ b", &["a b"]);
        check(r#""\$ \` \" \\ \n""#, &[r#"\$ \` " \ \n"#]);
        check(r"'\n'", &[r"\n"]);
        check(r"\'a\'", &["'a'"]);
        check("a\\\nb", &["a\nb"]);
        check("\"a\\\nb\"", &["a\\\nb"]);
        check("a\u{a0}b \u{2003}c", &["a\u{a0}b", "\u{2003}c"]);
        check("a;b|c&d>e $(x) `y`", &["a;b|c&d>e", "$(x)", "`y`"]);
        check("grüße '日 本'", &["grüße", "日 本"]);
        check("a\u{c}b\u{b}c", &["a\u{c}b\u{b}c"]);
    }

    #[test]
    fn what_does_not_end_is_an_error() {
        for text in ["'", "a 'b", "\"", "\"a\\\"", "'a\\"] {
            assert_eq!(split(text), Err(ShlexError::OpenQuotation), "{text}");
        }
        for text in ["\\", "a b\\", "\"a\\"] {
            assert_eq!(split(text), Err(ShlexError::OpenEscape), "{text}");
        }
    }

    #[test]
    fn lists_are_taken_apart_like_python() {
        let text = "A='b c',D=e-f#g\n\\h é@";
        assert_eq!(
            tokens(text, Grammar::Posix, "-").unwrap(),
            ["A", "=", "b c", ",", "D", "=", "e-f", "h", "é", "@"]
        );
        assert_eq!(
            tokens(text, Grammar::Legacy, "").unwrap(),
            [
                "A", "=", "'b c'", ",", "D", "=", "e", "-", "f", "\\", "h", "é", "@"
            ]
        );
    }
}

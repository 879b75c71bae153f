//! Looks for the first line of a run that matches an expression, in both of its outputs.
//!
//! For a probe: a service has said in its output that it is ready. Once a line has been found nobody looks for it any
//! more, and a stream without expressions has nothing to do with all this.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use memchr::{memchr, memmem};
use regex_lite::Regex;

/// Most bytes of a line that are looked at; the rest of a longer one is skipped.
pub const LINE_MAX_BYTES: usize = 4096;

/// What of an expression makes it more than plain text.
const SPECIAL: &[char] = &[
    '\\', '.', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$',
];

/// Expressions that lines of one run are compared with. Clones belong to the same run.
#[derive(Clone)]
pub struct LinePatterns(Arc<Shared>);

struct Shared {
    patterns: Box<[Pattern]>,
    /// How many have not been found.
    left: AtomicUsize,
}

struct Pattern {
    number: u16,
    expression: Expression,
    is_found: AtomicBool,
}

enum Expression {
    /// Plain text, which is found many times faster.
    Text(Box<memmem::Finder<'static>>),
    Regex(Regex),
}

/// An expression that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the expression {pattern:?} cannot be used: {source}")]
pub struct PatternError {
    pattern: String,
    source: regex_lite::Error,
}

impl LinePatterns {
    /// From expressions and the numbers that are told with them; none without any.
    ///
    /// # Errors
    /// For the first that cannot be used.
    pub fn new<'a>(
        patterns: impl IntoIterator<Item = (u16, &'a str)>,
    ) -> Result<Option<Self>, PatternError> {
        let patterns = patterns.into_iter().map(|(number, text)| {
            Ok(Pattern {
                number,
                expression: Expression::new(text)?,
                is_found: AtomicBool::new(false),
            })
        });
        let patterns: Box<[Pattern]> = patterns.collect::<Result<_, PatternError>>()?;
        if patterns.is_empty() {
            return Ok(None);
        }
        let left = AtomicUsize::new(patterns.len());
        Ok(Some(Self(Arc::new(Shared { patterns, left }))))
    }

    fn is_done(&self) -> bool {
        self.0.left.load(Ordering::Relaxed) == 0
    }

    /// Calls `found` for each expression that this line is the first to match.
    fn look(&self, line: &[u8], found: &mut impl FnMut(u16)) {
        for pattern in &self.0.patterns {
            if !pattern.is_found.load(Ordering::Relaxed)
                && pattern.expression.is_in(line)
                && !pattern.is_found.swap(true, Ordering::Relaxed)
            {
                self.0.left.fetch_sub(1, Ordering::Relaxed);
                found(pattern.number);
            }
        }
    }
}

impl fmt::Debug for LinePatterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinePatterns({})", self.0.patterns.len())
    }
}

/// Equal are those of the same run.
impl PartialEq for LinePatterns {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for LinePatterns {}

impl Expression {
    fn new(text: &str) -> Result<Self, PatternError> {
        if !text.contains(SPECIAL) {
            let finder = memmem::Finder::new(text).into_owned();
            return Ok(Self::Text(Box::new(finder)));
        }
        match Regex::new(text) {
            Ok(regex) => Ok(Self::Regex(regex)),
            Err(source) => Err(PatternError {
                pattern: text.to_owned(),
                source,
            }),
        }
    }

    fn is_in(&self, line: &[u8]) -> bool {
        match self {
            Self::Text(finder) => finder.find(line).is_some(),
            Self::Regex(regex) => regex.is_match(&String::from_utf8_lossy(line)),
        }
    }
}

/// The look at one stream.
pub(crate) struct LineLook {
    patterns: LinePatterns,
    /// The beginning of a line whose end has not come; at most [`LINE_MAX_BYTES`].
    begun: Vec<u8>,
    /// The line has been looked at, as far as it is; what comes up to its end is not.
    is_skipping: bool,
}

impl LineLook {
    pub(crate) fn new(patterns: LinePatterns) -> Self {
        Self {
            patterns,
            begun: Vec::new(),
            is_skipping: false,
        }
    }

    /// Nothing is left to be found.
    pub(crate) fn is_done(&self) -> bool {
        self.patterns.is_done()
    }

    /// Looks at a chunk of output.
    pub(crate) fn feed(&mut self, mut chunk: &[u8], mut found: impl FnMut(u16)) {
        while let Some(end) = memchr(b'\n', chunk) {
            self.take(&chunk[..end], &mut found);
            self.end_line(&mut found);
            chunk = &chunk[end + 1..];
        }
        self.take(chunk, &mut found);
    }

    /// The output has ended, perhaps within a line.
    pub(crate) fn finish(&mut self, mut found: impl FnMut(u16)) {
        self.end_line(&mut found);
    }

    fn take(&mut self, part: &[u8], found: &mut impl FnMut(u16)) {
        if self.is_skipping {
            return;
        }
        let room = LINE_MAX_BYTES - self.begun.len();
        self.begun.extend_from_slice(&part[..part.len().min(room)]);
        if part.len() > room {
            self.end_line(found);
            self.is_skipping = true;
        }
    }

    fn end_line(&mut self, found: &mut impl FnMut(u16)) {
        if !std::mem::take(&mut self.is_skipping) {
            let line = self.begun.strip_suffix(b"\r").unwrap_or(&self.begun);
            self.patterns.look(line, found);
            self.begun.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str]) -> LinePatterns {
        let numbered = (0..).zip(texts.iter().copied());
        LinePatterns::new(numbered).unwrap().unwrap()
    }

    /// What is found in these chunks, and whether that is everything.
    fn check(texts: &[&str], chunks: &[&[u8]], expected: &[u16], is_done: bool) {
        let mut look = LineLook::new(patterns(texts));
        let mut found = Vec::new();
        for chunk in chunks {
            look.feed(chunk, |number| found.push(number));
        }
        assert_eq!(
            (found.as_slice(), look.is_done()),
            (expected, is_done),
            "{texts:?}"
        );
    }

    #[test]
    fn lines_are_matched_once_they_are_complete() {
        check(
            &["ready"],
            &[b"not yet\n", b"is rea", b"dy now\n", b"ready\n"],
            &[0],
            true,
        );
        check(&["ready"], &[b"ready"], &[], false);
        check(&["^ready$"], &[b"already\nready!\nready\n"], &[0], true);
        check(&["^ready$"], &[b"ready\r\n"], &[0], true);
        check(&["a.*z", "b"], &[b"a\nz\n", b"b\n"], &[1], false);
        check(
            &["(?i)listening on port [0-9]+"],
            &[b"Listening on PORT 80\n"],
            &[0],
            true,
        );
        check(&["\u{e9}t\u{e9}"], &["un été\n".as_bytes()], &[0], true);
        check(&["x.y"], &[b"x\xffy\n"], &[0], true);
        check(&["^$"], &[b"\n"], &[0], true);
    }

    #[test]
    fn of_a_long_line_only_the_beginning_counts() {
        let long = vec![b'x'; LINE_MAX_BYTES];
        check(&["ready"], &[&long, b"ready\n", b"later\n"], &[], false);
        check(&["^x+$"], &[&long, b"yyy\n"], &[0], true);
        check(&["ready"], &[&long, &long, b"\nready\n"], &[0], true);
        let mut look = LineLook::new(patterns(&["ready"]));
        for _ in 0..10 {
            look.feed(&long, |_| unreachable!());
            assert!(look.begun.capacity() <= 2 * LINE_MAX_BYTES);
        }
    }

    #[test]
    fn the_last_line_needs_no_end() {
        let mut look = LineLook::new(patterns(&["ready"]));
        look.feed(b"ready", |_| unreachable!());
        let mut found = 0;
        look.finish(|_| found += 1);
        assert_eq!((found, look.is_done()), (1, true));
    }

    #[test]
    fn both_outputs_of_a_run_look_for_the_same() {
        let patterns = patterns(&["ready"]);
        let (mut one, mut other) = (LineLook::new(patterns.clone()), LineLook::new(patterns));
        let mut found = 0;
        one.feed(b"ready\n", |_| found += 1);
        assert!(other.is_done());
        other.feed(b"ready\n", |_| found += 1);
        assert_eq!(found, 1);
    }

    #[test]
    fn bad_expressions_are_named() {
        let error = LinePatterns::new([(0, "a(")]).unwrap_err();
        assert!(error.to_string().contains("a("), "{error}");
        assert!(LinePatterns::new([]).unwrap().is_none());
    }
}

//! Regular expressions in values of ours (`log:`, `body=`).

use regex_lite::{Error, Regex, RegexBuilder};

/// Most bytes of memory that a compiled expression may take: `[a-z]{1000}` takes a twentieth.
const MOST_BYTES: usize = 1 << 20;

/// What a pattern means.
///
/// # Errors
/// If it is no regular expression, or one that is too large.
pub fn regular_expression(pattern: &str) -> Result<Regex, Error> {
    RegexBuilder::new(pattern).size_limit(MOST_BYTES).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_ones_are_possible_and_huge_ones_are_not() {
        regular_expression("[a-z]{1000}").unwrap();
        regular_expression("(a{1000}){1000}").unwrap_err();
    }
}

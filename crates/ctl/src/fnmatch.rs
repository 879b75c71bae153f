//! Patterns of names, as Python's `fnmatch` reads them.

/// Whether the whole name matches: `*` is anything, `?` one character, `[abc]` and `[a-c]` one of these, `[!abc]` none of
/// these. A bracket without its end stands for itself.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    // Where to go on when what follows the last star does not fit: one character further on in the name.
    let mut last_star: Option<(usize, usize)> = None;
    let (mut at, mut in_name) = (0, 0);
    while in_name < name.len() {
        if pattern.get(at) == Some(&'*') {
            last_star = Some((at + 1, in_name));
            at += 1;
        } else if let Some(next) = one_character(&pattern, at, name[in_name]) {
            at = next;
            in_name += 1;
        } else if let Some((after_star, begun)) = last_star {
            last_star = Some((after_star, begun + 1));
            at = after_star;
            in_name = begun + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

/// Where the pattern goes on behind what matches this one character, if it does.
fn one_character(pattern: &[char], at: usize, character: char) -> Option<usize> {
    match pattern.get(at)? {
        '?' => Some(at + 1),
        '[' => match set(pattern, at) {
            Some((members, is_negated, next)) => {
                (contains(members, character) != is_negated).then_some(next)
            }
            None => (character == '[').then_some(at + 1),
        },
        other => (*other == character).then_some(at + 1),
    }
}

/// The members of a set in brackets, whether it is negated, and what follows it.
fn set(pattern: &[char], at: usize) -> Option<(&[char], bool, usize)> {
    let mut begin = at + 1;
    let is_negated = pattern.get(begin) == Some(&'!');
    begin += usize::from(is_negated);
    // A closing bracket in the first place is a member.
    let length = pattern
        .get(begin + 1..)?
        .iter()
        .position(|character| *character == ']')?
        + 1;
    Some((
        &pattern[begin..begin + length],
        is_negated,
        begin + length + 1,
    ))
}

fn contains(members: &[char], character: char) -> bool {
    match members {
        [from, '-', to, rest @ ..] => {
            (*from..=*to).contains(&character) || contains(rest, character)
        }
        [member, rest @ ..] => *member == character || contains(rest, character),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_in_python() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "web:web_1", true),
            ("web*", "web:web_1", true),
            ("web*", "a:web", false),
            ("*:web_?", "web:web_1", true),
            ("*:web_?", "web:web_12", false),
            ("*a*b", "xaxbxb", true),
            ("*a*b", "xaxbxbx", false),
            ("we[ab]", "web", true),
            ("we[!ab]", "web", false),
            ("we[a-c]", "web", true),
            ("we[]b]", "we]", true),
            ("we[b", "we[b", true),
            ("we[b", "web", false),
            ("[!]]", "]", false),
            ("a-b", "a-b", true),
            ("[a-]", "-", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}

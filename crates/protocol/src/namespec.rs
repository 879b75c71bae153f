//! Names of processes as people write them.

use std::borrow::Cow;

/// `group:process`, `group:*`, or one name for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Namespec<'a> {
    /// The group.
    pub group: &'a str,
    /// The process; none is the whole group.
    pub process: Option<&'a str>,
}

impl<'a> Namespec<'a> {
    /// Takes a name apart. `x` is process `x` of group `x`; `g:` and `g:*` are all of `g`.
    #[must_use]
    pub fn parse(name: &'a str) -> Self {
        match name.split_once(':') {
            Some((group, "" | "*")) => Self {
                group,
                process: None,
            },
            Some((group, process)) => Self {
                group,
                process: Some(process),
            },
            None => Self {
                group: name,
                process: Some(name),
            },
        }
    }
}

/// The shortest name of a process: its own where the group has the same.
#[must_use]
pub fn make_namespec<'a>(group: &'a str, process: &'a str) -> Cow<'a, str> {
    if group == process {
        Cow::Borrowed(process)
    } else {
        Cow::Owned(format!("{group}:{process}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_and_put_together() {
        for (name, group, process) in [
            ("a", "a", Some("a")),
            ("a:b", "a", Some("b")),
            ("a:b:c", "a", Some("b:c")),
            ("a:*", "a", None),
            ("a:", "a", None),
            (":a", "", Some("a")),
            ("", "", Some("")),
        ] {
            assert_eq!(Namespec::parse(name), Namespec { group, process }, "{name}");
        }
        assert_eq!(make_namespec("a", "a"), "a");
        assert_eq!(make_namespec("a", "b"), "a:b");
    }
}

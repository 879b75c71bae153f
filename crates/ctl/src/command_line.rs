//! Taking a line of the shell apart.

/// A line, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// Nothing but blanks.
    Empty,
    /// A word of letters, digits and underscores, and whatever follows it, blanks trimmed.
    Command { name: &'a str, arguments: &'a str },
    /// Anything else: the line as it stands, trimmed.
    Unknown(&'a str),
}

/// Takes a line apart: the name ends where something else than a letter, digit or underscore
/// begins, `?x` means `help x`.
pub(crate) fn parse_line(line: &str) -> Line<'_> {
    let line = line.trim();
    if line.is_empty() {
        return Line::Empty;
    }
    if let Some(topic) = line.strip_prefix('?') {
        return Line::Command {
            name: "help",
            arguments: topic.trim(),
        };
    }
    let end = line
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(line.len());
    if end == 0 {
        return Line::Unknown(line);
    }
    Line::Command {
        name: &line[..end],
        arguments: line[end..].trim(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command<'a>(name: &'a str, arguments: &'a str) -> Line<'a> {
        Line::Command { name, arguments }
    }

    #[test]
    fn lines_are_taken_apart() {
        for (line, expected) in [
            ("", Line::Empty),
            (" \t", Line::Empty),
            ("status", command("status", "")),
            ("  start  a   b ", command("start", "a   b")),
            ("tail -f a", command("tail", "-f a")),
            ("start:x", command("start", ":x")),
            ("?", command("help", "")),
            ("? start", command("help", "start")),
            ("!ls", Line::Unknown("!ls")),
            (" -x", Line::Unknown("-x")),
        ] {
            assert_eq!(parse_line(line), expected, "{line:?}");
        }
    }
}

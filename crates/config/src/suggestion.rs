//! "Did you mean": the known word that is closest to a misspelt one.

/// The closest of some known words, if one is close enough to be meant.
///
/// `-` counts as `_`, which people mix up most. A word of up to four letters may be one edit away, a
/// longer one two or a third of its length; the beginning of a known word is close to it.
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    let length = word.chars().count();
    let most = match length {
        0 => return None,
        1..=4 => 1,
        5..=8 => 2,
        _ => (length / 3).min(4),
    };
    known
        .into_iter()
        .map(|candidate| {
            let lower = candidate.to_lowercase();
            let is_beginning = length >= 4 && lower.starts_with(&word);
            let distance = distance(&word, &lower);
            (
                if is_beginning {
                    distance.min(1)
                } else {
                    distance
                },
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edit distance where a left-out separator and a swap of neighbours cost one.
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=to.len()).collect();
    for (row, left) in from.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, right) in to.iter().enumerate() {
            let replaced = previous[column] + usize::from(left != right);
            let mut best = replaced
                .min(previous[column + 1] + 1)
                .min(current[column] + 1);
            if row > 0 && column > 0 && *left == to[column - 1] && from[row - 1] == *right {
                best = best.min(before[column - 1] + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut previous, current);
    }
    previous.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_words_find_what_was_meant() {
        let known = [
            "command",
            "numprocs",
            "numprocs_start",
            "autostart",
            "autorestart",
            "stdout_logfile",
            "stderr_logfile",
            "user",
            "umask",
        ];
        for (word, expected) in [
            ("numproc", Some("numprocs")),
            ("auto_start", Some("autostart")),
            ("commaind", Some("command")),
            ("stdout-logfile", Some("stdout_logfile")),
            ("stdout_log", Some("stdout_logfile")),
            ("User", Some("user")),
            ("usre", Some("user")),
            ("zzz", None),
            ("", None),
            ("depends_on", None),
        ] {
            assert_eq!(closest(word, known), expected, "{word}");
        }
    }
}

//! What the processor can do, and how large a page of memory is.

use std::collections::BTreeSet;
use std::fs;

use super::Found;

const CPUINFO: &str = "/proc/cpuinfo";

/// Whether the processor can do all of this.
pub(super) fn processor(wanted: &[String]) -> Found {
    match fs::read_to_string(CPUINFO) {
        Ok(text) => judged(wanted, &text),
        Err(error) => Found::bad(format!("cannot read {CPUINFO}: {error}")),
    }
}

fn judged(wanted: &[String], cpuinfo: &str) -> Found {
    let known = abilities(cpuinfo);
    let is_missing = |name: &&String| !known.contains(name.to_lowercase().as_str());
    let missing: Vec<&str> = wanted
        .iter()
        .filter(is_missing)
        .map(String::as_str)
        .collect();
    if missing.is_empty() {
        return Found::Good(format!("the processor has {}", wanted.join(", ")));
    }
    Found::bad(format!("the processor lacks {}", missing.join(", ")))
}

/// What the first processor can do, in the kernel's words: `flags` on x86, `Features` on ARM, `features` on s390.
fn abilities(cpuinfo: &str) -> BTreeSet<&str> {
    let line = cpuinfo.lines().find_map(|line| {
        let (name, words) = line.split_once(':')?;
        ["flags", "Features", "features"]
            .contains(&name.trim())
            .then_some(words)
    });
    line.unwrap_or_default().split_whitespace().collect()
}

/// Whether a page of memory has one of these sizes, in bytes.
pub(super) fn page_size(good: &[u64]) -> Found {
    let size = rustix::param::page_size() as u64;
    if good.contains(&size) {
        return Found::Good(format!("a page of memory has {} KB", size >> 10));
    }
    let good: Vec<String> = good
        .iter()
        .map(|size| format!("{} KB", size >> 10))
        .collect();
    Found::bad(format!(
        "a page of memory has {} KB here, and {} is wanted",
        size >> 10,
        good.join(" or ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_processors_can_do_is_read_in_the_words_of_each_kind() {
        for text in [
            "processor\t: 0\nflags\t\t: fpu sse4_2 avx\n\nprocessor\t: 1\nflags: fpu\n",
            "Features\t: avx fpu\n",
            "features\t: fpu avx\n",
        ] {
            let wanted = ["avx".to_owned(), "FPU".to_owned()];
            assert!(matches!(judged(&wanted, text), Found::Good(_)), "{text}");
            let wanted = ["avx".to_owned(), "av".to_owned(), "avx512f".to_owned()];
            let told = Found::bad("the processor lacks av, avx512f".to_owned());
            assert_eq!(judged(&wanted, text), told);
        }
        assert_eq!(
            judged(&["avx".to_owned()], ""),
            Found::bad("the processor lacks avx".to_owned())
        );
    }
}

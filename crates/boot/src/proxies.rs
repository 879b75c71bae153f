//! Variables about HTTP proxies, made to agree: programs look at one spelling or the other (curl takes only `http_proxy`),
//! and none that talks to its neighbour on the loopback interface is to ask a proxy for it.

use std::collections::BTreeMap;

/// The names in capitals, which count where both spellings differ, with the small ones.
const PROXIES: [(&str, &str); 3] = [
    ("HTTP_PROXY", "http_proxy"),
    ("HTTPS_PROXY", "https_proxy"),
    ("ALL_PROXY", "all_proxy"),
];
const EXCEPTIONS: (&str, &str) = ("NO_PROXY", "no_proxy");

/// What never goes through a proxy.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Exceptions that cover everything.
const EVERYTHING: &str = "*";

/// What is to be set. Values may hold passwords, so nothing shows them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Agreed {
    /// Variables with their new values; those that are right already are not here.
    pub changes: Vec<(String, String)>,
    /// Names of which two spellings said different things; without values.
    pub differing: Vec<&'static str>,
    /// Whether there is a proxy at all.
    pub is_proxied: bool,
}

impl std::fmt::Debug for Agreed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agreed")
            .field("differing", &self.differing)
            .finish_non_exhaustive()
    }
}

/// Makes the variables of an environment agree. Without a proxy there is nothing to do.
pub fn agree<'a>(environment: impl IntoIterator<Item = (&'a str, &'a str)>) -> Agreed {
    let known: BTreeMap<&str, &str> = environment
        .into_iter()
        .filter(|(name, value)| is_ours(name) && !value.trim().is_empty())
        .collect();
    let mut agreed = Agreed::default();
    let set = |agreed: &mut Agreed, names: (&str, &str), value: &str| {
        for name in [names.0, names.1] {
            if known.get(name) != Some(&value) {
                agreed.changes.push((name.to_owned(), value.to_owned()));
            }
        }
    };
    for (capital, small) in PROXIES {
        let (in_capitals, in_small) = (known.get(capital), known.get(small));
        let Some(value) = in_capitals.or(in_small) else {
            continue;
        };
        agreed.is_proxied = true;
        if in_capitals.is_some() && in_small.is_some_and(|small| small != value) {
            agreed.differing.push(capital);
        }
        set(&mut agreed, (capital, small), value);
    }
    if agreed.is_proxied {
        let written = [EXCEPTIONS.0, EXCEPTIONS.1].map(|name| known.get(name).copied());
        let value = exceptions(written.into_iter().flatten());
        set(&mut agreed, EXCEPTIONS, &value);
    }
    agreed
}

/// Whether a variable is one of these.
fn is_ours(name: &str) -> bool {
    PROXIES
        .iter()
        .chain([&EXCEPTIONS])
        .any(|(capital, small)| name == *capital || name == *small)
}

/// All exceptions of both spellings, and the loopback interface.
fn exceptions<'a>(written: impl Iterator<Item = &'a str>) -> String {
    let mut all: Vec<&str> = Vec::new();
    let mut add = |entry: &'a str| {
        if !all.iter().any(|known| known.eq_ignore_ascii_case(entry)) {
            all.push(entry);
        }
    };
    for list in written {
        let entries = list.split(|character: char| character == ',' || character.is_whitespace());
        entries.filter(|entry| !entry.is_empty()).for_each(&mut add);
    }
    if all.contains(&EVERYTHING) {
        // Some programs know it only if it stands alone.
        return EVERYTHING.to_owned();
    }
    for entry in LOOPBACK {
        if !all.iter().any(|known| known.eq_ignore_ascii_case(entry)) {
            all.push(entry);
        }
    }
    all.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(environment: &[(&str, &str)]) -> Vec<String> {
        let agreed = agree(environment.iter().copied());
        let changes = agreed.changes.iter();
        changes
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    const LOCAL: &str = "localhost,127.0.0.1,::1";

    #[test]
    fn without_a_proxy_nothing_is_touched() {
        assert_eq!(changes(&[]), Vec::<String>::new());
        let environment = [
            ("NO_PROXY", "a"),
            ("HTTP_PROXY", ""),
            ("ftp_proxy", "http://p"),
            ("X", "y"),
        ];
        assert_eq!(changes(&environment), Vec::<String>::new());
        assert!(!agree(environment).is_proxied);
    }

    #[test]
    fn either_spelling_makes_the_other() {
        let (upper, lower) = (format!("NO_PROXY={LOCAL}"), format!("no_proxy={LOCAL}"));
        assert_eq!(
            changes(&[("http_proxy", "http://p:1/")]),
            ["HTTP_PROXY=http://p:1/", &upper, &lower]
        );
        assert_eq!(
            changes(&[("HTTPS_PROXY", "http://u:w@p")]),
            ["https_proxy=http://u:w@p", &upper, &lower]
        );
        // What is empty says nothing.
        assert_eq!(
            changes(&[("ALL_PROXY", ""), ("all_proxy", "socks5://p")]),
            ["ALL_PROXY=socks5://p", &upper, &lower]
        );
    }

    #[test]
    fn capitals_count_and_who_differs_is_told_without_values() {
        let environment = [
            ("HTTP_PROXY", "http://u:secret@a"),
            ("http_proxy", "http://b"),
            ("NO_PROXY", "*"),
        ];
        let agreed = agree(environment);
        assert_eq!(agreed.differing, ["HTTP_PROXY"]);
        assert_eq!(
            changes(&environment),
            ["http_proxy=http://u:secret@a", "no_proxy=*"]
        );
        assert!(!format!("{agreed:?}").contains("secret"));
    }

    #[test]
    fn exceptions_of_both_count_and_have_the_loopback_interface() {
        let environment = [
            ("https_proxy", "http://p"),
            ("NO_PROXY", "a.example, LOCALHOST"),
            ("no_proxy", "b.example 127.0.0.1,A.example"),
        ];
        let expected = "a.example,LOCALHOST,b.example,127.0.0.1,::1";
        assert_eq!(
            changes(&environment),
            [
                "HTTPS_PROXY=http://p",
                &format!("NO_PROXY={expected}"),
                &format!("no_proxy={expected}")
            ]
        );
    }

    #[test]
    fn done_again_there_is_nothing_to_do() {
        let mut environment: BTreeMap<String, String> =
            [("http_proxy", "http://a"), ("NO_PROXY", "x y")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        let changes = |environment: &BTreeMap<String, String>| {
            agree(
                environment
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str())),
            )
            .changes
        };
        environment.extend(changes(&environment));
        assert_eq!(changes(&environment), []);
    }
}

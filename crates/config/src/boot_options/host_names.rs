//! Reads names under which clients reach a server. People write URLs and ports here, which would silently never match.

use std::net::{IpAddr, Ipv6Addr};

use crate::boot::HostName;
use crate::service_options::Mistake;

/// Longest name of the DNS, and its longest part.
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// Names with commas between them; none twice.
pub(super) fn host_names(text: &str) -> Result<Vec<HostName>, Mistake> {
    let mut names = Vec::new();
    let mut offset = 0;
    for item in text.split([',', '\n', ' ', '\t']) {
        let word = item.trim();
        let start = offset + (item.len() - item.trim_start().len());
        offset += item.len() + 1;
        if word.is_empty() {
            continue;
        }
        let name = host_name(word).map_err(|mistake| mistake.at(start..start + word.len()))?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn host_name(word: &str) -> Result<HostName, Mistake> {
    if let Some((_, rest)) = word.split_once("://") {
        let host = rest.split(['/', ':', '?', '#']).next().unwrap_or(rest);
        return Err(Mistake::new(format!("`{word}` is a URL, not a name")).help(write_only(host)));
    }
    if let Some((host, _)) = word.split_once('/') {
        return Err(
            Mistake::new(format!("`{word}` has a path behind the name")).help(write_only(host))
        );
    }
    if let Ok(address) = word.parse::<IpAddr>() {
        return Ok(HostName::Address(address));
    }
    if let Some(inside) = word.strip_prefix('[') {
        let host = inside.split(']').next().unwrap_or(inside);
        if host.parse::<Ipv6Addr>().is_ok() {
            return Err(
                Mistake::new(format!("`{word}` has brackets, which belong into URLs"))
                    .help(write_only(host)),
            );
        }
    }
    if let Some((host, _)) = word.split_once(':') {
        return Err(Mistake::new(format!(
            "`{word}` has a port, and certificates are for names alone"
        ))
        .help(write_only(host)));
    }
    let name = word.strip_suffix('.').unwrap_or(word).to_ascii_lowercase();
    if !name.is_ascii() {
        return Err(
            Mistake::new(format!("`{word}` has letters that the DNS does not know"))
                .help("write the name as it stands in the DNS, which begins with `xn--`"),
        );
    }
    if is_dns_name(&name) {
        Ok(HostName::Dns(name))
    } else {
        Err(Mistake::new(format!("`{word}` is no name of a host")))
    }
}

fn write_only(host: &str) -> String {
    format!("write `{host}`")
}

fn is_dns_name(name: &str) -> bool {
    let labels = name.strip_prefix("*.").unwrap_or(name);
    name.len() <= LONGEST_NAME
        && labels.split('.').all(|label| {
            (1..=LONGEST_LABEL).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_read() {
        let names = host_names("Example.org, *.example.org,\n127.0.0.1 ::1,example.org.").unwrap();
        let shown: Vec<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["example.org", "*.example.org", "127.0.0.1", "::1"]);
        assert_eq!(host_names(" , ").unwrap(), []);
    }

    #[test]
    fn what_is_more_than_a_name_is_refused_with_the_name() {
        for (text, range, help) in [
            ("a, https://example.org/x", 3..24, "write `example.org`"),
            ("example.org:8443", 0..16, "write `example.org`"),
            ("example.org/app", 0..15, "write `example.org`"),
            ("[::1]:443", 0..9, "write `::1`"),
            (
                "b\u{fc}cher.example",
                0..15,
                "write the name as it stands in the DNS, which begins with `xn--`",
            ),
        ] {
            let mistake = host_names(text).unwrap_err();
            assert_eq!(mistake.range, Some(range), "{text}");
            assert_eq!(mistake.help.as_deref(), Some(help), "{text}");
        }
        for text in ["a..b", "-a", "*", "a.*.b", "a$b", &"a".repeat(64), "*.*.a"] {
            assert!(host_names(text).is_err(), "{text}");
        }
    }
}

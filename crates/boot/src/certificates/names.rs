//! Whether a certificate is for a name.

use linchpin_config::HostName;

use crate::x509::Certificate;

/// Whether clients that come under a name take a certificate.
pub(super) fn covers(certificate: &Certificate, name: &HostName) -> bool {
    match name {
        HostName::Address(address) => certificate.addresses.contains(address),
        HostName::Dns(name) => certificate
            .dns_names
            .iter()
            .any(|pattern| pattern == name || matches(pattern, name)),
    }
}

/// Whether a pattern such as `*.example.org` stands for a name: the star is exactly one label.
fn matches(pattern: &str, name: &str) -> bool {
    let Some(parent) = pattern.strip_prefix("*.") else {
        return false;
    };
    name.split_once('.')
        .is_some_and(|(first, rest)| first != "*" && !first.is_empty() && rest == parent)
}

/// The names of a certificate, for people.
pub(super) fn names_of(certificate: &Certificate) -> String {
    let addresses = certificate.addresses.iter().map(ToString::to_string);
    let names: Vec<String> = certificate
        .dns_names
        .iter()
        .map(|name| name.escape_debug().to_string())
        .chain(addresses)
        .collect();
    if names.is_empty() {
        "no name at all".to_owned()
    } else {
        names.join(", ")
    }
}

/// Names for people.
pub(super) fn joined<'a>(names: impl IntoIterator<Item = &'a HostName>) -> String {
    let names: Vec<String> = names.into_iter().map(ToString::to_string).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_label() {
        for (pattern, name, expected) in [
            ("*.example.org", "www.example.org", true),
            ("*.example.org", "example.org", false),
            ("*.example.org", "a.b.example.org", false),
            ("*.example.org", "*.example.org", false),
            ("www.example.org", "www.example.org", false),
            ("*.org", ".org", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}

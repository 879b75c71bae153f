//! Where an address of a service points, as far as a condition wants to know it.
//!
//! No crate reads what people write here: `mongodb://a:1,b:2/db`, `jdbc:postgresql://…`, a path of a socket, a bare
//! `host:port`. A host counts by what it is and not by what stands anywhere in the text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// In lower case, without what stands in front of it (`jdbc:`); none if there is none.
    pub scheme: Option<String>,
    /// One, or several where the scheme allows that; none is a socket of this machine, or nothing at all.
    pub hosts: Vec<Host>,
    /// What follows the hosts, without the query.
    pub path: String,
}

/// A host of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Name or address, without brackets, in lower case.
    pub name: String,
    /// Port number, if one is written.
    pub port: Option<u16>,
}

impl Address {
    /// Reads an address; none if it is not one.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text
            .chars()
            .any(|character| character.is_control() || character == ' ')
        {
            return None;
        }
        let text = text.strip_prefix("jdbc:").unwrap_or(text);
        if text.is_empty() || text.starts_with('/') {
            return Some(Self {
                scheme: None,
                hosts: Vec::new(),
                path: text.to_owned(),
            });
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => match text.strip_prefix("unix:") {
                Some(path) => (Some("unix".to_owned()), path),
                None => (None, text),
            },
        };
        let is_scheme = |scheme: &String| {
            scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte))
        };
        if !scheme.as_ref().is_none_or(is_scheme) {
            return None;
        }
        if scheme.as_deref().is_some_and(is_of_sockets) {
            return Some(Self {
                scheme,
                hosts: Vec::new(),
                path: rest.to_owned(),
            });
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, after) = rest.split_at(end);
        let path = after.split(['?', '#']).next().unwrap_or_default();
        // What stands before the last @ is who asks, and may hold anything.
        let hosts = authority
            .rsplit_once('@')
            .map_or(authority, |(_, hosts)| hosts);
        let hosts: Option<Vec<Host>> = if hosts.is_empty() {
            Some(Vec::new())
        } else {
            hosts.split(',').map(host).collect()
        };
        Some(Self {
            scheme,
            hosts: hosts?,
            path: path.to_owned(),
        })
    }

    /// Whether it leads to this machine only: no hosts at all (a socket), or nothing but loopback.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.hosts.iter().all(Host::is_loopback)
    }
}

fn is_of_sockets(scheme: &str) -> bool {
    matches!(scheme, "unix" | "file") || scheme.ends_with("+unix") || scheme.ends_with("+socket")
}

impl Host {
    /// `localhost` and what is below it, 127.0.0.0/8, and `::1`, however it is written.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let name = self.name.strip_suffix('.').unwrap_or(&self.name);
        if name == "localhost" || name.ends_with(".localhost") {
            return true;
        }
        match name.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => address.is_loopback(),
            Ok(IpAddr::V6(address)) => is_loopback_6(address),
            Err(_) => false,
        }
    }
}

fn is_loopback_6(address: Ipv6Addr) -> bool {
    let mapped = address.to_ipv4_mapped();
    address.is_loopback() || mapped.as_ref().is_some_and(Ipv4Addr::is_loopback)
}

fn host(text: &str) -> Option<Host> {
    let (name, port) = if let Some(rest) = text.strip_prefix('[') {
        let (name, after) = rest.split_once(']')?;
        name.parse::<Ipv6Addr>().ok()?;
        match after.strip_prefix(':') {
            Some(port) => (name, Some(port)),
            None if after.is_empty() => (name, None),
            None => return None,
        }
    } else if text.parse::<Ipv6Addr>().is_ok() {
        (text, None)
    } else {
        match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        }
    };
    let port = match port {
        None | Some("") => None,
        Some(port) => Some(port.parse().ok()?),
    };
    let name = percent_decoded(name)?.to_lowercase();
    let is_name = !name.is_empty() && !name.contains([':', '/', '@', '[', ']'])
        || name.parse::<Ipv6Addr>().is_ok();
    is_name.then_some(Host { name, port })
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<bool>) {
        let address = Address::read(text);
        assert_eq!(
            address.map(|address| address.is_local()),
            expected,
            "{text}"
        );
    }

    #[test]
    fn only_loopback_and_sockets_are_local() {
        for text in [
            "",
            "redis://localhost:6379",
            "redis://127.0.0.1",
            "redis://127.8.7.6:1/0",
            "redis://[::1]:6379",
            "redis://[::ffff:127.0.0.1]",
            "redis://:p%40ss@localhost:6379",
            "redis://user:a@b@LOCALHOST",
            "redis://local%68ost",
            "unix:///run/redis.sock",
            "unix:/run/redis.sock",
            "redis+unix:///run/redis.sock",
            "/run/redis.sock",
            "postgresql:///app",
            "postgresql:///app?host=/run/postgresql",
            "mongodb://localhost:27017,127.0.0.1:27018/app",
            "jdbc:postgresql://localhost:5432/app",
            "localhost:6379",
            "localhost",
            "db.localhost",
            "localhost.",
            "::1",
        ] {
            check(text, Some(true));
        }
        for text in [
            "redis://10.0.0.5",
            "redis://localhost@10.0.0.5",
            "redis://10.0.0.5/localhost",
            "redis://10.0.0.5?x=127.0.0.1",
            "redis://localhost.example.com",
            "redis://mylocalhost",
            "redis://127.0.0.1.example.com",
            "redis://user:127.0.0.1@db",
            "mongodb://localhost:27017,db2:27017/app",
            "mongodb+srv://user:pw@cluster.example.com/app",
            "db:5432",
            "[2001:db8::1]:80",
            "0.0.0.0:80",
        ] {
            check(text, Some(false));
        }
        for text in [
            "redis://a b",
            "redis://[::1",
            "redis://h:port",
            "re dis://h",
            "redis://h:99999",
            "://h",
            "a://%zz",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn the_parts_are_found() {
        let address = Address::read("mongodb://u:p@A:1,[::1]:2/app?x=1").unwrap();
        let hosts: Vec<(&str, Option<u16>)> = address
            .hosts
            .iter()
            .map(|host| (host.name.as_str(), host.port))
            .collect();
        assert_eq!(hosts, [("a", Some(1)), ("::1", Some(2))]);
        assert_eq!(
            (address.scheme.as_deref(), address.path.as_str()),
            (Some("mongodb"), "/app")
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_gets_an_answer(text in ".{0,60}") {
            let _ = Address::read(&text).map(|address| address.is_local());
        }
    }
}

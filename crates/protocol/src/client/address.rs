//! Where a daemon is: `unix:///path` or `http://host[:port]`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;

use super::error::ClientError;

/// Address of a daemon's socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerUrl {
    /// A unix socket.
    Unix(PathBuf),
    /// TCP.
    Http {
        /// Name or address, lower case, without brackets.
        host: String,
        /// Port number.
        port: u16,
    },
}

impl FromStr for ServerUrl {
    type Err = ClientError;

    /// Takes what the original takes: everything after `unix://` is a path; of an `http://` address
    /// only host and port count, and port 80 is meant where none is written.
    fn from_str(url: &str) -> Result<Self, ClientError> {
        if let Some(path) = url.strip_prefix("unix://") {
            return Ok(Self::Unix(PathBuf::from(path)));
        }
        let unknown = || ClientError::UnknownProtocol {
            url: url.to_owned(),
        };
        let rest = url.strip_prefix("http://").ok_or_else(unknown)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let address = authority.rsplit('@').next().unwrap_or_default();
        let (host, port) = match address.strip_prefix('[') {
            Some(bracketed) => {
                let (host, after) = bracketed.split_once(']').ok_or_else(unknown)?;
                (host, after.strip_prefix(':'))
            }
            None => match address.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (address, None),
            },
        };
        let port = match port {
            None | Some("") => 80,
            Some(port) => port.parse().map_err(|_| unknown())?,
        };
        Ok(Self::Http {
            host: host.to_lowercase(),
            port,
        })
    }
}

/// The value of a Host header. Domain names are short, so a unix socket goes as `localhost`.
impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(_) => f.write_str("localhost"),
            Self::Http { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Http { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

/// Addresses, `localhost`, and the empty name, which is this machine.
#[must_use]
pub fn resolve_literal(host: &str) -> Vec<IpAddr> {
    if let Ok(address) = host.parse() {
        return vec![address];
    }
    match host {
        "" | "localhost" => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: Option<&ServerUrl>) {
        assert_eq!(url.parse::<ServerUrl>().ok().as_ref(), expected, "{url}");
    }

    fn http(host: &str, port: u16) -> Option<ServerUrl> {
        Some(ServerUrl::Http {
            host: host.to_owned(),
            port,
        })
    }

    #[test]
    fn addresses_are_read_as_the_original_reads_them() {
        check(
            "unix:///var/run/a b.sock",
            Some(&ServerUrl::Unix("/var/run/a b.sock".into())),
        );
        check("unix://rel", Some(&ServerUrl::Unix("rel".into())));
        check("http://localhost:9001", http("localhost", 9001).as_ref());
        check("http://Host", http("host", 80).as_ref());
        check(
            "http://127.0.0.1:9001/RPC2",
            http("127.0.0.1", 9001).as_ref(),
        );
        check("http://user:pw@h:1/", http("h", 1).as_ref());
        check("http://[::1]:9001", http("::1", 9001).as_ref());
        check("https://h", None);
        check("localhost:9001", None);
        check("http://h:x", None);
        check("http://h:99999", None);
    }

    #[test]
    fn the_host_header_names_the_port() {
        let url: ServerUrl = "http://[::1]:9001".parse().unwrap();
        assert_eq!(url.to_string(), "[::1]:9001");
        let url: ServerUrl = "unix:///x".parse().unwrap();
        assert_eq!(url.to_string(), "localhost");
    }

    #[test]
    fn only_addresses_and_this_machine_are_known_without_a_look_up() {
        assert_eq!(resolve_literal("10.0.0.1"), [IpAddr::from([10, 0, 0, 1])]);
        assert_eq!(resolve_literal("localhost").len(), 2);
        assert!(resolve_literal("example.org").is_empty());
    }
}

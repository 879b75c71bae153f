//! The name of this machine, and addresses of names.
//!
//! libc's resolver is not used: in a static glibc build it loads shared objects. `/etc/hosts` is read here; about
//! other names, those of DNS among them, `getent` can be asked by whoever may wait for it.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

use crate::getent::Getent;

/// The node name that the kernel has, such as `web-1`.
#[must_use]
pub fn node_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// A name that has no IPv4 address here.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// Neither an address, nor `localhost`, nor in `/etc/hosts`.
    #[error("cannot resolve {host}: not an IPv4 address and not in /etc/hosts")]
    Unknown {
        /// The name.
        host: String,
    },
    /// `getent` does not know it either, or there is no `getent`.
    #[error("cannot resolve {host}: not an address, not in /etc/hosts, and getent has no answer")]
    Unanswered {
        /// The name.
        host: String,
    },
    /// `/etc/hosts` exists and cannot be read.
    #[error("cannot resolve {host}: /etc/hosts cannot be read")]
    HostsFile {
        /// The name.
        host: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The IPv4 address of `host`: an address, `localhost`, or a name in `/etc/hosts`.
///
/// # Errors
/// If none of them knows it.
pub fn resolve_ipv4(host: &str) -> Result<Ipv4Addr, ResolveError> {
    resolve_ipv4_under(Path::new("/"), host)
}

/// As [`resolve_ipv4`], with the system's files under `root`.
///
/// # Errors
/// As [`resolve_ipv4`].
pub fn resolve_ipv4_under(root: &Path, host: &str) -> Result<Ipv4Addr, ResolveError> {
    if let Ok(address) = host.parse() {
        return Ok(address);
    }
    let hosts = read_hosts(root, host)?;
    let name = host.strip_suffix('.').unwrap_or(host);
    let first = find_in_hosts(&hosts, name).find_map(|address| match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    });
    if let Some(address) = first {
        return Ok(address);
    }
    if name.eq_ignore_ascii_case("localhost") {
        return Ok(Ipv4Addr::LOCALHOST);
    }
    Err(ResolveError::Unknown {
        host: host.to_owned(),
    })
}

/// As [`resolve_ipv4`]; a name that is not there is looked up as the system does it, in DNS for example, by a
/// program of the system. May block for as long as `time_limit`, so it is not for the daemon's loop.
///
/// # Errors
/// If nobody knows it.
pub fn look_up_ipv4(host: &str, time_limit: Duration) -> Result<Ipv4Addr, ResolveError> {
    let getent = Getent::of_this_machine(time_limit);
    look_up_ipv4_with(Path::new("/"), getent.as_ref(), host)
}

fn look_up_ipv4_with(
    root: &Path,
    getent: Option<&Getent>,
    host: &str,
) -> Result<Ipv4Addr, ResolveError> {
    match resolve_ipv4_under(root, host) {
        Err(ResolveError::Unknown { host }) => getent
            .and_then(|getent| getent.ask(&["ahostsv4", &host]))
            .as_deref()
            .and_then(first_address)
            .ok_or(ResolveError::Unanswered { host }),
        known => known,
    }
}

/// The first of the lines of `getent ahostsv4`, such as `10.0.0.1  STREAM web.example.org`.
fn first_address(answer: &str) -> Option<Ipv4Addr> {
    answer.split_ascii_whitespace().next()?.parse().ok()
}

/// The addresses of `host`, of both families, in the order in which they are to be tried: an address, a name in
/// `/etc/hosts`, `localhost`, or what the system's `getent` says. May block for as long as `time_limit`.
///
/// # Errors
/// If nobody knows it.
pub fn look_up(host: &str, time_limit: Duration) -> Result<Vec<IpAddr>, ResolveError> {
    let getent = Getent::of_this_machine(time_limit);
    look_up_with(Path::new("/"), getent.as_ref(), host)
}

fn look_up_with(
    root: &Path,
    getent: Option<&Getent>,
    host: &str,
) -> Result<Vec<IpAddr>, ResolveError> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let known: Vec<IpAddr> = find_in_hosts(&read_hosts(root, host)?, name).collect();
    if !known.is_empty() {
        return Ok(known);
    }
    if name.eq_ignore_ascii_case("localhost") {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let answer = getent.and_then(|getent| getent.ask(&["ahosts", host]));
    let found = answer.as_deref().map(all_addresses).unwrap_or_default();
    if found.is_empty() {
        return Err(ResolveError::Unanswered {
            host: host.to_owned(),
        });
    }
    Ok(found)
}

/// Those of the lines of `getent ahosts`, each of which comes once for each type of socket.
fn all_addresses(answer: &str) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for line in answer.lines() {
        let address = line.split_ascii_whitespace().next();
        if let Some(address) = address.and_then(|address| address.parse().ok())
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    found
}

/// `/etc/hosts` under `root`; nothing if there is none. `host` is for the error.
fn read_hosts(root: &Path, host: &str) -> Result<String, ResolveError> {
    match fs::read(root.join("etc/hosts")) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(ResolveError::HostsFile {
            host: host.to_owned(),
            source,
        }),
    }
}

fn find_in_hosts<'a>(hosts: &'a str, name: &'a str) -> impl Iterator<Item = IpAddr> + 'a {
    hosts.lines().filter_map(move |line| {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        let address: IpAddr = words.next()?.parse().ok()?;
        words
            .any(|word| word.eq_ignore_ascii_case(name))
            .then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::getent::testing::scripted;

    const HOSTS: &str = "\
127.0.0.1\tlocalhost loopback # web
::1 localhost six
# 10.0.0.9 commented
10.0.0.1 Web web.example.org
10.0.0.2 web
";

    fn resolve(hosts: Option<&str>, host: &str) -> Result<String, String> {
        let root = tempfile::tempdir().unwrap();
        if let Some(hosts) = hosts {
            fs::create_dir(root.path().join("etc")).unwrap();
            fs::write(root.path().join("etc/hosts"), hosts).unwrap();
        }
        resolve_ipv4_under(root.path(), host)
            .map(|address| address.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn names_are_found() {
        let cases = [
            ("192.168.3.4", "192.168.3.4"),
            ("0.0.0.0", "0.0.0.0"),
            ("localhost", "127.0.0.1"),
            ("LOOPBACK", "127.0.0.1"),
            ("web", "10.0.0.1"),
            ("web.example.org.", "10.0.0.1"),
        ];
        for (host, address) in cases {
            assert_eq!(resolve(Some(HOSTS), host).unwrap(), address);
        }
        assert_eq!(resolve(None, "localhost").unwrap(), "127.0.0.1");
    }

    #[test]
    fn unknown_names_say_where_was_looked() {
        for host in ["six", "commented", "10.0.0", "::1", ""] {
            let expected =
                format!("cannot resolve {host}: not an IPv4 address and not in /etc/hosts");
            assert_eq!(resolve(Some(HOSTS), host).unwrap_err(), expected);
        }
    }

    #[test]
    fn strangers_are_looked_up_as_the_system_does_it() {
        let root = tempfile::tempdir().unwrap();
        let script = "[ \"$*\" = 'ahostsv4 db' ] || exit 2\n\
                      echo '10.1.2.3        STREAM db.example.org'\n\
                      echo '10.1.2.3        DGRAM'";
        let getent = scripted(root.path(), script);
        let look_up = |host| look_up_ipv4_with(root.path(), Some(&getent), host);
        assert_eq!(look_up("db").unwrap(), Ipv4Addr::new(10, 1, 2, 3));
        assert_eq!(look_up("localhost").unwrap(), Ipv4Addr::LOCALHOST);
        look_up("other").unwrap_err();
        let error = look_up_ipv4_with(root.path(), None, "db").unwrap_err();
        assert!(
            error.to_string().ends_with("getent has no answer"),
            "{error}"
        );
    }

    #[test]
    fn both_families_are_found() {
        let root = tempfile::tempdir().unwrap();
        let script = "[ \"$*\" = 'ahosts db' ] || exit 2\n\
                      echo '2001:db8::1     STREAM db.example.org'\n\
                      echo '2001:db8::1     DGRAM'\n\
                      echo '10.1.2.3        STREAM'";
        let getent = scripted(root.path(), script);
        let look_up = |host| {
            let found = look_up_with(root.path(), Some(&getent), host).unwrap();
            let found: Vec<String> = found.iter().map(IpAddr::to_string).collect();
            found.join(" ")
        };
        assert_eq!(look_up("localhost"), "127.0.0.1 ::1");
        assert_eq!(look_up("db"), "2001:db8::1 10.1.2.3");
        fs::create_dir(root.path().join("etc")).unwrap();
        fs::write(root.path().join("etc/hosts"), HOSTS).unwrap();
        assert_eq!(look_up("localhost"), "127.0.0.1 ::1");
        assert_eq!(look_up("six"), "::1");
        assert_eq!(look_up("web."), "10.0.0.1 10.0.0.2");
        assert_eq!(look_up("::1"), "::1");
        let error = look_up_with(root.path(), Some(&getent), "other").unwrap_err();
        assert!(
            error.to_string().ends_with("getent has no answer"),
            "{error}"
        );
    }

    #[test]
    fn this_machine_has_a_name() {
        let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        assert_eq!(node_name(), name.trim_end());
    }
}

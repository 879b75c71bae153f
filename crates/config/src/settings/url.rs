//! URLs as settings have them: `postgresql://user:password@host:port/path`, several hosts with commas between
//! them (MongoDB), or none (`unix:///path`).

use std::net::Ipv6Addr;

/// A URL, taken apart. Its texts are as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url<'a> {
    /// What stands before the colon.
    pub scheme: &'a str,
    /// What stands before the `@`.
    pub user_info: Option<&'a str>,
    /// The hosts; empty if there is none.
    pub hosts: Vec<Host<'a>>,
    /// Path, query and fragment.
    pub rest: &'a str,
}

/// A host of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host<'a> {
    /// Name or address, without brackets.
    pub name: &'a str,
    /// Its port.
    pub port: Option<u16>,
}

/// What is wrong with a URL, in words that do not contain it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UrlProblem(pub &'static str);

impl<'a> Url<'a> {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &'a str) -> Result<Self, UrlProblem> {
        let problem = |words| Err(UrlProblem(words));
        if text.contains(|character: char| character.is_whitespace() || character.is_control()) {
            return problem("a URL has no blanks; write them as `%20`");
        }
        let Some((scheme, after)) = text.split_once(':') else {
            return problem("a URL begins with a scheme, such as `https://`");
        };
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        let Some(after) = after.strip_prefix("//").filter(|_| is_scheme) else {
            return problem("a URL begins with a scheme and two slashes, such as `https://`");
        };
        if !has_whole_escapes(after) {
            return problem(
                "`%` is followed by two hexadecimal digits in a URL; write a single one as `%25`",
            );
        }
        let end = after.find(['/', '?', '#']).unwrap_or(after.len());
        let (authority, rest) = after.split_at(end);
        let (user_info, hosts) = match authority.rsplit_once('@') {
            Some((user_info, hosts)) => (Some(user_info), hosts),
            None => (None, authority),
        };
        if user_info.is_some_and(|user_info| user_info.contains('@')) {
            return problem(
                "there are two `@` before the host; write the one of the password as `%40`",
            );
        }
        let hosts = match hosts {
            "" if user_info.is_some() || rest.is_empty() => {
                return problem("the host is missing");
            }
            "" => Vec::new(),
            hosts => hosts.split(',').map(host).collect::<Result<_, _>>()?,
        };
        Ok(Self {
            scheme,
            user_info,
            hosts,
            rest,
        })
    }

    /// The password, if there is one.
    #[must_use]
    pub fn password(&self) -> Option<&'a str> {
        let (_, password) = self.user_info?.split_once(':')?;
        Some(password)
    }
}

fn host(text: &str) -> Result<Host<'_>, UrlProblem> {
    let (name, port) = if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest
            .split_once(']')
            .ok_or(UrlProblem("the bracket of an IPv6 address is not closed"))?;
        let without_zone = address
            .split_once("%25")
            .map_or(address, |(address, _)| address);
        if without_zone.parse::<Ipv6Addr>().is_err() {
            return Err(UrlProblem("there is no IPv6 address in the brackets"));
        }
        match port {
            "" => (address, None),
            port => (
                address,
                Some(
                    port.strip_prefix(':')
                        .ok_or(UrlProblem("only a port can stand behind the brackets"))?,
                ),
            ),
        }
    } else {
        match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        }
    };
    if name.is_empty() {
        return Err(UrlProblem("the host is missing"));
    }
    if name.contains(['[', ']', '<', '>', '"', '\\', '^', '`', '{', '|', '}'])
        && !text.starts_with('[')
    {
        return Err(UrlProblem("the host has characters that no host has"));
    }
    let port = match port {
        // `host:` is a host without a port.
        None | Some("") => None,
        Some(port) => Some(
            port.parse()
                .ok()
                .filter(|_| port.bytes().all(|byte| byte.is_ascii_digit()))
                .ok_or(UrlProblem(
                    "the port is no number up to 65535; a `/`, `?` or `#` of a password is written as `%2F`, `%3F`, `%23`",
                ))?,
        ),
    };
    Ok(Host { name, port })
}

fn has_whole_escapes(text: &str) -> bool {
    let mut pieces = text.split('%');
    pieces.next();
    pieces.all(|piece| {
        let digits = piece.as_bytes().iter().take(2);
        digits.clone().count() == 2 && digits.clone().all(u8::is_ascii_hexdigit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let url = Url::parse("mongodb+srv://me:p%40ss@a:1,[::1]:27017,c/db?x=1#y").unwrap();
        assert_eq!(url.scheme, "mongodb+srv");
        assert_eq!(url.password(), Some("p%40ss"));
        let hosts: Vec<(&str, Option<u16>)> = url
            .hosts
            .iter()
            .map(|host| (host.name, host.port))
            .collect();
        assert_eq!(hosts, [("a", Some(1)), ("::1", Some(27017)), ("c", None)]);
        assert_eq!(url.rest, "/db?x=1#y");
        let unix = Url::parse("unix:///run/redis.sock").unwrap();
        assert_eq!((unix.hosts.len(), unix.rest), (0, "/run/redis.sock"));
        for good in [
            "redis://127.0.0.1:6379",
            "redis://:secret@localhost",
            "http://x:/",
            "http://bücher.example/",
            "http://[fe80::1%25eth0]/",
            "https://x?a=b&c=d*",
        ] {
            assert!(Url::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for bad in [
            "",
            "example.org",
            "localhost:80",
            "http:/x",
            "://x",
            "1http://x",
            "http://",
            "http://u@/x",
            "http://a b",
            "http://u:p/w@host",
            "http://u:p@w@host",
            "http://x:70000",
            "http://x:+1",
            "http://[::1",
            "http://[1.2.3.4]/",
            "http://[::1]x",
            "http://u:%zz@x",
            "http://u:100%@x",
            "http://a,,b/",
            "http://{x}/",
        ] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
    }
}

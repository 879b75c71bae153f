//! Keeps other web sites, open in somebody's browser, from using that browser to reach a TCP server.
//!
//! Two attacks are meant. *Cross-site requests*: a page makes the browser send a request here. *DNS
//! rebinding*: the attacker's own host name resolves to our address, so that his page counts as ours.
//!
//! The browser tells on both. `Sec-Fetch-Site` and `Origin` name the origin of a request and no script can
//! forge them; `Origin` comes with every POST. For rebinding only `Host` is left, so:
//!
//! - A request of another site (`Sec-Fetch-Site: cross-site` or `same-site`; else an `Origin` that is not
//!   the `Host`; else, beyond GET and HEAD, such a `Referer`) is refused. Following a link to here is not.
//! - Where the server asks for no password, a request with a *foreign* host is refused if it shows any sign
//!   of a browser, or comes in over the loopback interface, where nobody has to use such a name. (With a
//!   password there is nothing to gain: browsers keep passwords by origin.) A host is our own if it is an
//!   address, has no dot, is the name configured or the machine's, or is in a zone that nobody can register.
//! - Other requests pass: known clients send `unix`, `localhost`, an address, or from elsewhere any name that
//!   resolves to here, and nothing else that is looked at.

use std::net::{IpAddr, Ipv6Addr};

use hyper::header::{
    ACCEPT_LANGUAGE, HOST, HeaderMap, HeaderName, ORIGIN, REFERER, UPGRADE_INSECURE_REQUESTS,
    USER_AGENT,
};
use hyper::{Method, Request};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
/// Set by reverse proxies that put their own address in `Host`; a page of another site cannot set it
/// without being asked first, and our answer to being asked is no.
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Zones that are never resolved by public name servers.
const PRIVATE_ZONES: [&str; 6] = [
    ".localhost",
    ".local",
    ".internal",
    ".home.arpa",
    ".test",
    ".localdomain",
];

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    CrossSite,
    ForeignHost,
}

impl Refusal {
    /// The sentence on the error page.
    pub(crate) fn explanation(self) -> &'static str {
        match self {
            Self::CrossSite => {
                "This request comes from another web site, which may not control this server."
            }
            Self::ForeignHost => {
                "This server has no password, so it may only be called by its address, its machine's name, \
                 or the host name in its configuration. Set username and password to use any name."
            }
        }
    }
}

/// Names of the machine under which a server may be called.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnNames {
    /// Host of the server's `port=` option; may be empty.
    pub(crate) configured: String,
    /// The machine's.
    pub(crate) machine: String,
}

/// What is known about the server and the connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    pub(crate) own_names: &'a OwnNames,
    pub(crate) has_password: bool,
    /// The connection uses the loopback interface.
    pub(crate) is_loopback: bool,
}

/// Judges a request to a TCP server.
pub(crate) fn check<B>(
    request: &Request<B>,
    circumstances: Circumstances<'_>,
) -> Result<(), Refusal> {
    let headers = request.headers();
    let Circumstances {
        own_names,
        has_password,
        is_loopback,
    } = circumstances;
    if !has_password && (is_loopback || looks_like_a_browser(headers)) {
        let host = text(headers, HOST)
            .or_else(|| {
                request
                    .uri()
                    .authority()
                    .map(hyper::http::uri::Authority::as_str)
            })
            .unwrap_or("");
        if !is_own_host(host, own_names) {
            return Err(Refusal::ForeignHost);
        }
    }
    if is_cross_site(request.method(), headers) {
        return Err(Refusal::CrossSite);
    }
    Ok(())
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

fn is_cross_site(method: &Method, headers: &HeaderMap) -> bool {
    let reads = *method == Method::GET || *method == Method::HEAD;
    match text(headers, SEC_FETCH_SITE) {
        Some("same-origin" | "none") => return false,
        Some(_) => return !(reads && text(headers, SEC_FETCH_MODE) == Some("navigate")),
        None => {}
    }
    if let Some(origin) = text(headers, ORIGIN) {
        return !is_ours(origin, headers);
    }
    !reads && text(headers, REFERER).is_some_and(|referer| !is_ours(referer, headers))
}

/// Whether an origin, or an address, is that of the host that a request is for.
fn is_ours(origin: &str, headers: &HeaderMap) -> bool {
    let Some((scheme, rest)) = origin.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let without_port = |host: &str| {
        host.strip_suffix(default_port)
            .unwrap_or(host)
            .to_ascii_lowercase()
    };
    [text(headers, HOST), text(headers, FORWARDED_HOST)]
        .iter()
        .flatten()
        .any(|host| without_port(host) == without_port(authority))
}

/// Where a request comes from that wants something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provenance {
    /// From a page of this server, from its user's own hand, or from no browser at all.
    Ours,
    /// From a browser that does not say. Over plain HTTP that is all that is known of a bookmark, and of a
    /// link whose page forbade to tell.
    Unknown,
    /// From another site, or from behind a proxy that hides which site this is.
    Foreign,
}

/// Judges where a request comes from. Unlike [`check`], it takes a GET for what changes something, and
/// following a link from another site for that site's doing.
pub(crate) fn provenance(headers: &HeaderMap) -> Provenance {
    let judged = |is_ours: bool| {
        if is_ours {
            Provenance::Ours
        } else {
            Provenance::Foreign
        }
    };
    if let Some(site) = text(headers, SEC_FETCH_SITE) {
        return judged(matches!(site, "same-origin" | "none"));
    }
    if let Some(origin) = text(headers, ORIGIN).or_else(|| text(headers, REFERER)) {
        return judged(is_ours(origin, headers));
    }
    // What browsers send and scripts do not, even those that call themselves Mozilla.
    if headers.contains_key(ACCEPT_LANGUAGE) || headers.contains_key(UPGRADE_INSECURE_REQUESTS) {
        return Provenance::Unknown;
    }
    Provenance::Ours
}

/// Each of these is sent by browsers and not by the clients that are known to us.
pub(crate) fn looks_like_a_browser(headers: &HeaderMap) -> bool {
    headers.contains_key(ORIGIN)
        || headers.contains_key(REFERER)
        || headers.contains_key(ACCEPT_LANGUAGE)
        || headers.contains_key(SEC_FETCH_SITE)
        || headers.contains_key(SEC_FETCH_MODE)
        || text(headers, USER_AGENT).is_some_and(|agent| agent.starts_with("Mozilla/"))
}

fn is_own_host(host: &str, own_names: &OwnNames) -> bool {
    if let Some(bracketed) = host.strip_prefix('[') {
        return bracketed
            .split_once(']')
            .is_some_and(|(address, _)| address.parse::<Ipv6Addr>().is_ok());
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name.parse::<IpAddr>().is_ok()
        || !name.contains('.')
        || PRIVATE_ZONES.iter().any(|zone| name.ends_with(zone))
        || name.eq_ignore_ascii_case(&own_names.configured)
        || name.eq_ignore_ascii_case(&own_names.machine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(method: &str, headers: &str, has_password: bool) -> Result<(), Refusal> {
        verdict_over(method, headers, has_password, false)
    }

    fn verdict_over(
        method: &str,
        headers: &str,
        has_password: bool,
        is_loopback: bool,
    ) -> Result<(), Refusal> {
        let mut request = Request::builder().method(method).uri("/RPC2");
        for line in headers.split('\n').filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        let own_names = OwnNames {
            configured: "super.example.com".to_owned(),
            machine: "web1.example.com".to_owned(),
        };
        let circumstances = Circumstances {
            own_names: &own_names,
            has_password,
            is_loopback,
        };
        check(&request.body(()).unwrap(), circumstances)
    }

    fn check_all(cases: &[(&str, &str, Result<(), Refusal>)]) {
        for (method, headers, expected) in cases {
            assert_eq!(verdict(method, headers, false), *expected, "{headers}");
        }
    }

    #[test]
    fn plain_clients_pass_whatever_their_host_is() {
        for host in [
            "",
            "Host: unix",
            "Host: localhost",
            "Host: 127.0.0.1:9001",
            "Host: [::1]:9001",
            "Host: supervisor.customer.example:9001\nUser-Agent: Python-xmlrpc/3.11\n\
             Accept-Encoding: gzip\nContent-Type: text/xml",
            "Host: x.example\nUser-Agent: Go-http-client/1.1",
        ] {
            assert_eq!(verdict("POST", host, false), Ok(()), "{host}");
        }
    }

    #[test]
    fn requests_of_other_sites_are_refused() {
        let refused = Err(Refusal::CrossSite);
        check_all(&[
            (
                "POST",
                "Host: 127.0.0.1:9001\nOrigin: https://evil.example",
                refused,
            ),
            ("POST", "Host: 127.0.0.1:9001\nOrigin: null", refused),
            (
                "POST",
                "Host: 127.0.0.1:9001\nOrigin: http://127.0.0.1:9002",
                refused,
            ),
            (
                "POST",
                "Host: 127.0.0.1:9001\nOrigin: http://127.0.0.1",
                refused,
            ),
            (
                "POST",
                "Host: 127.0.0.1:9001\nOrigin: http://127.0.0.1:9001",
                Ok(()),
            ),
            (
                "POST",
                "Host: localhost\nOrigin: http://LOCALHOST:80",
                Ok(()),
            ),
            (
                "POST",
                "Host: 10.0.0.1\nReferer: http://evil.example/x",
                refused,
            ),
            (
                "POST",
                "Host: 10.0.0.1:9001\nReferer: http://10.0.0.1:9001/?a",
                Ok(()),
            ),
            (
                "GET",
                "Host: 10.0.0.1\nReferer: http://wiki.example/x",
                Ok(()),
            ),
            (
                "GET",
                "Host: 10.0.0.1\nOrigin: http://evil.example",
                refused,
            ),
            (
                "POST",
                "Host: localhost\nSec-Fetch-Site: cross-site",
                refused,
            ),
            (
                "POST",
                "Host: localhost\nSec-Fetch-Site: same-site",
                refused,
            ),
            (
                "POST",
                "Host: localhost\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate",
                refused,
            ),
            (
                "GET",
                "Host: localhost\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: no-cors",
                refused,
            ),
            (
                "GET",
                "Host: localhost\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate",
                Ok(()),
            ),
            ("GET", "Host: localhost\nSec-Fetch-Site: none", Ok(())),
            (
                "POST",
                "Host: localhost\nSec-Fetch-Site: same-origin\nOrigin: https://front.example",
                Ok(()),
            ),
            (
                "POST",
                "Host: 127.0.0.1:9001\nX-Forwarded-Host: s.example\nOrigin: https://s.example",
                Ok(()),
            ),
        ]);
    }

    #[test]
    fn what_changes_something_shows_where_it_comes_from() {
        use Provenance::{Foreign, Ours, Unknown};
        for (headers, expected) in [
            ("Host: a", Ours),
            (
                "Host: a\nUser-Agent: Mozilla/5.0 (Windows NT) WindowsPowerShell/5.1",
                Ours,
            ),
            ("Host: a\nUser-Agent: curl/8\nAccept: */*", Ours),
            ("Host: a\nAccept-Language: de", Unknown),
            ("Host: a\nUpgrade-Insecure-Requests: 1", Unknown),
            ("Host: a\nAccept-Language: de\nReferer: http://a/", Ours),
            (
                "Host: a\nAccept-Language: de\nReferer: http://b/a/",
                Foreign,
            ),
            ("Host: a\nOrigin: null\nReferer: http://a/", Foreign),
            ("Host: a:9001\nOrigin: http://a:9001", Ours),
            ("Host: a:9001\nOrigin: http://a:9002", Foreign),
            (
                "Host: a\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate",
                Foreign,
            ),
            ("Host: a\nSec-Fetch-Site: same-site", Foreign),
            ("Host: a\nSec-Fetch-Site: none\nAccept-Language: de", Ours),
            (
                "Host: a\nSec-Fetch-Site: same-origin\nOrigin: http://front",
                Ours,
            ),
        ] {
            let mut map = HeaderMap::new();
            for line in headers.split('\n') {
                let (name, value) = line.split_once(": ").unwrap();
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                map.insert(name, value.parse().unwrap());
            }
            assert_eq!(provenance(&map), expected, "{headers}");
        }
    }

    #[test]
    fn over_the_loopback_interface_every_client_uses_our_own_names() {
        let foreign = "Host: supervisor.customer.example";
        let refused = Err(Refusal::ForeignHost);
        assert_eq!(verdict_over("POST", foreign, false, true), refused);
        assert_eq!(verdict_over("POST", foreign, true, true), Ok(()));
        for own in ["", "Host: unix", "Host: localhost:9001", "Host: [::1]:1"] {
            assert_eq!(verdict_over("POST", own, false, true), Ok(()), "{own}");
        }
    }

    #[test]
    fn a_password_does_not_allow_other_sites() {
        assert_eq!(
            verdict("POST", "Host: 10.0.0.1\nOrigin: https://evil.example", true),
            Err(Refusal::CrossSite)
        );
    }

    #[test]
    fn browsers_may_use_our_own_names_only() {
        for (host, expected) in [
            ("10.0.0.1:9001", Ok(())),
            ("[fe80::1]:9001", Ok(())),
            ("localhost:9001", Ok(())),
            ("web1:9001", Ok(())),
            ("WEB1.example.com.:9001", Ok(())),
            ("super.example.com", Ok(())),
            ("box.local:9001", Ok(())),
            ("evil.example:9001", Err(Refusal::ForeignHost)),
            ("web1.example.com.evil.example", Err(Refusal::ForeignHost)),
            ("10.0.0.1.evil.example", Err(Refusal::ForeignHost)),
            ("[evil.example]", Err(Refusal::ForeignHost)),
        ] {
            let origin = host.trim_end_matches('.');
            for (method, sign) in [
                ("GET", "User-Agent: Mozilla/5.0 (X11)".to_owned()),
                ("GET", "Accept-Language: de".to_owned()),
                ("POST", format!("Origin: http://{origin}")),
            ] {
                let headers = format!("Host: {host}\n{sign}");
                assert_eq!(verdict(method, &headers, false), expected, "{headers}");
                assert_eq!(verdict(method, &headers, true), Ok(()), "{headers}");
            }
        }
    }
}

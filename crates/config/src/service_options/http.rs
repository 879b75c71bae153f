//! Probes that ask by HTTP: the URL and what may follow it.

use std::ops::Range;

use linchpin_python::shlex;

use super::own::Mistake;
use super::probes::{host_and_port, regular_expression};
use crate::service::HttpProbe;
use crate::suggestion::closest;

/// What may follow the URL.
const WORDS: [&str; 6] = ["status", "header", "body", "method", "ca", "verify"];
/// Statuses that count as an answer that is right, where nothing is written.
const DEFAULT_STATUSES: (u16, u16) = (200, 399);

/// A probe from its whole text, which begins with `http:` or `https:`.
pub(super) fn probe(text: &str, tls: bool) -> Result<HttpProbe, Mistake> {
    let mut words = words(text)?.into_iter();
    let mut probe = match words.next() {
        Some((url, range)) => address(&url, tls).map_err(|mistake| match mistake.range {
            // Offsets hold only where no quotation mark was taken away.
            Some(_) if text.get(range.clone()) == Some(&url) => mistake,
            _ => mistake.at(range),
        })?,
        None => address("", tls)?,
    };
    let mut seen = Vec::new();
    for (word, range) in words {
        let key = word.split('=').next().unwrap_or_default().to_owned();
        further(&mut probe, &word, &mut seen).map_err(|mistake| {
            let range = if mistake.range.is_some() {
                range.start..range.start + key.len()
            } else {
                range
            };
            mistake.at(range)
        })?;
    }
    contradictions(&probe).map_err(|mistake| mistake.at(0..text.len()))?;
    if probe.statuses.is_empty() {
        probe.statuses.push(DEFAULT_STATUSES);
    }
    Ok(probe)
}

/// The words of a text with their places, quoted as in a shell.
fn words(text: &str) -> Result<Vec<(String, Range<usize>)>, Mistake> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut is_escaped = false;
    for (at, character) in text.char_indices() {
        if quote.is_none() && !is_escaped && character.is_ascii_whitespace() {
            ranges.extend(start.take().map(|start| start..at));
            continue;
        }
        start.get_or_insert(at);
        if is_escaped {
            is_escaped = false;
        } else if character == '\\' && quote != Some('\'') {
            is_escaped = true;
        } else if quote == Some(character) {
            quote = None;
        } else if quote.is_none() && matches!(character, '"' | '\'') {
            quote = Some(character);
        }
    }
    ranges.extend(start.map(|start| start..text.len()));
    ranges
        .into_iter()
        .map(|range| {
            let word = shlex::split(&text[range.clone()]).map_err(|error| {
                Mistake::new(format!("this cannot be split into words ({error})"))
                    .help("close the quotation mark, or double the backslash")
                    .at(range.clone())
            })?;
            Ok((word.concat(), range))
        })
        .collect()
}

/// The URL.
fn address(url: &str, tls: bool) -> Result<HttpProbe, Mistake> {
    let scheme = if tls { "https" } else { "http" };
    let help = format!("write `{scheme}://host:port/path`");
    let prefix = scheme.len() + 3;
    let rest = url
        .get(scheme.len()..)
        .and_then(|rest| rest.strip_prefix("://"))
        .ok_or_else(|| {
            Mistake::new(format!("`//` must follow `{scheme}:`"))
                .help(&help)
                .at(0..url.len())
        })?;
    let (authority, path) = match rest.find(['/', '?', '#']) {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    };
    if authority.contains('@') {
        return Err(
            Mistake::new("a probe takes no name and password in its URL")
                .help("write `header=\"Authorization:Basic …\"` behind the URL")
                .at(prefix..prefix + authority.len()),
        );
    }
    let (host, port) =
        host_and_port(authority).map_err(|mistake| mistake.shifted(prefix).help(&help))?;
    let path_start = prefix + authority.len();
    if let Some(at) = path.find('#') {
        return Err(Mistake::new("what follows a `#` is never sent to a server")
            .help("remove it, or write `%%23` for the character")
            .at(path_start + at..url.len()));
    }
    if let Some(strange) = path.chars().find(|character| !character.is_ascii_graphic()) {
        return Err(Mistake::new(format!(
            "`{}` cannot stand in a URL",
            strange.escape_default()
        ))
        .help("write its bytes as `%%` and two hexadecimal digits")
        .at(path_start..url.len()));
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok(HttpProbe {
        tls,
        host,
        port: port.unwrap_or(if tls { 443 } else { 80 }),
        path: format!("{slash}{path}"),
        method: "GET".to_owned(),
        statuses: Vec::new(),
        headers: Vec::new(),
        body: None,
        ca: None,
        insecure: false,
    })
}

/// A word behind the URL. A mistake with a range is about the key of it, any other about the whole.
fn further(probe: &mut HttpProbe, word: &str, seen: &mut Vec<String>) -> Result<(), Mistake> {
    let unknown = |key: &str| {
        let mistake = Mistake::new(format!("`{key}` cannot follow the URL of a probe"));
        match closest(key, WORDS) {
            Some(meant) => mistake.help(format!("did you mean `{meant}=`?")),
            None => mistake.help(format!("known are `{}=`", WORDS.join("=`, `"))),
        }
        .at(0..key.len())
    };
    let Some((key, value)) = word.split_once('=') else {
        return Err(unknown(word));
    };
    if key != "header" && seen.iter().any(|seen| seen == key) {
        return Err(Mistake::new(format!("`{key}` is written twice"))
            .help("remove one of the two")
            .at(0..key.len()));
    }
    match key {
        "status" => probe.statuses = statuses(value)?,
        "header" => probe.headers.push(header(value)?),
        "body" => {
            regular_expression(value)?;
            probe.body = Some(value.to_owned());
        }
        "method" => probe.method = method(value)?,
        "ca" if value.starts_with('/') => probe.ca = Some(value.to_owned()),
        "ca" => {
            return Err(
                Mistake::new("the path of the certificates must be absolute")
                    .help("write `ca=/path/of/ca.pem`"),
            );
        }
        "verify" => {
            probe.insecure = !super::values::boolean(value)
                .map_err(|mistake| mistake.help("write `verify=no`, or leave it out"))?;
        }
        _ => return Err(unknown(key)),
    }
    seen.push(key.to_owned());
    Ok(())
}

fn statuses(text: &str) -> Result<Vec<(u16, u16)>, Mistake> {
    let status = |text: &str| {
        text.parse::<u16>()
            .ok()
            .filter(|status| (100..=999).contains(status))
    };
    text.split(',')
        .map(|item| {
            let (from, to) = item.split_once('-').unwrap_or((item, item));
            let (from, to) = (status(from.trim())?, status(to.trim())?);
            (from <= to).then_some((from, to))
        })
        .collect::<Option<Vec<(u16, u16)>>>()
        .ok_or_else(|| {
            Mistake::new(format!("`{text}` is no list of statuses")).help(
                "write statuses and ranges with commas between them, such as `status=200-299,401`",
            )
        })
}

fn header(text: &str) -> Result<(String, String), Mistake> {
    let bad = |message: &str| {
        Mistake::new(format!("`{text}` is no header: {message}"))
            .help("write `header=Name:value`, in quotation marks if there is a blank in it")
    };
    let (name, value) = text
        .split_once(':')
        .ok_or_else(|| bad("there is no colon in it"))?;
    let is_token = |character: char| {
        character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
    };
    if name.is_empty() || !name.chars().all(is_token) {
        return Err(bad("its name has characters that no header can have"));
    }
    let value = value.trim();
    if value.chars().any(char::is_control) {
        return Err(bad("there is a control character in its value"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn method(text: &str) -> Result<String, Mistake> {
    let upper = text.to_ascii_uppercase();
    if matches!(upper.as_str(), "GET" | "HEAD") {
        Ok(upper)
    } else {
        Err(Mistake::new(format!("a probe cannot ask with `{text}`"))
            .help("write `method=GET` or `method=HEAD`"))
    }
}

/// Words that cannot stand together.
fn contradictions(probe: &HttpProbe) -> Result<(), Mistake> {
    if !probe.tls && (probe.ca.is_some() || probe.insecure) {
        return Err(
            Mistake::new("`ca` and `verify` mean something with `https://` alone")
                .help("write `https://`, or remove them"),
        );
    }
    if probe.ca.is_some() && probe.insecure {
        return Err(
            Mistake::new("`ca` decides nothing with `verify=no`").help("remove one of the two")
        );
    }
    if probe.body.is_some() && probe.method == "HEAD" {
        return Err(Mistake::new("the answer to HEAD has no body to look at")
            .help("remove `method=HEAD` or `body=`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<HttpProbe, Mistake> {
        probe(text, text.starts_with("https"))
    }

    #[test]
    fn an_address_alone_gives_the_defaults() {
        let plain = read("http://localhost").unwrap();
        assert_eq!(
            plain,
            HttpProbe {
                tls: false,
                host: "localhost".to_owned(),
                port: 80,
                path: "/".to_owned(),
                method: "GET".to_owned(),
                statuses: vec![(200, 399)],
                headers: Vec::new(),
                body: None,
                ca: None,
                insecure: false,
            }
        );
        let other = read("https://[::1]?deep=yes").unwrap();
        assert_eq!(
            (other.host.as_str(), other.port, other.path.as_str()),
            ("::1", 443, "/?deep=yes")
        );
    }

    #[test]
    fn words_behind_the_url_are_read() {
        let probe = read(
            "https://db:8443/health?a=b status=200-299,401 header=Host:x \"header=X-Key: a b\" \
             body='^ok +[0-9]' method=get ca=/etc/ca.pem",
        )
        .unwrap();
        assert_eq!((probe.port, probe.path.as_str()), (8443, "/health?a=b"));
        assert_eq!(probe.statuses, [(200, 299), (401, 401)]);
        let of = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(probe.headers, [of("Host", "x"), of("X-Key", "a b")]);
        assert_eq!(probe.body.as_deref(), Some("^ok +[0-9]"));
        assert_eq!(probe.method, "GET");
        assert_eq!(probe.ca.as_deref(), Some("/etc/ca.pem"));
        assert!(read("https://db/ verify=no").unwrap().insecure);
        assert!(!read("https://db/ verify=yes").unwrap().insecure);
    }

    #[test]
    fn mistakes_are_pointed_at() {
        for (text, piece, message) in [
            ("http:x", "http:x", "`//` must follow"),
            ("http://", "", "there is no host"),
            ("http://a:x/", "x", "`x` is no port"),
            ("http://u:p@h/", "u:p@h", "no name and password"),
            ("http://h/a#b", "#b", "never sent"),
            ("http://h/\u{e9}", "/\u{e9}", "cannot stand in a URL"),
            ("http://h/ statis=200", "statis", "`statis` cannot follow"),
            ("http://h/ nonsense", "nonsense", "`nonsense` cannot follow"),
            ("http://h/ status=2xx", "status=2xx", "no list of statuses"),
            (
                "http://h/ status=300-200",
                "status=300-200",
                "no list of statuses",
            ),
            ("http://h/ header=x", "header=x", "no colon"),
            (
                "http://h/ \"header=a b:c\"",
                "\"header=a b:c\"",
                "characters",
            ),
            ("http://h/ body=a(", "body=a(", "no regular expression"),
            ("http://h/ body='a", "body='a", "No closing quotation"),
            (
                "http://h/ method=POST",
                "method=POST",
                "cannot ask with `POST`",
            ),
            (
                "http://h/ method=GET method=HEAD",
                "method",
                "written twice",
            ),
            (
                "http://h/ verify=no",
                "http://h/ verify=no",
                "`https://` alone",
            ),
            ("https://h/ ca=x", "ca=x", "must be absolute"),
            (
                "https://h/ verify=maybe",
                "verify=maybe",
                "neither yes nor no",
            ),
            (
                "https://h/ ca=/x verify=no",
                "https://h/ ca=/x verify=no",
                "decides nothing",
            ),
            (
                "http://h/ body=x method=HEAD",
                "http://h/ body=x method=HEAD",
                "no body",
            ),
        ] {
            let mistake = read(text).unwrap_err();
            let range = mistake.range.clone().unwrap();
            assert!(mistake.message.contains(message), "{text}: {mistake:?}");
            assert!(mistake.help.is_some(), "{text}");
            let last = text.rfind(piece).unwrap_or(usize::MAX);
            let found = &text[range.clone()];
            assert!(found == piece && range.start == last, "{text}: {found:?}");
        }
    }
}

//! `url(X)`: the parts of an address.

use std::collections::BTreeMap;

use minijinja::value::Value;
use minijinja::{Error, ErrorKind};

use super::scope::{Branch, Misses};
use crate::language::Address;
use crate::language::words::{Unset, is_missing};

/// The parts of an address as a template finds them; those that it does not have are undefined.
pub(super) fn parts_of(address: &Value, misses: &Misses) -> Result<Value, Error> {
    let wrong = |what: String| Error::new(ErrorKind::InvalidOperation, what);
    if let Some(unset) = address.downcast_object_ref::<Unset>() {
        return Err(wrong(format!(
            "{} has no value, so url() cannot take it apart",
            unset.name
        )));
    }
    if is_missing(address) {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let not_an_address = || wrong("url() was given something that is no address".to_owned());
    let text = address.as_str().ok_or_else(not_an_address)?.trim();
    let read = Address::read(text).ok_or_else(not_an_address)?;
    let mut parts: BTreeMap<String, Value> = BTreeMap::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            parts.insert(name.to_owned(), value);
        }
    };
    let hosts: Vec<Value> = read
        .hosts
        .iter()
        .map(|host| {
            let mut parts = BTreeMap::from([("name".to_owned(), Value::from(host.name.as_str()))]);
            parts.extend(host.port.map(|port| ("port".to_owned(), Value::from(port))));
            Branch::value("host", parts, misses)
        })
        .collect();
    let first = read.hosts.first();
    put("scheme", read.scheme.as_deref().map(Value::from));
    put("host", first.map(|host| Value::from(host.name.as_str())));
    put("port", first.and_then(|host| host.port).map(Value::from));
    put("hosts", Some(Value::from(hosts)));
    put("path", Some(Value::from(read.path.as_str())));
    put("is_local", Some(Value::from(read.is_local())));
    let (user, password, query) = who_and_what(text);
    put("user", user.map(Value::from));
    put("password", password.map(Value::from));
    put("query", query.map(Value::from));
    Ok(Branch::value("url(…)", parts, misses))
}

/// Who asks, with which password, and the query.
fn who_and_what(text: &str) -> (Option<String>, Option<String>, Option<&str>) {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, after) = rest.split_at(end);
    let query = after
        .split_once('?')
        .map(|(_, query)| query.split('#').next().unwrap_or_default());
    let Some((who, _)) = authority.rsplit_once('@') else {
        return (None, None, query);
    };
    let (user, password) = match who.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (who, None),
    };
    (Some(decoded(user)), password.map(decoded), query)
}

/// Without its `%XX`; as it stands where they are none.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let code = rest
            .get(at + 1..at + 3)
            .filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) else {
            return text.to_owned();
        };
        bytes.push(byte);
        rest = &rest[at + 3..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

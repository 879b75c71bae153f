//! A trust store for Java: PKCS#12 with plain certificates, without a code of authenticity.
//!
//! A store with such a code needs a password, and a JVM that is not given one reads no certificate at all and says
//! nothing. Without it the store can be read with any password and with none. Each certificate has the attribute by which
//! Java knows that it is to be trusted (2.16.840.1.113894.746875.1.1).

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::der::{BMP_STRING, EXPLICIT, INTEGER, OCTETS, SEQUENCE, SET, element};
use crate::x509::Certificate;

/// pkcs7-data, 1.2.840.113549.1.7.1
const DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
/// pkcs12 certBag, 1.2.840.113549.1.12.10.1.3
const CERTIFICATE_BAG: &[u8] = b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x03";
/// pkcs9 x509Certificate, 1.2.840.113549.1.9.22.1
const X509_CERTIFICATE: &[u8] = b"\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x09\x16\x01";
/// pkcs9 friendlyName, 1.2.840.113549.1.9.20
const FRIENDLY_NAME: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x14";
/// Oracle's trustedKeyUsage, 2.16.840.1.113894.746875.1.1
const TRUSTED_KEY_USAGE: &[u8] = b"\x06\x0c\x60\x86\x48\x01\x86\xf9\x66\xad\xca\x7b\x01\x01";
/// anyExtendedKeyUsage, 2.5.29.37.0
const ANY_USAGE: &[u8] = b"\x06\x04\x55\x1d\x25\x00";

/// Longest part of a name that goes into an alias.
const LONGEST_ALIAS: usize = 60;

/// The store with the system's certificates and those of the folder.
pub(super) fn trust_store(system: &[Certificate], trusted: &[&Certificate]) -> Vec<u8> {
    let mut seen = HashSet::new();
    let mut bags = Vec::new();
    let all = trusted
        .iter()
        .map(|certificate| ("custom", *certificate))
        .chain(system.iter().map(|certificate| ("system", certificate)));
    for (origin, certificate) in all {
        if seen.insert(certificate.fingerprint) {
            bags.extend(bag(&alias(origin, certificate), certificate.der()));
        }
    }
    let contents = data(&element(SEQUENCE, &bags));
    let safe = data(&element(SEQUENCE, &contents));
    let version = element(INTEGER, &[3]);
    element(SEQUENCE, &[version, safe].concat())
}

/// The name under which `keytool` lists a certificate: unique, and in lower case, as Java compares it.
fn alias(origin: &str, certificate: &Certificate) -> String {
    let mut alias = format!("{origin}-");
    for character in certificate.common_name.chars().take(LONGEST_ALIAS) {
        let is_plain = character.is_ascii_alphanumeric();
        alias.push(if is_plain {
            character.to_ascii_lowercase()
        } else {
            '-'
        });
    }
    alias.push('-');
    for byte in &certificate.fingerprint[..8] {
        // Writing to a string cannot fail.
        let _ = write!(alias, "{byte:02x}");
    }
    alias
}

fn bag(alias: &str, certificate: &[u8]) -> Vec<u8> {
    let value = element(EXPLICIT, &element(OCTETS, certificate));
    let value = element(SEQUENCE, &[X509_CERTIFICATE, &value].concat());
    let name: Vec<u8> = alias.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let attributes = [
        attribute(FRIENDLY_NAME, &element(BMP_STRING, &name)),
        attribute(TRUSTED_KEY_USAGE, ANY_USAGE),
    ]
    .concat();
    let bag = [
        CERTIFICATE_BAG,
        &element(EXPLICIT, &value),
        &element(SET, &attributes),
    ]
    .concat();
    element(SEQUENCE, &bag)
}

fn attribute(name: &[u8], value: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[name, &element(SET, value)].concat())
}

/// A `ContentInfo` of plain data.
fn data(content: &[u8]) -> Vec<u8> {
    let content = element(EXPLICIT, &element(OCTETS, content));
    element(SEQUENCE, &[DATA, &content].concat())
}

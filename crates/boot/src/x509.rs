//! What we need to know of a certificate.

use std::net::IpAddr;

use ring::digest::{SHA256, digest};
use x509_parser::der_parser::oid;
use x509_parser::error::X509Error;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::Oid;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

use crate::date::{day_of, days_until};

/// Longest name of a subject that is shown.
const LONGEST_NAME: usize = 160;

/// Smallest RSA key that clients still take.
const SMALLEST_RSA: usize = 2048;

/// A certificate that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    /// Whose it is, as text.
    pub subject: String,
    /// Who signed it, as text.
    pub issuer: String,
    /// The most telling part of the subject.
    pub(crate) common_name: String,
    pub(crate) raw_subject: Vec<u8>,
    pub(crate) raw_issuer: Vec<u8>,
    /// From when it counts, in seconds since 1970.
    pub not_before: i64,
    /// Until when it counts, in seconds since 1970.
    pub not_after: i64,
    /// Whether it may sign others.
    pub is_authority: bool,
    /// Names of the DNS that it is for.
    pub dns_names: Vec<String>,
    /// Addresses that it is for.
    pub addresses: Vec<IpAddr>,
    pub(crate) public_key: Vec<u8>,
    /// What its key is.
    pub key: KeyKind,
    /// SHA-256 of the whole.
    pub fingerprint: [u8; 32],
    pub(crate) has_weak_signature: bool,
}

/// Kinds of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA, with so many bits.
    Rsa(usize),
    /// On the curve P-256.
    P256,
    /// On the curve P-384.
    P384,
    /// Ed25519.
    Ed25519,
    /// One that we cannot do anything with.
    Other,
}

impl KeyKind {
    /// Whether a private key of this kind can be read here.
    pub(crate) fn is_supported(self) -> bool {
        match self {
            Self::Rsa(bits) => (SMALLEST_RSA..=4096).contains(&bits),
            Self::P256 | Self::P384 | Self::Ed25519 => true,
            Self::Other => false,
        }
    }

    /// Whether clients refuse it for its size.
    pub(crate) fn is_too_small(self) -> bool {
        matches!(self, Self::Rsa(bits) if bits < SMALLEST_RSA)
    }
}

/// What comes of looking whether one certificate signed another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signature {
    Good,
    Bad,
    /// It is of a kind that cannot be checked here.
    Unknown,
}

impl Certificate {
    /// Reads one from its DER form; what follows it is not looked at.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (rest, parsed) = X509Certificate::from_der(bytes).ok()?;
        let der = bytes.get(..bytes.len() - rest.len())?;
        let (mut dns_names, mut addresses) = (Vec::new(), Vec::new());
        if let Ok(Some(names)) = parsed.subject_alternative_name() {
            for name in &names.value.general_names {
                if let GeneralName::DNSName(name) = name {
                    dns_names.push(name.to_ascii_lowercase());
                } else if let GeneralName::IPAddress(bytes) = name {
                    addresses.extend(address(bytes));
                }
            }
        }
        let raw_subject = parsed.subject().as_raw().to_vec();
        let raw_issuer = parsed.issuer().as_raw().to_vec();
        let constraints = parsed.basic_constraints().ok().flatten();
        let usage = parsed.key_usage().ok().flatten();
        let is_authority = match constraints {
            Some(it) => it.value.ca && usage.is_none_or(|usage| usage.value.key_cert_sign()),
            // The first version of certificates cannot say it; old roots are of it.
            None => parsed.version().0 == 0 && raw_subject == raw_issuer,
        };
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest(&SHA256, der).as_ref());
        Some(Self {
            subject: text_of(parsed.subject(), &dns_names),
            issuer: text_of(parsed.issuer(), &[]),
            common_name: common_name(parsed.subject()),
            raw_subject,
            raw_issuer,
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
            is_authority,
            dns_names,
            addresses,
            public_key: parsed.public_key().subject_public_key.data.to_vec(),
            key: kind_of(parsed.public_key()),
            fingerprint,
            has_weak_signature: is_weak(&parsed.signature_algorithm.algorithm),
            der: der.to_vec(),
        })
    }

    /// The DER form.
    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether it names itself as the one who signed it.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.raw_subject == self.raw_issuer
    }

    /// Whether another certificate's key signed it.
    pub(crate) fn is_signed_by(&self, issuer: &Self) -> Signature {
        let parsed = X509Certificate::from_der(&self.der)
            .and_then(|(_, child)| Ok((child, X509Certificate::from_der(&issuer.der)?.1)));
        let Ok((child, parent)) = parsed else {
            return Signature::Unknown;
        };
        match child.verify_signature(Some(parent.public_key())) {
            Ok(()) => Signature::Good,
            Err(X509Error::SignatureVerificationError)
                if issuer.key.is_supported() || matches!(issuer.key, KeyKind::Rsa(4097..=8192)) =>
            {
                Signature::Bad
            }
            Err(_) => Signature::Unknown,
        }
    }

    /// Whole days that are left.
    #[must_use]
    pub fn days_left(&self, now: i64) -> i64 {
        days_until(self.not_after, now)
    }

    /// `until 2027-01-31 (66 days)`.
    #[must_use]
    pub fn end_in_words(&self, now: i64) -> String {
        format!(
            "until {} ({} days)",
            day_of(self.not_after),
            self.days_left(now)
        )
    }

    /// SHA-256 of the whole as `AB:CD:…`.
    #[must_use]
    pub fn fingerprint_in_words(&self) -> String {
        let bytes: Vec<String> = self
            .fingerprint
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        bytes.join(":")
    }
}

/// The public key in a `SubjectPublicKeyInfo`.
pub(crate) fn public_key(der: &[u8]) -> Option<Vec<u8>> {
    let (_, info) = SubjectPublicKeyInfo::from_der(der).ok()?;
    Some(info.subject_public_key.data.to_vec())
}

fn kind_of(info: &SubjectPublicKeyInfo<'_>) -> KeyKind {
    let algorithm = &info.algorithm.algorithm;
    if *algorithm == oid!(1.3.101.112) {
        return KeyKind::Ed25519;
    }
    if *algorithm == oid!(1.2.840.10045.2.1) {
        let curve = info.algorithm.parameters.as_ref();
        let curve = curve.and_then(|it| it.as_oid().ok());
        return match curve {
            Some(curve) if curve == oid!(1.2.840.10045.3.1.7) => KeyKind::P256,
            Some(curve) if curve == oid!(1.3.132.0.34) => KeyKind::P384,
            _ => KeyKind::Other,
        };
    }
    match info.parsed() {
        Ok(PublicKey::RSA(key)) => KeyKind::Rsa(key.key_size()),
        _ => KeyKind::Other,
    }
}

/// Signatures that clients no longer take: with SHA-1 or MD5.
fn is_weak(algorithm: &Oid<'_>) -> bool {
    [
        oid!(1.2.840.113549.1.1.4),
        oid!(1.2.840.113549.1.1.5),
        oid!(1.2.840.10045.4.1),
        oid!(1.3.14.3.2.29),
    ]
    .contains(algorithm)
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

fn common_name(name: &X509Name<'_>) -> String {
    let text = name
        .iter_common_name()
        .chain(name.iter_organizational_unit())
        .chain(name.iter_organization())
        .find_map(|attribute| attribute.as_str().ok());
    match text {
        Some(text) => shown(text),
        None => shown(&name.to_string()),
    }
}

fn text_of(name: &X509Name<'_>, otherwise: &[String]) -> String {
    let text = shown(&name.to_string());
    match (text.is_empty(), otherwise.first()) {
        (true, Some(name)) => shown(name),
        (true, None) => "(no name)".to_owned(),
        (false, _) => text,
    }
}

/// Somebody else's text, fit for a terminal and a log.
fn shown(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .map(|character| {
            if character.is_control() {
                '?'
            } else {
                character
            }
        })
        .take(LONGEST_NAME)
        .collect();
    if text.chars().count() > LONGEST_NAME {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{NOW, Recipe, authority, self_signed, signed_by};

    #[test]
    fn what_a_certificate_says_is_read() {
        let root = self_signed(&authority("root"));
        let recipe = Recipe {
            names: vec!["Example.org", "*.example.org", "10.0.0.1", "::1"],
            ..Recipe::default()
        };
        let server = Certificate::read(&signed_by(&recipe, &root).der).unwrap();
        let root = Certificate::read(&root.der).unwrap();
        assert_eq!(
            (server.subject.as_str(), server.issuer.as_str()),
            ("CN=example", "CN=root")
        );
        assert_eq!(server.dns_names, ["example.org", "*.example.org"]);
        let addresses: Vec<IpAddr> = ["10.0.0.1", "::1"].map(|it| it.parse().unwrap()).to_vec();
        assert_eq!(server.addresses, addresses);
        assert_eq!((server.days_left(NOW), server.key), (100, KeyKind::P256));
        assert!(root.is_authority && root.is_self_issued());
        assert!(!server.is_authority && !server.is_self_issued());
        assert_eq!(server.is_signed_by(&root), Signature::Good);
        assert_eq!(root.is_signed_by(&server), Signature::Bad);
        assert_eq!(server.end_in_words(NOW), "until 2027-03-06 (100 days)");
    }

    #[test]
    fn text_of_others_is_fit_for_a_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb\n"), "a?[2Jb?");
        assert_eq!(shown(&"x".repeat(500)).chars().count(), LONGEST_NAME + 1);
    }

    #[test]
    fn whatever_is_behind_a_certificate_does_not_belong_to_it() {
        let der = self_signed(&Recipe::default()).der;
        let longer = [&der[..], b"more"].concat();
        assert_eq!(Certificate::read(&longer), Certificate::read(&der));
    }

    proptest! {
        #[test]
        fn damaged_ones_do_no_harm(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            length in any::<prop::sample::Index>(),
        ) {
            let root = self_signed(&authority("root"));
            let whole = Certificate::read(&root.der).unwrap();
            let mut der = root.der;
            for (position, byte) in changes {
                let position = position.index(der.len());
                der[position] = byte;
            }
            if let Some(read) = Certificate::read(&der) {
                let _ = (read.is_signed_by(&whole), whole.is_signed_by(&read));
            }
            let part = &whole.der[..length.index(whole.der.len())];
            prop_assert!(Certificate::read(part).is_none(), "a part of one was read");
        }
    }
}

//! A small authority of our own, which signs certificates where nobody provides any. Clients that trust it trust them.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData as _, date_time_ymd,
};
use ring::digest::{SHA256, digest};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::CertificateError;
use super::private_key::PrivateKey;
use super::provided::Pair;
use crate::date::DAY;
use crate::pem::{blocks, encode};
use crate::reading::{read as read_file, reason};
use crate::writing::{Access, Mode, make_directory, write};
use crate::x509::Certificate;

/// Certificate and key, in one file: so neither is ever without the other.
const AUTHORITY: &str = "authority.pem";
/// The certificate alone, for clients.
const CERTIFICATE: &str = "ca.crt";

/// Where its certificate is.
pub(super) fn certificate_in(directory: &Path) -> PathBuf {
    directory.join(CERTIFICATE)
}

/// How long the authority counts, and what it signs.
const AUTHORITY_DAYS: i64 = 3_650;
pub(super) const LEAF_DAYS: i64 = 365;

/// Clocks of clients may be behind.
const EARLIER: i64 = DAY;

/// Longest common name.
const LONGEST_COMMON_NAME: usize = 64;

/// The authority.
#[derive(Debug)]
pub(super) struct Authority {
    pub(super) certificate: Certificate,
    key: KeyPair,
}

/// File of the certificate that clients have to trust.
pub(super) fn certificate_file(directory: &Path) -> PathBuf {
    directory.join(CERTIFICATE)
}

/// The authority that there is, if it can still sign what is needed.
pub(super) fn load(directory: &Path, now: i64) -> Result<Option<Authority>, CertificateError> {
    let path = directory.join(AUTHORITY);
    let bytes = match read_file(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(CertificateError::AuthorityUnreadable {
                path,
                reason: reason(&error),
            });
        }
    };
    let failed = |reason: &str| CertificateError::Authority {
        path: path.clone(),
        reason: reason.to_owned(),
    };
    let (mut certificate, mut key) = (None, None);
    for block in blocks(&bytes) {
        let content = block
            .content
            .map_err(|damage| failed(&damage.to_string()))?;
        if block.label == "CERTIFICATE" {
            certificate = Certificate::read(&content);
        } else {
            key = KeyPair::from_pkcs8_der_and_sign_algo(
                &PrivatePkcs8KeyDer::from(content),
                &rcgen::PKCS_ECDSA_P256_SHA256,
            )
            .ok();
        }
    }
    let (Some(certificate), Some(key)) = (certificate, key) else {
        return Err(failed("it is damaged"));
    };
    if certificate.public_key != key.der_bytes() {
        return Err(failed("its key does not belong to its certificate"));
    }
    let is_enough = certificate.days_left(now) > LEAF_DAYS && certificate.not_before <= now;
    Ok(is_enough.then_some(Authority { certificate, key }))
}

/// Makes an authority, instead of any that there is.
pub(super) fn make(directory: &Path, now: i64) -> Result<Authority, CertificateError> {
    let key = KeyPair::generate().map_err(|error| making(&error))?;
    let mark: String = digest(&SHA256, key.der_bytes()).as_ref()[..4]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut params = params(&format!("Linchpin authority {mark}"), now, AUTHORITY_DAYS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(&key).map_err(|error| making(&error))?;
    let certificate = read_back(certificate.der())?;
    make_directory(directory, Mode::Real)?;
    let text = [
        encode("CERTIFICATE", certificate.der()),
        encode("PRIVATE KEY", key.serialized_der()),
    ]
    .concat();
    write(
        &directory.join(AUTHORITY),
        text.as_bytes(),
        Access::PRIVATE,
        Mode::Real,
    )?;
    Ok(Authority { certificate, key })
}

/// Sees to it that clients find the certificate.
pub(super) fn publish(authority: &Authority, directory: &Path) -> Result<(), CertificateError> {
    let text = encode("CERTIFICATE", authority.certificate.der());
    let path = certificate_file(directory);
    write(&path, text.as_bytes(), Access::PUBLIC, Mode::Real)?;
    Ok(())
}

impl Authority {
    /// Signs a new certificate with a new key; `names` are names and addresses.
    pub(super) fn sign(&self, names: &[String], now: i64) -> Result<Pair, CertificateError> {
        let issuer = Issuer::new(params(&self.certificate.common_name, 0, 0), &self.key);
        let key = KeyPair::generate().map_err(|error| making(&error))?;
        let first = names.first().map_or("", String::as_str);
        let common_name = if first.len() > LONGEST_COMMON_NAME {
            ""
        } else {
            first
        };
        let mut params = params(common_name, now, LEAF_DAYS);
        params.subject_alt_names = CertificateParams::new(names)
            .map_err(|error| making(&error))?
            .subject_alt_names;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params
            .signed_by(&key, &issuer)
            .map_err(|error| making(&error))?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Ok(Pair {
            chain: vec![read_back(certificate.der())?, self.certificate.clone()],
            key: PrivateKey::new(PrivateKeyDer::Pkcs8(key)),
            warnings: Vec::new(),
        })
    }
}

fn params(common_name: &str, now: i64, days: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    if !common_name.is_empty() {
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
    }
    let time = |seconds: i64| {
        date_time_ymd(1970, 1, 1) + Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
    };
    params.not_before = time(now.saturating_sub(EARLIER));
    params.not_after = time(now.saturating_add(days * DAY));
    params
}

fn making(error: &rcgen::Error) -> CertificateError {
    CertificateError::Making(error.to_string())
}

fn read_back(der: &[u8]) -> Result<Certificate, CertificateError> {
    Certificate::read(der)
        .ok_or_else(|| CertificateError::Making("what was made cannot be read".to_owned()))
}

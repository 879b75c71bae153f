//! Private keys as people have them: PKCS#8, PKCS#1, SEC1, as PEM or DER. Nothing of them is ever shown.

use std::fmt;
use std::path::Path;

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use x509_parser::der_parser::der::parse_der_sequence;
use x509_parser::oid_registry::OID_PKCS1_RSAENCRYPTION;

use crate::der::{INTEGER, SEQUENCE, element};
use crate::pem::{blocks, encode};
use crate::reading::{read as read_file, reason};
use crate::x509::public_key;

/// A private key.
pub(super) struct PrivateKey {
    der: PrivateKeyDer<'static>,
    /// The public key that belongs to it; none if the key is of a kind that we do not know.
    pub(super) public: Option<Vec<u8>>,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").finish_non_exhaustive()
    }
}

impl PrivateKey {
    /// From its DER form.
    pub(super) fn new(der: PrivateKeyDer<'static>) -> Self {
        let public = any_supported_type(&der)
            .ok()
            .and_then(|key| key.public_key().and_then(|it| public_key(it.as_ref())))
            .or_else(|| rsa_public_key(&der));
        Self { der, public }
    }

    /// The key as PEM.
    pub(super) fn text(&self) -> String {
        let label = match &self.der {
            PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
            PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
            // There is no other kind.
            PrivateKeyDer::Pkcs8(_) | _ => "PRIVATE KEY",
        };
        encode(label, self.der.secret_der())
    }
}

/// The public key in an RSA key of a size or with an exponent that TLS here does not use, but servers may.
fn rsa_public_key(key: &PrivateKeyDer<'_>) -> Option<Vec<u8>> {
    // PKCS#1: version, modulus, public exponent, and more.
    let of_pkcs1 = |der: &[u8]| {
        let (_, sequence) = parse_der_sequence(der).ok()?;
        let [version, modulus, exponent, _, ..] = sequence.as_sequence().ok()?.as_slice() else {
            return None;
        };
        version.as_u32().ok()?;
        let parts = [modulus.as_slice().ok()?, exponent.as_slice().ok()?];
        Some(element(
            SEQUENCE,
            &parts.map(|it| element(INTEGER, it)).concat(),
        ))
    };
    if let PrivateKeyDer::Pkcs1(key) = key {
        return of_pkcs1(key.secret_pkcs1_der());
    }
    // PKCS#8: version, algorithm, and the key in a string.
    let (_, sequence) = parse_der_sequence(key.secret_der()).ok()?;
    let [_, algorithm, content, ..] = sequence.as_sequence().ok()?.as_slice() else {
        return None;
    };
    let algorithm = algorithm.as_sequence().ok()?.first()?.as_oid().ok()?;
    (*algorithm == OID_PKCS1_RSAENCRYPTION)
        .then(|| of_pkcs1(content.as_slice().ok()?))
        .flatten()
}

/// Reads the key in a file.
pub(super) fn read(path: &Path) -> Result<PrivateKey, String> {
    let file = path.display();
    let bytes = read_file(path)
        .map_err(|error| format!("the key {file} cannot be read: {}", reason(&error)))?;
    let blocks = blocks(&bytes);
    if blocks.is_empty() {
        return PrivateKeyDer::try_from(bytes)
            .map(PrivateKey::new)
            .map_err(|_| format!("there is no private key in {file}, neither as PEM nor as DER"));
    }
    let Some(block) = blocks
        .into_iter()
        .find(|block| block.label.ends_with("PRIVATE KEY"))
    else {
        return Err(format!(
            "there is no private key in {file}; see that `key=` and `certificate=` are not exchanged"
        ));
    };
    let line = block.line;
    if block.is_encrypted || block.label == "ENCRYPTED PRIVATE KEY" {
        let input = shell_word(&path.display().to_string());
        return Err(format!(
            "the key {file} is encrypted (line {line}), and there is nobody to ask for its pass phrase: decrypt it with \
             `openssl pkey -in {input} -out new.key && chmod 600 new.key`, and let `key=` name the new file"
        ));
    }
    let content = block
        .content
        .map_err(|damage| format!("the key in {file} (line {line}) is damaged: {damage}"))?;
    let der = match block.label.as_str() {
        "PRIVATE KEY" => PrivateKeyDer::Pkcs8(content.into()),
        "RSA PRIVATE KEY" => PrivateKeyDer::Pkcs1(content.into()),
        "EC PRIVATE KEY" => PrivateKeyDer::Sec1(content.into()),
        label => {
            return Err(format!(
                "the key in {file} (line {line}) is of a form that servers do not read: `{}`",
                label.escape_debug()
            ));
        }
    };
    Ok(PrivateKey::new(der))
}

/// A word for a command line that somebody may paste.
fn shell_word(text: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "/._-+=:,@".contains(it);
    if text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

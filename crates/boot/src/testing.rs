//! Certificates for unit tests.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SignatureAlgorithm, date_time_ymd,
};

use crate::date::DAY;
use crate::pem::encode;

/// 2026-11-26, the day on which all tests happen.
pub(crate) const NOW: i64 = 1_795_651_200;

/// How a certificate is made.
pub(crate) struct Recipe {
    pub(crate) name: &'static str,
    pub(crate) names: Vec<&'static str>,
    pub(crate) is_authority: bool,
    /// Days from [`NOW`].
    pub(crate) from: i64,
    pub(crate) until: i64,
    pub(crate) algorithm: &'static SignatureAlgorithm,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            name: "example",
            names: vec!["example.org"],
            is_authority: false,
            from: -1,
            until: 100,
            algorithm: &PKCS_ECDSA_P256_SHA256,
        }
    }
}

/// A certificate with its key.
pub(crate) struct Made {
    pub(crate) der: Vec<u8>,
    pub(crate) key: KeyPair,
    params: CertificateParams,
}

impl Made {
    pub(crate) fn pem(&self) -> String {
        encode("CERTIFICATE", &self.der)
    }

    /// In the form of PKCS#8.
    pub(crate) fn key_pem(&self) -> String {
        encode("PRIVATE KEY", &self.key.serialize_der())
    }
}

fn params(recipe: &Recipe) -> CertificateParams {
    let names: Vec<String> = recipe.names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, recipe.name);
    let day = |days: i64| {
        let seconds = u64::try_from(NOW + days * DAY).unwrap();
        date_time_ymd(1970, 1, 1) + std::time::Duration::from_secs(seconds)
    };
    params.not_before = day(recipe.from);
    params.not_after = day(recipe.until);
    if recipe.is_authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.subject_alt_names.clear();
    }
    params
}

pub(crate) fn self_signed(recipe: &Recipe) -> Made {
    let key = KeyPair::generate_for(recipe.algorithm).unwrap();
    let params = params(recipe);
    let certificate = params.self_signed(&key).unwrap();
    Made {
        der: certificate.der().to_vec(),
        key,
        params,
    }
}

pub(crate) fn signed_by(recipe: &Recipe, issuer: &Made) -> Made {
    let key = KeyPair::generate_for(recipe.algorithm).unwrap();
    let params = params(recipe);
    let issuer = Issuer::from_params(&issuer.params, &issuer.key);
    let certificate = params.signed_by(&key, &issuer).unwrap();
    Made {
        der: certificate.der().to_vec(),
        key,
        params,
    }
}

pub(crate) fn authority(name: &'static str) -> Recipe {
    Recipe {
        name,
        is_authority: true,
        until: 1000,
        ..Recipe::default()
    }
}

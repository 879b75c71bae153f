//! TLS for `https` probes.
//!
//! Nothing of it exists before the first `https` probe asks: then the certificates of the authorities are read, by
//! a worker, and kept. They are read again when a certificate is found to be signed by nobody among them. Sessions
//! are not resumed: an attempt that does would not see that the certificate has expired meanwhile.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::limits::MOST_CA_FILES;
use crate::services::workers::Workers;

/// Where distributions keep the certificates of the authorities, in one file.
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Whom a probe believes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Trust {
    /// The authorities of this machine.
    System,
    /// Those of a file (`ca=`).
    File(String),
    /// Everybody (`verify=no`).
    Anybody,
}

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Authorities {
    kept: Mutex<HashMap<Trust, Arc<ClientConfig>>>,
}

impl Authorities {
    /// Speaks TLS on a connection.
    ///
    /// # Errors
    /// In few words.
    pub(super) async fn connect(
        &self,
        workers: &Workers,
        trust: &Trust,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, String> {
        let config = self.config(workers, trust).await?;
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| format!("{host} is no name that a certificate could have"))?;
        let connecting = TlsConnector::from(config).connect(name, stream).await;
        connecting.map_err(|error| {
            let error = match error.get_ref().and_then(|inner| inner.downcast_ref()) {
                Some(error) => error,
                None => return super::words::of_connection(&error),
            };
            if matches!(error, Error::InvalidCertificate(wrong) if is_stranger(wrong)) {
                self.kept().remove(trust);
            }
            of_tls(error, host)
        })
    }

    async fn config(&self, workers: &Workers, trust: &Trust) -> Result<Arc<ClientConfig>, String> {
        if let Some(config) = self.kept().get(trust) {
            return Ok(config.clone());
        }
        let (thing, wanted) = (format!("ca {trust:?}"), trust.clone());
        let read = workers.run(&thing, move || read(&wanted)).await;
        let config = read.ok_or_else(|| super::files::NO_THREAD.to_owned())??;
        let mut kept = self.kept();
        if kept.len() >= MOST_CA_FILES {
            kept.clear();
        }
        kept.insert(trust.clone(), config.clone());
        Ok(config)
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<Trust, Arc<ClientConfig>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the authorities.
fn read(trust: &Trust) -> Result<Arc<ClientConfig>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Trust::Anybody => Arc::new(NoVerifier(provider.clone())),
        Trust::System => {
            let file = system_bundle(std::env::var_os("SSL_CERT_FILE"))?;
            verifier(&file, &provider, false)?
        }
        Trust::File(file) => verifier(Path::new(file), &provider, true)?,
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let mut config = builder
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

fn system_bundle(of_environment: Option<OsString>) -> Result<PathBuf, String> {
    let of_environment = of_environment.map(PathBuf::from).into_iter();
    of_environment
        .chain(BUNDLES.iter().map(PathBuf::from))
        .find(|path| path.exists())
        .ok_or_else(|| {
            "this machine has no bundle of CA certificates; write ca=/file or verify=no".to_owned()
        })
}

fn verifier(
    file: &Path,
    provider: &Arc<CryptoProvider>,
    is_chosen: bool,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let cannot_read = |error: PemError| {
        let text = if let PemError::Io(error) = &error {
            super::words::of_file(error)
        } else {
            error.to_string()
        };
        format!("{}: {text}", file.display())
    };
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(file)
        .map_err(cannot_read)?
        .collect::<Result<_, _>>()
        .map_err(cannot_read)?;
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates.iter().cloned());
    if added == 0 {
        return Err(format!("{}: no certificate in it", file.display()));
    }
    let by_authority = WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone())
        .build()
        .map_err(|error| error.to_string())?;
    if !is_chosen {
        return Ok(by_authority);
    }
    Ok(Arc::new(OrItself {
        by_authority,
        certificates,
    }))
}

/// Believes also the very certificates in the file: what people make for one server signs itself, and says that it
/// is an authority, which a server's certificate must not say.
#[derive(Debug)]
struct OrItself {
    by_authority: Arc<WebPkiServerVerifier>,
    certificates: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for OrItself {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.by_authority.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            // Of these two, whatever "other" may be, the time is looked at first.
            Err(Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::Other(_),
            )) if self.certificates.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_authority.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_authority.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_authority.supported_verify_schemes()
    }
}

/// Believes everybody, but not that a server has a certificate whose key it has not.
struct NoVerifier(Arc<CryptoProvider>);

impl fmt::Debug for NoVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoVerifier")
    }
}

impl ServerCertVerifier for NoVerifier {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether it was signed by an authority that is not known. A new authority that has the name of the old one has
/// not its key.
fn is_stranger(wrong: &CertificateError) -> bool {
    matches!(
        wrong,
        CertificateError::UnknownIssuer | CertificateError::BadSignature
    )
}

/// What is wrong, in few words.
fn of_tls(error: &Error, host: &str) -> String {
    use AlertDescription as Alert;
    if let Error::InvalidCertificate(wrong) = error {
        of_certificate(wrong, host)
    } else if let Error::InvalidMessage(_) = error {
        "no TLS spoken there".to_owned()
    } else if let Error::AlertReceived(Alert::HandshakeFailure | Alert::ProtocolVersion) = error {
        "no common way to speak TLS".to_owned()
    } else if let Error::AlertReceived(alert) = error {
        format!("TLS refused: {alert:?}")
    } else {
        format!("TLS failed: {error}")
    }
}

fn of_certificate(wrong: &CertificateError, host: &str) -> String {
    use CertificateError as Wrong;
    if is_stranger(wrong) {
        "certificate of an unknown authority".to_owned()
    } else if let Wrong::Expired | Wrong::ExpiredContext { .. } = wrong {
        "certificate expired".to_owned()
    } else if let Wrong::NotValidYet | Wrong::NotValidYetContext { .. } = wrong {
        "certificate not valid yet".to_owned()
    } else if let Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } = wrong {
        format!("certificate is not for {host}")
    } else {
        format!("certificate not accepted: {wrong}")
    }
}

//! Certificates of our own: kept as long as they are right, and renewed well before they end.

use std::path::Path;

use linchpin_config::CertificateConfig;

use super::authority::{self, Authority};
use super::provided::{Pair, examine};
use super::store::{Source, Store};
use super::{CertificateError, Origin, Report, install};
use crate::writing::{Mode, Writing};
use crate::x509::Signature;

/// With fewer days left one is renewed. A container may run for long before it boots again.
const RENEW_DAYS: i64 = 121;

/// Names of a certificate for which none are written.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Sees to it that there is a certificate signed by our authority.
pub(super) fn make(
    config: &CertificateConfig,
    store: &Store,
    now: i64,
    report: &mut Report,
) -> Result<(), CertificateError> {
    let directory = Path::new(&config.authority);
    let names: Vec<String> = if config.names.is_empty() {
        LOCAL_NAMES.map(str::to_owned).to_vec()
    } else {
        config.names.iter().map(ToString::to_string).collect()
    };
    report.authority = Some(authority::certificate_file(directory));
    report.origin = Origin::SelfSigned;
    let known = authority::load(directory, now)?;
    let why = match &known {
        None => "there is no authority that could have signed it".to_owned(),
        Some(authority) => match present(store, authority, &names, now) {
            Ok(pair) => {
                if store.mode() == Mode::Real {
                    authority::publish(authority, directory)?;
                }
                return install(store, pair, Source::SelfSigned, Origin::SelfSigned, report);
            }
            Err(why) => why,
        },
    };
    if known.is_none() {
        report.remarks.push(
            "a new authority is made: clients have to be told to trust its certificate".to_owned(),
        );
    }
    report
        .remarks
        .push(format!("a new certificate is made: {why}"));
    if store.mode() == Mode::Dry {
        report.files = Some((store.files(), Writing::Made));
        return Ok(());
    }
    let authority = match known {
        Some(authority) => authority,
        None => authority::make(directory, now)?,
    };
    authority::publish(&authority, directory)?;
    let pair = authority.sign(&names, now)?;
    install(store, pair, Source::SelfSigned, Origin::SelfSigned, report)
}

/// The present certificate, or why it will not do.
fn present(
    store: &Store,
    authority: &Authority,
    names: &[String],
    now: i64,
) -> Result<Pair, String> {
    if store.source() != Some(Source::SelfSigned) {
        return Err("there is none of our own".to_owned());
    }
    let pair = examine(&store.files(), &[], now).map_err(|reasons| reasons.join("; "))?;
    let Some(server) = pair.chain.first() else {
        return Err("there is none of our own".to_owned());
    };
    if server.is_signed_by(&authority.certificate) != Signature::Good {
        return Err("another authority signed the present one".to_owned());
    }
    let mut present: Vec<String> = server.dns_names.clone();
    present.extend(server.addresses.iter().map(ToString::to_string));
    present.sort();
    let mut wanted = names.to_vec();
    wanted.sort();
    if present != wanted {
        return Err("the present one is for other names".to_owned());
    }
    let days = server.days_left(now);
    if days < RENEW_DAYS {
        return Err(format!("the present one ends in {days} days"));
    }
    Ok(pair)
}

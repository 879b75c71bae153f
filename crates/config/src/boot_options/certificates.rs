//! Reads `[certificate:x]`.

use super::host_names::host_names;
use super::policy::{off, policy};
use super::{Found, lacks_directory, name};
use crate::boot::{CertificateConfig, ProvidedCertificate};
use crate::document::Section;
use crate::findings::Statement;
use crate::load::Context;
use crate::names::EnvironmentNames;
use crate::options::{OptionSpec, SectionKind, boot as options};
use crate::service::LinchpinConfig;
use crate::service_options::{Mistake, OwnReader, boolean, count, file};
use crate::value;

pub(super) fn certificates(
    context: Context<'_>,
    environment: &EnvironmentNames,
    linchpin: Option<&LinchpinConfig>,
    found: &mut Found<'_>,
) -> Vec<CertificateConfig> {
    let mut certificates: Vec<CertificateConfig> = context
        .document
        .sections()
        .iter()
        .filter(|section| SectionKind::of(&section.name) == Some(SectionKind::Certificate))
        .filter_map(|section| certificate(context, section, environment, linchpin, found))
        .collect();
    certificates.sort_by(|a, b| a.name.cmp(&b.name));
    certificates
}

fn certificate(
    context: Context<'_>,
    section: &Section,
    environment: &EnvironmentNames,
    linchpin: Option<&LinchpinConfig>,
    found: &mut Found<'_>,
) -> Option<CertificateConfig> {
    let mut reader = context.reader(section, environment, found.findings);
    let mut own = OwnReader {
        reader: &mut reader,
    };
    let world = context.world;
    let name = name(&mut own, "certificate", "main");
    let state = linchpin.and_then(|it| it.state_directory.as_deref());
    if state.is_none() {
        lacks_directory(&mut own, "state_directory", "certificates");
    }
    let path = |text: &str| Ok(file(world, text));
    let certificate = own
        .if_written(&options::PROVIDED_CERTIFICATE, path)
        .flatten();
    let key = own.if_written(&options::PROVIDED_KEY, path).flatten();
    let self_signed = own
        .value(&options::SELF_SIGNED, boolean)
        .unwrap_or_default();
    let provided = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(ProvidedCertificate { certificate, key }),
        (Some(_), None) => {
            lacks(
                &mut own,
                &options::PROVIDED_KEY,
                "says where the certificate is, and not where its key is",
            );
            None
        }
        (None, Some(_)) => {
            lacks(
                &mut own,
                &options::PROVIDED_CERTIFICATE,
                "says where the key is, and not where its certificate is",
            );
            None
        }
        (None, None) => {
            if !self_signed {
                lacks(
                    &mut own,
                    &options::PROVIDED_CERTIFICATE,
                    "says neither where a certificate is nor that one is to be made (`self_signed=true`)",
                );
            }
            None
        }
    };
    let names = own.if_written(&options::CERTIFICATE_NAMES, host_names);
    let warn_days = own.value(&options::WARN_DAYS, count);
    let owner = own.if_written(&options::CERTIFICATE_OWNER, |text| {
        let text = text.trim();
        value::user_and_group(world, text)
            .map_err(|_| Mistake::new(format!("there is no such user or group here: `{text}`")))
    });
    let policy = policy(
        &mut own,
        &options::CERTIFICATE_ON_FAILURE,
        &options::CERTIFICATE_SERVICES,
    );
    let off = off(&mut own);
    let (name, state) = (name?, state?);
    let config = CertificateConfig {
        output: format!("{state}/certificates/{name}"),
        authority: format!("{state}/certificate-authority"),
        name,
        provided,
        names: names.unwrap_or_default(),
        self_signed,
        warn_days: warn_days.unwrap_or_default(),
        owner,
        policy,
    };
    found.unless_off(&section.name, off, config)
}

/// Reports that only a part of what is provided is written.
fn lacks(own: &mut OwnReader<'_, '_, '_>, option: &OptionSpec, what: &str) {
    let section = &own.reader.section.name;
    let statement = Statement::ours(format!("[{section}] {what}"))
        .help(format!("write `{}={}`", option.name, option.sample));
    let written = [&options::PROVIDED_CERTIFICATE, &options::PROVIDED_KEY]
        .into_iter()
        .find(|option| own.is_written(option));
    let span = match written {
        Some(option) => own.reader.span(option),
        None => own.reader.header(),
    };
    let document = own.reader.document;
    own.reader.findings.own_problem(document, span, statement);
}

//! The certificates from a server's to its root: in their order, each signed by the next.

use crate::x509::{Certificate, Signature};

/// A chain, and what is to be said about it.
#[derive(Debug)]
pub(super) struct Chain {
    /// The server's first.
    pub(super) certificates: Vec<Certificate>,
    pub(super) warnings: Vec<String>,
}

/// Puts certificates into the order of a chain that begins with one of them.
pub(super) fn order(mut all: Vec<Certificate>, first: usize) -> Result<Chain, Vec<String>> {
    let (mut problems, mut warnings) = (Vec::new(), Vec::new());
    let written: Vec<[u8; 32]> = all.iter().map(|it| it.fingerprint).collect();
    let mut chain = vec![all.remove(first)];
    while let Some(last) = chain.last()
        && !last.is_self_issued()
    {
        let issuers = || {
            let is_issuer = |(_, it): &(usize, &Certificate)| it.raw_subject == last.raw_issuer;
            all.iter().enumerate().filter(is_issuer)
        };
        // Authorities that have signed each other have the same name twice.
        let good = issuers().find(|(_, it)| last.is_signed_by(it) != Signature::Bad);
        let Some((position, issuer)) = good.or_else(|| issuers().next()) else {
            break;
        };
        match last.is_signed_by(issuer) {
            Signature::Good => {}
            Signature::Bad => problems.push(format!(
                "{} does not have the signature of {}, although it names it as its issuer",
                last.subject, issuer.subject
            )),
            Signature::Unknown => warnings.push(format!(
                "whether {} was signed by {} cannot be checked here",
                last.subject, issuer.subject
            )),
        }
        if !issuer.is_authority {
            problems.push(format!(
                "{} was signed by {}, which is not an authority",
                last.subject, issuer.subject
            ));
        }
        chain.push(all.remove(position));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    if let [only] = chain.as_slice()
        && !only.is_self_issued()
    {
        warnings.push(format!(
            "the certificate of its issuer is not in the file ({}): clients that do not have it refuse the server",
            only.issuer
        ));
    }
    for left in &all {
        if !chain.iter().any(|it| it.fingerprint == left.fingerprint) {
            warnings.push(format!(
                "{} does not belong to it, and is left out",
                left.subject
            ));
        }
    }
    let ordered = chain.iter().map(|it| it.fingerprint);
    if !ordered.eq(written.into_iter().take(chain.len())) {
        warnings.push(
            "its certificates are not in their order: the server's has to come first, then its issuer's, and so on; \
             they are passed on in order"
                .to_owned(),
        );
    }
    Ok(Chain {
        certificates: chain,
        warnings,
    })
}

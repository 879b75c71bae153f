//! The step on real folders.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use linchpin_config::{OnFailure, ProvidedCertificate, StepPolicy};
use tempfile::TempDir;

use super::*;
use crate::date::DAY;
use crate::testing::{Made, NOW, Recipe, authority as recipe_of_authority, self_signed, signed_by};

struct Place {
    folder: TempDir,
    root: Made,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
            root: self_signed(&recipe_of_authority("root")),
        };
        fs::create_dir(place.path("ssl")).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Provides a certificate with the chain behind it.
    fn provide(&self, server: &Made, chain: &[&Made]) {
        let chain: String = chain.iter().map(|made| made.pem()).collect();
        fs::write(self.path("ssl/full.pem"), server.pem() + &chain).unwrap();
        fs::write(self.path("ssl/key.pem"), server.key_pem()).unwrap();
    }

    fn config(&self, names: &[&str], self_signed: bool) -> CertificateConfig {
        CertificateConfig {
            name: "web".to_owned(),
            provided: Some(ProvidedCertificate {
                certificate: self.text("ssl/full.pem"),
                key: self.text("ssl/key.pem"),
            }),
            names: names
                .iter()
                .map(|name| {
                    name.parse()
                        .map(HostName::Address)
                        .unwrap_or_else(|_| HostName::Dns((*name).to_owned()))
                })
                .collect(),
            self_signed,
            warn_days: 30,
            owner: None,
            output: self.text("state/certificates/web"),
            authority: self.text("state/certificate-authority"),
            policy: StepPolicy::on_failure(OnFailure::Warn),
        }
    }

    fn make(&self, self_signed: bool) -> Report {
        make(&self.config(&["example.org"], self_signed), NOW, false).unwrap()
    }

    fn current(&self, name: &str) -> String {
        fs::read_to_string(self.path("state/certificates/web/current").join(name)).unwrap()
    }

    fn versions(&self) -> usize {
        fs::read_dir(self.path("state/certificates/web"))
            .unwrap()
            .count()
            - 1
    }
}

fn writing(report: &Report) -> Option<Writing> {
    report.files.as_ref().map(|(_, writing)| *writing)
}

#[test]
fn what_is_provided_and_right_is_passed_on_as_it_is() {
    for algorithm in [
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ED25519,
    ] {
        let place = Place::new();
        let recipe = Recipe {
            algorithm,
            ..Recipe::default()
        };
        let server = signed_by(&recipe, &place.root);
        place.provide(&server, &[&place.root]);
        let dry = make(&place.config(&["example.org"], true), NOW, true).unwrap();
        assert_eq!(
            (dry.origin, writing(&dry)),
            (Origin::Provided, Some(Writing::Made))
        );
        assert!(!place.path("state").exists());
        let report = place.make(true);
        assert_eq!(
            (report.origin, writing(&report)),
            (Origin::Provided, Some(Writing::Made))
        );
        assert_eq!(report.warnings, Vec::<String>::new());
        assert_eq!(report.certificate.unwrap().days_left(NOW), 100);
        assert_eq!(
            place.current("fullchain.pem"),
            server.pem() + &place.root.pem()
        );
        assert_eq!(place.current("privkey.pem"), server.key_pem());
        let key = place.path("state/certificates/web/current/privkey.pem");
        assert_eq!(
            fs::metadata(key).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(writing(&place.make(true)), Some(Writing::Unchanged));
        assert!(!place.path("state/certificate-authority").exists());
    }
}

#[test]
fn what_is_wrong_with_it_is_told_and_nothing_is_used() {
    let place = Place::new();
    let server = signed_by(&Recipe::default(), &place.root);
    let other = signed_by(&Recipe::default(), &place.root);
    let forged_root = self_signed(&recipe_of_authority("root"));
    let middle = signed_by(
        &Recipe {
            name: "middle",
            ..Recipe::default()
        },
        &place.root,
    );
    let below = signed_by(&Recipe::default(), &middle);
    let old = signed_by(
        &Recipe {
            from: -9,
            until: -1,
            ..Recipe::default()
        },
        &place.root,
    );
    let early = signed_by(
        &Recipe {
            from: 1,
            ..Recipe::default()
        },
        &place.root,
    );
    let foreign = signed_by(
        &Recipe {
            names: vec!["other.org", "::1"],
            ..Recipe::default()
        },
        &place.root,
    );
    let old_middle = signed_by(
        &Recipe {
            from: -9,
            until: -2,
            ..recipe_of_authority("gone")
        },
        &place.root,
    );
    let below_old = signed_by(&Recipe::default(), &old_middle);
    let refused = |expected: &str| {
        let report = place.make(false);
        assert_eq!(report.origin, Origin::None, "{expected}");
        assert!(report.is_failure() && report.files.is_none());
        let text = report.refusals.join("\n");
        assert!(text.contains(expected), "{expected:?} in {text:?}");
        assert!(!place.path("state/certificates/web").exists());
    };
    place.provide(&server, &[&place.root]);
    fs::write(place.path("ssl/key.pem"), other.key_pem()).unwrap();
    refused("does not belong to the certificate");
    place.provide(&server, &[&forged_root]);
    refused("CN=example does not have the signature of CN=root");
    place.provide(&below, &[&middle, &place.root]);
    refused("CN=example was signed by CN=middle, which is not an authority");
    place.provide(&old, &[]);
    refused("CN=example expired on 2026-11-25");
    place.provide(&early, &[]);
    refused("CN=example does not count before 2026-11-27");
    place.provide(&below_old, &[&old_middle]);
    refused("CN=gone expired on 2026-11-24");
    place.provide(&foreign, &[]);
    refused("it is not for example.org, but for other.org, ::1");
    place.provide(&server, &[]);
    fs::write(place.path("ssl/key.pem"), server.pem()).unwrap();
    refused("there is no private key in");
    fs::write(
        place.path("ssl/key.pem"),
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    )
    .unwrap();
    refused("is damaged, or of another kind");
    fs::write(place.path("ssl/full.pem"), server.key_pem()).unwrap();
    refused("there is no certificate in");
    fs::write(
        place.path("ssl/full.pem"),
        "\n-----BEGIN CERTIFICATE-----\n",
    )
    .unwrap();
    refused("full.pem (line 2) is damaged: its `-----END` line is missing");
    fs::remove_file(place.path("ssl/full.pem")).unwrap();
    refused("full.pem cannot be read: it does not exist");
}

#[test]
fn a_chain_is_put_in_order_and_strangers_are_left_out() {
    let place = Place::new();
    let middle = signed_by(&recipe_of_authority("middle"), &place.root);
    let server = signed_by(&Recipe::default(), &middle);
    let stranger = self_signed(&recipe_of_authority("stranger"));
    place.provide(&server, &[&place.root, &stranger, &middle]);
    let report = place.make(false);
    assert_eq!(report.origin, Origin::Provided);
    let expected = [server.pem(), middle.pem(), place.root.pem()].concat();
    assert_eq!(place.current("fullchain.pem"), expected);
    assert_eq!(report.warnings.len(), 2, "{:?}", report.warnings);
    assert!(report.warnings[0].starts_with("CN=stranger does not belong to it"));
    assert!(report.warnings[1].contains("not in their order"));
    place.provide(&server, &[]);
    let report = place.make(false);
    let warning = "the certificate of its issuer is not in the file (CN=middle)";
    assert!(
        report.warnings[0].starts_with(warning),
        "{:?}",
        report.warnings
    );
    fs::write(place.path("ssl/full.pem"), middle.pem() + &server.pem()).unwrap();
    place.make(false);
    assert_eq!(place.current("fullchain.pem"), server.pem() + &middle.pem());
}

#[test]
fn an_end_and_names_that_are_not_covered_are_warned_of() {
    let place = Place::new();
    let recipe = Recipe {
        names: vec!["*.example.org", "127.0.0.1"],
        until: 29,
        ..Recipe::default()
    };
    place.provide(&self_signed(&recipe), &[]);
    let config = place.config(&["www.example.org", "example.org", "127.0.0.1"], false);
    let report = make(&config, NOW, false).unwrap();
    assert_eq!(
        report.warnings,
        [
            "it ends in 29 days: provide a new one",
            "it is not for example.org, but for *.example.org, 127.0.0.1"
        ]
    );
}

#[test]
fn what_was_provided_before_serves_while_what_is_provided_is_broken() {
    let place = Place::new();
    let server = signed_by(&Recipe::default(), &place.root);
    place.provide(&server, &[&place.root]);
    place.make(true);
    fs::write(place.path("ssl/key.pem"), "half a k").unwrap();
    let report = place.make(true);
    assert_eq!(
        (report.origin, writing(&report)),
        (Origin::Previous, Some(Writing::Unchanged))
    );
    assert!(report.refusals[0].contains("there is no private key"));
    assert_eq!(place.current("privkey.pem"), server.key_pem());
    // A volume that is late has not been emptied by anybody.
    fs::rename(place.path("ssl"), place.path("late")).unwrap();
    assert_eq!(place.make(true).origin, Origin::Previous);
    // It ends as well.
    let later = make(
        &place.config(&["example.org"], true),
        NOW + 101 * DAY,
        false,
    )
    .unwrap();
    assert_eq!(later.origin, Origin::SelfSigned);
}

#[test]
fn files_that_were_removed_are_not_used_any_more() {
    let place = Place::new();
    let server = signed_by(&Recipe::default(), &place.root);
    place.provide(&server, &[]);
    place.make(false);
    fs::remove_file(place.path("ssl/full.pem")).unwrap();
    assert_eq!(
        place.make(false).origin,
        Origin::Previous,
        "only half of it is gone"
    );
    fs::remove_file(place.path("ssl/key.pem")).unwrap();
    let dry = make(&place.config(&[], false), NOW, true).unwrap();
    assert!(dry.is_removed && place.path("state/certificates/web/current").exists());
    let report = place.make(false);
    assert_eq!((report.origin, report.is_removed), (Origin::None, true));
    assert!(!report.is_failure(), "nobody provides anything");
    let left: Vec<_> = fs::read_dir(place.path("state/certificates/web"))
        .unwrap()
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!place.make(false).is_removed);
}

#[test]
fn one_of_our_own_is_kept_as_long_as_it_is_right() {
    let place = Place::new();
    let names = ["example.org", "10.0.0.1"];
    let at = |names: &[&str], days: i64| {
        make(&place.config(names, true), NOW + days * DAY, false).unwrap()
    };
    let dry = make(&place.config(&names, true), NOW, true).unwrap();
    assert_eq!((dry.origin, dry.certificate), (Origin::SelfSigned, None));
    assert!(!place.path("state").exists());
    let first = at(&names, 0);
    assert_eq!(
        (first.origin, writing(&first)),
        (Origin::SelfSigned, Some(Writing::Made))
    );
    let server = first.certificate.unwrap();
    assert_eq!(server.dns_names, ["example.org"]);
    assert_eq!(server.addresses.len(), 1);
    assert_eq!(server.days_left(NOW), authority::LEAF_DAYS);
    let root = fs::read(first.authority.unwrap()).unwrap();
    let chain = place.current("fullchain.pem");
    assert!(
        chain.ends_with(&String::from_utf8(root.clone()).unwrap()),
        "the root is behind it"
    );
    let root = Certificate::read(&crate::pem::blocks(&root)[0].content.clone().unwrap()).unwrap();
    assert!(root.is_authority);
    assert_eq!(server.is_signed_by(&root), crate::x509::Signature::Good);
    let private = place.path("state/certificate-authority/authority.pem");
    assert_eq!(
        fs::metadata(private).unwrap().permissions().mode() & 0o777,
        0o600
    );

    let again = at(&names, 200);
    assert_eq!(
        (writing(&again), again.certificate.as_ref()),
        (Some(Writing::Unchanged), Some(&server))
    );
    let renewed = at(&names, 250);
    assert_eq!(
        renewed.remarks,
        ["a new certificate is made: the present one ends in 115 days"]
    );
    assert_eq!(writing(&renewed), Some(Writing::Changed));
    assert_eq!(place.versions(), 1, "the old key is gone");
    let renamed = at(&[], 250);
    assert_eq!(
        renamed.remarks,
        ["a new certificate is made: the present one is for other names"]
    );
    assert_eq!(renamed.certificate.unwrap().dns_names, ["localhost"]);
    // The authority must outlive what it signs.
    let late = at(&[], 3650 - 364);
    assert!(
        late.remarks[0].starts_with("a new authority is made"),
        "{:?}",
        late.remarks
    );
    assert!(late.certificate.unwrap().is_signed_by(&root) == crate::x509::Signature::Bad);
}

#[test]
fn what_is_provided_takes_over_from_our_own_and_hands_back() {
    let place = Place::new();
    assert_eq!(place.make(true).origin, Origin::SelfSigned);
    let server = signed_by(&Recipe::default(), &place.root);
    place.provide(&server, &[]);
    let report = place.make(true);
    assert_eq!(
        (report.origin, writing(&report)),
        (Origin::Provided, Some(Writing::Changed))
    );
    fs::remove_file(place.path("ssl/full.pem")).unwrap();
    fs::remove_file(place.path("ssl/key.pem")).unwrap();
    assert_eq!(place.make(true).origin, Origin::SelfSigned);
}

#[test]
fn a_damaged_authority_is_not_replaced_behind_the_back_of_its_clients() {
    let place = Place::new();
    place.make(true);
    let path = place.path("state/certificate-authority/authority.pem");
    fs::write(&path, "").unwrap();
    let error = make(&place.config(&[], true), NOW, false)
        .unwrap_err()
        .to_string();
    assert!(error.contains("it is damaged; remove the file"), "{error}");
    fs::remove_file(&path).unwrap();
    let report = place.make(true);
    assert!(
        report.remarks[1].contains("there is no authority"),
        "{:?}",
        report.remarks
    );
}

#[test]
fn a_kill_between_two_steps_is_made_good() {
    let place = Place::new();
    place.make(true);
    let directory = place.path("state/certificates/web");
    let version = fs::read_link(directory.join("current")).unwrap();
    let expected = place.current("fullchain.pem");
    // Before the link was set; with a half-written sibling and a directory that nothing leads to.
    fs::remove_file(directory.join("current")).unwrap();
    fs::write(directory.join(&version).join(".privkey.pem.new"), "half").unwrap();
    fs::create_dir(directory.join("v-0000")).unwrap();
    let report = place.make(true);
    assert_eq!(report.origin, Origin::SelfSigned);
    assert_ne!(place.current("fullchain.pem"), expected);
    assert_eq!(place.versions(), 1);
}

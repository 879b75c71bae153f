//! The step on real folders.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use linchpin_config::{OnFailure, StepPolicy, SystemBundle, TRUST_VARIABLES};
use tempfile::TempDir;

use super::*;
use crate::date::DAY;
use crate::testing::{Made, NOW, Recipe, authority, self_signed, signed_by};

struct Place {
    folder: TempDir,
    system: Made,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
            system: self_signed(&authority("system root")),
        };
        fs::create_dir(place.path("custom")).unwrap();
        fs::write(place.path("system.pem"), place.system.pem()).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path("custom").join(name), content).unwrap();
    }

    fn config(&self) -> CaRootsConfig {
        let text = |name: &str| self.path(name).to_str().unwrap().to_owned();
        CaRootsConfig {
            directory: text("custom"),
            output: text("run/ca-roots"),
            system_bundle: SystemBundle::File(text("system.pem")),
            java_trust_store: true,
            variables: TRUST_VARIABLES.map(str::to_owned).to_vec(),
            policy: StepPolicy::on_failure(OnFailure::Fatal),
        }
    }

    fn make(&self) -> Report {
        make(&self.config(), &[], NOW, false).unwrap()
    }

    fn output(&self, name: &str) -> Vec<u8> {
        fs::read(self.path("run/ca-roots").join(name)).unwrap()
    }

    /// Names of the subjects in a file of ours.
    fn subjects(&self, name: &str) -> Vec<String> {
        crate::pem::blocks(&self.output(name))
            .into_iter()
            .map(|block| {
                Certificate::read(&block.content.unwrap())
                    .unwrap()
                    .common_name
            })
            .collect()
    }
}

/// File name, line, and what becomes of each thing in the folder.
fn verdicts(report: &Report) -> Vec<(String, Option<usize>, String)> {
    report
        .found
        .iter()
        .map(|found| {
            let name = found.file.file_name().unwrap().to_str().unwrap();
            let text = match &found.verdict {
                Verdict::Trusted => "trusted".to_owned(),
                Verdict::TrustedBut(text) => format!("trusted, but {text}"),
                Verdict::Duplicate(text) => format!("duplicate {text}"),
                Verdict::LeftOut(text) => text.clone(),
            };
            (name.to_owned(), found.line, text)
        })
        .collect()
}

#[test]
fn everything_in_the_folder_is_judged_and_one_problem_stops_no_other() {
    let place = Place::new();
    let root = self_signed(&authority("root"));
    let other = self_signed(&authority("other"));
    let middle = signed_by(&authority("middle"), &root);
    let old = self_signed(&Recipe {
        until: -1,
        from: -9,
        ..authority("old")
    });
    let early = self_signed(&Recipe {
        from: 1,
        ..authority("early")
    });
    let server = signed_by(&Recipe::default(), &root);
    let alone = self_signed(&Recipe::default());
    place.put(
        "a-bundle.crt",
        format!("text\n{}{}{}", root.pem(), other.pem(), root.pem()),
    );
    let lines = root.pem().lines().count();
    place.put("b-der.cer", &place.system.der);
    place.put("c-old.pem", old.pem());
    place.put("d-early.pem", early.pem());
    place.put("e-server.pem", server.pem());
    place.put("f-alone.pem", alone.pem());
    place.put("g-middle.pem", middle.pem());
    place.put(
        "h-broken.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    place.put("i-key.pem", root.key_pem());
    place.put("j-garbage.crt", "garbage");
    place.put("k-empty.crt", "");
    place.put("readme.txt", "not a certificate");
    fs::create_dir(place.path("custom/deep")).unwrap();
    symlink("nowhere", place.path("custom/l-link.crt")).unwrap();
    fs::create_dir(place.path("custom/..data")).unwrap();
    let linked = self_signed(&authority("linked"));
    fs::write(place.path("custom/..data/m.crt"), linked.pem()).unwrap();
    symlink("..data/m.crt", place.path("custom/m.crt")).unwrap();

    let report = place.make();
    let bundle = place.path("custom/a-bundle.crt").display().to_string();
    let expected: Vec<(&str, Option<usize>, String)> =
        vec![
        ("a-bundle.crt", Some(2), "trusted".into()),
        ("a-bundle.crt", Some(2 + lines), "trusted".into()),
        (
            "a-bundle.crt",
            Some(2 + 2 * lines),
            format!("duplicate {bundle}:2"),
        ),
        ("b-der.cer", None, "trusted, but the system trusts it already".into()),
        ("c-old.pem", Some(1), "it expired on 2026-11-25".into()),
        (
            "d-early.pem",
            Some(1),
            "trusted, but it does not count yet".into(),
        ),
        (
            "e-server.pem",
            Some(1),
            "it is not the certificate of an authority: put that of its issuer here (CN=root)"
                .into(),
        ),
        (
            "f-alone.pem",
            Some(1),
            "trusted, but it is not an authority: only the one server that has it is trusted"
                .into(),
        ),
        (
            "g-middle.pem",
            Some(1),
            "trusted, but it is not a root: some programs trust it only if its root is here too"
                .into(),
        ),
        (
            "h-broken.pem",
            Some(1),
            "this certificate cannot be read: it is damaged".into(),
        ),
        (
            "i-key.pem",
            Some(1),
            "this is a private key, which does not belong here: move it away".into(),
        ),
        (
            "j-garbage.crt",
            None,
            "there is no certificate in it, neither as PEM nor as DER".into(),
        ),
        ("k-empty.crt", None, "the file is empty".into()),
        ("l-link.crt", None, "the link leads to nothing".into()),
        ("m.crt", Some(1), "trusted".into()),
    ];
    let expected: Vec<(String, Option<usize>, String)> = expected
        .into_iter()
        .map(|(name, line, text)| (name.to_owned(), line, text))
        .collect();
    assert_eq!(verdicts(&report), expected);
    let passed: Vec<&str> = report
        .passed_over
        .iter()
        .map(|(path, _)| path.file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(passed, ["deep", "readme.txt"]);
    let custom = [
        "root",
        "other",
        "system root",
        "early",
        "example",
        "middle",
        "linked",
    ];
    assert_eq!(place.subjects("custom.pem"), custom);
    let mut bundle = custom.to_vec();
    bundle.remove(2);
    bundle.insert(0, "system root");
    assert_eq!(
        place.subjects("bundle.pem"),
        bundle,
        "each stands there once"
    );
    let text = report.listing(NOW).to_string();
    assert!(text.contains("8 of 15 certificates are trusted"), "{text}");
    let root = Certificate::read(&root.der).unwrap();
    let line = format!(
        "issued by itself, until 2029-08-22 (1000 days), SHA-256 {}",
        root.fingerprint_in_words()
    );
    assert!(text.contains(&line), "{line} in\n{text}");
    assert!(!text.contains("PRIVATE"), "{text}");
}

#[test]
fn a_second_time_nothing_is_done_and_a_removed_file_is_not_trusted_any_more() {
    let place = Place::new();
    place.put("root.pem", self_signed(&authority("root")).pem());
    let made = |report: &Report, outcome| {
        report
            .files
            .iter()
            .all(|(_, it)| *it == Outcome::Written(outcome))
    };
    let dry = make(&place.config(), &[], NOW, true).unwrap();
    assert!(made(&dry, Writing::Made) && !place.path("run").exists());
    let first = place.make();
    assert!(made(&first, Writing::Made), "{:?}", first.files);
    assert_eq!(dry.variables, first.variables);
    assert_eq!(first.variables.len(), TRUST_VARIABLES.len());
    assert!(made(&place.make(), Writing::Unchanged));

    fs::remove_file(place.path("custom/root.pem")).unwrap();
    let removed = place.make();
    assert_eq!(removed.variables, []);
    assert_eq!(place.subjects("bundle.pem"), ["system root"]);
    assert_eq!(place.subjects("custom.pem"), Vec::<String>::new());
    assert!(
        !String::from_utf8(place.output("environment"))
            .unwrap()
            .contains('=')
    );
    assert!(made(&place.make(), Writing::Unchanged));
}

#[test]
fn nothing_to_trust_means_nothing_to_write() {
    let place = Place::new();
    fs::remove_dir(place.path("custom")).unwrap();
    let report = place.make();
    assert_eq!((report.files.len(), report.variables.len()), (0, 0));
    assert!(!place.path("run").exists());
}

#[test]
fn an_end_that_has_come_takes_the_trust_away() {
    let place = Place::new();
    place.put(
        "root.pem",
        self_signed(&Recipe {
            until: 2,
            ..authority("root")
        })
        .pem(),
    );
    assert_eq!(place.make().trusted(), 1);
    let later = make(&place.config(), &[], NOW + 3 * DAY, false).unwrap();
    assert_eq!((later.trusted(), later.variables.len()), (0, 0));
}

#[test]
fn the_system_has_to_be_known_unless_it_does_not_count() {
    let place = Place::new();
    place.put("root.pem", self_signed(&authority("root")).pem());
    let mut config = place.config();
    let mut reason = |bundle: SystemBundle| {
        config.system_bundle = bundle;
        make(&config, &[], NOW, false).map_err(|error| error.to_string())
    };
    let file = |name: &str| SystemBundle::File(place.path(name).display().to_string());
    let error = reason(file("none.pem")).unwrap_err();
    assert!(error.ends_with("none.pem: it does not exist"), "{error}");
    place.make();
    let error = reason(file("run/ca-roots/bundle.pem")).unwrap_err();
    assert!(
        error.ends_with("it is made by this step, from the system's"),
        "{error}"
    );
    assert!(reason(SystemBundle::None).is_ok());
    assert_eq!(place.subjects("bundle.pem"), ["root"]);
}

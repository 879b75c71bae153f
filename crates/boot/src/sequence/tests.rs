//! What follows from a step that cannot be done, and what is written down.

use linchpin_config::{CaRootsConfig, LeftOut, StepOff, SystemBundle};
use tempfile::tempdir;

use super::*;
use crate::settings::Resolved;
use crate::testing::{authority, self_signed};

fn policy(on_failure: OnFailure) -> StepPolicy {
    StepPolicy {
        services: vec!["web".to_owned()],
        ..StepPolicy::on_failure(on_failure)
    }
}

fn part<'a>(section: &'a str, policy: &'a StepPolicy) -> Part<'a> {
    Part {
        step: Step::Certificates,
        section,
        why: "it is asked for".to_owned(),
        policy,
    }
}

fn trouble() -> Result<((), Work), Trouble> {
    Err(Trouble {
        problem: "no room".to_owned(),
        remedy: Some("make room".to_owned()),
        details: Vec::new(),
    })
}

/// A boot whose first step fails, and whose second would be done.
fn boot(on_failure: OnFailure) -> BootReport {
    let policy = policy(on_failure);
    let mut sequence = Sequence::begin("a test", false);
    assert_eq!(sequence.run(&part("certificate:a", &policy), trouble), None);
    let second = sequence.run(&part("certificate:b", &policy), || {
        let work = Work {
            summary: "made".to_owned(),
            is_changed: true,
            ..Work::default()
        };
        Ok(("result", work))
    });
    assert_eq!(second.is_some(), on_failure != OnFailure::Fatal);
    sequence.end()
}

#[test]
fn a_step_is_tried_again_as_often_as_it_says() {
    let policy = StepPolicy {
        retries: 3,
        ..policy(OnFailure::Fatal)
    };
    let fails = |times: u32| {
        let mut left = times;
        move || {
            left = left.saturating_sub(1);
            if left > 0 {
                trouble()
            } else {
                Ok(((), Work::default()))
            }
        }
    };
    let try_it = |times, is_dry| {
        let mut sequence = Sequence::begin("a test", is_dry);
        sequence.run(&part("certificate:a", &policy), fails(times));
        let report = sequence.end();
        (report.steps[0].attempts, report.steps[0].outcome)
    };
    assert_eq!(try_it(1, false), (1, Outcome::Unchanged));
    assert_eq!(try_it(4, false), (4, Outcome::Unchanged));
    assert_eq!(try_it(5, false), (4, Outcome::Failed));
    assert_eq!(try_it(2, true), (1, Outcome::Failed));
}

#[test]
fn sections_that_are_switched_off_are_told_in_their_place() {
    let off = ["template:web", "preflight:cpu", "ca-roots"].map(|section| StepOff {
        section: section.to_owned(),
        condition: "no".to_owned(),
    });
    let config = BootConfig {
        off: off.to_vec(),
        ..BootConfig::default()
    };
    let mut scope = Scope::new(
        &Resolved::default(),
        &[],
        &config,
        Err("nobody asks".to_owned()),
    );
    let mut sequence = Sequence::begin("a test", false);
    sequence.preflights(&config, &scope);
    sequence.sections(&config, &Step::ALL, &[]);
    sequence.templates(&config, &mut scope);
    let report = sequence.end();
    let lines: Vec<String> = report.steps.iter().map(StepReport::in_one_line).collect();
    assert_eq!(
        lines,
        ["preflight:cpu", "ca-roots", "template:web"]
            .map(|name| format!("[{name}]: skipped: switched off by `enabled=no`"))
    );
    assert!(!report.is_failed() && !report.has_failures());
}

fn outcomes(report: &BootReport) -> Vec<Outcome> {
    report.steps.iter().map(|step| step.outcome).collect()
}

#[test]
fn a_fatal_failure_ends_the_boot_with_its_reason() {
    let report = boot(OnFailure::Fatal);
    assert_eq!(outcomes(&report), [Outcome::Failed, Outcome::Skipped]);
    assert!(report.is_failed());
    let failure = report.failure().unwrap();
    assert_eq!(failure, "[certificate:a]: no room; make room");
    assert_eq!(
        report.steps[1].summary,
        "not run, because [certificate:a] could not be done"
    );
    let text = report.to_string();
    for piece in [
        "boot (a test): failed",
        "problem: no room",
        "remedy: make room",
    ] {
        assert!(text.contains(piece), "{piece} in\n{text}");
    }
}

#[test]
fn other_failures_are_told_and_may_leave_services_out() {
    let report = boot(OnFailure::Warn);
    assert_eq!(outcomes(&report), [Outcome::Failed, Outcome::Done]);
    assert!(!report.is_failed() && report.has_failures());
    assert_eq!((report.failure(), report.left_out()), (None, Vec::new()));
    let report = boot(OnFailure::Skip);
    assert!(!report.is_failed());
    let left_out = LeftOut {
        services: vec!["web".to_owned()],
        why: "[certificate:a] could not be done".to_owned(),
    };
    assert_eq!(report.left_out(), [left_out]);
    assert!(report.to_string().contains("goes on without web"));
}

#[test]
fn a_report_is_kept_and_one_of_a_failure_longer() {
    let folder = tempdir().unwrap();
    let directory = folder.path().join("state");
    assert_eq!(kept(&directory, Which::Last).unwrap(), None);
    let failed = boot(OnFailure::Fatal);
    keep(&failed, &directory).unwrap();
    let good = Sequence::begin("the next one", false).end();
    keep(&good, &directory).unwrap();
    assert_eq!(kept(&directory, Which::Last).unwrap(), Some(good));
    assert_eq!(kept(&directory, Which::LastFailed).unwrap(), Some(failed));
    std::fs::write(directory.join("boot-report.json"), "{\"why\":").unwrap();
    let error = kept(&directory, Which::Last).unwrap_err().to_string();
    assert!(
        error.starts_with("cannot read") && error.contains("boot-report.json"),
        "{error}"
    );
}

#[test]
fn sections_run_in_order_and_the_second_time_finds_nothing_to_do() {
    let folder = tempdir().unwrap();
    let text = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(folder.path().join("ca")).unwrap();
    std::fs::write(
        folder.path().join("ca/own.pem"),
        self_signed(&authority("own")).pem(),
    )
    .unwrap();
    let config = BootConfig {
        ca_roots: Some(CaRootsConfig {
            directory: text("ca"),
            output: text("run/ca-roots"),
            system_bundle: SystemBundle::None,
            java_trust_store: false,
            variables: vec!["SSL_CERT_FILE".to_owned()],
            policy: FATAL,
        }),
        certificates: vec![linchpin_config::CertificateConfig {
            name: "web".to_owned(),
            provided: None,
            names: Vec::new(),
            self_signed: true,
            warn_days: 30,
            owner: None,
            output: text("state/certificates/web"),
            authority: text("state/certificate-authority"),
            policy: FATAL,
        }],
        ..BootConfig::default()
    };
    let boot = |is_dry: bool| {
        let mut sequence = Sequence::begin("a test", is_dry);
        let made = sequence.sections(&config, &Step::ALL, &[]);
        let values: Vec<String> = made.variables.iter().map(Variable::value).collect();
        assert_eq!(values, [text("run/ca-roots/bundle.pem")]);
        let report = sequence.end();
        let sections: Vec<&str> = report
            .steps
            .iter()
            .map(|step| step.section.as_str())
            .collect();
        assert_eq!(sections, ["ca-roots", "certificate:web"]);
        outcomes(&report)
    };
    assert_eq!(boot(true), [Outcome::Done, Outcome::Done]);
    assert!(
        !folder.path().join("state").exists(),
        "a dry run writes nothing"
    );
    assert_eq!(boot(false), [Outcome::Done, Outcome::Done]);
    assert_eq!(boot(false), [Outcome::Unchanged, Outcome::Unchanged]);
}

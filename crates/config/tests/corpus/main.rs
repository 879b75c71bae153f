//! Real configuration files against what Supervisor makes of them.
//!
//! The files are not part of the repository. `LINCHPIN_CORPUS` names their folder; without it a folder
//! `shared/corpus` beside the checkout is used if there is one. For each `X.conf` (and the main file of
//! each folder below `multi/`) there is an answer in JSON that was made with Supervisor itself.
#![expect(
    clippy::unwrap_used,
    reason = "a test: what cannot be read must stop it"
)]

mod canonical;
mod imagined_world;

use std::path::{Path, PathBuf};

use canonical::answer;
use imagined_world::Includes;
use serde_json::Value;

/// Most disagreements that are printed in full.
const MOST_SHOWN: usize = 20;

fn corpus_folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("LINCHPIN_CORPUS") {
        return Some(PathBuf::from(folder));
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let beside = workspace.join("../shared/corpus");
    beside.is_dir().then_some(beside)
}

struct Case {
    name: String,
    config: PathBuf,
    expected: PathBuf,
    includes: Includes,
}

fn cases(folder: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for sub_folder in [folder.to_owned(), folder.join("templated")] {
        for path in listed(&sub_folder) {
            if path
                .extension()
                .is_some_and(|extension| extension == "conf")
            {
                cases.push(Case {
                    name: path.file_name().unwrap().to_string_lossy().into_owned(),
                    expected: path.with_extension("expected.json"),
                    config: path,
                    includes: Includes::None,
                });
            }
        }
    }
    for path in listed(&folder.join("multi")) {
        let Ok(main) = std::fs::read_to_string(path.join("MAIN")) else {
            continue;
        };
        cases.push(Case {
            name: format!("multi/{}", path.file_name().unwrap().to_string_lossy()),
            config: path.join(main.trim()),
            expected: path.join("expected.json"),
            includes: Includes::BesideTheFile,
        });
    }
    cases
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The places where two answers differ.
fn differences(path: &str, found: &Value, expected: &Value, into: &mut Vec<String>) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            let mut keys: Vec<&String> = found.keys().chain(expected.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let nothing = Value::String("(nothing)".to_owned());
                differences(
                    &format!("{path}.{key}"),
                    found.get(key).unwrap_or(&nothing),
                    expected.get(key).unwrap_or(&nothing),
                    into,
                );
            }
        }
        (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => {
            for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                differences(&format!("{path}[{index}]"), found, expected, into);
            }
        }
        _ if found == expected => {}
        _ => into.push(format!(
            "  {path}\n    ours   {found}\n    theirs {expected}"
        )),
    }
}

#[test]
fn corpus_gives_what_supervisor_makes_of_it() {
    let Some(folder) = corpus_folder() else {
        println!(
            "corpus: skipped, because LINCHPIN_CORPUS is not set and there is no ../shared/corpus"
        );
        return;
    };
    let cases = cases(&folder);
    let mut agreed = 0;
    let mut disagreements = Vec::new();
    for case in &cases {
        let expected = std::fs::read_to_string(&case.expected)
            .unwrap_or_else(|error| panic!("{}: {error}", case.expected.display()));
        let expected: Value = serde_json::from_str(&expected).unwrap();
        let found = answer(&case.config, case.includes, &expected["env"]);
        let mut differing = Vec::new();
        differences("", &found, &expected, &mut differing);
        if differing.is_empty() {
            agreed += 1;
        } else {
            disagreements.push(format!("{}\n{}", case.name, differing.join("\n")));
        }
    }
    println!("corpus: {agreed} of {} files agreed", cases.len());
    for disagreement in disagreements.iter().take(MOST_SHOWN) {
        println!("{disagreement}");
    }
    assert!(
        disagreements.is_empty(),
        "{} files disagree",
        disagreements.len()
    );
}

/// A check of a real file never panics and accepts exactly what can be loaded; how much it complains is
/// printed, because real files are mostly good.
#[test]
fn corpus_is_checked_like_it_is_loaded() {
    let Some(folder) = corpus_folder() else {
        println!(
            "corpus: skipped, because LINCHPIN_CORPUS is not set and there is no ../shared/corpus"
        );
        return;
    };
    let mut warnings = 0;
    let mut files_with_warnings = 0;
    let cases = cases(&folder);
    for case in &cases {
        let expected = std::fs::read_to_string(&case.expected).unwrap();
        let expected: Value = serde_json::from_str(&expected).unwrap();
        let report = canonical::report(&case.config, case.includes, &expected);
        let answer = expected.get("as_included").unwrap_or(&expected);
        assert_eq!(
            report.config.is_some(),
            answer.get("error").is_none(),
            "{}: a check and a start must agree",
            case.name
        );
        warnings += report.warnings.len();
        files_with_warnings += usize::from(!report.warnings.is_empty());
        if std::env::var_os("LINCHPIN_SHOW_WARNINGS").is_some() {
            println!("{}", linchpin_config::render_all(&report.problems));
            println!("{}", linchpin_config::render_all(&report.warnings));
        }
    }
    println!(
        "corpus: {warnings} warnings about {files_with_warnings} of {} files",
        cases.len()
    );
}

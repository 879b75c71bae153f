//! The table of Docker's rules, row by row.

use super::*;

const TABLE: &str = include_str!("../../../../tests/docker_env_file.txt");

/// What a reader makes of a text.
type Read = Result<Vec<(String, String)>, String>;

/// A row of the table: `line | docker | here | verdict: why`.
struct Row {
    section: &'static str,
    text: String,
    docker: &'static str,
    here: &'static str,
    verdict: &'static str,
    why: &'static str,
}

fn rows() -> Vec<Row> {
    let mut section = "";
    let mut rows = Vec::new();
    for line in TABLE.lines() {
        if let Some(title) = line.strip_prefix("== ") {
            section = title;
        } else if !section.is_empty() && line.contains(" | ") {
            let cells: Vec<&str> = line.split(" | ").map(str::trim).collect();
            let [text, docker, here, verdict] = cells[..] else {
                panic!("four cells: {line}");
            };
            let (verdict, why) = verdict.split_once(": ").unwrap_or((verdict, ""));
            rows.push(Row {
                section,
                text: bytes(text),
                docker,
                here,
                verdict,
                why,
            });
        }
    }
    rows
}

/// A cell as it is meant.
fn bytes(cell: &str) -> String {
    cell.replace('␣', " ")
        .replace('␉', "\t")
        .replace('␍', "\r")
        .replace('␊', "\n")
        .replace("<BOM>", "\u{feff}")
        .replace("<NBSP>", "\u{a0}")
        .replace("<64K>", &"x".repeat(64 << 10))
}

/// What a cell says of a reading, without the kind of an error.
fn expected(cell: &str) -> Option<Vec<(String, String)>> {
    match cell {
        "nothing" => Some(Vec::new()),
        _ if cell == "error" || cell.starts_with("error: ") => None,
        _ => Some(
            bytes(cell)
                .split(" + ")
                .map(|one| one.split_once('=').unwrap_or_else(|| panic!("{cell}")))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        ),
    }
}

fn here(text: &str) -> Read {
    match EnvFile::parse(text.as_bytes()) {
        Ok(file) => Ok(file
            .assignments()
            .iter()
            .map(|found| (found.name.clone(), found.value.clone()))
            .collect()),
        Err(problems) => Err(format!("error: {:?}", problems[0].kind)),
    }
}

/// The documented rules of `docker run --env-file`, in an empty environment.
fn docker_run(text: &str) -> Read {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.len() >= 64 << 10 {
            return Err("token too long".to_owned());
        }
        let mark = if number == 0 { "\u{feff}" } else { "" };
        let line = line.strip_prefix(mark).unwrap_or(line).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (line, None),
        };
        if name.is_empty() {
            return Err("no variable name".to_owned());
        }
        if name.contains([' ', '\t']) {
            return Err("contains whitespaces".to_owned());
        }
        found.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    }
    Ok(found)
}

#[test]
fn every_row_of_the_table_is_true() {
    let rows = rows();
    assert!(rows.len() > 40, "{} rows", rows.len());
    for row in &rows {
        let place = format!(
            "{}: {:?}",
            row.section,
            row.text.get(..80).unwrap_or(&row.text)
        );
        let (docker, ours) = (expected(row.docker), expected(row.here));
        match here(&row.text) {
            Ok(read) => assert_eq!(Some(&read), ours.as_ref(), "{place}"),
            Err(error) => assert_eq!(error, row.here, "{place}"),
        }
        if row.section == "docker run --env-file" {
            assert_eq!(docker_run(&row.text).ok(), docker, "{place}");
        }
        let verdict = match (&docker, &ours) {
            (docker, ours) if docker == ours => "same",
            (_, None) => "error",
            (_, Some(_)) => "differs",
        };
        assert_eq!(row.verdict, verdict, "{place}");
        assert_eq!(row.why.is_empty(), verdict == "same", "{place}: why?");
    }
}

proptest! {
    #[test]
    fn without_quotes_backslashes_and_blanks_docker_reads_the_same(text in files()) {
        // Neither a comment behind a value nor a blank: Docker would keep both.
        let is_plain = text.lines().all(|line| {
            let line = line.trim_start_matches([' ', '\t']);
            line.starts_with('#') || !line.contains(['\'', '"', '\\', ' ', '\t'])
        });
        if is_plain && let Ok(read) = here(&text) {
            prop_assert_eq!(docker_run(&text), Ok(read));
        }
    }

    #[test]
    fn what_is_written_without_quotes_is_the_same_for_docker(value in "[a-zA-Z0-9_./:@%+,=-]{0,20}") {
        let text = format!("X={}\n", quoted(&value));
        prop_assert_eq!(docker_run(&text), Ok(vec![("X".to_owned(), value)]));
    }
}

//! The reference page of all options, made from their table.

use std::fmt::Write as _;

use crate::event_type::EventType;
use crate::options::{OptionSpec, Origin, SectionKind};

const INTRODUCTION: &str = "\
# Options of the configuration file

<!-- Made from the table in crates/config/src/options; a test compares. To make it again:
     LINCHPIN_WRITE_REFERENCE=1 cargo test -p linchpin-config reference -->

One INI file holds everything. It is read as by Supervisor 4.3: sections that appear twice are merged, the last of
two equal keys counts, keys are not case-sensitive, section names are. A comment begins with `;` or `#` at the
beginning of a line or after a blank. A line that is indented deeper than its key continues the value.

`%(name)s` in a value stands for one of the names given with the option; all conversions of printf work, such as
`%(process_num)02d`. `ENV_x` is the environment variable `x`. A literal percent sign is written `%%`.

| name | meaning |
|---|---|
| `here` | directory of the file in which it stands |
| `host_node_name` | name of the machine |
| `program_name`, `group_name` | name of the program, and of the group it is in |
| `process_num`, `numprocs` | number of the process, and how many there are |
| `ENV_x` | variable `x` of the daemon, of `[supervisord] environment` and, in options of a process, of its own `environment` |
";

/// The page, in Markdown.
#[must_use]
pub fn reference_page() -> String {
    let mut text = INTRODUCTION.to_owned();
    for kind in SectionKind::ALL {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n## `[{}]`\n\n{}\n", kind.title(), kind.about());
        let own: Vec<&OptionSpec> = kind
            .options()
            .filter(|option| {
                kind == SectionKind::Program
                    || SectionKind::Program.option(option.name).is_none()
                    || !kind.has_processes()
            })
            .collect();
        if kind.has_processes() && kind != SectionKind::Program {
            text.push_str("\nAll options of `[program:x]`, and these:\n");
        }
        for option in own {
            text.push_str(&entry(option));
        }
    }
    text.push_str(
        "\n## Event types\n\nFor `events` of an event listener. A subscription to a parent covers everything below \
         it.\n\n| name | parent | meaning |\n|---|---|---|\n",
    );
    for event in EventType::ALL {
        let parent = event.parent().map_or("", EventType::name);
        let _ = writeln!(text, "| {} | {parent} | {} |", event.name(), event.help());
    }
    text
}

fn entry(option: &OptionSpec) -> String {
    let default = match (option.is_required, option.default) {
        (true, _) => "required".to_owned(),
        (false, Some("")) => "default: empty".to_owned(),
        (false, Some(default)) => format!("default: `{default}`"),
        (false, None) => format!("default: {}", option.default_note),
    };
    let names: Vec<String> = option
        .scope
        .names()
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let since = match option.origin {
        Origin::Supervisor => format!("since Supervisor {}", option.since),
        Origin::Linchpin => format!("Linchpin's own, since {}", option.since),
    };
    format!(
        "\n### `{}`\n\n{}\n\n- {}: {}\n- {default}\n- names: {}\n- {since}\n",
        option.name,
        option.help,
        option.kind,
        option.kind.accepts(),
        names.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page in docs/ is the one that the table makes.
    #[test]
    fn reference_page_in_docs_is_current() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../docs/reference-options.md");
        let page = reference_page();
        if std::env::var_os("LINCHPIN_WRITE_REFERENCE").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            committed, page,
            "docs/reference-options.md is old: set LINCHPIN_WRITE_REFERENCE=1 and run this test again"
        );
    }
}

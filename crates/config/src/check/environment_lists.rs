//! Values in `environment=` that end earlier than they look.

use super::Judge;
use crate::key_value_list;
use crate::model::Config;

/// The raw text is judged, because an expanded one has no places; both have the same separators as
/// long as no variable brings its own.
pub(super) fn judge(judge: &mut Judge<'_>, config: &Config) {
    let mut sections: Vec<&str> = vec!["supervisord"];
    sections.extend(
        super::one_process_of_each_section(config).map(|(_, process)| process.section.as_str()),
    );
    for section in sections {
        let Some(entry) = judge.written(section, "environment") else {
            continue;
        };
        // Names in parentheses are word characters, but the percent sign before them is none.
        let text = entry.value.replace('%', "_");
        let Ok(list) = key_value_list::parse(&text) else {
            continue;
        };
        if let Some((key, separator)) = list.odd_separators.first() {
            judge.warn(
                Some(entry.value_span()),
                format!("the value of `{key}` ends before `{separator}`, because it is not quoted"),
                format!("write `{key}=\"…\"`, and a comma between the pairs"),
            );
        }
    }
}

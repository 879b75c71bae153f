//! The page with the end of a process's log.

use maud::{Markup, html};

use super::super::limits::MAX_TAIL_PAGE_BYTES;
use super::super::percent;
use super::layout;

/// Bytes of the log that are shown, at the least and unless more are asked for. The original's number.
pub(super) const LEAST_BYTES: i64 = 1024;

/// Everything that is on it.
#[derive(Debug)]
pub(super) struct TailPage {
    /// None where no process was named.
    pub(super) name: Option<String>,
    /// The end of the log, or why there is none.
    pub(super) text: String,
    pub(super) limit: i64,
}

/// Reads the field `limit`: what is no number, or too small, is the least.
pub(super) fn limit(field: Option<&str>) -> i64 {
    let Some(digits) = field.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit())) else {
        return LEAST_BYTES;
    };
    // More digits than fit are more bytes than anybody gets.
    let number = digits.parse().unwrap_or(MAX_TAIL_PAGE_BYTES);
    number.clamp(LEAST_BYTES, MAX_TAIL_PAGE_BYTES)
}

impl TailPage {
    pub(super) fn render(&self) -> Markup {
        let name = self.name.as_deref();
        let title = format!(
            "Supervisor tail of process {}",
            // The original's word for nothing.
            name.unwrap_or("None")
        );
        let content = html! {
            header {
                h1 { @match name { Some(name) => { "Tail of " (name) } None => { "Tail" } } }
                p { "The end of its standard output, at most " (self.limit) " bytes" }
            }
            main {
                ul #buttons {
                    @if let Some(name) = name {
                        @let escaped = percent::encode(name);
                        @let here = format!("tail.html?processname={escaped}&limit=");
                        li { a href={ (here) (self.limit) } { "Refresh" } }
                        @let more = self.limit.saturating_mul(8).min(MAX_TAIL_PAGE_BYTES);
                        @if more > self.limit {
                            li { a href={ (here) (more) } { "Show more" } }
                        }
                        li { a href={ "logtail/" (escaped) } target="_blank" { "Tail -f Stdout" } }
                    }
                    li { a href="index.html" { "All processes" } }
                }
                pre tabindex="0" { (self.text) }
            }
        };
        layout::page(&title, &content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_like_the_original_reads_them() {
        for (field, expected) in [
            (None, 1024),
            (Some("5"), 1024),
            (Some("5000"), 5000),
            (Some("-5000"), 1024),
            (Some("5000x"), 1024),
            (Some("5 000"), 1024),
            (Some("99999999999999999999999"), MAX_TAIL_PAGE_BYTES),
        ] {
            assert_eq!(limit(field), expected, "{field:?}");
        }
    }

    #[test]
    fn everything_is_escaped() {
        let page = TailPage {
            name: Some("<b>&\"".to_owned()),
            text: "</pre><script>".to_owned(),
            limit: 5000,
        };
        let page = page.render().into_string();
        assert!(
            !page.contains("<b>") && !page.contains("<script>"),
            "{page}"
        );
        assert!(
            page.contains("tail.html?processname=%3Cb%3E%26%22&amp;limit=5000"),
            "{page}"
        );
    }
}

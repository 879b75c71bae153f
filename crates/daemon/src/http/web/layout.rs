//! What all pages have in common.
//!
//! `maud` escapes whatever is written between parentheses or quotes, so there is nothing to remember. Links
//! are relative: whoever puts a proxy in front may do so under any prefix.

use linchpin_protocol::SUPERVISOR_VERSION;
use maud::{DOCTYPE, Markup, html};

/// A whole page. The titles are the original's, which some monitors look for.
pub(super) fn page(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="stylesheet" href="stylesheets/supervisor.css";
                link rel="icon" type="image/png" href="images/icon.png";
            }
            body {
                (content)
                footer {
                    "Linchpin " (env!("CARGO_PKG_VERSION"))
                    ", in the place of Supervisor " span { (SUPERVISOR_VERSION) }
                }
            }
        }
    }
}

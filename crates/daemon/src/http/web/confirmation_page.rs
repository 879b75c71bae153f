//! The page that asks, where a browser wants something done and does not show that its user pressed a
//! button of ours: a bookmark, a link in a wiki, or the trap of another site.

use maud::{Markup, html};

use super::action::Action;
use super::layout;

/// Asks whether `action` is meant, with a button that does it.
pub(super) fn render(action: &Action, token: &str) -> Markup {
    let content = html! {
        header { h1 { "Supervisor status" } }
        main {
            p.status_msg role="status" {
                "Nothing has been done yet: your browser was sent here by something else than a button of \
                 this server. Is this what you want?"
            }
            form action="index.html" method="post" {
                input type="hidden" name="token" value=(token);
                ul #buttons {
                    li {
                        button formaction=(action.address()) {
                            (action.label())
                            @if let Action::Process { name, .. } = action { " " (name) }
                        }
                    }
                    li { a href="index.html" { "No, show all processes" } }
                }
            }
        }
    };
    layout::page("Supervisor Status", &content)
}

//! The page that shows every process and what can be done with it.

use std::fmt::Write as _;

use linchpin_core::ProcessState;
use maud::{Markup, html};

use super::super::percent;
use super::action::{Action, Verb};
use super::layout;
use crate::control::ProcessInfo;
use crate::rpc::description;

/// Everything that is on it.
#[derive(Debug)]
pub(super) struct StatusPage {
    /// By group and name.
    pub(super) processes: Vec<ProcessInfo>,
    /// What came of the last action.
    pub(super) message: Option<String>,
    /// The daemon's state, where it is not at work.
    pub(super) ending: Option<&'static str>,
    /// Goes with every button.
    pub(super) token: String,
}

impl StatusPage {
    pub(super) fn render(&self) -> Markup {
        let content = html! {
            header {
                h1 { "Supervisor status" }
                p { (self.summary()) }
            }
            main {
                @if let Some(state) = self.ending {
                    p.status_msg.failed role="status" { "The daemon is in the state " (state) ": nothing can be started." }
                }
                @if let Some(message) = &self.message {
                    p.status_msg.failed[is_failure(message)] role="status" { (message) }
                }
                form action="index.html" method="post" {
                    input type="hidden" name="token" value=(self.token);
                    ul #buttons {
                        li { a href=(Action::Refresh.address()) { (Action::Refresh.label()) } }
                        @for action in [Action::RestartAll, Action::StopAll] {
                            li { button formaction=(action.address()) { (action.label()) } }
                        }
                    }
                    @if self.processes.is_empty() {
                        p { "No programs to manage" }
                    } @else {
                        (self.table())
                    }
                }
            }
        };
        layout::page("Supervisor Status", &content)
    }

    /// How many there are in each state.
    fn summary(&self) -> String {
        let count = self.processes.len();
        let mut text = match count {
            1 => "1 process".to_owned(),
            _ => format!("{count} processes"),
        };
        let mut separator = ": ";
        for state in ProcessState::ALL {
            let count = self
                .processes
                .iter()
                .filter(|process| process.state == state)
                .count();
            if count > 0 {
                // Writing to a string cannot fail.
                let _ = write!(
                    text,
                    "{separator}{count} {}",
                    state.name().to_ascii_lowercase()
                );
                separator = ", ";
            }
        }
        text
    }

    /// The roles are what tables have by nature. They are written down because on narrow screens the style
    /// sheet lays the rows out in another way, and some browsers then forget that it is a table.
    fn table(&self) -> Markup {
        html! {
            table role="table" {
                thead role="rowgroup" {
                    tr role="row" {
                        th.state role="columnheader" { "State" }
                        th.desc role="columnheader" { "Description" }
                        th.name role="columnheader" { "Name" }
                        th.action role="columnheader" { "Action" }
                    }
                }
                tbody role="rowgroup" {
                    @for (number, process) in self.processes.iter().enumerate() {
                        tr.shade[number % 2 == 1] role="row" { (cells(process)) }
                    }
                }
            }
        }
    }
}

/// The messages of failures begin with these.
fn is_failure(message: &str) -> bool {
    ["ERROR", "No such process", "unexpected rpc fault"]
        .iter()
        .any(|beginning| message.starts_with(beginning))
}

fn cells(process: &ProcessInfo) -> Markup {
    let name = if process.name == process.group {
        process.name.clone()
    } else {
        format!("{}:{}", process.group, process.name)
    };
    let escaped = percent::encode(&name);
    let state = process.state.name().to_ascii_lowercase();
    html! {
        td.status role="cell" { span class=(class_of(process.state)) { (state) } }
        td.desc role="cell" { span { (description(process)) } }
        td.name role="cell" { a href={ "tail.html?processname=" (escaped) } { (name) } }
        td.action role="cell" {
            ul {
                @for &verb in verbs(process.state) {
                    @let action = Action::Process { name: name.clone(), verb };
                    li {
                        button aria-label={ (action.label()) " " (name) } formaction=(action.address()) {
                            (action.label())
                        }
                    }
                }
                @for (text, stream) in [("Tail -f Stdout", ""), ("Tail -f Stderr", "/stderr")] {
                    li {
                        a aria-label={ (text) " of " (name) } href={ "logtail/" (escaped) (stream) }
                            target="_blank" { (text) }
                    }
                }
            }
        }
    }
}

fn class_of(state: ProcessState) -> &'static str {
    match state {
        ProcessState::Running => "statusrunning",
        ProcessState::Fatal | ProcessState::Backoff => "statuserror",
        ProcessState::Stopped
        | ProcessState::Starting
        | ProcessState::Stopping
        | ProcessState::Exited
        | ProcessState::Unknown => "statusnominal",
    }
}

/// What can be done in a state. The original offers no way to stop what is starting, or tries to.
fn verbs(state: ProcessState) -> &'static [Verb] {
    match state {
        ProcessState::Running => &[Verb::Restart, Verb::Stop, Verb::ClearLog],
        ProcessState::Stopped | ProcessState::Exited | ProcessState::Fatal => {
            &[Verb::Start, Verb::ClearLog]
        }
        ProcessState::Starting | ProcessState::Backoff => &[Verb::Stop, Verb::ClearLog],
        ProcessState::Stopping | ProcessState::Unknown => &[Verb::ClearLog],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::tests::fake_supervision::process;

    fn page(processes: Vec<ProcessInfo>) -> String {
        let page = StatusPage {
            processes,
            message: Some("<b>hello</b> \"x\"".to_owned()),
            ending: None,
            token: "t".to_owned(),
        };
        page.render().into_string()
    }

    #[test]
    fn everything_is_escaped() {
        let mut evil = process("g", "\"><script>alert(1)</script>", ProcessState::Fatal);
        evil.spawn_error = "<img src=x onerror=alert(1)>".to_owned();
        let page = page(vec![evil]);
        assert!(!page.contains("<script"), "{page}");
        assert!(!page.contains("<img"), "{page}");
        assert!(!page.contains("<b>"), "{page}");
        assert!(
            page.contains("processname=g%3A%22%3E%3Cscript%3E"),
            "{page}"
        );
    }

    #[test]
    fn each_state_has_its_buttons() {
        for state in ProcessState::ALL {
            let page = page(vec![process("cat", "cat", state)]);
            let shown: Vec<&str> = ["start", "restart", "stop", "clearlog"]
                .into_iter()
                .filter(|action| page.contains(&format!("processname=cat&amp;action={action}\"")))
                .collect();
            let expected: &[&str] = match state {
                ProcessState::Running => &["restart", "stop", "clearlog"],
                ProcessState::Stopped | ProcessState::Exited | ProcessState::Fatal => {
                    &["start", "clearlog"]
                }
                ProcessState::Starting | ProcessState::Backoff => &["stop", "clearlog"],
                ProcessState::Stopping | ProcessState::Unknown => &["clearlog"],
            };
            assert_eq!(shown, expected, "{state:?}");
            let name = state.name().to_lowercase();
            let span = format!("<span class=\"{}\">{name}</span>", class_of(state));
            assert!(page.contains(&span), "{page}");
        }
    }

    #[test]
    fn states_are_summed_up() {
        let summary = |states: &[ProcessState]| {
            let page = StatusPage {
                processes: states
                    .iter()
                    .map(|&state| process("g", "x", state))
                    .collect(),
                message: None,
                ending: None,
                token: String::new(),
            };
            page.summary()
        };
        use ProcessState::{Fatal, Running};
        assert_eq!(summary(&[]), "0 processes");
        assert_eq!(summary(&[Running]), "1 process: 1 running");
        assert_eq!(
            summary(&[Fatal, Running, Running]),
            "3 processes: 2 running, 1 fatal"
        );
    }
}

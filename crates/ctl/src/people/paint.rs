//! Colours, where somebody sees them.

use linchpin_config::World;
use linchpin_sys::terminal::is_terminal;

/// Whether there are colours.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Paint {
    is_on: bool,
}

/// What a colour means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    Plain,
    /// As it should be.
    Good,
    /// Under way.
    Waiting,
    /// Broken.
    Bad,
    /// Not wanted, or not important.
    Dim,
    /// A heading.
    Strong,
}

impl Paint {
    /// On a terminal that knows colours, unless `NO_COLOR` is set.
    pub(super) fn for_output(world: &dyn World) -> Self {
        let variable = |name| world.variable(name).filter(|value| !value.is_empty());
        Self {
            is_on: is_terminal(std::io::stdout())
                && variable("NO_COLOR").is_none()
                && variable("TERM").is_some_and(|term| term != "dumb"),
        }
    }

    /// Text in a colour. Widths are to be made before: the marks of the colour have none.
    pub(super) fn text(self, colour: Colour, text: &str) -> String {
        let code = match colour {
            Colour::Plain => return text.to_owned(),
            Colour::Good => "32",
            Colour::Waiting => "33",
            Colour::Bad => "31",
            Colour::Dim => "2",
            Colour::Strong => "1",
        };
        if self.is_on && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

//! Where the shell's lines come from: a person at a terminal, or anything else.

use std::path::PathBuf;

use rustyline::config::BellStyle;
use rustyline::error::ReadlineError;
use rustyline::history::{History as _, MemHistory, SearchDirection};
use rustyline::{CompletionType, Config, Editor};

use crate::commands;
use crate::completion::Words;
use crate::controller::Controller;
use crate::error::CommandError;
use crate::history;
use crate::input::Typed;
use crate::rescue;

/// Asks for one line after the other.
pub(crate) struct Prompt {
    text: String,
    editor: Option<Editor<Words, MemHistory>>,
    history_file: Option<PathBuf>,
}

impl std::fmt::Debug for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prompt")
            .field("text", &self.text)
            .field("history_file", &self.history_file)
            .finish_non_exhaustive()
    }
}

impl Prompt {
    pub(crate) fn new(controller: &Controller<'_>) -> Self {
        let settings = &controller.settings;
        let editor = controller
            .can_edit
            .then(|| editor(commands::vocabulary(&settings.plugins)).ok())
            .flatten();
        if editor.is_some() {
            // Without it a terminal may need a `reset` one day; that is no reason not to work.
            let _ = rescue::watch();
        }
        let mut prompt = Self {
            text: format!("{}> ", settings.prompt),
            editor,
            history_file: settings.history_file.clone(),
        };
        if let (Some(editor), Some(file)) = (&mut prompt.editor, &prompt.history_file) {
            for line in history::read(file) {
                // In memory; it cannot fail.
                let _ = editor.add_history_entry(line);
            }
        }
        prompt
    }

    /// Whether a person edits the lines; the end of each is then shown already.
    pub(crate) fn is_edited(&self) -> bool {
        self.editor.is_some()
    }

    /// The next line.
    pub(crate) fn next(&mut self, controller: &mut Controller<'_>) -> Result<Typed, CommandError> {
        let Some(editor) = &mut self.editor else {
            controller.out.prompt(&self.text);
            let interrupts = controller.interrupts.clone();
            return Ok(controller.input.line(interrupts.as_deref())?);
        };
        controller.out.flush();
        if let Some(words) = editor.helper_mut() {
            words.begin(&controller.session);
        }
        match editor.readline(self.text.as_str()) {
            Ok(line) => Ok(Typed::Line(line)),
            Err(ReadlineError::Interrupted) => Ok(Typed::Interrupted),
            Err(_) => Ok(Typed::End),
        }
    }

    /// Keeps what was typed, where that is wanted.
    pub(crate) fn keep_history(&self) {
        if let (Some(editor), Some(file)) = (&self.editor, &self.history_file) {
            let kept = editor.history();
            let lines = (0..kept.len()).filter_map(|at| {
                let found = kept.get(at, SearchDirection::Forward).ok()??;
                Some(found.entry)
            });
            // There is nobody who could do anything about it.
            let _ = history::write(file, lines);
        }
    }
}

fn editor(commands: Vec<&'static str>) -> rustyline::Result<Editor<Words, MemHistory>> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .bell_style(BellStyle::Audible)
        .auto_add_history(true)
        // Off in Python too: scripts that drive the shell through a terminal see less that they do not expect.
        .bracketed_paste(false)
        .max_history_size(history::MOST_LINES)?
        .build();
    let lines = MemHistory::with_config(&config);
    let mut editor = Editor::with_history(config, lines)?;
    editor.set_helper(Some(Words::new(commands)));
    Ok(editor)
}

//! What the Tab key offers: commands, then what the command takes.

use std::cell::RefCell;
use std::time::Duration;

use linchpin_protocol::ProcessInfo;
use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use crate::session::Session;

/// Where a word begins anew. Names may hold colons, stars and dashes.
const WORD_BREAKS: &str = " \t\n`~!@#$%^&()=+[{]}\\|;'\",<>/?";

/// A daemon that does not answer must not keep somebody from typing.
const LONGEST_SILENCE: Duration = Duration::from_secs(2);

/// A process as completion knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    group: String,
    process: String,
}

/// Completes words of the shell.
#[derive(Debug)]
pub(crate) struct Words {
    commands: Vec<&'static str>,
    session: RefCell<Option<Session>>,
    /// What the daemon answered since the last command.
    names: RefCell<Option<Vec<Name>>>,
}

impl Words {
    pub(crate) fn new(commands: Vec<&'static str>) -> Self {
        Self {
            commands,
            session: RefCell::new(None),
            names: RefCell::new(None),
        }
    }

    /// Begins a line: the daemon may be another one, and its processes too.
    pub(crate) fn begin(&mut self, session: &Session) {
        self.session = RefCell::new(Some(
            session
                .address()
                .connect()
                .with_longest_silence(LONGEST_SILENCE),
        ));
        self.names = RefCell::new(None);
    }

    /// The processes. A daemon that cannot be asked has none, without a word about it.
    fn names(&self) -> Vec<Name> {
        if let Some(names) = &*self.names.borrow() {
            return names.clone();
        }
        let mut session = self.session.borrow_mut();
        let infos = session.as_mut().and_then(|session| {
            session
                .call::<Vec<ProcessInfo<'_>>>("supervisor.getAllProcessInfo", &[])
                .ok()
        });
        let Some(infos) = infos else {
            return Vec::new();
        };
        let names: Vec<Name> = infos
            .iter()
            .map(|info| Name {
                group: info.group.clone().into_owned(),
                process: info.name.clone().into_owned(),
            })
            .collect();
        *self.names.borrow_mut() = Some(names.clone());
        names
    }

    /// What a word may become, sorted.
    fn offers(&self, line: &str, word: &str) -> Vec<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut offers: Vec<String> = match words.as_slice() {
            [] => self.all_commands(),
            [_] if !line.ends_with(' ') => self.all_commands(),
            ["help", ..] => self.all_commands(),
            ["add" | "remove" | "update", ..] => {
                self.names().into_iter().map(|name| name.group).collect()
            }
            [
                "clear" | "fg" | "pid" | "restart" | "signal" | "start" | "status" | "stop"
                | "tail",
                ..,
            ] => process_words(&self.names(), word.contains(':')),
            _ => Vec::new(),
        };
        offers.retain(|offer| offer.starts_with(word));
        offers.sort_unstable();
        offers.dedup();
        for offer in &mut offers {
            offer.push(' ');
        }
        offers
    }

    fn all_commands(&self) -> Vec<String> {
        self.commands
            .iter()
            .map(|name| (*name).to_owned())
            .collect()
    }
}

/// One name where group and process share it, unless somebody has begun to write both.
fn process_words(names: &[Name], wants_both: bool) -> Vec<String> {
    let mut words = Vec::new();
    for Name { group, process } in names {
        if wants_both || group != process {
            words.push(format!("{group}:{process}"));
            words.push(format!("{group}:*"));
        } else {
            words.push(process.clone());
        }
    }
    words
}

fn word_start(line: &str, position: usize) -> usize {
    line[..position]
        .rfind(|character| WORD_BREAKS.contains(character))
        .map_or(0, |at| {
            at + line[at..].chars().next().map_or(1, char::len_utf8)
        })
}

impl Completer for Words {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let start = word_start(line, position);
        Ok((start, self.offers(line, &line[start..position])))
    }
}

impl Hinter for Words {
    type Hint = String;
}

impl Highlighter for Words {}
impl Validator for Words {}
impl Helper for Words {}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        let words = Words::new(vec!["help", "start", "status", "stop", "update"]);
        let name = |group: &str, process: &str| Name {
            group: group.to_owned(),
            process: process.to_owned(),
        };
        *words.names.borrow_mut() = Some(vec![
            name("cat", "cat"),
            name("many", "many_00"),
            name("many", "many_01"),
            name("start-up", "start-up"),
        ]);
        words
    }

    fn check(line: &str, expected: &[&str]) {
        let start = word_start(line, line.len());
        let offers = words().offers(line, &line[start..]);
        let shown: Vec<&str> = offers.iter().map(|offer| offer.trim_end()).collect();
        assert_eq!(shown, expected, "{line:?}");
        assert!(offers.iter().all(|offer| offer.ends_with(' ')));
    }

    #[test]
    fn the_first_word_is_a_command_and_the_others_what_it_takes() {
        check("", &["help", "start", "status", "stop", "update"]);
        check("sta", &["start", "status"]);
        check("nothing", &[]);
        check("help st", &["start", "status", "stop"]);
        check(
            "start ",
            &["cat", "many:*", "many:many_00", "many:many_01", "start-up"],
        );
        check("start m", &["many:*", "many:many_00", "many:many_01"]);
        check("start many:many_0", &["many:many_00", "many:many_01"]);
        check("start many:*", &["many:*"]);
        check("start cat:", &["cat:*", "cat:cat"]);
        check("stop cat start-", &["start-up"]);
        check("update ", &["cat", "many", "start-up"]);
        check("version ", &[]);
    }

    #[test]
    fn words_begin_behind_blanks_and_signs() {
        assert_eq!(word_start("stop a:b-c*", 11), 5);
        assert_eq!(word_start("stop a,\u{e9}", 9), 7);
        assert_eq!(word_start("stop", 4), 0);
    }
}

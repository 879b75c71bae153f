//! PEM files, with the line of everything that is in them: people paste bundles together, and need to know which piece
//! of one is broken.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// Characters of a line, as OpenSSL writes it.
const LINE_LENGTH: usize = 64;

/// A piece of a PEM file. What it holds may be secret, so it cannot be printed.
pub(crate) struct Block {
    /// What it is, such as `CERTIFICATE`.
    pub(crate) label: String,
    /// Line on which it begins, counted from 1.
    pub(crate) line: usize,
    /// Its headers say that it is encrypted.
    pub(crate) is_encrypted: bool,
    /// What it holds.
    pub(crate) content: Result<Vec<u8>, Damage>,
}

/// Why a piece cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Damage {
    /// It goes on to the end of the file, or to the next piece.
    #[error("its `-----END` line is missing")]
    NoEnd,
    /// The last line names something else.
    #[error("its first and last line do not name the same thing")]
    OtherEnd,
    /// What stands between is no base64.
    #[error("what stands in it is not base64")]
    NotBase64,
    /// Nothing stands between.
    #[error("there is nothing in it")]
    Empty,
}

/// The pieces of a file, in their order. Text around them does not matter.
pub(crate) fn blocks(bytes: &[u8]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<(Block, String)> = None;
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_start_matches('\u{feff}').trim();
        if let Some(label) = label_of(line, BEGIN) {
            if let Some((mut block, _)) = open.take() {
                block.content = Err(Damage::NoEnd);
                blocks.push(block);
            }
            let block = Block {
                label: label.to_owned(),
                line: number + 1,
                is_encrypted: false,
                content: Err(Damage::Empty),
            };
            open = Some((block, String::new()));
        } else if let Some(label) = label_of(line, END) {
            if let Some((mut block, text)) = open.take() {
                block.content = if label == block.label {
                    decoded(&text)
                } else {
                    Err(Damage::OtherEnd)
                };
                blocks.push(block);
            }
        } else if let Some((block, text)) = &mut open {
            // Headers, as old encrypted keys have them.
            if line.contains(':') {
                block.is_encrypted |= line.starts_with("Proc-Type") && line.contains("ENCRYPTED");
            } else {
                text.push_str(line);
            }
        }
    }
    if let Some((mut block, _)) = open {
        block.content = Err(Damage::NoEnd);
        blocks.push(block);
    }
    blocks
}

fn label_of<'a>(line: &'a str, beginning: &str) -> Option<&'a str> {
    line.strip_prefix(beginning)?.strip_suffix(DASHES)
}

fn decoded(text: &str) -> Result<Vec<u8>, Damage> {
    // Old headers continue on lines that are no base64 of their own; an encrypted key is refused before this matters.
    if text.is_empty() {
        return Err(Damage::Empty);
    }
    STANDARD.decode(text).map_err(|_| Damage::NotBase64)
}

/// A piece as it is written.
pub(crate) fn encode(label: &str, content: &[u8]) -> String {
    let encoded = STANDARD.encode(content);
    let mut text = format!("{BEGIN}{label}{DASHES}\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE_LENGTH));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(END);
    text.push_str(label);
    text.push_str(DASHES);
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen(text: &str) -> Vec<(String, usize, Result<Vec<u8>, Damage>)> {
        blocks(text.as_bytes())
            .into_iter()
            .map(|block| (block.label, block.line, block.content))
            .collect()
    }

    #[test]
    fn pieces_are_found_with_their_lines_whatever_stands_around_them() {
        let text = "\u{feff}-----BEGIN A B-----\r\nAQ\r\n==\r\n-----END A B-----\r\nCertificate: text\n\n  -----BEGIN C-----  \nAgM=\n-----END C-----";
        assert_eq!(
            seen(text),
            [
                ("A B".to_owned(), 1, Ok(vec![1])),
                ("C".to_owned(), 7, Ok(vec![2, 3]))
            ]
        );
        assert_eq!(seen("nothing"), []);
    }

    #[test]
    fn a_damaged_piece_hides_no_other() {
        let text = "-----BEGIN A-----\nAQ==\n-----BEGIN B-----\nA!==\n-----END B-----\n-----BEGIN C-----\n-----END C-----\n\
                    -----BEGIN D-----\nAQ==\n-----END E-----\n-----BEGIN F-----\nAQ==\n-----END F-----\n-----BEGIN G-----\nAQ==";
        let found: Vec<_> = seen(text)
            .into_iter()
            .map(|(_, line, it)| (line, it))
            .collect();
        assert_eq!(
            found,
            [
                (1, Err(Damage::NoEnd)),
                (3, Err(Damage::NotBase64)),
                (6, Err(Damage::Empty)),
                (8, Err(Damage::OtherEnd)),
                (11, Ok(vec![1])),
                (14, Err(Damage::NoEnd)),
            ]
        );
    }

    #[test]
    fn headers_tell_of_encryption() {
        let text = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAQ==\n-----END RSA PRIVATE KEY-----\n";
        let found = blocks(text.as_bytes());
        assert!(found[0].is_encrypted);
        assert_eq!(found[0].content, Ok(vec![1]));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(content in prop::collection::vec(any::<u8>(), 1..200)) {
            let text = encode("X", &content);
            prop_assert!(text.lines().all(|line| line.len() <= LINE_LENGTH));
            prop_assert_eq!(seen(&text), [("X".to_owned(), 1, Ok(content))]);
        }

        #[test]
        fn any_bytes_can_be_looked_at(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = blocks(&bytes);
        }
    }
}

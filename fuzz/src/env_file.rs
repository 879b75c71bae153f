//! What must be true of any settings file: it is read or refused in words that have no value in them, and a change of one
//! name changes nothing else.

use linchpin_boot::settings::env_file::EnvFile;

/// A settings file; what stands behind the last NUL byte is a value to set.
pub fn file(data: &[u8]) {
    let split = data.iter().rposition(|byte| *byte == 0);
    let (text, value) = match split {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &b"it's $5"[..]),
    };
    let file = match EnvFile::parse(text) {
        Ok(file) => file,
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            for problem in problems {
                assert!(!problem.to_string().is_empty());
            }
            return;
        }
    };
    assert_eq!(file.text().as_bytes(), text, "every byte is kept");
    let value = String::from_utf8_lossy(value);
    for name in ["A", "NEW"] {
        let mut changed = file.clone();
        if changed.set(name, &value).is_err() {
            assert!(value.contains(char::is_control) || value.len() > (1 << 19));
            assert_eq!(changed, file, "what cannot be written changes nothing");
            continue;
        }
        let read = EnvFile::parse(changed.text().as_bytes()).expect("what was written is read");
        assert_eq!(read, changed);
        assert_eq!(read.get(name), Some(&*value));
        for known in file.assignments().iter().filter(|known| known.name != name) {
            assert_eq!(read.get(&known.name), file.get(&known.name));
        }
        assert!(changed.unset(name));
        let read = EnvFile::parse(changed.text().as_bytes()).expect("and so is what is left");
        assert_eq!(read, changed);
        assert_eq!(read.get(name), None);
    }
}

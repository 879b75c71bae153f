//! Paths as Python's `posixpath` treats them: plain text, no look at the disk.

use crate::world::World;

/// `os.path.join` of two.
pub(crate) fn join(base: &str, path: &str) -> String {
    if path.starts_with('/') || base.is_empty() {
        path.to_owned()
    } else if base.ends_with('/') {
        format!("{base}{path}")
    } else {
        format!("{base}/{path}")
    }
}

/// `os.path.dirname`.
pub(crate) fn directory_of(path: &str) -> &str {
    let head = path.rfind('/').map_or("", |slash| &path[..=slash]);
    let trimmed = head.trim_end_matches('/');
    if trimmed.is_empty() { head } else { trimmed }
}

/// `os.path.basename`.
pub(crate) fn base_name(path: &str) -> &str {
    path.rfind('/').map_or(path, |slash| &path[slash + 1..])
}

/// `os.path.normpath`.
pub(crate) fn normalize(path: &str) -> String {
    let root = match path.bytes().take_while(|byte| *byte == b'/').count() {
        0 => "",
        // POSIX gives two leading slashes a meaning of their own.
        2 => "//",
        _ => "/",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if !root.is_empty() => {}
            _ => parts.push(part),
        }
    }
    let normal = format!("{root}{}", parts.join("/"));
    if normal.is_empty() {
        ".".to_owned()
    } else {
        normal
    }
}

/// `os.path.abspath`, in a directory: `..` takes a word away, whatever links there are.
#[must_use]
pub fn absolute_path(directory: &str, path: &str) -> String {
    normalize(&join(directory, path))
}

/// `os.path.expanduser`.
pub(crate) fn expand_home(world: &dyn World, path: &str) -> String {
    let Some(after) = path.strip_prefix('~') else {
        return path.to_owned();
    };
    let end = after.find('/').unwrap_or(after.len());
    let (name, rest) = after.split_at(end);
    let home = if name.is_empty() {
        world.home()
    } else {
        world.home_of(name)
    };
    let Some(home) = home else {
        return path.to_owned();
    };
    let expanded = format!("{}{rest}", home.trim_end_matches('/'));
    if expanded.is_empty() {
        "/".to_owned()
    } else {
        expanded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_treated_as_in_python() {
        for (path, normal) in [
            ("/a/./b//c/../d", "/a/b/d"),
            ("//a", "//a"),
            ("///a", "/a"),
            ("/../a", "/a"),
            ("../a", "../a"),
            ("a/../..", ".."),
            ("", "."),
            ("/", "/"),
            ("a/", "a"),
        ] {
            assert_eq!(normalize(path), normal, "{path}");
        }
        for (path, directory, base) in [
            ("/a/b", "/a", "b"),
            ("/a", "/", "a"),
            ("a", "", "a"),
            ("a//b", "a", "b"),
            ("//", "//", ""),
            ("a/", "a", ""),
        ] {
            assert_eq!(directory_of(path), directory, "{path}");
            assert_eq!(base_name(path), base, "{path}");
        }
        assert_eq!(absolute_path("/a/b", "../c"), "/a/c");
        assert_eq!(absolute_path("/a", ""), "/a");
        assert_eq!(join("/a", "b"), "/a/b");
        assert_eq!(join("/a/", "b"), "/a/b");
        assert_eq!(join("", "b"), "b");
        assert_eq!(join("/a", "/b"), "/b");
        assert_eq!(join("/a", ""), "/a/");
    }
}

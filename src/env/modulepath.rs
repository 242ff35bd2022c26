//! The directories that `MODULEPATH` stands for where it may hold variables and untidy or relative paths.
//!
//! Source: `module(1)` "use"; answers compared with Environment Modules 5.2.

use camino::{Utf8Path, Utf8PathBuf};

/// The directory that an entry stands for: `$NAME` and `${NAME}` are the variables' values (nothing where there is none),
/// a relative path begins in `from`, and `.`, `..` and doubled slashes are taken out without looking at links.
pub fn resolve(
    entry: &str,
    from: &Utf8Path,
    variable: impl Fn(&str) -> Option<String>,
) -> Utf8PathBuf {
    if !entry.contains('$') {
        return clean(entry, from);
    }
    clean(&expand(entry, variable), from)
}

/// `dir` without `.`, `..` and doubled slashes, seen from `from`.
pub fn clean(dir: &str, from: &Utf8Path) -> Utf8PathBuf {
    if is_clean(dir) {
        return dir.into();
    }
    let mut parts: Vec<&str> = Vec::new();
    let start = if dir.starts_with('/') {
        ""
    } else {
        from.as_str()
    };
    for part in start.split('/').chain(dir.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Utf8PathBuf::from(format!("/{}", parts.join("/")))
}

fn is_clean(dir: &str) -> bool {
    let is_part = |part: &str| !matches!(part, "" | "." | "..");
    (dir.strip_prefix('/')).is_some_and(|parts| parts.split('/').all(is_part))
}

fn expand(text: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out += before;
        let braced = after.strip_prefix('{').and_then(|t| t.split_once('}'));
        let (name, behind) = match braced {
            Some(parts) => parts,
            None => after.split_at(after.find(|c| !is_letter(c)).unwrap_or(after.len())),
        };
        rest = behind;
        match name {
            "" => out.push('$'),
            name => out += &variable(name).unwrap_or_default(),
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stand_for_clean_absolute_directories() {
        let variable = |name: &str| match name {
            "HOME" => Some("/home/ann".to_owned()),
            "X_1" => Some("x".to_owned()),
            _ => None,
        };
        for (entry, wanted) in [
            ("/a/b", "/a/b"),
            ("/a/b/", "/a/b"),
            ("/a//b/./c/../d", "/a/b/d"),
            ("/../a", "/a"),
            ("mods", "/work/here/mods"),
            ("./x/../mods/", "/work/here/mods"),
            ("../mods", "/work/mods"),
            ("$HOME/mods", "/home/ann/mods"),
            ("${HOME}/${X_1}/$X_1-y", "/home/ann/x/x-y"),
            ("/tmp/$NONE/x", "/tmp/x"),
            ("/tmp/a$/x", "/tmp/a$/x"),
        ] {
            assert_eq!(
                resolve(entry, "/work/here".into(), variable),
                wanted,
                "{entry}"
            );
        }
    }
}

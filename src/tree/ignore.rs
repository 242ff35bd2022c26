//! What a modulepath holds beside modulefiles: `modulepath-ignore` of rc files, `LMOD_FILE_IGNORE_PATTERNS`.
//!
//! What is ignored is as if it did not exist: it is not listed, not loaded, not looked into. Rc files are never ignored.
//! Source: `modulefile(4)` `modulepath-ignore` (the patterns of `gitignore(5)`); Lmod user guide, configuration.

use crate::name::LuaPattern;

/// One pattern of `modulepath-ignore`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnorePattern {
    /// The directory it speaks about, relative to the modulepath; empty for the modulepath itself.
    base: String,
    /// The pattern in parts; `**` stands for any number of directories.
    parts: Vec<String>,
    /// Takes back what an earlier pattern said (`!`).
    negated: bool,
    /// Only directories are meant (`/` at the end).
    only_dirs: bool,
}

impl IgnorePattern {
    /// Reads a pattern that an rc file in `base` holds; `None` for one that is empty.
    pub fn new(text: &str, base: &str) -> Option<IgnorePattern> {
        let (negated, text) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (only_dirs, text) = match text.strip_suffix('/') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let anchored = text.contains('/');
        let mut parts: Vec<String> = text
            .split('/')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        if parts.is_empty() {
            return None;
        }
        if !anchored {
            parts.insert(0, "**".to_owned());
        }
        Some(IgnorePattern {
            base: base.to_owned(),
            parts,
            negated,
            only_dirs,
        })
    }

    /// Whether the pattern means `path` (relative to the modulepath) itself, not what lies below it.
    fn means(&self, path: &str, is_dir: bool) -> bool {
        if self.only_dirs && !is_dir {
            return false;
        }
        let below = match self.base.as_str() {
            "" => Some(path),
            base => path.strip_prefix(base).and_then(|p| p.strip_prefix('/')),
        };
        below.is_some_and(|below| {
            let names: Vec<&str> = below.split('/').collect();
            parts_match(&self.parts, &names)
        })
    }
}

/// Whether `path` is ignored: the last pattern that means it decides, and nothing comes back below a directory that is.
pub(super) fn is_ignored_path<'a>(
    patterns: impl Iterator<Item = &'a IgnorePattern> + Clone,
    path: &str,
    is_dir: bool,
) -> bool {
    let decides = |path: &str, is_dir: bool| {
        let meant = patterns.clone().filter(|p| p.means(path, is_dir));
        meant.last().is_some_and(|pattern| !pattern.negated)
    };
    let mut above = path.match_indices('/').map(|(at, _)| &path[..at]);
    above.any(|dir| decides(dir, true)) || decides(path, is_dir)
}

fn parts_match(parts: &[String], names: &[&str]) -> bool {
    let Some((part, rest)) = parts.split_first() else {
        return names.is_empty();
    };
    if part == "**" {
        // At the end it means what lies below, not the directory itself.
        return match rest.is_empty() {
            true => !names.is_empty(),
            false => (0..=names.len()).any(|skipped| parts_match(rest, &names[skipped..])),
        };
    }
    names
        .split_first()
        .is_some_and(|(name, names)| name_matches(part, name) && parts_match(rest, names))
}

/// A pattern of the shell against one name: `*`, `?`, `[...]`, `\`.
fn name_matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where to go on when a `*` has to take one more character.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == '*' {
            p += 1;
            retry = Some((p, n));
            continue;
        }
        if n == name.len() {
            return p == pattern.len();
        }
        match one_char(&pattern[p..], name[n]) {
            Some(width) => {
                p += width;
                n += 1;
            }
            None => match retry {
                Some((star, from)) => {
                    p = star;
                    n = from + 1;
                    retry = Some((star, n));
                }
                None => return false,
            },
        }
    }
}

/// How long the piece of the pattern is that takes `c`.
fn one_char(pattern: &[char], c: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['\\', own, ..] => (*own == c).then_some(2),
        ['[', rest @ ..] => {
            let negated = matches!(rest.first(), Some('!' | '^'));
            let from = usize::from(negated);
            // A `]` in first place stands for itself.
            let end = rest.iter().skip(from + 1).position(|c| *c == ']')? + from + 1;
            let mut within = false;
            let mut at = from;
            while at < end {
                if at + 2 < end && rest[at + 1] == '-' {
                    within |= (rest[at]..=rest[at + 2]).contains(&c);
                    at += 3;
                } else {
                    within |= rest[at] == c;
                    at += 1;
                }
            }
            (within != negated).then_some(end + 2)
        }
        [own, ..] => (*own == c).then_some(1),
        [] => None,
    }
}

/// The patterns of a Lua table in text form: `{"%.bak$", "^old"}`; a text without braces is one pattern.
///
/// # Errors
/// One of them is no pattern.
pub(super) fn lua_patterns(text: &str) -> Result<Vec<LuaPattern>, String> {
    let text = text.trim();
    let Some(inside) = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) else {
        return match text {
            "" => Ok(Vec::new()),
            one => Ok(vec![LuaPattern::new(one)?]),
        };
    };
    let mut patterns = Vec::new();
    let mut rest = inside;
    while let Some(at) = rest.find(['"', '\'']) {
        let quote = rest[at..].chars().next().unwrap_or('"');
        let Some(length) = rest[at + 1..].find(quote) else {
            return Err(format!("`{text}` lacks a closing quote"));
        };
        patterns.push(LuaPattern::new(&rest[at + 1..at + 1 + length])?);
        rest = &rest[at + length + 2..];
    }
    Ok(patterns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(patterns: &[&str], path: &str) -> bool {
        let is_dir = path.ends_with('/');
        let patterns: Vec<IgnorePattern> = patterns
            .iter()
            .filter_map(|p| IgnorePattern::new(p, ""))
            .collect();
        is_ignored_path(patterns.iter(), path.trim_end_matches('/'), is_dir)
    }

    #[test]
    fn patterns_mean_what_they_mean_to_git() {
        for (pattern, path, yes) in [
            ("*.bak", "foo/1.0.bak", true),
            ("*.bak", "foo/1.0", false),
            ("foo/*.bak", "foo/1.bak", true),
            ("foo/*.bak", "x/foo/1.bak", false),
            ("/foo", "foo/", true),
            ("/foo", "x/foo/", false),
            ("foo", "x/foo/1", true),
            ("foo/", "foo", false),
            ("foo/", "x/foo/", true),
            ("a/**/z", "a/z", true),
            ("a/**/z", "a/b/c/z", true),
            ("a/**", "a/b/c", true),
            ("a/**", "a/", false),
            ("**/lib", "x/y/lib/", true),
            ("v[0-9]", "foo/v3", true),
            ("v[!0-9]", "foo/v3", false),
            ("v?", "foo/v33", false),
            ("\\!x", "foo/!x", true),
            ("a*b*c", "foo/aXbXbc", true),
            ("a*b*c", "foo/aXbXb", false),
        ] {
            assert_eq!(ignored(&[pattern], path), yes, "{pattern} {path}");
        }
    }

    #[test]
    fn the_last_pattern_decides_but_not_below_an_ignored_directory() {
        assert!(!ignored(&["*.bak", "!keep.bak"], "foo/keep.bak"));
        assert!(ignored(&["!keep.bak", "*.bak"], "foo/keep.bak"));
        assert!(ignored(&["foo/", "!foo/1.0"], "foo/1.0"));
        assert!(!ignored(&["foo/*", "!foo/1.0"], "foo/1.0"));
    }

    #[test]
    fn lists_of_lua_patterns_are_read() {
        let texts = |text: &str| -> Vec<String> {
            let patterns = lua_patterns(text).unwrap();
            patterns.iter().map(|p| p.as_str().to_owned()).collect()
        };
        assert_eq!(texts(r#"{"%.bak$", '^old'}"#), ["%.bak$", "^old"]);
        assert_eq!(texts("%.bak$"), ["%.bak$"]);
        assert_eq!(texts(""), [""; 0]);
        assert!(lua_patterns(r#"{"a}"#).is_err());
        assert!(lua_patterns(r#"{"[a"}"#).is_err());
    }
}

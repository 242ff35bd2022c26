//! The site's messages about modules that are loaded (`admin.list`, Lmod's "nag file").
//!
//! An entry is `KEY | KEY: text`; its text goes on until an empty line. A key is a Lua pattern that is searched in the full
//! name, or the full name itself; one that begins with `/` is searched in the path of the file. Source: Lmod user guide
//! "Deprecating modules"; `docs/migrate/from-lmod.md`.

use camino::Utf8Path;

use crate::name::LuaPattern;

/// The messages of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AdminList {
    entries: Vec<Entry>,
}

/// A message and whom it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    keys: Vec<Key>,
    text: String,
}

/// One way to say which modules are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    text: String,
    /// Absent where the text is no pattern: then it is only a name.
    pattern: Option<LuaPattern>,
}

impl AdminList {
    /// Reads the text of a file; `#` begins a line that is left out.
    pub fn parse(text: &str) -> AdminList {
        let mut entries: Vec<Entry> = Vec::new();
        let mut goes_on = false;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if line.trim().is_empty() {
                goes_on = false;
            } else if let (true, Some(entry)) = (goes_on, entries.last_mut()) {
                if !entry.text.is_empty() {
                    entry.text.push('\n');
                }
                entry.text.push_str(line.trim());
            } else if let Some((keys, text)) = line.split_once(':') {
                entries.push(Entry {
                    keys: keys.split('|').map(Key::new).collect(),
                    text: text.trim().to_owned(),
                });
                goes_on = true;
            }
        }
        AdminList { entries }
    }

    /// The message about a module: that of the first entry that means it.
    pub fn message(&self, full_name: &str, file: &Utf8Path) -> Option<&str> {
        let means = |key: &Key| key.means(full_name, file.as_str());
        let entry = self.entries.iter().find(|e| e.keys.iter().any(means))?;
        Some(&entry.text)
    }
}

impl Key {
    fn new(text: &str) -> Key {
        Key {
            text: text.trim().to_owned(),
            pattern: LuaPattern::new(text.trim()).ok(),
        }
    }

    fn means(&self, full_name: &str, file: &str) -> bool {
        let place = if self.text.starts_with('/') {
            file
        } else {
            full_name
        };
        !self.text.is_empty()
            && (self.text == place || self.pattern.as_ref().is_some_and(|p| p.is_match(place)))
    }
}

#[cfg(test)]
mod tests {
    use super::AdminList;
    use camino::Utf8Path;

    const TEXT: &str = "# what goes in spring\n\
        foo/1%.%d | bar/2.0: Deprecated soon.\n  Take foo/2.\n# not this\n\n\
        /old/: From the old tree.\n\
        \n\
        c++/1:\n  Use clang.\n";

    #[test]
    fn an_entry_speaks_about_names_patterns_and_files() {
        let list = AdminList::parse(TEXT);
        let of =
            |name: &str, file: &str| list.message(name, Utf8Path::new(file)).map(str::to_owned);
        let soon = Some("Deprecated soon.\nTake foo/2.".to_owned());
        assert_eq!(of("foo/1.5", "/m/foo/1.5"), soon);
        assert_eq!(of("bar/2.0", "/m/bar/2.0"), soon);
        assert_eq!(of("foo/2.0", "/m/foo/2.0"), None);
        assert_eq!(of("x/1", "/old/x/1").as_deref(), Some("From the old tree."));
        assert_eq!(of("c++/1", "/m/c++/1").as_deref(), Some("Use clang."));
        assert_eq!(of("d/1", "/m/d/1"), None);
    }
}

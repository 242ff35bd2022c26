//! The entries of a directory in the order of their names.
//!
//! A crawl keeps tens of thousands of directories, most with one entry or none: a sorted list takes a tenth of the memory
//! of a search tree, whose smallest node has room for eleven.

use super::dir::Child;

/// Entries by the names they give modules, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Children(Vec<(String, Child)>);

impl Children {
    /// From entries in any order; `merge` takes the second of two with the same name into the first.
    pub(super) fn from_unsorted(
        mut entries: Vec<(String, Child)>,
        mut merge: impl FnMut(&str, &mut Child, Child),
    ) -> Children {
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        entries.dedup_by(|(next, child), (name, kept)| {
            let is_same = next == name;
            if is_same {
                merge(name, kept, std::mem::replace(child, Child::Dir));
            }
            is_same
        });
        entries.shrink_to_fit();
        Children(entries)
    }

    fn at(&self, name: &str) -> Result<usize, usize> {
        self.0
            .binary_search_by(|(known, _)| known.as_str().cmp(name))
    }

    /// The entry of a name.
    pub fn get(&self, name: &str) -> Option<&Child> {
        self.get_key_value(name).map(|(_, child)| child)
    }

    /// The same with its name.
    pub fn get_key_value(&self, name: &str) -> Option<(&String, &Child)> {
        let (name, child) = self.0.get(self.at(name).ok()?)?;
        Some((name, child))
    }

    /// Whether there is one.
    pub fn contains_key(&self, name: &str) -> bool {
        self.at(name).is_ok()
    }

    /// Adds an entry; one of the same name stays.
    pub fn add(&mut self, name: &str, child: Child) {
        // Who adds several has them in order.
        let at = match self.0.last() {
            Some((last, _)) if last.as_str() < name => Err(self.0.len()),
            _ => self.at(name),
        };
        if let Err(at) = at {
            self.0.insert(at, (name.to_owned(), child));
        }
    }

    /// Keeps only some.
    pub(super) fn retain(&mut self, mut keeps: impl FnMut(&str, &mut Child) -> bool) {
        self.0.retain_mut(|(name, child)| keeps(name, child));
        self.0.shrink_to_fit();
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Child)> {
        self.0.iter().map(|(name, child)| (name, child))
    }

    /// The names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.0.iter().map(|(name, _)| name)
    }

    /// The entries, in the order of their names.
    pub fn values(&self) -> impl Iterator<Item = &Child> {
        self.0.iter().map(|(_, child)| child)
    }
}

//! The entries of a path-like variable while a request works on it: split once, edited in place, joined once.
//!
//! Each entry counts who wants it: once for each time it stood in the user's value, and once for each module that added
//! it. An entry disappears when its count reaches zero, so what the user had before stays. The modules are remembered
//! by number: this is the part of the journal that lives in path variables.
//!
//! Every edit is logged, so that a module that gives up can be taken back without copies.
//!
//! Sources: Lmod user guide "prepend_path", "Reference counting", "Priority"; `modulefile(4)` `prepend-path`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use bstr::{BStr, BString, ByteSlice};

use super::fingerprint::fingerprint;

/// How a path variable behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathRules {
    /// An entry may stand in the list more than once.
    pub duplicates: bool,
    /// Adding an entry that is there leaves it where it is.
    pub keep_position: bool,
    /// Several entries of one prepend come in reverse order.
    pub prepend_reverse: bool,
    /// `//`, `/./` and a trailing `/` are cleaned away.
    pub normalise: bool,
    /// Empty entries mean something (`MANPATH`); for `PATH` and its like they are dropped.
    pub keep_empty: bool,
    /// What stood there before stays to the letter: entries that stand there twice, empty ones wherever they are.
    pub to_the_letter: bool,
}

impl PathRules {
    /// Variables in which an empty entry would mean the working directory: a trap, never a wish.
    pub fn drops_empty(var: &str) -> bool {
        matches!(
            var,
            "PATH" | "LD_LIBRARY_PATH" | "LIBRARY_PATH" | "MODULEPATH"
        )
    }
}

/// A module, by its number in [`super::Loaded`].
pub type Owner = u32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Record {
    /// Who wants it; 0 means that it is not in the list.
    count: u32,
    /// Order among entries of the same priority.
    position: i64,
    /// Negative is further in front, positive further behind.
    priority: i32,
}

#[derive(Debug, Clone)]
struct Entry {
    text: BString,
    record: Record,
    owners: Vec<Owner>,
    /// The next entry with the same hash.
    next: Option<u32>,
}

#[derive(Debug, Clone)]
enum Edit {
    Record(u32, Record),
    OwnerAdded(u32),
    OwnerRemoved(u32, u32, Owner),
}

/// One entry as listings and the journal see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathEntry<'a> {
    /// The entry.
    pub text: &'a BStr,
    /// The modules that added it, oldest first; one stands there as often as it added it.
    pub owners: &'a [Owner],
    /// How often it is wanted by nobody in particular.
    pub user: u32,
    /// Its priority; negative is further in front.
    pub priority: i32,
}

/// The entries of one variable.
#[derive(Debug, Clone)]
pub struct PathList {
    delim: BString,
    rules: PathRules,
    entries: Vec<Entry>,
    index: HashMap<u64, u32, BuildHasherDefault<AsIs>>,
    front: i64,
    back: i64,
    /// The last position of the value that was split.
    first_back: i64,
    log: Vec<Edit>,
}

impl PathList {
    /// Splits `value` at `delim`, which must not be empty.
    pub fn split(value: &BStr, delim: &BStr, rules: PathRules) -> PathList {
        let mut list = PathList {
            delim: delim.to_owned(),
            rules,
            entries: Vec::new(),
            index: HashMap::default(),
            front: 0,
            back: 0,
            first_back: 0,
            log: Vec::new(),
        };
        if !value.is_empty() {
            for text in components(value, delim, rules) {
                list.add_behind(&text);
            }
        }
        list.log.clear();
        list.first_back = list.back;
        list
    }

    /// From now on an entry may stand in the list more than once.
    pub fn allow_duplicates(&mut self) {
        self.rules.duplicates = true;
    }

    /// Whether an entry may stand in the list more than once.
    pub fn allows_duplicates(&self) -> bool {
        self.rules.duplicates
    }

    /// Whether what stood there before stays to the letter.
    pub fn is_to_the_letter(&self) -> bool {
        self.rules.to_the_letter
    }

    /// What separates the entries.
    pub fn delim(&self) -> &BStr {
        self.delim.as_bstr()
    }

    fn add_behind(&mut self, text: &[u8]) {
        if !self.rules.duplicates
            && !self.rules.to_the_letter
            && let Some(id) = self.find(text)
        {
            self.entries[id as usize].record.count += 1;
            return;
        }
        self.back += 1;
        let position = self.back;
        self.insert(text, position);
    }

    fn insert(&mut self, text: &[u8], position: i64) -> u32 {
        let id = self.entries.len() as u32;
        let record = Record {
            count: 1,
            position,
            priority: 0,
        };
        let next = self.index.insert(fingerprint(text), id);
        self.log
            .push(Edit::Record(id, Record { count: 0, ..record }));
        self.entries.push(Entry {
            text: text.into(),
            record,
            owners: Vec::new(),
            next,
        });
        id
    }

    /// All entries ever made with this text, newest first, whether in the list or not.
    fn chain<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = u32> + 'a {
        let mut at = self.index.get(&fingerprint(text)).copied();
        std::iter::from_fn(move || {
            let id = at?;
            at = self.entries[id as usize].next;
            Some(id)
        })
        .filter(move |&id| self.entries[id as usize].text == text)
    }

    fn find(&self, text: &[u8]) -> Option<u32> {
        self.chain(text)
            .find(|&id| self.entries[id as usize].record.count > 0)
    }

    /// The first of equal entries in the list.
    fn first_of(&self, text: &[u8]) -> Option<u32> {
        let record = |id: &u32| self.entries[*id as usize].record;
        let present = self.chain(text).filter(|id| record(id).count > 0);
        present.min_by_key(|id| record(id).position)
    }

    /// The entries that `value` names, as they would stand in the list.
    fn argument<'v>(&self, value: &'v BStr) -> Vec<Cow<'v, [u8]>> {
        if value.is_empty() {
            return if self.rules.keep_empty {
                vec![Cow::Borrowed(value.as_bytes())]
            } else {
                Vec::new()
            };
        }
        if self.rules.to_the_letter && value == self.delim {
            return vec![Cow::Borrowed(&value[..0])];
        }
        let delim = self.delim.as_bstr();
        components(value, delim, self.rules).collect()
    }

    /// Begins with one empty entry: an empty value says nothing of it.
    pub fn hold_empty(&mut self) {
        self.add_behind(b"");
        self.log.clear();
        self.first_back = self.back;
    }

    /// Puts the entries of `value` in front, in their order, on behalf of `owner`.
    pub fn prepend(&mut self, value: &BStr, priority: i32, owner: Option<Owner>) {
        let mut entries = self.argument(value);
        if !self.rules.prepend_reverse {
            entries.reverse();
        }
        for text in &entries {
            self.front -= 1;
            self.add(text, self.front, -priority.abs(), owner);
        }
    }

    /// Puts the entries of `value` behind, in their order, on behalf of `owner`.
    pub fn append(&mut self, value: &BStr, priority: i32, owner: Option<Owner>) {
        for text in &self.argument(value) {
            self.back += 1;
            self.add(text, self.back, priority.abs(), owner);
        }
    }

    fn add(&mut self, text: &[u8], position: i64, priority: i32, owner: Option<Owner>) {
        let found = if self.rules.duplicates {
            None
        } else {
            self.first_of(text).or_else(|| self.chain(text).next())
        };
        let id = match found {
            None => {
                let id = self.insert(text, position);
                self.entries[id as usize].record.priority = priority;
                id
            }
            Some(id) => {
                let old = self.entries[id as usize].record;
                self.log.push(Edit::Record(id, old));
                let record = &mut self.entries[id as usize].record;
                record.count += 1;
                if old.count == 0 || !self.rules.keep_position {
                    record.position = position;
                    record.priority = stronger(old, priority);
                }
                id
            }
        };
        if let Some(owner) = owner {
            self.entries[id as usize].owners.push(owner);
            self.log.push(Edit::OwnerAdded(id));
        }
    }

    /// Takes back one wish for each entry of `value`; an entry that nobody wants any more disappears. With duplicates
    /// the first occurrence goes, or the last where `last`.
    pub fn release(&mut self, value: &BStr, last: Last, owner: Option<Owner>) {
        for text in &self.argument(value) {
            let position = |id: &u32| self.entries[*id as usize].record.position;
            let is_own = |id: &u32| {
                owner.is_some_and(|owner| self.entries[*id as usize].owners.contains(&owner))
            };
            let present = |id: &u32| self.entries[*id as usize].record.count > 0;
            let mut ids: Vec<u32> = self.chain(text).filter(present).collect();
            if self.rules.to_the_letter && ids.iter().any(is_own) {
                ids.retain(is_own);
            }
            let ids = ids.into_iter();
            let id = match last {
                Last::No => ids.min_by_key(position),
                Last::Yes => ids.max_by_key(position),
            };
            if let Some(id) = id {
                self.release_entry(id, owner);
            }
        }
    }

    fn release_entry(&mut self, id: u32, owner: Option<Owner>) {
        let entry = &mut self.entries[id as usize];
        let all_owned = entry.owners.len() >= entry.record.count as usize;
        let at = match owner.and_then(|owner| entry.owners.iter().rposition(|&o| o == owner)) {
            Some(at) => Some(at),
            // What only other modules want is not for this one to take back.
            None if all_owned && owner.is_some() => return,
            None if all_owned => entry.owners.len().checked_sub(1),
            None => None,
        };
        self.log.push(Edit::Record(id, entry.record));
        entry.record.count -= 1;
        if let Some(at) = at {
            let owner = entry.owners.remove(at);
            self.log.push(Edit::OwnerRemoved(id, at as u32, owner));
        }
    }

    /// Says that one wish for each entry of `value` that nobody in particular has is that of `owner`.
    pub fn claim(&mut self, value: &BStr, owner: Owner) {
        for text in &self.argument(value) {
            if let Some(id) = self.find(text) {
                let entry = &mut self.entries[id as usize];
                if entry.record.count > entry.owners.len() as u32 {
                    entry.owners.push(owner);
                    self.log.push(Edit::OwnerAdded(id));
                }
            }
        }
    }

    /// Takes back one wish of the user for an entry; what modules want stays.
    pub fn release_user(&mut self, entry: &BStr) {
        let owned = |id: u32| self.entries[id as usize].owners.len() as u32;
        if let Some(id) = self.find(entry)
            && self.entries[id as usize].record.count > owned(id)
        {
            self.release_entry(id, None);
        }
    }

    /// Puts those entries that `order` names in its order, in front of all others but those of higher priority.
    pub fn order_as(&mut self, order: &[&[u8]]) {
        for text in order.iter().rev() {
            if let Some(id) = self.find(text) {
                let old = self.entries[id as usize].record;
                self.log.push(Edit::Record(id, old));
                self.front -= 1;
                self.entries[id as usize].record.position = self.front;
            }
        }
    }

    /// Takes back one wish for each entry of `value`; of what only the user wants, all that stands there.
    pub fn take_away(&mut self, value: &BStr) {
        for text in &self.argument(value) {
            let is_owned = |id| !self.entries[id as usize].owners.is_empty();
            let is_of_user = self.rules.to_the_letter && !self.chain(text).any(is_owned);
            match is_of_user {
                true => self.remove(text.as_bstr()),
                false => self.release(text.as_bstr(), Last::No, None),
            }
        }
    }

    /// Takes the entries of `value` away, however many want them.
    pub fn remove(&mut self, value: &BStr) {
        for text in &self.argument(value) {
            let ids: Vec<u32> = self.chain(text).collect();
            for id in ids {
                while self.entries[id as usize].record.count > 0 {
                    self.release_entry(id, None);
                }
            }
        }
    }

    /// Takes back all that `owner` added.
    pub fn release_all(&mut self, owner: Owner) {
        for id in 0..self.entries.len() as u32 {
            while self.entries[id as usize].record.count > 0
                && self.entries[id as usize].owners.contains(&owner)
            {
                self.release_entry(id, Some(owner));
            }
        }
    }

    /// Forgets that `owner` added anything: the entries stay, as the user's.
    pub fn disown(&mut self, owner: Owner) {
        for id in 0..self.entries.len() as u32 {
            while let Some(at) = self.entries[id as usize]
                .owners
                .iter()
                .position(|&o| o == owner)
            {
                self.entries[id as usize].owners.remove(at);
                self.log.push(Edit::OwnerRemoved(id, at as u32, owner));
            }
        }
    }

    /// Makes the entries of `from` belong to `to`.
    pub fn give(&mut self, from: Owner, to: Owner) {
        for id in 0..self.entries.len() as u32 {
            let owners = &self.entries[id as usize].owners;
            let times = owners.iter().filter(|&&o| o == from).count();
            for _ in 0..times {
                let owners = &mut self.entries[id as usize].owners;
                let at = owners.iter().position(|&o| o == from);
                let at = at.expect("counted just before");
                owners.remove(at);
                self.log.push(Edit::OwnerRemoved(id, at as u32, from));
                self.entries[id as usize].owners.push(to);
                self.log.push(Edit::OwnerAdded(id));
            }
        }
    }

    /// Whether an entry of the list belongs to `owner`.
    pub fn has_of(&self, owner: Owner) -> bool {
        let mut present = self.entries.iter().filter(|e| e.record.count > 0);
        present.any(|entry| entry.owners.contains(&owner))
    }

    /// Whether `entry` is in the list.
    pub fn contains(&self, entry: &[u8]) -> bool {
        self.find(entry).is_some()
    }

    /// A mark for [`PathList::roll_back`].
    pub fn mark(&self) -> usize {
        self.log.len()
    }

    /// Takes back all edits since `mark`.
    pub fn roll_back(&mut self, mark: usize) {
        while self.log.len() > mark {
            match self.log.pop().expect("longer than mark") {
                Edit::Record(id, record) => self.entries[id as usize].record = record,
                Edit::OwnerAdded(id) => {
                    self.entries[id as usize].owners.pop();
                }
                Edit::OwnerRemoved(id, at, owner) => {
                    self.entries[id as usize].owners.insert(at as usize, owner);
                }
            }
        }
    }

    fn order(&self) -> Vec<u32> {
        let mut ids: Vec<u32> = (0..self.entries.len() as u32)
            .filter(|&id| self.entries[id as usize].record.count > 0)
            .collect();
        let key = |id: &u32| {
            let record = self.entries[*id as usize].record;
            (record.priority, record.position)
        };
        if !ids.is_sorted_by_key(key) {
            ids.sort_by_key(key);
        }
        ids
    }

    /// The entries in their order.
    pub fn entries(&self) -> impl Iterator<Item = PathEntry<'_>> {
        self.order().into_iter().map(|id| {
            let entry = &self.entries[id as usize];
            PathEntry {
                text: entry.text.as_bstr(),
                owners: &entry.owners,
                user: entry.record.count.saturating_sub(entry.owners.len() as u32),
                priority: entry.record.priority,
            }
        })
    }

    /// Tells who wants the entry at `at` in the order of the list, as the journal remembers it. Not logged: this belongs
    /// to splitting.
    pub fn restore_entry(&mut self, at: usize, owners: &[Owner], user: u32, priority: i32) {
        // Until the first edit the entries stand in their order.
        if let Some(entry) = self.entries.get_mut(at) {
            entry.owners = owners.to_vec();
            entry.record.count = (owners.len() as u32).saturating_add(user).max(1);
            entry.record.priority = priority;
        }
    }

    /// The value; `None` where no entry is left.
    ///
    /// An empty entry at the end is written as two delimiters, so that programs that cut one off still see it; but
    /// where the rules say to the letter.
    pub fn join(&self) -> Option<BString> {
        self.join_some(&self.order())
    }

    /// What now stands before the entries that were split and what behind them, each joined; `None` where nothing.
    pub fn grown(&self) -> (Option<BString>, Option<BString>) {
        let order = self.order();
        let position = |id: u32| self.entries[id as usize].record.position;
        let (front, rest): (Vec<u32>, Vec<u32>) =
            order.into_iter().partition(|&id| position(id) < 0);
        let back: Vec<u32> = rest
            .into_iter()
            .filter(|&id| position(id) > self.first_back)
            .collect();
        (self.join_some(&front), self.join_some(&back))
    }

    fn join_some(&self, order: &[u32]) -> Option<BString> {
        let last = order.last()?;
        let size = order
            .iter()
            .map(|&id| self.entries[id as usize].text.len() + self.delim.len())
            .sum::<usize>();
        let mut out = Vec::with_capacity(size + 2 * self.delim.len());
        for (i, &id) in order.iter().enumerate() {
            if i > 0 {
                out.extend_from_slice(&self.delim);
            }
            out.extend_from_slice(&self.entries[id as usize].text);
        }
        if self.entries[*last as usize].text.is_empty() && !self.rules.to_the_letter {
            out.extend_from_slice(&self.delim);
            if order.len() == 1 {
                out.extend_from_slice(&self.delim);
            }
        }
        Some(out.into())
    }
}

/// Which of several equal entries [`PathList::release`] takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// The first.
    No,
    /// The last.
    Yes,
}

/// The priority after a call with `new`: of two on the same side the stronger counts.
fn stronger(old: Record, new: i32) -> i32 {
    if old.count > 0 && old.priority.signum() == new.signum() && old.priority.abs() > new.abs() {
        old.priority
    } else {
        new
    }
}

/// Splits a value; runs of empty entries count as one, and so do those at the end, unless the rules say to the letter.
fn components<'v, 'd>(
    value: &'v BStr,
    delim: &'d BStr,
    rules: PathRules,
) -> impl Iterator<Item = Cow<'v, [u8]>> + use<'v, 'd> {
    let mut after_empty = false;
    pieces(value, delim).filter_map(move |piece| {
        if piece.is_empty() && !rules.to_the_letter && (after_empty || !rules.keep_empty) {
            return None;
        }
        after_empty = piece.is_empty();
        Some(if rules.normalise {
            normalise(piece)
        } else {
            Cow::Borrowed(piece)
        })
    })
}

/// What stands between the delimiters. Nearly all are one byte long, and the search for a byte needs no preparation.
fn pieces<'v, 'd>(
    value: &'v [u8],
    delim: &'d [u8],
) -> impl Iterator<Item = &'v [u8]> + use<'v, 'd> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = match delim {
            [byte] => text.find_byte(*byte),
            _ => text.find(delim),
        };
        let Some(end) = end else {
            return rest.take();
        };
        rest = Some(&text[end + delim.len()..]);
        Some(&text[..end])
    })
}

/// `/a//b/./c/` is `/a/b/c`; `..` is kept, because a link may stand before it.
pub fn normalise(path: &[u8]) -> Cow<'_, [u8]> {
    if is_normal(path) {
        return Cow::Borrowed(path);
    }
    let mut out = Vec::with_capacity(path.len());
    if path.starts_with(b"/") {
        out.push(b'/');
    }
    let mut first = true;
    for piece in path.split(|&b| b == b'/') {
        if piece.is_empty() || piece == b"." {
            continue;
        }
        if !first {
            out.push(b'/');
        }
        first = false;
        out.extend_from_slice(piece);
    }
    if out.is_empty() && !path.is_empty() {
        out.push(b'.');
    }
    Cow::Owned(out)
}

/// Whether no `/` is followed by another one, by `/.` as a whole element or, but for the root, by nothing.
fn is_normal(path: &[u8]) -> bool {
    if path.starts_with(b"./") {
        return false;
    }
    let mut rest = path;
    while let Some(at) = rest.find_byte(b'/') {
        rest = &rest[at + 1..];
        if matches!(rest, [b'/', ..] | [b'.'] | [b'.', b'/', ..]) {
            return false;
        }
    }
    path.len() <= 1 || !path.ends_with(b"/")
}

/// The keys are hashes already.
#[derive(Debug, Default, Clone, Copy)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = fingerprint(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LMOD: PathRules = PathRules {
        duplicates: false,
        keep_position: false,
        prepend_reverse: false,
        normalise: true,
        keep_empty: true,
        to_the_letter: false,
    };

    fn list(value: &str) -> PathList {
        PathList::split(value.into(), ":".into(), LMOD)
    }

    fn text(list: &PathList) -> String {
        list.join().map_or("(unset)".to_owned(), |v| v.to_string())
    }

    /// Each row was seen in Lmod: value before, with `/m1` in front, with `/m1` behind, after unloading the first.
    #[test]
    fn empty_entries_and_untidy_values_come_out_as_in_lmod() {
        let rows = [
            ("", "/m1", "/m1", "(unset)"),
            (":", "/m1::", ":/m1", "::"),
            ("::", "/m1::", ":/m1", "::"),
            (":::", "/m1::", ":/m1", "::"),
            ("/a:", "/m1:/a::", "/a::/m1", "/a::"),
            ("/a::", "/m1:/a::", "/a::/m1", "/a::"),
            (":/a", "/m1::/a", ":/a:/m1", ":/a"),
            ("::/a", "/m1::/a", ":/a:/m1", ":/a"),
            ("/a::/b", "/m1:/a::/b", "/a::/b:/m1", "/a::/b"),
            ("/a:::/b", "/m1:/a::/b", "/a::/b:/m1", "/a::/b"),
            ("/a::/b:", "/m1:/a::/b", "/a::/b:/m1", "/a::/b"),
            ("/a::/b::/c", "/m1:/a::/b:/c", "/a::/b:/c:/m1", "/a::/b:/c"),
            (":/a:", "/m1::/a", ":/a:/m1", ":/a"),
            ("/a//b/./c/", "/m1:/a/b/c", "/a/b/c:/m1", "/a/b/c"),
            ("/a/..", "/m1:/a/..", "/a/..:/m1", "/a/.."),
            ("./x", "/m1:x", "x:/m1", "x"),
            (".", "/m1:.", ".:/m1", "."),
            ("/u:/v:/u", "/m1:/u:/v", "/u:/v:/m1", "/u:/v"),
            ("/m1:/a", "/m1:/a", "/a:/m1", "/m1:/a"),
            ("/a:/m1", "/m1:/a", "/a:/m1", "/m1:/a"),
        ];
        for (before, prepended, appended, released) in rows {
            let mut front = list(before);
            front.prepend("/m1".into(), 0, Some(0));
            assert_eq!(text(&front), prepended, "prepend to `{before}`");
            front.release("/m1".into(), Last::No, Some(0));
            assert_eq!(text(&front), released, "release from `{before}`");
            let mut behind = list(before);
            behind.append("/m1".into(), 0, Some(0));
            assert_eq!(text(&behind), appended, "append to `{before}`");
        }
    }

    #[test]
    fn to_the_letter_the_rest_stays_as_in_environment_modules() {
        const MODULES: PathRules = PathRules {
            keep_position: true,
            keep_empty: true,
            to_the_letter: true,
            duplicates: false,
            prepend_reverse: false,
            normalise: false,
        };
        // The value, then what a module puts in front and behind, and what is there when it is gone.
        for (value, front, back, with, without) in [
            ("/a:/a:/b", "/m", "", "/m:/a:/a:/b", "/a:/a:/b"),
            ("/a:/a:/b", "/a", "", "/a:/a:/b", "/a:/a:/b"),
            ("/b:/a:/c:/a", "", "/a", "/b:/a:/c:/a", "/b:/a:/c:/a"),
            (":/foo", "/m", "", "/m::/foo", ":/foo"),
            ("/foo:", "/m", "", "/m:/foo:", "/foo:"),
            ("/a::/b", "/m", "/n", "/m:/a::/b:/n", "/a::/b"),
            (":", "/m", "/q", "/m:::/q", ":"),
            ("", "/m", ":", "/m:", ""),
            ("/x", "", ":", "/x:", "/x"),
        ] {
            let mut l = PathList::split(value.into(), ":".into(), MODULES);
            for (text, front) in [(front, true), (back, false)] {
                match (text, front) {
                    ("", _) => {}
                    (text, true) => l.prepend(text.into(), 0, Some(1)),
                    (text, false) => l.append(text.into(), 0, Some(1)),
                }
            }
            assert_eq!(l.join().unwrap_or_default(), with, "{value}");
            l.release_all(1);
            assert_eq!(l.join().unwrap_or_default(), without, "{value}");
        }
        let mut l = PathList::split("/a:/b:/a".into(), ":".into(), MODULES);
        l.take_away("/a".into());
        assert_eq!(l.join().unwrap_or_default(), "/b");
    }

    #[test]
    fn several_entries_keep_their_order_and_may_hold_an_empty_one() {
        for (before, value, after) in [
            ("/a:/b", "/1:/2:/3", "/1:/2:/3:/a:/b"),
            ("/a:/b", "/1::/3", "/1::/3:/a:/b"),
            ("/a:/b", "/1:/3:", "/1:/3::/a:/b"),
            ("/a::/b", ":/1", ":/1:/a:/b"),
            ("/a:/b", "", ":/a:/b"),
            ("", ":", "::"),
            ("/a:/b", "/1:/1:/2", "/1:/2:/a:/b"),
        ] {
            let mut list = list(before);
            list.prepend(value.into(), 0, None);
            assert_eq!(text(&list), after);
        }
        let mut list = PathList::split(
            "/a".into(),
            ":".into(),
            PathRules {
                prepend_reverse: true,
                ..LMOD
            },
        );
        list.prepend("/1:/2".into(), 0, None);
        assert_eq!(text(&list), "/2:/1:/a");
    }

    #[test]
    fn entries_of_high_priority_stay_outside() {
        let mut l = list("/a:/b");
        l.prepend("/p1".into(), 10, None);
        l.prepend("/p2".into(), 10, None);
        l.prepend("/p3".into(), 100, None);
        l.prepend("/z".into(), 0, None);
        l.append("/y".into(), 5, None);
        l.append("/x".into(), 0, None);
        assert_eq!(text(&l), "/p3:/p2:/p1:/z:/a:/b:/x:/y");
        // The stronger of two priorities on one side stays, one of the other side replaces it, a plain call drops it.
        l.prepend("/p3".into(), 50, None);
        assert_eq!(l.entries().next().map(|e| e.priority), Some(-100));
        l.append("/p3".into(), 50, None);
        assert_eq!(text(&l), "/p2:/p1:/z:/a:/b:/x:/y:/p3");
        l.prepend("/p3".into(), 0, None);
        assert_eq!(text(&l), "/p2:/p1:/p3:/z:/a:/b:/x:/y");
    }

    #[test]
    fn removing_ignores_how_many_want_the_entry_and_releasing_does_not() {
        let mut l = list("/a:/b");
        l.prepend("/a".into(), 0, Some(1));
        l.release("/a".into(), Last::No, Some(1));
        assert_eq!(text(&l), "/a:/b");
        l.prepend("/a".into(), 0, Some(1));
        l.remove("/a".into());
        assert_eq!(text(&l), "/b");
    }

    #[test]
    fn duplicates_are_kept_where_the_rules_allow_them() {
        let rules = PathRules {
            duplicates: true,
            ..LMOD
        };
        let mut l = PathList::split("/a:/b:/a".into(), ":".into(), rules);
        l.prepend("/a".into(), 0, Some(0));
        assert_eq!(text(&l), "/a:/a:/b:/a");
        l.release("/a".into(), Last::Yes, Some(0));
        assert_eq!(text(&l), "/a:/a:/b");
        l.remove("/a".into());
        assert_eq!(text(&l), "/b");
    }

    #[test]
    fn a_delimiter_may_be_any_text() {
        let mut l = PathList::split("/a;/b".into(), ";".into(), LMOD);
        l.prepend("/c;/d".into(), 0, None);
        assert_eq!(text(&l), "/c;/d;/a;/b");
        let l = PathList::split("a, b".into(), ", ".into(), LMOD);
        assert_eq!(l.entries().count(), 2);
    }

    fn any_value() -> impl Strategy<Value = String> {
        proptest::collection::vec(
            prop_oneof!["", "/[abc]", "/[abc]/[xy]", "\\./q", "//r/"],
            0..6,
        )
        .prop_map(|pieces| pieces.join(":"))
    }

    proptest! {
        #[test]
        fn joining_and_splitting_again_changes_nothing(value in any_value()) {
            let once = list(&value);
            let joined = once.join();
            let twice = PathList::split(joined.as_ref().map_or("".into(), |v| v.as_bstr()), ":".into(), LMOD);
            prop_assert_eq!(joined, twice.join());
        }

        #[test]
        fn what_modules_add_leaves_no_trace_when_they_go(value in any_value(), added in proptest::collection::vec((any_value(), any::<bool>(), 0u32..4), 0..12)) {
            let mut l = list(&value);
            let before: std::collections::BTreeSet<BString> = l.entries().map(|e| e.text.to_owned()).collect();
            for (value, front, owner) in &added {
                if *front { l.prepend(value.as_str().into(), 0, Some(*owner)) } else { l.append(value.as_str().into(), 0, Some(*owner)) }
            }
            for owner in 0..4 { l.release_all(owner); }
            let after: std::collections::BTreeSet<BString> = l.entries().map(|e| e.text.to_owned()).collect();
            prop_assert_eq!(before, after);
            prop_assert!(l.entries().all(|e| e.owners.is_empty()));
        }

        #[test]
        fn rolling_back_restores_order_counts_and_owners(value in any_value(), edits in proptest::collection::vec((0u8..5, any_value(), 0i32..3, 0u32..3), 0..12)) {
            let mut l = list(&value);
            l.prepend("/a".into(), 0, Some(7));
            let before: Vec<(BString, Vec<Owner>, u32, i32)> = l.entries().map(|e| (e.text.to_owned(), e.owners.to_vec(), e.user, e.priority)).collect();
            let mark = l.mark();
            for (kind, value, priority, owner) in &edits {
                let v = value.as_str().into();
                match kind {
                    0 => l.prepend(v, *priority, Some(*owner)),
                    1 => l.append(v, *priority, None),
                    2 => l.release(v, Last::No, Some(*owner)),
                    3 => l.remove(v),
                    _ => l.disown(*owner),
                }
            }
            l.roll_back(mark);
            let after: Vec<(BString, Vec<Owner>, u32, i32)> = l.entries().map(|e| (e.text.to_owned(), e.owners.to_vec(), e.user, e.priority)).collect();
            prop_assert_eq!(before, after);
        }
    }
}

//! The open cache files, and the modulepaths that they answer for in this run.

use std::cell::{Cell, RefCell};

use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashMap;

use super::file::{Block, File, Part};
use super::fresh::Freshness;
use super::moves::Moves;
use super::{Head, programs, renew, save};
use crate::tree::{Extra, Packed, Reads, Statement, Store, TakeProgram, Texts};

/// The open files.
#[derive(Default)]
pub(super) struct Stored {
    pub(super) files: Vec<File>,
    /// The modulepaths that they answer for.
    pub(super) held: RefCell<FxHashMap<String, Held>>,
    pub(super) damaged: Cell<bool>,
}

/// A modulepath that a cache answers for in this run.
pub(super) struct Held {
    pub(super) file: usize,
    pub(super) id: u32,
    pub(super) head: Head,
    pub(super) freshness: Freshness,
    /// The blocks that were looked at, where files have to be compared as well.
    pub(super) blocks: Vec<Block>,
    /// The modulefiles that have changed, where they were compared.
    pub(super) changed: Option<Vec<u32>>,
    /// What is otherwise than in the file, where some names were surveyed again.
    pub(super) renewal: Option<Renewal>,
}

/// How a modulepath differs from what the file says.
pub(super) struct Renewal {
    pub(super) moves: Moves,
    pub(super) common: Vec<u8>,
    pub(super) statements: Vec<Statement>,
    /// How many modules the file holds.
    pub(super) modules_in_file: u32,
}

impl Held {
    /// The number that a module has in the file; `None` for one that is new.
    pub(super) fn in_file(&self, number: u32) -> Option<u32> {
        match &self.renewal {
            Some(renewal) => renewal.moves.old(number),
            None => Some(number),
        }
    }

    /// The number now of a module of the file; `None` for one that is gone.
    pub(super) fn now(&self, number: u32) -> Option<u32> {
        match &self.renewal {
            Some(renewal) => renewal.moves.now(number),
            None => Some(number),
        }
    }
}

/// What modulefiles asked about the session, each with the numbers of those that did.
pub(super) type Asked = Vec<(Reads, Vec<u32>)>;

impl Stored {
    /// Does something with what a modulepath is held by.
    pub(super) fn with<T>(
        &self,
        root: &Utf8Path,
        act: impl FnOnce(&File, &Held) -> T,
    ) -> Option<T> {
        let held = self.held.borrow();
        let held = held.get(root.as_str())?;
        Some(act(self.files.get(held.file)?, held))
    }

    /// A part of a modulepath that must be there.
    pub(super) fn part(&self, root: &Utf8Path, part: Part) -> Option<Vec<u8>> {
        let read = self.with(root, |file, held| file.part(held.id, part))?;
        if read.is_none() {
            self.damaged.set(true);
        }
        read
    }

    /// What the modulefiles of a modulepath asked about the session.
    pub(super) fn asked(&self, root: &Utf8Path) -> Asked {
        let any = self.with(root, |_, held| held.head.has_readers);
        match any {
            Some(true) => {
                let part = self.part(root, Part::Readers);
                let asked = part.and_then(|part| save::read_asked(&part));
                if asked.is_none() {
                    self.damaged.set(true);
                }
                let asked = asked.unwrap_or_default();
                self.with(root, |_, held| match &held.renewal {
                    Some(renewal) => renew::asked_now(asked, &renewal.moves),
                    None => asked,
                })
                .unwrap_or_default()
            }
            Some(false) | None => Vec::new(),
        }
    }

    /// The modules behind packed keys, as far as their modulepaths are held.
    fn places(&self, file: usize, packed: &[u8]) -> Vec<(Utf8PathBuf, u32)> {
        let held = self.held.borrow();
        let roots: FxHashMap<i64, (&String, &Held)> = held
            .iter()
            .filter(|(_, held)| held.file == file)
            .map(|(root, held)| (i64::from(held.id), (root, held)))
            .collect();
        let places = programs::keys(packed).filter_map(|key| {
            let (root, held) = roots.get(&(key >> 24))?;
            let number = held.now((key & 0xff_ffff) as u32)?;
            Some((Utf8PathBuf::from(*root), number))
        });
        places.collect()
    }
}

impl Store for Stored {
    fn about(&self, root: &Utf8Path, number: u32) -> Option<Packed> {
        let number = self.with(root, |_, held| held.in_file(number))??;
        let about = self.with(root, |file, held| file.about(held.id, number))?;
        if about.is_none() {
            self.damaged.set(true);
        }
        let (searched, rest) = about?;
        Some(Packed::from_parts(
            &searched,
            &save::lengthened(&rest, root),
        ))
    }

    fn searched(&self, root: &Utf8Path, number: u32, take: &mut dyn FnMut(&[u8])) {
        let taken = self.with(root, |file, held| match held.in_file(number) {
            Some(number) => file.searched(held.id, number, take).is_some(),
            None => true,
        });
        if taken == Some(false) {
            self.damaged.set(true);
        }
    }

    fn each_searched(&self, root: &Utf8Path, take: &mut dyn FnMut(u32, &Texts<'_>)) {
        let whole = self.with(root, |file, held| {
            let mut expected = 0;
            let whole = file.each_searched(held.id, &mut |first, texts| {
                if first == expected {
                    expected += texts.ends.len() as u32;
                }
                let last = first + (texts.ends.len() as u32).saturating_sub(1);
                let now = held.now(first);
                if now.is_some() && held.now(last) == now.map(|now| now + (last - first)) {
                    take(now.unwrap_or(first), texts);
                    return;
                }
                // Some of them are gone, or lie elsewhere.
                for (number, text) in (first..).zip(texts.iter()) {
                    if let Some(now) = held.now(number) {
                        take(now, &Texts::one(text));
                    }
                }
            });
            let modules = match &held.renewal {
                Some(renewal) => renewal.modules_in_file,
                None => held.head.modules,
            };
            whole && expected == modules
        });
        if whole == Some(false) {
            self.damaged.set(true);
        }
    }

    fn extras(&self, root: &Utf8Path) -> Vec<Extra> {
        let bytes = self.part(root, Part::Extras).unwrap_or_default();
        let mut extras = save::read_extras(&bytes);
        self.with(root, |_, held| {
            extras.retain_mut(|extra| match held.now(extra.number) {
                Some(number) => {
                    extra.number = number;
                    true
                }
                None => false,
            });
        });
        extras
    }

    fn program(&self, name: &str) -> Vec<(Utf8PathBuf, u32)> {
        let mut found = Vec::new();
        for (number, file) in self.files.iter().enumerate() {
            match file.program(name) {
                Ok(Some(packed)) => found.extend(self.places(number, &packed)),
                Ok(None) => {}
                Err(()) => self.damaged.set(true),
            }
        }
        found
    }

    fn each_program(&self, take: TakeProgram<'_>) {
        for (number, file) in self.files.iter().enumerate() {
            let whole = file.each_program(&mut |name, packed| {
                let places = self.places(number, packed);
                if !places.is_empty() {
                    take(name, &places);
                }
            });
            if !whole {
                self.damaged.set(true);
            }
        }
    }

    fn is_damaged(&self) -> bool {
        self.damaged.get()
    }
}

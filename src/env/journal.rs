//! Who owns what: the part of the journal that belongs to variables rather than to modules.
//!
//! Path variables hold their entries themselves, so the journal only says "entry 3 of `PATH` belongs to module 2".
//! Values hidden by `pushenv` are kept in one stack for each variable, because modules go in any order.

use bstr::{BStr, BString, ByteSlice};

use super::fingerprint::{check_byte, fingerprint32};
use super::path_list::{Owner, PathList};

/// Who wants the entries of one path variable, as remembered between two requests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ownership {
    /// What separates the entries.
    pub(super) delim: BString,
    /// The fingerprint of the whole value.
    pub(super) hash: u32,
    /// The entries about which there is something to say, in order.
    pub(super) items: Vec<OwnedEntry>,
    /// The owners of all items, one after the other.
    pub(super) owners: Vec<Owner>,
}

/// One entry of an [`Ownership`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct OwnedEntry {
    /// Its index in the value.
    pub(super) at: u32,
    /// One byte of its fingerprint.
    pub(super) check: u8,
    /// How many of [`Ownership::owners`] are its own.
    pub(super) owners: u32,
    /// How often nobody in particular wants it.
    pub(super) user: u32,
    /// Its priority.
    pub(super) priority: i32,
}

impl Ownership {
    /// What there is to say about `list`, whose value is `value`; `None` where nothing.
    pub(super) fn of(list: &PathList, value: &BStr) -> Option<Ownership> {
        let mut ownership = Ownership {
            delim: list.delim().to_owned(),
            hash: fingerprint32(value),
            ..Ownership::default()
        };
        for (at, entry) in list.entries().enumerate() {
            if entry.owners.is_empty() && entry.user <= 1 && entry.priority == 0 {
                continue;
            }
            ownership.items.push(OwnedEntry {
                at: at as u32,
                check: check_byte(entry.text),
                owners: entry.owners.len() as u32,
                user: entry.user,
                priority: entry.priority,
            });
            ownership.owners.extend_from_slice(entry.owners);
        }
        (!ownership.items.is_empty()).then_some(ownership)
    }

    /// Whether it was written down for `value`.
    pub(super) fn is_of(&self, value: &BStr) -> bool {
        fingerprint32(value) == self.hash
    }

    /// Gives the freshly split entries of `value` their owners. A value that was edited behind our back is matched by
    /// the entries that are still there, in their order; what is gone has no owner any more.
    pub(super) fn restore(&self, list: &mut PathList, value: &BStr) {
        let known = self.is_of(value);
        let checks: Vec<u8> = if known {
            Vec::new()
        } else {
            list.entries().map(|e| check_byte(e.text)).collect()
        };
        let mut taken = vec![false; checks.len()];
        let mut from = 0;
        let mut owners = self.owners.as_slice();
        for item in &self.items {
            let Some((own, rest)) = owners.split_at_checked(item.owners as usize) else {
                return;
            };
            owners = rest;
            let at = if known {
                Some(item.at as usize)
            } else {
                let free = |i: &usize| !taken[*i] && checks[*i] == item.check;
                (from..checks.len())
                    .find(free)
                    .or_else(|| (0..from).find(free))
            };
            let Some(at) = at else { continue };
            if let Some(taken) = taken.get_mut(at) {
                *taken = true;
                from = at + 1;
            }
            list.restore_entry(at, own, item.user, item.priority);
        }
    }
}

/// One value that `pushenv` hid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hidden {
    /// Who hides it; 0 where unknown.
    pub owner: Owner,
    /// The value underneath.
    pub value: Option<BString>,
}

/// Takes what `owner` pushed last out of a stack (its top is at the end).
///
/// Gives the value that the variable has now, or `None` where it does not change because another module is on top.
pub(super) fn pop(stack: &mut Vec<Hidden>, owner: Owner) -> Option<Option<BString>> {
    let at = stack
        .iter()
        .rposition(|h| h.owner == owner)
        .or_else(|| stack.iter().rposition(|h| h.owner == 0))?;
    let hidden = stack.remove(at);
    match stack.get_mut(at) {
        Some(above) => {
            above.value = hidden.value;
            None
        }
        None => Some(hidden.value),
    }
}

/// The name that a stored three-byte hash stands for.
pub(super) fn short_hash(name: &[u8]) -> [u8; 3] {
    let hash = super::fingerprint::fingerprint(name.as_bytes());
    [hash as u8, (hash >> 8) as u8, (hash >> 16) as u8]
}

//! What modules are about, many to a row: a search goes through few large pieces instead of a row for each module.
//!
//! A row holds how many texts there are, their lengths, and then the texts themselves, one behind the other.

use std::borrow::Cow;

use super::pack::{Packer, Unpacker};
use crate::tree::Texts;

/// Texts of neighbours that are to stand in one row.
#[derive(Debug, Default)]
pub(super) struct TextsOf {
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl TextsOf {
    /// Whether a text of so many bytes would make the row longer than `most`.
    pub(super) fn is_full(&self, length: usize, most: usize) -> bool {
        // A length takes two bytes, more or less.
        !self.ends.is_empty() && self.bytes.len() + length + 2 * self.ends.len() > most
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(super) fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
    }

    /// The row; what follows begins a new one.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let mut packer = Packer::default();
        packer.number(self.ends.len() as u64);
        let mut start = 0;
        for end in self.ends.drain(..) {
            packer.number((end - start) as u64);
            start = end;
        }
        let mut row = packer.finish();
        row.append(&mut self.bytes);
        row
    }
}

/// The texts of a row; `None` where it is damaged.
pub(super) fn unpack(row: &[u8]) -> Option<Texts<'_>> {
    let mut unpacker = Unpacker::new(row);
    let count = usize::try_from(unpacker.number()?).ok()?;
    let mut ends = Vec::with_capacity(count.min(row.len()));
    let mut end = 0_usize;
    for _ in 0..count {
        end = end.checked_add(usize::try_from(unpacker.number()?).ok()?)?;
        ends.push(end);
    }
    let bytes = unpacker.rest();
    (bytes.len() == end).then_some(Texts {
        ends: Cow::Owned(ends),
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_and_damage_is_noticed() {
        let mut texts = TextsOf::default();
        let known: [&[u8]; 4] = [b"one", b"", &[b'x'; 300], b"four"];
        for text in known {
            assert!(!texts.is_full(text.len(), 1000));
            texts.push(text);
        }
        assert!(texts.is_full(800, 1000));
        let row = texts.take();
        assert!(texts.is_empty());
        let read = unpack(&row).unwrap();
        let all: Vec<&[u8]> = (0..4).filter_map(|place| read.get(place)).collect();
        assert_eq!(all, known);
        assert_eq!(read.get(4), None);
        assert!(unpack(&row[..row.len() - 1]).is_none());
        assert!(unpack(&[0xff; 9]).is_none() && unpack(&[]).is_none());
    }
}

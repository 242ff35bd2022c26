//! The bytes of the parts of a cache that are read as a whole: directories and files with their stamps.
//!
//! Numbers are differences from the last of their kind, seven bits a byte: neighbours in a tree were often made one after
//! the other. Whatever the bytes are, reading them ends; what does not fit is `None`.

use crate::tree::{Source, SourceKind, Stamp};

/// Writes packed bytes.
#[derive(Debug, Default)]
pub(super) struct Packer {
    bytes: Vec<u8>,
    stamp: Stamp,
    path: String,
}

/// Reads packed bytes.
#[derive(Debug)]
pub(super) struct Unpacker<'b> {
    bytes: &'b [u8],
    stamp: Stamp,
    path: String,
}

impl Packer {
    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// A difference: small ones are short, whatever their sign.
    fn difference(&mut self, number: i64) {
        self.number(((number << 1) ^ (number >> 63)) as u64);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.blob(text.as_bytes());
    }

    /// Bytes behind their number.
    pub(super) fn blob(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many bytes there are so far.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn stamp(&mut self, stamp: Stamp) {
        let last = std::mem::replace(&mut self.stamp, stamp);
        self.number(stamp.size);
        self.difference(stamp.inode.wrapping_sub(last.inode) as i64);
        self.difference(stamp.modified.wrapping_sub(last.modified));
        self.difference(stamp.changed.wrapping_sub(stamp.modified));
    }

    /// A source, with `path` for its path.
    pub(super) fn source(&mut self, path: &str, source: &Source) {
        let mut common = (self.path.bytes())
            .zip(path.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        while !path.is_char_boundary(common) {
            common -= 1;
        }
        self.number(common as u64);
        self.text(&path[common..]);
        path.clone_into(&mut self.path);
        self.stamp(source.stamp);
        let (kind, digest) = match source.kind {
            SourceKind::Dir => (0, 0),
            SourceKind::Unsettled(digest) => (1, digest),
            SourceKind::Closed => (2, 0),
            SourceKind::File => (3, 0),
            SourceKind::Missing => (4, 0),
        };
        self.bytes.push(kind);
        if kind == 1 {
            self.bytes.extend_from_slice(&digest.to_le_bytes());
        }
        self.text(if kind <= 1 { &source.entries } else { "" });
    }
}

impl<'b> Unpacker<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Unpacker<'b> {
        Unpacker {
            bytes,
            stamp: Stamp::default(),
            path: String::new(),
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.bytes.is_empty()
    }

    /// All that is left.
    pub(super) fn rest(self) -> &'b [u8] {
        self.bytes
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn difference(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub(super) fn text(&mut self) -> Option<&'b str> {
        std::str::from_utf8(self.blob()?).ok()
    }

    /// Bytes behind their number.
    pub(super) fn blob(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }

    pub(super) fn stamp(&mut self) -> Option<Stamp> {
        let size = self.number()?;
        let inode = self.stamp.inode.wrapping_add(self.difference()? as u64);
        let modified = self.stamp.modified.wrapping_add(self.difference()?);
        let changed = modified.wrapping_add(self.difference()?);
        self.stamp = Stamp {
            size,
            inode,
            modified,
            changed,
        };
        Some(self.stamp)
    }

    /// A source: its path, stamp and kind; and the entries of a directory.
    pub(super) fn source(&mut self) -> Option<(&str, Stamp, SourceKind, &'b [u8])> {
        let common = usize::try_from(self.number()?).ok()?;
        let rest = self.text()?;
        if !self.path.is_char_boundary(common) {
            return None;
        }
        self.path.truncate(common);
        self.path.push_str(rest);
        let stamp = self.stamp()?;
        let kind = match self.byte()? {
            0 => SourceKind::Dir,
            1 => SourceKind::Unsettled(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            2 => SourceKind::Closed,
            3 => SourceKind::File,
            4 => SourceKind::Missing,
            _ => return None,
        };
        let entries = self.blob()?;
        Some((&self.path, stamp, kind, entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_stamps_come_back() {
        let stamps = [
            Stamp::default(),
            Stamp {
                size: 10,
                inode: u64::MAX,
                modified: i64::MIN,
                changed: i64::MAX,
            },
            Stamp {
                size: 0,
                inode: 5,
                modified: 1_700_000_000_123_456_789,
                changed: 1_700_000_000_123_456_790,
            },
        ];
        let mut packer = Packer::default();
        for stamp in stamps {
            packer.stamp(stamp);
        }
        packer.number(u64::MAX);
        packer.text("é");
        let bytes = packer.finish();
        let mut unpacker = Unpacker::new(&bytes);
        for stamp in stamps {
            assert_eq!(unpacker.stamp(), Some(stamp));
        }
        assert_eq!(unpacker.number(), Some(u64::MAX));
        assert_eq!(unpacker.text(), Some("é"));
        assert!(unpacker.number().is_none());
    }

    #[test]
    fn any_bytes_can_be_read() {
        for seed in 0..2000_u64 {
            let bytes: Vec<u8> = (0..40)
                .map(|i| (seed.wrapping_mul(6364136223846793005 + i * 7919) >> 33) as u8)
                .collect();
            let mut unpacker = Unpacker::new(&bytes);
            while unpacker.source().is_some() {}
            let _ = crate::tree::Dir::from_text(&String::from_utf8_lossy(&bytes));
        }
    }
}

//! Characters of a Tcl value.
//!
//! A value is a byte string. Where Tcl counts characters, the bytes are read as UTF-8; a byte which is not part of a valid
//! sequence is a character of its own ([`RAW`] + the byte) and is written back unchanged, so Latin-1 modulefiles survive.
//! Surrogate code points in three bytes (`\ud800`) count as one character, as in Tcl. Classes and case mapping are those
//! of Tcl 8.6 (one character to one character). Everything has a fast path for ASCII.

use super::unicode;

/// A code point, or [`RAW`] + a byte which is not UTF-8.
pub(crate) type Char = u32;

/// First of the 256 numbers that stand for single invalid bytes; above every code point.
pub(crate) const RAW: Char = 0x11_0000;

/// Reads the first character: its number and its length in bytes.
#[inline]
pub(crate) fn decode(bytes: &[u8]) -> Option<(Char, usize)> {
    match *bytes.first()? {
        b @ 0..0x80 => Some((Char::from(b), 1)),
        _ => Some(decode_long(bytes)),
    }
}

/// Reads a character whose first byte is not ASCII.
fn decode_long(bytes: &[u8]) -> (Char, usize) {
    let first = bytes[0];
    let (length, lowest, initial) = match first {
        0xC2..=0xDF => (2, 0x80, first & 0x1F),
        0xE0..=0xEF => (3, 0x800, first & 0x0F),
        0xF0..=0xF4 => (4, 0x1_0000, first & 0x07),
        _ => return (RAW + Char::from(first), 1),
    };
    let Some(rest) = bytes.get(1..length) else {
        return (RAW + Char::from(first), 1);
    };
    let mut code = Char::from(initial);
    for &byte in rest {
        if byte & 0xC0 != 0x80 {
            return (RAW + Char::from(first), 1);
        }
        code = code << 6 | Char::from(byte & 0x3F);
    }
    match code {
        _ if code < lowest || code > 0x10_FFFF => (RAW + Char::from(first), 1),
        _ => (code, length),
    }
}

/// Appends a character; a number beyond [`RAW`] + 255 becomes U+FFFD.
pub(crate) fn push(out: &mut Vec<u8>, c: Char) {
    match c {
        0..0x80 => out.push(c as u8),
        0x80..0x800 => out.extend([0xC0 | (c >> 6) as u8, tail(c)]),
        0x800..0x1_0000 => out.extend([0xE0 | (c >> 12) as u8, tail(c >> 6), tail(c)]),
        0x1_0000..RAW => out.extend([0xF0 | (c >> 18) as u8, tail(c >> 12), tail(c >> 6), tail(c)]),
        _ if c - RAW < 256 => out.push((c - RAW) as u8),
        _ => out.extend("\u{FFFD}".as_bytes()),
    }
}

fn tail(c: Char) -> u8 {
    0x80 | (c & 0x3F) as u8
}

/// The characters of a value with the byte offset where each begins.
#[derive(Clone)]
pub(crate) struct CharIndices<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Iterator for CharIndices<'_> {
    type Item = (usize, Char);

    #[inline]
    fn next(&mut self) -> Option<(usize, Char)> {
        let (c, length) = decode(&self.bytes[self.at..])?;
        let at = self.at;
        self.at += length;
        Some((at, c))
    }
}

/// Iterates over characters and the byte offset of each.
pub(crate) fn char_indices(bytes: &[u8]) -> CharIndices<'_> {
    CharIndices { bytes, at: 0 }
}

/// Iterates over characters.
pub(crate) fn chars(bytes: &[u8]) -> impl Iterator<Item = Char> + Clone + '_ {
    char_indices(bytes).map(|(_, c)| c)
}

/// Iterates over characters as the bytes which spell them (`split $x {}`).
pub(crate) fn spellings(bytes: &[u8]) -> impl Iterator<Item = &[u8]> + '_ {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (_, length) = decode(rest)?;
        let (head, remainder) = rest.split_at(length);
        rest = remainder;
        Some(head)
    })
}

/// Counts characters.
pub(crate) fn count(bytes: &[u8]) -> usize {
    if bytes.is_ascii() {
        bytes.len()
    } else {
        chars(bytes).count()
    }
}

/// Gives the byte offset of the character with this index; the length of the value when there are not as many.
pub(crate) fn offset(bytes: &[u8], index: usize) -> usize {
    let ascii = bytes
        .iter()
        .take(index)
        .take_while(|b| b.is_ascii())
        .count();
    if ascii == index || ascii == bytes.len() {
        return ascii;
    }
    char_indices(&bytes[ascii..])
        .nth(index - ascii)
        .map_or(bytes.len(), |(at, _)| ascii + at)
}

/// Gives characters `first` up to but without `end`; both are cut to the value.
pub(crate) fn slice(bytes: &[u8], first: usize, end: usize) -> &[u8] {
    if first >= end {
        return &[];
    }
    let rest = &bytes[offset(bytes, first)..];
    &rest[..offset(rest, end - first)]
}

/// Reads the last character: its number and its length in bytes.
pub(crate) fn decode_last(bytes: &[u8]) -> Option<(Char, usize)> {
    let last = *bytes.last()?;
    if last.is_ascii() {
        return Some((Char::from(last), 1));
    }
    for length in 2..=bytes.len().min(4) {
        let start = bytes.len() - length;
        if let Some((c, found)) = decode(&bytes[start..])
            && found == length
        {
            return Some((c, length));
        }
    }
    Some((RAW + Char::from(last), 1))
}

/// Maps to upper case (`string toupper`).
pub(crate) fn to_upper(bytes: &[u8]) -> Vec<u8> {
    map_chars(bytes, upper, <[u8]>::to_ascii_uppercase)
}

/// Maps to lower case (`string tolower`).
pub(crate) fn to_lower(bytes: &[u8]) -> Vec<u8> {
    map_chars(bytes, lower, <[u8]>::to_ascii_lowercase)
}

/// Maps the first character to title case, the others to lower case (`string totitle`).
pub(crate) fn to_title(bytes: &[u8]) -> Vec<u8> {
    let Some((first, length)) = decode(bytes) else {
        return Vec::new();
    };
    let mut out = Vec::with_capacity(bytes.len());
    push(&mut out, title(first));
    out.extend(to_lower(&bytes[length..]));
    out
}

fn map_chars(bytes: &[u8], map: fn(Char) -> Char, ascii: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    if bytes.is_ascii() {
        return ascii(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    chars(bytes).for_each(|c| push(&mut out, map(c)));
    out
}

/// Maps one character to upper case, where that is one character.
#[inline]
pub(crate) fn upper(c: Char) -> Char {
    match c {
        0..0x80 => Char::from((c as u8).to_ascii_uppercase()),
        // Greek with iota below: the one-character form is the title case, eight places on.
        0x1F80..=0x1F87 | 0x1F90..=0x1F97 | 0x1FA0..=0x1FA7 => c + 8,
        0x1FB3 | 0x1FC3 | 0x1FF3 => c + 9,
        _ => single(c, char::to_uppercase),
    }
}

/// Maps one character to lower case, where that is one character.
#[inline]
pub(crate) fn lower(c: Char) -> Char {
    match c {
        0..0x80 => Char::from((c as u8).to_ascii_lowercase()),
        0x130 => 0x69,
        _ => single(c, char::to_lowercase),
    }
}

/// Maps one character to title case: upper case but for the Latin digraphs and Georgian.
pub(crate) fn title(c: Char) -> Char {
    match c {
        0x1C4..=0x1C6 => 0x1C5,
        0x1C7..=0x1C9 => 0x1C8,
        0x1CA..=0x1CC => 0x1CB,
        0x1F1..=0x1F3 => 0x1F2,
        0x10D0..=0x10FF => c,
        _ => upper(c),
    }
}

fn single<I: Iterator<Item = char>>(c: Char, map: fn(char) -> I) -> Char {
    let Some(code) = char::from_u32(c) else {
        return c;
    };
    let mut mapped = map(code);
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => Char::from(one),
        _ => c,
    }
}

/// A character class, as `string is` and `[[:class:]]` name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    Alnum,
    Alpha,
    Ascii,
    Control,
    Digit,
    Graph,
    Lower,
    Print,
    Punct,
    Space,
    Upper,
    /// Letters, digits and connectors (`_`), Tcl's `wordchar` and `\w`.
    Word,
    Xdigit,
}

impl Class {
    /// Whether the character belongs to the class; an invalid byte is judged as the Latin-1 character with its number.
    pub(crate) fn contains(self, c: Char) -> bool {
        let c = if c >= RAW { c - RAW } else { c };
        match self {
            Self::Alnum => Self::Alpha.contains(c) || Self::Digit.contains(c),
            Self::Alpha => table(unicode::ALPHA, c, char::is_alphabetic),
            Self::Ascii => c < 0x80,
            Self::Control => table(unicode::CONTROL, c, char::is_control),
            Self::Digit => table(unicode::DIGIT, c, |_| false),
            Self::Graph => table(unicode::GRAPH, c, |code| {
                !code.is_control() && !code.is_whitespace()
            }),
            Self::Lower => is_lower(c),
            Self::Print => {
                Self::Graph.contains(c) || Self::Space.contains(c) && !Self::Control.contains(c)
            }
            Self::Punct => table(unicode::PUNCT, c, |_| false),
            Self::Space => {
                matches!(c, 0x180E | 0x200B | 0x2060 | 0xFEFF) || std(c, char::is_whitespace)
            }
            Self::Upper => std(c, char::is_uppercase) && Self::Alpha.contains(c),
            Self::Word => {
                matches!(
                    c,
                    0x5F | 0x203F | 0x2040 | 0x2054 | 0xFE33 | 0xFE34 | 0xFE4D..=0xFE4F | 0xFF3F
                ) || Self::Alnum.contains(c)
            }
            Self::Xdigit => u8::try_from(c).is_ok_and(|b| b.is_ascii_hexdigit()),
        }
    }
}

fn is_lower(c: Char) -> bool {
    let guess = std(c, char::is_lowercase) && Class::Alpha.contains(c);
    guess != table(unicode::LOWER_FLIPPED, c, |_| false)
}

fn std(c: Char, test: fn(char) -> bool) -> bool {
    char::from_u32(c).is_some_and(test)
}

/// Looks `c` up in a table of boundaries; beyond the tables the standard library's own test decides.
fn table(boundaries: &[u16], c: Char, beyond: fn(char) -> bool) -> bool {
    match u16::try_from(c) {
        Ok(code) => boundaries.partition_point(|&edge| edge <= code) % 2 == 1,
        Err(_) => std(c, beyond),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_bytes_are_characters_and_come_back_unchanged() {
        let bytes = b"a\xE9\xC3\xA9\xF0\x9F\x98\x80\xED\xA0\x80\xC0\x80\xE2\x82z\xF5\x80";
        let mut out = Vec::new();
        chars(bytes).for_each(|c| push(&mut out, c));
        assert_eq!(out, bytes);
        let found: Vec<Char> = chars(bytes).collect();
        let raw = |b: u32| RAW + b;
        assert_eq!(
            found,
            [
                0x61,
                raw(0xE9),
                0xE9,
                0x1F600,
                0xD800,
                raw(0xC0),
                raw(0x80),
                raw(0xE2),
                raw(0x82),
                0x7A,
                raw(0xF5),
                raw(0x80)
            ]
        );
        assert_eq!(count(bytes), found.len());
        assert_eq!(spellings(bytes).count(), found.len());
    }

    #[test]
    fn index_and_slice_count_characters() {
        let text = "aéb€c".as_bytes();
        assert_eq!(slice(text, 1, 2), "é".as_bytes());
        assert_eq!(slice(text, 5, 6), b"");
        assert_eq!(slice(text, 1, 4), "éb€".as_bytes());
        assert_eq!(slice(text, 3, 99), "€c".as_bytes());
        assert_eq!(slice(text, 9, 99), b"");
        assert_eq!(slice(text, 3, 2), b"");
        assert_eq!(slice(b"abc", 1, 2), b"b");
        assert_eq!(decode_last("x€".as_bytes()), Some((0x20AC, 3)));
        assert_eq!(decode_last(b"x\x82"), Some((RAW + 0x82, 1)));
        assert_eq!(decode_last(b""), None);
    }

    #[test]
    fn case_mapping_is_one_to_one() {
        assert_eq!(
            to_upper("straße é\u{1f80}".as_bytes()),
            "STRAßE É\u{1f88}".as_bytes()
        );
        assert_eq!(to_lower("ÀB\u{130}".as_bytes()), "àbi".as_bytes());
        assert_eq!(to_title("éCOLE".as_bytes()), "École".as_bytes());
        assert_eq!(to_title(b""), b"");
        assert_eq!(to_upper(b"a\xE9"), b"A\xE9");
    }

    #[test]
    fn classes_are_those_of_tcl() {
        assert!(Class::Punct.contains(u32::from('!')) && !Class::Punct.contains(u32::from('$')));
        assert!(Class::Alpha.contains(0xAA) && !Class::Lower.contains(0xAA));
        assert!(Class::Word.contains(u32::from('_')) && !Class::Word.contains(u32::from('-')));
        assert!(
            Class::Space.contains(0xA0)
                && Class::Print.contains(0xA0)
                && !Class::Graph.contains(0xA0)
        );
        assert!(Class::Digit.contains(0x661) && !Class::Xdigit.contains(0x661));
        assert!(Class::Control.contains(0x85) && !Class::Print.contains(0x85));
        assert!(Class::Upper.contains(0xC0) && !Class::Upper.contains(0x2160));
    }
}

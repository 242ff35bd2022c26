//! Sets of characters: bracket expressions and class escapes.

use crate::modulefile::tcl::chars::{self, Char, Class};

/// A member of a set.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item {
    Range(Char, Char),
    Class(Class),
    /// `[:blank:]`, the tab and the space.
    Blank,
}

impl Item {
    /// The class with a POSIX name.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        Some(Self::Class(match name {
            b"alnum" => Class::Alnum,
            b"alpha" => Class::Alpha,
            b"ascii" => Class::Ascii,
            b"blank" => return Some(Self::Blank),
            b"cntrl" => Class::Control,
            b"digit" => Class::Digit,
            b"graph" => Class::Graph,
            b"lower" => Class::Lower,
            b"print" => Class::Print,
            b"punct" => Class::Punct,
            b"space" => Class::Space,
            b"upper" => Class::Upper,
            b"xdigit" => Class::Xdigit,
            _ => return None,
        }))
    }

    fn contains(&self, c: Char) -> bool {
        match self {
            Self::Range(low, high) => (*low..=*high).contains(&c),
            Self::Class(class) => class.contains(c),
            Self::Blank => c == 0x20 || c == 0x09,
        }
    }
}

/// A set of characters with its answers for ASCII worked out.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Set {
    ascii: u128,
    items: Vec<Item>,
    negated: bool,
    nocase: bool,
}

impl Set {
    /// `no_newline` takes the newline out of the finished set.
    pub(super) fn new(mut items: Vec<Item>, negated: bool, nocase: bool, no_newline: bool) -> Self {
        if nocase {
            items.iter_mut().for_each(ignore_case);
        }
        let mut set = Self {
            ascii: 0,
            items,
            negated,
            nocase,
        };
        for c in 0..128 {
            set.ascii |= u128::from(set.look_up(c)) << c;
        }
        if no_newline && negated {
            set.ascii &= !(1 << b'\n');
        }
        set
    }

    /// The set of one character in all its cases.
    pub(super) fn any_case(c: Char) -> Self {
        Self::new(vec![Item::Range(c, c)], false, true, false)
    }

    #[inline]
    pub(super) fn contains(&self, c: Char) -> bool {
        if c < 128 {
            self.ascii >> c & 1 == 1
        } else {
            self.look_up(c)
        }
    }

    fn look_up(&self, c: Char) -> bool {
        let has = |c| self.items.iter().any(|item| item.contains(c));
        let found = has(c)
            || self.nocase
                && (has(chars::lower(c)) || has(chars::upper(c)) || has(chars::title(c)));
        found != self.negated
    }

    /// The ASCII members as bits.
    pub(super) fn ascii(&self) -> u128 {
        self.ascii
    }
}

/// Without case, Tcl takes both case classes for letters and digits.
fn ignore_case(item: &mut Item) {
    if let Item::Class(class @ (Class::Upper | Class::Lower)) = item {
        *class = Class::Alnum;
    }
}

/// The character with a POSIX name (`[[.hyphen.]]`).
pub(super) fn named_char(name: &[u8]) -> Option<Char> {
    let name = std::str::from_utf8(name).ok()?;
    NAMES
        .iter()
        .find(|(spelling, _)| *spelling == name)
        .map(|&(_, c)| Char::from(c))
}

/// Names of the portable character set (POSIX, XBD 6.1).
#[rustfmt::skip]
const NAMES: &[(&str, u8)] = &[
    ("NUL", 0), ("SOH", 1), ("STX", 2), ("ETX", 3), ("EOT", 4), ("ENQ", 5), ("ACK", 6), ("BEL", 7), ("alert", 7),
    ("BS", 8), ("backspace", 8), ("HT", 9), ("tab", 9), ("LF", 10), ("newline", 10), ("VT", 11), ("vertical-tab", 11),
    ("FF", 12), ("form-feed", 12), ("CR", 13), ("carriage-return", 13), ("SO", 14), ("SI", 15), ("DLE", 16),
    ("DC1", 17), ("DC2", 18), ("DC3", 19), ("DC4", 20), ("NAK", 21), ("SYN", 22), ("ETB", 23), ("CAN", 24), ("EM", 25),
    ("SUB", 26), ("ESC", 27), ("IS4", 28), ("FS", 28), ("IS3", 29), ("GS", 29), ("IS2", 30), ("RS", 30), ("IS1", 31),
    ("US", 31), ("space", b' '), ("exclamation-mark", b'!'), ("quotation-mark", b'"'), ("number-sign", b'#'),
    ("dollar-sign", b'$'), ("percent-sign", b'%'), ("ampersand", b'&'), ("apostrophe", b'\''),
    ("left-parenthesis", b'('), ("right-parenthesis", b')'), ("asterisk", b'*'), ("plus-sign", b'+'), ("comma", b','),
    ("hyphen", b'-'), ("hyphen-minus", b'-'), ("period", b'.'), ("full-stop", b'.'), ("slash", b'/'), ("solidus", b'/'),
    ("zero", b'0'), ("one", b'1'), ("two", b'2'), ("three", b'3'), ("four", b'4'), ("five", b'5'), ("six", b'6'),
    ("seven", b'7'), ("eight", b'8'), ("nine", b'9'), ("colon", b':'), ("semicolon", b';'), ("less-than-sign", b'<'),
    ("equals-sign", b'='), ("greater-than-sign", b'>'), ("question-mark", b'?'), ("commercial-at", b'@'),
    ("left-square-bracket", b'['), ("backslash", b'\\'), ("reverse-solidus", b'\\'), ("right-square-bracket", b']'),
    ("circumflex", b'^'), ("circumflex-accent", b'^'), ("underscore", b'_'), ("low-line", b'_'), ("grave-accent", b'`'),
    ("left-brace", b'{'), ("left-curly-bracket", b'{'), ("vertical-line", b'|'), ("right-brace", b'}'),
    ("right-curly-bracket", b'}'), ("tilde", b'~'), ("DEL", 127),
];

//! Encodings of text: bytes to values and back.
//!
//! A value is UTF-8. Where Tcl speaks of *bytes in a value*, it means a value whose characters are all below 256, each one
//! standing for a byte: [`to_bytes`] and [`from_bytes`] go between the two. Source: Tcl manual, encoding(n).

mod multibyte;
mod tables;

use super::chars::{self, Char};
use multibyte::MultiByte;

/// A known encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Ascii,
    /// The bytes of the value as they are.
    Identity,
    Latin1,
    Utf8,
    /// UTF-16 in the machine's byte order.
    Unicode,
    /// One byte a character: the place among the tables.
    Table(usize),
    /// Several bytes a character.
    Multi(&'static MultiByte),
}

/// The names beside those of tables.
const PLAIN: [(&str, Encoding); 5] = [
    ("ascii", Encoding::Ascii),
    ("identity", Encoding::Identity),
    ("iso8859-1", Encoding::Latin1),
    ("unicode", Encoding::Unicode),
    ("utf-8", Encoding::Utf8),
];

/// The names, as `encoding names` lists them.
pub(crate) fn names() -> Vec<&'static str> {
    let plain = PLAIN.iter().map(|(name, _)| *name);
    let tables = tables::TABLES.iter().map(|(name, _)| *name);
    let multi = multibyte::ALL.iter().map(|multi| multi.name);
    let mut names: Vec<_> = plain.chain(tables).chain(multi).collect();
    names.sort_unstable();
    names
}

impl Encoding {
    /// The encoding of this name, if it is known.
    pub(crate) fn find(name: &[u8]) -> Option<Self> {
        let name = std::str::from_utf8(name).ok()?;
        if let Some((_, found)) = PLAIN.iter().find(|(known, _)| *known == name) {
            return Some(*found);
        }
        if let Some(at) = tables::TABLES.iter().position(|(known, _)| *known == name) {
            return Some(Self::Table(at));
        }
        let multi = multibyte::ALL.iter().find(|multi| multi.name == name);
        multi.map(Self::Multi)
    }

    /// The encoding of this name.
    ///
    /// # Errors
    /// Tcl's text.
    pub(crate) fn named(name: &[u8]) -> Result<Self, Vec<u8>> {
        Self::find(name).ok_or_else(|| [b"unknown encoding \"", name, b"\""].concat())
    }

    /// The name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Table(at) => tables::TABLES[at].0,
            Self::Multi(multi) => multi.name,
            plain => PLAIN
                .iter()
                .find(|(_, known)| *known == plain)
                .map_or("identity", |(name, _)| name),
        }
    }

    /// Whether the bytes of line ends mean nothing else.
    pub(crate) fn has_plain_line_ends(self) -> bool {
        self != Self::Unicode
    }

    /// Reads bytes as a value. What the encoding does not know becomes the character with the byte's number.
    pub(crate) fn decode(self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        match self {
            Self::Utf8 | Self::Identity => {
                for c in chars::chars(bytes) {
                    chars::push(&mut out, if c >= chars::RAW { c - chars::RAW } else { c });
                }
            }
            Self::Unicode => {
                let units = bytes
                    .chunks_exact(2)
                    .map(|pair| u16::from_ne_bytes([pair[0], pair[1]]));
                for unit in char::decode_utf16(units) {
                    chars::push(
                        &mut out,
                        unit.map_or_else(|lone| Char::from(lone.unpaired_surrogate()), Char::from),
                    );
                }
            }
            Self::Multi(multi) => multi.decode(bytes, &mut out),
            Self::Table(at) => {
                let upper: Vec<char> = tables::TABLES[at].1.chars().collect();
                for &byte in bytes {
                    let known = byte.checked_sub(0x80).map(|at| upper[usize::from(at)]);
                    let known = known.filter(|&c| c != char::REPLACEMENT_CHARACTER);
                    chars::push(&mut out, known.map_or(Char::from(byte), Char::from));
                }
            }
            Self::Ascii | Self::Latin1 => bytes
                .iter()
                .for_each(|&byte| chars::push(&mut out, Char::from(byte))),
        }
        out
    }

    /// Writes a value as bytes. What the encoding does not have becomes a question mark.
    pub(crate) fn encode(self, value: &[u8]) -> Vec<u8> {
        match self {
            Self::Utf8 | Self::Identity => value.to_vec(),
            Self::Unicode => {
                let mut out = Vec::with_capacity(value.len() * 2);
                for c in chars::chars(value) {
                    let c = if c >= chars::RAW { c - chars::RAW } else { c };
                    match char::from_u32(c) {
                        Some(code) => {
                            let mut units = [0; 2];
                            out.extend(
                                code.encode_utf16(&mut units)
                                    .iter()
                                    .flat_map(|unit| unit.to_ne_bytes()),
                            );
                        }
                        None => out.extend((c as u16).to_ne_bytes()),
                    }
                }
                out
            }
            Self::Multi(multi) => multi.encode(value),
            Self::Table(at) => {
                let upper: Vec<Char> = tables::TABLES[at].1.chars().map(Char::from).collect();
                let byte = |c: Char| {
                    if c == Char::from(char::REPLACEMENT_CHARACTER) {
                        return None;
                    }
                    let at = upper.iter().position(|known| *known == c);
                    at.map(|at| at as u8 + 0x80)
                };
                chars::chars(value).map(|c| byte_of(c, byte)).collect()
            }
            Self::Ascii => chars::chars(value).map(|c| byte_of(c, |_| None)).collect(),
            Self::Latin1 => {
                let byte = |c: Char| u8::try_from(c).ok();
                chars::chars(value).map(|c| byte_of(c, byte)).collect()
            }
        }
    }
}

/// The byte of a character: its own below 0x80, that of a byte that was kept, else what an encoding has.
fn byte_of(c: Char, known: impl Fn(Char) -> Option<u8>) -> u8 {
    let byte = match c {
        0..0x80 => Some(c as u8),
        _ if c >= chars::RAW => u8::try_from(c - chars::RAW).ok(),
        _ => known(c),
    };
    byte.unwrap_or(b'?')
}

/// The bytes which the characters of a value stand for; of a character beyond 255 the low byte.
pub(crate) fn to_bytes(value: &[u8]) -> Vec<u8> {
    if value.is_ascii() {
        return value.to_vec();
    }
    chars::chars(value).map(|c| c as u8).collect()
}

/// The value whose characters stand for bytes.
pub(crate) fn from_bytes(bytes: &[u8]) -> Vec<u8> {
    Encoding::Latin1.decode(bytes)
}

/// Carries out `encoding` with its arguments, the sub-command first; the system's encoding is always UTF-8.
///
/// # Errors
/// Tcl's text.
pub(crate) fn encoding(arguments: &[&[u8]]) -> Result<Vec<u8>, Vec<u8>> {
    const COMMANDS: [&str; 5] = ["convertfrom", "convertto", "dirs", "names", "system"];
    let Some((&name, rest)) = arguments.split_first() else {
        return Err(b"wrong # args: should be \"encoding subcommand ?arg ...?\"".to_vec());
    };
    let mut near = COMMANDS
        .into_iter()
        .filter(|command| !name.is_empty() && command.as_bytes().starts_with(name));
    let command = match (near.next(), near.next()) {
        (Some(command), None) => command,
        _ => {
            let choice: &[u8] = b"\": must be convertfrom, convertto, dirs, names, or system";
            return Err([b"unknown or ambiguous subcommand \"", name, choice].concat());
        }
    };
    let usage = |usage: &str| {
        Err(format!("wrong # args: should be \"encoding {command}{usage}\"").into_bytes())
    };
    match (command, rest) {
        ("convertfrom" | "convertto", [data] | [_, data]) => {
            let encoding = if rest.len() == 2 {
                Encoding::named(rest[0])?
            } else {
                Encoding::Utf8
            };
            Ok(match command {
                "convertfrom" => encoding.decode(&to_bytes(data)),
                _ => from_bytes(&encoding.encode(data)),
            })
        }
        ("convertfrom" | "convertto", _) => usage(" ?encoding? data"),
        ("names", []) => Ok(names().join(" ").into_bytes()),
        ("names", _) => usage(""),
        ("dirs", [] | [_]) => Ok(Vec::new()),
        ("dirs", _) => usage(" ?dirList?"),
        (_, []) => Ok(b"utf-8".to_vec()),
        (_, [name]) => Encoding::named(name).map(|_| Vec::new()),
        _ => usage(" ?encoding?"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modulefile::tcl::oracle::{self, Oracle, Random};

    #[test]
    fn bytes_and_values() {
        assert_eq!(
            Encoding::named(b"cp1252").unwrap().encode("€é→".as_bytes()),
            b"\x80\xE9?"
        );
        assert_eq!(
            Encoding::named(b"cp1252").unwrap().decode(b"\x80\x81"),
            "€\u{81}".as_bytes()
        );
        assert_eq!(
            Encoding::named(b"iso8859-15").unwrap().decode(b"\xA4"),
            "€".as_bytes()
        );
        assert_eq!(
            Encoding::Unicode.decode(&Encoding::Unicode.encode("a€😀".as_bytes())),
            "a€😀".as_bytes()
        );
        assert_eq!(Encoding::Utf8.decode(b"\xFFa"), "ÿa".as_bytes());
        assert_eq!(to_bytes("é€".as_bytes()), b"\xE9\xAC");
        assert_eq!(from_bytes(b"\xE9"), "é".as_bytes());
    }

    #[test]
    fn agrees_with_tclsh() {
        let Some(mut tclsh) = Oracle::start() else {
            return;
        };
        let mut random = Random::new(11);
        let pieces = [
            "a",
            "é",
            "€",
            "ÿ",
            "\u{80}",
            "\u{81}",
            "Š",
            "\n",
            "ć",
            "\u{c3}\u{a9}",
            "\u{e2}\u{82}",
        ];
        let names = [
            "ascii",
            "cp1252",
            "cp437",
            "cp850",
            "koi8-r",
            "macRoman",
            "iso8859-7",
            "identity",
            "iso8859-1",
            "iso8859-15",
            "unicode",
            "utf-8",
            "nosuch",
        ];
        for _ in 0..oracle::cases(2000) {
            let name = random.pick(&names).as_bytes();
            let command = *random.pick(&["convertto", "convertfrom", "convertt", "foo"]);
            let text = random.text(&pieces, 5);
            // Of characters beyond a byte, Tcl passes the bytes of UTF-8 on to the decoder.
            if command == "convertfrom" && chars::chars(&text).any(|c| c > 0xFF) {
                continue;
            }
            let words = [command.as_bytes(), name, &text];
            let script = [b"encoding ", &words.map(oracle::quote).join(&b' ')[..]].concat();
            tclsh.expect(&script, encoding(&words));
        }
        tclsh.finish();
    }
}

//! Encodings of text: bytes to values and back.
//!
//! A value is UTF-8. Where Tcl speaks of *bytes in a value*, it means a value whose characters are all below 256, each one
//! standing for a byte: [`to_bytes`] and [`from_bytes`] go between the two. Source: Tcl manual, encoding(n).

use super::chars::{self, Char};

/// A known encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Ascii,
    Cp1252,
    /// The bytes of the value as they are.
    Identity,
    Latin1,
    Latin9,
    Utf8,
    /// UTF-16 in the machine's byte order.
    Unicode,
}

/// The names, as `encoding names` lists them.
pub(crate) const NAMES: [(&str, Encoding); 7] = [
    ("ascii", Encoding::Ascii),
    ("cp1252", Encoding::Cp1252),
    ("identity", Encoding::Identity),
    ("iso8859-1", Encoding::Latin1),
    ("iso8859-15", Encoding::Latin9),
    ("unicode", Encoding::Unicode),
    ("utf-8", Encoding::Utf8),
];

/// What cp1252 has from 0x80 on; 0 where it has nothing, which Tcl reads as the control character of that number.
const CP1252: [u16; 32] = [
    0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039,
    0x0152, 0, 0x017D, 0, 0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC,
    0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178,
];

/// Where ISO 8859-15 differs from ISO 8859-1.
const LATIN9: [(u8, Char); 8] = [
    (0xA4, 0x20AC),
    (0xA6, 0x160),
    (0xA8, 0x161),
    (0xB4, 0x17D),
    (0xB8, 0x17E),
    (0xBC, 0x152),
    (0xBD, 0x153),
    (0xBE, 0x178),
];

impl Encoding {
    /// The encoding of this name.
    ///
    /// # Errors
    /// Tcl's text.
    pub(crate) fn named(name: &[u8]) -> Result<Self, Vec<u8>> {
        let known = NAMES.iter().find(|(known, _)| known.as_bytes() == name);
        known
            .map(|&(_, encoding)| encoding)
            .ok_or_else(|| [b"unknown encoding \"", name, b"\""].concat())
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
            _ => bytes
                .iter()
                .for_each(|&byte| chars::push(&mut out, self.char_of(byte))),
        }
        out
    }

    fn char_of(self, byte: u8) -> Char {
        match self {
            Self::Cp1252 if (0x80..0xA0).contains(&byte) => {
                match CP1252[usize::from(byte - 0x80)] {
                    0 => Char::from(byte),
                    code => Char::from(code),
                }
            }
            Self::Latin9 => LATIN9
                .iter()
                .find(|(known, _)| *known == byte)
                .map_or(Char::from(byte), |&(_, c)| c),
            _ => Char::from(byte),
        }
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
            _ => chars::chars(value).map(|c| self.byte_of(c)).collect(),
        }
    }

    fn byte_of(self, c: Char) -> u8 {
        let byte = match c {
            0..0x80 => Some(c as u8),
            _ if c >= chars::RAW => u8::try_from(c - chars::RAW).ok(),
            _ if self == Self::Ascii => None,
            _ => (0x80..=0xFF).find(|&byte| self.char_of(byte) == c),
        };
        byte.unwrap_or(b'?')
    }
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
        ("names", []) => Ok(NAMES.map(|(name, _)| name).join(" ").into_bytes()),
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
        assert_eq!(Encoding::Cp1252.encode("€é→".as_bytes()), b"\x80\xE9?");
        assert_eq!(Encoding::Cp1252.decode(b"\x80\x81"), "€\u{81}".as_bytes());
        assert_eq!(Encoding::Latin9.decode(b"\xA4"), "€".as_bytes());
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

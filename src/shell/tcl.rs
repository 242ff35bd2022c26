//! Tcl.
//!
//! Source: Tcl(n) rule 9. Words in double quotes, with escapes for all that Tcl would read.

use bstr::BStr;

use super::language::Language;
use super::{push, quote};

/// Tcl.
#[derive(Debug)]
pub(super) struct Tcl;

/// A word in double quotes; each byte becomes the character of its number.
fn bytes(value: &[u8]) -> Vec<u8> {
    quote::escaped(value, b"\"\\$[]{}", |b| format!("\\u{b:04x}"))
}

/// A word in double quotes; text keeps its characters.
pub(super) fn string(value: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(value);
    quote::text(&text, &['"', '\\', '$', '[', ']', '{', '}'], |c| {
        format!("\\u{:04x}", u32::from(c))
    })
    .into_bytes()
}

impl Language for Tcl {
    const SUCCESS: &'static [u8] = b"set _mlstatus 1;\n";
    const FAILURE: &'static [u8] = b"set _mlstatus 0;\n";

    fn set(&self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        if value.is_ascii() {
            push(out, &[b"set ::env(", name, b") ", &bytes(value), b";\n"]);
        } else {
            // Tcl keeps characters and writes them in the encoding of the system: in this one, a character is a byte.
            push(
                out,
                &[
                    b"apply {{name value} {set e [encoding system]; encoding system iso8859-1; ",
                    b"set ::env($name) $value; encoding system $e}} ",
                    name,
                    b" ",
                    &bytes(value),
                    b";\n",
                ],
            );
        }
    }

    fn unset(&self, name: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"catch {unset ::env(", name, b")};\n"]);
    }

    fn chdir(&self, dir: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"cd ", &string(dir), b";\n"]);
    }

    fn print(&self, text: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"puts ", &string(text), b";\n"]);
    }

    fn answer(&self, text: &BStr, out: &mut Vec<u8>) {
        push(out, &[b"set _mlstatus ", &string(text), b";\n"]);
    }
}

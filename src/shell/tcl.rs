//! Tcl.
//!
//! Source: Tcl(n) rule 9. Words in double quotes, with escapes for all that Tcl would read.

use bstr::BString;

use super::{Outcome, Statements, push, quote};
use crate::env::delta::{Change, Delta};

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

impl Statements for Tcl {
    fn reserved(&self) -> &'static [&'static str] {
        &[]
    }

    fn open(&self, _: &Delta, _: &mut Vec<u8>) {}

    fn write(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), &'static str> {
        match change {
            Change::SetVar { name, value } => {
                let name = name.as_str().as_bytes();
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
            Change::UnsetVar { name } => {
                push(
                    out,
                    &[b"catch {unset ::env(", name.as_str().as_bytes(), b")};\n"],
                );
            }
            Change::Chdir { dir } => {
                push(out, &[b"cd ", &string(dir), b";\n"]);
            }
            // These are words of a shell and have no meaning here; its code would be an error.
            Change::SetAlias { .. }
            | Change::UnsetAlias { .. }
            | Change::SetFunction { .. }
            | Change::UnsetFunction { .. }
            | Change::ExportFunction { .. }
            | Change::Complete { .. }
            | Change::Uncomplete { .. }
            | Change::Execute { .. } => {}
        }
        Ok(())
    }

    fn echo(&self, lines: &[BString], out: &mut Vec<u8>) {
        push(out, &[b"puts ", &string(&bstr::join("\n", lines)), b";\n"]);
    }

    fn close(&self, outcome: Outcome<'_>, _: &Delta, out: &mut Vec<u8>) {
        match outcome {
            Outcome::Success => out.extend_from_slice(b"set _mlstatus 1;\n"),
            Outcome::Failure => out.extend_from_slice(b"set _mlstatus 0;\n"),
            Outcome::Text(text) => push(out, &[b"set _mlstatus ", &string(text), b";\n"]),
        }
    }
}

//! CMake, for `include()`.
//!
//! Source: cmake-language(7) "Quoted Argument", "Escape Sequences".

use bstr::BString;

use super::{Outcome, Statements, push};
use crate::env::delta::{Change, Delta};

/// CMake.
#[derive(Debug)]
pub(super) struct CMake;

/// A quoted argument. A semicolon stays bare: in quotes it separates nothing, and a backslash before it would stay.
pub(super) fn string(value: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for &b in value {
        match b {
            b'"' | b'\\' | b'$' | b'@' => out.extend_from_slice(&[b'\\', b]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => out.push(b),
        }
    }
    out.push(b'"');
    out
}

/// Sets a variable. Under its old policies CMake's parser gives up on an argument with thousands of escapes, so those are
/// given piece by piece.
fn set(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    // `set(ENV{X} "")` takes the variable away: CMake cannot hold an empty one.
    const ESCAPES_MAX: usize = 1000;
    let escapes = value.iter().filter(|b| b"\"\\$@\n\r\t".contains(b)).count();
    let chunk = if escapes > ESCAPES_MAX {
        ESCAPES_MAX
    } else {
        value.len().max(1)
    };
    push(out, &[b"set(ENV{", name, b"} "]);
    out.extend_from_slice(&string(&value[..chunk.min(value.len())]));
    out.extend_from_slice(b")\n");
    for piece in value.chunks(chunk).skip(1) {
        let piece = string(piece);
        push(
            out,
            &[
                b"set(ENV{",
                name,
                b"} \"$ENV{",
                name,
                b"}",
                &piece[1..],
                b")\n",
            ],
        );
    }
}

impl Statements for CMake {
    fn reserved(&self) -> &'static [&'static str] {
        &[]
    }

    fn open(&self, _: &Delta, _: &mut Vec<u8>) {}

    fn write(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), &'static str> {
        match change {
            Change::SetVar { name, value } => {
                let name = name.as_str().as_bytes();
                set(name, value, out);
            }
            Change::UnsetVar { name } => {
                push(out, &[b"unset(ENV{", name.as_str().as_bytes(), b"})\n"]);
            }
            Change::Chdir { dir } => {
                // A CMake script has no working directory that it could change.
                let _ = dir;
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
        push(
            out,
            &[b"message(", &string(&bstr::join("\n", lines)), b")\n"],
        );
    }

    fn close(&self, outcome: Outcome<'_>, _: &Delta, out: &mut Vec<u8>) {
        match outcome {
            Outcome::Success => out.extend_from_slice(b"set(_mlstatus TRUE)\n"),
            Outcome::Failure => out.extend_from_slice(b"set(_mlstatus FALSE)\n"),
            Outcome::Text(text) => push(out, &[b"set(_mlstatus ", &string(text), b")\n"]),
        }
    }
}

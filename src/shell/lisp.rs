//! Emacs Lisp.
//!
//! Source: Emacs Lisp manual "String Type": octal escapes stand for raw bytes.

use bstr::BString;

use super::{Outcome, Statements, push};
use crate::env::delta::{Change, Delta};

/// Emacs Lisp.
#[derive(Debug)]
pub(super) struct Lisp;

/// A string in double quotes; bytes that are not UTF-8 become octal escapes.
pub(super) fn string(value: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for chunk in value.utf8_chunks() {
        for &b in chunk.valid().as_bytes() {
            if b == b'"' || b == b'\\' {
                out.push(b'\\');
            }
            out.push(b);
        }
        for b in chunk.invalid() {
            out.extend_from_slice(format!("\\{b:03o}").as_bytes());
        }
    }
    out.push(b'"');
    out
}

impl Statements for Lisp {
    fn reserved(&self) -> &'static [&'static str] {
        &[]
    }

    fn open(&self, _: &Delta, _: &mut Vec<u8>) {}

    fn write(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), &'static str> {
        match change {
            Change::SetVar { name, value } => {
                let name = name.as_str().as_bytes();
                push(out, &[b"(setenv \"", name, b"\" ", &string(value), b")\n"]);
            }
            Change::UnsetVar { name } => {
                push(
                    out,
                    &[b"(setenv \"", name.as_str().as_bytes(), b"\" nil)\n"],
                );
            }
            Change::Chdir { dir } => {
                push(out, &[b"(cd ", &string(dir), b")\n"]);
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
            &[
                b"(message \"%s\" ",
                &string(&bstr::join("\n", lines)),
                b")\n",
            ],
        );
    }

    fn close(&self, outcome: Outcome<'_>, _: &Delta, out: &mut Vec<u8>) {
        match outcome {
            Outcome::Success => out.extend_from_slice(b"t\n"),
            Outcome::Failure => out.extend_from_slice(b"nil\n"),
            Outcome::Text(text) => push(out, &[&string(text), b"\n"]),
        }
    }
}

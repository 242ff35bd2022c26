//! Ruby.
//!
//! Source: Ruby documentation "String Literals". In double quotes `#` begins an interpolation and takes a backslash.

use bstr::BString;

use super::{Outcome, Statements, push, quote};
use crate::env::delta::{Change, Delta};

/// Ruby.
#[derive(Debug)]
pub(super) struct Ruby;

/// A string in double quotes.
pub(super) fn string(value: &[u8]) -> Vec<u8> {
    quote::escaped(value, b"\"\\#", |b| format!("\\x{b:02X}"))
}

impl Statements for Ruby {
    fn reserved(&self) -> &'static [&'static str] {
        &[]
    }

    fn open(&self, _: &Delta, _: &mut Vec<u8>) {}

    fn write(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), &'static str> {
        match change {
            Change::SetVar { name, value } => {
                let name = name.as_str().as_bytes();
                push(out, &[b"ENV[\"", name, b"\"] = ", &string(value), b"\n"]);
            }
            Change::UnsetVar { name } => {
                push(out, &[b"ENV[\"", name.as_str().as_bytes(), b"\"] = nil\n"]);
            }
            Change::Chdir { dir } => {
                push(out, &[b"Dir.chdir(", &string(dir), b")\n"]);
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
        push(out, &[b"puts ", &string(&bstr::join("\n", lines)), b"\n"]);
    }

    fn close(&self, outcome: Outcome<'_>, _: &Delta, out: &mut Vec<u8>) {
        match outcome {
            Outcome::Success => out.extend_from_slice(b"_mlstatus = true\n"),
            Outcome::Failure => out.extend_from_slice(b"_mlstatus = false\n"),
            Outcome::Text(text) => push(out, &[b"_mlstatus = ", &string(text), b"\n"]),
        }
    }
}

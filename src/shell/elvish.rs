//! Elvish.
//!
//! Source: the Elvish reference, "String" and the module `builtin`. Double quotes take escapes for any byte, so the code is
//! ASCII whatever the values hold.

use bstr::BString;

use super::{Outcome, Statements, push, quote};
use crate::env::delta::{Change, Delta};

/// Elvish.
#[derive(Debug)]
pub(super) struct Elvish;

/// A string in double quotes.
pub(super) fn string(value: &[u8]) -> Vec<u8> {
    quote::escaped(value, b"\"\\", |b| format!("\\x{b:02x}"))
}

impl Statements for Elvish {
    fn reserved(&self) -> &'static [&'static str] {
        &["PWD"]
    }

    fn open(&self, _: &Delta, _: &mut Vec<u8>) {}

    fn write(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), &'static str> {
        match change {
            Change::SetVar { name, value } => {
                let name = name.as_str().as_bytes();
                push(out, &[b"set-env ", name, b" ", &string(value), b"\n"]);
            }
            Change::UnsetVar { name } => {
                push(out, &[b"unset-env ", name.as_str().as_bytes(), b"\n"]);
            }
            Change::Chdir { dir } => push(out, &[b"cd ", &string(dir), b"\n"]),
            Change::Execute { code } => push(out, &[code, b"\n"]),
            // Code given to `eval` cannot define names that outlive it.
            Change::SetAlias { .. }
            | Change::UnsetAlias { .. }
            | Change::SetFunction { .. }
            | Change::UnsetFunction { .. }
            | Change::ExportFunction { .. }
            | Change::Complete { .. }
            | Change::Uncomplete { .. } => {}
        }
        Ok(())
    }

    fn echo(&self, lines: &[BString], out: &mut Vec<u8>) {
        push(out, &[b"echo ", &string(&bstr::join("\n", lines)), b"\n"]);
    }

    fn close(&self, outcome: Outcome<'_>, _: &Delta, out: &mut Vec<u8>) {
        match outcome {
            Outcome::Success => {}
            Outcome::Failure => out.extend_from_slice(b"fail 'the module command failed'\n"),
            Outcome::Text(text) => self.echo(&[text.to_owned()], out),
        }
    }
}

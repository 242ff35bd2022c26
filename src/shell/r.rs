//! R.
//!
//! Source: R documentation "Quotes": a hexadecimal escape takes at most two digits, so the next character is never a part of it.

use bstr::BString;

use super::{Outcome, Statements, push, quote};
use crate::env::delta::{Change, Delta};

/// R.
#[derive(Debug)]
pub(super) struct R;

/// A string in double quotes.
pub(super) fn string(value: &[u8]) -> Vec<u8> {
    quote::escaped(value, b"\"\\", |b| format!("\\x{b:02x}"))
}

impl Statements for R {
    fn reserved(&self) -> &'static [&'static str] {
        &[]
    }

    fn open(&self, _: &Delta, _: &mut Vec<u8>) {}

    fn write(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), &'static str> {
        match change {
            Change::SetVar { name, value } => {
                let name = name.as_str().as_bytes();
                push(
                    out,
                    &[b"Sys.setenv(\"", name, b"\"=", &string(value), b")\n"],
                );
            }
            Change::UnsetVar { name } => {
                push(
                    out,
                    &[b"Sys.unsetenv(\"", name.as_str().as_bytes(), b"\")\n"],
                );
            }
            Change::Chdir { dir } => {
                push(out, &[b"setwd(", &string(dir), b")\n"]);
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
            &[b"writeLines(", &string(&bstr::join("\n", lines)), b")\n"],
        );
    }

    fn close(&self, outcome: Outcome<'_>, _: &Delta, out: &mut Vec<u8>) {
        match outcome {
            Outcome::Success => out.extend_from_slice(b"mlstatus <- TRUE\n"),
            Outcome::Failure => out.extend_from_slice(b"mlstatus <- FALSE\n"),
            Outcome::Text(text) => push(out, &[b"mlstatus <- ", &string(text), b"\n"]),
        }
    }
}

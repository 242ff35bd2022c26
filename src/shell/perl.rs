//! Perl.
//!
//! Source: perlop "Quote and Quote-like Operators": in single quotes only the quote and the backslash are special.

use bstr::BString;

use super::{Outcome, Statements, push, quote};
use crate::env::delta::{Change, Delta};

/// Perl.
#[derive(Debug)]
pub(super) struct Perl;

impl Statements for Perl {
    fn reserved(&self) -> &'static [&'static str] {
        &[]
    }

    fn open(&self, _: &Delta, _: &mut Vec<u8>) {}

    fn write(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), &'static str> {
        match change {
            Change::SetVar { name, value } => {
                let name = name.as_str().as_bytes();
                let value = quote::backslashed(value);
                push(out, &[b"$ENV{'", name, b"'} = ", &value, b";\n"]);
            }
            Change::UnsetVar { name } => {
                push(out, &[b"delete $ENV{'", name.as_str().as_bytes(), b"'};\n"]);
            }
            Change::Chdir { dir } => {
                push(out, &[b"chdir ", &quote::backslashed(dir), b";\n"]);
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
        let text = quote::backslashed(&bstr::join("\n", lines));
        push(out, &[b"print ", &text, b", \"\\n\";\n"]);
    }

    fn close(&self, outcome: Outcome<'_>, _: &Delta, out: &mut Vec<u8>) {
        match outcome {
            Outcome::Success => out.extend_from_slice(b"{ no strict 'vars'; $_mlstatus = 1; }\n"),
            Outcome::Failure => out.extend_from_slice(b"{ no strict 'vars'; $_mlstatus = 0; }\n"),
            Outcome::Text(text) => {
                let text = quote::backslashed(text);
                push(
                    out,
                    &[b"{ no strict 'vars'; $_mlstatus = ", &text, b"; }\n"],
                );
            }
        }
    }
}

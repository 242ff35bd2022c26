//! Lua, for scripts that have luaposix.
//!
//! Source: Lua 5.1 and 5.4 manuals "Lexical Conventions": decimal escapes are the ones that every version has.

use bstr::BString;

use super::{Outcome, Statements, push, quote};
use crate::env::delta::{Change, Delta};

/// Lua.
#[derive(Debug)]
pub(super) struct Lua;

/// A string in double quotes.
pub(super) fn string(value: &[u8]) -> Vec<u8> {
    quote::escaped(value, b"\"\\", |b| format!("\\{b:03}"))
}

impl Statements for Lua {
    fn reserved(&self) -> &'static [&'static str] {
        &[]
    }

    fn open(&self, _: &Delta, out: &mut Vec<u8>) {
        out.extend_from_slice(b"local posix = require(\"posix\")\n");
    }

    fn write(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), &'static str> {
        match change {
            Change::SetVar { name, value } => {
                let name = name.as_str().as_bytes();
                push(
                    out,
                    &[b"posix.setenv(\"", name, b"\", ", &string(value), b")\n"],
                );
            }
            Change::UnsetVar { name } => {
                push(
                    out,
                    &[b"posix.setenv(\"", name.as_str().as_bytes(), b"\")\n"],
                );
            }
            Change::Chdir { dir } => {
                push(out, &[b"posix.chdir(", &string(dir), b")\n"]);
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
        push(out, &[b"print(", &string(&bstr::join("\n", lines)), b")\n"]);
    }

    fn close(&self, outcome: Outcome<'_>, _: &Delta, out: &mut Vec<u8>) {
        match outcome {
            Outcome::Success => out.extend_from_slice(b"_mlstatus = true\n"),
            Outcome::Failure => out.extend_from_slice(b"_mlstatus = false\n"),
            Outcome::Text(text) => push(out, &[b"_mlstatus = ", &string(text), b"\n"]),
        }
    }
}

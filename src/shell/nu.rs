//! Nushell.
//!
//! Source: the Nushell book, "Working with strings", "Environment". Nushell cannot run text as code, so its start file asks
//! for JSON and gives the result to `load-env`; this is for scripts that are written to a file and read by `source`.

use bstr::{BString, ByteSlice};

use super::{Outcome, Statements, push, quote};
use crate::env::delta::{Change, Delta};

/// Nushell.
#[derive(Debug)]
pub(super) struct Nu;

/// A string in double quotes.
pub(super) fn string(value: &[u8]) -> Result<String, &'static str> {
    let value = value
        .to_str()
        .map_err(|_| "Nushell holds only UTF-8 text")?;
    Ok(quote::text(value, &['"', '\\'], |c| {
        format!("\\u{{{:x}}}", u32::from(c))
    }))
}

impl Statements for Nu {
    fn reserved(&self) -> &'static [&'static str] {
        // Nushell sets these by itself and refuses or ignores others' values.
        &["CURRENT_FILE", "FILE_PWD", "LAST_EXIT_CODE", "PWD"]
    }

    fn open(&self, _: &Delta, _: &mut Vec<u8>) {}

    fn write(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), &'static str> {
        match change {
            Change::SetVar { name, value } => {
                let value = string(value)?;
                let name = name.as_str().as_bytes();
                push(out, &[b"$env.", name, b" = ", value.as_bytes(), b"\n"]);
            }
            Change::UnsetVar { name } => {
                push(out, &[b"hide-env -i ", name.as_str().as_bytes(), b"\n"]);
            }
            Change::Chdir { dir } => push(out, &[b"cd ", string(dir)?.as_bytes(), b"\n"]),
            Change::Execute { code } => push(out, &[code, b"\n"]),
            // Bodies are written in the language of Bourne shells, which shares nothing with this one.
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
        let text = bstr::join("\n", lines).to_str_lossy().into_owned();
        let text = string(text.as_bytes()).expect("lossy text is UTF-8");
        push(out, &[b"print ", text.as_bytes(), b"\n"]);
    }

    fn close(&self, outcome: Outcome<'_>, _: &Delta, out: &mut Vec<u8>) {
        match outcome {
            Outcome::Success => {}
            Outcome::Failure => {
                out.extend_from_slice(b"error make -u {msg: \"the module command failed\"}\n");
            }
            Outcome::Text(text) => self.echo(&[text.to_owned()], out),
        }
    }
}

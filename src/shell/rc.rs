//! rc, Byron Rakitzis's version for Unix.
//!
//! Source: rc(1). All variables are exported; within quotes only the quote itself is special.

use bstr::BString;

use super::{Outcome, Statements, push, quote, starts_with_word};
use crate::env::delta::{Change, Delta};

/// rc.
#[derive(Debug)]
pub(super) struct Rc;

impl Statements for Rc {
    fn reserved(&self) -> &'static [&'static str] {
        // The lower-case lists are the same variables as their upper-case twins.
        &[
            "apid", "apids", "bqstatus", "cdpath", "home", "ifs", "path", "pid", "ppid", "prompt",
            "status", "version",
        ]
    }

    fn open(&self, _: &Delta, _: &mut Vec<u8>) {}

    fn write(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), &'static str> {
        match change {
            Change::SetVar { name, value } => {
                // rc writes lists with \001 between the words, and \002 before such a byte within one.
                if value.contains(&1) || value.contains(&2) {
                    return Err("rc takes the bytes 1 and 2 for the end of a word");
                }
                if value.contains(&0xff) {
                    return Err("rc takes the byte 255 for the end of its input");
                }
                let name = name.as_str().as_bytes();
                push(out, &[name, b"=", &quote::doubled(value), b"\n"]);
            }
            Change::UnsetVar { name } => push(out, &[name.as_str().as_bytes(), b"=()\n"]),
            Change::SetAlias { name, value } => {
                // A function that bears the name of its command would call itself; `env` runs programs only.
                let own = starts_with_word(value, name);
                let prefix: &[u8] = if own { b"env " } else { b"" };
                let name = quote::doubled(name.as_bytes());
                push(
                    out,
                    &[
                        b"fn ",
                        &name,
                        b" { ",
                        prefix,
                        value.trim_ascii(),
                        b" $* }\n",
                    ],
                );
            }
            Change::SetFunction { name, sh, .. } => {
                let name = quote::doubled(name.as_bytes());
                push(out, &[b"fn ", &name, b" {\n", sh, b"\n}\n"]);
            }
            Change::UnsetAlias { name } | Change::UnsetFunction { name } => {
                push(out, &[b"fn ", &quote::doubled(name.as_bytes()), b"\n"]);
            }
            Change::ExportFunction { .. } | Change::Complete { .. } | Change::Uncomplete { .. } => {
            }
            Change::Chdir { dir } => push(out, &[b"cd ", &quote::doubled(dir), b"\n"]),
            Change::Execute { code } => push(out, &[code, b"\n"]),
        }
        Ok(())
    }

    fn echo(&self, lines: &[BString], out: &mut Vec<u8>) {
        let text = quote::doubled(&bstr::join("\n", lines));
        push(out, &[b"printf '%s\\n' ", &text, b"\n"]);
    }

    fn close(&self, outcome: Outcome<'_>, _: &Delta, out: &mut Vec<u8>) {
        match outcome {
            Outcome::Success => {}
            Outcome::Failure => out.extend_from_slice(b"false\n"),
            Outcome::Text(text) => self.echo(&[text.to_owned()], out),
        }
    }
}

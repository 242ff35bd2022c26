//! Python 3, and xonsh, which is Python with an environment of its own.
//!
//! Source: Python reference "String and Bytes literals"; `os.environb`; xonsh manual "Environment". The code imports what it
//! uses, because clients run it in a fresh namespace, and is never empty, because an empty answer means failure to them.

use bstr::{BString, ByteSlice};

use super::{Outcome, Statements, push, quote};
use crate::env::delta::{Change, Delta};

/// Python or xonsh.
#[derive(Debug)]
pub(super) struct Python {
    dialect: Dialect,
}

#[derive(Debug)]
enum Dialect {
    /// The environment is `os.environ`.
    Python,
    /// The environment is `__xonsh__.env`, and there are aliases.
    Xonsh,
}

pub(super) static PYTHON: Python = Python {
    dialect: Dialect::Python,
};

pub(super) static XONSH: Python = Python {
    dialect: Dialect::Xonsh,
};

/// A string or, behind a `b`, a literal of bytes.
fn bytes(value: &[u8]) -> Vec<u8> {
    quote::escaped(value, b"\"\\", |b| format!("\\x{b:02x}"))
}

/// A string; bytes that are not UTF-8 become the code points that Python itself gives them (`surrogateescape`).
pub(super) fn string(value: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for chunk in value.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => out.extend_from_slice(&[b'\\', c as u8]),
                ' '..='~' => out.push(c as u8),
                _ => out.extend_from_slice(format!("\\U{:08x}", u32::from(c)).as_bytes()),
            }
        }
        for b in chunk.invalid() {
            out.extend_from_slice(format!("\\udc{b:02x}").as_bytes());
        }
    }
    out.push(b'"');
    out
}

impl Statements for Python {
    fn reserved(&self) -> &'static [&'static str] {
        &[]
    }

    fn open(&self, _: &Delta, out: &mut Vec<u8>) {
        out.extend_from_slice(b"import os\n");
    }

    fn write(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), &'static str> {
        match (change, &self.dialect) {
            (Change::SetVar { name, value }, Dialect::Python) => {
                let name = name.as_str().as_bytes();
                if value.is_ascii() {
                    push(
                        out,
                        &[b"os.environ[\"", name, b"\"] = ", &bytes(value), b"\n"],
                    );
                } else {
                    // The encoding of `os.environ` follows the locale; bytes do not.
                    push(
                        out,
                        &[b"os.environb[b\"", name, b"\"] = b", &bytes(value), b"\n"],
                    );
                }
            }
            (Change::SetVar { name, value }, Dialect::Xonsh) => {
                let name = name.as_str().as_bytes();
                push(
                    out,
                    &[b"__xonsh__.env[\"", name, b"\"] = ", &string(value), b"\n"],
                );
            }
            (Change::UnsetVar { name }, Dialect::Python) => {
                let name = name.as_str().as_bytes();
                push(out, &[b"os.environ.pop(\"", name, b"\", None)\n"]);
            }
            (Change::UnsetVar { name }, Dialect::Xonsh) => {
                let name = name.as_str().as_bytes();
                push(out, &[b"__xonsh__.env.pop(\"", name, b"\", None)\n"]);
            }
            (Change::SetAlias { name, value }, Dialect::Xonsh) => {
                let value = string(value);
                push(
                    out,
                    &[b"aliases[\"", name.as_bytes(), b"\"] = ", &value, b"\n"],
                );
            }
            (Change::UnsetAlias { name }, Dialect::Xonsh) => {
                push(out, &[b"aliases.pop(\"", name.as_bytes(), b"\", None)\n"]);
            }
            (Change::Chdir { dir }, _) => push(out, &[b"os.chdir(", &string(dir), b")\n"]),
            // These are words of a shell and have no meaning here; its code would be an error.
            (
                Change::SetAlias { .. }
                | Change::UnsetAlias { .. }
                | Change::SetFunction { .. }
                | Change::UnsetFunction { .. }
                | Change::ExportFunction { .. }
                | Change::Complete { .. }
                | Change::Uncomplete { .. }
                | Change::Execute { .. },
                _,
            ) => {}
        }
        Ok(())
    }

    fn echo(&self, lines: &[BString], out: &mut Vec<u8>) {
        let text = bstr::join("\n", lines).to_str_lossy().into_owned();
        push(out, &[b"print(", &string(text.as_bytes()), b")\n"]);
    }

    fn close(&self, outcome: Outcome<'_>, _: &Delta, out: &mut Vec<u8>) {
        match outcome {
            Outcome::Success => out.extend_from_slice(b"_mlstatus = True\n"),
            Outcome::Failure => out.extend_from_slice(b"_mlstatus = False\n"),
            Outcome::Text(text) => push(out, &[b"_mlstatus = ", &string(text), b"\n"]),
        }
    }
}

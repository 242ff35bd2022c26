//! C shells: tcsh, and csh (which is tcsh on most systems, the BSD one on some).
//!
//! The code reaches the shell through ``eval `...` ``, which turns newlines and tabs into blanks and runs of blanks into one.
//! So every statement ends in `;`, and newlines and tabs in values come from variables that the start file defines. A shell
//! that has not read it keeps the earlier value and says so. In an `eval` without the start file's `noglob`, the shell itself
//! expands braces and `*` in the code: then values that hold such characters do not arrive as they should.
//!
//! Source: tcsh(1) "Lexical structure", "Substitutions".

use bstr::{BString, ByteSlice};

use super::{Outcome, Statements, push, quote};
use crate::env::delta::Change;

/// A C shell.
#[derive(Debug)]
pub(super) struct Csh {
    /// Under which name modulefiles write completions for it.
    completes: Option<&'static str>,
}

pub(super) static TCSH: Csh = Csh {
    completes: Some("tcsh"),
};

pub(super) static CSH: Csh = Csh { completes: None };

/// A statement made of `command` and a value, which may hold newlines and tabs.
fn with_value(command: &[u8], value: &[u8], what: &[u8], out: &mut Vec<u8>) {
    if !value.iter().any(|b| b"\n\t".contains(b)) {
        push(out, &[command, &quote::csh(value), b";\n"]);
        return;
    }
    let mut statement = command.to_vec();
    let mut rest = value;
    while let Some(at) = rest.find_byteset(b"\n\t") {
        if at > 0 {
            statement.extend_from_slice(&quote::csh(&rest[..at]));
        }
        statement.extend_from_slice(if rest[at] == b'\n' {
            b"$_xmod_nl:q"
        } else {
            b"$_xmod_tab:q"
        });
        rest = &rest[at + 1..];
    }
    if !rest.is_empty() {
        statement.extend_from_slice(&quote::csh(rest));
    }
    // A variable that is not defined would end the whole script; inside `eval` it is looked up only when it is there.
    push(
        out,
        &[b"if ($?_xmod_nl) eval ", &quote::csh(&statement), b";\n"],
    );
    let complaint = [what, b" holds a newline or tab: source init/tcsh first"].concat();
    push(
        out,
        &[b"if (! $?_xmod_nl) echo ", &quote::csh(&complaint), b";\n"],
    );
}

/// The body of an alias: the arguments of Bourne shells become those of C shells, and `!` is kept from meaning history.
fn alias_body(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(&b) = rest.first() {
        let (text, used): (Vec<u8>, usize) = match rest {
            [b'"', b'$', b'*' | b'@', b'"', ..] => (b"!*".to_vec(), 4),
            [b'$', b'*' | b'@', ..] => (b"!*".to_vec(), 2),
            [b'$', digit @ b'1'..=b'9', ..] => (vec![b'!', b':', *digit], 2),
            [b'\n', ..] => (b"; ".to_vec(), 1),
            [b'!', ..] => (b"\\!".to_vec(), 1),
            _ => (vec![b], 1),
        };
        out.extend_from_slice(&text);
        rest = &rest[used..];
    }
    out
}

impl Statements for Csh {
    fn reserved(&self) -> &'static [&'static str] {
        &[]
    }

    fn open(&self, _: &mut Vec<u8>) {}

    fn write(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), &'static str> {
        match change {
            Change::SetVar { name, value } => {
                let name = name.as_str().as_bytes();
                with_value(&[b"setenv ", name, b" "].concat(), value, name, out);
            }
            Change::UnsetVar { name } => {
                push(out, &[b"unsetenv ", name.as_str().as_bytes(), b";\n"]);
            }
            Change::SetAlias { name, value }
            | Change::SetFunction {
                name, csh: value, ..
            } => {
                let body = alias_body(value.trim_ascii());
                let name = name.as_bytes();
                with_value(&[b"alias ", name, b" "].concat(), &body, name, out);
            }
            Change::UnsetAlias { name } | Change::UnsetFunction { name } => {
                push(out, &[b"unalias ", name.as_bytes(), b";\n"]);
            }
            Change::ExportFunction { .. } => {}
            Change::Complete {
                shell,
                command,
                spec,
            } => {
                if self.completes == Some(shell.as_str()) {
                    push(out, &[b"complete ", command.as_bytes(), b" ", spec, b";\n"]);
                }
            }
            Change::Uncomplete { shell, command } => {
                if self.completes == Some(shell.as_str()) {
                    push(out, &[b"uncomplete ", command.as_bytes(), b";\n"]);
                }
            }
            Change::Chdir { dir } => with_value(b"cd ", dir, b"directory", out),
            Change::Execute { code } => {
                let code = code.trim_ascii_end().strip_suffix(b";").unwrap_or(code);
                push(out, &[code, b";\n"]);
            }
        }
        Ok(())
    }

    fn echo(&self, lines: &[BString], out: &mut Vec<u8>) {
        // The built-in `echo` reads backslashes or not as `echo_style` says.
        for line in lines.iter().flat_map(|text| text.split_str("\n")) {
            with_value(b"/usr/bin/printf '%s\\n' ", line, b"line", out);
        }
    }

    fn close(&self, outcome: Outcome<'_>, out: &mut Vec<u8>) {
        match outcome {
            // `:` gives status 0, and `eval` something to do.
            Outcome::Success => out.extend_from_slice(b":;\n"),
            Outcome::Failure => out.extend_from_slice(b"false\n"),
            Outcome::Text(text) => self.echo(&[text.to_owned()], out),
        }
    }
}

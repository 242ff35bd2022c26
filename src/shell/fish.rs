//! fish, version 3 and later.
//!
//! Source: fish documentation "The fish language". Lists are left to fish: it splits variables whose names end in `PATH` at
//! colons by itself and joins them again for programs.

use bstr::BString;

use super::script::{Addition, Script, ScriptStatements};
use super::{Outcome, Statements, push, quote, starts_with_word};
use crate::env::delta::{Change, Delta};

/// fish.
#[derive(Debug)]
pub(super) struct Fish;

/// Defines a function by code of its own, so that a mistake in its body spoils nothing else.
fn function(name: &str, body: &[u8], out: &mut Vec<u8>) {
    let code = [b"function ", name.as_bytes(), b"\n", body, b"\nend"].concat();
    push(out, &[b"eval ", &quote::backslashed(&code), b";\n"]);
}

impl Statements for Fish {
    fn reserved(&self) -> &'static [&'static str] {
        &[
            "FISH_VERSION",
            "PWD",
            "SHLVL",
            "_",
            "argv",
            "fish_kill_signal",
            "fish_killring",
            "fish_pid",
            "history",
            "hostname",
            "pipestatus",
            "status",
            "status_generation",
            "umask",
            "version",
        ]
    }

    fn open(&self, _: &Delta, _: &mut Vec<u8>) {}

    fn write(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), &'static str> {
        match change {
            Change::SetVar { name, value } => {
                let name = name.as_str().as_bytes();
                push(
                    out,
                    &[b"set -gx ", name, b" ", &quote::backslashed(value), b";\n"],
                );
            }
            Change::UnsetVar { name } => {
                push(out, &[b"set -e ", name.as_str().as_bytes(), b";\n"]);
            }
            Change::SetAlias { name, value } => {
                // A command of the same name is meant by the body, not the function itself.
                let own = starts_with_word(value, name);
                let prefix: &[u8] = if own { b"command " } else { b"" };
                function(name, &[prefix, value.trim_ascii(), b" $argv"].concat(), out);
            }
            Change::SetFunction { name, sh, .. } => function(name, sh, out),
            Change::UnsetAlias { name } | Change::UnsetFunction { name } => {
                push(out, &[b"functions -e ", name.as_bytes(), b";\n"]);
            }
            Change::ExportFunction { .. } => {}
            Change::Complete {
                shell,
                command,
                spec,
            } => {
                if shell == "fish" {
                    let command = command.as_bytes();
                    push(out, &[b"complete -e -c ", command, b";\n"]);
                    push(out, &[b"complete -c ", command, b" ", spec, b";\n"]);
                }
            }
            Change::Uncomplete { shell, command } => {
                if shell == "fish" {
                    push(out, &[b"complete -e -c ", command.as_bytes(), b";\n"]);
                }
            }
            Change::Chdir { dir } => push(out, &[b"cd -- ", &quote::backslashed(dir), b";\n"]),
            Change::Execute { code } => push(out, &[code, b"\n"]),
        }
        Ok(())
    }

    fn echo(&self, lines: &[BString], out: &mut Vec<u8>) {
        let text = quote::backslashed(&bstr::join("\n", lines));
        push(out, &[b"printf '%s\\n' ", &text, b";\n"]);
    }

    fn close(&self, outcome: Outcome<'_>, _: &Delta, out: &mut Vec<u8>) {
        match outcome {
            Outcome::Success => out.extend_from_slice(b"true\n"),
            Outcome::Failure => out.extend_from_slice(b"false\n"),
            Outcome::Text(text) => self.echo(&[text.to_owned()], out),
        }
    }
}

impl ScriptStatements for Fish {
    fn begin(&self, script: &Script, out: &mut Vec<u8>) {
        let (mark, value) = &script.mark;
        let (mark, busy) = (mark.as_str().as_bytes(), script.busy.as_str().as_bytes());
        let clear: Vec<Vec<u8>> = script
            .clear
            .iter()
            .map(|w| quote::backslashed(w.as_bytes()))
            .collect();
        let clear = bstr::join(" ", clear);
        push(
            out,
            &[
                b"if test \"$",
                mark,
                b"\" = ",
                &quote::backslashed(value),
                b"\ntrue\n",
                b"else if test -n \"$",
                busy,
                b"\"; and not begin; ",
                &clear,
                b" | source; test \"$pipestatus\" = '0 0'; end\nfalse\nelse\n",
            ],
        );
    }

    fn add(&self, addition: &Addition, out: &mut Vec<u8>) {
        // In double quotes a list that is a path is joined by colons; assigning takes it apart again.
        let grown = &addition.grown;
        let name = grown.name.as_str().as_bytes();
        let set =
            |value: &[u8], out: &mut Vec<u8>| push(out, &[b"set -gx ", name, b" ", value, b"\n"]);
        push(out, &[b"if test -z \"$", name, b"\"\n"]);
        set(&quote::backslashed(&grown.value(None)), out);
        if let Some((before, after)) = &addition.known {
            push(
                out,
                &[
                    b"else if test \"$",
                    name,
                    b"\" = ",
                    &quote::backslashed(before),
                    b"\n",
                ],
            );
            set(&quote::backslashed(after), out);
        }
        out.extend_from_slice(b"else\n");
        let (mut front, mut back) = (Vec::new(), Vec::new());
        if let Some(text) = &grown.front {
            front = quote::backslashed(&[text.as_slice(), &grown.delim].concat());
        }
        if let Some(text) = &grown.back {
            back = quote::backslashed(&[grown.delim.as_slice(), text].concat());
        }
        set(&[&front, &b"\"$"[..], name, b"\"", &back].concat(), out);
        out.extend_from_slice(b"end\n");
    }

    fn end(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"true\nend\n");
    }
}

//! Bourne-like shells: sh (dash, busybox), bash, zsh, ksh93, mksh.
//!
//! Source: POSIX.1-2017 "Shell Command Language"; the manuals of the four others. One statement a line, because CMake's
//! `FindEnvModules` and similar readers take the code apart by lines.

use bstr::{BString, ByteSlice};

use super::script::{Addition, Script, ScriptStatements};
use super::{Outcome, Statements, is_identifier, push, quote};
use crate::env::delta::{Change, Delta};

/// A Bourne-like shell, told by what it can do.
#[derive(Debug)]
pub(super) struct Bourne {
    /// Under which name modulefiles write completions for it; `None` where it has none that a line of code can set.
    completes: Option<&'static str>,
    /// Whether a function may be exported to child shells.
    exports_functions: bool,
    /// Whether the names of functions may hold more than identifiers do.
    any_function_name: bool,
    /// How a variable is given a value and exported.
    assignment: Assignment,
    /// Whether it holds text only: other bytes would end its reading in the middle of a word.
    text_only: bool,
    /// What keeps an alias of the user from being put in place of a command: a backslash, or nothing where clients take the
    /// code apart by lines.
    guard: &'static [u8],
    /// The command that prints its arguments as they are, one a line.
    print: &'static str,
    /// What keeps a change from being made in part where a variable is `readonly`.
    readonly: Readonly,
    reserved: &'static [&'static str],
}

/// What a shell does at an assignment to a `readonly` variable.
#[derive(Debug, PartialEq, Eq)]
enum Readonly {
    /// It ends the script, or the line that a person typed: there is nothing to add.
    Ends,
    /// It gives up the code: the attempt comes before all else, so that nothing has changed by then.
    Probe,
    /// It gives up one command and goes on behind it with success: all of the code is one command.
    Whole,
}

/// How a variable is given a value and exported.
#[derive(Debug)]
enum Assignment {
    /// `X=v;` and `export X;` on lines of their own.
    Plain,
    /// `export X=v;`: in a zsh function with `WARN_CREATE_GLOBAL` the plain form prints a warning.
    Export,
}

pub(super) static SH: Bourne = Bourne {
    completes: None,
    exports_functions: false,
    any_function_name: false,
    assignment: Assignment::Plain,
    text_only: false,
    guard: b"",
    print: "printf '%s\\n'",
    readonly: Readonly::Ends,
    reserved: &["PPID", "_"],
};

pub(super) static YASH: Bourne = Bourne {
    completes: None,
    exports_functions: false,
    any_function_name: false,
    assignment: Assignment::Plain,
    text_only: true,
    guard: b"\\",
    print: "\\printf '%s\\n'",
    readonly: Readonly::Probe,
    reserved: &["LINENO", "PPID", "_"],
};

pub(super) static BASH: Bourne = Bourne {
    completes: Some("bash"),
    exports_functions: true,
    any_function_name: true,
    assignment: Assignment::Plain,
    text_only: false,
    guard: b"\\",
    print: "\\printf '%s\\n'",
    readonly: Readonly::Whole,
    reserved: &[
        "BASHOPTS",
        "BASH_ARGC",
        "BASH_ARGV",
        "BASH_LINENO",
        "BASH_SOURCE",
        "BASH_VERSINFO",
        "DIRSTACK",
        "EUID",
        "FUNCNAME",
        "GROUPS",
        "PIPESTATUS",
        "PPID",
        "SHELLOPTS",
        "UID",
        "_",
    ],
};

pub(super) static ZSH: Bourne = Bourne {
    completes: None,
    exports_functions: false,
    any_function_name: true,
    assignment: Assignment::Export,
    text_only: false,
    guard: b"\\",
    print: "\\builtin print -rl --",
    // Lower-case names are tied to `PATH` and its kind, or tell about the shell: a module that sets `path` means its own.
    readonly: Readonly::Probe,
    reserved: &[
        "ARGC",
        "EGID",
        "ERRNO",
        "EUID",
        "FUNCNEST",
        "GID",
        "HISTCMD",
        "LINENO",
        "PPID",
        "TTYIDLE",
        "UID",
        "USERNAME",
        "ZSH_SUBSHELL",
        "_",
        "argv",
        "cdpath",
        "fignore",
        "fpath",
        "funcstack",
        "functrace",
        "histchars",
        "mailpath",
        "manpath",
        "module_path",
        "path",
        "pipestatus",
        "prompt",
        "psvar",
        "signals",
        "status",
        "watch",
        "zsh_eval_context",
    ],
};

pub(super) static KSH: Bourne = Bourne {
    completes: None,
    exports_functions: false,
    any_function_name: false,
    assignment: Assignment::Plain,
    text_only: false,
    guard: b"\\",
    print: "\\print -r --",
    readonly: Readonly::Probe,
    reserved: &["LINENO", "PPID", "SECONDS", "RANDOM", "_"],
};

pub(super) static MKSH: Bourne = Bourne {
    completes: None,
    exports_functions: false,
    any_function_name: true,
    assignment: Assignment::Plain,
    text_only: false,
    guard: b"\\",
    print: "\\print -r --",
    readonly: Readonly::Probe,
    reserved: &[
        "EPOCHREALTIME",
        "KSHEGID",
        "KSHGID",
        "KSHUID",
        "KSH_VERSION",
        "LINENO",
        "PGRP",
        "PPID",
        "RANDOM",
        "SECONDS",
        "USER_ID",
        "_",
    ],
};

impl Bourne {
    fn function(&self, name: &str, body: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
        if !self.any_function_name && !is_identifier(name) {
            return Err("in this shell the name of a function holds letters, digits and `_` only");
        }
        let body = if body.trim_ascii().is_empty() {
            b":"
        } else {
            body
        };
        let name = name.as_bytes();
        // An alias of that name would be put in place of the name that is being defined.
        let unalias = [self.guard, b"unalias "].concat();
        push(out, &[&unalias, name, b" 2>/dev/null || true;\n"]);
        push(out, &[name, b" () {\n", body, b"\n};\n"]);
        Ok(())
    }
}

impl Statements for Bourne {
    fn reserved(&self) -> &'static [&'static str] {
        self.reserved
    }

    fn open(&self, delta: &Delta, out: &mut Vec<u8>) {
        if delta.failed || self.readonly == Readonly::Ends {
            return;
        }
        if self.readonly == Readonly::Whole && !delta.changes.is_empty() {
            out.extend_from_slice(b"{\n");
        }
        for change in &delta.changes {
            if let Change::SetVar { name, .. } | Change::UnsetVar { name } = change
                && !self.reserved.contains(&name.as_str())
            {
                let name = name.as_str().as_bytes();
                // No pieces put together first: this is written for each variable of each load.
                push(
                    out,
                    &[
                        b"case ${",
                        name,
                        b"+s} in s) ",
                        name,
                        b"=\"$",
                        name,
                        b"\"; esac;\n",
                    ],
                );
            }
        }
    }

    fn write(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let guard = self.guard;
        match change {
            Change::SetVar { value, .. } if self.text_only && value.to_str().is_err() => {
                return Err("this shell holds only UTF-8 text");
            }
            Change::SetVar { name, value } => {
                let name = name.as_str().as_bytes();
                let word = if value.is_empty() {
                    Vec::new()
                } else {
                    quote::sh(value)
                };
                match self.assignment {
                    Assignment::Plain => {
                        push(out, &[name, b"=", &word, b";\n"]);
                        push(out, &[guard, b"export ", name, b";\n"]);
                    }
                    Assignment::Export => {
                        push(out, &[guard, b"export ", name, b"=", &word, b";\n"]);
                    }
                }
            }
            Change::UnsetVar { name } => {
                push(out, &[guard, b"unset ", name.as_str().as_bytes(), b";\n"]);
            }
            Change::SetAlias { name, value } => {
                let value = quote::sh_single(value);
                push(
                    out,
                    &[guard, b"alias ", name.as_bytes(), b"=", &value, b";\n"],
                );
            }
            Change::UnsetAlias { name } => {
                push(
                    out,
                    &[
                        guard,
                        b"unalias ",
                        name.as_bytes(),
                        b" 2>/dev/null || true;\n",
                    ],
                );
            }
            Change::SetFunction { name, sh, .. } => self.function(name, sh, out)?,
            Change::UnsetFunction { name } => {
                push(
                    out,
                    &[
                        guard,
                        b"unset -f ",
                        name.as_bytes(),
                        b" 2>/dev/null || true;\n",
                    ],
                );
            }
            Change::ExportFunction { name } => {
                if self.exports_functions {
                    push(
                        out,
                        &[
                            guard,
                            b"export -f ",
                            name.as_bytes(),
                            b" 2>/dev/null || true;\n",
                        ],
                    );
                }
            }
            Change::Complete {
                shell,
                command,
                spec,
            } => {
                if self.completes == Some(shell.as_str()) {
                    push(
                        out,
                        &[guard, b"complete ", spec, b" ", command.as_bytes(), b";\n"],
                    );
                }
            }
            Change::Uncomplete { shell, command } => {
                if self.completes == Some(shell.as_str()) {
                    push(
                        out,
                        &[
                            guard,
                            b"complete -r ",
                            command.as_bytes(),
                            b" 2>/dev/null || true;\n",
                        ],
                    );
                }
            }
            Change::Chdir { dir } => push(out, &[b"\\cd -- ", &quote::sh_single(dir), b";\n"]),
            // Its own status must not be taken for that of the request.
            Change::Execute { code } => push(out, &[code, b"\ntrue;\n"]),
        }
        Ok(())
    }

    fn echo(&self, lines: &[BString], out: &mut Vec<u8>) {
        let text = quote::sh_single(&bstr::join("\n", lines));
        push(out, &[self.print.as_bytes(), b" ", &text, b";\n"]);
    }

    fn close(&self, outcome: Outcome<'_>, delta: &Delta, out: &mut Vec<u8>) {
        match outcome {
            Outcome::Success => {}
            Outcome::Failure => out.extend_from_slice(b"false\n"),
            Outcome::Text(text) => self.echo(&[text.to_owned()], out),
        }
        if self.readonly == Readonly::Whole && !delta.failed && !delta.changes.is_empty() {
            // A group of nothing is a mistake: all that changes may be another shell's, as completions are.
            match out.as_slice() {
                b"{\n" => out.clear(),
                _ => out.extend_from_slice(b"}\n"),
            }
        }
    }
}

impl ScriptStatements for Bourne {
    fn begin(&self, script: &Script, out: &mut Vec<u8>) {
        let (mark, value) = &script.mark;
        let (mark, busy) = (mark.as_str().as_bytes(), script.busy.as_str().as_bytes());
        push(
            out,
            &[
                b"if [ \"${",
                mark,
                b"-}\" = ",
                &quote::sh_single(value),
                b" ]; then\ntrue;\n",
            ],
        );
        let clear: Vec<Vec<u8>> = script
            .clear
            .iter()
            .map(|w| quote::sh_single(w.as_bytes()))
            .collect();
        let clear = bstr::join(" ", clear);
        push(
            out,
            &[
                b"elif [ -n \"${",
                busy,
                b"-}\" ] && ! { __xmod_code=$(",
                &clear,
                b") && eval \"$__xmod_code\"; }; then\nfalse;\nelse\nunset __xmod_code;\n",
            ],
        );
    }

    fn add(&self, addition: &Addition, out: &mut Vec<u8>) {
        let grown = &addition.grown;
        let name = grown.name.as_str().as_bytes();
        let delim = double_quoted(&grown.delim);
        if let Some((before, after)) = &addition.known {
            let before = quote::sh_single(before);
            push(
                out,
                &[b"if [ \"${", name, b"-}\" = ", &before, b" ]; then\n"],
            );
            push(out, &[name, b"=", &quote::sh_single(after), b";\nelse\n"]);
        }
        push(out, &[name, b"="]);
        match (&grown.front, &grown.back) {
            (Some(front), None) => push(
                out,
                &[
                    &quote::sh_single(front),
                    b"\"${",
                    name,
                    b":+",
                    &delim,
                    b"$",
                    name,
                    b"}\"",
                ],
            ),
            (Some(front), Some(back)) => push(
                out,
                &[
                    &quote::sh_single(front),
                    b"\"${",
                    name,
                    b":+",
                    &delim,
                    b"$",
                    name,
                    b"}\"",
                    &quote::sh_single(&[grown.delim.as_slice(), back].concat()),
                ],
            ),
            (None, Some(back)) => push(
                out,
                &[
                    b"\"${",
                    name,
                    b":+$",
                    name,
                    &delim,
                    b"}\"",
                    &quote::sh_single(back),
                ],
            ),
            (None, None) => push(out, &[b"\"${", name, b"-}\""]),
        }
        out.extend_from_slice(b";\n");
        if addition.known.is_some() {
            out.extend_from_slice(b"fi;\n");
        }
        push(out, &[b"export ", name, b";\n"]);
    }

    fn end(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"true;\nfi\n");
    }
}

/// Text for the inside of double quotes, in `${X:+...}`.
fn double_quoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for &b in text {
        if b"$`\\\"}".contains(&b) {
            out.push(b'\\');
        }
        out.push(b);
    }
    out
}

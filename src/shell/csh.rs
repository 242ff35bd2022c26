//! C shells: tcsh, and csh (which is tcsh on most systems, the BSD one on some).
//!
//! The code reaches the shell through ``eval `...` ``, which turns newlines and tabs into blanks and runs of blanks into one.
//! So every statement ends in `;`, and newlines and tabs in values come from variables that the start file defines. A shell
//! that has not read it keeps the earlier value and says so. In an `eval` without the start file's `noglob`, the shell itself
//! expands braces and `*` in the code: then values that hold such characters do not arrive as they should.
//!
//! The BSD csh takes at most 1000 words in one `eval` and refuses longer code as a whole; only a load that changes hundreds of
//! variables at once comes near.
//!
//! Source: tcsh(1) "Lexical structure", "Substitutions".

use bstr::{BString, ByteSlice};

use super::script::{Addition, Script, ScriptStatements};
use super::{Outcome, Statements, push, quote};
use crate::env::delta::{Change, Delta};

/// The longest word of the BSD csh is 4096 bytes; some are left for the rest of the word.
const WORD_MAX_BYTES: usize = 4000;

/// A C shell.
#[derive(Debug)]
pub(super) struct Csh {
    /// Under which name modulefiles write completions for it.
    completes: Option<&'static str>,
    /// Whether it may be the BSD one, whose words are short.
    may_be_bsd: bool,
}

pub(super) static TCSH: Csh = Csh {
    completes: Some("tcsh"),
    may_be_bsd: false,
};

pub(super) static CSH: Csh = Csh {
    completes: None,
    may_be_bsd: true,
};

/// A statement made of `command` and a value, which may hold newlines and tabs.
fn with_value(command: &[u8], value: &[u8], what: &[u8], out: &mut Vec<u8>) {
    if !value.iter().any(|b| b"\n\t".contains(b)) {
        let word = if value.is_utf8() {
            quote::csh(value)
        } else {
            pieces(value)
        };
        push(out, &[command, &word, b";\n"]);
        return;
    }
    let statement = [command, &pieces(value)].concat();
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

/// A word with newlines and tabs taken from variables, and bytes that are no characters from a program.
fn pieces(value: &[u8]) -> Vec<u8> {
    let mut word = Vec::new();
    let mut rest = value;
    while let Some(at) = rest.find_byteset(b"\n\t") {
        if at > 0 {
            piece(&rest[..at], &mut word);
        }
        word.extend_from_slice(if rest[at] == b'\n' {
            b"$_xmod_nl:q"
        } else {
            b"$_xmod_tab:q"
        });
        rest = &rest[at + 1..];
    }
    if !rest.is_empty() {
        piece(rest, &mut word);
    }
    word
}

/// A part of a word, without newlines and tabs.
///
/// Where tcsh reads code or the output of a program, up to 16 bytes behind an invalid character get lost at each 4096th
/// character, and quotes with them. So such bytes are never in the code, and never among that many others.
fn piece(text: &[u8], word: &mut Vec<u8>) {
    if text.is_utf8() {
        word.extend_from_slice(&quote::csh_single(text));
        return;
    }
    for part in text.chunks(1000) {
        word.extend_from_slice(b"\"`/usr/bin/printf '");
        for byte in part {
            word.extend_from_slice(format!("\\{byte:03o}").as_bytes());
        }
        word.extend_from_slice(b"'`\"");
    }
}

/// Gives a long value to a variable piece by piece, because the BSD csh stops a script at a word of more than 4096 bytes.
/// Where the whole value is longer than that, only tcsh is given it.
fn set_in_chunks(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    // Quoting, twice, makes up to 13 bytes of one.
    const CHUNK_BYTES: usize = 250;
    let fits = value.len() < WORD_MAX_BYTES;
    let guard: &[u8] = if fits {
        b"if ($?_xmod_nl) eval "
    } else {
        b"if ($?_xmod_nl && $?tcsh) eval "
    };
    for (i, chunk) in value.chunks(CHUNK_BYTES).enumerate() {
        let before = if i == 0 {
            Vec::new()
        } else {
            [&b"$"[..], name, b":q"].concat()
        };
        let statement = [&b"setenv "[..], name, b" ", &before, &pieces(chunk)].concat();
        push(out, &[guard, &quote::csh(&statement), b";\n"]);
    }
    if !fits {
        let complaint = [
            name,
            b" left as it is: this csh holds no more than 4096 bytes",
        ]
        .concat();
        push(
            out,
            &[b"if (! $?tcsh) echo ", &quote::csh(&complaint), b";\n"],
        );
    }
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

    fn open(&self, _: &Delta, _: &mut Vec<u8>) {}

    fn write(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), &'static str> {
        match change {
            Change::SetVar { name, value } => {
                let name = name.as_str().as_bytes();
                if self.may_be_bsd && quote::csh(value).len() > WORD_MAX_BYTES / 13 {
                    set_in_chunks(name, value, out);
                } else {
                    with_value(&[b"setenv ", name, b" "].concat(), value, name, out);
                }
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
                // Tcl modulefiles write functions for Bourne-like shells only.
                if !body.is_empty() {
                    with_value(&[b"alias ", name, b" "].concat(), &body, name, out);
                }
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

    fn close(&self, outcome: Outcome<'_>, _: &Delta, out: &mut Vec<u8>) {
        match outcome {
            // `:` gives status 0, and `eval` something to do.
            Outcome::Success => out.extend_from_slice(b":;\n"),
            Outcome::Failure => out.extend_from_slice(b"false\n"),
            Outcome::Text(text) => self.echo(&[text.to_owned()], out),
        }
    }
}

impl ScriptStatements for Csh {
    fn begin(&self, script: &Script, out: &mut Vec<u8>) {
        let (mark, value) = &script.mark;
        let (mark, busy) = (mark.as_str().as_bytes(), script.busy.as_str().as_bytes());
        let clear: Vec<Vec<u8>> = script
            .clear
            .iter()
            .map(|w| quote::csh_single(w.as_bytes()))
            .collect();
        let clear = bstr::join(" ", clear);
        // As in the start files: without `noglob` the shell would expand braces and stars in the code.
        push(
            out,
            &[
                b"set _xmod_nl = '\\\n'\nset _xmod_tab = '\t'\nset _xmod_todo = yes\n",
                b"if ($?", mark, b") then\nif (\"$", mark, b"\" == ", &quote::csh_single(value),
                b") set _xmod_todo = no\nendif\n",
                b"if ($_xmod_todo == yes && $?", busy, b") then\nif (\"$", busy, b"\" != '') then\n",
                b"set _xmod_noglob = $?noglob\nset noglob\nset _xmod_code = `", &clear, b"`\n",
                b"if (! $_xmod_noglob) unset noglob\nif ($#_xmod_code == 0) set _xmod_code = false\n",
                b"eval $_xmod_code:q\nif ($status) set _xmod_todo = failed\nendif\nendif\n",
                b"if ($_xmod_todo == yes) then\n",
            ],
        );
    }

    fn add(&self, addition: &Addition, out: &mut Vec<u8>) {
        let grown = &addition.grown;
        let name = grown.name.as_str().as_bytes();
        let set =
            |value: &[u8], out: &mut Vec<u8>| push(out, &[b"setenv ", name, b" ", value, b"\n"]);
        let (mut front, mut back) = (Vec::new(), Vec::new());
        if let Some(text) = &grown.front {
            front = pieces(&[text.as_slice(), &grown.delim].concat());
        }
        if let Some(text) = &grown.back {
            back = pieces(&[grown.delim.as_slice(), text].concat());
        }
        push(out, &[b"if (! $?", name, b") setenv ", name, b" ''\n"]);
        push(out, &[b"if (\"$", name, b"\" == '') then\n"]);
        set(&pieces(&grown.value(None)), out);
        if let Some((before, after)) = &addition.known {
            push(
                out,
                &[
                    b"else if (\"$",
                    name,
                    b"\" == ",
                    &pieces(before),
                    b") then\n",
                ],
            );
            set(&pieces(after), out);
        }
        out.extend_from_slice(b"else\n");
        set(&[&front, &b"$"[..], name, b":q", &back].concat(), out);
        out.extend_from_slice(b"endif\n");
    }

    fn end(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(
            b"endif\nif ($_xmod_todo == failed) then\nunset _xmod_todo\nfalse\nelse\nunset _xmod_todo\n:\nendif\n",
        );
    }
}

//! Turns a difference between two states into code for a shell or a language. Never evaluates anything.
//!
//! [`SHELLS`] is the table of all of them. Two shells differ by implementing [`Statements`] (or [`Shell`], where the
//! result is one document), never by a comparison of names. What a shell cannot hold is left out and reported: a changed
//! value would be worse than none.
//!
//! Sources: Lmod's `init` files and `src/*.lua` output classes as seen from outside; `module(1)` "Shell support"; the manual
//! of each shell for its quoting rules, proven by `tests/shells.rs` in the real interpreters.

mod bourne;
mod cmake;
mod cmd;
mod csh;
mod elvish;
mod envfile;
mod fish;
mod init;
mod json;
mod language;
mod lisp;
mod lua;
mod nu;
mod perl;
mod pwsh;
mod python;
mod quote;
mod r;
mod rc;
mod ruby;
mod script;
mod tcl;

pub use init::{InitPaths, LMOD_VERSION, Start, command_not_found};
pub use script::{Addition, Script, Sourced};

use std::fmt;

use bstr::{BStr, BString, ByteSlice};

use crate::env::VarName;
use crate::env::delta::{Change, Delta};

/// The longest `NAME=value` that the kernel passes to a program (`MAX_ARG_STRLEN`, with its final NUL). One variable above
/// it, and no program starts any more.
const ENTRY_MAX_BYTES: usize = 128 * 1024;

/// The first variable that a difference would make longer than the kernel lets programs have, with its size in bytes.
pub fn too_long(delta: &Delta) -> Option<(&VarName, usize)> {
    delta.changes.iter().find_map(|change| match change {
        Change::SetVar { name, value } => {
            let size = name.as_str().len() + value.len() + 2;
            (size > ENTRY_MAX_BYTES).then_some((name, size))
        }
        _ => None,
    })
}

/// Takes out of `delta` the values of more than `limit` bytes, for a shell that holds no longer words.
pub fn drop_longer(delta: &mut Delta, limit: usize) -> Vec<Dropped> {
    let is_longer =
        |change: &mut Change| matches!(change, Change::SetVar { value, .. } if value.len() > limit);
    let longer = delta.changes.extract_if(.., is_longer);
    longer
        .map(|change| Dropped {
            what: describe(&change),
            why: "its value is longer than the setting `csh_limit` allows",
        })
        .collect()
}

/// Code for a shell, and what could not be said in its language.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Emission {
    /// The code, for standard output.
    pub code: Vec<u8>,
    /// Changes that the shell cannot make, in the order of the delta.
    pub dropped: Vec<Dropped>,
}

/// A change that a shell cannot make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// What was to change: `variable X`, `alias n`.
    pub what: String,
    /// Why it stays as it is.
    pub why: &'static str,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} left as it is: {}", self.what, self.why)
    }
}

/// How the code ends: with a status, or with a text result in its place.
#[derive(Debug, Clone, Copy)]
enum Outcome<'a> {
    /// The request was met.
    Success,
    /// The request failed: the code must make the shell function return false.
    Failure,
    /// The request was met and its answer is this text.
    Text(&'a BStr),
}

/// A shell or language that code can be written for.
pub trait Shell: Sync + fmt::Debug {
    /// Writes the code that makes all changes of `delta`.
    fn emit(&self, delta: &Delta) -> Emission;

    /// Whether the code can hold text to be printed: where not, reports stay on standard error.
    fn echoes(&self) -> bool;
}

/// A shell whose code is a sequence of statements. All methods are required: a new shell that forgets one does not
/// compile, and a new kind of [`Change`] must be answered in each.
trait Statements: Sync + fmt::Debug {
    /// Variables that the shell keeps for itself: an assignment fails, or changes how the shell works.
    fn reserved(&self) -> &'static [&'static str];

    /// Writes what stands before all else.
    fn open(&self, delta: &Delta, out: &mut Vec<u8>);

    /// Writes one change, or says why this shell cannot make it. What has no meaning in a language (an alias in Python)
    /// is passed over in silence.
    fn write(&self, change: &Change, out: &mut Vec<u8>) -> Result<(), &'static str>;

    /// Writes code that prints `lines` on standard output. Never called without lines.
    fn echo(&self, lines: &[BString], out: &mut Vec<u8>);

    /// Writes the end of the code.
    fn close(&self, outcome: Outcome<'_>, delta: &Delta, out: &mut Vec<u8>);

    /// Writes all changes; those that the shell cannot make are reported.
    fn write_all(&self, delta: &Delta, emission: &mut Emission) {
        let out = &mut emission.code;
        for code in &delta.first {
            let code = Change::Execute { code: code.clone() };
            // Code goes out as it is; no shell refuses it.
            let _ = self.write(&code, out);
        }
        for change in &delta.changes {
            let written = admit(change, self.reserved()).and_then(|()| self.write(change, out));
            if let Err(why) = written {
                emission.dropped.push(Dropped {
                    what: describe(change),
                    why,
                });
            }
        }
    }
}

impl<T: Statements> Shell for T {
    fn emit(&self, delta: &Delta) -> Emission {
        let mut emission = Emission::default();
        self.open(delta, &mut emission.code);
        self.write_all(delta, &mut emission);
        let out = &mut emission.code;
        if !delta.echo.is_empty() {
            self.echo(&delta.echo, out);
        }
        self.close(outcome(delta), delta, out);
        emission
    }

    fn echoes(&self) -> bool {
        true
    }
}

/// How the code for `delta` ends.
fn outcome(delta: &Delta) -> Outcome<'_> {
    match &delta.result {
        _ if delta.failed => Outcome::Failure,
        Some(text) => Outcome::Text(text.as_bstr()),
        None => Outcome::Success,
    }
}

/// Refuses what no shell can hold, and names that would become code.
fn admit(change: &Change, reserved: &[&str]) -> Result<(), &'static str> {
    match change {
        Change::SetVar { name, value } => {
            if reserved.contains(&name.as_str()) {
                Err("this shell keeps the variable for itself")
            } else if value.contains(&0) {
                Err("no environment can hold a value with a NUL byte")
            } else if name.as_str().len() + value.len() + 2 > ENTRY_MAX_BYTES {
                Err("with more than 128 KiB in one variable no program would start any more")
            } else {
                Ok(())
            }
        }
        Change::UnsetVar { name } => {
            if reserved.contains(&name.as_str()) {
                Err("this shell keeps the variable for itself")
            } else {
                Ok(())
            }
        }
        Change::SetAlias { name, .. }
        | Change::UnsetAlias { name }
        | Change::SetFunction { name, .. }
        | Change::UnsetFunction { name }
        | Change::ExportFunction { name }
        | Change::Complete { command: name, .. }
        | Change::Uncomplete { command: name, .. } => {
            if is_command_name(name) {
                Ok(())
            } else {
                Err("not a name that a command can have")
            }
        }
        Change::Chdir { .. } | Change::Execute { .. } => Ok(()),
    }
}

/// Whether `name` can stand for a command in every shell without quotes.
fn is_command_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(['-', '+'])
        && name != "."
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-+.:@".contains(&b))
}

/// Whether `name` is an identifier, the only kind of function name that POSIX promises.
fn is_identifier(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether the first word of a command line is `name`: a function of that name would call itself.
fn starts_with_word(line: &[u8], name: &str) -> bool {
    line.trim_ascii_start()
        .strip_prefix(name.as_bytes())
        .is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
}

/// What a change is about, for a message.
fn describe(change: &Change) -> String {
    match change {
        Change::SetVar { name, .. } | Change::UnsetVar { name } => format!("variable `{name}`"),
        Change::SetAlias { name, .. } | Change::UnsetAlias { name } => format!("alias `{name}`"),
        Change::SetFunction { name, .. }
        | Change::UnsetFunction { name }
        | Change::ExportFunction { name } => format!("function `{name}`"),
        Change::Complete { command, .. } | Change::Uncomplete { command, .. } => {
            format!("completion of `{command}`")
        }
        Change::Chdir { dir } => format!("working directory `{dir}`"),
        Change::Execute { .. } => "code".to_owned(),
    }
}

/// Appends the pieces, in order.
fn push(out: &mut Vec<u8>, pieces: &[&[u8]]) {
    for piece in pieces {
        out.extend_from_slice(piece);
    }
}

/// One row of [`SHELLS`].
#[derive(Debug)]
pub struct Row {
    /// The name that `xmod NAME load ...` takes and that modulefiles see.
    pub name: &'static str,
    /// Other names for the same output.
    pub aliases: &'static [&'static str],
    /// The shell type that modulefiles see (`module-info shelltype`, `myShellType`).
    pub kind: &'static str,
    /// Whether people type into it: a report may go through the pager.
    pub for_people: bool,
    /// Whether the setting `csh_limit` holds for it.
    pub is_limited: bool,
    /// What writes its code.
    pub shell: &'static dyn Shell,
    /// What it reads when it starts.
    pub start: Option<Start>,
    /// What writes scripts that it can source.
    pub script: Option<&'static dyn Sourced>,
}

impl Row {
    const fn limited(self) -> Row {
        Row {
            is_limited: true,
            ..self
        }
    }

    const fn sources(self, script: &'static dyn Sourced) -> Row {
        Row {
            script: Some(script),
            ..self
        }
    }
}

/// All shells and languages, in the order in which help lists them.
#[rustfmt::skip]
pub static SHELLS: &[Row] = &[
    shell("bash", &[], "sh", &bourne::BASH, init::BASH).sources(&bourne::BASH),
    shell("zsh", &[], "sh", &bourne::ZSH, init::ZSH).sources(&bourne::ZSH),
    shell("sh", &["dash", "ash", "busybox"], "sh", &bourne::SH, init::SH).sources(&bourne::SH),
    shell("ksh", &["ksh93"], "sh", &bourne::KSH, init::KSH).sources(&bourne::KSH),
    shell("mksh", &["pdksh", "lksh"], "sh", &bourne::MKSH, init::MKSH).sources(&bourne::MKSH),
    shell("yash", &[], "sh", &bourne::YASH, init::YASH).sources(&bourne::YASH),
    shell("tcsh", &[], "csh", &csh::TCSH, init::TCSH).sources(&csh::TCSH),
    shell("csh", &[], "csh", &csh::CSH, init::CSH).sources(&csh::CSH).limited(),
    shell("fish", &[], "fish", &fish::Fish, init::FISH).sources(&fish::Fish),
    shell("rc", &[], "rc", &rc::Rc, init::RC),
    shell("nushell", &["nu"], "nushell", &nu::Nu, init::NU),
    shell("xonsh", &[], "python", &python::XONSH, init::XONSH),
    shell("elvish", &[], "elvish", &elvish::Elvish, init::ELVISH),
    shell("pwsh", &["powershell"], "pwsh", &pwsh::Pwsh, init::PWSH),
    shell("cmd", &[], "cmd", &cmd::Cmd, init::CMD),
    language("python", &["python3"], &python::PYTHON, init::PYTHON),
    language("perl", &[], &perl::Perl, init::PERL),
    language("ruby", &[], &ruby::Ruby, init::RUBY),
    language("r", &["R", "Rscript"], &r::R, init::R),
    language("cmake", &[], &cmake::CMake, init::CMAKE),
    language("lisp", &["emacs"], &lisp::Lisp, init::LISP),
    language("lua", &[], &lua::Lua, init::LUA),
    language("tcl", &[], &tcl::Tcl, init::TCL),
    language("json", &[], &json::Json, None),
    language("dotenv", &[], &envfile::DOTENV, None),
    language("systemd", &[], &envfile::SYSTEMD, None),
    language("docker", &["dockerfile"], &envfile::DOCKER, None),
    language("github", &[], &envfile::GITHUB, None),
];

/// A program that people type into.
const fn shell(
    name: &'static str,
    aliases: &'static [&'static str],
    kind: &'static str,
    shell: &'static dyn Shell,
    start: Option<Start>,
) -> Row {
    Row {
        name,
        aliases,
        kind,
        for_people: true,
        is_limited: false,
        shell,
        start,
        script: None,
    }
}

/// What programs read. Modulefiles see it as a kind of its own.
const fn language(
    name: &'static str,
    aliases: &'static [&'static str],
    shell: &'static dyn Shell,
    start: Option<Start>,
) -> Row {
    Row {
        name,
        aliases,
        kind: name,
        for_people: false,
        is_limited: false,
        shell,
        start,
        script: None,
    }
}

/// The row of a shell by one of its names.
pub fn find(name: &str) -> Option<&'static Row> {
    SHELLS
        .iter()
        .find(|row| row.name == name || row.aliases.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, value: &[u8]) -> Change {
        Change::SetVar {
            name: VarName::new(name).unwrap(),
            value: value.into(),
        }
    }

    #[test]
    fn every_name_of_a_shell_is_found_once() {
        let mut names: Vec<&str> = SHELLS
            .iter()
            .flat_map(|row| std::iter::once(row.name).chain(row.aliases.iter().copied()))
            .collect();
        assert!(names.iter().all(|n| find(n).is_some()));
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(find("nosuch").is_none());
    }

    #[test]
    fn no_shell_is_given_a_nul_byte_or_a_variable_that_stops_all_programs() {
        let long = vec![b'x'; ENTRY_MAX_BYTES];
        let delta = Delta {
            changes: vec![set("A", b"a\0b"), set("B", &long)],
            ..Delta::default()
        };
        for row in SHELLS {
            let emission = row.shell.emit(&delta);
            assert_eq!(emission.dropped.len(), 2, "{}", row.name);
            assert!(emission.code.len() < 500, "{}", row.name);
        }
    }

    #[test]
    fn names_of_aliases_and_functions_never_become_code() {
        let evil = "x; touch /tmp/evil #".to_owned();
        let delta = Delta {
            changes: vec![
                Change::SetAlias {
                    name: evil.clone(),
                    value: "ls".into(),
                },
                Change::UnsetFunction { name: evil.clone() },
                Change::Uncomplete {
                    shell: "bash".to_owned(),
                    command: evil,
                },
            ],
            ..Delta::default()
        };
        for row in SHELLS {
            let emission = row.shell.emit(&delta);
            assert!(!emission.code.contains_str("touch"), "{}", row.name);
            assert_eq!(emission.dropped.len(), 3, "{}", row.name);
        }
    }

    #[test]
    fn variables_that_a_shell_keeps_for_itself_are_left_alone() {
        for (shell, name) in [("bash", "UID"), ("zsh", "path"), ("fish", "status")] {
            let delta = Delta {
                changes: vec![set(name, b"x"), set("OTHER", b"y")],
                ..Delta::default()
            };
            let emission = find(shell).unwrap().shell.emit(&delta);
            assert_eq!(emission.dropped.len(), 1, "{shell}");
            assert!(!emission.code.contains_str(name), "{shell}");
            assert!(emission.code.contains_str("OTHER"), "{shell}");
        }
    }

    #[test]
    fn json_is_one_object_whatever_happens() {
        let delta = Delta {
            changes: vec![set("A", b"a\n\"b\""), set("B", b"\xff")],
            echo: vec!["said".into()],
            failed: true,
            ..Delta::default()
        };
        let emission = find("json").unwrap().shell.emit(&delta);
        let value: serde_json::Value = serde_json::from_slice(&emission.code).unwrap();
        assert_eq!(value["env"]["A"], "a\n\"b\"");
        assert_eq!(value["env"]["B"], serde_json::Value::Null);
        assert_eq!(value["stdout"], "said");
        assert_eq!(value["_mlstatus"], false);
        assert_eq!(emission.dropped.len(), 1);
    }

    #[test]
    fn a_failed_request_says_so_in_every_language() {
        // A file of variables has no word for it: it stays empty.
        for row in SHELLS.iter().filter(|row| row.shell.echoes()) {
            let good = row.shell.emit(&Delta::default()).code;
            let bad = row.shell.emit(&Delta {
                failed: true,
                ..Delta::default()
            });
            assert_ne!(good, bad.code, "{}", row.name);
        }
    }
}

//! What a shell script does to a session: run it in its own shell, look before and after, and say the difference as
//! environment operations.
//!
//! Environment, aliases, functions, completions and the working directory are compared. The script's own output is
//! dropped. Source: `modulefile(4)` `source-sh`; Lmod user guide "source_sh".

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use bstr::{BStr, BString, ByteSlice};

use super::Host;
use super::program::{self, Input, ProgramError};
use crate::env::{EnvOp, PathAction, VarName};

/// Which kinds of change are taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kinds {
    variables: bool,
    aliases: bool,
    functions: bool,
    completions: bool,
    directory: bool,
}

impl Kinds {
    /// All kinds but those named.
    ///
    /// # Errors
    /// The word that names no kind.
    pub(super) fn without(words: &[String]) -> Result<Kinds, String> {
        let mut kinds = Kinds {
            variables: true,
            aliases: true,
            functions: true,
            completions: true,
            directory: true,
        };
        for word in words {
            match word.as_str() {
                "envvar" => kinds.variables = false,
                "alias" => kinds.aliases = false,
                "function" => kinds.functions = false,
                "complete" => kinds.completions = false,
                "chdir" => kinds.directory = false,
                _ => return Err(word.clone()),
            }
        }
        Ok(kinds)
    }
}

/// Why a script's changes are not known.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScriptError {
    /// We do not know how to ask this shell.
    #[error("shell `{0}` is not supported: sh, dash, bash, ksh, zsh, csh, tcsh, fish or bash-eval")]
    Shell(String),
    /// No script is named.
    #[error("no script is given")]
    Empty,
    /// The script is not there.
    #[error("script `{0}` cannot be found")]
    Missing(BString),
    /// The shell failed.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The shell ended before the script did.
    #[error("script `{script}` ended with status {status}{}", said(.output))]
    Ended {
        script: BString,
        status: i32,
        output: String,
    },
}

fn said(output: &str) -> String {
    match output.is_empty() {
        true => String::new(),
        false => format!(": {output}"),
    }
}

/// A family of shells that are asked in the same words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Posix,
    Bash,
    Ksh,
    Zsh,
    Csh,
    Tcsh,
    Fish,
}

impl Dialect {
    fn of(shell: &str) -> Option<Dialect> {
        Some(match shell.rsplit('/').next().unwrap_or(shell) {
            "sh" | "dash" | "ash" => Dialect::Posix,
            "bash" | "bash-eval" => Dialect::Bash,
            "ksh" | "ksh93" | "mksh" => Dialect::Ksh,
            "zsh" => Dialect::Zsh,
            "csh" => Dialect::Csh,
            "tcsh" => Dialect::Tcsh,
            "fish" => Dialect::Fish,
            _ => return None,
        })
    }

    /// Options that keep start-up files out.
    fn options(self) -> &'static [&'static str] {
        match self {
            Dialect::Bash => &["--noprofile", "--norc"],
            Dialect::Zsh | Dialect::Csh | Dialect::Tcsh => &["-f"],
            Dialect::Fish => &["--no-config"],
            Dialect::Posix | Dialect::Ksh => &[],
        }
    }

    /// The program that looks, runs the script with its arguments, and looks again. What it prints is divided by
    /// `mark:SECTION;`.
    fn program(self, mark: &str, run: Run) -> String {
        let run = match (self, run) {
            // Not every C shell hands arguments to `source`.
            (Dialect::Csh | Dialect::Tcsh, _) => {
                "set __xmod_script = $argv[1]:q; shift; source $__xmod_script:q"
            }
            (Dialect::Fish, _) => "source $argv",
            (_, Run::Eval) => r#"eval "$("$@")""#,
            (_, Run::Source) => r#"__xmod_script=$1; shift; . "$__xmod_script""#,
        };
        match self {
            Dialect::Csh | Dialect::Tcsh => {
                let complete = match self {
                    Dialect::Tcsh => format!("echo '{mark}:complete;'; complete; "),
                    _ => String::new(),
                };
                // Without functions the questions are written out twice.
                let look = format!(
                    "echo '{mark}:env;'; /usr/bin/env -0; echo '{mark}:alias-tab;'; alias; {complete}echo '{mark}:cwd;'; echo $cwd:q; "
                );
                format!("{look}echo '{mark}:run;'; {run}; {look}echo '{mark}:end;'")
            }
            Dialect::Fish => format!(
                "function __xmod_look\n\
                 echo '{mark}:env;'; /usr/bin/env -0; echo '{mark}:alias-fish;'; alias; echo '{mark}:function;'\n\
                 for f in (functions --names)\n\
                 contains -- $f $__xmod_known; or begin; printf '%s\\0' $f; functions --no-details $f; printf '\\0'; end\n\
                 end\n\
                 echo '{mark}:complete-fish;'; complete; echo '{mark}:cwd;'; pwd\n\
                 end\n\
                 set -g __xmod_known (functions --names)\n\
                 __xmod_look; echo '{mark}:run;'; {run}; __xmod_look; echo '{mark}:end;'"
            ),
            Dialect::Posix | Dialect::Bash | Dialect::Ksh | Dialect::Zsh => format!(
                "__xmod_look() {{\n\
                 \\command printf '%s\\n' '{mark}:env;'; /usr/bin/env -0\n\
                 {questions}\
                 \\command printf '%s\\n' '{mark}:cwd;'; \\command pwd\n\
                 }}\n\
                 __xmod_look; \\command printf '%s\\n' '{mark}:run;'\n\
                 {run}\n\
                 __xmod_look; \\command printf '%s\\n' '{mark}:end;'",
                questions = self.questions(mark),
            ),
        }
    }

    /// How shells of the Bourne family tell their aliases, functions and completions. The asking function itself is
    /// left out: its text holds the marks.
    fn questions(self, mark: &str) -> String {
        match self {
            Dialect::Bash => format!(
                "builtin printf '%s\\n' '{mark}:alias;'\n\
                 for __xmod_k in \"${{!BASH_ALIASES[@]}}\"; do builtin printf '%s\\0%s\\0' \"$__xmod_k\" \"${{BASH_ALIASES[$__xmod_k]}}\"; done\n\
                 builtin printf '%s\\n' '{mark}:function;'\n\
                 for __xmod_k in $(builtin compgen -A function); do [ \"$__xmod_k\" = __xmod_look ] && continue; builtin printf '%s\\0' \"$__xmod_k\"; builtin declare -f -- \"$__xmod_k\"; builtin printf '\\0'; done\n\
                 builtin printf '%s\\n' '{mark}:complete-bash;'; builtin complete -p\n"
            ),
            Dialect::Zsh => format!(
                "builtin printf '%s\\n' '{mark}:alias;'\n\
                 for __xmod_k __xmod_v in \"${{(@kv)aliases}}\"; do builtin printf '%s\\0%s\\0' \"$__xmod_k\" \"$__xmod_v\"; done\n\
                 builtin printf '%s\\n' '{mark}:body;'\n\
                 for __xmod_k in \"${{(@k)functions}}\"; do [ \"$__xmod_k\" = __xmod_look ] && continue; builtin printf '%s\\0%s\\0' \"$__xmod_k\" \"$functions[$__xmod_k]\"; done\n"
            ),
            Dialect::Ksh => format!(
                "\\command printf '%s\\n' '{mark}:alias-quoted;'; \\command alias\n\
                 \\command printf '%s\\n' '{mark}:function;'\n\
                 for __xmod_k in $(typeset +f); do __xmod_k=${{__xmod_k%%'('*}}; case $__xmod_k in ''|__xmod_look) continue;; esac; \\command printf '%s\\0' \"$__xmod_k\"; typeset -f \"$__xmod_k\"; \\command printf '\\0'; done\n"
            ),
            _ => format!("\\command printf '%s\\n' '{mark}:alias-quoted;'; \\command alias\n"),
        }
    }
}

/// How the script is run.
#[derive(Debug, Clone, Copy)]
enum Run {
    /// Read by the shell.
    Source,
    /// Executed; its output is read by the shell.
    Eval,
}

/// What a session looks like to the comparison.
#[derive(Debug, Default, PartialEq, Eq)]
struct Look {
    variables: BTreeMap<BString, BString>,
    aliases: BTreeMap<String, BString>,
    functions: BTreeMap<String, BString>,
    completions: BTreeMap<String, BString>,
    directory: BString,
}

/// Runs `words` (a script and its arguments) in `shell` and tells what it changes.
///
/// # Errors
/// The shell or the script is missing, or ends early.
pub(super) fn changes(
    host: &Host,
    shell: &str,
    words: &[BString],
    kinds: Kinds,
) -> Result<Vec<EnvOp>, ScriptError> {
    let dialect = Dialect::of(shell).ok_or_else(|| ScriptError::Shell(shell.to_owned()))?;
    let (script, arguments) = words.split_first().ok_or(ScriptError::Empty)?;
    let script = find_script(host, script)?;
    let mark = mark();
    let (program, run) = match shell.strip_suffix("-eval") {
        Some(program) => (program, Run::Eval),
        None => (shell, Run::Source),
    };
    let text = dialect.program(&mark, run);
    let mut command: Vec<&BStr> = vec![program.as_bytes().as_bstr()];
    command.extend(dialect.options().iter().map(|o| o.as_bytes().as_bstr()));
    command.extend([b"-c".as_bstr(), text.as_bytes().as_bstr()]);
    if matches!(
        dialect,
        Dialect::Posix | Dialect::Bash | Dialect::Ksh | Dialect::Zsh
    ) {
        // The first word behind the program is `$0`.
        command.push(program.as_bytes().as_bstr());
    }
    command.push(script.as_bstr());
    command.extend(arguments.iter().map(|a| a.as_bstr()));
    let command: Vec<&std::ffi::OsStr> = command
        .iter()
        .map(|word| std::os::unix::ffi::OsStrExt::from_bytes(word))
        .collect();
    let output = program::run(host, &command, Input::None, host.program_time())?;
    let parts = output.stdout.split_once_str(&format!("{mark}:run;\n"));
    let end = format!("{mark}:end;\n");
    let (Some((before, after)), true) = (parts, output.stdout.ends_with(end.as_bytes())) else {
        return Err(ScriptError::Ended {
            script,
            status: output.status,
            output: output.stderr.trim_ascii().to_str_lossy().into_owned(),
        });
    };
    // What stands before the first mark of the second look is the script's own output.
    let shell = host.world.shell_name();
    let mut ops = difference(
        &read_look(before, &mark),
        &read_look(after, &mark),
        kinds,
        shell_of(dialect, shell),
    );
    if host.world.config().export_functions {
        export_all(&mut ops);
    }
    Ok(ops)
}

/// The shell that a completion of this dialect is meant for.
fn shell_of(dialect: Dialect, shell: &str) -> &str {
    match dialect {
        Dialect::Bash => "bash",
        Dialect::Tcsh => "tcsh",
        Dialect::Fish => "fish",
        _ => shell,
    }
}

/// A word that no script prints by chance.
fn mark() -> String {
    let time = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_nanos());
    format!("xmod-{:x}-{time:x}", std::process::id())
}

/// The script as a path that no shell looks up again.
fn find_script(host: &Host, name: &BString) -> Result<BString, ScriptError> {
    let is_file = |path: &[u8]| path.to_path().is_ok_and(std::path::Path::is_file);
    let missing = || ScriptError::Missing(name.clone());
    if name.contains(&b'/') {
        return is_file(name).then(|| name.clone()).ok_or_else(missing);
    }
    if is_file(name) {
        return Ok(BString::from([b"./", name.as_slice()].concat()));
    }
    host.var(b"PATH".as_bstr())
        .unwrap_or_default()
        .split_str(":")
        .map(|dir| BString::from([dir, b"/", name].concat()))
        .find(|path| is_file(path))
        .ok_or_else(missing)
}

/// Reads what one look printed.
fn read_look(text: &[u8], mark: &str) -> Look {
    let mut look = Look::default();
    let lead = format!("{mark}:");
    for section in text.split_str(&lead).skip(1) {
        let Some((name, text)) = section.split_once_str(";\n") else {
            continue;
        };
        match name {
            b"env" => {
                let entries = text.split(|&b| b == 0);
                look.variables = entries
                    .filter_map(|entry| entry.split_once_str("="))
                    .map(|(name, value)| (BString::from(name), BString::from(value)))
                    .collect();
            }
            b"alias" => look.aliases = pairs(text, |value| value.into()),
            b"body" => look.functions = pairs(text, |body| body.trim_ascii_end().into()),
            b"function" => look.functions = pairs(text, function_body),
            b"alias-quoted" => look.aliases = quoted_aliases(text),
            b"alias-tab" => look.aliases = tab_pairs(text, csh_alias),
            b"alias-fish" => look.aliases = fish_aliases(text),
            b"complete" => look.completions = tab_pairs(text, |spec| spec.into()),
            b"complete-bash" => {
                // `complete -F _f cmd`: the command stands last.
                for line in text.lines() {
                    let line = line.strip_prefix(b"complete ").unwrap_or(line);
                    if let Some((spec, command)) = line.rsplit_once_str(" ") {
                        add_line(&mut look.completions, command, spec);
                    }
                }
            }
            b"complete-fish" => {
                for line in text.lines() {
                    if let Some((command, spec)) = fish_completion(line) {
                        add_line(&mut look.completions, command, spec);
                    }
                }
            }
            b"cwd" => look.directory = text.strip_suffix(b"\n").unwrap_or(text).into(),
            _ => {}
        }
    }
    // A fish alias is a function too.
    look.functions
        .retain(|name, _| !look.aliases.contains_key(name));
    look
}

/// `name NUL value NUL ...`.
fn pairs(text: &[u8], read: impl Fn(&[u8]) -> BString) -> BTreeMap<String, BString> {
    let mut words = text.split(|&b| b == 0);
    let mut found = BTreeMap::new();
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        if let Ok(name) = name.to_str() {
            found.insert(name.to_owned(), read(value));
        }
    }
    found
}

/// `name TAB value` lines.
fn tab_pairs(text: &[u8], read: impl Fn(&[u8]) -> BString) -> BTreeMap<String, BString> {
    text.lines()
        .filter_map(|line| line.split_once_str("\t"))
        .filter_map(|(name, value)| Some((name.to_str().ok()?.to_owned(), read(value))))
        .collect()
}

fn add_line(map: &mut BTreeMap<String, BString>, name: &[u8], line: &[u8]) {
    if let Ok(name) = name.to_str() {
        let lines = map.entry(name.to_owned()).or_default();
        if !lines.is_empty() {
            lines.push(b'\n');
        }
        lines.extend_from_slice(line);
    }
}

/// The body of a function as shells print it: `f () { BODY }`, in fish `function f ... end`.
fn function_body(text: &[u8]) -> BString {
    let text = text.trim_ascii();
    let body = match text.strip_prefix(b"function ") {
        Some(rest) if text.ends_with(b"end") && !rest.contains_str("{") => {
            let rest = rest.split_once_str("\n").map_or(rest, |(_, body)| body);
            rest.strip_suffix(b"end").unwrap_or(rest)
        }
        _ => {
            // ksh93 prints a function as it was written, with what separates it from the next command.
            let text = text.strip_suffix(b";").unwrap_or(text).trim_ascii_end();
            let body = text.split_once_str("{").map_or(text, |(_, body)| body);
            body.strip_suffix(b"}").unwrap_or(body)
        }
    };
    body.trim_ascii().into()
}

/// `name='value'` or `alias name='value'` lines, quoted for the shell; a quoted value may span lines.
fn quoted_aliases(text: &[u8]) -> BTreeMap<String, BString> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, length) = shell_word(rest, b"\n");
        rest = rest.get(length + 1..).unwrap_or_default();
        let word = word.strip_prefix(b"alias ").unwrap_or(&word);
        if let Some((name, value)) = word.split_once_str("=")
            && let Ok(name) = name.to_str()
        {
            found.insert(name.to_owned(), value.into());
        }
    }
    found
}

/// One word of Bourne shell text up to one of the `ends`, without its quotes, and how many bytes it takes.
fn shell_word(text: &[u8], ends: &[u8]) -> (BString, usize) {
    let mut word = BString::default();
    let mut at = 0;
    while at < text.len() && !ends.contains(&text[at]) {
        match text[at] {
            b'\'' => {
                let length = text[at + 1..]
                    .find_byte(b'\'')
                    .unwrap_or(text.len() - at - 1);
                word.extend_from_slice(&text[at + 1..at + 1 + length]);
                at += length + 2;
            }
            b'"' => {
                at += 1;
                while at < text.len() && text[at] != b'"' {
                    if text[at] == b'\\' && at + 1 < text.len() && b"\"\\$`".contains(&text[at + 1])
                    {
                        at += 1;
                    }
                    word.push(text[at]);
                    at += 1;
                }
                at += 1;
            }
            b'\\' if at + 1 < text.len() => {
                word.push(text[at + 1]);
                at += 2;
            }
            byte => {
                word.push(byte);
                at += 1;
            }
        }
    }
    (word, at.min(text.len()))
}

/// The words of a command line of a Bourne shell, without expansions.
pub(super) fn split_words(line: &BStr) -> Vec<BString> {
    let mut words = Vec::new();
    let mut rest = line.trim_ascii_start();
    while !rest.is_empty() {
        let (word, length) = shell_word(rest, b" \t\n");
        words.push(word);
        rest = rest[length..].trim_ascii_start();
    }
    words
}

/// A C shell alias in the words of Bourne shells: history references become parameters.
fn csh_alias(value: &[u8]) -> BString {
    let value = value
        .strip_prefix(b"(")
        .and_then(|v| v.strip_suffix(b")"))
        .unwrap_or(value);
    let value = value
        .replace("\\!", "!")
        .replace("!:*", "$*")
        .replace("!*", "$*");
    let mut text = BString::default();
    let mut rest = value.as_slice();
    while let Some((before, after)) = rest.split_once_str("!:") {
        text.extend_from_slice(before);
        text.extend_from_slice(match after.first() {
            Some(digit) if digit.is_ascii_digit() => b"$".as_slice(),
            _ => b"!:",
        });
        rest = after;
    }
    text.extend_from_slice(rest);
    text
}

/// `alias name 'value'` lines of fish.
fn fish_aliases(text: &[u8]) -> BTreeMap<String, BString> {
    text.lines()
        .filter_map(|line| line.strip_prefix(b"alias "))
        .map(|line| split_words(line.as_bstr()))
        .filter_map(|words| match words.as_slice() {
            [name, value] => Some((name.to_str().ok()?.to_owned(), value.clone())),
            _ => None,
        })
        .collect()
}

/// `complete COMMAND SPEC` or `complete -c COMMAND SPEC`, as fish prints it.
fn fish_completion(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = line.strip_prefix(b"complete ")?;
    let rest = rest.strip_prefix(b"-c ").unwrap_or(rest);
    let (command, spec) = rest.split_once_str(" ")?;
    let is_name = !command.starts_with(b"-") && !command.starts_with(b"'");
    is_name.then_some((command, spec))
}

/// Variables that a shell changes by itself, and those that belong to module systems.
fn is_ignored(name: &[u8]) -> bool {
    const NAMES: [&str; 13] = [
        "OLDPWD",
        "PWD",
        "_",
        "_AST_FEATURES",
        "PS1",
        "SHLVL",
        "_LMFILES_",
        "LOADEDMODULES",
        "LS_COLORS",
        "BASH_ENV",
        "ENV",
        "A__z",
        "VENDOR",
    ];
    const PREFIXES: [&str; 3] = ["__MODULES_", "_ModuleTable", "__XMOD_"];
    NAMES.iter().any(|known| known.as_bytes() == name)
        || PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix.as_bytes()))
}

/// Gives every function to child shells, also those that the script has not exported itself.
fn export_all(ops: &mut Vec<EnvOp>) {
    ops.retain(|op| !matches!(op, EnvOp::ExportFunction { .. }));
    let exports: Vec<EnvOp> = ops
        .iter()
        .filter_map(|op| match op {
            EnvOp::Function { name, .. } => Some(EnvOp::ExportFunction { name: name.clone() }),
            _ => None,
        })
        .collect();
    ops.extend(exports);
}

/// The operations that lead from one look to the other, sorted by kind and name.
fn difference(before: &Look, after: &Look, kinds: Kinds, shell: &str) -> Vec<EnvOp> {
    let mut ops = Vec::new();
    if kinds.variables {
        variables(before, after, &mut ops);
    }
    if kinds.aliases {
        for (name, value) in new_or_changed(&before.aliases, &after.aliases) {
            ops.push(EnvOp::Alias { name, value });
        }
        ops.extend(gone(&before.aliases, &after.aliases).map(|name| EnvOp::Unalias { name }));
    }
    if kinds.functions {
        for (name, body) in new_or_changed(&before.functions, &after.functions) {
            let exported = format!("BASH_FUNC_{name}%%");
            ops.push(EnvOp::Function {
                name: name.clone(),
                csh: BString::default(),
                sh: body,
            });
            if after.variables.contains_key(exported.as_bytes().as_bstr()) {
                ops.push(EnvOp::ExportFunction { name });
            }
        }
        ops.extend(
            gone(&before.functions, &after.functions).map(|name| EnvOp::RemoveFunction { name }),
        );
    }
    if kinds.completions {
        for (command, specs) in new_or_changed(&before.completions, &after.completions) {
            ops.extend(specs.lines().map(|spec| EnvOp::Complete {
                shell: shell.to_owned(),
                command: command.clone(),
                spec: spec.into(),
            }));
        }
        ops.extend(
            gone(&before.completions, &after.completions).map(|command| EnvOp::Uncomplete {
                shell: shell.to_owned(),
                command,
            }),
        );
    }
    if kinds.directory && after.directory != before.directory && !after.directory.is_empty() {
        ops.push(EnvOp::Chdir {
            dir: after.directory.clone(),
        });
    }
    ops
}

fn new_or_changed(
    before: &BTreeMap<String, BString>,
    after: &BTreeMap<String, BString>,
) -> Vec<(String, BString)> {
    after
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn gone<'a>(
    before: &'a BTreeMap<String, BString>,
    after: &'a BTreeMap<String, BString>,
) -> impl Iterator<Item = String> + 'a {
    before
        .keys()
        .filter(|name| !after.contains_key(*name))
        .cloned()
}

fn variables(before: &Look, after: &Look, ops: &mut Vec<EnvOp>) {
    for (name, value) in &after.variables {
        let old = before.variables.get(name);
        if is_ignored(name) || old == Some(value) {
            continue;
        }
        // Exported functions and what no shell can name are no variables.
        let Some(var) = VarName::new(name) else {
            continue;
        };
        match old {
            Some(old) => ops.extend(changed(&var, old.as_bstr(), value.as_bstr())),
            None if is_path_list(value) => ops.push(path(&var, PathAction::Prepend, value, b":")),
            None => ops.push(set(&var, value)),
        }
    }
    for name in before.variables.keys() {
        if !after.variables.contains_key(name)
            && !is_ignored(name)
            && let Some(var) = VarName::new(name)
        {
            ops.push(EnvOp::Unset {
                var,
                on_unload: None,
            });
        }
    }
}

fn set(var: &VarName, value: &[u8]) -> EnvOp {
    EnvOp::Set {
        var: var.clone(),
        value: value.into(),
        if_unset: false,
    }
}

fn path(var: &VarName, action: PathAction, value: &[u8], delim: &[u8]) -> EnvOp {
    EnvOp::Path {
        action,
        var: var.clone(),
        value: value.into(),
        delim: delim.into(),
        priority: 0,
        duplicates: false,
    }
}

/// Several directories, each once: other modules may add to them.
fn is_path_list(value: &[u8]) -> bool {
    let mut entries: Vec<&[u8]> = value.split_str(":").collect();
    let count = entries.len();
    entries.sort_unstable();
    entries.dedup();
    count > 1 && entries.len() == count && entries.iter().all(|entry| entry.starts_with(b"/"))
}

/// What makes `new` of `old`: entries added at the ends where the old value is still there, else the new value.
fn changed(var: &VarName, old: &BStr, new: &BStr) -> Vec<EnvOp> {
    let added = || {
        if old.is_empty() || old == ":" {
            return None;
        }
        let at = new.find(old)?;
        let (front, back) = (&new[..at], &new[at + old.len()..]);
        let delims = [front.last(), back.first()];
        let delim = *delims.iter().flatten().next()?;
        let is_delim = delim.is_ascii_punctuation() && !b"/._-".contains(delim) || *delim == b' ';
        if !is_delim || delims.iter().flatten().any(|other| *other != delim) {
            return None;
        }
        let delim = std::slice::from_ref(delim);
        let known: Vec<&[u8]> = old.split_str(delim).collect();
        let mut ops = Vec::new();
        for (text, action) in [
            (front.strip_suffix(delim), PathAction::Prepend),
            (back.strip_prefix(delim), PathAction::Append),
        ] {
            let Some(text) = text else { continue };
            // An entry that is there already would stay where it is.
            if text.is_empty() || text.split_str(delim).any(|entry| known.contains(&entry)) {
                return None;
            }
            ops.push(path(var, action, text, delim));
        }
        Some(ops)
    };
    added().unwrap_or_else(|| vec![set(var, new)])
}

#[cfg(test)]
mod tests;

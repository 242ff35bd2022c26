//! Commands that change variables, aliases, functions and completions.

use std::ops::Range;

use bstr::{BStr, BString, ByteSlice};

use super::{Host, Stop};
use crate::env::{EnvOp, PathAction, VarName};
use crate::modulefile::command::Command;
use crate::modulefile::tcl::pattern::{Case, string_match};
use crate::modulefile::value::{ArgError, Args, Value};
use crate::modulefile::{Call, Mode};

/// Carries out `op`, for the variables linked to its own as well.
fn push(host: &mut Host, args: &Args, op: EnvOp) -> Result<Value, Stop> {
    let linked = op.var().map(|var| linked(host, var)).unwrap_or_default();
    let further: Vec<EnvOp> = linked.into_iter().map(|var| op.with_var(var)).collect();
    push_one(host, args, op)?;
    for op in further {
        push_one(host, args, op)?;
    }
    Ok(Value::Nil)
}

/// The variables that get what `var` gets.
fn linked(host: &Host, var: &VarName) -> Vec<VarName> {
    let names = host.world.config().linked_to(var.as_str());
    names.into_iter().filter_map(VarName::new).collect()
}

/// The calls that do to the variables linked to its own what a call does.
pub(super) fn linked_calls(host: &Host, command: &'static Command, args: &Args) -> Vec<Call> {
    const OF_VARIABLES: [&str; 6] = [
        "append-path",
        "prepend-path",
        "pushenv",
        "remove-path",
        "setenv",
        "unsetenv",
    ];
    if !command.tcl.iter().any(|name| OF_VARIABLES.contains(name)) {
        return Vec::new();
    }
    let Ok(var) = args.var(0) else {
        return Vec::new();
    };
    let calls = linked(host, &var).into_iter().map(|var| {
        let mut args = args.clone();
        args.positional[0] = Value::text(var.as_str());
        Call { command, args }
    });
    calls.collect()
}

/// Carries out `op`, in the modes that the call selects if it does.
fn push_one(host: &mut Host, args: &Args, op: EnvOp) -> Result<(), Stop> {
    match modes(args)? {
        None => host.push(op)?,
        Some(_) if op.var().is_some_and(|var| var.as_str() == "MODULEPATH") => {
            return Err(Stop::Argument(ArgError {
                index: Some(0),
                message: "`MODULEPATH` cannot be changed in chosen modes only".to_owned(),
            }));
        }
        Some(modes) => host.push_in_modes(op, &modes)?,
    }
    Ok(())
}

/// The modes that a call selects; `None` where it acts as usual.
///
/// # Errors
/// A word that names no mode.
pub(super) fn modes(args: &Args) -> Result<Option<Vec<String>>, ArgError> {
    if args.option("mode").is_none() {
        return Ok(None);
    }
    let modes = args.option_list("mode", &[' ', ',']);
    let known = |m: &String| matches!(m.as_str(), "load" | "unload" | "normal");
    if let Some(word) = modes.iter().find(|m| !known(m)) {
        return Err(ArgError {
            index: None,
            message: format!("`{word}` is not a mode: `load`, `unload` or `normal`"),
        });
    }
    Ok((!modes.iter().any(|m| m == "normal")).then_some(modes))
}

/// `setenv VAR VALUE`.
pub(in crate::modulefile) fn setenv(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let op = EnvOp::Set {
        var: args.var(0)?,
        value: in_home(host, args.bytes(1)?),
        if_unset: args.flag("if_unset"),
    };
    push(host, args, op)
}

/// `unsetenv VAR [VALUE]`: unloading sets VALUE; `--unset-on-unload` takes the variable away once more,
/// `--noop-on-unload` leaves it.
pub(in crate::modulefile) fn unsetenv(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let restored = args.len() > 1 && !args.flag("noop_on_unload") && !args.flag("unset_on_unload");
    let op = EnvOp::Unset {
        var: args.var(0)?,
        on_unload: if restored { Some(args.bytes(1)?) } else { None },
    };
    if args.flag("unset_on_unload") {
        for var in linked(host, &args.var(0)?) {
            host.push_in_modes(op.with_var(var), &["load", "unload"])?;
        }
        host.push_in_modes(op, &["load", "unload"])?;
        return Ok(Value::Nil);
    }
    push(host, args, op)
}

/// `pushenv VAR VALUE`; Lua's `false` takes the variable away until unload.
pub(in crate::modulefile) fn pushenv(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let op = EnvOp::Push {
        var: args.var(0)?,
        value: match args.positional.get(1) {
            Some(Value::Bool(false)) => None,
            _ => Some(in_home(host, args.bytes(1)?)),
        },
    };
    push(host, args, op)
}

/// `prepend-path VAR VALUE`.
pub(in crate::modulefile) fn prepend_path(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    path(host, args, PathAction::Prepend)
}

/// `append-path VAR VALUE`.
pub(in crate::modulefile) fn append_path(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    path(host, args, PathAction::Append)
}

fn path(host: &mut Host, args: &Args, action: PathAction) -> Result<Value, Stop> {
    for option in ["index", "glob"] {
        if args.flag(option) {
            host.warn(format!("`--{option}` means nothing to this command"));
        }
    }
    let delim = delimiter(args)?;
    let op = EnvOp::Path {
        action,
        var: args.var(0)?,
        value: in_home(host, entries(args, 1..args.len(), delim.as_bstr())?),
        delim,
        priority: priority(args),
        duplicates: args.flag("duplicates"),
    };
    push(host, args, op)
}

/// What separates the entries: `:` unless an option says otherwise.
fn delimiter(args: &Args) -> Result<BString, ArgError> {
    match args.option_bytes("delim") {
        Some(delim) if delim.is_empty() => Err(ArgError {
            index: None,
            message: "the delimiter is empty".to_owned(),
        }),
        Some(delim) => Ok(delim),
        None => Ok(BString::from(":")),
    }
}

/// The priority; what is no number counts as none, as in Lmod.
fn priority(args: &Args) -> i32 {
    args.option_bytes("priority")
        .and_then(|text| text.to_str().ok()?.trim().parse::<f64>().ok())
        .map_or(0, |p| p as i32)
}

/// Several arguments as one value of a path-like variable.
fn entries(args: &Args, which: Range<usize>, delim: &BStr) -> Result<BString, ArgError> {
    if which.len() == 1 {
        return args.bytes(which.start);
    }
    let values = which
        .map(|i| args.bytes(i))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(BString::from(bstr::join(delim, values)))
}

/// `remove-path VAR VALUE...`. What unloading does is chosen by an option before VAR or behind the values; there
/// `--append-on-unload` and `--prepend-on-unload` may be followed by the values to put back.
pub(in crate::modulefile) fn remove_path(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let var = args.var(0)?;
    let linked = linked(host, &var);
    for var in std::iter::once(var).chain(linked) {
        remove_from(host, args, var)?;
    }
    Ok(Value::Nil)
}

fn remove_from(host: &mut Host, args: &Args, var: VarName) -> Result<(), Stop> {
    let delim = delimiter(args)?;
    let mut on_unload = None;
    let mut values_end = args.len();
    for (option, name) in [
        ("--remove-on-unload", "remove_on_unload"),
        ("--noop-on-unload", "noop_on_unload"),
        ("--append-on-unload", "append_on_unload"),
        ("--prepend-on-unload", "prepend_on_unload"),
    ] {
        if args.flag(name) {
            on_unload = Some((option, values_end));
        }
        let found = (1..args.len()).find(|&i| args.bytes(i).is_ok_and(|word| word == option));
        if let Some(at) = found {
            on_unload = Some((option, at + 1));
            values_end = values_end.min(at);
        }
    }
    let value = in_home(host, entries(args, 1..values_end, delim.as_bstr())?);
    if value == delim {
        return Err(Stop::Argument(ArgError {
            index: Some(1),
            message: "the value is the delimiter itself".to_owned(),
        }));
    }
    let value = match (args.flag("index"), args.flag("glob")) {
        (true, true) => {
            return Err(Stop::Argument(ArgError {
                index: None,
                message: "`--index` and `--glob` exclude each other".to_owned(),
            }));
        }
        (true, false) => present_entries(host, &var, delim.as_bstr(), |at, _| {
            value
                .split_str(&delim)
                .any(|n| n == at.to_string().as_bytes())
        }),
        (false, true) => present_entries(host, &var, delim.as_bstr(), |_, entry| {
            value
                .split_str(&delim)
                .any(|pattern| string_match(pattern, entry, Case::Sensitive))
        }),
        (false, false) => Some(value),
    };
    let op = |action, value| EnvOp::Path {
        action,
        var: var.clone(),
        value,
        delim: delim.clone(),
        priority: priority(args),
        duplicates: false,
    };
    let Some(value) = value else {
        return Ok(());
    };
    let default = match host.world.config().remove_path_on_unload {
        true => "--remove-on-unload",
        false => "--noop-on-unload",
    };
    let (option, from) = on_unload.unwrap_or((default, args.len()));
    if args.option("mode").is_some() {
        return push_one(host, args, op(PathAction::Remove, value));
    }
    let modes: &[&str] = match option {
        "--remove-on-unload" => &["load", "unload"],
        _ => &["load"],
    };
    let action = match option {
        "--append-on-unload" => Some(PathAction::Append),
        "--prepend-on-unload" => Some(PathAction::Prepend),
        _ => None,
    };
    if let Some(action) = action {
        let back = match from < args.len() {
            true => in_home(host, entries(args, from..args.len(), delim.as_bstr())?),
            false => value.clone(),
        };
        host.push_in_modes(op(action, back), &["unload"])?;
    }
    host.push_in_modes(op(PathAction::Remove, value), modes)?;
    Ok(())
}

/// A value with the home directory for each `~` at its beginning and behind a `:`, where `expand_tilde` says so.
///
/// Environment Modules prints values without quotes for it, and the shell that reads them puts the directory there.
fn in_home(host: &Host, value: BString) -> BString {
    if !value.contains(&b'~') || !host.world.config().expand_tilde || host.mode == Mode::Show {
        return value;
    }
    let Some(home) = host.var(BStr::new("HOME")) else {
        return value;
    };
    let entries = value
        .split_str(":")
        .map(|entry| match entry.strip_prefix(b"~") {
            Some(rest) if rest.is_empty() || rest.starts_with(b"/") => {
                [home.as_slice(), rest].concat()
            }
            _ => entry.to_vec(),
        });
    BString::from(bstr::join(":", entries))
}

/// The entries of a variable that `wanted` picks by position and text, joined; `None` where there are none.
fn present_entries(
    host: &Host,
    var: &VarName,
    delim: &BStr,
    wanted: impl Fn(usize, &[u8]) -> bool,
) -> Option<BString> {
    let now = host.var(var.as_bstr())?;
    let picked: Vec<&[u8]> = now
        .split_str(delim)
        .enumerate()
        .filter(|(at, entry)| wanted(*at, entry))
        .map(|(_, entry)| entry)
        .collect();
    (!picked.is_empty()).then(|| BString::from(bstr::join(delim, picked)))
}

/// `set-alias NAME VALUE`.
pub(in crate::modulefile) fn set_alias(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let name = definition_name(args)?;
    host.push(EnvOp::Alias {
        name,
        value: args.bytes(1)?,
    })?;
    Ok(Value::Nil)
}

/// `unset-alias NAME`.
pub(in crate::modulefile) fn unset_alias(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let name = definition_name(args)?;
    host.push(EnvOp::Unalias { name })?;
    Ok(Value::Nil)
}

/// `set-function NAME BODY`, `set_shell_function(NAME, SH, CSH)`.
pub(in crate::modulefile) fn set_function(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let name = definition_name(args)?;
    let exported = host.world.config().export_functions.then(|| name.clone());
    host.push(EnvOp::Function {
        name,
        sh: args.bytes(1)?,
        csh: if args.len() > 2 {
            args.bytes(2)?
        } else {
            BString::default()
        },
    })?;
    if let Some(name) = exported {
        host.push(EnvOp::ExportFunction { name })?;
    }
    Ok(Value::Nil)
}

/// `unset-function NAME`.
pub(in crate::modulefile) fn unset_function(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let name = definition_name(args)?;
    host.push(EnvOp::RemoveFunction { name })?;
    Ok(Value::Nil)
}

/// `complete SHELL COMMAND SPEC`.
pub(in crate::modulefile) fn complete(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    host.push(EnvOp::Complete {
        shell: args.string(0)?,
        command: command_name(args, 1)?,
        spec: args.bytes(2)?,
    })?;
    Ok(Value::Nil)
}

/// `uncomplete COMMAND`; in Lua `uncomplete(SHELL, COMMAND)`.
pub(in crate::modulefile) fn uncomplete(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let op = match args.len() {
        1 => EnvOp::Uncomplete {
            shell: host.world.shell_name().to_owned(),
            command: command_name(args, 0)?,
        },
        _ => EnvOp::Uncomplete {
            shell: args.string(0)?,
            command: command_name(args, 1)?,
        },
    };
    host.push(op)?;
    Ok(Value::Nil)
}

/// The command that a completion is for.
fn command_name(args: &Args, index: usize) -> Result<String, ArgError> {
    let name = args.string(index)?;
    match name.is_empty() {
        true => Err(ArgError {
            index: Some(index),
            message: "the name of the command is empty".to_owned(),
        }),
        false => Ok(name),
    }
}

/// `chdir DIR`: a directory that is not there costs a warning.
pub(in crate::modulefile) fn chdir(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let dir = args.bytes(0)?;
    let is_there = dir.to_path().is_ok_and(std::path::Path::is_dir);
    if host.mode == Mode::Load && !is_there {
        let name = host.module.full_name();
        host.warn(format!("cannot change to directory `{dir}` for `{name}`"));
        return Ok(Value::Nil);
    }
    host.push(EnvOp::Chdir { dir })?;
    Ok(Value::Nil)
}

/// `export_shell_function(NAME)`.
pub(in crate::modulefile) fn export_function(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let name = definition_name(args)?;
    host.push(EnvOp::ExportFunction { name })?;
    Ok(Value::Nil)
}

/// `execute{cmd=CODE, modeA={MODE...}}`: code for the shell, behind all else.
pub(in crate::modulefile) fn execute(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let missing = |key: &str| ArgError {
        index: None,
        message: format!("the key `{key}` is missing"),
    };
    let code = args.option_bytes("cmd").ok_or_else(|| missing("cmd"))?;
    let modes = args.option_list("mode", &[' ', ',']);
    if modes.is_empty() {
        return Err(missing("modeA").into());
    }
    let op = EnvOp::Execute { code, first: false };
    match host.mode {
        Mode::Load | Mode::Unload | Mode::Refresh => host.push_in_modes(op, &modes)?,
        _ => {}
    }
    Ok(Value::Nil)
}

/// The name of an alias or a function: it becomes code, so only what no shell takes apart may stand in it.
fn definition_name(args: &Args) -> Result<String, ArgError> {
    let name = args.string(0)?;
    let good = |c: char| c.is_alphanumeric() || "_-.+:@%^,".contains(c);
    if name.is_empty() || name.starts_with('-') || !name.chars().all(good) {
        return Err(ArgError {
            index: Some(0),
            message: format!("`{name}` cannot be the name of an alias or a function"),
        });
    }
    Ok(name)
}

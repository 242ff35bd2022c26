//! Commands that change variables, aliases, functions and completions.

use bstr::BString;

use super::{Host, Stop};
use crate::env::{EnvOp, PathAction};
use crate::modulefile::value::{ArgError, Args, Value};

/// Carries out `op`, in the modes that the call selects if it does.
fn push(host: &mut Host, args: &Args, op: EnvOp) -> Result<Value, Stop> {
    match args.option("mode") {
        None => host.push(op)?,
        Some(_) => host.push_in_modes(op, &args.option_list("mode", &[' ', ',']))?,
    }
    Ok(Value::Nil)
}

/// `setenv VAR VALUE`.
pub(in crate::modulefile) fn setenv(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let op = EnvOp::Set {
        var: args.var(0)?,
        value: args.bytes(1)?,
        if_unset: args.flag("if_unset"),
    };
    push(host, args, op)
}

/// `unsetenv VAR [VALUE]`.
pub(in crate::modulefile) fn unsetenv(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let op = EnvOp::Unset {
        var: args.var(0)?,
        on_unload: if args.len() > 1 {
            Some(args.bytes(1)?)
        } else {
            None
        },
    };
    push(host, args, op)
}

/// `pushenv VAR VALUE`; Lua's `false` takes the variable away until unload.
pub(in crate::modulefile) fn pushenv(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let op = EnvOp::Push {
        var: args.var(0)?,
        value: match args.positional.get(1) {
            Some(Value::Bool(false)) => None,
            _ => Some(args.bytes(1)?),
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

/// `remove-path VAR VALUE`.
pub(in crate::modulefile) fn remove_path(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    path(host, args, PathAction::Remove)
}

fn path(host: &mut Host, args: &Args, action: PathAction) -> Result<Value, Stop> {
    let delim = args
        .option_bytes("delim")
        .unwrap_or_else(|| BString::from(":"));
    if delim.is_empty() {
        return Err(Stop::Argument(ArgError {
            index: None,
            message: "the delimiter is empty".to_owned(),
        }));
    }
    let priority = match args.option_bytes("priority") {
        None => 0,
        Some(text) => bstr::ByteSlice::to_str(text.as_slice())
            .ok()
            .and_then(|t| t.trim().parse::<f64>().ok())
            .map_or(0, |p| p as i32),
    };
    let op = EnvOp::Path {
        action,
        var: args.var(0)?,
        value: args.bytes(1)?,
        delim,
        priority,
        duplicates: args.flag("duplicates"),
    };
    push(host, args, op)
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
    host.push(EnvOp::Function {
        name,
        sh: args.bytes(1)?,
        csh: if args.len() > 2 {
            args.bytes(2)?
        } else {
            BString::default()
        },
    })?;
    Ok(Value::Nil)
}

/// `unset-function NAME`.
pub(in crate::modulefile) fn unset_function(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let name = definition_name(args)?;
    host.push(EnvOp::RemoveFunction { name })?;
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

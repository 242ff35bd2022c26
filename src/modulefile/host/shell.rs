//! Commands that run programs or give work to them: `system`, `source-sh`, `x-resource`.

use bstr::{BString, ByteSlice};

use super::program::{self, Input};
use super::script::{self, Kinds};
use super::{Host, Stop};
use crate::diag::{Diagnostic, Kind};
use crate::env::EnvOp;
use crate::modulefile::value::{ArgError, Args, Value};
use crate::modulefile::world::Level;
use crate::modulefile::{Call, Mode, command};

/// `system STRING...`: runs it by `/bin/sh`, shows its output to people and gives its status. Where a file is only read
/// for its texts nothing is run and the status is 0.
pub(in crate::modulefile) fn system(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    if !matches!(host.mode, Mode::Load | Mode::Unload | Mode::Rc) {
        return Ok(Value::Int(0));
    }
    let words = (0..args.len())
        .map(|i| args.bytes(i))
        .collect::<Result<Vec<_>, _>>()?;
    let text = BString::from(bstr::join(" ", words));
    // Both streams in one, in the order in which the program writes.
    let mut line = BString::from("exec 2>&1\n");
    line.extend_from_slice(&text);
    let output = program::run(
        host,
        &[b"/bin/sh".as_slice(), b"-c", &line].map(as_os),
        Input::Inherited,
        host.program_time(),
    )
    .map_err(|error| failed(host, error.to_string()))?;
    if !output.stdout.is_empty() {
        host.tell(Level::Plain, output.stdout);
    }
    Ok(Value::Int(i64::from(output.status)))
}

fn as_os(bytes: &[u8]) -> &std::ffi::OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(bytes)
}

fn failed(host: &Host, message: String) -> Stop {
    Stop::error(Diagnostic::new(Kind::Modulefile, message).at(host.place.clone(), ""))
}

/// `x-resource FILE`, `x-resource "name: value"`: merged with the server's resources by the shell, and emptied on unload.
pub(in crate::modulefile) fn x_resource(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let text = args.string(0)?;
    // This becomes code for a shell that is not known here: only what every shell leaves alone within single quotes.
    if text.contains(['\'', '\n', '\r', '\\', '!', '\0']) {
        return Err(Stop::Argument(ArgError {
            index: Some(0),
            message: "an X resource with a quote, a backslash, `!` or a newline cannot be given to the shell; write it to a file"
                .to_owned(),
        }));
    }
    let code = |code: String| EnvOp::Execute {
        code: code.into(),
        first: false,
    };
    match text.split_once(':') {
        Some((name, _)) if !text.starts_with('/') => {
            host.push_in_modes(code(format!("echo '{text}' | xrdb -merge")), &["load"])?;
            host.push_in_modes(code(format!("echo '{name}:' | xrdb -merge")), &["unload"])?;
        }
        _ => {
            host.push_in_modes(code(format!("xrdb -merge '{text}'")), &["load"])?;
            let names: Vec<String> = std::fs::read_to_string(&text)
                .unwrap_or_default()
                .lines()
                .filter_map(|line| line.split_once(':'))
                .map(|(name, _)| name.trim())
                .filter(|name| !name.is_empty() && !name.contains(['\'', '\\', '!', '#']))
                .map(|name| format!("echo '{name}:' | xrdb -merge"))
                .collect();
            if !names.is_empty() {
                host.push_in_modes(code(names.join("; ")), &["unload"])?;
            }
        }
    }
    Ok(Value::Nil)
}

/// `source-sh [--ignore KINDS] SHELL SCRIPT ARG...`; in Lua `source_sh(SHELL, "SCRIPT ARG...")`.
///
/// The script runs once, at load; what it changed is remembered, and unloading takes it back without running it again.
pub(in crate::modulefile) fn source_sh(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let shell = args.string(0)?;
    let mut words = (1..args.len())
        .map(|i| args.bytes(i))
        .collect::<Result<Vec<_>, _>>()?;
    if words.len() == 1 {
        words = script::split_words(words[0].as_bstr());
    }
    let ignored = args.option_list("ignore", &[':']);
    let kinds = Kinds::without(&ignored).map_err(|word| ArgError {
        index: None,
        message: format!(
            "`{word}` is not a kind of change: envvar, alias, function, chdir or complete"
        ),
    })?;
    let mut key = BString::from(shell.as_str());
    for word in &words {
        key.push(b' ');
        key.extend_from_slice(word);
    }
    let remembered = match host.mode {
        Mode::Unload => host.world.sourced(host.module, key.as_bstr()),
        // Reading a file's texts, or all files of a site, is no reason to run programs of theirs.
        Mode::Help | Mode::Whatis | Mode::Spider | Mode::Check => return Ok(Value::Nil),
        Mode::Show => {
            host.evaluation.calls.push(Call {
                command: command::find_tcl("source-sh").expect("it runs"),
                args: Args::new(vec![
                    Value::text(shell.as_str()),
                    Value::Bytes(bstr::join(" ", &words).into()),
                ]),
            });
            None
        }
        _ => None,
    };
    let ops = match remembered {
        Some(ops) => ops,
        None => script::changes(host, &shell, &words, kinds)
            .map_err(|error| failed(host, error.to_string()))?,
    };
    for op in &ops {
        if host.mode == Mode::Show {
            host.evaluation.calls.extend(call_of(op));
        }
        host.push(op.clone())?;
    }
    host.evaluation.sourced.push((key, ops));
    Ok(Value::Nil)
}

/// The call of a command that would do the same as `op`: `show` prints what a script comes to.
fn call_of(op: &EnvOp) -> Option<Call> {
    use crate::env::PathAction;
    let text = |text: &[u8]| Value::text(text);
    let (name, words, delim) = match op {
        EnvOp::Set { var, value, .. } => ("setenv", vec![text(var.as_bstr()), text(value)], None),
        EnvOp::Unset { var, .. } => ("unsetenv", vec![text(var.as_bstr())], None),
        EnvOp::Path {
            action,
            var,
            value,
            delim,
            ..
        } => (
            match action {
                PathAction::Prepend => "prepend-path",
                PathAction::Append => "append-path",
                PathAction::Remove => "remove-path",
            },
            vec![text(var.as_bstr()), text(value)],
            (delim != ":").then(|| Value::Bytes(delim.clone())),
        ),
        EnvOp::Alias { name, value } => {
            ("set-alias", vec![text(name.as_bytes()), text(value)], None)
        }
        EnvOp::Unalias { name } => ("unset-alias", vec![text(name.as_bytes())], None),
        EnvOp::Function { name, sh, csh } => {
            let words = vec![text(name.as_bytes()), text(sh), text(csh)];
            ("set-function", words, None)
        }
        EnvOp::RemoveFunction { name } => ("unset-function", vec![text(name.as_bytes())], None),
        EnvOp::Complete {
            shell,
            command,
            spec,
        } => (
            "complete",
            vec![text(shell.as_bytes()), text(command.as_bytes()), text(spec)],
            None,
        ),
        EnvOp::Uncomplete { command, .. } => ("uncomplete", vec![text(command.as_bytes())], None),
        EnvOp::Chdir { dir } => ("chdir", vec![text(dir)], None),
        EnvOp::Push { .. } | EnvOp::ExportFunction { .. } | EnvOp::Execute { .. } => return None,
    };
    let mut args = Args::new(words);
    args.named.extend(delim.map(|delim| ("delim", delim)));
    Some(Call {
        command: command::find_tcl(name)?,
        args,
    })
}

//! `info`: what the interpreter knows about itself.
//!
//! Source: Tcl 8.6, `info(n)`.

use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

use crate::modulefile::tcl::command::{ANY, Command, CommandKind, Def, Proc};
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::Interp;
use crate::modulefile::tcl::math;
use crate::modulefile::tcl::namespace::{GLOBAL, NamespaceId, split_name};
use crate::modulefile::tcl::parse::{self, Code};
use crate::modulefile::tcl::pattern::{Case, string_match};
use crate::modulefile::tcl::value::Value;
use crate::modulefile::tcl::var::{Role, VarTable};

use super::expect_int;

pub(super) static TABLE: &[Def] = &[Def::ensemble("info", SUBCOMMANDS)];

static SUBCOMMANDS: &[Def] = &[
    Def::new("args", "procname", 1, 1, args_of),
    Def::new("body", "procname", 1, 1, |interp, args| {
        Ok(definition(interp, &args[0])?.body.clone())
    }),
    Def::new("class", "subcommand ?arg ...?", 1, ANY, |_, args| {
        Err(no_object(args))
    }),
    Def::new("cmdcount", "", 0, 0, |interp, _| {
        Ok(Value::int(interp.steps_done()))
    }),
    Def::new("commands", "?pattern?", 0, 1, |interp, args| {
        commands(interp, args, |_| true)
    }),
    Def::new("complete", "command", 1, 1, complete),
    Def::new("coroutine", "", 0, 0, |_, _| Ok(Value::empty())),
    Def::new("default", "procname arg varname", 3, 3, default),
    Def::new("errorstack", "?interp?", 0, 1, |interp, _| {
        Ok(interp.state.error_stack.clone())
    }),
    Def::new("exists", "varName", 1, 1, |interp, args| {
        Ok(Value::bool(interp.var_exists(args[0].bytes())))
    }),
    Def::new("frame", "?number?", 0, 1, frame),
    Def::new("functions", "?pattern?", 0, 1, functions),
    Def::new("globals", "?pattern?", 0, 1, globals),
    Def::new("hostname", "", 0, 0, hostname),
    Def::new("level", "?number?", 0, 1, level),
    Def::new("library", "", 0, 0, |interp, _| {
        global(interp, b"tcl_library").map_err(|_| {
            let message = "no library has been specified for Tcl";
            Exit::coded(message, &["TCL", "LOOKUP", "VARIABLE", "tcl_library"])
        })
    }),
    Def::new("loaded", "?interp?", 0, 1, |_, _| Ok(Value::empty())),
    Def::new("locals", "?pattern?", 0, 1, locals),
    Def::new("nameofexecutable", "", 0, 0, |interp, _| {
        Ok(interp.state.executable.clone())
    }),
    Def::new("object", "subcommand ?arg ...?", 1, ANY, |_, args| {
        Err(no_object(args))
    }),
    Def::new("patchlevel", "", 0, 0, |interp, _| {
        global(interp, b"tcl_patchLevel")
    }),
    Def::new("procs", "?pattern?", 0, 1, procs),
    Def::new("script", "?filename?", 0, 1, script),
    Def::new("sharedlibextension", "", 0, 0, |_, _| {
        Ok(Value::from(".so"))
    }),
    Def::new("tclversion", "", 0, 0, |interp, _| {
        global(interp, b"tcl_version")
    }),
    Def::new("vars", "?pattern?", 0, 1, vars),
];

/// The value of a global variable.
fn global(interp: &mut Interp<'_>, name: &[u8]) -> Outcome {
    interp.at_frame(0, |interp| interp.get_var(name))
}

/// The answer to all questions about objects: there are none.
fn no_object(args: &[Value]) -> Exit {
    let name = args.get(1).cloned().unwrap_or_default();
    let message = bytes!(name, " does not refer to an object");
    Exit::coded(message, &[&b"TCL"[..], b"LOOKUP", b"OBJECT", name.bytes()])
}

/// The proc of this name.
pub(super) fn find_proc(interp: &mut Interp<'_>, name: &[u8]) -> Option<Rc<Proc>> {
    let mut command = interp.find_command(name)?;
    while let CommandKind::Import(source) = &command.kind {
        let source = Rc::clone(source);
        command = source;
    }
    match &command.kind {
        CommandKind::Proc(definition) => Some(Rc::clone(definition)),
        _ => None,
    }
}

fn definition(interp: &mut Interp<'_>, name: &Value) -> Outcome<Rc<Proc>> {
    find_proc(interp, name.bytes()).ok_or_else(|| {
        let message = bytes!("\"", name, "\" isn't a procedure");
        Exit::coded(
            message,
            &[&b"TCL"[..], b"LOOKUP", b"PROCEDURE", name.bytes()],
        )
    })
}

fn args_of(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let definition = definition(interp, &args[0])?;
    Ok(Value::list(
        definition
            .params
            .iter()
            .map(|param| param.name.clone())
            .collect(),
    ))
}

fn default(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let definition = definition(interp, &args[0])?;
    let Some(param) = definition.params.iter().find(|param| param.name == args[1]) else {
        let message = bytes!(
            "procedure \"",
            args[0],
            "\" doesn't have an argument \"",
            args[1],
            "\""
        );
        return Err(Exit::coded(
            message,
            &[&b"TCL"[..], b"LOOKUP", b"ARGUMENT", args[1].bytes()],
        ));
    };
    let value = param.default.clone();
    interp.set_var(args[2].bytes(), value.clone().unwrap_or_default())?;
    Ok(Value::bool(value.is_some()))
}

fn complete(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    Ok(Value::bool(parse::is_complete(&Code::value(&args[0]))))
}

/// A namespace, the pattern of the tail, and the prefix that results show.
type Scope<'a> = (NamespaceId, Option<&'a [u8]>, Vec<u8>);

/// A pattern taken apart: its namespace and the pattern of the tail; the prefix that results show.
fn scope<'a>(interp: &mut Interp<'_>, pattern: Option<&'a Value>) -> Option<Scope<'a>> {
    let current = interp.current_namespace();
    let Some(pattern) = pattern else {
        return Some((current, None, Vec::new()));
    };
    let text = pattern.bytes();
    match split_name(text) {
        (None, tail) => Some((current, Some(tail), Vec::new())),
        (Some(qualifier), tail) => {
            let start = if text.starts_with(b"::") {
                GLOBAL
            } else {
                current
            };
            let namespace = interp
                .find_namespace(qualifier, start)
                .or_else(|| interp.find_namespace(qualifier, GLOBAL))?;
            let name = &interp.namespace(namespace).name;
            let prefix = if namespace == GLOBAL {
                b"::".to_vec()
            } else {
                bytes!(name, "::")
            };
            Some((namespace, Some(tail), prefix))
        }
    }
}

fn fits(pattern: Option<&[u8]>, name: &[u8]) -> bool {
    pattern.is_none_or(|pattern| string_match(pattern, name, Case::Sensitive))
}

fn commands(interp: &mut Interp<'_>, args: &[Value], wanted: impl Fn(&Command) -> bool) -> Outcome {
    let Some((namespace, pattern, prefix)) = scope(interp, args.first()) else {
        return Ok(Value::empty());
    };
    let mut names = interp.command_names(namespace);
    if prefix.is_empty() && namespace != GLOBAL {
        for at in interp.namespace(namespace).path.clone() {
            names.extend(interp.command_names(at));
        }
        names.extend(interp.command_names(GLOBAL));
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
    }
    let mut found = Vec::new();
    for name in names {
        if !fits(pattern, &name) {
            continue;
        }
        let full = bytes!(prefix, name);
        if interp
            .find_command_from(&full, namespace)
            .is_some_and(|command| wanted(&command))
        {
            found.push(Value::new(full));
        }
    }
    Ok(Value::list(found))
}

fn procs(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let Some((namespace, pattern, prefix)) = scope(interp, args.first()) else {
        return Ok(Value::empty());
    };
    let mut found: Vec<Value> = Vec::new();
    for (name, command) in &interp.namespace(namespace).commands {
        let mut source = Rc::clone(command);
        while let CommandKind::Import(next) = &source.kind {
            let next = Rc::clone(next);
            source = next;
        }
        if matches!(source.kind, CommandKind::Proc(_)) && fits(pattern, name) {
            found.push(Value::new(bytes!(prefix, name)));
        }
    }
    Ok(Value::list(found))
}

fn functions(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let pattern = args.first().map(Value::bytes);
    let names = match interp.find_namespace(b"::tcl::mathfunc", GLOBAL) {
        Some(namespace) => interp.command_names(namespace),
        None => math::FUNCTIONS
            .iter()
            .map(|function| function.name.into())
            .collect(),
    };
    Ok(Value::list(
        names
            .into_iter()
            .filter(|name| fits(pattern, name))
            .map(Value::new)
            .collect(),
    ))
}

fn defined(table: &VarTable, pattern: Option<&[u8]>, prefix: &[u8], links: bool) -> Vec<Value> {
    table
        .iter()
        .filter(|(name, var)| {
            let listed = match var.is_link() {
                true => links,
                false => var.is_defined() || var.role() == Role::Declared,
            };
            listed && fits(pattern, name)
        })
        .map(|(name, _)| Value::new(bytes!(prefix, name)))
        .collect()
}

fn globals(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let pattern = args.first().map(|pattern| match pattern.bytes() {
        text if text.starts_with(b"::") => {
            let colons = text.iter().take_while(|&&b| b == b':').count();
            &text[colons..]
        }
        text => text,
    });
    Ok(Value::list(defined(
        &interp.namespace(GLOBAL).vars,
        pattern,
        b"",
        true,
    )))
}

fn locals(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let frame = interp.frame();
    if !frame.is_proc() {
        return Ok(Value::empty());
    }
    Ok(Value::list(defined(
        &frame.vars,
        args.first().map(Value::bytes),
        b"",
        false,
    )))
}

fn vars(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let qualified = args
        .first()
        .is_some_and(|pattern| split_name(pattern.bytes()).0.is_some());
    if interp.frame().is_proc() && !qualified {
        let table = &interp.frame().vars;
        return Ok(Value::list(defined(
            table,
            args.first().map(Value::bytes),
            b"",
            true,
        )));
    }
    let Some((namespace, pattern, prefix)) = scope(interp, args.first()) else {
        return Ok(Value::empty());
    };
    let mut names = defined(&interp.namespace(namespace).vars, pattern, &prefix, true);
    if namespace != GLOBAL && prefix.is_empty() {
        for name in defined(&interp.namespace(GLOBAL).vars, pattern, b"", true) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Ok(Value::list(names))
}

fn hostname(_: &mut Interp<'_>, _: &[Value]) -> Outcome {
    let name = nix::unistd::gethostname().unwrap_or_default();
    Ok(Value::new(std::os::unix::ffi::OsStringExt::into_vec(name)))
}

fn level(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let current = interp.frame().level as i64;
    let Some(word) = args.first() else {
        return Ok(Value::int(current));
    };
    let number = expect_int(word)?;
    let wanted = if number > 0 { number } else { current + number };
    match interp.frame_at_level(wanted) {
        Some(frame) if wanted > 0 => Ok(Value::list(interp.frames[frame].words().to_vec())),
        _ => {
            let message = bytes!("bad level \"", word, "\"");
            Err(Exit::coded(
                message,
                &[&b"TCL"[..], b"LOOKUP", b"STACK_LEVEL", word.bytes()],
            ))
        }
    }
}

fn frame(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let depth = interp.trail.depth() as i64;
    let Some(word) = args.first() else {
        return Ok(Value::int(depth));
    };
    let number = expect_int(word)?;
    let wanted = if number > 0 { number } else { depth + number };
    let step = usize::try_from(wanted)
        .ok()
        .and_then(|wanted| interp.trail.command_frame(wanted));
    let Some(step) = step else {
        let message = bytes!("bad level \"", word, "\"");
        return Err(Exit::coded(
            message,
            &[&b"TCL"[..], b"LOOKUP", b"LEVEL", word.bytes()],
        ));
    };
    let mut facts = Vec::new();
    let mut tell = |name: &str, value: Value| facts.extend([Value::from(name), value]);
    let words = match &interp.frames[step.frame] {
        frame if frame.is_proc() => frame.words().to_vec(),
        _ => Vec::new(),
    };
    let kind = match &step.place {
        Some(_) => "source",
        None if words.is_empty() || !step.is_proc => "eval",
        None => "proc",
    };
    tell("type", Value::from(kind));
    match &step.place {
        Some(place) => {
            let line = place.file.line_of(place.span.start);
            tell("line", Value::int(i64::from(line)));
            let path = interp.directory().join(place.file.path().as_std_path());
            tell("file", Value::from(path.as_os_str().as_bytes()));
        }
        None => tell("line", Value::int(step.line as i64)),
    }
    tell("cmd", Value::new(step.text));
    if let Some(name) = words.first() {
        match interp.find_command_from(name.bytes(), GLOBAL) {
            Some(command) if matches!(command.kind, CommandKind::Proc(_)) => {
                tell("proc", Value::new(interp.command_name(&command)));
            }
            // `apply` makes a frame, too, and shows its lambda.
            Some(_) if words.len() > 1 => tell("lambda", words[1].clone()),
            _ => tell("proc", name.clone()),
        }
    }
    let level = interp.frame().level - interp.frames[step.frame].level.min(interp.frame().level);
    tell("level", Value::int(level as i64));
    Ok(Value::list(facts))
}

fn script(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    if let Some(name) = args.first() {
        interp.state.script = name.clone();
    }
    Ok(interp.state.script.clone())
}

//! `namespace` with its sub-commands.
//!
//! Source: Tcl 8.6, `namespace(n)`.

use std::cell::RefCell;
use std::rc::Rc;

use crate::modulefile::tcl::command::{ANY, Action, CommandKind, Def};
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::{Frame, FrameKind, Interp, shorten, wrong_args};
use crate::modulefile::tcl::namespace::{Ensemble, GLOBAL, NamespaceId, split_name};
use crate::modulefile::tcl::pattern::{Case, string_match};
use crate::modulefile::tcl::value::{Dict, Key, Value};
use crate::modulefile::tcl::var::VarTable;

use super::{expect_bool, variable};

pub(super) static TABLE: &[Def] = &[Def::ensemble("namespace", SUBCOMMANDS)];

static SUBCOMMANDS: &[Def] = &[
    Def::new("children", "?name? ?pattern?", 0, 2, children),
    Def::new("code", "arg", 1, 1, code),
    Def::new("current", "", 0, 0, |interp, _| {
        let current = interp.current_namespace();
        Ok(Value::from(&interp.namespace(current).name[..]))
    }),
    Def::new("delete", "?name name...?", 0, ANY, delete),
    ENSEMBLE,
    Def::new("eval", "name arg ?arg...?", 2, ANY, eval),
    Def::new("exists", "name", 1, 1, |interp, args| {
        let current = interp.current_namespace();
        Ok(Value::bool(
            interp.find_namespace(args[0].bytes(), current).is_some(),
        ))
    }),
    Def::new("export", "?-clear? ?pattern pattern...?", 0, ANY, export),
    Def::new("forget", "?pattern pattern...?", 0, ANY, forget),
    Def::new("import", "?-force? ?pattern pattern...?", 0, ANY, import),
    Def::new("inscope", "name arg ?arg...?", 2, ANY, inscope),
    Def::new("origin", "name", 1, 1, origin),
    Def::new("parent", "?name?", 0, 1, parent),
    Def::new("path", "?pathList?", 0, 1, path),
    Def::new("qualifiers", "string", 1, 1, |_, args| {
        Ok(Value::from(
            split_name(args[0].bytes()).0.unwrap_or_default(),
        ))
    }),
    Def::new("tail", "string", 1, 1, |_, args| {
        Ok(Value::from(split_name(args[0].bytes()).1))
    }),
    Def::new("unknown", "?script?", 0, 1, unknown),
    Def::new("upvar", "ns ?otherVar myVar ...?", 1, ANY, upvar),
    Def::new("which", "?-command? ?-variable? name", 1, 3, which),
];

const ENSEMBLE: Def = Def {
    name: "ensemble",
    usage: "subcommand ?arg ...?",
    least: 1,
    most: ANY,
    action: Action::Options("subcommand", ENSEMBLE_COMMANDS),
    direct: None,
};

static ENSEMBLE_COMMANDS: &[Def] = &[
    Def::new(
        "configure",
        "cmdname ?-option value ...? ?arg ...?",
        1,
        ANY,
        ensemble_configure,
    ),
    Def::new("create", "?option value ...?", 0, ANY, ensemble_create),
    Def::new("exists", "cmdname", 1, 1, |interp, args| {
        let own = super::is_builtin_ensemble(args[0].bytes());
        Ok(Value::bool(
            own || interp.ensemble_of(args[0].bytes()).is_some(),
        ))
    }),
];

/// The namespace of this name.
fn find(interp: &mut Interp<'_>, name: &Value) -> Outcome<NamespaceId> {
    let current = interp.current_namespace();
    interp.find_namespace(name.bytes(), current).ok_or_else(|| {
        let within = &interp.namespace(current).name;
        let message = if name.bytes().starts_with(b"::") {
            bytes!("namespace \"", name, "\" not found")
        } else {
            bytes!("namespace \"", name, "\" not found in \"", within, "\"")
        };
        Exit::coded(
            message,
            &[&b"TCL"[..], b"LOOKUP", b"NAMESPACE", name.bytes()],
        )
    })
}

fn children(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let namespace = match args.first() {
        Some(name) => find(interp, name)?,
        None => interp.current_namespace(),
    };
    if &interp.namespace(namespace).name[..] == b"::tcl" {
        for (name, _) in super::all_parts() {
            interp.make_namespace(name.as_bytes(), namespace);
        }
    }
    let space = interp.namespace(namespace);
    let names = space
        .children
        .values()
        .map(|&id| interp.namespace(id).name.clone());
    let pattern = args.get(1).map(|pattern| {
        if pattern.bytes().starts_with(b"::") {
            pattern.bytes().to_vec()
        } else {
            interp.full_name(namespace, pattern.bytes())
        }
    });
    let fits = |name: &Vec<u8>| {
        let pattern = pattern.as_deref();
        pattern.is_none_or(|pattern| string_match(pattern, name, Case::Sensitive))
    };
    Ok(Value::list(names.filter(fits).map(Value::new).collect()))
}

fn code(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    if args[0].bytes().starts_with(b"::namespace inscope ") {
        return Ok(args[0].clone());
    }
    let current = interp.current_namespace();
    Ok(Value::list(vec![
        Value::from("::namespace"),
        Value::from("inscope"),
        Value::from(&interp.namespace(current).name[..]),
        args[0].clone(),
    ]))
}

fn delete(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let current = interp.current_namespace();
    for name in args {
        if interp.find_namespace(name.bytes(), current).is_none() {
            let message = bytes!(
                "unknown namespace \"",
                name,
                "\" in namespace delete command"
            );
            return Err(Exit::coded(
                message,
                &[&b"TCL"[..], b"LOOKUP", b"NAMESPACE", name.bytes()],
            ));
        }
    }
    for name in args {
        if let Some(namespace) = interp.find_namespace(name.bytes(), current) {
            interp.delete_namespace(namespace);
        }
    }
    Ok(Value::empty())
}

/// Runs a script in a namespace.
fn run_in(
    interp: &mut Interp<'_>,
    namespace: NamespaceId,
    words: Vec<Value>,
    script: &Value,
    what: &str,
) -> Outcome {
    let frame = Frame {
        vars: VarTable::default(),
        namespace,
        kind: FrameKind::Namespace(words),
        level: interp.frame().level + 1,
        caller: interp.active,
    };
    match interp.in_frame(frame, |interp| interp.eval(script)) {
        Err(Exit::Error(mut error)) => {
            let name = shorten(&interp.namespace(namespace).name, 200);
            let line = error.line.to_string();
            error.add_info(bytes!(
                "\n    (in namespace ",
                what,
                " \"",
                name,
                "\" script line ",
                line,
                ")"
            ));
            Err(Exit::Error(error))
        }
        other => other,
    }
}

fn eval(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let current = interp.current_namespace();
    let namespace = interp.make_namespace(args[0].bytes(), current);
    let script = match &args[1..] {
        [script] => script.clone(),
        words => super::lists::concat(words),
    };
    let mut words = vec![Value::from("namespace"), Value::from("eval")];
    words.extend_from_slice(args);
    run_in(interp, namespace, words, &script, "eval")
}

fn inscope(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let namespace = find(interp, &args[0])?;
    let script = match &args[1..] {
        [script] => script.clone(),
        [script, rest @ ..] => super::lists::concat(&[script.clone(), Value::list(rest.to_vec())]),
        [] => Value::empty(),
    };
    let mut words = vec![Value::from("namespace"), Value::from("inscope")];
    words.extend_from_slice(args);
    run_in(interp, namespace, words, &script, "inscope")
}

fn export(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let current = interp.current_namespace();
    if args.is_empty() {
        return Ok(Value::list(interp.namespace(current).exports.clone()));
    }
    let mut patterns = args;
    if let Some((first, rest)) = args.split_first()
        && first.bytes() == b"-clear"
    {
        interp.namespace_mut(current).exports.clear();
        patterns = rest;
    }
    for pattern in patterns {
        if split_name(pattern.bytes()).0.is_some() {
            let message = bytes!(
                "invalid export pattern \"",
                pattern,
                "\": pattern can't specify a namespace"
            );
            return Err(Exit::coded(message, &["TCL", "EXPORT", "INVALID"]));
        }
        let exports = &mut interp.namespace_mut(current).exports;
        if !exports.contains(pattern) {
            exports.push(pattern.clone());
        }
    }
    Ok(Value::empty())
}

fn import(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let current = interp.current_namespace();
    let mut patterns = args;
    let mut force = false;
    if let Some((first, rest)) = args.split_first()
        && first.bytes() == b"-force"
    {
        force = true;
        patterns = rest;
    }
    if args.is_empty() {
        let imported = interp.namespace(current).commands.iter();
        let names = imported
            .filter(|(_, command)| matches!(command.kind, CommandKind::Import(_)))
            .map(|(name, _)| Value::from(&name[..]));
        return Ok(Value::list(names.collect()));
    }
    for pattern in patterns {
        import_pattern(interp, current, pattern, force)?;
    }
    Ok(Value::empty())
}

fn import_pattern(
    interp: &mut Interp<'_>,
    current: NamespaceId,
    pattern: &Value,
    force: bool,
) -> Outcome<()> {
    let text = pattern.bytes();
    let fail = |message: Vec<u8>, what: &str| Exit::coded(message, &["TCL", "IMPORT", what]);
    if text.is_empty() {
        return Err(fail(bytes!("empty import pattern"), "EMPTY"));
    }
    let (Some(qualifier), tail) = split_name(text) else {
        return Err(fail(
            bytes!("no namespace specified in import pattern \"", text, "\""),
            "ORIGIN",
        ));
    };
    let start = if text.starts_with(b"::") {
        GLOBAL
    } else {
        current
    };
    let Some(source) = interp
        .find_namespace(qualifier, start)
        .or_else(|| interp.find_namespace(qualifier, GLOBAL))
    else {
        let message = bytes!("unknown namespace in import pattern \"", text, "\"");
        return Err(Exit::coded(
            message,
            &[&b"TCL"[..], b"LOOKUP", b"NAMESPACE", text],
        ));
    };
    if source == current {
        let name = &interp.namespace(current).name;
        let message = bytes!(
            "import pattern \"",
            text,
            "\" tries to import from namespace \"",
            split_name(name).1,
            "\" into itself"
        );
        return Err(fail(message, "SELF"));
    }
    let exports = interp.namespace(source).exports.clone();
    for name in interp.command_names(source) {
        let exported = exports
            .iter()
            .any(|pattern| string_match(pattern.bytes(), &name, Case::Sensitive));
        if !exported || !string_match(tail, &name, Case::Sensitive) {
            continue;
        }
        let Some(command) = interp.command_in(source, &name) else {
            continue;
        };
        if let Some(old) = interp.namespace(current).commands.get(&name[..]) {
            if matches!(&old.kind, CommandKind::Import(from) if Rc::ptr_eq(from, &command)) {
                continue;
            }
            if !force {
                let message = bytes!("can't import command \"", name, "\": already exists");
                return Err(fail(message, "OVERWRITE"));
            }
        }
        let mut origin = &command;
        while let CommandKind::Import(next) = &origin.kind {
            origin = next;
            if origin.namespace.get() == current && **origin.name.borrow() == name[..] {
                let at = &interp.namespace(source).name;
                let message = bytes!(
                    "import pattern \"",
                    text,
                    "\" would create a loop containing command \"",
                    at,
                    "::",
                    name,
                    "\""
                );
                return Err(fail(message, "LOOP"));
            }
        }
        interp.define_command(current, &name, CommandKind::Import(command));
    }
    Ok(())
}

fn forget(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let current = interp.current_namespace();
    for pattern in args {
        let text = pattern.bytes();
        let place = interp.resolve_qualified(text, current);
        let (source, tail) = place.ok_or_else(|| {
            let message = bytes!(
                "unknown namespace in namespace forget pattern \"",
                text,
                "\""
            );
            Exit::coded(message, &[&b"TCL"[..], b"LOOKUP", b"NAMESPACE", text])
        })?;
        let source = split_name(text).0.map(|_| source);
        let gone: Vec<_> = interp
            .namespace(current)
            .commands
            .iter()
            .filter(|(name, command)| match &command.kind {
                CommandKind::Import(from) => {
                    string_match(tail, name, Case::Sensitive)
                        && source.is_none_or(|source| from.namespace.get() == source)
                }
                _ => false,
            })
            .map(|(_, command)| Rc::clone(command))
            .collect();
        for command in gone {
            interp.delete_command(&command);
        }
    }
    Ok(Value::empty())
}

fn origin(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let Some(mut command) = interp.find_command(args[0].bytes()) else {
        return Err(crate::modulefile::tcl::interp::invalid_command(&args[0]));
    };
    while let CommandKind::Import(source) = &command.kind {
        let source = Rc::clone(source);
        command = source;
    }
    Ok(Value::new(interp.command_name(&command)))
}

fn parent(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let namespace = match args.first() {
        Some(name) => find(interp, name)?,
        None => interp.current_namespace(),
    };
    Ok(match interp.namespace(namespace).parent {
        Some(parent) => Value::from(&interp.namespace(parent).name[..]),
        None => Value::empty(),
    })
}

fn path(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let current = interp.current_namespace();
    let Some(list) = args.first() else {
        let path = interp.namespace(current).path.iter();
        return Ok(Value::list(
            path.map(|&id| Value::from(&interp.namespace(id).name[..]))
                .collect(),
        ));
    };
    let mut path = Vec::new();
    for name in list.as_list()?.iter() {
        path.push(find(interp, name)?);
    }
    interp.namespace_mut(current).path = path;
    interp.commands_changed();
    Ok(Value::empty())
}

fn unknown(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let current = interp.current_namespace();
    if let Some(handler) = args.first() {
        handler.as_list()?;
        interp.namespace_mut(current).unknown = (!handler.is_empty()).then(|| handler.clone());
        return Ok(handler.clone());
    }
    Ok(match &interp.namespace(current).unknown {
        Some(handler) => handler.clone(),
        None if current == GLOBAL => Value::from("::unknown"),
        None => Value::empty(),
    })
}

fn upvar(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let namespace = find(interp, &args[0])?;
    if args.len().is_multiple_of(2) {
        return Err(wrong_args(b"namespace upvar", "ns ?otherVar myVar ...?"));
    }
    for pair in args[1..].chunks_exact(2) {
        let full = interp.full_name(namespace, pair[0].bytes());
        let target = interp.link_target(&full)?;
        variable::link_to(interp, target, pair[1].bytes())?;
    }
    Ok(Value::empty())
}

fn which(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (name, option) = match args {
        [name] => (name, None),
        [option, name] => (name, Some(option)),
        _ => {
            return Err(wrong_args(
                b"namespace which",
                "?-command? ?-variable? name",
            ));
        }
    };
    let wants_variable = match option.map(Value::bytes) {
        None => false,
        Some(text) if text.len() > 1 && b"-command".starts_with(text) => false,
        Some(text) if text.len() > 1 && b"-variable".starts_with(text) => true,
        Some(_) => {
            return Err(wrong_args(
                b"namespace which",
                "?-command? ?-variable? name",
            ));
        }
    };
    if !wants_variable {
        return Ok(match interp.find_command(name.bytes()) {
            Some(command) => Value::new(interp.command_name(&command)),
            None => Value::empty(),
        });
    }
    let current = interp.current_namespace();
    for start in [current, GLOBAL] {
        if let Some((namespace, tail)) = interp.resolve_qualified(name.bytes(), start)
            && interp.namespace(namespace).vars.contains_key(tail)
        {
            return Ok(Value::new(interp.full_name(namespace, tail)));
        }
    }
    Ok(Value::empty())
}

const ENSEMBLE_OPTIONS: [&str; 7] = [
    "-command",
    "-map",
    "-namespace",
    "-parameters",
    "-prefixes",
    "-subcommands",
    "-unknown",
];

/// Reads one option of an ensemble.
fn set_ensemble_option(
    interp: &Interp<'_>,
    ensemble: &mut Ensemble,
    name: &str,
    value: &Value,
) -> Outcome<()> {
    match name {
        "-map" => {
            ensemble.map.clear();
            for (key, words) in value.as_dict()?.iter() {
                let mut list = words.as_list()?.to_vec();
                let Some(first) = list.first_mut() else {
                    let message = "ensemble subcommand implementations must be non-empty lists";
                    return Err(Exit::coded(message, &["TCL", "ENSEMBLE", "EMPTY_TARGET"]));
                };
                if !first.bytes().starts_with(b"::") {
                    *first = Value::new(interp.full_name(ensemble.namespace, first.bytes()));
                }
                ensemble.map.insert(key.0.bytes().into(), Value::list(list));
            }
        }
        "-parameters" => ensemble.parameters = value.as_list()?.to_vec(),
        "-prefixes" => ensemble.no_prefixes = !expect_bool(value)?,
        "-subcommands" => ensemble.subcommands = value.as_list()?.to_vec(),
        _ => {
            value.as_list()?;
            ensemble.unknown = (!value.is_empty()).then(|| value.clone());
        }
    }
    Ok(())
}

fn ensemble_create(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    if !args.len().is_multiple_of(2) {
        return Err(wrong_args(
            b"namespace ensemble create",
            "?option value ...?",
        ));
    }
    let current = interp.current_namespace();
    let mut ensemble = Ensemble {
        namespace: current,
        ..Ensemble::default()
    };
    let mut name = interp.namespace(current).name.clone();
    const CREATE: [&str; 6] = [
        "-command",
        "-map",
        "-parameters",
        "-prefixes",
        "-subcommands",
        "-unknown",
    ];
    for pair in args.chunks_exact(2) {
        match CREATE[super::choice(&pair[0], &CREATE, "option")?] {
            "-command" => name = pair[1].bytes().to_vec(),
            option => set_ensemble_option(interp, &mut ensemble, option, &pair[1])?,
        }
    }
    let (qualifier, tail) = split_name(&name);
    let namespace = match qualifier {
        None => current,
        Some(qualifier) => {
            let start = if name.starts_with(b"::") {
                GLOBAL
            } else {
                current
            };
            interp.make_namespace(qualifier, start)
        }
    };
    let command = interp.define_command(
        namespace,
        tail,
        CommandKind::Ensemble(RefCell::new(Rc::new(ensemble))),
    );
    Ok(Value::new(interp.command_name(&command)))
}

fn ensemble_configure(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let Some((command, ensemble)) = interp.ensemble_of(args[0].bytes()) else {
        let known = interp.find_command(args[0].bytes()).is_some();
        let message = if known {
            bytes!("\"", args[0], "\" is not an ensemble command")
        } else {
            bytes!("unknown command \"", args[0], "\"")
        };
        let code: &[&[u8]] = if known {
            &[b"TCL", b"LOOKUP", b"ENSEMBLE", args[0].bytes()]
        } else {
            &[b"TCL", b"LOOKUP", b"COMMAND", args[0].bytes()]
        };
        return Err(Exit::coded(message, code));
    };
    let map = || {
        let mut dict = Dict::default();
        for (name, words) in &ensemble.map {
            dict.insert(Key(Value::from(&name[..])), words.clone());
        }
        Value::dict(dict)
    };
    let option = |name: &str| match name {
        "-map" => map(),
        "-namespace" => Value::from(&interp.namespace(ensemble.namespace).name[..]),
        "-parameters" => Value::list(ensemble.parameters.clone()),
        "-prefixes" => Value::bool(!ensemble.no_prefixes),
        "-subcommands" => Value::list(ensemble.subcommands.clone()),
        _ => ensemble.unknown.clone().unwrap_or_default(),
    };
    let options = &args[1..];
    match options {
        [] => {
            let rows = ENSEMBLE_OPTIONS[1..].iter();
            Ok(Value::list(
                rows.flat_map(|name| [Value::from(*name), option(name)])
                    .collect(),
            ))
        }
        [name] => {
            let at = super::choice(name, &ENSEMBLE_OPTIONS[1..], "option")?;
            Ok(option(ENSEMBLE_OPTIONS[at + 1]))
        }
        pairs => {
            if !pairs.len().is_multiple_of(2) {
                return Err(wrong_args(
                    b"namespace ensemble configure",
                    "cmdname ?-option value ...? ?arg ...?",
                ));
            }
            let mut new = (*ensemble).clone();
            for pair in pairs.chunks_exact(2) {
                let at = super::choice(&pair[0], &ENSEMBLE_OPTIONS[1..], "option")?;
                match ENSEMBLE_OPTIONS[at + 1] {
                    "-namespace" => {
                        let message = "option -namespace is read-only";
                        return Err(Exit::coded(message, &["TCL", "ENSEMBLE", "READ_ONLY"]));
                    }
                    name => set_ensemble_option(interp, &mut new, name, &pair[1])?,
                }
            }
            if let CommandKind::Ensemble(cell) = &command.kind {
                *cell.borrow_mut() = Rc::new(new);
            }
            Ok(Value::empty())
        }
    }
}

impl Interp<'_> {
    /// Runs something in the scope of a namespace.
    pub(super) fn in_namespace(
        &mut self,
        namespace: NamespaceId,
        run: impl FnOnce(&mut Self) -> Outcome,
    ) -> Outcome {
        let frame = Frame {
            vars: VarTable::default(),
            namespace,
            kind: FrameKind::Namespace(Vec::new()),
            level: self.frame().level + 1,
            caller: self.active,
        };
        self.in_frame(frame, run)
    }
}

//! Variables and scopes: `set`, `incr`, `append`, `lappend`, `unset`, `global`, `variable`, `upvar`, `uplevel`.
//!
//! Source: Tcl 8.6, the manual page of each command.

use std::rc::Rc;

use crate::modulefile::tcl::command::{ANY, Def, Direct};
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::{Interp, wrong_args};
use crate::modulefile::tcl::namespace::split_name;
use crate::modulefile::tcl::number::{self, Number};
use crate::modulefile::tcl::parse::{self, VarRef, Word, WordKind};
use crate::modulefile::tcl::value::Value;
use crate::modulefile::tcl::var::{
    NO_NAMESPACE, NOT_ARRAY, Role, Var, VarName, cannot, is_qualified,
};

pub(super) static TABLE: &[Def] = &[
    Def::new("set", "varName ?newValue?", 1, 2, cmd_set)
        .with_direct(Direct::Both(direct_set, direct_set_word)),
    Def::new("incr", "varName ?increment?", 1, 2, cmd_incr)
        .with_direct(Direct::Both(direct_incr, direct_incr_word)),
    Def::new("append", "varName ?value ...?", 1, ANY, cmd_append),
    Def::new("lappend", "varName ?value ...?", 1, ANY, cmd_lappend)
        .with_direct(Direct::Leaf(direct_lappend)),
    Def::new(
        "unset",
        "?-nocomplain? ?--? ?varName ...?",
        0,
        ANY,
        cmd_unset,
    ),
    Def::new("global", "varName ?varName ...?", 0, ANY, cmd_global),
    Def::new(
        "variable",
        "?name value...? name ?value?",
        0,
        ANY,
        cmd_variable,
    ),
    Def::new(
        "upvar",
        "?level? otherVar localVar ?otherVar localVar ...?",
        2,
        ANY,
        cmd_upvar,
    ),
    Def::new("uplevel", "?level? command ?arg ...?", 1, ANY, cmd_uplevel),
];

fn cmd_set(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    match args {
        [name, value] => interp.set_word(name, value.clone()),
        _ => interp.get_word(&args[0]),
    }
}

fn direct_set(interp: &mut Interp<'_>, command: &parse::Command) -> Option<Value> {
    let [_, name, value] = &*command.words else {
        return None;
    };
    let value = interp.plain_word(value)?;
    interp.set_plain(name.constant()?, value)
}

fn direct_set_word(interp: &mut Interp<'_>, command: &parse::Command) -> Option<Outcome> {
    let [_, name, value] = &*command.words else {
        return None;
    };
    if value.expand || name.expand {
        return None;
    }
    match &name.kind {
        WordKind::Const(name) => Some(match interp.word_value(value) {
            Ok(value) => interp.set_word(name, value),
            Err(exit) => Err(exit),
        }),
        WordKind::Element(variable) => Some(set_element(interp, variable, value)),
        _ => None,
    }
}

fn set_element(interp: &mut Interp<'_>, variable: &VarRef, value: &Word) -> Outcome {
    let index = interp.index_value(variable)?;
    let value = interp.word_value(value)?;
    interp.set_element(&variable.name, &index, value)
}

/// `incr` by a computed number, or of an element.
fn direct_incr_word(interp: &mut Interp<'_>, command: &parse::Command) -> Option<Outcome> {
    let (name, by) = match &*command.words {
        [_, name] => (name, None),
        [_, name, by] if !by.expand => (name, Some(by)),
        _ => return None,
    };
    match &name.kind {
        _ if name.expand => None,
        WordKind::Const(name) => Some(incr_word(interp, name, by)),
        WordKind::Element(variable) => Some(incr_element(interp, variable, by)),
        _ => None,
    }
}

fn incr_word(interp: &mut Interp<'_>, name: &Value, by: Option<&Word>) -> Outcome {
    match by {
        None => cmd_incr(interp, std::slice::from_ref(name)),
        Some(by) => {
            let by = interp.word_value(by)?;
            cmd_incr(interp, &[name.clone(), by])
        }
    }
}

fn incr_element(interp: &mut Interp<'_>, variable: &VarRef, by: Option<&Word>) -> Outcome {
    let name = &variable.name;
    let index = interp.index_value(variable)?;
    let by = by.map(|by| interp.word_value(by)).transpose()?;
    let small = by.as_ref().map_or(Some(1), Value::int_form);
    if let Some(small) = small
        && let Some(value) = interp.incr_element(name, &index, small)
    {
        return Ok(value);
    }
    let mut args = vec![Value::new(bytes!(name, "(", index, ")"))];
    args.extend(by);
    cmd_incr(interp, &args)
}

/// `lappend` to a list that exists.
fn direct_lappend(interp: &mut Interp<'_>, command: &parse::Command) -> Option<Value> {
    let [_, name, element] = &*command.words else {
        return None;
    };
    let element = [interp.plain_word(element)?];
    let most = interp.limits.value_bytes;
    interp.with_plain(name.constant()?, |list| {
        list.list_form()?;
        if list.weight().saturating_add(element[0].weight()) >= most {
            return None;
        }
        list.list_mut().ok()?.extend_from_slice(&element);
        list.grown(&element);
        Some(list.clone())
    })?
}

fn direct_incr(interp: &mut Interp<'_>, command: &parse::Command) -> Option<Value> {
    let (name, by) = match &*command.words {
        [_, name] => (name, 1),
        [_, name, by] => (name, interp.plain_int(by)?),
        _ => return None,
    };
    interp.incr_local(name.constant()?, by)
}

fn cmd_incr(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let by = match args.get(1) {
        None => Number::Int(1),
        Some(word) => integer(word).map_err(|exit| match exit {
            Exit::Error(mut error) => {
                error.add_info("\n    (reading increment)");
                Exit::Error(error)
            }
            other => other,
        })?,
    };
    if let Number::Int(by) = by
        && let Some(value) = interp.incr_local(&args[0], by)
    {
        return Ok(value);
    }
    let target = VarName::parse(args[0].bytes());
    if target.index.is_some()
        && let Some(var) = interp.find_var(target.name)
        && var.is_defined()
        && !var.is_array()
    {
        return Err(cannot("read", target, NOT_ARRAY));
    }
    // A trace or a missing variable is reported as a reading.
    if interp.var_needs_read(target.name) && interp.var_exists(args[0].bytes()) {
        interp.get_var(args[0].bytes())?;
    }
    interp.change(target, "set", |slot| {
        let Some(value) = slot else {
            *slot = Some(Value::number(by));
            return Ok(());
        };
        let old = match value.as_number() {
            Some(number @ (Number::Int(_) | Number::Big(_))) => number,
            _ => {
                let message = bytes!("expected integer but got \"", value, "\"");
                return Err(Exit::coded(message, &["TCL", "VALUE", "INTEGER"]));
            }
        };
        match (old, by) {
            (Number::Int(a), Number::Int(b)) if a.checked_add(b).is_some() => value.set_int(a + b),
            (a, b) => {
                let sum = super::big(&a) + super::big(&b);
                *value = Value::number(sum.into());
            }
        }
        Ok(())
    })
}

fn integer(value: &Value) -> Outcome<Number> {
    if let Some(n) = value.int_form() {
        return Ok(Number::Int(n));
    }
    match value.as_number() {
        Some(number @ (Number::Int(_) | Number::Big(_))) => Ok(number),
        _ => Err(super::not_integer(value)),
    }
}

fn cmd_append(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    if args.len() == 1 {
        return interp.get_var(args[0].bytes());
    }
    let most = interp.limits.value_bytes;
    let append = |value: &mut Value| {
        for more in &args[1..] {
            value.push_bytes(more.bytes());
        }
        super::check_length(value.bytes().len(), most)
    };
    if let Some(result) = interp.change_word(&args[0], append) {
        return result;
    }
    interp.change(VarName::parse(args[0].bytes()), "set", |slot| {
        append(slot.get_or_insert_with(Value::empty))
    })
}

fn cmd_lappend(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    if args.len() == 1 && interp.var_exists(args[0].bytes()) {
        let value = interp.get_var(args[0].bytes())?;
        value.as_list()?;
        return Ok(value);
    }
    if interp.var_needs_read(VarName::parse(args[0].bytes()).name)
        && interp.link_target(args[0].bytes()).is_ok()
    {
        // An old value that cannot be read counts as none.
        let _ = interp.get_var(args[0].bytes());
    }
    let most = interp.limits.value_bytes;
    let append = |value: &mut Value| {
        value.list_mut()?.extend_from_slice(&args[1..]);
        value.grown(&args[1..]);
        super::check_length(value.weight(), most)
    };
    if let Some(result) = interp.change_word(&args[0], append) {
        return result;
    }
    interp.change(VarName::parse(args[0].bytes()), "set", |slot| {
        append(slot.get_or_insert_with(Value::empty))
    })
}

fn cmd_unset(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let mut names = args;
    let mut complain = true;
    while let Some((first, rest)) = names.split_first() {
        match first.bytes() {
            b"-nocomplain" => complain = false,
            b"--" => {
                names = rest;
                break;
            }
            _ => break,
        }
        names = rest;
    }
    for name in names {
        match interp.unset_var(name.bytes()) {
            Err(Exit::Error(_)) if !complain => {}
            other => other?,
        }
    }
    Ok(Value::empty())
}

fn cmd_global(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    if !interp.frame().is_proc() {
        return Ok(Value::empty());
    }
    for name in args {
        let (_, tail) = split_name(name.bytes());
        let full = if name.bytes().starts_with(b"::") {
            name.bytes().to_vec()
        } else {
            bytes!("::", name)
        };
        link(interp, 0, &full, tail)?;
    }
    Ok(Value::empty())
}

fn cmd_variable(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    for pair in args.chunks(2) {
        let name = pair[0].bytes();
        let (_, tail) = split_name(name);
        let current = interp.current_namespace();
        let Some((namespace, own)) = interp.resolve_qualified(name, current) else {
            let message = bytes!(
                "can't define \"",
                name,
                "\": parent namespace doesn't exist"
            );
            return Err(Exit::coded(
                message,
                &[&b"TCL"[..], b"LOOKUP", b"VARNAME", name],
            ));
        };
        if VarName::parse(name).index.is_some() {
            let message = bytes!(
                "can't define \"",
                name,
                "\": name refers to an element in an array"
            );
            return Err(Exit::coded(
                message,
                &[&b"TCL"[..], b"UPVAR", b"LOCAL_ELEMENT"],
            ));
        }
        let var = interp.namespace_var(namespace, own);
        if !var.is_defined() {
            var.set_role(Role::Declared);
        }
        if interp.frame().is_proc() {
            let local = interp
                .frame()
                .vars
                .get(tail)
                .map(|var| (var.is_link(), var.is_defined()));
            if let Some((false, true)) = local {
                let message = bytes!("variable \"", tail, "\" already exists");
                return Err(Exit::coded(message, &["TCL", "UPVAR", "EXISTS"]));
            }
            interp.frame_mut().vars.insert(tail.into(), Var::link(var));
        }
        if let Some(value) = pair.get(1) {
            let full = interp.full_name(namespace, own);
            interp.set_var(&full, value.clone())?;
        }
    }
    Ok(Value::empty())
}

/// Reads a level argument: the frame and whether the word was one.
pub(super) fn level(interp: &Interp<'_>, word: Option<&Value>) -> Outcome<(usize, bool)> {
    let bad = |word: &Value| {
        let message = bytes!("bad level \"", word, "\"");
        Exit::coded(message, &[&b"TCL"[..], b"LOOKUP", b"LEVEL", word.bytes()])
    };
    let current = interp.frame().level;
    let one_up = (current as i64 - 1, false);
    let (wanted, used) = match word {
        None => one_up,
        Some(word) => match (word.bytes(), word.as_number()) {
            ([b'#', digits @ ..], _) => match number::parse_number(digits) {
                Some(Number::Int(n)) if n >= 0 => (n, true),
                _ => return Err(bad(word)),
            },
            (_, Some(Number::Int(n))) if n >= 0 => (current as i64 - n, true),
            // What begins with a digit must be a level; everything else may be a command.
            ([b'0'..=b'9', ..], _) => return Err(bad(word)),
            _ => one_up,
        },
    };
    let shown = match (used, word) {
        (true, Some(word)) => word.clone(),
        _ => Value::from("1"),
    };
    match interp.frame_at_level(wanted) {
        Some(frame) => Ok((frame, used)),
        None => Err(bad(&shown)),
    }
}

fn cmd_upvar(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let usage = "?level? otherVar localVar ?otherVar localVar ...?";
    let (frame, pairs) = if args.len().is_multiple_of(2) {
        // An even number of words leaves no room for a level.
        let (frame, _) = level(interp, None)?;
        (frame, args)
    } else {
        let (frame, used) = level(interp, args.first())?;
        if !used {
            let message = bytes!("bad level \"", args[0], "\"");
            return Err(Exit::coded(
                message,
                &[&b"TCL"[..], b"LOOKUP", b"LEVEL", args[0].bytes()],
            ));
        }
        (frame, &args[1..])
    };
    if pairs.is_empty() {
        return Err(wrong_args(b"upvar", usage));
    }
    for pair in pairs.chunks_exact(2) {
        link(interp, frame, pair[0].bytes(), pair[1].bytes())?;
    }
    Ok(Value::empty())
}

/// Makes `local` of the current scope a link to `other` of a frame.
pub(super) fn link(
    interp: &mut Interp<'_>,
    frame: usize,
    other: &[u8],
    local: &[u8],
) -> Outcome<()> {
    let target = interp.at_frame(frame, |interp| interp.link_target(other))?;
    let in_namespace = is_qualified(local) || !interp.frame().is_proc();
    let name = VarName::parse(other).name;
    if in_namespace
        && interp.frames[frame].is_proc()
        && !is_qualified(name)
        && interp
            .at_frame(frame, |interp| Ok(interp.find_entry(name)))?
            .is_some_and(|entry| !entry.is_link())
    {
        let message = bytes!(
            "bad variable name \"",
            local,
            "\": can't create namespace variable that refers to procedure variable"
        );
        return Err(Exit::coded(message, &["TCL", "UPVAR", "INVERTED"]));
    }
    link_to(interp, target, local)
}

/// Makes `local` of the current scope a link to a variable.
pub(super) fn link_to(interp: &mut Interp<'_>, target: Rc<Var>, local: &[u8]) -> Outcome<()> {
    if VarName::parse(local).index.is_some() {
        let message = bytes!(
            "bad variable name \"",
            local,
            "\": can't create a scalar variable that looks like an array element"
        );
        return Err(Exit::coded(message, &["TCL", "UPVAR", "LOCAL_ELEMENT"]));
    }
    if let Some(entry) = interp.find_own_entry(local) {
        if Rc::ptr_eq(&entry, &target) {
            return Err(Exit::coded(
                "can't upvar from variable to itself",
                &["TCL", "UPVAR", "SELF"],
            ));
        }
        if !entry.is_link() && entry.is_defined() {
            let message = bytes!("variable \"", local, "\" already exists");
            return Err(Exit::coded(message, &["TCL", "UPVAR", "EXISTS"]));
        }
        if entry.is_traced() {
            let message = bytes!("variable \"", local, "\" has traces: can't use for upvar");
            return Err(Exit::coded(message, &["TCL", "UPVAR", "TRACED"]));
        }
    }
    if !interp.insert_var(local, Var::link(target)) {
        let (name, index) = (local, None);
        return Err(cannot("create", VarName { name, index }, NO_NAMESPACE));
    }
    Ok(())
}

fn cmd_uplevel(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (frame, used) = level(interp, args.first())?;
    let script = if used { &args[1..] } else { args };
    let script = match script {
        [] => return Err(wrong_args(b"uplevel", "?level? command ?arg ...?")),
        [script] => script.clone(),
        _ => super::lists::concat(script),
    };
    match interp.at_frame(frame, |interp| interp.eval(&script)) {
        Err(Exit::Error(mut error)) => {
            error.add_info(format!("\n    (\"uplevel\" body line {})", error.line));
            Err(Exit::Error(error))
        }
        other => other,
    }
}

impl Interp<'_> {
    /// The entry of the current scope itself, without the fallback to global variables.
    fn find_own_entry(&mut self, name: &[u8]) -> Option<Rc<Var>> {
        if is_qualified(name) || self.frame().is_proc() {
            return self.find_entry(name);
        }
        let namespace = self.frame().namespace;
        self.namespace(namespace).vars.get(name).cloned()
    }

    /// The variable of a namespace, made when it does not exist.
    pub(super) fn namespace_var(&mut self, namespace: usize, name: &[u8]) -> Rc<Var> {
        if let Some(var) = self.namespace(namespace).vars.get(name) {
            return var.target();
        }
        let var = Rc::new(Var::default());
        self.namespace_mut(namespace)
            .vars
            .insert(name.into(), Rc::clone(&var));
        var
    }

    /// The frame with this level number, seen from the current one.
    pub(super) fn frame_at_level(&self, level: i64) -> Option<usize> {
        let mut at = self.active;
        loop {
            let frame = &self.frames[at];
            if frame.level as i64 == level {
                return Some(at);
            }
            if at == 0 || (frame.level as i64) < level {
                return None;
            }
            at = frame.caller;
        }
    }

    /// Whether reading this variable calls a trace.
    fn var_needs_read(&mut self, name: &[u8]) -> bool {
        self.find_var(name).is_some_and(|var| var.is_traced())
    }
}

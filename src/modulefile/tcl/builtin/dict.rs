//! Dictionaries: `dict` with all its sub-commands.
//!
//! Source: Tcl 8.6, `dict(n)`.

use std::rc::Rc;

use crate::modulefile::tcl::command::{ANY, Def};
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::{Interp, Style, wrong_args};
use crate::modulefile::tcl::number::Number;
use crate::modulefile::tcl::pattern::{Case, string_match};
use crate::modulefile::tcl::value::{Dict, Key, Value};
use crate::modulefile::tcl::var::VarName;

use super::{choice, expect_bool};

pub(super) static TABLE: &[Def] = &[Def::ensemble("dict", SUBCOMMANDS)];

static SUBCOMMANDS: &[Def] = &[
    Def::new("append", "dictVarName key ?value ...?", 2, ANY, append),
    Def::new("create", "?key value ...?", 0, ANY, create),
    Def::new("exists", "dictionary key ?key ...?", 2, ANY, exists),
    Def::new("filter", "dictionary filterType ?arg ...?", 2, ANY, filter),
    Def::new(
        "for",
        "{keyVarName valueVarName} dictionary script",
        3,
        3,
        each,
    ),
    Def::new("get", "dictionary ?key ...?", 1, ANY, get),
    Def::new("incr", "dictVarName key ?increment?", 2, 3, incr),
    Def::new("info", "dictionary", 1, 1, info),
    Def::new("keys", "dictionary ?pattern?", 1, 2, keys),
    Def::new("lappend", "dictVarName key ?value ...?", 2, ANY, lappend),
    Def::new(
        "map",
        "{keyVarName valueVarName} dictionary script",
        3,
        3,
        map,
    ),
    Def::new("merge", "?dictionary ...?", 0, ANY, merge),
    Def::new("remove", "dictionary ?key ...?", 1, ANY, remove),
    Def::new("replace", "dictionary ?key value ...?", 1, ANY, replace),
    Def::new("set", "dictVarName key ?key ...? value", 3, ANY, set),
    Def::new("size", "dictionary", 1, 1, size),
    Def::new("unset", "dictVarName key ?key ...?", 2, ANY, unset),
    Def::new(
        "update",
        "dictVarName key varName ?key varName ...? script",
        4,
        ANY,
        update,
    ),
    Def::new("values", "dictionary ?pattern?", 1, 2, values),
    Def::new("with", "dictVarName ?key ...? script", 2, ANY, with),
];

fn not_known(key: &Value) -> Exit {
    let message = bytes!("key \"", key, "\" not known in dictionary");
    Exit::coded(message, &[&b"TCL"[..], b"LOOKUP", b"DICT", key.bytes()])
}

fn create(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    if !args.len().is_multiple_of(2) {
        return Err(wrong_args(b"dict create", "?key value ...?"));
    }
    let mut dict = Dict::default();
    for pair in args.chunks_exact(2) {
        dict.insert(Key(pair[0].clone()), pair[1].clone());
    }
    Ok(Value::dict(dict))
}

fn get(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    if args.len() == 1 {
        let dict = args[0].as_dict()?;
        return Ok(Value::list(
            dict.iter()
                .flat_map(|(k, v)| [k.0.clone(), v.clone()])
                .collect(),
        ));
    }
    let mut value = args[0].clone();
    for key in &args[1..] {
        let next = value.as_dict()?.get(key.bytes()).cloned();
        value = next.ok_or_else(|| not_known(key))?;
    }
    Ok(value)
}

fn exists(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let mut value = args[0].clone();
    for key in &args[1..] {
        let next = match value.as_dict() {
            Ok(dict) => dict.get(key.bytes()).cloned(),
            Err(_) => None,
        };
        match next {
            Some(next) => value = next,
            None => return Ok(Value::bool(false)),
        }
    }
    Ok(Value::bool(true))
}

fn size(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    Ok(Value::int(args[0].as_dict()?.len() as i64))
}

fn info(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let entries = args[0].as_dict()?.len();
    Ok(Value::from(super::table_statistics(entries)))
}

fn selected(args: &[Value], pick: impl Fn(&Key, &Value) -> Value) -> Outcome {
    let dict = args[0].as_dict()?;
    let all = dict.iter().map(|(key, value)| pick(key, value));
    Ok(Value::list(match args.get(1) {
        None => all.collect(),
        Some(pattern) => all
            .filter(|item| string_match(pattern.bytes(), item.bytes(), Case::Sensitive))
            .collect(),
    }))
}

fn keys(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    selected(args, |key, _| key.0.clone())
}

fn values(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    selected(args, |_, value| value.clone())
}

fn merge(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let Some((first, rest)) = args.split_first() else {
        return Ok(Value::empty());
    };
    let first_dict = first.as_dict()?;
    if rest.is_empty() {
        return Ok(first.clone());
    }
    let mut dict = (*first_dict).clone();
    for other in rest {
        for (key, value) in other.as_dict()?.iter() {
            dict.insert(key.clone(), value.clone());
        }
    }
    Ok(Value::dict(dict))
}

fn remove(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let mut dict = (*args[0].as_dict()?).clone();
    for key in &args[1..] {
        dict.shift_remove(key.bytes());
    }
    Ok(Value::dict(dict))
}

fn replace(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    if args.len().is_multiple_of(2) {
        return Err(wrong_args(b"dict replace", "dictionary ?key value ...?"));
    }
    let mut dict = (*args[0].as_dict()?).clone();
    for pair in args[1..].chunks_exact(2) {
        dict.insert(Key(pair[0].clone()), pair[1].clone());
    }
    Ok(Value::dict(dict))
}

/// Changes the dictionary in a variable.
fn change(
    interp: &mut Interp<'_>,
    name: &Value,
    change: impl FnOnce(&mut Value) -> Outcome<()>,
) -> Outcome {
    interp.change(VarName::parse(name.bytes()), "set", |slot| {
        let value = slot.get_or_insert_with(Value::empty);
        // The old value stays when it is no dictionary.
        value.as_dict()?;
        change(value)
    })
}

fn set(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (value, path) = args[1..].split_last().expect("at least three arguments");
    change(interp, &args[0], |dict| set_path(dict, path, value))
}

fn set_path(dict: &mut Value, path: &[Value], value: &Value) -> Outcome<()> {
    let Some((key, rest)) = path.split_first() else {
        *dict = value.clone();
        return Ok(());
    };
    let table = dict.dict_mut()?;
    if rest.is_empty() {
        table.insert(Key(key.clone()), value.clone());
        return Ok(());
    }
    let slot = table.entry(Key(key.clone())).or_insert_with(Value::empty);
    slot.as_dict()?;
    set_path(slot, rest, value)
}

fn unset(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    change(interp, &args[0], |dict| unset_path(dict, &args[1..]))
}

fn unset_path(dict: &mut Value, path: &[Value]) -> Outcome<()> {
    let (key, rest) = path.split_first().expect("at least one key");
    if rest.is_empty() {
        dict.dict_mut()?.shift_remove(key.bytes());
        return Ok(());
    }
    if !dict.as_dict()?.contains_key(key.bytes()) {
        return Err(not_known(key));
    }
    match dict.dict_mut()?.get_mut(key.bytes()) {
        Some(inner) => unset_path(inner, rest),
        None => Err(not_known(key)),
    }
}

fn append(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    change(interp, &args[0], |dict| {
        let slot = dict
            .dict_mut()?
            .entry(Key(args[1].clone()))
            .or_insert_with(Value::empty);
        for more in &args[2..] {
            slot.push_bytes(more.bytes());
        }
        Ok(())
    })
}

fn lappend(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    change(interp, &args[0], |dict| {
        if let Some(old) = dict.as_dict()?.get(args[1].bytes()) {
            old.as_list()?;
        }
        let slot = dict
            .dict_mut()?
            .entry(Key(args[1].clone()))
            .or_insert_with(Value::empty);
        slot.list_mut()?.extend_from_slice(&args[2..]);
        Ok(())
    })
}

fn incr(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let integer = |value: &Value| match value.as_number() {
        Some(Number::Double(_)) | None => Err(super::not_integer(value)),
        Some(number) => Ok(super::big(&number)),
    };
    let by = match args.get(2) {
        None => 1.into(),
        Some(word) => integer(word)?,
    };
    change(interp, &args[0], |dict| {
        let old = match dict.as_dict()?.get(args[1].bytes()) {
            Some(old) => integer(old)?,
            None => 0.into(),
        };
        let sum = Value::number((old + by).into());
        dict.dict_mut()?.insert(Key(args[1].clone()), sum);
        Ok(())
    })
}

/// The two loop variables of `dict for`, `dict map` and `dict filter`.
fn pair_names(names: &Value, command: &str) -> Outcome<Rc<Vec<Value>>> {
    let names = names.as_list()?;
    if names.len() != 2 {
        let mut code = vec!["TCL", "SYNTAX"];
        code.extend(command.split(' '));
        return Err(Exit::coded("must have exactly two variable names", &code));
    }
    Ok(names)
}

/// Runs a script for each pair; `take` gets what complete rounds give.
fn for_pairs(
    interp: &mut Interp<'_>,
    args: &[Value],
    what: &str,
    mut take: impl FnMut(&Key, &Value, Value) -> Outcome<()>,
) -> Outcome<()> {
    let style = interp.loop_style();
    let names = pair_names(&args[0], what)?;
    let dict = args[1].as_dict()?;
    for (key, value) in dict.iter() {
        interp.step()?;
        interp.set_var(names[0].bytes(), key.0.clone())?;
        interp.set_var(names[1].bytes(), value.clone())?;
        match interp.eval_body(&args[2], style) {
            Ok(result) => take(key, value, result)?,
            Err(Exit::Continue) => {}
            Err(Exit::Break) => break,
            Err(Exit::Error(mut error)) => {
                if style != Style::Inline {
                    let line = error.line;
                    error.add_info(match what {
                        "dict filter" => format!("\n    (\"dict filter\" script line {line})"),
                        _ => format!("\n    (\"{what}\" body line {line})"),
                    });
                }
                return Err(Exit::Error(error));
            }
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

fn each(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    for_pairs(interp, args, "dict for", |_, _, _| Ok(()))?;
    Ok(Value::empty())
}

fn map(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let mut result = Dict::default();
    for_pairs(interp, args, "dict map", |key, _, value| {
        result.insert(key.clone(), value);
        Ok(())
    })?;
    Ok(Value::dict(result))
}

fn filter(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let kind = choice(&args[1], &["key", "script", "value"], "filterType")?;
    let mut result = Dict::default();
    if kind == 1 {
        let [_, _, names, script] = args else {
            return Err(wrong_args(
                b"dict filter dictionary script",
                "{keyVarName valueVarName} filterScript",
            ));
        };
        let words = [names.clone(), args[0].clone(), script.clone()];
        for_pairs(interp, &words, "dict filter", |key, value, verdict| {
            if expect_bool(&verdict)? {
                result.insert(key.clone(), value.clone());
            }
            Ok(())
        })?;
        return Ok(Value::dict(result));
    }
    for (key, value) in args[0].as_dict()?.iter() {
        let text = if kind == 0 {
            key.0.bytes()
        } else {
            value.bytes()
        };
        let fits = |pattern: &Value| string_match(pattern.bytes(), text, Case::Sensitive);
        if args[2..].iter().any(fits) {
            result.insert(key.clone(), value.clone());
        }
    }
    Ok(Value::dict(result))
}

fn update(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let usage = "dictVarName key varName ?key varName ...? script";
    let style = interp.loop_style();
    if !args.len().is_multiple_of(2) {
        return Err(wrong_args(b"dict update", usage));
    }
    let (body, pairs) = args[1..].split_last().expect("at least four arguments");
    let dict = interp.get_var(args[0].bytes())?.as_dict()?;
    for pair in pairs.chunks_exact(2) {
        match dict.get(pair[0].bytes()) {
            Some(value) => {
                interp.set_var(pair[1].bytes(), value.clone())?;
            }
            None => {
                if interp.var_exists(pair[1].bytes()) {
                    interp.unset_var(pair[1].bytes())?;
                }
            }
        }
    }
    drop(dict);
    let result = add_body_line(interp.eval_body(body, style), "update", style);
    if !interp.var_exists(args[0].bytes()) {
        return result;
    }
    let mut new = (*interp.get_var(args[0].bytes())?.as_dict()?).clone();
    for pair in pairs.chunks_exact(2) {
        if interp.var_exists(pair[1].bytes()) {
            let value = interp.get_var(pair[1].bytes())?;
            new.insert(Key(pair[0].clone()), value);
        } else {
            new.shift_remove(pair[0].bytes());
        }
    }
    interp.set_var(args[0].bytes(), Value::dict(new))?;
    result
}

fn add_body_line(result: Outcome, what: &str, style: Style) -> Outcome {
    match result {
        Err(Exit::Error(mut error)) if style != Style::Inline => {
            error.add_info(format!("\n    (body of \"dict {what}\")"));
            Err(Exit::Error(error))
        }
        other => other,
    }
}

fn with(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let style = interp.loop_style();
    let (body, path) = args[1..].split_last().expect("at least two arguments");
    let mut inner = interp.get_var(args[0].bytes())?;
    for key in path {
        let next = inner.as_dict()?.get(key.bytes()).cloned();
        inner = next.ok_or_else(|| not_known(key))?;
    }
    let dict = inner.as_dict()?;
    for (key, value) in dict.iter() {
        interp.set_var(key.0.bytes(), value.clone())?;
    }
    let result = add_body_line(interp.eval_body(body, style), "with", style);
    if !interp.var_exists(args[0].bytes()) {
        return result;
    }
    // The dictionary may have been changed by the body: only the keys that were opened are written back.
    let mut target = interp.get_var(args[0].bytes())?;
    for key in path {
        let next = match target.as_dict()?.get(key.bytes()) {
            Some(next) => next.clone(),
            None => return result,
        };
        target = next;
    }
    let mut new = (*target.as_dict()?).clone();
    for (key, _) in dict.iter() {
        if interp.var_exists(key.0.bytes()) {
            let value = interp.get_var(key.0.bytes())?;
            new.insert(key.clone(), value);
        } else {
            new.shift_remove(key.0.bytes());
        }
    }
    let new = Value::dict(new);
    change(interp, &args[0], |dict| set_path(dict, path, &new))?;
    result
}

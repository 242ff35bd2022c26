//! Lists: `list`, `lindex`, `llength`, `lrange`, `lassign`, `linsert`, `lreplace`, `lreverse`, `lrepeat`, `lset`,
//! `concat`, `join`, `split`.
//!
//! Source: Tcl 8.6, the manual page of each command.

use crate::modulefile::tcl::chars;
use crate::modulefile::tcl::command::{ANY, Def};
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::Interp;
use crate::modulefile::tcl::number;
use crate::modulefile::tcl::value::Value;
use crate::modulefile::tcl::var::VarName;

use super::{Position, expect_int, index};

pub(super) static TABLE: &[Def] = &[
    Def::new("list", "?arg ...?", 0, ANY, |_, args| {
        Ok(Value::list(args.to_vec()))
    }),
    Def::new("llength", "list", 1, 1, |_, args| {
        Ok(Value::int(args[0].as_list()?.len() as i64))
    }),
    Def::new("lindex", "list ?index ...?", 1, ANY, cmd_lindex),
    Def::new("lrange", "list first last", 3, 3, cmd_lrange),
    Def::new("lassign", "list ?varName ...?", 1, ANY, cmd_lassign),
    Def::new("linsert", "list index ?element ...?", 2, ANY, cmd_linsert),
    Def::new(
        "lreplace",
        "list first last ?element ...?",
        3,
        ANY,
        cmd_lreplace,
    ),
    Def::new("lreverse", "list", 1, 1, cmd_lreverse),
    Def::new("lrepeat", "count ?value ...?", 1, ANY, cmd_lrepeat),
    Def::new(
        "lset",
        "listVar ?index? ?index ...? value",
        2,
        ANY,
        cmd_lset,
    ),
    Def::new("concat", "?arg ...?", 0, ANY, |_, args| Ok(concat(args))),
    Def::new("join", "list ?joinString?", 1, 2, cmd_join),
    Def::new("split", "string ?splitChars?", 1, 2, cmd_split),
];

/// Joins words as `concat` does: as lists when all are lists already, else as trimmed text.
pub(super) fn concat(args: &[Value]) -> Value {
    if args.iter().all(|arg| arg.is_pure_list()) {
        let all = args
            .iter()
            .filter_map(Value::list_form)
            .flat_map(|list| list.to_vec());
        return Value::list(all.collect());
    }
    let mut text = Vec::new();
    for arg in args {
        let piece = trim_word(arg.bytes());
        if piece.is_empty() {
            continue;
        }
        if !text.is_empty() {
            text.push(b' ');
        }
        text.extend_from_slice(piece);
    }
    Value::new(text)
}

/// Drops blanks at both ends, but not one that a backslash protects.
fn trim_word(bytes: &[u8]) -> &[u8] {
    let trimmed = number::trim(bytes);
    let start = bytes.iter().take_while(|&&b| number::is_space(b)).count();
    let end = start + trimmed.len();
    if end < bytes.len() && trimmed.last() == Some(&b'\\') {
        return &bytes[start..=end];
    }
    trimmed
}

fn cmd_lindex(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (list, indices) = args.split_first().expect("at least one argument");
    match indices {
        [] => Ok(list.clone()),
        [only] => {
            // One word is an index or a list of them.
            if let Ok(position) = index(only) {
                return element(list, position);
            }
            let Ok(path) = only.as_list() else {
                index(only)?;
                return Ok(Value::empty());
            };
            if path.len() == 1 {
                index(&path[0])?;
            }
            descend(list, &path)
        }
        path => descend(list, path),
    }
}

fn element(list: &Value, position: Position) -> Outcome {
    let items = list.as_list()?;
    Ok(position
        .within(items.len())
        .map(|at| items[at].clone())
        .unwrap_or_default())
}

fn descend(list: &Value, path: &[Value]) -> Outcome {
    let mut value = list.clone();
    for step in path {
        let items = value.as_list()?;
        let position = index(step)?;
        let next = position
            .within(items.len())
            .map(|at| items[at].clone())
            .unwrap_or_default();
        value = next;
    }
    Ok(value)
}

fn cmd_lrange(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let items = args[0].as_list()?;
    let first = index(&args[1])?.clamp_low(items.len());
    let last = index(&args[2])?.end_within(items.len());
    if first >= last {
        return Ok(Value::empty());
    }
    if first == 0 && last == items.len() && args[0].is_pure_list() {
        return Ok(args[0].clone());
    }
    Ok(Value::list(items[first..last].to_vec()))
}

fn cmd_lassign(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let items = args[0].as_list()?;
    let names = &args[1..];
    for (at, name) in names.iter().enumerate() {
        let value = items.get(at).cloned().unwrap_or_default();
        interp.set_var(name.bytes(), value)?;
    }
    Ok(Value::list(
        items.get(names.len()..).unwrap_or_default().to_vec(),
    ))
}

fn cmd_linsert(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let items = args[0].as_list()?;
    let at = match index(&args[1])? {
        Position::Start(n) => usize::try_from(n).unwrap_or(0),
        // `end` means behind the last element here.
        Position::End(n) => usize::try_from(items.len() as i64 + n).unwrap_or(0),
    };
    let at = at.min(items.len());
    let mut result = items[..at].to_vec();
    result.extend_from_slice(&args[2..]);
    result.extend_from_slice(&items[at..]);
    Ok(Value::list(result))
}

fn cmd_lreplace(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let items = args[0].as_list()?;
    let first = index(&args[1])?.clamp_low(items.len()).min(items.len());
    let last = index(&args[2])?.end_within(items.len()).max(first);
    let mut result = items[..first].to_vec();
    result.extend_from_slice(&args[3..]);
    result.extend_from_slice(&items[last..]);
    Ok(Value::list(result))
}

fn cmd_lreverse(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let mut items = args[0].as_list()?.to_vec();
    items.reverse();
    Ok(Value::list(items))
}

fn cmd_lrepeat(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let count = expect_int(&args[0])?;
    let Ok(count) = usize::try_from(count) else {
        let message = bytes!("bad count \"", args[0], "\": must be integer >= 0");
        return Err(Exit::coded(
            message,
            &["TCL", "OPERATION", "LREPEAT", "NEGARG"],
        ));
    };
    let values = &args[1..];
    let each: usize = values.iter().map(|value| value.weight() + 8).sum();
    interp.check_size(count.saturating_mul(each))?;
    let mut result = Vec::with_capacity(count * values.len());
    for _ in 0..count {
        result.extend_from_slice(values);
    }
    Ok(Value::list(result))
}

fn cmd_lset(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let name = args[0].bytes();
    let (value, indices) = args[1..].split_last().expect("at least two arguments");
    // The variable must exist, and reading it calls its traces.
    interp.get_var(name)?;
    let path: Vec<Value> = match indices {
        [only] if index(only).is_err() => only.as_list()?.to_vec(),
        _ => indices.to_vec(),
    };
    interp.change(VarName::parse(name), "set", |slot| {
        let list = slot.get_or_insert_with(Value::empty);
        if path.is_empty() {
            *list = value.clone();
            return Ok(());
        }
        // Checked before anything is changed.
        check_path(list, &path)?;
        set_at(list, &path, value)
    })
}

fn check_path(list: &Value, path: &[Value]) -> Outcome<()> {
    let mut list = list.clone();
    for step in path {
        let items = list.as_list()?;
        let position = index(step)?;
        match position.for_change(items.len()) {
            Some(at) => {
                let next = items.get(at).cloned().unwrap_or_default();
                list = next;
            }
            None => {
                return Err(Exit::coded(
                    "list index out of range",
                    &["TCL", "OPERATION", "LSET", "BADINDEX"],
                ));
            }
        }
    }
    Ok(())
}

fn set_at(list: &mut Value, path: &[Value], value: &Value) -> Outcome<()> {
    let Some((step, rest)) = path.split_first() else {
        *list = value.clone();
        return Ok(());
    };
    let items = list.list_mut()?;
    let at = index(step)?
        .for_change(items.len())
        .expect("checked by check_path");
    if at == items.len() {
        items.push(Value::empty());
    }
    set_at(&mut items[at], rest, value)
}

fn cmd_join(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let items = args[0].as_list()?;
    let separator = args.get(1).map_or(&b" "[..], Value::bytes);
    let mut text = Vec::new();
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            text.extend_from_slice(separator);
        }
        text.extend_from_slice(item.bytes());
        interp.check_size(text.len())?;
    }
    Ok(Value::new(text))
}

fn cmd_split(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let text = args[0].bytes();
    if text.is_empty() {
        return Ok(Value::empty());
    }
    let separators = args.get(1).map_or(&b" \n\t\r"[..], Value::bytes);
    if separators.is_empty() {
        return Ok(Value::list(
            chars::spellings(text).map(Value::from).collect(),
        ));
    }
    if separators.is_ascii() {
        let pieces = text.split(|byte| separators.contains(byte));
        return Ok(Value::list(pieces.map(Value::from).collect()));
    }
    let stops: Vec<&[u8]> = chars::spellings(separators).collect();
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    for character in chars::spellings(text) {
        if stops.contains(&character) {
            pieces.push(Value::new(std::mem::take(&mut piece)));
        } else {
            piece.extend_from_slice(character);
        }
    }
    pieces.push(Value::new(piece));
    Ok(Value::list(pieces))
}

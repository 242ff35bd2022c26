//! Arrays: `array` with all its sub-commands.
//!
//! Elements come in the order in which they were set: Tcl leaves the order open. Source: Tcl 8.6, `array(n)`.

use std::rc::Rc;

use crate::modulefile::tcl::command::Def;
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::Interp;
use crate::modulefile::tcl::pattern::{Case, string_match};
use crate::modulefile::tcl::value::Value;
use crate::modulefile::tcl::var::{NO_NAMESPACE, NOT_ARRAY, Role, Var, VarName, cannot};

use super::exact_choice;

pub(super) static TABLE: &[Def] = &[Def::ensemble("array", SUBCOMMANDS)];

static SUBCOMMANDS: &[Def] = &[
    Def::new("anymore", "arrayName searchId", 2, 2, any_more),
    Def::new("donesearch", "arrayName searchId", 2, 2, done_search),
    Def::new("exists", "arrayName", 1, 1, exists),
    Def::new("get", "arrayName ?pattern?", 1, 2, get),
    Def::new("names", "arrayName ?mode? ?pattern?", 1, 3, names),
    Def::new("nextelement", "arrayName searchId", 2, 2, next_element),
    Def::new("set", "arrayName list", 2, 2, set),
    Def::new("size", "arrayName", 1, 1, size),
    Def::new("startsearch", "arrayName", 1, 1, start_search),
    Def::new("statistics", "arrayName", 1, 1, statistics),
    Def::new("unset", "arrayName ?pattern?", 1, 2, unset),
];

/// A search begun by `array startsearch`.
pub(super) struct Search {
    id: Vec<u8>,
    names: Vec<Value>,
    next: usize,
}

/// The array of this name, after its traces were called.
fn find(interp: &mut Interp<'_>, name: &Value) -> Outcome<Option<Rc<Var>>> {
    if let Some(var) = interp.find_var(name.bytes())
        && (var.is_array() || !var.is_defined())
    {
        let target = VarName::parse(name.bytes());
        interp.fire(&var, None, target, "array")?;
    }
    Ok(interp.find_array(name.bytes()))
}

fn need(interp: &mut Interp<'_>, name: &Value) -> Outcome<Rc<Var>> {
    find(interp, name)?.ok_or_else(|| {
        let message = bytes!("\"", name, "\" isn't an array");
        Exit::coded(message, &[&b"TCL"[..], b"LOOKUP", b"ARRAY", name.bytes()])
    })
}

fn element(array: &Value, index: &Value) -> Vec<u8> {
    bytes!(array, "(", index, ")")
}

fn fits(pattern: Option<&Value>, name: &Value) -> bool {
    pattern.is_none_or(|pattern| string_match(pattern.bytes(), name.bytes(), Case::Sensitive))
}

fn exists(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    Ok(Value::bool(find(interp, &args[0])?.is_some()))
}

fn size(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    Ok(Value::int(match find(interp, &args[0])? {
        Some(array) => interp.element_names(&array).len() as i64,
        None => 0,
    }))
}

fn get(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let Some(array) = find(interp, &args[0])? else {
        return Ok(Value::empty());
    };
    let mut pairs = Vec::new();
    for name in interp.element_names(&array) {
        if fits(args.get(1), &name) {
            // A trace may take the element away.
            if let Ok(value) = interp.get_var(&element(&args[0], &name)) {
                pairs.push(name);
                pairs.push(value);
            }
        }
    }
    Ok(Value::list(pairs))
}

fn names(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let Some(array) = find(interp, &args[0])? else {
        if args.len() == 3 {
            exact_choice(&args[1], &["-exact", "-glob", "-regexp"], "option")?;
        }
        return Ok(Value::empty());
    };
    let names = interp.element_names(&array);
    let (mode, pattern) = match args {
        [_, mode, pattern] => (
            super::choice(mode, &["-exact", "-glob", "-regexp"], "option")?,
            Some(pattern),
        ),
        _ => (1, args.get(1)),
    };
    let mut chosen = Vec::new();
    for name in names {
        let wanted = match (pattern, mode) {
            (None, _) => true,
            (Some(pattern), 0) => *pattern == name,
            (Some(pattern), 1) => fits(Some(pattern), &name),
            (Some(pattern), _) => interp.regex_matches(pattern, &name)?,
        };
        if wanted {
            chosen.push(name);
        }
    }
    Ok(Value::list(chosen))
}

fn set(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let items = args[1].as_list()?;
    if !items.len().is_multiple_of(2) {
        return Err(Exit::coded(
            "list must have an even number of elements",
            &["TCL", "ARGUMENT", "FORMAT"],
        ));
    }
    let name = args[0].bytes();
    let target = VarName { name, index: None };
    let Some(var) = interp.make_var(VarName::parse(name).name) else {
        return Err(cannot("set", target, NO_NAMESPACE));
    };
    if VarName::parse(name).index.is_some() {
        return Err(cannot("set", target, NOT_ARRAY));
    }
    // An empty list still makes an array.
    if !var.make_array() && (items.is_empty() || var.role() == Role::Element) {
        let message = bytes!("can't array set \"", name, "\": ", NOT_ARRAY);
        return Err(Exit::coded(message, &["TCL", "WRITE", "ARRAY"]));
    }
    find(interp, &args[0])?;
    for pair in items.chunks_exact(2) {
        let target = VarName {
            name,
            index: Some(pair[0].bytes()),
        };
        interp.set_name(target, pair[1].clone())?;
    }
    Ok(Value::empty())
}

fn unset(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let Some(array) = find(interp, &args[0])? else {
        return Ok(Value::empty());
    };
    if args.len() == 1 {
        interp.unset_var(args[0].bytes())?;
        return Ok(Value::empty());
    }
    for name in interp.element_names(&array) {
        if fits(args.get(1), &name) {
            let target = element(&args[0], &name);
            if interp.var_exists(&target) {
                interp.unset_var(&target)?;
            }
        }
    }
    Ok(Value::empty())
}

fn statistics(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let array = need(interp, &args[0])?;
    let entries = interp.element_names(&array).len();
    Ok(Value::from(super::table_statistics(entries)))
}

fn start_search(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let array = need(interp, &args[0])?;
    let names = interp.element_names(&array);
    let ending = bytes!("-", args[0]);
    let numbers = (interp.state.searches.iter()).filter_map(|search| {
        let number = search.id.strip_suffix(&ending[..])?.strip_prefix(b"s-")?;
        std::str::from_utf8(number).ok()?.parse::<usize>().ok()
    });
    let number = 1 + numbers.max().unwrap_or(0);
    let id = bytes!("s-", number.to_string(), "-", args[0]);
    interp.state.searches.push(Search {
        id: id.clone(),
        names,
        next: 0,
    });
    Ok(Value::new(id))
}

fn search<'a>(interp: &'a mut Interp<'_>, args: &[Value]) -> Outcome<&'a mut Search> {
    need(interp, &args[0])?;
    let id = args[1].bytes();
    let known = interp
        .state
        .searches
        .iter()
        .position(|search| search.id == id);
    match known {
        Some(at) => Ok(&mut interp.state.searches[at]),
        None => {
            let well_formed =
                id.starts_with(b"s-") && id.iter().filter(|&&b| b == b'-').count() >= 2;
            let message = if !well_formed {
                bytes!("illegal search identifier \"", id, "\"")
            } else if !id.ends_with(&bytes!("-", args[0])) {
                bytes!(
                    "search identifier \"",
                    id,
                    "\" isn't for variable \"",
                    args[0],
                    "\""
                )
            } else {
                bytes!("couldn't find search \"", id, "\"")
            };
            Err(Exit::coded(
                message,
                &[&b"TCL"[..], b"LOOKUP", b"ARRAYSEARCH", id],
            ))
        }
    }
}

fn any_more(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let search = search(interp, args)?;
    Ok(Value::bool(search.next < search.names.len()))
}

fn next_element(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let search = search(interp, args)?;
    let name = search.names.get(search.next).cloned();
    search.next += 1;
    Ok(name.unwrap_or_default())
}

fn done_search(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let id = search(interp, args)?.id.clone();
    interp.state.searches.retain(|search| search.id != id);
    Ok(Value::empty())
}

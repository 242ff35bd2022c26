//! Calls of Lua become calls of the command table, and answers become Lua values.

use std::rc::Rc;

use bstr::BString;
use indexmap::IndexMap;
use mlua::{Lua, MultiValue, UserData};

use super::errors::{self, Raised};
use super::machine::Shared;
use crate::diag::{Diagnostic, Kind, Place};
use crate::modulefile::command::Command;
use crate::modulefile::host::Stop;
use crate::modulefile::value::{ArgError, Args, Value};
use crate::name::Spec;

/// Deepest table that is taken apart.
const MAX_DEPTH: usize = 32;

/// A range of versions as Lua holds it: what `between` gives and `load` takes.
struct SpecValue(Spec);

impl UserData for SpecValue {
    fn add_methods<M: mlua::UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(mlua::MetaMethod::ToString, |_, this, ()| {
            Ok(this.0.text.clone())
        });
    }
}

/// The Lua function `name` that runs `command`.
pub(super) fn function(
    lua: &Lua,
    shared: &Rc<Shared>,
    command: &'static Command,
    name: &'static str,
) -> mlua::Result<mlua::Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua, values: MultiValue| {
        let place = shared.place(lua);
        shared.give(lua, values.iter().map(size).sum())?;
        let outcome = match arguments(command, values) {
            Ok(args) => shared.call(command, args, place.clone())?,
            Err(error) => Err(Stop::Argument(error)),
        };
        match outcome {
            Ok(value) => to_lua(lua, value),
            Err(stop) if place.is_none() => match errors::calling_place(lua) {
                Some(place) => Err(raise(&shared, said_at(stop, &place), name, Some(place))),
                None => Err(raise(&shared, stop, name, None)),
            },
            Err(stop) => Err(raise(&shared, stop, name, place)),
        }
    })
}

/// A failure that code of the site is behind, a hook for example: shown where that called the command, and not in the
/// modulefile that happens to be evaluated.
fn said_at(mut stop: Stop, place: &Place) -> Stop {
    if let Stop::Fatal(diagnostic) | Stop::Error(diagnostic) = &mut stop
        && let Some((shown, label)) = &mut diagnostic.place
    {
        *shown = place.clone();
        if !label.is_empty() {
            *label = "said by the site's code".to_owned();
        }
    }
    stop
}

/// How many bytes a text has; tables count by their texts.
fn size(value: &mlua::Value) -> usize {
    match value {
        mlua::Value::String(text) => text.as_bytes().len(),
        mlua::Value::Table(table) => table
            .pairs::<mlua::Value, mlua::Value>()
            .flatten()
            .map(|(_, value)| match value {
                mlua::Value::String(text) => text.as_bytes().len(),
                _ => 0,
            })
            .sum(),
        _ => 0,
    }
}

/// The way of a stop through Lua: what the file may catch is an error, the rest ends the evaluation.
pub(super) fn raise(shared: &Shared, stop: Stop, name: &str, place: Option<Place>) -> mlua::Error {
    match stop {
        Stop::Argument(error) => {
            let diagnostic = argument_diagnostic(&error, name);
            let diagnostic = match place {
                Some(place) => diagnostic.at(place, ""),
                None => diagnostic,
            };
            mlua::Error::external(Raised::Failed(Box::new(diagnostic)))
        }
        Stop::Error(diagnostic) => mlua::Error::external(Raised::Failed(diagnostic)),
        stop => shared.stop(stop),
    }
}

fn argument_diagnostic(error: &ArgError, name: &str) -> Diagnostic {
    Diagnostic::new(
        Kind::Modulefile,
        match error.index {
            Some(index) => format!("`{name}`: argument {}: {}", index + 1, error.message),
            None => format!("`{name}`: {}", error.message),
        },
    )
}

/// The arguments of a call: by position, or all in one table.
fn arguments(command: &'static Command, values: MultiValue) -> Result<Args, ArgError> {
    let mut values = values.into_vec();
    let mut args = Args::default();
    match values.as_slice() {
        [mlua::Value::Table(table)] if command.any_key && table.raw_len() == 0 => {}
        [mlua::Value::Table(table)] => {
            args.table_form = true;
            let table = table.clone();
            values = table_arguments(command, &table, &mut args)?;
        }
        _ => {
            // `f(a, nil)` means `f(a)` where the second argument may be left out.
            while values.len() > command.args.min && values.last().is_some_and(|v| v.is_nil()) {
                values.pop();
            }
        }
    }
    for (index, value) in values.into_iter().enumerate() {
        let value = from_lua(&value, 0).map_err(|message| ArgError {
            index: Some(index),
            message,
        })?;
        match extra_name(command, index) {
            Some(name) => args.named.push((name, value)),
            None => args.positional.push(value),
        }
    }
    Ok(args)
}

/// The option that stands at position `index`, if any.
fn extra_name(command: &Command, index: usize) -> Option<&'static str> {
    let beyond = index.checked_sub(command.args.min)?;
    command.lua_extra.get(beyond).copied()
}

/// Splits a table into its list part and the options of `command`.
fn table_arguments(
    command: &'static Command,
    table: &mlua::Table,
    args: &mut Args,
) -> Result<Vec<mlua::Value>, ArgError> {
    let fail = |message: String| ArgError {
        index: None,
        message,
    };
    let length = table.raw_len();
    for pair in table.pairs::<mlua::Value, mlua::Value>() {
        let (key, value) = pair.map_err(|e| fail(e.to_string()))?;
        let key = match key {
            mlua::Value::Integer(i) if i >= 1 && i as usize <= length => continue,
            mlua::Value::String(key) => key.to_string_lossy(),
            other => {
                return Err(fail(format!(
                    "the table has a key that is a {}",
                    other.type_name()
                )));
            }
        };
        let option = command
            .options
            .iter()
            .find(|o| o.name == key || o.lua.contains(&key.as_str()))
            .ok_or_else(|| fail(unknown_key(command, &key)))?;
        let value = from_lua(&value, 0).map_err(|m| fail(format!("`{key}`: {m}")))?;
        args.named.push((option.name, value));
    }
    // Lua gives no order to keys; the order of the row makes two runs alike.
    args.named.sort_by_key(|(name, _)| *name);
    Ok((1..=length)
        .map(|i| table.raw_get(i).unwrap_or(mlua::Value::Nil))
        .collect())
}

fn unknown_key(command: &Command, key: &str) -> String {
    let known: Vec<String> = command
        .options
        .iter()
        .map(|o| format!("`{}`", o.lua.first().copied().unwrap_or(o.name)))
        .collect();
    match known.as_slice() {
        [] => format!("unknown key `{key}`: the table takes no keys"),
        _ => format!("unknown key `{key}`; known are {}", known.join(", ")),
    }
}

/// A Lua value as the commands take it; the error is what is wrong.
pub(super) fn from_lua(value: &mlua::Value, depth: usize) -> Result<Value, String> {
    Ok(match value {
        mlua::Value::Nil => Value::Nil,
        mlua::Value::Boolean(b) => Value::Bool(*b),
        mlua::Value::Integer(i) => Value::Int(*i),
        mlua::Value::Number(n) => number(*n),
        mlua::Value::String(s) => Value::Bytes(BString::from(s.as_bytes().to_vec())),
        mlua::Value::Table(table) => {
            if depth >= MAX_DEPTH {
                return Err("tables nested too deeply".to_owned());
            }
            return from_table(table, depth + 1);
        }
        mlua::Value::UserData(data) => match data.borrow::<SpecValue>() {
            Ok(spec) => Value::Spec(Box::new(spec.0.clone())),
            Err(_) => return Err("expected a string, got an object".to_owned()),
        },
        other => return Err(format!("expected a string, got {}", other.type_name())),
    })
}

/// A number keeps its type where both languages write it alike; else it becomes the text that Lua makes of it.
fn number(n: f64) -> Value {
    let text = float_text(n);
    if n.to_string() == text {
        Value::Float(n)
    } else {
        Value::text(text)
    }
}

/// `tostring` of a float: `%.14g`, and `.0` where it looks like an integer.
fn float_text(n: f64) -> String {
    if n.is_nan() {
        return if n.is_sign_negative() { "-nan" } else { "nan" }.to_owned();
    }
    if n.is_infinite() {
        return if n > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{n:.13e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |digits: &str| match digits.contains('.') {
        true => digits
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned(),
        false => digits.to_owned(),
    };
    if !(-4..14).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trim(mantissa), exponent.abs());
    }
    let decimals = (13 - exponent).max(0) as usize;
    let text = trim(&format!("{n:.decimals$}"));
    if text.contains('.') {
        text
    } else {
        text + ".0"
    }
}

fn from_table(table: &mlua::Table, depth: usize) -> Result<Value, String> {
    let length = table.raw_len();
    let mut map = IndexMap::new();
    for pair in table.pairs::<mlua::Value, mlua::Value>() {
        let (key, value) = pair.map_err(|e| e.to_string())?;
        let key = match key {
            mlua::Value::Integer(i) if i >= 1 && i as usize <= length => continue,
            mlua::Value::Integer(i) => i.to_string(),
            mlua::Value::String(key) => key.to_string_lossy(),
            other => return Err(format!("a key that is a {}", other.type_name())),
        };
        map.insert(key, from_lua(&value, depth)?);
    }
    let item = |i: usize| {
        let value = table.raw_get(i).unwrap_or(mlua::Value::Nil);
        from_lua(&value, depth)
    };
    if map.is_empty() {
        return (1..=length)
            .map(item)
            .collect::<Result<_, _>>()
            .map(Value::List);
    }
    map.sort_keys();
    for i in 1..=length {
        map.insert(i.to_string(), item(i)?);
    }
    Ok(Value::Map(map))
}

/// An answer of a command as a Lua value.
pub(super) fn to_lua(lua: &Lua, value: Value) -> mlua::Result<mlua::Value> {
    Ok(match value {
        Value::Nil => mlua::Value::Nil,
        Value::Bool(b) => mlua::Value::Boolean(b),
        Value::Int(i) => mlua::Value::Integer(i),
        Value::Float(f) => mlua::Value::Number(f),
        Value::Bytes(b) => mlua::Value::String(lua.create_string(b)?),
        Value::List(items) => {
            let table = lua.create_table_with_capacity(items.len(), 0)?;
            for (index, item) in items.into_iter().enumerate() {
                table.raw_set(index + 1, to_lua(lua, item)?)?;
            }
            mlua::Value::Table(table)
        }
        Value::Map(entries) => {
            let table = lua.create_table_with_capacity(0, entries.len())?;
            for (key, item) in entries {
                table.raw_set(key, to_lua(lua, item)?)?;
            }
            mlua::Value::Table(table)
        }
        Value::Spec(spec) => mlua::Value::UserData(lua.create_userdata(SpecValue(*spec))?),
    })
}

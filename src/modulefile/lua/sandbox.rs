//! What a modulefile may name, made when it is first named.
//!
//! A file's globals are its own table; what is not there is looked up in one shared table, which asks [`make`] for names
//! it has not met. So a machine starts with nothing registered, and a file pays for what it uses.
//!
//! Code that the site installs (`require`, `loadfile`, SitePackage.lua) runs in Lua's own table of globals, which holds
//! more of the standard library and all the names of modulefiles.

use std::rc::Rc;

use mlua::{IntoLua, Lua, Table, Value};

use super::machine::Shared;
use super::{bind, library};
use crate::modulefile::command::{self, COMMANDS};
use crate::modulefile::value::ArgError;

/// Names of Lua's own library that modulefiles see as they are. Source: Lmod, its sandbox; `error`, `select` and the
/// functions on metatables are ours: they reach nothing outside the file.
const STANDARD: &[&str] = &[
    "_VERSION",
    "assert",
    "error",
    "getmetatable",
    "ipairs",
    "math",
    "next",
    "pairs",
    "rawequal",
    "rawget",
    "rawlen",
    "rawset",
    "select",
    "setmetatable",
    "table",
    "tonumber",
    "tostring",
    "type",
];

/// Names of Lua 5.1 that are gone, by the table they stood in, and what to write instead.
const GONE: &[(&str, &str, &str)] = &[
    (
        "",
        "getfenv",
        "not in Lua 5.4: functions have no environments of their own",
    ),
    (
        "",
        "module",
        "not in Lua 5.4: return a table at the end of the file, and use what `require` gives",
    ),
    (
        "",
        "setfenv",
        "not in Lua 5.4: functions have no environments of their own",
    ),
    ("math", "mod", "not in Lua 5.4: write `a % b`"),
    ("math", "pow", "not in Lua 5.4: write `x ^ y`"),
    (
        "table",
        "foreach",
        "not in Lua 5.4: write `for k, v in pairs(t) do`",
    ),
    (
        "table",
        "foreachi",
        "not in Lua 5.4: write `for i, v in ipairs(t) do`",
    ),
    ("table", "getn", "not in Lua 5.4: write `#t`"),
    ("table", "maxn", "not in Lua 5.4: write `#t`"),
];

/// Makes the shared table, and from it the metatable of the files' globals.
pub(super) fn environment(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let names = lua.create_table()?;
    let maker = Rc::clone(shared);
    let index = lua.create_function(move |lua, (names, name): (Table, Value)| {
        let Value::String(text) = &name else {
            return Ok(Value::Nil);
        };
        let Ok(text) = text.to_str() else {
            return Ok(Value::Nil);
        };
        let value = make(lua, &maker, &text)?;
        if !value.is_nil() {
            names.raw_set(name, &value)?;
        }
        Ok(value)
    })?;
    names.set_metatable(Some(metatable(lua, &index.into_lua(lua)?)?))?;
    let names = names.into_lua(lua)?;
    lua.globals().set_metatable(Some(metatable(lua, &names)?))?;
    library::close_globals(lua)?;
    metatable(lua, &names)
}

/// A metatable that a file can neither see nor change.
fn metatable(lua: &Lua, index: &Value) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(0, 2)?;
    table.raw_set("__index", index)?;
    table.raw_set("__metatable", false)?;
    Ok(table)
}

/// The value behind `name`; nil where modulefiles have no such name.
fn make(lua: &Lua, shared: &Rc<Shared>, name: &str) -> mlua::Result<Value> {
    if let Some(found) = command::find_lua(name) {
        let known = found.lua.iter().find(|n| **n == name);
        let known = known.copied().unwrap_or_default();
        return bind::function(lua, shared, found, known).map(Value::Function);
    }
    if STANDARD.contains(&name) {
        return lua.globals().raw_get(name);
    }
    if let Some((_, name, why)) = GONE.iter().find(|(t, n, _)| t.is_empty() && *n == name) {
        return gone(lua, shared, name, why).map(Value::Function);
    }
    if matches!(name, "math" | "table") {
        return library_table(lua, shared, name);
    }
    library::make(lua, shared, name)
}

/// One of Lua's own tables, in which the names that are gone explain themselves.
fn library_table(lua: &Lua, shared: &Rc<Shared>, name: &str) -> mlua::Result<Value> {
    let table: Table = lua.globals().raw_get(name)?;
    let missing = lua.create_table()?;
    for (_, field, why) in GONE.iter().filter(|(t, _, _)| *t == name) {
        missing.raw_set(*field, gone(lua, shared, field, why)?)?;
    }
    table.set_metatable(Some(metatable(lua, &Value::Table(missing))?))?;
    Ok(Value::Table(table))
}

/// A function that says why it is not there.
pub(super) fn gone(
    lua: &Lua,
    shared: &Rc<Shared>,
    name: &'static str,
    why: &'static str,
) -> mlua::Result<mlua::Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua, _: mlua::MultiValue| -> mlua::Result<()> {
        let error = ArgError {
            index: None,
            message: why.to_owned(),
        };
        Err(bind::raise(&shared, error.into(), name, shared.place(lua)))
    })
}

/// The known name that `name` most likely stands for.
pub(super) fn near_miss(name: &str) -> Option<&'static str> {
    let known = COMMANDS
        .iter()
        .flat_map(|c| c.lua)
        .chain(STANDARD)
        .chain(library::NAMES.iter().flat_map(|names| names.iter()));
    let most = match name.len() {
        0..=3 => 1,
        4..=7 => 2,
        _ => 3,
    };
    let wanted = name.to_ascii_lowercase().replace('-', "_");
    known
        .map(|k| {
            let distance = strsim::damerau_levenshtein(&wanted, &k.to_ascii_lowercase());
            (distance, *k)
        })
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, k)| k)
}

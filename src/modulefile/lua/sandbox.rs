//! What a modulefile may name, made when it is first named.
//!
//! A file's globals are its own table; what is not there is looked up in a shared table, which asks [`make`] for names
//! it has not met. So a machine starts with nothing registered, and a file pays for what it uses.
//!
//! Code that the site installs (`require`, `loadfile`, SitePackage.lua) runs in Lua's own table of globals, which holds
//! more of the standard library and all the names of modulefiles.

use std::rc::Rc;

use mlua::{Lua, StdLib, Table, Value};

use super::machine::Shared;
use super::{bind, library, site};
use crate::modulefile::Mode;
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
    "next",
    "pairs",
    "rawequal",
    "rawget",
    "rawlen",
    "rawset",
    "select",
    "tonumber",
    "tostring",
    "type",
];

/// Tables of Lua's own library in which names of Lua 5.1 are gone. They are opened when they are first named.
const TABLES: &[(&str, StdLib)] = &[("math", StdLib::MATH), ("table", StdLib::TABLE)];

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

/// All that `.modulerc.lua` may name, and nothing but this. Source: Lmod user guide "The modulerc.lua file".
const RC: &[&str] = &[
    "forbid",
    "forbidRegex",
    "hide",
    "hideRegex",
    "hide_modulefile",
    "hide_version",
    "io",
    "isDir",
    "isFile",
    "loadfile",
    "module_alias",
    "module_version",
    "module_virtual",
    "myConfig",
    "os",
    "pathJoin",
    "require",
];

/// Those of [`RC`] that a modulefile may not name.
const RC_ONLY: &[&str] = &[
    "forbid",
    "forbidRegex",
    "hide",
    "hideRegex",
    "hide_modulefile",
    "hide_version",
    "module_alias",
    "module_version",
    "module_virtual",
];

/// Where files find what is not their own: the metatables of their tables of globals.
pub(super) struct Environments {
    modulefile: Table,
    rc: Table,
}

impl Environments {
    /// The metatable for a file evaluated in `mode`.
    pub(super) fn of(&self, mode: Mode) -> Table {
        match mode {
            Mode::Rc => self.rc.clone(),
            _ => self.modulefile.clone(),
        }
    }
}

/// Makes the shared tables.
pub(super) fn environments(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Environments> {
    let of_modulefiles = names(lua, shared, |name| !RC_ONLY.contains(&name))?;
    let of_rc_files = names(lua, shared, |name| RC.contains(&name))?;
    lua.set_named_registry_value(site::NAMES_KEY, &of_modulefiles)?;
    let modulefile = metatable(lua, &of_modulefiles)?;
    lua.globals().set_metatable(Some(modulefile.clone()))?;
    library::close_globals(lua)?;
    Ok(Environments {
        modulefile,
        rc: metatable(lua, &of_rc_files)?,
    })
}

/// A table that makes the names it may hold when they are asked for.
fn names(lua: &Lua, shared: &Rc<Shared>, allowed: fn(&str) -> bool) -> mlua::Result<Value> {
    let names = lua.create_table()?;
    let maker = Rc::clone(shared);
    let index = lua.create_function(move |lua, (names, name): (Table, Value)| {
        let Value::String(text) = &name else {
            return Ok(Value::Nil);
        };
        let value = match text.to_str() {
            Ok(text) if allowed(&text) => make(lua, &maker, &text)?,
            _ => Value::Nil,
        };
        if !value.is_nil() {
            names.raw_set(name, &value)?;
        }
        Ok(value)
    })?;
    names.set_metatable(Some(metatable(lua, &Value::Function(index))?))?;
    Ok(Value::Table(names))
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
    if let Some((_, library)) = TABLES.iter().find(|(table, _)| *table == name) {
        lua.load_std_libs(*library)?;
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

/// Whether files evaluated in `mode` may call `name`.
pub(super) fn is_known(name: &str, mode: Mode) -> bool {
    if mode == Mode::Rc {
        return RC.contains(&name);
    }
    !RC_ONLY.contains(&name)
        && (command::find_lua(name).is_some()
            || STANDARD.contains(&name)
            || library::NAMES.iter().any(|names| names.contains(&name)))
}

/// The known name that `name` most likely stands for.
pub(super) fn near_miss(name: &str) -> Option<&'static str> {
    let known = COMMANDS
        .iter()
        .flat_map(|c| c.lua)
        .chain(STANDARD)
        .chain(TABLES.iter().map(|(name, _)| name))
        .chain(library::NAMES.iter().flat_map(|names| names.iter()));
    let most = match name.len() {
        0..=5 => 1,
        6..=9 => 2,
        _ => 3,
    };
    let wanted = name.to_ascii_lowercase().replace('-', "_");
    known
        .map(|k| {
            let distance = strsim::damerau_levenshtein(&wanted, &k.to_ascii_lowercase());
            (distance, *k)
        })
        .filter(|(distance, known)| *distance <= most && *known != name && !RC_ONLY.contains(known))
        .min()
        .map(|(_, k)| k)
}

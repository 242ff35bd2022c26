//! What code of a site may do beyond modulefiles: ask the user, remove and rename files, find out where its files lie, run
//! coroutines.
//!
//! In Lmod such code has the whole of Lua; here it has what the packages of sites use.
//!
//! Source: Lua 5.4 reference manual 6.8, 6.9, 6.10; the `SitePackage.lua` files that sites publish.

use std::path::Path;
use std::rc::Rc;

use bstr::ByteSlice;
use mlua::{Function, IntoLua, IntoLuaMulti, Lua, LuaString, MultiValue, StdLib, Table, Value};

use super::NAMES_KEY;
use crate::modulefile::lua::library::caught;
use crate::modulefile::lua::library::io::Reader;
use crate::modulefile::lua::machine::Shared;

/// The names of this file.
pub(super) const NAMES: &[&str] = &[
    "arg",
    "collectgarbage",
    "coroutine",
    "debug",
    "io",
    "os",
    "utf8",
];

/// Makes one of [`NAMES`]: what modulefiles find under it, and more.
pub(super) fn make(lua: &Lua, shared: &Rc<Shared>, name: &str) -> mlua::Result<Value> {
    let table = lua.create_table()?;
    match name {
        "arg" => return words(lua, shared).map(Value::Table),
        "collectgarbage" => return collect_garbage(lua).map(Value::Function),
        "coroutine" => return coroutine(lua, shared),
        "utf8" => {
            lua.load_std_libs(StdLib::UTF8)?;
            return lua.globals().raw_get(name);
        }
        "debug" => add_debug(lua, &table)?,
        "io" => add_input(lua, shared, &table)?,
        _ => add_files(lua, shared, &table)?,
    }
    let names: Table = lua.named_registry_value(NAMES_KEY)?;
    if let Value::Table(base) = names.get(name)? {
        let metatable = lua.create_table()?;
        metatable.raw_set("__index", base)?;
        table.set_metatable(Some(metatable))?;
    }
    Ok(Value::Table(table))
}

/// `arg`: the words of the command line, the program at 0.
fn words(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let words = shared.host(|host| host.world.session().args.clone())?;
    let table = lua.create_table()?;
    table.raw_set(0, "lmod")?;
    for word in words {
        table.raw_push(lua.create_string(word)?)?;
    }
    Ok(table)
}

/// `collectgarbage("count")` tells how much there is; the machine cleans up by itself.
fn collect_garbage(lua: &Lua) -> mlua::Result<Function> {
    lua.create_function(
        |lua, (what, _): (Option<String>, MultiValue)| match what.as_deref() {
            Some("count") => (lua.used_memory() as f64 / 1024.0).into_lua(lua),
            Some("isrunning") => true.into_lua(lua),
            _ => 0.into_lua(lua),
        },
    )
}

/// Lua's own `coroutine`. An evaluation that has to end does so inside a coroutine, too, and what a coroutine fails with
/// is what `pcall` gives for it.
fn coroutine(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Value> {
    lua.load_std_libs(StdLib::COROUTINE)?;
    const CODE: &str = "local caught, coroutine = ...
        local resume = coroutine.resume
        local function pass(ok, ...)
            if ok then return true, ... end
            return false, caught((...))
        end
        coroutine.resume = function(...) return pass(resume(...)) end";
    let table: Table = lua.globals().raw_get("coroutine")?;
    lua.load(CODE)
        .set_name("=coroutine")
        .call::<()>((caught(lua, shared)?, &table))?;
    Ok(Value::Table(table))
}

/// `io.stdin`, `io.read`, and `io.lines` without a path: what the user answers.
fn add_input(lua: &Lua, shared: &Rc<Shared>, table: &Table) -> mlua::Result<()> {
    const CODE: &str = "local stdin, lines = ...
        return function(...) return stdin:read(...) end,
            function(path, ...)
                if path == nil then return stdin:lines(...) end
                return lines(path, ...)
            end";
    let stdin = lua.create_userdata(Reader::of_user(shared))?;
    let names: Table = lua.named_registry_value(NAMES_KEY)?;
    let lines: Function = names.get::<Table>("io")?.get("lines")?;
    let functions = lua.load(CODE).set_name("=io").call((&stdin, lines))?;
    let (read, lines): (Function, Function) = functions;
    table.raw_set("stdin", stdin)?;
    table.raw_set("read", read)?;
    table.raw_set("flush", lua.create_function(|_, _: MultiValue| Ok(true))?)?;
    table.raw_set("lines", lines)
}

/// `os.remove`, `os.rename`, `os.tmpname`. Where files are only read for listings nothing is changed.
fn add_files(lua: &Lua, shared: &Rc<Shared>, table: &Table) -> mlua::Result<()> {
    let changing = |change: fn(&Path, &Path) -> std::io::Result<()>| {
        let shared = Rc::clone(shared);
        lua.create_function(move |lua, (path, other): (LuaString, Option<LuaString>)| {
            let done = match shared.host(|host| host.mode.is_crawl())? {
                true => Ok(()),
                false => change(
                    &path.as_bytes().to_path_lossy(),
                    &other
                        .iter()
                        .map(|p| p.as_bytes().to_path_lossy().into_owned())
                        .collect::<std::path::PathBuf>(),
                ),
            };
            match done {
                Ok(()) => true.into_lua_multi(lua),
                Err(error) => {
                    let text = format!("{}: {error}", path.to_string_lossy());
                    (Value::Nil, text, error.raw_os_error().unwrap_or(0)).into_lua_multi(lua)
                }
            }
        })
    };
    table.raw_set("remove", changing(|path, _| remove(path))?)?;
    table.raw_set("rename", changing(|from, to| std::fs::rename(from, to))?)?;
    table.raw_set("setlocale", lua.create_function(set_locale)?)?;
    table.raw_set(
        "tmpname",
        lua.create_function(|_, ()| {
            let file = tempfile::Builder::new().prefix("lua_").tempfile();
            let kept = file.and_then(|file| file.keep().map_err(|kept| kept.error));
            let (_, path) = kept.map_err(mlua::Error::external)?;
            Ok(path.to_string_lossy().into_owned())
        })?,
    )
}

/// `os.setlocale(NAME)`: there is one locale.
fn set_locale(_: &Lua, (name, _): (Option<String>, MultiValue)) -> mlua::Result<Option<String>> {
    let is_known = matches!(name.as_deref(), None | Some("" | "C" | "POSIX"));
    Ok(is_known.then(|| "C".to_owned()))
}

/// A file, or an empty directory.
fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::symlink_metadata(path)?.is_dir() {
        true => std::fs::remove_dir(path),
        false => std::fs::remove_file(path),
    }
}

/// `debug.getinfo(LEVEL | FUNCTION [, WHAT])`, with which code finds the file it stands in, and `debug.traceback(TEXT)`.
fn add_debug(lua: &Lua, table: &Table) -> mlua::Result<()> {
    table.raw_set(
        "getinfo",
        lua.create_function(|lua, (what, _): (Value, MultiValue)| {
            let info = lua.create_table()?;
            match what {
                Value::Function(function) => {
                    let facts = function.info();
                    let line = facts.line_defined.unwrap_or(0);
                    describe(&info, facts.source.as_deref(), line)?;
                }
                level => {
                    let level = usize::try_from(level.as_integer().unwrap_or(1)).unwrap_or(1);
                    let found = lua.inspect_stack(level, |debug| {
                        let source = debug.source();
                        describe(
                            &info,
                            source.source.as_deref(),
                            source.line_defined.unwrap_or(0),
                        )?;
                        info.raw_set("currentline", debug.current_line())
                    });
                    match found {
                        Some(described) => described?,
                        None => return Ok(Value::Nil),
                    }
                }
            }
            info.into_lua(lua)
        })?,
    )?;
    table.raw_set(
        "traceback",
        lua.create_function(|_, (text, _): (Option<LuaString>, MultiValue)| Ok(text))?,
    )
}

fn describe(info: &Table, source: Option<&str>, line: usize) -> mlua::Result<()> {
    let source = source.unwrap_or("=[C]");
    info.raw_set("source", source)?;
    info.raw_set("short_src", source.trim_start_matches(['@', '=']))?;
    info.raw_set("linedefined", line)?;
    info.raw_set("what", if source == "=[C]" { "C" } else { "Lua" })
}

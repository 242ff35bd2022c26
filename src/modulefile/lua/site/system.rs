//! What code of a site may do beyond modulefiles: ask the user, remove and rename files, find out where its files lie.
//!
//! In Lmod such code has the whole of Lua; here it has what the packages of sites use.
//!
//! Source: Lua 5.4 reference manual 6.8, 6.9, 6.10; the `SitePackage.lua` files that sites publish.

use std::path::Path;
use std::rc::Rc;

use bstr::ByteSlice;
use mlua::{Function, IntoLua, IntoLuaMulti, Lua, LuaString, MultiValue, Table, Value};

use super::NAMES_KEY;
use crate::modulefile::lua::library::io::Reader;
use crate::modulefile::lua::machine::Shared;

/// The names of this file.
pub(super) const NAMES: &[&str] = &["debug", "io", "os"];

/// Makes one of [`NAMES`]: what modulefiles find under it, and more.
pub(super) fn make(lua: &Lua, shared: &Rc<Shared>, name: &str) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    match name {
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
    Ok(table)
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

//! The Lua modules of Lmod that site code requires: `Hook`, `Cosmic`, `sandbox`, `Dbg` and the like.
//!
//! Those that only define functions which are there anyway (`string_utils`, `fileOps`, `utils`, ...) give `true`.

use std::rc::Rc;

use mlua::{Function, IntoLua, Lua, MultiValue, Table, Value};

use crate::modulefile::lua::machine::Shared;
use crate::modulefile::world::Level;

/// Hooks that are called somewhere.
pub(super) const HOOKS: &[&str] = &[
    "SiteName",
    "avail",
    "category",
    "colorize_fullName",
    "decorate_module",
    "errWarnMsgHook",
    "finalize",
    "groupName",
    "isForbiddenHook",
    "isVisibleHook",
    "listHook",
    "load",
    "load_spider",
    "msgHook",
    "packagebasename",
    "parse_updateFn",
    "restore",
    "reverseMapPathFilter",
    "spider_decoration",
    "startup",
    "unload",
    "writeCache",
];

/// Modules whose functions are there without them.
const PRESENT: &[&str] = &[
    "Banner",
    "capture",
    "colorize",
    "declare",
    "fileOps",
    "inherits",
    "lmod_system_execute",
    "modfuncs",
    "myGlobals",
    "parseVersion",
    "strict",
    "string_utils",
    "TermWidth",
    "utils",
];

/// The module `name` of Lmod; nil where there is none of that name.
pub(in crate::modulefile::lua) fn module(
    lua: &Lua,
    shared: &Rc<Shared>,
    name: &str,
) -> mlua::Result<Value> {
    if PRESENT.contains(&name) {
        return Ok(Value::Boolean(true));
    }
    Ok(match name {
        "Hook" => Value::Table(hook(lua, shared)?),
        "Cosmic" => Value::Table(cosmic(lua, shared)?),
        "Dbg" => Value::Table(debugger(lua)?),
        "sandbox" => Value::Function(sandbox_registration(lua)?),
        "pairsByKeys" => Value::Function(pairs_by_keys(lua)?),
        _ => Value::Nil,
    })
}

/// Gives site code its own globals.
pub(super) fn add_globals(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<()> {
    let globals = lua.globals();
    if globals.raw_get::<Value>("sandbox_registration")?.is_nil() {
        globals.raw_set("sandbox_registration", sandbox_registration(lua)?)?;
        globals.raw_set("pairsByKeys", pairs_by_keys(lua)?)?;
        globals.raw_set("_G", globals.clone())?;
        let exit = lua.create_table()?;
        let keeper = Rc::clone(shared);
        exit.raw_set(
            "register",
            lua.create_function(move |_, mut values: MultiValue| {
                // Both `ExitHookA.register(f)` and `ExitHookA:register(f)` are written.
                match values.pop_back() {
                    Some(Value::Function(function)) => {
                        keeper.registered.exit_hooks.borrow_mut().push(function);
                        Ok(())
                    }
                    _ => Err(mlua::Error::runtime(
                        "ExitHookA.register: expected a function",
                    )),
                }
            })?,
        )?;
        globals.raw_set("ExitHookA", exit)?;
    }
    Ok(())
}

/// `require("Hook")`: `register(NAME, FUNCTION [, "replace" | "append" | "prepend"])`.
fn hook(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let shared = Rc::clone(shared);
    let register = move |_: &Lua, (name, function, action): (String, Value, Option<String>)| {
        let Value::Function(function) = function else {
            return Err(mlua::Error::runtime(format!(
                "Hook.register: hook `{name}` needs a function, got {}",
                function.type_name()
            )));
        };
        if !HOOKS.contains(&name.as_str()) {
            let text = format!("the site registers a hook `{name}` that nobody calls");
            return shared.host(move |host| host.tell(Level::Warning, text));
        }
        let mut hooks = shared.registered.hooks.borrow_mut();
        let functions = hooks.entry(name).or_default();
        match action.as_deref() {
            Some("append") => functions.push(function),
            Some("prepend") => functions.insert(0, function),
            None | Some("replace") => *functions = vec![function],
            Some(other) => {
                return Err(mlua::Error::runtime(format!(
                    "Hook.register: `{other}` is not `replace`, `append` or `prepend`"
                )));
            }
        }
        Ok(())
    };
    table.raw_set("register", lua.create_function(register)?)?;
    Ok(table)
}

/// `require("Cosmic"):singleton()`: `assign(NAME, VALUE)` and `value(NAME)`.
fn cosmic(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("singleton", lua.create_function(|_, this: Table| Ok(this))?)?;
    let keeper = Rc::clone(shared);
    table.raw_set(
        "assign",
        lua.create_function(move |lua, (_, name, value): (Table, String, Value)| {
            let text = match value {
                Value::Nil => return Ok(()),
                Value::Boolean(yes) => if yes { "yes" } else { "no" }.to_owned(),
                other => lua
                    .coerce_string(other)?
                    .ok_or_else(|| mlua::Error::runtime("cosmic:assign: expected a text"))?
                    .to_string_lossy(),
            };
            keeper.registered.assigned.borrow_mut().push((name, text));
            Ok(())
        })?,
    )?;
    let reader = Rc::clone(shared);
    table.raw_set(
        "value",
        lua.create_function(move |lua, (_, name): (Table, String)| {
            let assigned = reader.registered.assigned.borrow();
            if let Some((_, value)) = assigned.iter().rev().find(|(n, _)| *n == name) {
                return value.as_str().into_lua(lua);
            }
            let text = reader.host(move |host| {
                let session = host.world.session();
                session.text(&name).map(str::to_owned)
            })?;
            text.into_lua(lua)
        })?,
    )?;
    Ok(table)
}

/// `require("Dbg"):dbg()`: an object whose every method does nothing.
fn debugger(lua: &Lua) -> mlua::Result<Table> {
    const CODE: &str = "local quiet = setmetatable({}, {
            __index = function(_, name)
                if name == 'active' then return function() return false end end
                return function() end
            end })
        return { dbg = function() return quiet end }";
    lua.load(CODE).set_name("=Dbg").eval()
}

/// `sandbox_registration{NAME=FUNCTION, ...}`: gives modulefiles further functions.
fn sandbox_registration(lua: &Lua) -> mlua::Result<Function> {
    lua.create_function(|lua, table: Table| {
        let names: Table = lua.named_registry_value(NAMES_KEY)?;
        for pair in table.pairs::<String, Value>() {
            let (name, value) = pair?;
            names.raw_set(name, value)?;
        }
        Ok(())
    })
}

/// Where the table of the names of modulefiles is kept for [`sandbox_registration`].
pub(in crate::modulefile::lua) const NAMES_KEY: &str = "names of modulefiles";

/// `pairsByKeys(TABLE [, COMPARE])`: as `pairs`, in the order of the keys.
fn pairs_by_keys(lua: &Lua) -> mlua::Result<Function> {
    const CODE: &str = "local pairs, sort = pairs, table.sort
        return function(t, compare)
            local keys, at = {}, 0
            for key in pairs(t) do keys[#keys + 1] = key end
            sort(keys, compare)
            return function()
                at = at + 1
                if keys[at] ~= nil then return keys[at], t[keys[at]] end
            end
        end";
    lua.load(CODE).set_name("=pairsByKeys").eval()
}

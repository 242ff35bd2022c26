//! The Lua modules of Lmod that site code requires: `Hook`, `Cosmic`, `sandbox`, `Dbg` and the like.
//!
//! Those that only define functions which are there anyway (`string_utils`, `fileOps`, `utils`, ...) give `true`.

use std::rc::Rc;

use bstr::ByteSlice;
use mlua::{Function, IntoLua, Lua, MultiValue, ObjectLike, Table, Value};

use super::{posix, system};
use crate::modulefile::host::query::by_key;
use crate::modulefile::lua::machine::Shared;
use crate::modulefile::lua::{bind, library};
use crate::modulefile::value::Value as Plain;
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

/// Modules that only define functions, which are there without them.
const PRESENT: &[&str] = &[
    "capture",
    "cmdfuncs",
    "colorize",
    "declare",
    "deepcopy",
    "fileOps",
    "inherits",
    "lmod_system_execute",
    "loadModuleFile",
    "modfuncs",
    "myGlobals",
    "parseVersion",
    "serializeTbl",
    "strict",
    "string_utils",
    "TermWidth",
    "utils",
];

/// Modules that `modules.lua` holds.
const WRITTEN_IN_LUA: &[&str] = &[
    "Banner",
    "Exec",
    "FrameStk",
    "MName",
    "MT",
    "ModuleStack",
    "Version",
    "base64",
    "i18n",
];

/// Functions of `modules.lua` that site code has without requiring anything.
const FUNCTIONS: &[&str] = &[
    "TermWidth",
    "activateWarning",
    "argsPack",
    "buildMsg",
    "build_fullName",
    "case_independent_cmp",
    "clearWarningFlag",
    "deactivateWarning",
    "deepcopy",
    "dofile",
    "epoch",
    "expert",
    "extractVersion",
    "getWarningFlag",
    "haveWarnings",
    "i18n",
    "lmod_system_execute",
    "masterTbl",
    "optionTbl",
    "parseVersion",
    "path2pathA",
    "quiet",
    "regular_cmp",
    "serializeTbl",
    "setWarningFlag",
];

/// Parts of Lmod that site code could require there, and that have no counterpart here.
const INTERNAL: &[&str] = &[
    "Cache",
    "Configuration",
    "DirTree",
    "LocationT",
    "MRC",
    "Master",
    "MasterControl",
    "MainControl",
    "Hub",
    "ModuleA",
    "Options",
    "ReadLmodRC",
    "Spider",
    "StandardPackage",
    "Var",
    "pager",
    "sandbox_modules",
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
    if WRITTEN_IN_LUA.contains(&name) {
        return written_in_lua(lua, shared, name);
    }
    if posix::is_module(name) {
        return posix::module(lua, shared, name);
    }
    if INTERNAL.contains(&name) {
        return absent(lua, name).map(Value::Table);
    }
    Ok(match name {
        "Hook" => Value::Table(hook(lua, shared)?),
        "Cosmic" => Value::Table(cosmic(lua, shared)?),
        "Dbg" => Value::Table(debugger(lua)?),
        "json" => Value::Table(json(lua)?),
        "sandbox" => Value::Function(sandbox_registration(lua)?),
        // One class stands for the base and for what sites derive from it.
        "Pkg" | "PkgBase" | "PkgLmod" | "PkgTACC" => {
            let names: Table = lua.named_registry_value(NAMES_KEY)?;
            names.get("Pkg")?
        }
        "pairsByKeys" => Value::Function(pairs_by_keys(lua)?),
        _ => Value::Nil,
    })
}

/// Stands for a part of Lmod that is not here. Packages of sites require parts that they never use, so that the mistake
/// is told where one is used.
fn absent(lua: &Lua, name: &str) -> mlua::Result<Table> {
    let text = format!(
        "module '{name}' is a part of Lmod itself, which is not here; hooks, `FrameStk`, `MName`, `Cosmic` and the \
         functions of modulefiles tell what site code needs"
    );
    let refuse = lua.create_function(move |_, _: MultiValue| {
        Err::<(), _>(mlua::Error::runtime(text.as_str()))
    })?;
    let metatable = lua.create_table()?;
    metatable.raw_set("__index", &refuse)?;
    metatable.raw_set("__call", refuse)?;
    let table = lua.create_table()?;
    table.set_metatable(Some(metatable))?;
    Ok(table)
}

/// One of the values that `modules.lua` makes.
fn written_in_lua(lua: &Lua, shared: &Rc<Shared>, name: &str) -> mlua::Result<Value> {
    const KEY: &str = "modules of Lmod";
    let makers: Table = match lua.named_registry_value(KEY)? {
        Value::Table(makers) => makers,
        _ => {
            let makers: Table = lua
                .load(include_str!("modules.lua"))
                .set_name("=modules of Lmod")
                .call((
                    request(lua, shared)?,
                    message_of(lua, shared)?,
                    term_width(lua, shared)?,
                    own_properties(lua, shared)?,
                ))?;
            lua.set_named_registry_value(KEY, &makers)?;
            makers
        }
    };
    let maker: Function = makers.raw_get(name)?;
    maker.call(())
}

/// `MT:singleton()`: what is loaded.
pub(super) fn loaded_modules(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    match written_in_lua(lua, shared, "MT")? {
        Value::Table(class) => class.call_method("singleton", ()),
        _ => lua.create_table(),
    }
}

/// The request: its words behind the sub-command, the style of `avail`, whether it is terse.
fn request(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |_, ()| {
        shared.host(|host| {
            let args = host.world.session().args.iter().skip(1);
            let args: Vec<String> = args.map(|w| w.to_str_lossy().into_owned()).collect();
            let mut words = args.iter().skip_while(|w| w.starts_with('-'));
            words.next();
            let words: Vec<String> = words.cloned().collect();
            let options = &args[..args.len() - words.len()];
            let asked =
                options
                    .iter()
                    .enumerate()
                    .find_map(|(index, word)| match word.split_once('=') {
                        Some(("--style" | "-s", style)) => Some(style.to_owned()),
                        None if word == "--style" || word == "-s" => {
                            options.get(index + 1).cloned()
                        }
                        _ => None,
                    });
            let styles = &host.world.config().avail_styles;
            let marked = styles
                .split(':')
                .find_map(|s| s.strip_prefix('<')?.strip_suffix('>'));
            let usual = marked.or_else(|| styles.split(':').next());
            let style = asked.unwrap_or_else(|| usual.unwrap_or_default().to_owned());
            let terse = options.iter().any(|o| o == "-t" || o == "--terse");
            (words, style, terse)
        })
    })
}

/// `i18n(KEY, VALUES)`: the site's text for a key, nil where it has none.
fn message_of(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua, (key, values): (String, Table)| {
        let values = bind::from_lua(&Value::Table(values), 0).map_err(mlua::Error::runtime)?;
        let place = shared.place(lua);
        let text = shared.host(move |host| {
            let template = super::template(host, &key)?;
            let values = match values {
                Plain::Map(values) => values,
                _ => indexmap::IndexMap::new(),
            };
            Ok(template.map(|template| super::filled(&template, &values)))
        })?;
        match text.map_err(|stop| bind::raise(&shared, stop, "i18n", place))? {
            Some(text) => lua.create_string(text).map(Value::String),
            None => Ok(Value::Nil),
        }
    })
}

/// `TermWidth()`.
fn term_width(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |_, ()| shared.host(|host| library::width(host)))
}

/// The properties that the module which is being evaluated has so far.
fn own_properties(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua, ()| {
        let properties = shared.host(|host| by_key(&host.evaluation.properties))?;
        bind::to_lua(lua, properties)
    })
}

/// `require("json")`: `encode(VALUE)` and `decode(TEXT)`.
fn json(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set(
        "encode",
        lua.create_function(|_, value: Value| {
            let value = bind::from_lua(&value, 0).map_err(mlua::Error::runtime)?;
            Ok(as_json(&value).to_string())
        })?,
    )?;
    table.raw_set(
        "decode",
        lua.create_function(|lua, text: mlua::LuaString| {
            let value = serde_json::from_slice(&text.as_bytes());
            let value = value.map_err(|e| mlua::Error::runtime(format!("json.decode: {e}")))?;
            bind::to_lua(lua, of_json(value))
        })?,
    )?;
    Ok(table)
}

fn as_json(value: &Plain) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Plain::Nil => Json::Null,
        Plain::Bool(yes) => Json::Bool(*yes),
        Plain::Int(i) => Json::from(*i),
        Plain::Float(f) => Json::from(*f),
        Plain::Bytes(text) => Json::String(text.to_str_lossy().into_owned()),
        Plain::Spec(spec) => Json::String(spec.text.clone()),
        Plain::List(items) => items.iter().map(as_json).collect(),
        Plain::Map(entries) => {
            let entries = entries.iter().map(|(k, v)| (k.clone(), as_json(v)));
            Json::Object(entries.collect())
        }
    }
}

fn of_json(value: serde_json::Value) -> Plain {
    use serde_json::Value as Json;
    match value {
        Json::Null => Plain::Nil,
        Json::Bool(yes) => Plain::Bool(yes),
        Json::Number(n) => match n.as_i64() {
            Some(i) => Plain::Int(i),
            None => Plain::Float(n.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Plain::text(text),
        Json::Array(items) => Plain::List(items.into_iter().map(of_json).collect()),
        Json::Object(entries) => {
            let entries = entries.into_iter().map(|(k, v)| (k, of_json(v)));
            Plain::Map(entries.collect())
        }
    }
}

/// Gives site code its own globals, made when they are first named.
pub(super) fn add_globals(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<()> {
    let globals = lua.globals();
    if globals.raw_get::<Value>("ExitHookA")?.is_nil() {
        globals.raw_set("_G", globals.clone())?;
        globals.raw_set("ExitHookA", exit_hooks(lua, shared)?)?;
        let names: Table = lua.named_registry_value(NAMES_KEY)?;
        let maker = Rc::clone(shared);
        let index = lua.create_function(move |lua, (globals, name): (Table, Value)| {
            let text = match &name {
                Value::String(text) => text.to_str()?.to_owned(),
                _ => return Ok(Value::Nil),
            };
            let value = match text.as_str() {
                "sandbox_registration" => Value::Function(sandbox_registration(lua)?),
                "pairsByKeys" => Value::Function(pairs_by_keys(lua)?),
                "posix" => posix::module(lua, &maker, "posix")?,
                name if system::NAMES.contains(&name) => system::make(lua, &maker, name)?,
                name if FUNCTIONS.contains(&name) => written_in_lua(lua, &maker, name)?,
                _ => return names.get(&name),
            };
            globals.raw_set(name, &value)?;
            Ok(value)
        })?;
        let metatable = lua.create_table_with_capacity(0, 2)?;
        metatable.raw_set("__index", index)?;
        metatable.raw_set("__metatable", false)?;
        globals.set_metatable(Some(metatable))?;
    }
    Ok(())
}

/// `ExitHookA`: what runs when the command ends.
fn exit_hooks(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let exit = lua.create_table()?;
    let keeper = Rc::clone(shared);
    exit.raw_set(
        "register",
        lua.create_function(move |_, mut values: MultiValue| {
            // Both `ExitHookA.register(f)` and `ExitHookA:register(f)` are written, with or without an action behind.
            let function = values.iter().position(|v| v.is_function());
            match function.and_then(|at| values.remove(at)) {
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
    Ok(exit)
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

/// Settings of Lmod that have no value, rather than an empty one, where nobody gives them one.
const NAMES_WITHOUT_DEFAULT: &[&str] = &[
    "LMOD_PACKAGE_PATH",
    "LMOD_SITE_MSG_FILE",
    "LMOD_SITE_NAME",
    "LMOD_SYSTEM_NAME",
];

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
            let names_something = NAMES_WITHOUT_DEFAULT.contains(&name.as_str());
            let text = reader.host(move |host| {
                let own = host.world.config().text_of_variable(&name);
                let session = host.world.session();
                session.text(&name).map(str::to_owned).or(own)
            })?;
            let text = text.filter(|text| !names_something || !text.is_empty());
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

//! Basic functions: calls that may fail, code from other files, Lua 5.1's `unpack` and `loadstring`.
//!
//! Source: Lua 5.4 reference manual 6.1 and 6.3, Lua 5.1 for the two names that 5.4 lacks.

use std::rc::Rc;

use bstr::BString;
use mlua::chunk::ChunkMode;
use mlua::{Function, IntoLua, IntoLuaMulti, Lua, MultiValue, Table, Value};

use crate::modulefile::lua::errors::{self, Raised};
use crate::modulefile::lua::machine::Shared;
use crate::modulefile::lua::sandbox;

/// The names of this file.
pub(super) const NAMES: &[&str] = &[
    "dofile",
    "loadfile",
    "loadstring",
    "package",
    "pcall",
    "require",
    "setmetatable",
    "unpack",
    "xpcall",
];

/// Largest file of Lua code that is read.
const MAX_CODE_BYTES: u64 = 16 << 20;

/// Makes one of [`NAMES`].
pub(super) fn make(lua: &Lua, shared: &Rc<Shared>, name: &str) -> mlua::Result<Value> {
    let function = match name {
        "pcall" => pcall(lua, shared)?,
        "xpcall" => xpcall(lua, shared)?,
        "setmetatable" => set_metatable(lua)?,
        "unpack" => lua.globals().get::<Table>("table")?.raw_get("unpack")?,
        "loadstring" => lua.create_function(load_text)?,
        "loadfile" => lua.create_function(load_file)?,
        "require" => require(lua, shared)?,
        "dofile" => sandbox::gone(
            lua,
            shared,
            "dofile",
            "not for modulefiles: use `loadfile(name)()` or `require`",
        )?,
        "package" => return package(lua, shared).map(Value::Table),
        _ => return Ok(Value::Nil),
    };
    Ok(Value::Function(function))
}

/// What `pcall` may give to a file: an end of the evaluation goes on, an error of ours becomes text.
pub(in crate::modulefile::lua) fn caught(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua, error: Value| {
        if shared.is_stopped() {
            return Err(mlua::Error::external(Raised::Stopped));
        }
        match error {
            Value::Error(error) => errors::root_cause(&error).into_lua(lua),
            other => Ok(other),
        }
    })
}

fn pcall(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    const CODE: &str = "local caught = ...
        local pcall = ({...})[2]
        local function pass(ok, ...)
            if ok then return true, ... end
            return false, caught((...))
        end
        return function(...) return pass(pcall(...)) end";
    wrap(lua, shared, "pcall", CODE)
}

fn xpcall(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    const CODE: &str = "local caught = ...
        local xpcall = ({...})[2]
        local function pass(ok, ...)
            if not ok then caught(nil) end
            return ok, ...
        end
        return function(f, handler, ...)
            return pass(xpcall(f, function(e) return handler(caught(e)) end, ...))
        end";
    wrap(lua, shared, "xpcall", CODE)
}

/// `setmetatable`, but for finalizers: they run where no instruction is counted.
fn set_metatable(lua: &Lua) -> mlua::Result<Function> {
    const CODE: &str = "local set, rawget, type, error = ...
        return function(table, metatable)
            if type(metatable) == 'table' and rawget(metatable, '__gc') ~= nil then
                error('`setmetatable`: `__gc` is not for modulefiles', 2)
            end
            return set(table, metatable)
        end";
    let globals = lua.globals();
    let basic = |name: &str| globals.raw_get::<Function>(name);
    let original: Function = lua.named_registry_value("setmetatable")?;
    lua.load(CODE).set_name("=setmetatable").call((
        original,
        basic("rawget")?,
        basic("type")?,
        basic("error")?,
    ))
}

/// The function that `code` makes of [`caught`] and Lua's own function `name`.
fn wrap(lua: &Lua, shared: &Rc<Shared>, name: &str, code: &str) -> mlua::Result<Function> {
    let original: Function = lua.named_registry_value(name)?;
    lua.load(code)
        .set_name(format!("={name}"))
        .call((caught(lua, shared)?, original))
}

/// Keeps Lua's own functions for those that stand in their place.
pub(super) fn keep_originals(lua: &Lua) -> mlua::Result<()> {
    for name in ["pcall", "setmetatable", "xpcall"] {
        let original: Function = lua.globals().raw_get(name)?;
        lua.set_named_registry_value(name, original)?;
    }
    Ok(())
}

/// `loadstring(TEXT [, NAME])`: a function, or nil and what is wrong. It runs in the globals of site code.
pub(super) fn load_text(
    lua: &Lua,
    (text, name): (mlua::LuaString, Option<String>),
) -> mlua::Result<MultiValue> {
    let name = name.unwrap_or_else(|| format!("={}", text.to_string_lossy()));
    let name = name.replace('\0', "");
    compile(lua, text.as_bytes().to_vec(), &name)
}

/// `loadfile(PATH)`.
fn load_file(lua: &Lua, path: String) -> mlua::Result<MultiValue> {
    match read(&path) {
        Ok(text) => compile(lua, text, &format!("@{path}")),
        Err(why) => (Value::Nil, why).into_lua_multi(lua),
    }
}

fn compile(lua: &Lua, text: Vec<u8>, name: &str) -> mlua::Result<MultiValue> {
    let chunk = lua.load(text).set_name(name).set_mode(ChunkMode::Text);
    match chunk.into_function() {
        Ok(function) => function.into_lua_multi(lua),
        Err(mlua::Error::SyntaxError { message, .. }) => (Value::Nil, message).into_lua_multi(lua),
        Err(other) => Err(other),
    }
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    use std::io::Read;
    let fail = |error: std::io::Error| format!("cannot read {path}: {error}");
    if super::io::is_of_this_process(path.as_bytes()) {
        return Err(format!("cannot read {path}: {}", super::io::REFUSED));
    }
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(fail)?;
    file.take(MAX_CODE_BYTES)
        .read_to_end(&mut text)
        .map_err(fail)?;
    if text.starts_with(b"#") {
        // The first line of a script says who runs it; the line stays, so that later ones keep their numbers.
        let end = text.iter().position(|b| *b == b'\n').unwrap_or(text.len());
        text.drain(..end);
    }
    Ok(text)
}

/// `package`: where `require` looks, and what it has found.
fn package(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    const KEY: &str = "package";
    if let Ok(table) = lua.named_registry_value::<Table>(KEY) {
        return Ok(table);
    }
    let table = lua.create_table()?;
    table.raw_set("path", search_path(shared)?)?;
    table.raw_set("cpath", "")?;
    table.raw_set("config", "/\n;\n?\n!\n-\n")?;
    table.raw_set("loaded", lua.create_table()?)?;
    table.raw_set("preload", lua.create_table()?)?;
    lua.set_named_registry_value(KEY, &table)?;
    Ok(table)
}

/// Where `require` looks at first: the site's packages, then `LUA_PATH`, then where distributions put Lua code.
fn search_path(shared: &Rc<Shared>) -> mlua::Result<BString> {
    const DEFAULT: &str = "/usr/local/share/lua/5.4/?.lua;/usr/local/share/lua/5.4/?/init.lua;/usr/share/lua/5.4/?.lua;/usr/share/lua/5.4/?/init.lua";
    shared.host(|host| {
        let session = host.world.session();
        let mut path = Vec::new();
        let site = session.var("LMOD_PACKAGE_PATH").unwrap_or_default();
        for dir in bstr::ByteSlice::split_str(site.as_ref() as &[u8], ":") {
            if !dir.is_empty() {
                path.extend_from_slice(dir);
                path.extend_from_slice(b"/?.lua;");
            }
        }
        let own = session
            .text("LUA_PATH_5_4")
            .or_else(|| session.text("LUA_PATH"));
        match own {
            Some(own) => path.extend(own.replace(";;", &format!(";{DEFAULT};")).bytes()),
            None => path.extend(DEFAULT.bytes()),
        }
        BString::from(path)
    })
}

/// `require(NAME)`.
fn require(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua, name: String| {
        let package = package(lua, &shared)?;
        let loaded: Table = package.raw_get("loaded")?;
        let known: Value = loaded.raw_get(name.as_str())?;
        if !known.is_nil() {
            return Ok(known);
        }
        let result = find_module(lua, &shared, &package, &name)?;
        let result = match (result, loaded.raw_get(name.as_str())?) {
            (Value::Nil, Value::Nil) => Value::Boolean(true),
            (Value::Nil, set) => set,
            (value, _) => value,
        };
        loaded.raw_set(name, &result)?;
        Ok(result)
    })
}

/// Runs the module `name`: its value.
fn find_module(lua: &Lua, shared: &Rc<Shared>, package: &Table, name: &str) -> mlua::Result<Value> {
    let preload: Table = package.raw_get("preload")?;
    if let Value::Function(loader) = preload.raw_get::<Value>(name)? {
        return loader.call((name, ":preload:"));
    }
    let own = super::module(lua, shared, name)?;
    if !own.is_nil() {
        return Ok(own);
    }
    let path: String = package.get("path")?;
    let file_name = name.replace('.', "/");
    let mut tried = String::new();
    for template in path.split(';').filter(|t| !t.is_empty()) {
        let file = template.replace('?', &file_name);
        match read(&file) {
            Ok(text) => {
                let chunk = lua
                    .load(text)
                    .set_name(format!("@{file}"))
                    .set_mode(ChunkMode::Text);
                return chunk.call((name, file.as_str()));
            }
            Err(_) => tried += &format!("\n\tno file '{file}'"),
        }
    }
    Err(mlua::Error::runtime(format!(
        "module '{name}' not found:{tried}"
    )))
}

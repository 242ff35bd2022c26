//! The functions of modulefiles that are Lua's alone: they give values and change no environment.
//!
//! One file per topic; each lists its names and makes the value of a name when it is first used.

mod base;
mod files;
pub(super) mod io;
mod os;
mod path;
mod pattern;
mod pkg;
mod text;

pub(super) use base::caught;
pub(in crate::modulefile) use text::width;

use std::rc::Rc;

use mlua::{Lua, Value};

use super::machine::Shared;
use super::site;

/// All names, for near misses.
pub(super) const NAMES: &[&[&str]] = &[
    base::NAMES,
    files::NAMES,
    io::NAMES,
    os::NAMES,
    path::NAMES,
    pkg::NAMES,
    text::NAMES,
];

/// The value behind `name`, nil where no topic has it.
pub(super) fn make(lua: &Lua, shared: &Rc<Shared>, name: &str) -> mlua::Result<Value> {
    type Make = fn(&Lua, &Rc<Shared>, &str) -> mlua::Result<Value>;
    let topics: [(&[&str], Make); 7] = [
        (base::NAMES, base::make),
        (files::NAMES, files::make),
        (io::NAMES, io::make),
        (os::NAMES, os::make),
        (path::NAMES, path::make),
        (pkg::NAMES, pkg::make),
        (text::NAMES, text::make),
    ];
    match topics.iter().find(|(names, _)| names.contains(&name)) {
        Some((_, make)) => make(lua, shared, name),
        None => Ok(Value::Nil),
    }
}

/// A module that `require` finds here and in no file; nil where there is none of that name.
fn module(lua: &Lua, shared: &Rc<Shared>, name: &str) -> mlua::Result<Value> {
    match name {
        "coroutine" | "debug" | "io" | "lfs" | "math" | "os" | "posix" | "string" | "table"
        | "utf8" => lua.globals().get(name),
        _ => site::module(lua, shared, name),
    }
}

/// Takes out of Lua's own globals what site code must not reach either; the safe twins are found through [`make`].
pub(super) fn close_globals(lua: &Lua) -> mlua::Result<()> {
    base::keep_originals(lua)?;
    let globals = lua.globals();
    for name in [
        "print",
        "pcall",
        "setmetatable",
        "xpcall",
        "dofile",
        "load",
        "loadfile",
        "collectgarbage",
        "warn",
    ] {
        globals.raw_set(name, Value::Nil)?;
    }
    globals.raw_set("load", lua.create_function(base::load_text)?)?;
    text::extend_strings(lua)
}

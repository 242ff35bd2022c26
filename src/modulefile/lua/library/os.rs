//! `os`, and programs whose output is wanted: with the working environment in place of the process's own.
//!
//! Source: Lua 5.4 reference manual 6.9; Lmod user guide `capture`, `subprocess`.

use std::rc::Rc;

use bstr::{BString, ByteSlice};
use mlua::{Function, IntoLuaMulti, Lua, LuaString, MultiValue, StdLib, Table, Value};

use crate::diag::{Diagnostic, Kind};
use crate::modulefile::Mode;
use crate::modulefile::host::program::{self, Input, Output, ProgramError};
use crate::modulefile::host::query::LMOD_VERSION;
use crate::modulefile::host::{Host, Stop};
use crate::modulefile::lua::bind;
use crate::modulefile::lua::machine::Shared;
use crate::modulefile::world::Level;

/// The names of this file.
pub(super) const NAMES: &[&str] = &["capture", "os", "subprocess"];

/// Variables that modulefiles see whatever the environment holds. Source: Lmod, which sets them before a file runs.
const FIXED: &[(&str, &str)] = &[
    ("LC_ALL", "C"),
    ("LMOD_VERSION", LMOD_VERSION),
    ("LMOD_VERSION_MAJOR", "9"),
    ("LMOD_VERSION_MINOR", "2"),
    ("LMOD_VERSION_SUBMINOR", "9"),
    ("ModuleTool", "Lmod"),
    ("ModuleToolVersion", LMOD_VERSION),
];

/// Makes one of [`NAMES`].
pub(super) fn make(lua: &Lua, shared: &Rc<Shared>, name: &str) -> mlua::Result<Value> {
    match name {
        "os" => os(lua, shared).map(Value::Table),
        "capture" | "subprocess" => capture(lua, shared).map(Value::Function),
        _ => Ok(Value::Nil),
    }
}

fn os(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    lua.load_std_libs(StdLib::OS)?;
    let globals = lua.globals();
    let own: Table = globals.raw_get("os")?;
    globals.raw_set("os", Value::Nil)?;
    let table = lua.create_table()?;
    for name in ["clock", "date", "difftime", "time"] {
        table.raw_set(name, own.raw_get::<Value>(name)?)?;
    }
    table.raw_set("getenv", getenv(lua, shared)?)?;
    table.raw_set("execute", execute(lua, shared)?)?;
    table.raw_set("exit", exit(lua, shared)?)?;
    Ok(table)
}

/// A variable as modulefiles see it.
pub(super) fn variable(host: &Host<'_>, name: &[u8]) -> Option<BString> {
    if let Some((_, value)) = FIXED.iter().find(|(fixed, _)| fixed.as_bytes() == name) {
        return Some(BString::from(*value));
    }
    host.var(name.as_bstr())
}

fn getenv(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua, name: LuaString| {
        let name = name.as_bytes().to_vec();
        match shared.host(move |host| variable(host, &name))? {
            Some(value) => lua.create_string(value).map(Value::String),
            None => Ok(Value::Nil),
        }
    })
}

/// `os.exit` ends the command; where files are only read for listings it does nothing, as in Lmod.
fn exit(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |_, code: Value| -> mlua::Result<()> {
        if shared.host(|host| matches!(host.mode, Mode::Spider | Mode::Check))? {
            return Ok(());
        }
        let code = match code {
            Value::Integer(code) => i32::try_from(code & 0xff).unwrap_or_default(),
            Value::Boolean(false) => 1,
            _ => 0,
        };
        Err(shared.stop(Stop::Exit(code)))
    })
}

/// Where the standard output of a program goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// To the file.
    Output,
    /// To people: our own standard output carries code for the shell.
    Status,
}

/// Runs `command` for the host; `None` where the site forbids programs.
pub(super) fn run(
    host: &mut Host<'_>,
    command: &[u8],
    input: Input<'_>,
    wanted: Wanted,
) -> Result<Option<Output>, Stop> {
    use std::os::unix::ffi::OsStrExt;
    if host.mode.is_crawl() && !host.world.config().crawl_programs {
        return Ok(None);
    }
    for (name, value) in FIXED {
        host.set_private(name.as_bytes().as_bstr(), Some(BString::from(*value)));
    }
    let words = [b"/bin/sh".as_slice(), b"-c", command].map(std::ffi::OsStr::from_bytes);
    let output = program::run(host, &words, input, host.program_time()).map_err(|error| {
        let message = error.to_string();
        let diagnostic = Diagnostic::new(Kind::Modulefile, message).at(host.place.clone(), "");
        match error {
            ProgramError::Start(..) => Stop::error(diagnostic),
            ProgramError::Time(..) | ProgramError::Size(_) => Stop::fatal(diagnostic),
        }
    })?;
    let mut said = BString::default();
    if wanted == Wanted::Status {
        said.extend_from_slice(&output.stdout);
    }
    said.extend_from_slice(&output.stderr);
    if !said.is_empty() && !host.mode.is_crawl() {
        host.tell(Level::Direct, said);
    }
    Ok(Some(output))
}

/// [`run`] for a function called `name`, with the place of its call.
pub(super) fn run_for(
    lua: &Lua,
    shared: &Rc<Shared>,
    name: &str,
    command: Vec<u8>,
    wanted: Wanted,
) -> mlua::Result<Option<Output>> {
    let place = shared.place(lua);
    let at = place.clone();
    let result = shared.host(move |host| {
        if let Some(place) = at {
            host.place = place;
        }
        let input = match host.mode.is_crawl() {
            true => Input::None,
            false => Input::Inherited,
        };
        run(host, &command, input, wanted)
    })?;
    result.map_err(|stop| bind::raise(shared, stop, name, place))
}

fn execute(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua, command: Option<LuaString>| {
        let Some(command) = command else {
            return true.into_lua_multi(lua);
        };
        let command = command.as_bytes().to_vec();
        let finished = run_for(lua, &shared, "os.execute", command, Wanted::Status)?;
        status(lua, finished.as_ref())
    })
}

/// What `os.execute` and `close` of a pipe give for a status.
pub(super) fn status(lua: &Lua, finished: Option<&Output>) -> mlua::Result<MultiValue> {
    /// The status with which shells say that a program cannot be run.
    const NOT_RUN: i32 = 127;
    let code = finished.map_or(NOT_RUN, |f| f.status);
    let good = match code {
        0 => Value::Boolean(true),
        _ => Value::Nil,
    };
    (good, "exit", code).into_lua_multi(lua)
}

/// `capture(COMMAND [, {NAME=VALUE}])`: what the command writes.
fn capture(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua, (command, extra): (LuaString, Option<Table>)| {
        let mut text = Vec::new();
        for pair in extra.iter().flat_map(|t| t.pairs::<String, LuaString>()) {
            let (name, value) = pair?;
            if crate::env::VarName::new(&name).is_some() {
                text.extend_from_slice(name.as_bytes());
                text.extend_from_slice(b"='");
                text.extend_from_slice(&value.as_bytes().replace("'", r"'\''"));
                text.extend_from_slice(b"'; export ");
                text.extend_from_slice(name.as_bytes());
                text.push(b'\n');
            }
        }
        text.extend_from_slice(&command.as_bytes());
        let finished = run_for(lua, &shared, "capture", text, Wanted::Output)?;
        let output = finished.map_or(BString::default(), |f| f.stdout);
        lua.create_string(output)
    })
}

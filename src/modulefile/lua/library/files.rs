//! `lfs` and `posix`, as far as modulefiles and site packages use them.
//!
//! Locks, file descriptors and the process's own directory are not for modulefiles: these functions say so.
//!
//! Source: LuaFileSystem manual; luaposix manual (`posix.unistd`, `posix.sys.stat`, `posix.syslog`).

use std::cell::RefCell;
use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::rc::Rc;

use bstr::{BString, ByteSlice};
use mlua::{Function, IntoLua, IntoLuaMulti, Lua, LuaString, MultiValue, Table, Value};

use super::os::{self, Wanted};
use crate::modulefile::lua::machine::Shared;
use crate::modulefile::lua::sandbox;

/// The names of this file.
pub(super) const NAMES: &[&str] = &["lfs", "posix"];

/// Makes one of [`NAMES`].
pub(super) fn make(lua: &Lua, shared: &Rc<Shared>, name: &str) -> mlua::Result<Value> {
    match name {
        "lfs" => lfs(lua, shared).map(Value::Table),
        "posix" => posix(lua, shared).map(Value::Table),
        _ => Ok(Value::Nil),
    }
}

fn lfs(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("_VERSION", "LuaFileSystem 1.8.0")?;
    table.raw_set(
        "attributes",
        attributes(lua, |path| std::fs::metadata(path))?,
    )?;
    table.raw_set(
        "symlinkattributes",
        attributes(lua, |path| std::fs::symlink_metadata(path))?,
    )?;
    table.raw_set("currentdir", current_dir(lua, shared)?)?;
    table.raw_set("dir", dir(lua)?)?;
    table.raw_set(
        "mkdir",
        changing(lua, shared, |path| std::fs::create_dir(path))?,
    )?;
    table.raw_set(
        "rmdir",
        changing(lua, shared, |path| std::fs::remove_dir(path))?,
    )?;
    table.raw_set("touch", changing(lua, shared, touch)?)?;
    for name in ["chdir", "lock", "lock_dir", "setmode", "unlock"] {
        let refuse = sandbox::gone(lua, shared, name, "not for modulefiles")?;
        table.raw_set(name, refuse)?;
    }
    Ok(table)
}

/// What LuaFileSystem gives for an error: nil, the reason, the number.
fn failed(lua: &Lua, what: String, error: &std::io::Error) -> mlua::Result<MultiValue> {
    let reason = error.to_string();
    let reason = reason.split(" (os error").next().unwrap_or(&reason);
    let text = format!("{what}: {reason}");
    (Value::Nil, text, error.raw_os_error().unwrap_or(0)).into_lua_multi(lua)
}

/// `lfs.attributes(PATH [, NAME])`.
fn attributes(lua: &Lua, look: fn(&str) -> std::io::Result<Metadata>) -> mlua::Result<Function> {
    lua.create_function(move |lua, (path, wanted): (String, Option<Value>)| {
        let metadata = match look(&path) {
            Ok(metadata) => metadata,
            Err(error) => {
                return failed(
                    lua,
                    format!("cannot obtain information from file '{path}'"),
                    &error,
                );
            }
        };
        let all = [
            ("dev", number(metadata.dev())),
            ("ino", number(metadata.ino())),
            ("mode", kind(&metadata, "file").into_lua(lua)?),
            ("nlink", number(metadata.nlink())),
            ("uid", number(metadata.uid())),
            ("gid", number(metadata.gid())),
            ("rdev", number(metadata.rdev())),
            ("access", Value::Integer(metadata.atime())),
            ("modification", Value::Integer(metadata.mtime())),
            ("change", Value::Integer(metadata.ctime())),
            ("size", number(metadata.size())),
            ("permissions", permissions(&metadata).into_lua(lua)?),
            ("blocks", number(metadata.blocks())),
            ("blksize", number(metadata.blksize())),
        ];
        select(lua, &all, wanted.as_ref())
    })
}

/// One of the values by name, or all of them as a table.
fn select(lua: &Lua, all: &[(&str, Value)], wanted: Option<&Value>) -> mlua::Result<MultiValue> {
    if let Some(Value::String(name)) = wanted {
        let found = all.iter().find(|(n, _)| name.as_bytes() == n.as_bytes());
        return match found {
            Some((_, value)) => value.into_lua_multi(lua),
            None => Err(mlua::Error::runtime(format!(
                "invalid attribute name '{}'",
                name.to_string_lossy()
            ))),
        };
    }
    let table = match wanted {
        Some(Value::Table(given)) => given.clone(),
        _ => lua.create_table()?,
    };
    for (name, value) in all {
        table.raw_set(*name, value)?;
    }
    table.into_lua_multi(lua)
}

fn number(n: impl Into<u64>) -> Value {
    Value::Integer(i64::try_from(n.into()).unwrap_or(i64::MAX))
}

/// The word for the type of a file; the libraries differ in that for a regular one.
fn kind(metadata: &Metadata, regular: &'static str) -> &'static str {
    let kind = metadata.file_type();
    match () {
        () if kind.is_file() => regular,
        () if kind.is_dir() => "directory",
        () if kind.is_symlink() => "link",
        () if kind.is_socket() => "socket",
        () if kind.is_fifo() => "named pipe",
        () if kind.is_char_device() => "char device",
        () if kind.is_block_device() => "block device",
        () => "other",
    }
}

/// `rwxr-xr-x`.
fn permissions(metadata: &Metadata) -> String {
    let bits = metadata.mode();
    (0..9)
        .map(|i| match bits & (0o400 >> i) {
            0 => '-',
            _ => ['r', 'w', 'x'][i % 3],
        })
        .collect()
}

fn current_dir(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua, ()| {
        let cwd = shared.host(|host| host.world.session().cwd().cloned())?;
        match cwd {
            Some(cwd) => cwd.as_str().into_lua_multi(lua),
            None => (Value::Nil, "the directory is gone").into_lua_multi(lua),
        }
    })
}

/// `lfs.dir(PATH)`: an iterator over names, `.` and `..` first.
fn dir(lua: &Lua) -> mlua::Result<Function> {
    lua.create_function(|lua, path: String| {
        let entries = std::fs::read_dir(&path).map_err(|error| {
            let error = error.to_string();
            let reason = error.split(" (os error").next().unwrap_or(&error);
            mlua::Error::runtime(format!("cannot open {path}: {reason}"))
        })?;
        let mut names: Vec<BString> = entries
            .flatten()
            .map(|entry| std::os::unix::ffi::OsStringExt::into_vec(entry.file_name()).into())
            .collect();
        // The order of a directory differs between machines; what a file makes of it should not.
        names.sort();
        let mut names = [BString::from("."), BString::from("..")]
            .into_iter()
            .chain(names)
            .collect::<Vec<_>>()
            .into_iter();
        lua.create_function_mut(move |lua, _: MultiValue| match names.next() {
            Some(name) => lua.create_string(name).map(Value::String),
            None => Ok(Value::Nil),
        })
    })
}

/// A function that changes the file system; it does nothing while files are only read for listings.
fn changing(
    lua: &Lua,
    shared: &Rc<Shared>,
    act: fn(&str) -> std::io::Result<()>,
) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua, (path, _): (String, MultiValue)| {
        if shared.host(|host| host.mode.is_crawl())? {
            return true.into_lua_multi(lua);
        }
        match act(&path) {
            Ok(()) => true.into_lua_multi(lua),
            Err(error) => failed(lua, path, &error),
        }
    })
}

fn touch(path: &str) -> std::io::Result<()> {
    let file = std::fs::File::options().append(true).open(path)?;
    file.set_modified(std::time::SystemTime::now())
}

fn posix(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set(
        "uname",
        lua.create_function(|lua, format: Option<String>| {
            lua.create_string(uname(format.as_deref().unwrap_or("%s %n %r %v %m"))?)
        })?,
    )?;
    table.raw_set("setenv", setenv(lua, shared)?)?;
    table.raw_set("getenv", {
        let shared = Rc::clone(shared);
        lua.create_function(move |lua, name: LuaString| {
            let name = name.as_bytes().to_vec();
            match shared.host(move |host| os::variable(host, &name))? {
                Some(value) => lua.create_string(value).map(Value::String),
                None => Ok(Value::Nil),
            }
        })?
    })?;
    table.raw_set("hostid", host_id(lua, shared)?)?;
    table.raw_set("stat", stat(lua)?)?;
    add_log(lua, shared, &table)?;
    for name in ["open", "chdir", "fork", "exec", "kill"] {
        let refuse = sandbox::gone(lua, shared, name, "not for modulefiles")?;
        table.raw_set(name, refuse)?;
    }
    Ok(table)
}

/// `posix.uname(FORMAT)`: `%s`, `%n`, `%r`, `%v`, `%m` stand for facts about the machine.
fn uname(format: &str) -> mlua::Result<BString> {
    use std::os::unix::ffi::OsStrExt;
    let facts = nix::sys::utsname::uname()
        .map_err(|error| mlua::Error::runtime(format!("uname: {}", error.desc())))?;
    let mut out = BString::default();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        let fact = match c {
            '%' => match chars.next() {
                Some('s') => facts.sysname(),
                Some('n') => facts.nodename(),
                Some('r') => facts.release(),
                Some('v') => facts.version(),
                Some('m') => facts.machine(),
                Some('%') => std::ffi::OsStr::new("%"),
                other => {
                    let other = other.map(String::from).unwrap_or_default();
                    return Err(mlua::Error::runtime(format!("bad format '%{other}'")));
                }
            },
            _ => {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
        };
        out.extend_from_slice(fact.as_bytes());
    }
    Ok(out)
}

/// `posix.setenv(NAME, VALUE [, OVERWRITE])`: for this file and the programs that it starts, as in Lmod, where it
/// changes the process and not the user's shell.
fn setenv(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(
        move |_, (name, value, overwrite): (String, Option<LuaString>, Value)| {
            let value = value.map(|v| BString::from(v.as_bytes().to_vec()));
            let keeps = matches!(overwrite, Value::Boolean(false) | Value::Integer(0));
            shared.host(move |host| {
                let name = name.as_bytes().as_bstr();
                if !(keeps && host.var(name).is_some()) {
                    host.set_private(name, value);
                }
                0
            })
        },
    )
}

/// `posix.hostid()`: the number that the program `hostid` tells.
fn host_id(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua, ()| {
        let command = b"hostid".to_vec();
        let output = os::run_for(lua, &shared, "posix.hostid", command, Wanted::Output)?;
        let text = output.map(|o| o.stdout.trim_ascii().to_str_lossy().into_owned());
        let id = text.and_then(|t| i64::from_str_radix(&t, 16).ok());
        Ok(id.unwrap_or(0))
    })
}

/// `posix.stat(PATH [, NAME])`.
fn stat(lua: &Lua) -> mlua::Result<Function> {
    lua.create_function(|lua, (path, wanted): (String, Option<Value>)| {
        let metadata = match std::fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) => return failed(lua, path, &error),
        };
        let kind = match kind(&metadata, "regular") {
            "named pipe" => "fifo",
            "char device" => "character device",
            kind => kind,
        };
        let all = [
            ("dev", number(metadata.dev())),
            ("ino", number(metadata.ino())),
            ("mode", permissions(&metadata).into_lua(lua)?),
            ("nlink", number(metadata.nlink())),
            ("uid", number(metadata.uid())),
            ("gid", number(metadata.gid())),
            ("size", number(metadata.size())),
            ("atime", Value::Integer(metadata.atime())),
            ("mtime", Value::Integer(metadata.mtime())),
            ("ctime", Value::Integer(metadata.ctime())),
            ("type", kind.into_lua(lua)?),
        ];
        select(lua, &all, wanted.as_ref())
    })
}

/// The numbers of priorities and facilities of the system log.
const LOG: &[(&str, i64)] = &[
    ("LOG_EMERG", 0),
    ("LOG_ALERT", 1),
    ("LOG_CRIT", 2),
    ("LOG_ERR", 3),
    ("LOG_WARNING", 4),
    ("LOG_NOTICE", 5),
    ("LOG_INFO", 6),
    ("LOG_DEBUG", 7),
    ("LOG_USER", 8),
    ("LOG_DAEMON", 24),
    ("LOG_LOCAL0", 128),
    ("LOG_LOCAL1", 136),
    ("LOG_LOCAL2", 144),
    ("LOG_LOCAL3", 152),
    ("LOG_LOCAL4", 160),
    ("LOG_LOCAL5", 168),
    ("LOG_LOCAL6", 176),
    ("LOG_LOCAL7", 184),
    ("LOG_CONS", 2),
    ("LOG_PID", 1),
    ("LOG_NDELAY", 8),
];

/// `openlog`, `syslog`, `closelog`: one datagram to the system's socket for each message. A machine without a log loses
/// it in silence, as with the C library.
fn add_log(lua: &Lua, shared: &Rc<Shared>, table: &Table) -> mlua::Result<()> {
    const USER: i64 = 8;
    const SOCKET: &str = "/dev/log";
    for (name, number) in LOG {
        table.raw_set(*name, *number)?;
    }
    let opened = Rc::new(RefCell::new(("lmod".to_owned(), USER)));
    let open = Rc::clone(&opened);
    table.raw_set(
        "openlog",
        lua.create_function(
            move |_, (name, _, facility): (String, Value, Option<i64>)| {
                *open.borrow_mut() = (name, facility.unwrap_or(USER));
                Ok(())
            },
        )?,
    )?;
    let shared = Rc::clone(shared);
    table.raw_set(
        "syslog",
        lua.create_function(move |_, (priority, text): (i64, LuaString)| {
            if shared.host(|host| host.mode.is_crawl())? {
                return Ok(());
            }
            let (name, facility) = &*opened.borrow();
            let number = if priority > 7 {
                priority
            } else {
                priority | facility
            };
            let mut line = format!("<{number}>{name}: ").into_bytes();
            line.extend_from_slice(&text.as_bytes());
            if let Ok(socket) = std::os::unix::net::UnixDatagram::unbound() {
                let _ = socket.send_to(&line, SOCKET);
            }
            Ok(())
        })?,
    )?;
    table.raw_set("closelog", lua.create_function(|_, ()| Ok(()))?)
}

//! `posix` for code of a site: what luaposix tells about files, users, the machine and the clock, under its own names.
//!
//! This file makes the plain functions, `posix.lua` gives them the shapes of luaposix and puts them into its modules
//! (`posix.unistd`, `posix.sys.stat`, ...). Descriptors, signals, sockets and processes are not for code that runs inside a
//! request: their functions say so. Where files are only read for listings nothing is changed.
//!
//! Source: luaposix manual, versions 33 and 36; answers compared with those of 33.4.

use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use bstr::ByteSlice;
use mlua::{IntoLua, IntoLuaMulti, Lua, LuaString, MultiValue, Table, Value};
use nix::time::ClockId;
use nix::unistd::{self, SysconfVar};

use super::NAMES_KEY;
use crate::modulefile::lua::machine::Shared;
use crate::modulefile::lua::sandbox;

/// Whether `require` finds `name` here.
pub(super) fn is_module(name: &str) -> bool {
    name == "posix" || name.starts_with("posix.")
}

/// What luaposix offers that is not for code of a site.
const REFUSED: &[&str] = &[
    "_exit",
    "abort",
    "alarm",
    "chdir",
    "chown",
    "close",
    "dup",
    "dup2",
    "exec",
    "execp",
    "fdopen",
    "fork",
    "kill",
    "killpg",
    "mkfifo",
    "mkstemp",
    "nice",
    "open",
    "pipe",
    "poll",
    "popen",
    "popen_pipeline",
    "raise",
    "read",
    "rpoll",
    "setpid",
    "setrlimit",
    "signal",
    "socket",
    "spawn",
    "umask",
    "wait",
    "write",
];

/// `posix`, or the module `posix.NAME` that `require` asks for; nil where luaposix has none of that name.
pub(super) fn module(lua: &Lua, shared: &Rc<Shared>, name: &str) -> mlua::Result<Value> {
    const KEY: &str = "modules of luaposix";
    let modules: Table = match lua.named_registry_value(KEY)? {
        Value::Table(modules) => modules,
        _ => {
            let names: Table = lua.named_registry_value(NAMES_KEY)?;
            let base: Table = names.get("posix")?;
            let modules: Table = lua
                .load(include_str!("posix.lua"))
                .set_name("=luaposix")
                .call((base, functions(lua, shared)?, constants(lua)?))?;
            lua.set_named_registry_value(KEY, &modules)?;
            modules
        }
    };
    modules.raw_get(name)
}

/// What the functions here give: a value, or the way in which luaposix tells an error: nil, the text, the number.
fn answer<T: IntoLuaMulti>(
    lua: &Lua,
    what: &str,
    result: Result<T, std::io::Error>,
) -> mlua::Result<MultiValue> {
    match result {
        Ok(value) => value.into_lua_multi(lua),
        Err(error) => {
            let number = error.raw_os_error().unwrap_or(0);
            let separator = if what.is_empty() { "" } else { ": " };
            let text = format!("{what}{separator}{}", reason(number));
            (Value::Nil, text, number).into_lua_multi(lua)
        }
    }
}

/// The system's words for the number of an error.
fn reason(number: i32) -> String {
    let text = std::io::Error::from_raw_os_error(number).to_string();
    let words = text.split(" (os error").next();
    words.unwrap_or(&text).to_owned()
}

fn path_of(text: &LuaString) -> PathBuf {
    text.as_bytes().to_path_lossy().into_owned()
}

fn lua_path(lua: &Lua, path: &Path) -> mlua::Result<LuaString> {
    use std::os::unix::ffi::OsStrExt;
    lua.create_string(path.as_os_str().as_bytes())
}

fn functions(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    add_files(lua, &table)?;
    add_changes(lua, shared, &table)?;
    add_users(lua, shared, &table)?;
    add_machine(lua, shared, &table)?;
    for name in REFUSED {
        table.raw_set(
            *name,
            sandbox::gone(lua, shared, name, "not for code of a site")?,
        )?;
    }
    Ok(table)
}

/// Functions of one path.
fn add_files(lua: &Lua, table: &Table) -> mlua::Result<()> {
    let looking = |look: fn(&Path) -> std::io::Result<Metadata>| {
        lua.create_function(move |lua, path: LuaString| {
            let facts = look(&path_of(&path)).map(|metadata| facts(&metadata));
            answer(lua, &path.to_string_lossy(), facts)
        })
    };
    table.raw_set("lstat", looking(|path| std::fs::symlink_metadata(path))?)?;
    table.raw_set("stat", looking(|path| std::fs::metadata(path))?)?;
    table.raw_set(
        "access",
        lua.create_function(|lua, (path, mode): (LuaString, Option<String>)| {
            let mode = mode.unwrap_or_else(|| "f".to_owned());
            let flags = mode.chars().map(|letter| match letter {
                'r' => unistd::AccessFlags::R_OK,
                'w' => unistd::AccessFlags::W_OK,
                'x' => unistd::AccessFlags::X_OK,
                _ => unistd::AccessFlags::F_OK,
            });
            let found = unistd::access(&path_of(&path), flags.collect()).map_err(Into::into);
            answer(lua, &path.to_string_lossy(), found.map(|()| 0))
        })?,
    )?;
    table.raw_set(
        "readlink",
        lua.create_function(|lua, path: LuaString| {
            let target = std::fs::read_link(path_of(&path));
            let target = target.map(|target| lua_path(lua, &target));
            match target {
                Ok(target) => target?.into_lua_multi(lua),
                Err(error) => answer(lua, &path.to_string_lossy(), Err::<(), _>(error)),
            }
        })?,
    )?;
    table.raw_set(
        "realpath",
        lua.create_function(
            |lua, path: LuaString| match std::fs::canonicalize(path_of(&path)) {
                Ok(real) => lua_path(lua, &real)?.into_lua_multi(lua),
                Err(error) => answer(lua, "realpath", Err::<(), _>(error)),
            },
        )?,
    )?;
    table.raw_set("names", lua.create_function(names)?)?;
    table.raw_set("glob", lua.create_function(glob)?)?;
    table.raw_set("fnmatch", lua.create_function(fnmatch)?)?;
    table.raw_set(
        "statvfs",
        lua.create_function(|lua, path: LuaString| {
            let facts = rustix::fs::statvfs(path_of(&path)).map(|fs| {
                [
                    ("bsize", fs.f_bsize),
                    ("frsize", fs.f_frsize),
                    ("blocks", fs.f_blocks),
                    ("bfree", fs.f_bfree),
                    ("bavail", fs.f_bavail),
                    ("files", fs.f_files),
                    ("ffree", fs.f_ffree),
                    ("favail", fs.f_favail),
                    ("fsid", fs.f_fsid),
                    ("namemax", fs.f_namemax),
                ]
                .map(|(name, value)| (name, i64::try_from(value).unwrap_or(i64::MAX)))
                .into_iter()
                .collect::<Vec<_>>()
            });
            match facts {
                Ok(facts) => lua.create_table_from(facts)?.into_lua_multi(lua),
                Err(error) => answer(lua, &path.to_string_lossy(), Err::<(), _>(error.into())),
            }
        })?,
    )
}

/// What `stat` tells, by the names of `posix.sys.stat` without their `st_`.
fn facts(metadata: &Metadata) -> std::collections::BTreeMap<&'static str, i64> {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    [
        ("atime", metadata.atime()),
        ("blksize", number(metadata.blksize())),
        ("blocks", number(metadata.blocks())),
        ("ctime", metadata.ctime()),
        ("dev", number(metadata.dev())),
        ("gid", i64::from(metadata.gid())),
        ("ino", number(metadata.ino())),
        ("mode", i64::from(metadata.mode())),
        ("mtime", metadata.mtime()),
        ("nlink", number(metadata.nlink())),
        ("rdev", number(metadata.rdev())),
        ("size", number(metadata.size())),
        ("uid", i64::from(metadata.uid())),
    ]
    .into_iter()
    .collect()
}

/// The names in a directory, `.` and `..` first, the others sorted.
fn names(lua: &Lua, path: LuaString) -> mlua::Result<MultiValue> {
    let entries = match std::fs::read_dir(path_of(&path)) {
        Ok(entries) => entries,
        Err(error) => return answer(lua, &path.to_string_lossy(), Err::<(), _>(error)),
    };
    let mut found: Vec<PathBuf> = entries.flatten().map(|e| e.file_name().into()).collect();
    found.sort();
    let table = lua.create_table()?;
    for name in [".".into(), "..".into()].into_iter().chain(found) {
        table.raw_push(lua_path(lua, &name)?)?;
    }
    table.into_lua_multi(lua)
}

/// The paths that match, sorted; none are an error, as in luaposix.
fn glob(lua: &Lua, pattern: String) -> mlua::Result<MultiValue> {
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let table = lua.create_table()?;
    for path in (glob::glob_with(&pattern, options).into_iter().flatten()).flatten() {
        table.raw_push(lua_path(lua, &path)?)?;
    }
    if table.raw_len() == 0 {
        let nothing = std::io::Error::from_raw_os_error(nix::errno::Errno::ENOENT as i32);
        return answer(lua, &pattern, Err::<(), _>(nothing));
    }
    table.into_lua_multi(lua)
}

/// Whether `text` matches `pattern`; `flags` are those of `posix.fnmatch`.
fn fnmatch(_: &Lua, (pattern, text, flags): (String, String, Option<i64>)) -> mlua::Result<bool> {
    const PATHNAME: i64 = 1;
    const PERIOD: i64 = 4;
    let flags = flags.unwrap_or(0);
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: flags & PATHNAME != 0,
        require_literal_leading_dot: flags & PERIOD != 0,
    };
    let pattern = glob::Pattern::new(&pattern);
    Ok(pattern.is_ok_and(|pattern| pattern.matches_with(&text, options)))
}

/// Functions that change files: 0 where it worked.
fn add_changes(lua: &Lua, shared: &Rc<Shared>, table: &Table) -> mlua::Result<()> {
    type Change = fn(&Path, &Value) -> std::io::Result<()>;
    let changes: [(&str, Change); 7] = [
        ("chmod", |path, mode| {
            let mode = mode.as_integer().and_then(|mode| u32::try_from(mode).ok());
            let mode = mode.ok_or(std::io::Error::from_raw_os_error(
                nix::errno::Errno::EINVAL as i32,
            ))?;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        }),
        ("mkdir", |path, _| std::fs::create_dir(path)),
        ("rename", |path, to| std::fs::rename(path, other(to))),
        ("rmdir", |path, _| std::fs::remove_dir(path)),
        ("hard_link", |path, to| std::fs::hard_link(path, other(to))),
        ("symlink", |path, to| {
            std::os::unix::fs::symlink(path, other(to))
        }),
        ("unlink", |path, _| std::fs::remove_file(path)),
    ];
    for (name, change) in changes {
        let shared = Rc::clone(shared);
        let function = lua.create_function(move |lua, (path, with): (LuaString, Value)| {
            if shared.host(|host| host.mode.is_crawl())? {
                return 0.into_lua_multi(lua);
            }
            let said = match with {
                Value::String(_) => String::new(),
                _ => path.to_string_lossy(),
            };
            answer(lua, &said, change(&path_of(&path), &with).map(|()| 0))
        })?;
        table.raw_set(name, function)?;
    }
    let keeper = Rc::clone(shared);
    table.raw_set(
        "utime",
        lua.create_function(
            move |lua, (path, modified, accessed): (LuaString, Option<i64>, Option<i64>)| {
                if keeper.host(|host| host.mode.is_crawl())? {
                    return 0.into_lua_multi(lua);
                }
                let at = |seconds: Option<i64>| match seconds.and_then(|s| u64::try_from(s).ok()) {
                    Some(seconds) => std::time::UNIX_EPOCH + Duration::from_secs(seconds),
                    None => std::time::SystemTime::now(),
                };
                let times = std::fs::FileTimes::new()
                    .set_modified(at(modified))
                    .set_accessed(at(accessed));
                let done =
                    std::fs::File::open(path_of(&path)).and_then(|file| file.set_times(times));
                answer(lua, &path.to_string_lossy(), done.map(|()| 0))
            },
        )?,
    )?;
    let shared = Rc::clone(shared);
    table.raw_set(
        "mkdtemp",
        lua.create_function(move |lua, template: LuaString| {
            if shared.host(|host| host.mode.is_crawl())? {
                return template.into_lua_multi(lua);
            }
            let template = path_of(&template);
            let name = template
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            let made = tempfile::Builder::new()
                .prefix(name.unwrap_or_default().trim_end_matches('X'))
                .tempdir_in(template.parent().unwrap_or(Path::new(".")));
            match made {
                Ok(made) => lua_path(lua, &made.keep())?.into_lua_multi(lua),
                Err(error) => answer(lua, &template.to_string_lossy(), Err::<(), _>(error)),
            }
        })?,
    )
}

fn other(path: &Value) -> PathBuf {
    path.as_string().map(path_of).unwrap_or_default()
}

/// Who the user is, and what the system's databases say.
fn add_users(lua: &Lua, shared: &Rc<Shared>, table: &Table) -> mlua::Result<()> {
    let numbers = Rc::clone(shared);
    table.raw_set(
        "ids",
        lua.create_function(move |lua, ()| {
            let (uid, euid) = numbers.host(|host| host.world.session().user_ids())?;
            lua.create_table_from([
                ("pid", std::process::id().into_lua(lua)?),
                ("ppid", unistd::getppid().as_raw().into_lua(lua)?),
                ("pgrp", unistd::getpgrp().as_raw().into_lua(lua)?),
                ("uid", uid.into_lua(lua)?),
                ("euid", euid.into_lua(lua)?),
                ("gid", unistd::getgid().as_raw().into_lua(lua)?),
                ("egid", unistd::getegid().as_raw().into_lua(lua)?),
            ])
        })?,
    )?;
    table.raw_set(
        "getgroups",
        lua.create_function(|lua, ()| {
            let groups = unistd::getgroups().unwrap_or_default();
            lua.create_sequence_from(groups.iter().map(|group| group.as_raw()))
        })?,
    )?;
    let databases = Rc::clone(shared);
    table.raw_set(
        "entry",
        lua.create_function(move |_, (database, key): (String, String)| {
            databases.host(move |host| host.world.session().entry(&database, &key))
        })?,
    )
}

/// The machine, its clock, the request's environment.
fn add_machine(lua: &Lua, shared: &Rc<Shared>, table: &Table) -> mlua::Result<()> {
    table.raw_set(
        "clock",
        lua.create_function(|lua, clock: i32| {
            let now = nix::time::clock_gettime(ClockId::from_raw(clock)).map_err(Into::into);
            answer(
                lua,
                "clock_gettime",
                now.map(|now| (now.tv_sec(), now.tv_nsec())),
            )
        })?,
    )?;
    let waiting = Rc::clone(shared);
    table.raw_set(
        "wait_ms",
        lua.create_function(move |_, milliseconds: u64| {
            let wanted = Duration::from_millis(milliseconds);
            let wait = waiting.host(move |host| match host.mode.is_crawl() {
                true => Duration::ZERO,
                false => host.time_left(wanted),
            })?;
            std::thread::sleep(wait.min(wanted));
            Ok(())
        })?,
    )?;
    table.raw_set(
        "isatty",
        lua.create_function(|lua, descriptor: Option<i64>| {
            use std::io::IsTerminal;
            let is_terminal = match descriptor {
                Some(0) => std::io::stdin().is_terminal(),
                Some(1) => std::io::stdout().is_terminal(),
                Some(2) => std::io::stderr().is_terminal(),
                _ => false,
            };
            let no_terminal =
                || std::io::Error::from_raw_os_error(nix::errno::Errno::ENOTTY as i32);
            answer(
                lua,
                "isatty",
                is_terminal.then_some(1).ok_or_else(no_terminal),
            )
        })?,
    )?;
    table.raw_set(
        "errno_text",
        lua.create_function(|_, number: i32| Ok(reason(number)))?,
    )?;
    table.raw_set(
        "sysconf",
        lua.create_function(|_, number: i64| {
            let known = SYSCONF.iter().find(|(_, n, _)| *n == number);
            let value = known.and_then(|(_, _, asked)| unistd::sysconf(*asked).ok().flatten());
            Ok(value.unwrap_or(-1))
        })?,
    )?;
    let cwd = Rc::clone(shared);
    table.raw_set(
        "getcwd",
        lua.create_function(move |_, ()| {
            cwd.host(|host| {
                host.world
                    .session()
                    .cwd()
                    .map(|cwd| cwd.as_str().to_owned())
            })
        })?,
    )?;
    let variables = Rc::clone(shared);
    table.raw_set(
        "environment",
        lua.create_function(move |lua, ()| {
            let all = variables.host(|host| host.environment())?;
            let table = lua.create_table()?;
            for (name, value) in all {
                table.raw_set(lua.create_string(name)?, lua.create_string(value)?)?;
            }
            Ok(table)
        })?,
    )
}

/// Facts about the system: their names in luaposix, their numbers on Linux.
const SYSCONF: &[(&str, i64, SysconfVar)] = &[
    ("ARG_MAX", 0, SysconfVar::ARG_MAX),
    ("CHILD_MAX", 1, SysconfVar::CHILD_MAX),
    ("CLK_TCK", 2, SysconfVar::CLK_TCK),
    ("NGROUPS_MAX", 3, SysconfVar::NGROUPS_MAX),
    ("OPEN_MAX", 4, SysconfVar::OPEN_MAX),
    ("PAGESIZE", 30, SysconfVar::PAGE_SIZE),
    ("NPROCESSORS_CONF", 83, SysconfVar::_NPROCESSORS_CONF),
    ("NPROCESSORS_ONLN", 84, SysconfVar::_NPROCESSORS_ONLN),
];

/// Numbers that luaposix names.
fn constants(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    for (name, number, _) in SYSCONF {
        table.raw_set(format!("_SC_{name}"), *number)?;
    }
    for (name, number) in NUMBERS {
        table.raw_set(*name, *number)?;
    }
    Ok(table)
}

/// Source: the headers of Linux, as luaposix hands them on.
const NUMBERS: &[(&str, i64)] = &[
    ("CLOCK_REALTIME", 0),
    ("CLOCK_MONOTONIC", 1),
    ("CLOCK_PROCESS_CPUTIME_ID", 2),
    ("CLOCK_THREAD_CPUTIME_ID", 3),
    ("EPERM", 1),
    ("ENOENT", 2),
    ("EINTR", 4),
    ("EIO", 5),
    ("EAGAIN", 11),
    ("ENOMEM", 12),
    ("EACCES", 13),
    ("EEXIST", 17),
    ("ENOTDIR", 20),
    ("EISDIR", 21),
    ("EINVAL", 22),
    ("ENOSPC", 28),
    ("EROFS", 30),
    ("FNM_NOMATCH", 1),
    ("FNM_PATHNAME", 1),
    ("FNM_NOESCAPE", 2),
    ("FNM_PERIOD", 4),
    ("STDIN_FILENO", 0),
    ("STDOUT_FILENO", 1),
    ("STDERR_FILENO", 2),
    ("S_IFMT", 0o170_000),
    ("S_IFSOCK", 0o140_000),
    ("S_IFLNK", 0o120_000),
    ("S_IFREG", 0o100_000),
    ("S_IFBLK", 0o060_000),
    ("S_IFDIR", 0o040_000),
    ("S_IFCHR", 0o020_000),
    ("S_IFIFO", 0o010_000),
    ("S_ISUID", 0o4000),
    ("S_ISGID", 0o2000),
    ("S_IRWXU", 0o700),
    ("S_IRUSR", 0o400),
    ("S_IWUSR", 0o200),
    ("S_IXUSR", 0o100),
    ("S_IRWXG", 0o070),
    ("S_IRGRP", 0o040),
    ("S_IWGRP", 0o020),
    ("S_IXGRP", 0o010),
    ("S_IRWXO", 0o007),
    ("S_IROTH", 0o004),
    ("S_IWOTH", 0o002),
    ("S_IXOTH", 0o001),
];

//! `io` and `print`: files as in Lua, but standard output is the shell's and standard error is people's.
//!
//! What a file writes to standard output is shell code, as in Lmod; it is kept until the evaluation ends and becomes one
//! operation. While files are only read for listings, nothing is written anywhere.
//!
//! Source: Lua 5.4 reference manual 6.8.

use std::cell::RefCell;
use std::rc::Rc;

use bstr::{BString, ByteSlice};
use mlua::{
    AnyUserData, Function, IntoLua, IntoLuaMulti, Lua, LuaString, MultiValue, StdLib, Table,
    UserData, UserDataMethods, Value,
};

use super::os::{self, Wanted};
use super::text::joined;
use crate::modulefile::host::program::{Input, Output};
use crate::modulefile::host::{Host, Stop};
use crate::modulefile::lua::bind;
use crate::modulefile::lua::machine::Shared;
use crate::modulefile::world::Level;

/// The names of this file.
pub(super) const NAMES: &[&str] = &["io", "print"];

/// Makes one of [`NAMES`].
pub(super) fn make(lua: &Lua, shared: &Rc<Shared>, name: &str) -> mlua::Result<Value> {
    match name {
        "io" => io(lua, shared).map(Value::Table),
        "print" => {
            let shared = Rc::clone(shared);
            let print = lua.create_function(move |lua, values: MultiValue| {
                let mut text = joined(lua, &values, b"\t")?;
                text.push(b'\n');
                shared.write_code(text)
            })?;
            Ok(Value::Function(print))
        }
        _ => Ok(Value::Nil),
    }
}

fn io(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    lua.load_std_libs(StdLib::IO)?;
    let globals = lua.globals();
    let own: Table = globals.raw_get("io")?;
    globals.raw_set("io", Value::Nil)?;
    let table = lua.create_table()?;
    table.raw_set("type", own.raw_get::<Value>("type")?)?;
    table.raw_set("open", open(lua, shared, own.raw_get("open")?)?)?;
    table.raw_set("lines", lines(lua, own.raw_get("lines")?)?)?;
    // The functions of files are shared by all modulefiles.
    lua.load("local io = ... getmetatable(io.stderr).__metatable = false")
        .call::<()>(own.clone())?;
    table.raw_set("popen", popen(lua, shared)?)?;
    let stream = |target| Stream {
        shared: Rc::clone(shared),
        target,
    };
    let stdout = lua.create_userdata(stream(Target::Shell))?;
    let write = stdout.clone();
    table.raw_set(
        "write",
        lua.create_function(move |lua, values: MultiValue| {
            write.borrow::<Stream>()?.write(lua, &values)?;
            Ok(write.clone())
        })?,
    )?;
    table.raw_set("stdout", stdout)?;
    table.raw_set("stderr", lua.create_userdata(stream(Target::People))?)?;
    table.raw_set(
        "close",
        lua.create_function(|_, file: AnyUserData| {
            mlua::ObjectLike::call_method::<MultiValue>(&file, "close", ())
        })?,
    )?;
    Ok(table)
}

/// `io.open`: writing goes nowhere while files are only read for listings.
fn open(lua: &Lua, shared: &Rc<Shared>, own: Function) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua, (path, mode): (LuaString, Option<String>)| {
        if is_of_this_process(&path.as_bytes()) {
            return refusal(lua, &path);
        }
        let writes = mode.as_deref().is_some_and(|m| m.contains(['w', 'a', '+']));
        if writes && shared.host(|host| host.mode.is_crawl())? {
            return own.call::<MultiValue>(("/dev/null", mode));
        }
        own.call::<MultiValue>((path, mode))
    })
}

/// `io.lines(PATH, ...)`.
fn lines(lua: &Lua, own: Function) -> mlua::Result<Function> {
    lua.create_function(move |_, (path, formats): (LuaString, MultiValue)| {
        if is_of_this_process(&path.as_bytes()) {
            let path = path.to_string_lossy();
            return Err(mlua::Error::runtime(format!("{path}: {REFUSED}")));
        }
        own.call::<MultiValue>((path, formats))
    })
}

/// Why a file of the process itself is not opened.
pub(super) const REFUSED: &str = "not for modulefiles: it belongs to the program that reads them";

fn refusal(lua: &Lua, path: &LuaString) -> mlua::Result<MultiValue> {
    let path = path.to_string_lossy();
    (Value::Nil, format!("{path}: {REFUSED}")).into_lua_multi(lua)
}

/// What may be read of a process: facts about the machine's view of it, nothing of its content.
const FACTS: &[&str] = &[
    "cgroup",
    "comm",
    "cpuset",
    "limits",
    "loginuid",
    "mountinfo",
    "mounts",
    "stat",
    "status",
];

/// Whether a path leads to the memory, the open files or the streams of this process, also through links.
pub(super) fn is_of_this_process(path: &[u8]) -> bool {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::path::{Path, PathBuf};
    /// Most links in a row that the system follows.
    const LINKS: usize = 40;
    let own = PathBuf::from(format!("/proc/{}", std::process::id()));
    let mut path = PathBuf::from(OsStr::from_bytes(path));
    for _ in 0..LINKS {
        // The last part may be a link that leads to no file: `/proc/self/fd/1` to a pipe.
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
        let parent = parent.unwrap_or_else(|| Path::new("."));
        let whole = match (parent.canonicalize(), path.file_name()) {
            (Ok(parent), Some(name)) => parent.join(name),
            _ => path.canonicalize().unwrap_or_else(|_| path.clone()),
        };
        if let Ok(inside) = whole.strip_prefix(&own) {
            return !FACTS.iter().any(|fact| inside == Path::new(fact));
        }
        match whole.read_link() {
            Ok(target) => path = whole.parent().unwrap_or(&whole).join(target),
            Err(_) => return false,
        }
    }
    true
}

/// Where a [`Stream`] leads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    Shell,
    People,
}

/// `io.stdout`, `io.stderr`.
struct Stream {
    shared: Rc<Shared>,
    target: Target,
}

impl Stream {
    fn write(&self, lua: &Lua, values: &MultiValue) -> mlua::Result<()> {
        let text = joined(lua, values, b"")?;
        match self.target {
            Target::Shell => self.shared.write_code(text),
            Target::People => {
                self.shared.give(lua, text.len())?;
                self.shared.host(move |host| host.tell(Level::Direct, text))
            }
        }
    }
}

impl UserData for Stream {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_function("write", |lua, mut values: MultiValue| {
            let this = values.pop_front().unwrap_or(Value::Nil);
            let stream = lua.unpack::<AnyUserData>(this)?;
            stream.borrow::<Stream>()?.write(lua, &values)?;
            Ok(stream)
        });
        methods.add_function("flush", |_, this: AnyUserData| Ok(this));
        methods.add_function("close", |_, _: AnyUserData| Ok(true));
        methods.add_function("setvbuf", |_, _: MultiValue| Ok(true));
    }
}

/// `io.popen(COMMAND [, MODE])`.
fn popen(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua, (command, mode): (LuaString, Option<String>)| {
        let command = command.as_bytes().to_vec();
        match mode.as_deref() {
            Some("w") => {
                let pipe = Rc::new(RefCell::new(Some(Pending {
                    command: command.into(),
                    text: BString::default(),
                })));
                shared.keep_pipe(&pipe);
                let shared = Rc::clone(&shared);
                lua.create_userdata(Writer { shared, pipe })
            }
            None | Some("r") => {
                let finished = os::run_for(lua, &shared, "io.popen", command, Wanted::Output)?;
                lua.create_userdata(Reader {
                    finished,
                    at: 0,
                    user: None,
                })
            }
            Some(_) => Err(mlua::Error::runtime("invalid mode: `r` or `w`")),
        }
    })
}

/// What a program wrote, or what the user answers, to be read as from a file.
pub(in crate::modulefile::lua) struct Reader {
    finished: Option<Output>,
    at: usize,
    /// Where more comes from when what is there does not suffice.
    user: Option<Rc<Shared>>,
}

impl Reader {
    /// What the user answers: standard input.
    pub(in crate::modulefile::lua) fn of_user(shared: &Rc<Shared>) -> Reader {
        Reader {
            finished: Some(Output::default()),
            at: 0,
            user: Some(Rc::clone(shared)),
        }
    }

    /// Reads on until `format` is there.
    fn fill(&mut self, format: &Value) -> mlua::Result<()> {
        /// What is read at once.
        const PIECE: usize = 4096;
        let Some(shared) = self.user.clone() else {
            return Ok(());
        };
        loop {
            let rest = self.rest();
            let is_there = match format {
                Value::Integer(count) => usize::try_from(*count).is_ok_and(|n| rest.len() >= n),
                Value::String(name) if name.as_bytes().ends_with(b"a") => false,
                _ => rest.contains(&b'\n'),
            };
            if is_there {
                return Ok(());
            }
            let piece = shared.host(|host| {
                let mut piece = vec![0; PIECE];
                let length = host.ask(&mut piece);
                length.map(|length| piece[..length].to_vec())
            })?;
            let piece = piece.map_err(mlua::Error::external)?;
            match &mut self.finished {
                Some(held) if !piece.is_empty() => held.stdout.extend_from_slice(&piece),
                _ => return Ok(()),
            }
        }
    }

    fn rest(&self) -> &[u8] {
        let output = self.finished.as_ref().map(|f| f.stdout.as_slice());
        output
            .unwrap_or_default()
            .get(self.at..)
            .unwrap_or_default()
    }

    /// The next piece in `format`, nil at the end.
    fn read(&mut self, lua: &Lua, format: &Value) -> mlua::Result<Value> {
        self.fill(format)?;
        let rest = self.rest();
        let line = rest.find_byte(b'\n').map_or(rest.len(), |end| end + 1);
        let (taken, shown) = match format {
            Value::Integer(count) => {
                let count = rest.len().min(usize::try_from(*count).unwrap_or(0));
                (count, count)
            }
            Value::String(name) => match name.as_bytes().trim_start_with(|c| c == '*') {
                b"a" => return self.take(lua, rest.len(), rest.len(), true),
                b"L" => (line, line),
                b"l" => (line, rest[..line].trim_end_with(|c| c == '\n').len()),
                b"n" => return self.number(lua),
                _ => return Err(mlua::Error::runtime("invalid format")),
            },
            _ => return Err(mlua::Error::runtime("invalid format")),
        };
        let some = !rest.is_empty();
        self.take(lua, taken, shown, some)
    }

    fn take(&mut self, lua: &Lua, taken: usize, shown: usize, some: bool) -> mlua::Result<Value> {
        if !some {
            return Ok(Value::Nil);
        }
        let text = lua.create_string(&self.rest()[..shown])?;
        self.at += taken;
        Ok(Value::String(text))
    }

    fn number(&mut self, lua: &Lua) -> mlua::Result<Value> {
        let rest = self.rest();
        let blank = rest.len() - rest.trim_ascii_start().len();
        let word = &rest[blank..];
        let end = word
            .iter()
            .position(|b| !(b.is_ascii_alphanumeric() || b"+-.".contains(b)))
            .unwrap_or(word.len());
        let text = lua.create_string(&word[..end])?;
        self.at += blank + end;
        let convert: Function = lua.globals().raw_get("tonumber")?;
        convert.call(text)
    }

    fn read_all(&mut self, lua: &Lua, formats: &[Value]) -> mlua::Result<MultiValue> {
        if formats.is_empty() {
            let line = "l".into_lua(lua)?;
            return Ok(MultiValue::from_vec(vec![self.read(lua, &line)?]));
        }
        let mut values = Vec::new();
        for format in formats {
            let value = self.read(lua, format)?;
            let end = value.is_nil();
            values.push(value);
            if end {
                break;
            }
        }
        Ok(MultiValue::from_vec(values))
    }
}

impl UserData for Reader {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method_mut("read", |lua, this, formats: mlua::Variadic<Value>| {
            this.read_all(lua, &formats)
        });
        methods.add_function("lines", |lua, mut values: MultiValue| {
            let this = lua.unpack::<AnyUserData>(values.pop_front().unwrap_or(Value::Nil))?;
            let formats = values.into_vec();
            lua.create_function(move |lua, _: MultiValue| {
                this.borrow_mut::<Reader>()?.read_all(lua, &formats)
            })
        });
        methods.add_method("close", |lua, this, ()| {
            os::status(lua, this.finished.as_ref())
        });
        methods.add_function("setvbuf", |_, _: MultiValue| Ok(true));
        methods.add_function("flush", |_, this: AnyUserData| Ok(this));
    }
}

/// A program that is still to be run, and what it will read.
pub(in crate::modulefile::lua) struct Pending {
    command: BString,
    text: BString,
}

impl Pending {
    /// Runs the program; nothing is run while files are only read for listings.
    pub(in crate::modulefile::lua) fn run(
        &self,
        host: &mut Host<'_>,
    ) -> Result<Option<Output>, Stop> {
        if host.mode.is_crawl() {
            return Ok(None);
        }
        os::run(host, &self.command, Input::Text(&self.text), Wanted::Status)
    }
}

/// What a program is given to read: it runs when the pipe is closed, at the latest when the file ends.
struct Writer {
    shared: Rc<Shared>,
    pipe: Rc<RefCell<Option<Pending>>>,
}

impl Writer {
    fn close(&self) -> mlua::Result<Option<Output>> {
        let Some(pending) = self.pipe.take() else {
            return Ok(None);
        };
        let result = self.shared.host(move |host| pending.run(host))?;
        result.map_err(|stop| bind::raise(&self.shared, stop, "close", None))
    }
}

impl UserData for Writer {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_function("write", |lua, mut values: MultiValue| {
            let this = lua.unpack::<AnyUserData>(values.pop_front().unwrap_or(Value::Nil))?;
            let text = joined(lua, &values, b"")?;
            match &mut *this.borrow::<Writer>()?.pipe.borrow_mut() {
                Some(pending) => pending.text.extend_from_slice(&text),
                None => return Err(mlua::Error::runtime("the pipe is closed")),
            }
            Ok(this)
        });
        methods.add_method("close", |lua, this, ()| {
            let finished = this.close()?;
            os::status(lua, finished.as_ref())
        });
        methods.add_function("setvbuf", |_, _: MultiValue| Ok(true));
        methods.add_function("flush", |_, this: AnyUserData| Ok(this));
    }
}

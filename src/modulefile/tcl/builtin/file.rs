//! Files: `file` with its sub-commands, `glob`, `source`.
//!
//! The embedding may refuse to write. Source: Tcl 8.6, `file(n)`, `glob(n)`, `source(n)`.

mod change;

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::diag::SourceFile;
use crate::modulefile::tcl::command::{ANY, Def};
use crate::modulefile::tcl::error::{Exit, Outcome, posix_text};
use crate::modulefile::tcl::glob::Request;
use crate::modulefile::tcl::interp::{Interp, wrong_args};
use crate::modulefile::tcl::list;
use crate::modulefile::tcl::path::{self, PathType, Surroundings};
use crate::modulefile::tcl::value::Value;
use crate::modulefile::tcl::var::VarName;

use super::{choice, expect_int};

use change::{Move, attributes, delete, link, mkdir, move_files, temporary};

pub(super) static TABLE: &[Def] = &[
    Def::ensemble("file", SUBCOMMANDS),
    Def::new(
        "glob",
        "?-option value ...? ?--? pattern ?pattern ...?",
        0,
        ANY,
        glob,
    ),
    Def::new("source", "?-encoding name? fileName", 1, 3, source),
];

static SUBCOMMANDS: &[Def] = &[
    Def::new("atime", "name ?time?", 1, 2, |interp, args| {
        time(interp, args, true)
    }),
    Def::new("attributes", "name ?-option value ...?", 1, ANY, attributes),
    Def::new("channels", "?pattern?", 0, 1, |interp, args| {
        interp.channel_names(args)
    }),
    Def::new("copy", COPY, 2, ANY, |interp, args| {
        move_files(interp, args, Move::Copy)
    }),
    Def::new(
        "delete",
        "?-option value ...? ?pathname ...?",
        0,
        ANY,
        delete,
    ),
    Def::new("dirname", "name", 1, 1, |interp, args| {
        part(interp, args, path::dirname)
    }),
    Def::new("executable", "name", 1, 1, |interp, args| {
        access(interp, args, 1)
    }),
    Def::new("exists", "name", 1, 1, |interp, args| {
        test(interp, args, |_| true)
    }),
    Def::new("extension", "name", 1, 1, |_, args| {
        Ok(Value::from(path::extension(args[0].bytes())))
    }),
    Def::new("isdirectory", "name", 1, 1, |interp, args| {
        test(interp, args, Metadata::is_dir)
    }),
    Def::new("isfile", "name", 1, 1, |interp, args| {
        test(interp, args, Metadata::is_file)
    }),
    Def::new("join", "name ?name ...?", 1, ANY, |_, args| {
        Ok(Value::new(path::join(args.iter().map(Value::bytes))))
    }),
    Def::new("link", "?-linktype? linkname ?target?", 1, 3, link),
    Def::new("lstat", "name varName", 2, 2, |interp, args| {
        stat(interp, args, Follow::No)
    }),
    Def::new("mkdir", "?name ...?", 0, ANY, mkdir),
    Def::new("mtime", "name ?time?", 1, 2, |interp, args| {
        time(interp, args, false)
    }),
    Def::new("nativename", "name", 1, 1, |interp, args| {
        part(interp, args, path::native_name)
    }),
    Def::new("normalize", "name", 1, 1, |interp, args| {
        part(interp, args, path::normalize)
    }),
    Def::new("owned", "name", 1, 1, |interp, args| {
        test(interp, args, |facts| {
            facts.uid() == nix::unistd::geteuid().as_raw()
        })
    }),
    Def::new("pathtype", "name", 1, 1, |_, args| {
        Ok(Value::from(match path::path_type(args[0].bytes()) {
            PathType::Absolute => "absolute",
            PathType::Relative => "relative",
        }))
    }),
    Def::new("readable", "name", 1, 1, |interp, args| {
        access(interp, args, 4)
    }),
    Def::new("readlink", "name", 1, 1, readlink),
    Def::new("rename", COPY, 2, ANY, |interp, args| {
        move_files(interp, args, Move::Rename)
    }),
    Def::new("rootname", "name", 1, 1, |_, args| {
        Ok(Value::from(path::rootname(args[0].bytes())))
    }),
    Def::new("separator", "?name?", 0, 1, |_, _| Ok(Value::from("/"))),
    Def::new("size", "name", 1, 1, |interp, args| {
        Ok(Value::int(
            facts(interp, &args[0], Follow::Yes)?.len() as i64
        ))
    }),
    Def::new("split", "name", 1, 1, |_, args| {
        Ok(Value::list(
            path::split(args[0].bytes())
                .into_iter()
                .map(Value::new)
                .collect(),
        ))
    }),
    Def::new("stat", "name varName", 2, 2, |interp, args| {
        stat(interp, args, Follow::Yes)
    }),
    Def::new("system", "name", 1, 1, |_, _| Ok(Value::from("native"))),
    Def::new("tail", "name", 1, 1, |interp, args| {
        part(interp, args, path::tail)
    }),
    Def::new("tempfile", "?nameVar? ?template?", 0, 2, temporary),
    Def::new("type", "name", 1, 1, |interp, args| {
        Ok(Value::from(kind(&facts(interp, &args[0], Follow::No)?)))
    }),
    Def::new("volumes", "", 0, 0, |_, _| Ok(Value::from("/"))),
    Def::new("writable", "name", 1, 1, |interp, args| {
        access(interp, args, 2)
    }),
];

const COPY: &str = "?-option value ...? source ?source ...? target";

/// What file names refer to: homes and the working directory.
pub(super) struct Around {
    home: Option<Vec<u8>>,
    directory: Vec<u8>,
}

impl Surroundings for Around {
    fn home(&self, user: Option<&[u8]>) -> Option<Vec<u8>> {
        match user {
            None => self.home.clone(),
            Some(user) => home_of(user),
        }
    }

    fn directory(&self) -> Result<Vec<u8>, Vec<u8>> {
        Ok(self.directory.clone())
    }

    fn link(&self, file: &[u8]) -> Option<Vec<u8>> {
        let target = fs::read_link(OsStr::from_bytes(file)).ok()?;
        Some(target.into_os_string().into_vec())
    }

    fn real(&self, file: &[u8]) -> Option<Vec<u8>> {
        let real = fs::canonicalize(OsStr::from_bytes(file)).ok()?;
        Some(real.into_os_string().into_vec())
    }
}

/// The home of a user, from the local table of users: a static program cannot ask the system's name services itself, but
/// `getent` can.
fn home_of(user: &[u8]) -> Option<Vec<u8>> {
    let find = |table: &[u8]| {
        let line = table.split(|&b| b == b'\n').find(|line| {
            line.strip_prefix(user)
                .is_some_and(|rest| rest.starts_with(b":"))
        })?;
        line.split(|&b| b == b':').nth(5).map(<[u8]>::to_vec)
    };
    if let Some(home) = fs::read("/etc/passwd").ok().and_then(|table| find(&table)) {
        return Some(home);
    }
    let answer = std::process::Command::new("getent")
        .arg("passwd")
        .arg(OsStr::from_bytes(user))
        .stderr(std::process::Stdio::null())
        .output()
        .ok()?;
    find(&answer.stdout)
}

#[derive(Clone, Copy, PartialEq)]
enum Follow {
    Yes,
    No,
}

impl Interp<'_> {
    /// The working directory of the script.
    pub(super) fn directory(&mut self) -> PathBuf {
        if self.state.directory.as_os_str().is_empty() {
            self.state.directory = self.host.directory();
        }
        self.state.directory.clone()
    }

    /// The same as bytes.
    pub(super) fn directory_bytes(&mut self) -> Vec<u8> {
        self.directory().into_os_string().into_vec()
    }

    /// What file names refer to.
    pub(super) fn around(&mut self) -> Around {
        Around {
            home: self.host.env_get(b"HOME"),
            directory: self.directory_bytes(),
        }
    }

    /// The file that a name means: `~` replaced, seen from the working directory.
    pub(super) fn path(&mut self, name: &[u8]) -> Outcome<PathBuf> {
        if name.is_empty() {
            // Not the working directory: the system knows no file without a name.
            return Ok(PathBuf::new());
        }
        if name.first() != Some(&b'~') {
            let path = Path::new(OsStr::from_bytes(name));
            if path.is_absolute() {
                return Ok(path.to_path_buf());
            }
            return Ok(self.directory().join(path));
        }
        let around = self.around();
        let name = path::expand(name, &around).map_err(no_home)?;
        Ok(self.directory().join(OsStr::from_bytes(&name)))
    }
}

/// The error for a name that begins with the home of nobody.
fn no_home(message: Vec<u8>) -> Exit {
    if message.starts_with(b"user \"") {
        return Exit::coded(message, &["TCL", "VALUE", "PATH", "NOUSER"]);
    }
    Exit::coded(message, &["TCL", "VALUE", "PATH", "HOMELESS"])
}

/// Takes a part of a file name.
type Take = fn(&[u8], &Around) -> Result<Vec<u8>, Vec<u8>>;

fn part(interp: &mut Interp<'_>, args: &[Value], take: Take) -> Outcome {
    let around = interp.around();
    take(args[0].bytes(), &around)
        .map(Value::new)
        .map_err(no_home)
}

fn look(interp: &mut Interp<'_>, name: &Value, follow: Follow) -> Outcome<io::Result<Metadata>> {
    if name.is_empty() {
        return Ok(Err(no_such_file()));
    }
    let path = interp.path(name.bytes())?;
    Ok(match follow {
        Follow::Yes => fs::metadata(path),
        Follow::No => fs::symlink_metadata(path),
    })
}

fn no_such_file() -> io::Error {
    io::Error::from_raw_os_error(nix::errno::Errno::ENOENT as i32)
}

fn failed(what: &str, name: &Value, error: &io::Error) -> Exit {
    let why = posix_text(error);
    Exit::posix(bytes!(what, " \"", name, "\": ", why), error)
}

fn facts(interp: &mut Interp<'_>, name: &Value, follow: Follow) -> Outcome<Metadata> {
    look(interp, name, follow)?.map_err(|error| failed("could not read", name, &error))
}

fn test(interp: &mut Interp<'_>, args: &[Value], wanted: impl Fn(&Metadata) -> bool) -> Outcome {
    // A home that does not exist is a file that does not exist.
    let found = look(interp, &args[0], Follow::Yes);
    Ok(Value::bool(
        matches!(found, Ok(Ok(facts)) if wanted(&facts)),
    ))
}

/// Asks the system: 4 to read, 2 to write, 1 to execute.
fn access(interp: &mut Interp<'_>, args: &[Value], mode: u32) -> Outcome {
    use nix::unistd::{AccessFlags, access};
    let flags = match mode {
        4 => AccessFlags::R_OK,
        2 => AccessFlags::W_OK,
        _ => AccessFlags::X_OK,
    };
    let allowed = match interp.path(args[0].bytes()) {
        Ok(path) => !args[0].is_empty() && access(&path, flags).is_ok(),
        Err(_) => false,
    };
    Ok(Value::bool(allowed))
}

fn kind(facts: &Metadata) -> &'static str {
    let kind = facts.file_type();
    match () {
        () if kind.is_symlink() => "link",
        () if kind.is_dir() => "directory",
        () if kind.is_char_device() => "characterSpecial",
        () if kind.is_block_device() => "blockSpecial",
        () if kind.is_fifo() => "fifo",
        () if kind.is_socket() => "socket",
        () => "file",
    }
}

fn stat(interp: &mut Interp<'_>, args: &[Value], follow: Follow) -> Outcome {
    let facts = facts(interp, &args[0], follow)?;
    let number = |n: u64| Value::int(n as i64);
    for (name, value) in [
        ("dev", number(facts.dev())),
        ("ino", number(facts.ino())),
        ("nlink", number(facts.nlink())),
        ("uid", number(facts.uid().into())),
        ("gid", number(facts.gid().into())),
        ("size", number(facts.size())),
        ("blksize", number(facts.blksize())),
        ("blocks", number(facts.blocks())),
        ("atime", Value::int(facts.atime())),
        ("mtime", Value::int(facts.mtime())),
        ("ctime", Value::int(facts.ctime())),
        ("mode", number(facts.mode().into())),
        ("type", Value::from(kind(&facts))),
    ] {
        let target = VarName {
            name: args[1].bytes(),
            index: Some(name.as_bytes()),
        };
        interp.set_name(target, value)?;
    }
    Ok(Value::empty())
}

fn time(interp: &mut Interp<'_>, args: &[Value], accessed: bool) -> Outcome {
    let Some(word) = args.get(1) else {
        let facts = facts(interp, &args[0], Follow::Yes)?;
        return Ok(Value::int(if accessed {
            facts.atime()
        } else {
            facts.mtime()
        }));
    };
    let seconds = expect_int(word)?;
    if !interp.may_change_files() {
        return Ok(Value::int(seconds));
    }
    facts(interp, &args[0], Follow::Yes)?;
    let path = interp.path(args[0].bytes())?;
    let cannot = |error: io::Error| {
        let what = if accessed {
            "could not set access time for file"
        } else {
            "could not set modification time for file"
        };
        failed(what, &args[0], &error)
    };
    let offset = Duration::from_secs(seconds.unsigned_abs());
    let when: SystemTime = if seconds < 0 {
        UNIX_EPOCH - offset
    } else {
        UNIX_EPOCH + offset
    };
    let file = fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .or_else(|_| fs::File::open(&path))
        .map_err(cannot)?;
    let times = if accessed {
        fs::FileTimes::new().set_accessed(when)
    } else {
        fs::FileTimes::new().set_modified(when)
    };
    file.set_times(times).map_err(cannot)?;
    Ok(Value::int(seconds))
}

fn readlink(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let path = interp.path(args[0].bytes())?;
    match fs::read_link(path) {
        Ok(target) => Ok(Value::new(target.into_os_string().into_vec())),
        Err(error) => Err(failed("could not read link", &args[0], &error)),
    }
}

fn glob(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let words: Vec<&[u8]> = args.iter().map(Value::bytes).collect();
    let split =
        |text: &[u8]| list::split::<Vec<u8>>(text).map_err(|error| error.to_string().into_bytes());
    let request = Request::parse(&words, split).map_err(|message| {
        if message.starts_with(b"bad option") || message.starts_with(b"ambiguous option") {
            let word = message
                .split(|&b| b == b'"')
                .nth(1)
                .unwrap_or_default()
                .to_vec();
            return Exit::coded(
                message,
                &[&b"TCL"[..], b"LOOKUP", b"INDEX", b"option", &word],
            );
        }
        if message.starts_with(b"missing argument") {
            return Exit::coded(message, &["TCL", "ARGUMENT", "MISSING"]);
        }
        Exit::error(message)
    })?;
    let around = interp.around();
    let found = request.run(&around).map_err(|message| {
        if message.starts_with(b"no files matched") {
            return Exit::coded(message, &["TCL", "OPERATION", "GLOB", "NOMATCH"]);
        }
        Exit::error(message)
    })?;
    Ok(Value::list(found.into_iter().map(Value::new).collect()))
}

fn source(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let name = match args {
        [name] => name,
        [option, _, name] => {
            choice(option, &["-encoding"], "option")?;
            name
        }
        _ => return Err(wrong_args(b"source", "?-encoding name? fileName")),
    };
    let file = read_source(interp, name)?;
    interp.source(&file)
}

/// Reads a file that holds a script; lines may end in CR LF.
pub(super) fn read_source(interp: &mut Interp<'_>, name: &Value) -> Outcome<Arc<SourceFile>> {
    let path = interp.path(name.bytes())?;
    let cannot = |error: &io::Error| {
        let why = posix_text(error);
        Exit::posix(bytes!("couldn't read file \"", name, "\": ", why), error)
    };
    let mut text = fs::read(&path).map_err(|error| cannot(&error))?;
    if text.contains(&b'\r') {
        text = bstr::ByteSlice::replace(&text[..], b"\r\n", b"\n");
    }
    Ok(SourceFile::new(name.text().into_owned(), text))
}

//! What `file` changes: `mkdir`, `delete`, `copy`, `rename`, `link`, `attributes`, `tempfile`.
//!
//! Source: Tcl 8.6, `file(n)`.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{COPY, Follow, choice, facts, failed, no_such_file, readlink};
use crate::modulefile::tcl::embedding::Action;
use crate::modulefile::tcl::error::{Exit, Outcome, posix_text};
use crate::modulefile::tcl::interp::{Interp, wrong_args};
use crate::modulefile::tcl::path::{self, PathType};
use crate::modulefile::tcl::value::Value;

pub(super) fn link(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let mut hard = false;
    let mut words = args;
    if let Some((first, rest)) = args.split_first()
        && args.len() > 1
        && first.bytes().first() == Some(&b'-')
    {
        hard = choice(first, &["-hard", "-symbolic"], "switch")? == 0;
        words = rest;
    }
    let [name, target] = words else {
        return readlink(interp, &words[..1]);
    };
    if !interp.may_change_files() {
        return Ok(target.clone());
    }
    let path = interp.path(name.bytes())?;
    let cannot = |error: &io::Error, what: &[u8]| {
        let why = posix_text(error);
        let message = bytes!(
            "could not create new link \"",
            name,
            "\" pointing to \"",
            target,
            "\": ",
            if what.is_empty() {
                why.as_bytes()
            } else {
                what
            }
        );
        Exit::posix(message, error)
    };
    let parent = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let pointed = {
        let target = interp.path(target.bytes())?;
        if path::path_type(words[1].bytes()) == PathType::Relative {
            parent.join(OsStr::from_bytes(words[1].bytes()))
        } else {
            target
        }
    };
    if fs::symlink_metadata(&path).is_ok() {
        let error = io::Error::from_raw_os_error(nix::errno::Errno::EEXIST as i32);
        let message = bytes!(
            "could not create new link \"",
            name,
            "\": that path already exists"
        );
        return Err(Exit::posix(message, &error));
    }
    if fs::metadata(&pointed).is_err() {
        let message = bytes!(
            "could not create new link \"",
            name,
            "\": target \"",
            target,
            "\" doesn't exist"
        );
        return Err(Exit::posix(message, &no_such_file()));
    }
    let made = if hard {
        fs::hard_link(&pointed, &path)
    } else {
        std::os::unix::fs::symlink(OsStr::from_bytes(target.bytes()), &path)
    };
    made.map_err(|error| cannot(&error, b""))?;
    Ok(target.clone())
}

pub(super) fn mkdir(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    for name in args {
        if !interp.may_change_files() {
            break;
        }
        let path = interp.path(name.bytes())?;
        if path.is_dir() {
            continue;
        }
        let made = match path.as_os_str().is_empty() {
            true => fs::create_dir(&path),
            false => fs::create_dir_all(&path),
        };
        if let Err(error) = made {
            // The message names the part that stands in the way.
            let blocking = path
                .ancestors()
                .find(|part| part.exists() && !part.is_dir());
            let (shown, error) = match blocking {
                Some(part) => (
                    Value::from(part.as_os_str().as_bytes()),
                    io::Error::from_raw_os_error(nix::errno::Errno::EEXIST as i32),
                ),
                None => (name.clone(), error),
            };
            return Err(failed("can't create directory", &shown, &error));
        }
    }
    Ok(Value::empty())
}

pub(super) fn delete(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let mut force = false;
    let mut names = args;
    while let Some((first, rest)) = names.split_first() {
        if first.bytes().first() != Some(&b'-') {
            break;
        }
        names = rest;
        match choice(first, &["-force", "--"], "option")? {
            0 => force = true,
            _ => break,
        }
    }
    for name in names {
        if !interp.may_change_files() {
            break;
        }
        let path = interp.path(name.bytes())?;
        let result = match fs::symlink_metadata(&path) {
            // What does not exist need not be deleted.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => Err(error),
            Ok(facts) if !facts.is_dir() => fs::remove_file(&path),
            Ok(_) if force => fs::remove_dir_all(&path),
            Ok(_) => fs::remove_dir(&path),
        };
        result.map_err(|error| {
            let exists = error.raw_os_error() == Some(nix::errno::Errno::ENOTEMPTY as i32);
            if exists {
                let why = io::Error::from_raw_os_error(nix::errno::Errno::EEXIST as i32);
                return Exit::posix(
                    bytes!("error deleting \"", name, "\": directory not empty"),
                    &why,
                );
            }
            failed("error deleting", name, &error)
        })?;
    }
    Ok(Value::empty())
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Move {
    Copy,
    Rename,
}

pub(super) fn move_files(interp: &mut Interp<'_>, args: &[Value], how: Move) -> Outcome {
    let mut force = false;
    let mut names = args;
    while let Some((first, rest)) = names.split_first() {
        if first.bytes().first() != Some(&b'-') {
            break;
        }
        names = rest;
        match choice(first, &["-force", "--"], "option")? {
            0 => force = true,
            _ => break,
        }
    }
    let Some((target, sources)) = names
        .split_last()
        .filter(|(_, sources)| !sources.is_empty())
    else {
        let name = if how == Move::Copy {
            "file copy"
        } else {
            "file rename"
        };
        return Err(wrong_args(name.as_bytes(), COPY));
    };
    if !interp.may_change_files() {
        return Ok(Value::empty());
    }
    let target_path = interp.path(target.bytes())?;
    let into = target_path.is_dir();
    if sources.len() > 1 && !into {
        let error = io::Error::from_raw_os_error(nix::errno::Errno::ENOTDIR as i32);
        let message = bytes!(
            "error ",
            how.verb(),
            ": target \"",
            target,
            "\" is not a directory"
        );
        return Err(Exit::posix(message, &error));
    }
    for source in sources {
        let from = interp.path(source.bytes())?;
        let (to, shown) = if into {
            let around = interp.around();
            let tail = path::tail(source.bytes(), &around).map_err(Exit::error)?;
            let shown = path::join([target.bytes(), &tail]);
            (
                target_path.join(OsStr::from_bytes(&tail)),
                Value::new(shown),
            )
        } else {
            (target_path.clone(), target.clone())
        };
        move_one(how, force, (&from, source), (&to, &shown))?;
    }
    Ok(Value::empty())
}

fn move_one(how: Move, force: bool, from: (&Path, &Value), to: (&Path, &Value)) -> Outcome<()> {
    let verb = how.verb();
    let (source, target) = (from.1, to.1);
    let facts = fs::symlink_metadata(from.0)
        .map_err(|error| failed(&format!("error {verb}"), source, &error))?;
    let to_facts = fs::symlink_metadata(to.0).ok();
    if let Some(old) = &to_facts {
        let refuse = |number: nix::errno::Errno, what: &[u8]| {
            let error = io::Error::from_raw_os_error(number as i32);
            Err(Exit::posix(what.to_vec(), &error))
        };
        if !force {
            let message = bytes!(
                "error ",
                verb,
                " \"",
                source,
                "\" to \"",
                target,
                "\": file already exists"
            );
            return refuse(nix::errno::Errno::EEXIST, &message);
        }
        if facts.is_dir() && !old.is_dir() {
            let message = bytes!(
                "can't overwrite file \"",
                target,
                "\" with directory \"",
                source,
                "\""
            );
            return refuse(nix::errno::Errno::ENOTDIR, &message);
        }
        if !facts.is_dir() && old.is_dir() {
            let message = bytes!(
                "can't overwrite directory \"",
                target,
                "\" with file \"",
                source,
                "\""
            );
            return refuse(nix::errno::Errno::EISDIR, &message);
        }
    }
    let result = match how {
        Move::Rename => match fs::rename(from.0, to.0) {
            // To another file system: copy, then delete.
            Err(error) if error.raw_os_error() == Some(nix::errno::Errno::EXDEV as i32) => {
                copy_tree(from.0, to.0).and_then(|()| {
                    if facts.is_dir() {
                        fs::remove_dir_all(from.0)
                    } else {
                        fs::remove_file(from.0)
                    }
                })
            }
            other => other,
        },
        Move::Copy => copy_tree(from.0, to.0),
    };
    result.map_err(|error| {
        let why = posix_text(&error);
        let message = bytes!(
            "error ", verb, " \"", source, "\" to \"", target, "\": ", why
        );
        Exit::posix(message, &error)
    })
}

/// Copies a file, a link or a directory with everything in it.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    let facts = fs::symlink_metadata(from)?;
    if facts.file_type().is_symlink() {
        if fs::symlink_metadata(to).is_ok() {
            fs::remove_file(to)?;
        }
        return std::os::unix::fs::symlink(fs::read_link(from)?, to);
    }
    if !facts.is_dir() {
        fs::copy(from, to)?;
        let times = fs::FileTimes::new()
            .set_accessed(facts.accessed()?)
            .set_modified(facts.modified()?);
        // Times are kept where the file system allows it.
        let _ = fs::File::open(to).and_then(|file| file.set_times(times));
        return Ok(());
    }
    if !to.is_dir() {
        fs::create_dir(to)?;
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy_tree(&entry.path(), &to.join(entry.file_name()))?;
    }
    fs::set_permissions(to, facts.permissions())
}

const ATTRIBUTES: [&str; 3] = ["-group", "-owner", "-permissions"];

pub(super) fn attributes(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let facts = facts(interp, &args[0], Follow::Yes)?;
    let value = |name: &str| match name {
        "-group" => Value::new(name_of("/etc/group", facts.gid())),
        "-owner" => Value::new(name_of("/etc/passwd", facts.uid())),
        _ => Value::from(format!("{:05o}", facts.mode() & 0o7777)),
    };
    match &args[1..] {
        [] => Ok(Value::list(
            ATTRIBUTES
                .iter()
                .flat_map(|name| [Value::from(*name), value(name)])
                .collect(),
        )),
        [name] => Ok(value(ATTRIBUTES[choice(name, &ATTRIBUTES, "option")?])),
        _ if !interp.may_change_files() => Ok(Value::empty()),
        pairs => {
            for pair in pairs.chunks(2) {
                let option = ATTRIBUTES[choice(&pair[0], &ATTRIBUTES, "option")?];
                let [_, new] = pair else {
                    let message = bytes!("value for \"", pair[0], "\" missing");
                    return Err(Exit::coded(
                        message,
                        &["TCL", "OPERATION", "FATTR", "NOVALUE"],
                    ));
                };
                let path = interp.path(args[0].bytes())?;
                set_attribute(&path, &args[0], option, new, facts.mode())?;
            }
            Ok(Value::empty())
        }
    }
}

fn set_attribute(path: &Path, name: &Value, option: &str, new: &Value, old: u32) -> Outcome<()> {
    if option == "-permissions" {
        let mode = match u32::from_str_radix(new.text().trim_start_matches("0o"), 8) {
            Ok(mode) => mode,
            Err(_) => symbolic_mode(new.bytes(), old).ok_or_else(|| {
                Exit::error(bytes!("unknown permission string format \"", new, "\""))
            })?,
        };
        return fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o7777))
            .map_err(|error| failed("could not set permissions for file", name, &error));
    }
    let table = if option == "-group" {
        "/etc/group"
    } else {
        "/etc/passwd"
    };
    let id = new
        .as_int()
        .and_then(|n| u32::try_from(n).ok())
        .or_else(|| id_of(table, new.bytes()));
    let Some(id) = id else {
        let what = &option[1..];
        let message = bytes!(
            "could not set ",
            what,
            " for file \"",
            name,
            "\": ",
            what,
            " \"",
            new,
            "\" does not exist"
        );
        return Err(Exit::error(message));
    };
    let (user, group) = if option == "-group" {
        (None, Some(id))
    } else {
        (Some(id), None)
    };
    std::os::unix::fs::chown(path, user, group).map_err(|error| {
        failed(
            &format!("could not set {} for file", &option[1..]),
            name,
            &error,
        )
    })
}

/// `rwxr-xr-x` or `u+x,go-w`.
fn symbolic_mode(text: &[u8], old: u32) -> Option<u32> {
    if text.len() == 9 && text.iter().all(|b| b"rwxst-".contains(b)) {
        return Some(
            text.iter()
                .fold(0, |mode, &b| mode << 1 | u32::from(b != b'-')),
        );
    }
    let mut mode = old & 0o7777;
    for clause in text.split(|&b| b == b',') {
        let at = clause.iter().position(|b| b"+-=".contains(b))?;
        let mut who = 0;
        for b in &clause[..at] {
            who |= match b {
                b'u' => 0o700,
                b'g' => 0o070,
                b'o' => 0o007,
                b'a' => 0o777,
                _ => return None,
            };
        }
        let who = if who == 0 { 0o777 } else { who };
        let mut what = 0;
        for b in &clause[at + 1..] {
            what |= match b {
                b'r' => 0o444,
                b'w' => 0o222,
                b'x' => 0o111,
                _ => return None,
            };
        }
        match clause[at] {
            b'+' => mode |= what & who,
            b'-' => mode &= !(what & who),
            _ => mode = (mode & !who) | (what & who),
        }
    }
    Some(mode)
}

/// The name that a table of users or groups has for a number; the number when it has none.
fn name_of(table: &str, id: u32) -> Vec<u8> {
    let id = id.to_string();
    let text = fs::read(table).unwrap_or_default();
    let line = text
        .split(|&b| b == b'\n')
        .find(|line| line.split(|&b| b == b':').nth(2) == Some(id.as_bytes()));
    match line.and_then(|line| line.split(|&b| b == b':').next()) {
        Some(name) => name.to_vec(),
        None => id.into_bytes(),
    }
}

fn id_of(table: &str, name: &[u8]) -> Option<u32> {
    let text = fs::read(table).ok()?;
    let line = text
        .split(|&b| b == b'\n')
        .find(|line| line.split(|&b| b == b':').next() == Some(name))?;
    std::str::from_utf8(line.split(|&b| b == b':').nth(2)?)
        .ok()?
        .parse()
        .ok()
}

pub(super) fn temporary(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    use crate::modulefile::tcl::channels::{Channel, End};
    interp.permit(Action::Write)?;
    let (directory, prefix, suffix) = match args.get(1) {
        Some(template) => {
            let path = interp.path(template.bytes())?;
            let stem = path
                .file_stem()
                .map(OsStr::to_os_string)
                .unwrap_or_default();
            let ending = path
                .extension()
                .map_or_else(String::new, |e| format!(".{}", e.to_string_lossy()));
            let parent = path
                .parent()
                .map_or_else(|| PathBuf::from("/tmp"), Path::to_path_buf);
            (parent, format!("{}_", stem.to_string_lossy()), ending)
        }
        None => (PathBuf::from("/tmp"), "tcl_".to_owned(), String::new()),
    };
    let made = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(&suffix)
        .tempfile_in(directory)
        .and_then(|file| file.keep().map_err(|error| error.error));
    let (file, path) = made.map_err(|error| {
        Exit::posix(
            format!("can't create temporary file: {}", posix_text(&error)),
            &error,
        )
    })?;
    if let Some(name) = args.first() {
        let path = Value::new(path.into_os_string().into_vec());
        interp.set_var(name.bytes(), path)?;
    }
    Ok(interp.add_channel(Channel::new(End::File(file), true, true)))
}

impl Move {
    fn verb(self) -> &'static str {
        match self {
            Move::Copy => "copying",
            Move::Rename => "renaming",
        }
    }
}

//! Names of files and what stands behind them.
//!
//! Source: Lmod user guide "Lua modulefile functions"; the cases in the tests are Lmod's answers, but for `/` and the
//! empty path, of which Lmod 8.6 makes a blank.

use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};
use camino::Utf8Path;
use mlua::{Function, Lua, MultiValue, Value};

use crate::modulefile::lua::bind;
use crate::modulefile::lua::machine::Shared;
use crate::modulefile::value::ArgError;

/// The names of this file.
pub(super) const NAMES: &[&str] = &[
    "abspath",
    "barefilename",
    "dirname",
    "extname",
    "isDir",
    "isFile",
    "mkdir_recursive",
    "pathJoin",
    "path_regularize",
    "realpath",
    "removeExt",
    "splitFileName",
];

/// Makes one of [`NAMES`].
pub(super) fn make(lua: &Lua, shared: &Rc<Shared>, name: &str) -> mlua::Result<Value> {
    let function = match name {
        "pathJoin" => path_join(lua, shared)?,
        "path_regularize" => {
            lua.create_function(|lua, (path, full): (mlua::LuaString, Option<bool>)| {
                let dots = match full {
                    Some(true) => Dots::Resolve,
                    _ => Dots::Keep,
                };
                lua.create_string(regularize(path.as_bytes().as_bstr(), dots))
            })?
        }
        "dirname" => part(lua, |path| split_file_name(path).0)?,
        "barefilename" => part(lua, |path| split_file_name(path).1.into())?,
        "extname" => part(lua, |path| split_extension(path).1.into())?,
        "removeExt" => part(lua, |path| split_extension(path).0.into())?,
        "splitFileName" => lua.create_function(|lua, path: mlua::LuaString| {
            let path = path.as_bytes();
            let (dir, file) = split_file_name(path.as_bstr());
            Ok((lua.create_string(dir)?, lua.create_string(file)?))
        })?,
        "isDir" => lua.create_function(|_, path: Option<String>| {
            Ok(path.is_some_and(|p| Utf8Path::new(&p).is_dir()))
        })?,
        "isFile" => lua.create_function(|_, path: Option<String>| {
            Ok(path.is_some_and(|p| Utf8Path::new(&p).is_file()))
        })?,
        "abspath" => resolve(lua, shared, Missing::Nil)?,
        "realpath" => resolve(lua, shared, Missing::AsGiven)?,
        "mkdir_recursive" => mkdir_recursive(lua, shared)?,
        _ => return Ok(Value::Nil),
    };
    Ok(Value::Function(function))
}

/// A function from a path to a part of it.
fn part(lua: &Lua, of: fn(&BStr) -> BString) -> mlua::Result<Function> {
    lua.create_function(move |lua, path: mlua::LuaString| {
        lua.create_string(of(path.as_bytes().as_bstr()))
    })
}

/// `pathJoin(PART...)`: empty parts and nils are left out, the first part decides whether the path is absolute.
fn path_join(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua, parts: MultiValue| {
        let mut joined = BString::default();
        for (index, value) in parts.iter().enumerate() {
            let part = match value {
                Value::Nil => continue,
                Value::String(part) => part.as_bytes(),
                other => {
                    let error = ArgError {
                        index: Some(index),
                        message: format!("expected a string, got {}", other.type_name()),
                    };
                    let place = shared.place(lua);
                    return Err(bind::raise(&shared, error.into(), "pathJoin", place));
                }
            };
            let part = part.trim_ascii();
            if !part.is_empty() {
                if !joined.is_empty() {
                    joined.push(b'/');
                }
                joined.extend_from_slice(part);
            }
        }
        lua.create_string(regularize(joined.as_bstr(), Dots::Keep))
    })
}

/// What happens to `..`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dots {
    Keep,
    Resolve,
}

/// A path without doubled slashes, `.` components and a slash at its end.
fn regularize(path: &BStr, dots: Dots) -> BString {
    let path = path.trim_ascii();
    let mut parts: Vec<&[u8]> = Vec::new();
    let absolute = path.starts_with(b"/");
    for part in path.split_str("/").filter(|p| !p.is_empty() && *p != b".") {
        let above = part == b".." && dots == Dots::Resolve;
        match parts.last() {
            Some(last) if above && *last != b".." => drop(parts.pop()),
            None if above && absolute => {}
            _ => parts.push(part),
        }
    }
    let mut out = BString::from(if absolute { "/" } else { "" });
    out.extend_from_slice(&bstr::join("/", parts));
    if out.is_empty() && !path.is_empty() {
        out.push(b'.');
    }
    out
}

/// Directory, with a slash at its end, and the rest.
fn split_file_name(path: &BStr) -> (BString, &BStr) {
    match path.rfind_byte(b'/') {
        Some(slash) => (path[..=slash].into(), path[slash + 1..].as_bstr()),
        None => ("./".into(), path),
    }
}

/// What stands in front of the last dot of the last component, and the rest from that dot on.
fn split_extension(path: &BStr) -> (&BStr, &BStr) {
    let start = path.rfind_byte(b'/').map_or(0, |slash| slash + 1);
    let dot = path[start..].rfind_byte(b'.').map(|d| start + d);
    let (stem, extension) = path.split_at(dot.unwrap_or(path.len()));
    (stem.as_bstr(), extension.as_bstr())
}

/// What a function gives for a path that does not exist.
#[derive(Clone, Copy)]
enum Missing {
    Nil,
    AsGiven,
}

/// The path behind all links.
fn resolve(lua: &Lua, shared: &Rc<Shared>, missing: Missing) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |lua, path: Option<String>| {
        let Some(path) = path else {
            return Ok(Value::Nil);
        };
        let given = path.clone();
        let full = shared.host(move |host| match host.world.session().cwd() {
            Some(cwd) => cwd.join(path),
            None => path.into(),
        })?;
        let text = match (full.canonicalize_utf8(), missing) {
            (Ok(real), _) => real.into_string(),
            (Err(_), Missing::Nil) => return Ok(Value::Nil),
            (Err(_), Missing::AsGiven) => given,
        };
        lua.create_string(text).map(Value::String)
    })
}

/// `mkdir_recursive(PATH)`; does nothing while files are only read for listings.
fn mkdir_recursive(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |_, path: String| {
        if shared.host(|host| host.mode.is_crawl())? {
            return Ok(true);
        }
        Ok(std::fs::create_dir_all(path).is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_regular_as_by_lmod() {
        for (given, wanted) in [
            ("/a//b/", "/a/b"),
            ("a/./b", "a/b"),
            ("/a/../b", "/a/../b"),
            ("  /a/b  ", "/a/b"),
            ("./a", "a"),
            ("/a/.", "/a"),
            ("../x", "../x"),
            ("//", "/"),
            ("", ""),
        ] {
            assert_eq!(regularize(given.into(), Dots::Keep), wanted, "{given}");
        }
        for (given, wanted) in [
            ("/a/../b", "/b"),
            ("../x", "../x"),
            ("/a/../../c", "/c"),
            ("a/..", "."),
        ] {
            assert_eq!(regularize(given.into(), Dots::Resolve), wanted, "{given}");
        }
    }

    #[test]
    fn names_are_taken_apart_as_by_lmod() {
        for (path, dir, file, stem, extension) in [
            ("/a/b.c", "/a/", "b.c", "/a/b", ".c"),
            ("b.c", "./", "b.c", "b", ".c"),
            ("/a/b/", "/a/b/", "", "/a/b/", ""),
            ("/a.d/b", "/a.d/", "b", "/a.d/b", ""),
            ("a/b.c.d", "a/", "b.c.d", "a/b.c", ".d"),
            (".x", "./", ".x", "", ".x"),
        ] {
            let path: &BStr = path.into();
            assert_eq!(split_file_name(path), (dir.into(), file.into()), "{path}");
            assert_eq!(
                split_extension(path),
                (stem.into(), extension.into()),
                "{path}"
            );
        }
    }
}

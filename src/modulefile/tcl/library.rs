//! What tclsh has in Tcl and not in C: procs that are defined when they are first called, and the packages
//! `msgcat`, `platform` and `tcltest`.
//!
//! The texts lie beside this file. Nothing of a Tcl installation is read. Source: Tcl 8.6, `library(n)`, `tm(n)`,
//! `msgcat(n)`, `platform(n)`, `safe(n)`, `tcltest(n)`.

use std::rc::Rc;
use std::sync::Arc;

use crate::diag::SourceFile;

use super::builtin::make_proc;
use super::command::Proc;
use super::parse::{self, Code};
use super::value::Value;

/// The full names of the procs in `init.tcl`, without leading colons.
static NAMES: &[&str] = &[
    "parray",
    "auto_execok",
    "auto_import",
    "auto_load",
    "auto_qualify",
    "auto_reset",
    "tcl::clock::ClearCaches",
    "tcl::tm::path",
    "tcl::tm::roots",
    "safe::interpAddToAccessPath",
    "safe::interpConfigure",
    "safe::interpCreate",
    "safe::interpDelete",
    "safe::interpFindInAccessPath",
    "safe::interpInit",
    "safe::setLogCmd",
];

/// The names of procs that a namespace, named without leading colons, has here.
pub(super) fn names(namespace: &str) -> impl Iterator<Item = &'static str> {
    NAMES
        .iter()
        .filter_map(move |name| match name.rsplit_once("::") {
            None => namespace.is_empty().then_some(*name),
            Some((qualifier, tail)) => (qualifier == namespace).then_some(tail),
        })
}

/// The proc of this name, if the library has one.
pub(super) fn find(namespace: &str, tail: &[u8]) -> Option<Proc> {
    if !names(namespace).any(|name| name.as_bytes() == tail) {
        return None;
    }
    let text = include_bytes!("library/init.tcl");
    let file: Arc<SourceFile> = SourceFile::new("init.tcl", &text[..]);
    let script = Rc::new(parse::script(&Code::file(&file, text.len())));
    script.commands.iter().find_map(|command| {
        let [_, name, params, body] = &*command.words else {
            return None;
        };
        let name = name.constant()?.bytes();
        let full = match namespace {
            "" => tail.to_vec(),
            _ => bytes!(namespace, "::", tail),
        };
        if name != full {
            return None;
        }
        make_proc(params.constant()?, body.constant()?).ok()
    })
}

/// The text that procs in `init.tcl` ask for when they are called: it defines them anew, with all they need.
pub(super) fn bundled(name: &[u8]) -> Option<Value> {
    (name == b"safe").then(|| Value::from(include_str!("library/safe.tcl")))
}

/// A package that comes with every Tcl: its version and the script that provides it.
pub(super) fn package(name: &[u8]) -> Option<(Value, Value)> {
    match name {
        b"tcltest" => Some((
            Value::from("2.5.5"),
            Value::from(include_str!("library/tcltest.tcl")),
        )),
        b"platform" => Some((
            Value::from("1.0.19"),
            Value::from(include_str!("library/platform.tcl")),
        )),
        b"msgcat" => Some((
            Value::from("1.6.1"),
            Value::from(include_str!("library/msgcat.tcl")),
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_its_proc() {
        for name in NAMES {
            let (namespace, tail) = name.rsplit_once("::").unwrap_or(("", name));
            assert!(find(namespace, tail.as_bytes()).is_some(), "{name}");
        }
    }
}

//! Lua, for scripts that have luaposix.
//!
//! Source: Lua 5.1 and 5.4 manuals "Lexical Conventions": decimal escapes are the ones that every version has.

use bstr::BStr;

use super::language::Language;
use super::{push, quote};

/// Lua.
#[derive(Debug)]
pub(super) struct Lua;

/// A string in double quotes.
pub(super) fn string(value: &[u8]) -> Vec<u8> {
    quote::escaped(value, b"\"\\", |b| format!("\\{b:03}"))
}

impl Language for Lua {
    const OPENING: &'static [u8] = b"local posix = require(\"posix\")\n";
    const SUCCESS: &'static [u8] = b"_mlstatus = true\n";
    const FAILURE: &'static [u8] = b"_mlstatus = false\n";

    fn set(&self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        push(
            out,
            &[b"posix.setenv(\"", name, b"\", ", &string(value), b")\n"],
        );
    }

    fn unset(&self, name: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"posix.setenv(\"", name, b"\")\n"]);
    }

    fn chdir(&self, dir: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"posix.chdir(", &string(dir), b")\n"]);
    }

    fn print(&self, text: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"print(", &string(text), b")\n"]);
    }

    fn answer(&self, text: &BStr, out: &mut Vec<u8>) {
        push(out, &[b"_mlstatus = ", &string(text), b"\n"]);
    }
}

//! Ruby.
//!
//! Source: Ruby documentation "String Literals". In double quotes `#` begins an interpolation and takes a backslash.

use bstr::BStr;

use super::language::Language;
use super::{push, quote};

/// Ruby.
#[derive(Debug)]
pub(super) struct Ruby;

/// A string in double quotes.
pub(super) fn string(value: &[u8]) -> Vec<u8> {
    quote::escaped(value, b"\"\\#", |b| format!("\\x{b:02X}"))
}

impl Language for Ruby {
    const SUCCESS: &'static [u8] = b"_mlstatus = true\n";
    const FAILURE: &'static [u8] = b"_mlstatus = false\n";

    fn set(&self, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"ENV[\"", name, b"\"] = ", &string(value), b"\n"]);
    }

    fn unset(&self, name: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"ENV[\"", name, b"\"] = nil\n"]);
    }

    fn chdir(&self, dir: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"Dir.chdir(", &string(dir), b")\n"]);
    }

    fn print(&self, text: &[u8], out: &mut Vec<u8>) {
        push(out, &[b"puts ", &string(text), b"\n"]);
    }

    fn answer(&self, text: &BStr, out: &mut Vec<u8>) {
        push(out, &[b"_mlstatus = ", &string(text), b"\n"]);
    }
}
